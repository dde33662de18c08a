// SPDX-License-Identifier: Apache-2.0
// The operations on addresses, routes and policy routing rules of the host ABI over rtnetlink. Each
// is one request. It refuses to decide anything: no defaults but those the table names.
import {
  type Address,
  type FibRule,
  type KernelPart,
  OsError,
  type Route,
  type RouteTo,
} from '../abi/index.ts';
import { EINVAL, ENETUNREACH } from '../sys/libc.ts';
import { command, dumpOf } from '../sys/netlink.ts';
import * as rt from '../sys/rtnetlink/index.ts';
import { type Call, dev, type Spaces } from './spaces.ts';

type RouteDriver = KernelPart<'addr'> & KernelPart<'route'> & KernelPart<'fib_rule'>;
type Args<K extends keyof RouteDriver> = Parameters<RouteDriver[K]>[0];

function addrAdd(spaces: Spaces, args: Args<'addr_add'>): void {
  const prefix = rt.parsePrefix(args.address);
  const ip4 = prefix.family === rt.AF_INET;
  const flags = !ip4 && args.nodad !== 0 ? rt.IFA_F_NODAD : 0;
  const add = command(rt.RTM_NEWADDR, rt.NLM_F_CREATE | rt.NLM_F_EXCL)
    .ifaddrmsg(prefix.family, prefix.length, flags, dev(args.ifindex))
    .attr(rt.IFA_LOCAL, prefix.bytes)
    .attr(rt.IFA_ADDRESS, prefix.bytes);
  if (ip4 && prefix.length < 31) add.attr(rt.IFA_BROADCAST, rt.broadcastOf(prefix));
  spaces.socket(args.ns).run(add);
}

function addrDel(spaces: Spaces, args: Args<'addr_del'>): void {
  const prefix = rt.parsePrefix(args.address);
  const del = command(rt.RTM_DELADDR)
    .ifaddrmsg(prefix.family, prefix.length, 0, dev(args.ifindex))
    .attr(rt.IFA_LOCAL, prefix.bytes)
    // Without it the kernel does not look at the prefix length.
    .attr(rt.IFA_ADDRESS, prefix.bytes);
  spaces.socket(args.ns).run(del);
}

function addrList(spaces: Spaces, { ns, ifindex }: Args<'addr_list'>): Address[] {
  // Families come in the order of their numbers, so IPv4 first.
  const list = dumpOf(rt.RTM_GETADDR).ifaddrmsg(rt.AF_UNSPEC, 0, 0, dev(ifindex));
  return spaces.socket(ns).dump<Address>(list, (message, into) => {
    rt.parseAddress(message, ifindex, into);
  });
}

/** Adds the gateway; an IPv4 route may go by way of an IPv6 neighbour (RTA_VIA, RFC 5549). */
function addGateway(request: rt.Request, family: number, gw: string): void {
  if (gw === '') return;
  const bytes = rt.parseIp(gw);
  if ((bytes.length === 4) === (family === rt.AF_INET)) request.attr(rt.RTA_GATEWAY, bytes);
  else if (family === rt.AF_INET) {
    request.attr(rt.RTA_VIA, Uint8Array.of(rt.AF_INET6, 0, ...bytes));
  } else throw new OsError(EINVAL, `an IPv6 route cannot go by way of ${gw}`);
}

function routeAdd(spaces: Spaces, args: Args<'route_add'>): void {
  const dst = rt.parsePrefix(args.dst);
  const table = args.table === 0 ? rt.RT_TABLE_MAIN : args.table >>> 0;
  // CREATE alone is iproute2's "prepend": an exact duplicate is EEXIST, another next hop is added.
  const add = command(rt.RTM_NEWROUTE, rt.NLM_F_CREATE)
    .rtmsg(dst, table, args.protocol || rt.RTPROT_BOOT, args.scope, rt.RTN_UNICAST)
    .attrU32(rt.RTA_OIF, dev(args.ifindex));
  if (dst.length > 0) add.attr(rt.RTA_DST, dst.bytes);
  addGateway(add, dst.family, args.gw);
  if (args.src !== '') add.attr(rt.RTA_PREFSRC, rt.parseIp(args.src));
  if (args.priority !== 0) add.attrU32(rt.RTA_PRIORITY, args.priority);
  if (table > 255) add.attrU32(rt.RTA_TABLE, table);
  if (args.mtu_bytes !== 0 || args.advmss !== 0) {
    const metrics = add.nest(rt.RTA_METRICS);
    if (args.mtu_bytes !== 0) add.attrU32(rt.RTAX_MTU, args.mtu_bytes);
    if (args.advmss !== 0) add.attrU32(rt.RTAX_ADVMSS, args.advmss);
    add.end(metrics);
  }
  spaces.socket(args.ns).run(add);
}

