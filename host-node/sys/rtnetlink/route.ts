// SPDX-License-Identifier: Apache-2.0
// Routes and policy routing rules in replies of rtnetlink. It refuses to trust one (see reply.ts).
import type { FibRule, Route, RouteTo } from '../../abi/index.ts';
import {
  AF_INET,
  AF_INET6,
  FIB_RULE_INVERT,
  FR_ACT_TO_TBL,
  FRA_PAD,
  FRA_PRIORITY,
  FRA_PROTOCOL,
  FRA_SRC,
  FRA_SUPPRESS_PREFIXLEN,
  FRA_TABLE,
  RT_TABLE_LOCAL,
  RTA_DST,
  RTA_GATEWAY,
  RTA_METRICS,
  RTA_MULTIPATH,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTA_TABLE,
  RTA_VIA,
  RTAX_ADVMSS,
  RTAX_MTU,
  RTM_F_CLONED,
  RTMSG_LEN,
  RTN_UNICAST,
  RTNEXTHOP_LEN,
} from './constants.ts';
import { formatIp } from './ip.ts';
import { eachAttr, type Message, Span, truncated } from './reply.ts';

/**
 * Adds the routes of an RTM_NEWROUTE that leave by `ifindex` to `into`: one, one per next hop of a
 * multipath route, or none when it is not unicast, is in table local or is a cache entry.
 */
export function parseRoute(message: Message, family: number, ifindex: number, into: Route[]): void {
  const unicast = message.u8(7) === RTN_UNICAST && (message.u32(8) & RTM_F_CLONED) === 0;
  if (message.u8(0) !== family || !unicast) return;
  const { route, hops } = parseRouteHops(message);
  if (route.table === RT_TABLE_LOCAL) return;
  for (const hop of hops) if (hop.ifindex === ifindex) into.push({ ...route, gw: hop.gw });
}

/** A route of whatever type without a gateway, and where it leads: no, one or several next hops. */
export interface RouteHops {
  readonly type: number;
  /** Whether it is for packets of some source or type of service only. */
  readonly selective: boolean;
  readonly cloned: boolean;
  readonly route: Route;
  readonly hops: readonly { readonly ifindex: number; readonly gw: string }[];
}

/** An RTM_NEWROUTE of an IP family. */
export function parseRouteHops(message: Message): RouteHops {
  const family = message.u8(0);
  const hops: { ifindex: number; gw: string }[] = [];
  let dst = family === AF_INET ? '0.0.0.0' : '::';
  let [src, gw, oif, priority] = ['', '', 0, 0];
  let table = message.u8(4);
  let metrics = { mtu_bytes: 0, advmss: 0 };
  eachAttr(message.from(RTMSG_LEN), (type, value) => {
    if (type === RTA_DST) dst = formatIp(value.raw());
    else if (type === RTA_OIF) oif = value.i32();
    else if (type === RTA_GATEWAY) gw = formatIp(value.raw());
    else if (type === RTA_VIA) gw = formatIp(value.from(2).raw());
    else if (type === RTA_PREFSRC) src = formatIp(value.raw());
    else if (type === RTA_PRIORITY) priority = value.u32();
    else if (type === RTA_TABLE) table = value.u32();
    else if (type === RTA_METRICS) metrics = parseMetrics(value);
    else if (type === RTA_MULTIPATH) parseHops(value, hops);
  });
  if (oif !== 0) hops.push({ ifindex: oif, gw });
  const [scope, protocol] = [message.u8(6), message.u8(5)];
  dst = `${dst}/${message.u8(1)}`;
  return {
    type: message.u8(7),
    selective: message.u8(2) !== 0 || message.u8(3) !== 0,
    cloned: (message.u32(8) & RTM_F_CLONED) !== 0,
    route: { dst, gw: '', src, scope, table, priority, ...metrics, protocol },
    hops,
  };
}

/** A unicast RTM_NEWROUTE with its first next hop; undefined when it is none. */
export function parseRouteTo(message: Message): RouteTo | undefined {
  const { type, cloned, route, hops } = parseRouteHops(message);
  const [hop] = hops;
  return type === RTN_UNICAST && !cloned && hop ? { ...route, ...hop } : undefined;
}

function parseMetrics(span: Span): { mtu_bytes: number; advmss: number } {
  let mtu_bytes = 0;
  let advmss = 0;
  eachAttr(span, (type, value) => {
    if (type === RTAX_MTU) mtu_bytes = value.i32();
    else if (type === RTAX_ADVMSS) advmss = value.i32();
  });
  return { mtu_bytes, advmss };
}

/** Adds the next hops of a struct rtnexthop list. */
function parseHops(list: Span, into: { ifindex: number; gw: string }[]): void {
  for (let at = list.start; at < list.end; ) {
    const hop = new Span(list.bytes, at, list.end);
    const size = hop.u16(0);
    if (size < RTNEXTHOP_LEN || size > list.end - at) throw truncated();
    let gw = '';
    eachAttr(new Span(list.bytes, at + RTNEXTHOP_LEN, at + size), (type, value) => {
      if (type === RTA_GATEWAY) gw = formatIp(value.raw());
      else if (type === RTA_VIA) gw = formatIp(value.from(2).raw());
    });
    into.push({ ifindex: hop.i32(4), gw });
    at += (size + 3) & ~3;
  }
}

/** Adds the rule of an RTM_NEWRULE of an IP family to `into`. */
export function parseFibRule(message: Message, into: FibRule[]): void {
  const family = message.u8(0);
  if (family !== AF_INET && family !== AF_INET6) return;
  const [src_length, action] = [message.u8(2), message.u8(7)];
  let [src, priority, table] = ['', 0, message.u8(4)];
  // A destination, a type of service, "not".
  let more = message.u8(1) !== 0 || message.u8(3) !== 0 || action !== FR_ACT_TO_TBL;
  more ||= (message.u32(8) & FIB_RULE_INVERT) !== 0;
  eachAttr(message.from(RTMSG_LEN), (type, value) => {
    if (type === FRA_SRC) src = `${formatIp(value.raw())}/${src_length}`;
    else if (type === FRA_PRIORITY) priority = value.u32();
    else if (type === FRA_TABLE) table = value.u32();
    else if (type === FRA_SUPPRESS_PREFIXLEN) more ||= value.i32() !== -1;
    else if (type !== FRA_PAD && type !== FRA_PROTOCOL) more = true;
  });
  into.push({ src, table, priority, more });
}
