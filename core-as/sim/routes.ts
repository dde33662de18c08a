// SPDX-License-Identifier: Apache-2.0
// Route operations of the simulated kernel: what the kernel takes and what it refuses.
import {
  EACCES,
  EEXIST,
  EHOSTUNREACH,
  EINVAL,
  ENETDOWN,
  ENETUNREACH,
  ENODEV,
  ESRCH,
} from "../lib/errno";
import { Ip, ip_parse } from "../lib/ip";
import { cidr_of, settle } from "./addresses";
import { best_route, has_duplicate, insert, is_broadcast, lookup, same_ip, siblings } from "./fib";
import { Knob } from "./knobs";
import { RouteReply, RouteToReply, write_route_list, write_route_to } from "./replies.gen";
import { fail, link_of, refusal, refuse, reply, space_of, text_of } from "./slot";
import { Link, Route, SCOPE_HOST, SCOPE_LINK, Space, TABLE_LOCAL, TABLE_MAIN } from "./state";
import { write_numbers } from "./write";

const SCOPE_NOWHERE: i32 = 255;
/** Of an IPv6 route without one (linux/ipv6_route.h, IP6_RT_PRIO_USER). */
const METRIC_DEFAULT6: u32 = 1024;
const ADVMSS_MAX_BYTES: i32 = 65495;
const MTU_MAX_BYTES: i32 = 65520;

/** An address, null when the text is empty; after a refusal `refused` is set. */
let refused: bool = false;
function ip_of(ptr: usize, len: i32): Ip | null {
  refused = false;
  if (len == 0) return null;
  const text = text_of(ptr, len);
  refused = text == null;
  if (text == null) return null;
  const ip = ip_parse(text);
  if (!ip) {
    refused = true;
    refuse(EINVAL, `not an IP address: ${text}`);
  }
  return ip;
}

/** The IPv4 gateway must be a neighbour by a route of this link: 0 when it is. */
function gateway4_refusal(space: Space, route: Route, gw: Ip): i32 {
  const dev = route.dev;
  if (route.scope >= SCOPE_HOST)
    return fail(EINVAL, "Route with host scope can not have a gateway");
  if (dev.up && is_broadcast(dev, gw)) return fail(EINVAL, "Nexthop has invalid gateway");
  // What is local stays so while the link is down.
  if (dev.is_local(gw)) return dev.up ? 0 : fail(ENETDOWN);
  const scope = max(route.scope + 1, SCOPE_LINK);
  if (lookup(space, route.table, gw, dev, scope)) return 0;
  if (lookup(space, space.table_of(dev), gw, dev, scope)) return 0;
  return fail(ENETUNREACH, "Nexthop has invalid gateway");
}

function ipv4_refusal(space: Space, route: Route): i32 {
  if (!route.dst.ip.equals(route.dst.network())) {
    return fail(EINVAL, "Invalid prefix for given prefix length");
  }
  if (route.scope >= SCOPE_NOWHERE) return fail(EINVAL, "Invalid scope");
  const gw = route.gw;
  // By way of an IPv6 neighbour (RFC 5549) the rules are IPv6's.
  const problem = !gw ? 0 : gw.v6 ? gateway6_refusal(space, route, gw) : 0;
  if (problem != 0) return problem;
  if (gw && !gw.v6) {
    const unreachable = gateway4_refusal(space, route, gw);
    if (unreachable != 0) return unreachable;
  } else if (!route.dev.up && route.scope != SCOPE_HOST) {
    return fail(ENETDOWN, "Device for nexthop is not up");
  }
  const src = route.src;
  if (src && (src.v6 || !space.has_local_in(src, route.table))) {
    return fail(EINVAL, "Invalid prefsrc address");
  }
  return 0;
}

/** The IPv6 gateway must be on the link by the best route to it: 0 when it is. */
function gateway6_refusal(space: Space, route: Route, gw: Ip): i32 {
  if (!gw.v6) return fail(EINVAL, `an IPv6 route cannot go by way of ${gw.toString()}`);
  if (gw.isUnspecified() || gw.high >> 56 == 0xff) return fail(EINVAL, "Invalid gateway address");
  if (gw.isLinkLocal()) return 0;
  if (space.has_local(gw)) return fail(EINVAL, "Gateway can not be a local address");
  // The routes of lo lead nowhere.
  if (route.dev.loopback) return fail(EHOSTUNREACH);
  let found = lookup(space, route.table, gw, route.dev, 0);
  if (!found || found.gw) {
    found = lookup(space, space.table_of(route.dev), gw, route.dev, 0);
  }
  return found && !found.gw ? 0 : fail(EHOSTUNREACH);
}

function ipv6_refusal(space: Space, route: Route): i32 {
  const dev = route.dev;
  if (!dev.ipv6) return fail(ENODEV);
  const gw = route.gw;
  const problem = gw ? gateway6_refusal(space, route, gw) : 0;
  if (problem != 0) return problem;
  if (dev.conf.get(Knob.DisableIpv6) != 0) {
    return fail(EACCES, "IPv6 is disabled on nexthop device");
  }
  if (!dev.up) return fail(ENETDOWN, "Nexthop device is not up");
  const src = route.src;
  settle_all(space);
  if (src && (!src.v6 || !space.has_local(src))) return fail(EINVAL, "Invalid source address");
  return 0;
}

function settle_all(space: Space): void {
  for (let i = 0; i < space.links.length; i++) settle(space, space.links[i]);
}

