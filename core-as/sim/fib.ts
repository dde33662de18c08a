// SPDX-License-Identifier: Apache-2.0
// The routing tables of the simulated kernel: the order of a dump, on-link lookups, the routes that
// come and go with addresses. It refuses to judge what a user asks for: routes.ts does.
import { Cidr, Ip } from "../lib/ip";
import { Addr, Link, PROTOCOL_KERNEL, Route, SCOPE_LINK, Space, TABLE_MAIN } from "./state";

/** Metric of the IPv6 route of an address (linux/ipv6_route.h, IP6_RT_PRIO_ADDRCONF). */
const METRIC_CONNECTED6: u32 = 256;

export function same_ip(a: Ip | null, b: Ip | null): bool {
  if (!a || !b) return !a && !b;
  return a.equals(b);
}

function same_target(a: Route, b: Route): bool {
  return a.table == b.table && a.metric == b.metric && a.dst.equals(b.dst);
}

/** An IPv4 route is a duplicate when all of it is the same; an IPv6 one by its next hop alone. */
export function duplicate(a: Route, b: Route): bool {
  if (!same_target(a, b) || a.dev !== b.dev || !same_ip(a.gw, b.gw)) return false;
  if (a.dst.ip.v6) return true;
  if (a.scope != b.scope || a.protocol != b.protocol || !same_ip(a.src, b.src)) return false;
  return a.mtu_bytes == b.mtu_bytes && a.advmss == b.advmss;
}

/** Next hops of one IPv6 multipath route. */
export function siblings(a: Route, b: Route): bool {
  return a.dst.ip.v6 && a.gw !== null && b.gw !== null && same_target(a, b);
}

/** The order of tables and destinations in a dump; 0 within one destination and metric. */
function order(a: Route, b: Route): i32 {
  if (a.dst.ip.v6 != b.dst.ip.v6) return a.dst.ip.v6 ? 1 : -1;
  // Tables lie in 256 hash buckets.
  const buckets = <i32>(a.table & 255) - <i32>(b.table & 255);
  if (buckets != 0) return buckets;
  if (a.table != b.table) return a.table < b.table ? -1 : 1;
  const v6 = a.dst.ip.v6;
  // IPv6 walks a tree and reports a node after those below it; IPv4 sorts by the address first.
  const nested = v6 && (a.dst.contains(b.dst.ip) || b.dst.contains(a.dst.ip));
  const address = nested ? 0 : a.dst.ip.compare(b.dst.ip);
  if (address != 0) return address;
  if (a.dst.bits != b.dst.bits) return b.dst.bits - a.dst.bits;
  return a.metric == b.metric ? 0 : a.metric < b.metric ? -1 : 1;
}

/** Inserts a route; `first`: before others of its destination and metric, as "prepend" does. */
export function insert(space: Space, route: Route, first: bool): void {
  const routes = space.routes;
  let at = 0;
  while (at < routes.length && order(routes[at], route) < 0) at++;
  if (!first) {
    let end = at;
    let after_siblings = -1;
    while (end < routes.length && order(routes[end], route) == 0) {
      end++;
      if (siblings(routes[end - 1], route)) after_siblings = end;
    }
    at = after_siblings >= 0 ? after_siblings : end;
  }
  routes.push(route);
  for (let i = routes.length - 1; i > at; i--) routes[i] = routes[i - 1];
  routes[at] = route;
}

export function has_duplicate(space: Space, route: Route): bool {
  for (let i = 0; i < space.routes.length; i++) {
    if (duplicate(space.routes[i], route)) return true;
  }
  return false;
}

/** The route a packet to `ip` by `dev` would take in one table, of at least that scope. */
export function lookup(space: Space, table: u32, ip: Ip, dev: Link, scope: i32): Route | null {
  let best: Route | null = null;
  for (let i = 0; i < space.routes.length; i++) {
    const route = space.routes[i];
    if (route.table != table || route.dev !== dev || route.scope < scope) continue;
    if (!route.dst.contains(ip)) continue;
    if (!best || route.dst.bits > best.dst.bits) best = route;
  }
  return best;
}

/** The route of table main that a packet to `ip` would take; of equal ones the first. */
export function best_route(space: Space, ip: Ip): Route | null {
  let best: Route | null = null;
  for (let i = 0; i < space.routes.length; i++) {
    const route = space.routes[i];
    if (route.table != TABLE_MAIN || !route.dev.up || !route.dst.contains(ip)) continue;
    if (!best || route.dst.bits > best.dst.bits) best = route;
  }
  return best;
}

/** The route an address brings, null when it brings none. */
function connected(space: Space, dev: Link, addr: Addr): Route | null {
  const cidr = addr.cidr;
  const route = new Route(cidr.subnet(), dev);
  route.protocol = PROTOCOL_KERNEL;
  route.table = space.table_of(dev);
  if (cidr.ip.v6) {
    if (cidr.ip.isLoopback()) return null;
    route.metric = METRIC_CONNECTED6;
    return route;
  }
  // On lo the whole network is local, and 0.0.0.0/8 and 224.0.0.0/4 are nobody's.
  if (dev.loopback || addr.secondary || cidr.bits == 32) return null;
  if (route.dst.ip.low >> 24 == 0 || route.dst.ip.low >> 28 == 14) return null;
  route.scope = SCOPE_LINK;
  route.src = cidr.ip;
  return route;
}

/** Adds the route of an address of a link that is up. */
export function connect(space: Space, dev: Link, addr: Addr): void {
  if (dev.up && dev.loopback) addr.local_network = true;
  const route = dev.up ? connected(space, dev, addr) : null;
  if (route && !has_duplicate(space, route)) insert(space, route, false);
}

/** Removes the route of an address that is gone from its link. */
export function disconnect(space: Space, dev: Link, addr: Addr): void {
  const route = connected(space, dev, addr);
  if (!route) return;
  for (let i = 0; route.dst.ip.v6 && i < dev.addrs.length; i++) {
    const other = dev.addrs[i].cidr;
    if (other.bits == addr.cidr.bits && addr.cidr.contains(other.ip)) return;
  }
  for (let i = 0; i < space.routes.length; i++) {
    const found = space.routes[i];
    if (found.protocol == PROTOCOL_KERNEL && duplicate(found, route)) {
      space.routes.splice(i, 1);
      return;
    }
  }
}

/** Removes the routes of a family that leave by a link. */
export function flush(space: Space, dev: Link, v6: bool): void {
  for (let i = space.routes.length - 1; i >= 0; i--) {
    const route = space.routes[i];
    if (route.dev === dev && route.dst.ip.v6 == v6) space.routes.splice(i, 1);
  }
}

/**
 * After an address is gone: IPv4 routes that prefer it as their source go when no link has it any
 * more, IPv6 routes of the link only forget it.
 */
export function forget_source(space: Space, dev: Link, ip: Ip): void {
  const gone = !space.has_local(ip);
  const table = space.table_of(dev);
  for (let i = space.routes.length - 1; i >= 0; i--) {
    const route = space.routes[i];
    if (!same_ip(route.src, ip)) continue;
    if (ip.v6 && route.dev === dev) route.src = null;
    if (!ip.v6 && gone && route.table == table) space.routes.splice(i, 1);
  }
}

/** The broadcast address of one of the link's IPv4 networks. */
export function is_broadcast(dev: Link, ip: Ip): bool {
  for (let i = 0; i < dev.addrs.length; i++) {
    const cidr: Cidr = dev.addrs[i].cidr;
    if (!cidr.ip.v6 && cidr.bits < 31 && cidr.last().equals(ip)) return true;
  }
  return false;
}
