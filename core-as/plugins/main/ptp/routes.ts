// SPDX-License-Identifier: Apache-2.0
// The routes of ptp: the host is the container's gateway by a /32 (/128) on its own end, and the
// container reaches all else through that. It refuses to know where the addresses are from.
import { failure_errno } from "../../../host/failure";
import { addr_add, HOST, Link, Route, route_add, route_del } from "../../../host/kernel";
import { EEXIST, ESRCH } from "../../../lib/errno";
import { gateway_route } from "../../../net/iface";
import { CniError, os_error } from "../../../spec/error";
import { IPConfig } from "../../../spec/types";

/** RT_SCOPE_HOST, linux/rtnetlink.h. */
const SCOPE_HOST = 254;

/**
 * The subnet is not on the link, only the gateway is: replaces the kernel's connected route by one
 * to the gateway and one through it.
 */
export function through_gateway(ns: i32, link: Link, ip: IPConfig): CniError | null {
  const gateway = ip.gateway;
  if (!gateway) return null;
  const subnet = ip.address.subnet().toString();
  if (route_del(ns, link.ifindex, subnet, "", 0) < 0 && failure_errno != ESRCH) {
    return os_error(`remove the connected route ${subnet} of "${link.name}"`);
  }
  const first = gateway_route(gateway);
  first.src = ip.address.ip.toString();
  // Where the gateway is in no subnet, the routes through it needed this one already.
  if (route_add(ns, link.ifindex, first) < 0 && failure_errno != EEXIST) {
    return os_error(`add route ${first.dst} to "${link.name}"`);
  }
  // The address alone is the host's to reach.
  if (ip.address.bits == gateway.width) return null;
  const second = new Route();
  second.dst = subnet;
  second.gw = gateway.toString();
  second.src = first.src;
  if (route_add(ns, link.ifindex, second) < 0) {
    return os_error(`add route ${second.dst} via ${second.gw} to "${link.name}"`);
  }
  return null;
}

/** The gateway's address and a route to the container on the host's end. */
export function host_side(link: Link, ip: IPConfig): CniError | null {
  const gateway = ip.gateway;
  if (!gateway) return null;
  const address = `${gateway.toString()}/${gateway.width}`;
  if (addr_add(HOST, link.ifindex, address, true) < 0 && failure_errno != EEXIST) {
    return os_error(`add ${address} to "${link.name}"`);
  }
  const route = new Route();
  route.dst = `${ip.address.ip.toString()}/${ip.address.ip.width}`;
  route.scope = SCOPE_HOST;
  if (route_add(HOST, link.ifindex, route) < 0 && failure_errno != EEXIST) {
    return os_error(`add route ${route.dst} to "${link.name}"`);
  }
  return null;
}
