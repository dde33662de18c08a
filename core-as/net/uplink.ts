// SPDX-License-Identifier: Apache-2.0
// The link by which packets leave a namespace for elsewhere: that of its default route. It looks
// and changes nothing.
import { failure_errno } from "../host/failure";
import { Link, link_get_index, route_get } from "../host/kernel";
import { EACCES, EAFNOSUPPORT, EHOSTUNREACH, EINVAL, ENETUNREACH, EOPNOTSUPP } from "../lib/errno";

/** Addresses that only a default route leads to (RFC 5737, RFC 3849); nothing is sent there. */
const ELSEWHERE4 = "192.0.2.1";
const ELSEWHERE6 = "2001:db8::1";
/** No route, one that says so (fib_props of the kernel), or no such IP version. */
const UNROUTED: i32[] = [ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EAFNOSUPPORT, EOPNOTSUPP];

/** Whether the last failure was that nothing leads there. */
export function unrouted(): bool {
  return UNROUTED.includes(failure_errno);
}

/**
 * The link that the default route leaves by, of IPv4 or else of IPv6. null with the failure noted:
 * `unrouted` tells that there is none.
 */
export function uplink(ns: i32): Link | null {
  let hop = route_get(ns, ELSEWHERE4);
  if (!hop && unrouted()) hop = route_get(ns, ELSEWHERE6);
  return hop ? link_get_index(ns, hop.ifindex) : null;
}