export function kernel_route_add(
  ns: i32,
  ifindex: i32,
  dst: usize,
  dst_len: i32,
  gw: usize,
  gw_len: i32,
  src: usize,
  src_len: i32,
  scope: i32,
  table: i32,
  priority: i32,
  mtu_bytes: i32,
  advmss: i32,
  protocol: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const target = cidr_of(dst, dst_len);
  if (!target) return refusal;
  const v6 = target.ip.v6;
  const gateway = ip_of(gw, gw_len);
  if (refused) return refusal;
  const source = ip_of(src, src_len);
  if (refused) return refusal;
  const dev = space.by_index(ifindex);
  // IPv4 looks for the gateway before it looks for the link.
  if (!dev) {
    if (v6 || !gateway || ifindex <= 0) return fail(ENODEV);
    return fail(ENETUNREACH, "Nexthop has invalid gateway");
  }
  const route = new Route(v6 ? target.subnet() : target, dev);
  route.gw = gateway && !gateway.v6 && gateway.isUnspecified() ? null : gateway;
  route.src = source;
  route.scope = v6 ? 0 : scope & 255;
  route.table = table == 0 ? TABLE_MAIN : <u32>table;
  route.metric = v6 && priority == 0 ? METRIC_DEFAULT6 : <u32>priority;
  route.mtu_bytes = min(mtu_bytes, MTU_MAX_BYTES);
  route.advmss = min(advmss, ADVMSS_MAX_BYTES);
  if (protocol != 0) route.protocol = protocol & 255;
  const problem = v6 ? ipv6_refusal(space, route) : ipv4_refusal(space, route);
  if (problem != 0) return problem;
  if (has_duplicate(space, route)) return fail(EEXIST);
  insert(space, route, !v6);
  return 0;
}

export function kernel_route_del(
  ns: i32,
  ifindex: i32,
  dst: usize,
  dst_len: i32,
  gw: usize,
  gw_len: i32,
  table: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const target = cidr_of(dst, dst_len);
  if (!target) return refusal;
  const gateway = ip_of(gw, gw_len);
  if (refused) return refusal;
  if (ifindex <= 0) return fail(ENODEV);
  const from = table == 0 ? TABLE_MAIN : <u32>table;
  for (let i = 0; i < space.routes.length; i++) {
    const route = space.routes[i];
    if (route.dev.ifindex != ifindex || route.table != from) continue;
    if (!route.dst.equals(target) || (gateway && !same_ip(route.gw, gateway))) continue;
    space.routes.splice(i, 1);
    if (!gateway) remove_siblings(space, route);
    return 0;
  }
  return fail(ESRCH);
}

/** Without a gateway named, IPv6 removes a multipath route with all its next hops. */
function remove_siblings(space: Space, removed: Route): void {
  for (let i = space.routes.length - 1; i >= 0; i--) {
    if (siblings(space.routes[i], removed)) space.routes.splice(i, 1);
  }
}

export function kernel_route_table_list(ns: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const tables = new Array<u32>();
  for (let i = 0; i < space.routes.length; i++) {
    if (!tables.includes(space.routes[i].table)) tables.push(space.routes[i].table);
  }
  // A link that is up has local routes for its addresses and, with IPv6, for multicast, in the
  // table of its VRF if it is in one.
  for (let i = 0; i < space.links.length; i++) {
    const link = space.links[i];
    const main = space.table_of(link);
    const table = main == TABLE_MAIN ? TABLE_LOCAL : main;
    const ipv6 = link.ipv6 && link.conf.get(Knob.DisableIpv6) == 0;
    const holds = link.up && (ipv6 || link.addrs.length > 0);
    if (holds && !tables.includes(table)) tables.push(table);
  }
  tables.sort((a, b) => (a < b ? -1 : i32(a > b)));
  write_numbers<u32>(reply(), tables);
  return 0;
}

export function kernel_route_get(ns: i32, dst: usize, dst_len: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const ip = ip_of(dst, dst_len);
  if (refused) return refusal;
  if (!ip) return fail(EINVAL, "not an IP address: ");
  // IPv4 takes it for its own and then finds no route of it.
  if (!ip.v6 && ip.isUnspecified()) return fail(EHOSTUNREACH);
  const group = ip.v6 ? ip.high >> 56 == 0xff : ip.low >> 28 == 14;
  if (group || own(space, ip)) {
    return fail(ENETUNREACH, `no unicast route to ${ip.toString()}`);
  }
  const route = best_route(space, ip);
  if (!route) return fail(ENETUNREACH);
  write_route_to(reply(), told(route));
  return 0;
}

/** An address of a link that is up, or of one of its networks' broadcasts. */
function own(space: Space, ip: Ip): bool {
  if (space.has_local(ip)) return true;
  for (let i = 0; i < space.links.length; i++) {
    if (space.links[i].up && is_broadcast(space.links[i], ip)) return true;
  }
  return false;
}

/** A route as it is told of. */
function told(route: Route): RouteToReply {
  const gw = route.gw;
  const src = route.src;
  return {
    dst: route.dst.toString(),
    gw: gw ? gw.toString() : "",
    src: src ? src.toString() : "",
    scope: route.scope,
    table: route.table,
    priority: route.metric,
    mtu_bytes: route.mtu_bytes,
    advmss: route.advmss,
    protocol: route.protocol,
    ifindex: route.dev.ifindex,
  };
}

export function kernel_route_list(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link: Link | null = link_of(space, ifindex);
  if (!link) return refusal;
  const routes = new Array<RouteReply>();
  for (let i = 0; i < space.routes.length; i++) {
    const route = space.routes[i];
    if (route.dev === link && route.table != TABLE_LOCAL) routes.push(told(route));
  }
  write_route_list(reply(), routes);
  return 0;
}
