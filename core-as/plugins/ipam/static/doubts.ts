// SPDX-License-Identifier: Apache-2.0
// Addresses that the type `static` gives although hardly anybody means them: the kernel takes most,
// and the container is then cut off without a word. It says so, and refuses none.
import { IPConfig } from "../../../spec/types";

/** IPv4 prefixes from here on have no address of the network and none for broadcast (RFC 3021). */
const POINT_TO_POINT_BITS = 31;

/** Why an address is not likely to work; "" when nothing is wrong with it. */
export function doubt_of(given: IPConfig): string {
  const address = given.address;
  const ip = address.ip;
  const text = address.toString();
  if (ip.isUnspecified()) return `${text} is the unspecified address: nobody can be reached by it`;
  if (ip.isLoopback()) return `${text} is a loopback address: its packets leave no container`;
  if (ip.isMulticast()) return `${text} is a multicast address: no interface has one as its own`;
  const gateway = given.gateway;
  if (gateway && gateway.equals(ip)) {
    return `${text} is its own gateway: what is sent elsewhere gets nowhere; name the router`;
  }
  if (ip.v6 || address.bits >= POINT_TO_POINT_BITS) return "";
  if (ip.equals(address.network())) return `${text} is the address of the network, not of a host`;
  if (ip.equals(address.last())) return `${text} is the broadcast address of its network`;
  return "";
}