function routeDel(spaces: Spaces, args: Args<'route_del'>): void {
  const dst = rt.parsePrefix(args.dst);
  const table = args.table === 0 ? rt.RT_TABLE_MAIN : args.table >>> 0;
  // Scope NOWHERE and protocol 0 match any; scope 0 would match only global routes.
  const del = command(rt.RTM_DELROUTE)
    .rtmsg(dst, table, 0, rt.RT_SCOPE_NOWHERE, rt.RTN_UNICAST)
    .attrU32(rt.RTA_OIF, dev(args.ifindex));
  if (dst.length > 0) del.attr(rt.RTA_DST, dst.bytes);
  addGateway(del, dst.family, args.gw);
  if (table > 255) del.attrU32(rt.RTA_TABLE, table);
  spaces.socket(args.ns).run(del);
}

function routeList(spaces: Spaces, { ns, ifindex }: Args<'route_list'>): Route[] {
  const routes: Route[] = [];
  for (const family of [rt.AF_INET, rt.AF_INET6]) {
    const any = { family, bytes: new Uint8Array(0), length: 0 };
    const list = dumpOf(rt.RTM_GETROUTE)
      .rtmsg(any, 0, 0, 0, rt.RTN_UNICAST)
      .attrU32(rt.RTA_OIF, dev(ifindex));
    const found = spaces.socket(ns).dump<Route>(list, (message, into) => {
      rt.parseRoute(message, family, ifindex, into);
    });
    routes.push(...found);
  }
  return routes;
}

function routeTableList(spaces: Spaces, ns: number): number[] {
  const tables = new Set<number>();
  for (const family of [rt.AF_INET, rt.AF_INET6]) {
    const any = { family, bytes: new Uint8Array(0), length: 0 };
    spaces.socket(ns).dump(dumpOf(rt.RTM_GETROUTE).rtmsg(any, 0, 0, 0, 0), (message) => {
      const { cloned, route } = rt.parseRouteHops(message);
      if (!cloned) tables.add(route.table);
    });
  }
  return [...tables].sort((a, b) => a - b);
}

function routeGet(spaces: Spaces, { ns, dst }: Args<'route_get'>): RouteTo {
  const bytes = rt.parseIp(dst);
  const family = bytes.length === 4 ? rt.AF_INET : rt.AF_INET6;
  // FIB_MATCH: the entry of the table, not the cached route made of it. IPv4 names the table only
  // when asked to, IPv6 refuses to be asked.
  const flags = rt.RTM_F_FIB_MATCH | (family === rt.AF_INET ? rt.RTM_F_LOOKUP_TABLE : 0);
  const get = command(rt.RTM_GETROUTE)
    .rtmsg({ family, bytes, length: bytes.length * 8 }, 0, 0, 0, 0, flags)
    .attr(rt.RTA_DST, bytes);
  const route = spaces.socket(ns).get(get, rt.parseRouteTo);
  if (route === undefined) throw new OsError(ENETUNREACH, `no unicast route to ${dst}`);
  return route;
}

/** ip rule add and del: `type` is RTM_NEWRULE or RTM_DELRULE. */
function fibRule(spaces: Spaces, type: number, flags: number, args: Args<'fib_rule_add'>): void {
  const src = rt.parsePrefix(args.src);
  // As a rule for all sources it would match whatever else is asked for when it is deleted.
  if (src.length === 0) throw new OsError(EINVAL, `not a source of some packets: ${args.src}`);
  const rule = command(type, flags)
    .fibRuleHdr(src, args.table, rt.FR_ACT_TO_TBL)
    .attr(rt.FRA_SRC, src.bytes);
  if (args.table >>> 0 > 255) rule.attrU32(rt.FRA_TABLE, args.table);
  if (args.priority !== 0) rule.attrU32(rt.FRA_PRIORITY, args.priority);
  spaces.socket(args.ns).run(rule);
}

function fibRuleList(spaces: Spaces, ns: number): FibRule[] {
  const rules: FibRule[] = [];
  for (const family of [rt.AF_INET, rt.AF_INET6]) {
    const any = { family, bytes: new Uint8Array(0), length: 0 };
    const list = dumpOf(rt.RTM_GETRULE).fibRuleHdr(any, 0, 0);
    rules.push(...spaces.socket(ns).dump<FibRule>(list, rt.parseFibRule));
  }
  return rules;
}

/** `call` makes OsErrors of what node throws. */
export function routeOperations(spaces: Spaces, call: Call): RouteDriver {
  return {
    addr_add: (args) => call(() => addrAdd(spaces, args)),
    addr_del: (args) => call(() => addrDel(spaces, args)),
    addr_list: (args) => call(() => addrList(spaces, args)),
    route_add: (args) => call(() => routeAdd(spaces, args)),
    route_del: (args) => call(() => routeDel(spaces, args)),
    route_list: (args) => call(() => routeList(spaces, args)),
    route_table_list: ({ ns }) => call(() => routeTableList(spaces, ns)),
    route_get: (args) => call(() => routeGet(spaces, args)),
    fib_rule_add: (args) =>
      call(() => fibRule(spaces, rt.RTM_NEWRULE, rt.NLM_F_CREATE | rt.NLM_F_EXCL, args)),
    fib_rule_del: (args) => call(() => fibRule(spaces, rt.RTM_DELRULE, 0, args)),
    fib_rule_list: ({ ns }) => call(() => fibRuleList(spaces, ns)),
  };
}
