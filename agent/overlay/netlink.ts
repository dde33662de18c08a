// SPDX-License-Identifier: Apache-2.0
// What of rtnetlink only the overlay needs: neighbours, forwarding entries, routes into tunnels. It
// owns their messages and refuses to decide when one is sent; tunnel devices are tunnel.ts's.
import { OsError } from '../../host-node/abi/index.ts';
import { EINVAL } from '../../host-node/sys/libc.ts';
import { command, dumpOf } from '../../host-node/sys/netlink.ts';
import * as rt from '../../host-node/sys/rtnetlink/index.ts';

// linux/rtnetlink.h, linux/if_link.h, linux/neighbour.h
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;
const NLM_F_REPLACE = 0x100;
const IFLA_IFALIAS = 20;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_IFINDEX = 8;
const NUD_PERMANENT = 0x80;
const NTF_SELF = 0x02;
const NDMSG_LEN = 12;
const IFA_F_NOPREFIXROUTE = 0x200;
const RTN_UNREACHABLE = 7;
const RTNH_F_ONLINK = 4;
const RTAX_LOCK = 1;
const RTA_ENCAP_TYPE = 21;
const RTA_ENCAP = 22;
// linux/lwtunnel.h, where those of IPv6 have the same numbers; linux/if_tunnel.h
const LWTUNNEL_ENCAP_IP = 2;
const LWTUNNEL_ENCAP_IP6 = 4;
const LWTUNNEL_IP_ID = 1;
const LWTUNNEL_IP_DST = 2;
const LWTUNNEL_IP_SRC = 3;
const LWTUNNEL_IP_TTL = 4;
const LWTUNNEL_IP_FLAGS = 6;
const TUNNEL_CSUM = 1;

/** Our routes in `ip route`, as FRR and others have theirs (RTA_PROTOCOL of rtnetlink(7)). */
export const PROTOCOL = 157;

export function linkDel(ifindex: number): rt.Request {
  return command(rt.RTM_DELLINK).ifinfomsg(rt.AF_UNSPEC, ifindex, 0, 0);
}

/** What of a link is set: one of them. */
export type LinkProperty =
  | { readonly mtu_bytes: number }
  | { readonly address: string }
  | { readonly alias: string }
  | { readonly up: true };

export function linkSet(ifindex: number, property: LinkProperty): rt.Request {
  const up = 'up' in property ? rt.IFF_UP : 0;
  const set = command(rt.RTM_SETLINK).ifinfomsg(rt.AF_UNSPEC, ifindex, up, up);
  if ('mtu_bytes' in property) set.attrU32(rt.IFLA_MTU, property.mtu_bytes);
  if ('address' in property) set.attr(rt.IFLA_ADDRESS, rt.parseHardware(property.address));
  // Without the NUL of other texts, which would become part of it.
  if ('alias' in property) set.attr(IFLA_IFALIAS, Buffer.from(property.alias));
  return set;
}

/** struct ndmsg. */
function ndmsg(request: rt.Request, family: number, ifindex: number, own: boolean): rt.Request {
  const state = own ? NUD_PERMANENT : 0;
  return request
    .u8(family)
    .u8(0)
    .u16(0)
    .u32(ifindex)
    .u16(state)
    .u8(own && family === rt.AF_BRIDGE ? NTF_SELF : 0)
    .u8(0);
}

/** `ip neigh replace` and `del`: the hardware address of an address on a link, for good. */
export function neighbour(
  verb: 'replace' | 'del',
  ifindex: number,
  dst: string,
  lladdr: string,
): rt.Request {
  const bytes = rt.parseIp(dst);
  const family = bytes.length === 4 ? rt.AF_INET : rt.AF_INET6;
  const type = verb === 'del' ? RTM_DELNEIGH : RTM_NEWNEIGH;
  const flags = verb === 'del' ? 0 : rt.NLM_F_CREATE | NLM_F_REPLACE;
  const request = ndmsg(command(type, flags), family, ifindex, true).attr(NDA_DST, bytes);
  return verb === 'del' ? request : request.attr(NDA_LLADDR, rt.parseHardware(lladdr));
}

/** `bridge fdb replace … self permanent` and `del`: behind which host a hardware address is. */
export function forwarding(
  verb: 'replace' | 'del',
  ifindex: number,
  lladdr: string,
  dst: string,
): rt.Request {
  const type = verb === 'del' ? RTM_DELNEIGH : RTM_NEWNEIGH;
  const flags = verb === 'del' ? 0 : rt.NLM_F_CREATE | NLM_F_REPLACE;
  return ndmsg(command(type, flags), rt.AF_BRIDGE, ifindex, true)
    .attr(NDA_LLADDR, rt.parseHardware(lladdr))
    .attr(NDA_DST, rt.parseIp(dst));
}

/** Neighbours of a family on a link; AF_BRIDGE for forwarding entries. */
export function neighbours(family: number, ifindex: number): rt.Request {
  return ndmsg(dumpOf(RTM_GETNEIGH), family, 0, false).attrU32(NDA_IFINDEX, ifindex);
}

/** A permanent neighbour or forwarding entry with both addresses; undefined for any other. */
export function parseNeighbour(
  message: rt.Message,
  ifindex: number,
): { readonly dst: string; readonly lladdr: string } | undefined {
  if (message.i32(4) !== ifindex || (message.u16(8) & NUD_PERMANENT) === 0) return undefined;
  let [dst, lladdr] = ['', ''];
  rt.eachAttr(message.from(NDMSG_LEN), (type, value) => {
    if (type === NDA_DST) dst = rt.formatIp(value.raw());
    else if (type === NDA_LLADDR) lladdr = rt.formatHardware(value.raw());
  });
  return dst === '' || lladdr === '' ? undefined : { dst, lladdr };
}

/** `ip addr replace … noprefixroute nodad` and `del`. */
export function address(verb: 'replace' | 'del', ifindex: number, text: string): rt.Request {
  const prefix = rt.parsePrefix(text);
  const type = verb === 'del' ? rt.RTM_DELADDR : rt.RTM_NEWADDR;
  const flags = verb === 'del' ? 0 : rt.NLM_F_CREATE | NLM_F_REPLACE;
  const request = command(type, flags)
    .ifaddrmsg(prefix.family, prefix.length, 0, ifindex)
    .attr(rt.IFA_LOCAL, prefix.bytes)
    .attr(rt.IFA_ADDRESS, prefix.bytes);
  const nodad = prefix.family === rt.AF_INET6 ? rt.IFA_F_NODAD : 0;
  return verb === 'del' ? request : request.attrU32(rt.IFA_FLAGS, IFA_F_NOPREFIXROUTE | nodad);
}

/** Where the tunnel of a route leads: the words of iproute2 behind "encap". */
export interface Encapsulation {
  readonly vni: number;
  readonly src: string;
  /** Its family is that of the outer packets. */
  readonly dst: string;
  readonly hops: number;
  readonly csum: boolean;
}

/** A route of ours in the main table. */
export interface OverlayRoute {
  readonly dst: string;
  readonly encap: Encapsulation | undefined;
  readonly unreachable: boolean;
  readonly via: string;
  readonly ifindex: number;
  readonly src: string;
  readonly onlink: boolean;
  readonly metric: number;
  readonly mtu_bytes: number;
  readonly mtu_locked: boolean;
}

export function route(verb: 'replace' | 'del', wanted: OverlayRoute): rt.Request {
  const dst = rt.parsePrefix(wanted.dst);
  const kind = wanted.unreachable ? RTN_UNREACHABLE : rt.RTN_UNICAST;
  const type = verb === 'del' ? rt.RTM_DELROUTE : rt.RTM_NEWROUTE;
  const flags = verb === 'del' ? 0 : rt.NLM_F_CREATE | NLM_F_REPLACE;
  const scope = verb === 'del' ? rt.RT_SCOPE_NOWHERE : 0;
  const onlink = wanted.onlink ? RTNH_F_ONLINK : 0;
  const request = command(type, flags)
    .rtmsg(dst, rt.RT_TABLE_MAIN, PROTOCOL, scope, kind, onlink)
    .attr(rt.RTA_DST, dst.bytes);
  if (wanted.metric !== 0) request.attrU32(rt.RTA_PRIORITY, wanted.metric);
  if (wanted.unreachable) return request;
  if (wanted.via === '') request.attrU32(rt.RTA_OIF, wanted.ifindex);
  else request.attr(rt.RTA_GATEWAY, gatewayOf(wanted, dst)).attrU32(rt.RTA_OIF, wanted.ifindex);
  if (verb === 'del') return request;
  if (wanted.src !== '') request.attr(rt.RTA_PREFSRC, rt.parseIp(wanted.src));
  if (wanted.encap !== undefined) encapsulate(request, wanted.encap);
  if (wanted.mtu_bytes !== 0) {
    const metrics = request.nest(rt.RTA_METRICS);
    request.attrU32(rt.RTAX_MTU, wanted.mtu_bytes);
    if (wanted.mtu_locked) request.attrU32(RTAX_LOCK, 1 << rt.RTAX_MTU);
    request.end(metrics);
  }
  return request;
}

function gatewayOf({ dst: text, via: gateway }: OverlayRoute, dst: rt.Prefix): Uint8Array {
  const via = rt.parseIp(gateway);
  if ((via.length === 4) === (dst.family === rt.AF_INET)) return via;
  throw new OsError(EINVAL, `a route to ${text} cannot go by way of ${gateway}`);
}

function encapsulate(request: rt.Request, { vni, src, dst, hops, csum }: Encapsulation): void {
  const [from, to] = [rt.parseIp(src), rt.parseIp(dst)];
  const id = Buffer.alloc(8);
  id.writeBigUInt64BE(BigInt(vni));
  request.attrU16(RTA_ENCAP_TYPE, to.length === 4 ? LWTUNNEL_ENCAP_IP : LWTUNNEL_ENCAP_IP6);
  const encap = request.nest(RTA_ENCAP);
  request
    .attr(LWTUNNEL_IP_ID, id)
    .attr(LWTUNNEL_IP_DST, to)
    .attr(LWTUNNEL_IP_SRC, from)
    .attrU8(LWTUNNEL_IP_TTL, hops)
    .attr(LWTUNNEL_IP_FLAGS, Uint8Array.of(0, csum ? TUNNEL_CSUM : 0))
    .end(encap);
}

/** The tunnel of a route; undefined for one of another kind than ours. */
function encapsulationOf(type: number, span: rt.Span): Encapsulation | undefined {
  if (type !== LWTUNNEL_ENCAP_IP && type !== LWTUNNEL_ENCAP_IP6) return undefined;
  let found = { vni: 0, src: '', dst: '', hops: 0, csum: false };
  rt.eachAttr(span, (kind, value) => {
    // Of 64 bits in network order the last 24.
    if (kind === LWTUNNEL_IP_ID) {
      found = { ...found, vni: (value.u8(5) << 16) | (value.u8(6) << 8) | value.u8(7) };
    } else if (kind === LWTUNNEL_IP_DST) found = { ...found, dst: rt.formatIp(value.raw()) };
    else if (kind === LWTUNNEL_IP_SRC) found = { ...found, src: rt.formatIp(value.raw()) };
    else if (kind === LWTUNNEL_IP_TTL) found = { ...found, hops: value.u8() };
    else if (kind === LWTUNNEL_IP_FLAGS)
      found = { ...found, csum: (value.u8(1) & TUNNEL_CSUM) !== 0 };
  });
  return found;
}

/** All routes of a family. */
export function routes(family: number): rt.Request {
  return dumpOf(rt.RTM_GETROUTE).rtmsg({ family, bytes: new Uint8Array(0), length: 0 }, 0, 0, 0, 0);
}

/** A route of the main table, and whose it is; undefined for others and for what caches hold. */
export function parseOverlayRoute(
  message: rt.Message,
): (OverlayRoute & { readonly protocol: number }) | undefined {
  const family = message.u8(0);
  const [type, flags] = [message.u8(7), message.u32(8)];
  if (family !== rt.AF_INET && family !== rt.AF_INET6) return undefined;
  if ((flags & rt.RTM_F_CLONED) !== 0) return undefined;
  const { route: found, hops } = rt.parseRouteHops(message);
  if (found.table !== rt.RT_TABLE_MAIN) return undefined;
  let mtu_locked = false;
  let encap_type = 0;
  // Its type comes behind it.
  let encap: rt.Span | undefined;
  rt.eachAttr(message.from(rt.RTMSG_LEN), (kind, value) => {
    if (kind === RTA_ENCAP_TYPE) encap_type = value.u16();
    if (kind === RTA_ENCAP) encap = value;
    if (kind !== rt.RTA_METRICS) return;
    rt.eachAttr(value, (metric, data) => {
      if (metric === RTAX_LOCK) mtu_locked = (data.u32() & (1 << rt.RTAX_MTU)) !== 0;
    });
  });
  const [hop] = hops;
  return {
    dst: found.dst,
    encap: encap && encapsulationOf(encap_type, encap),
    unreachable: type === RTN_UNREACHABLE,
    via: hop?.gw ?? '',
    ifindex: hop?.ifindex ?? 0,
    src: found.src,
    onlink: (flags & RTNH_F_ONLINK) !== 0,
    // What IPv6 takes when nothing is said (IP6_RT_PRIO_USER).
    metric: family === rt.AF_INET6 && found.priority === 1024 ? 0 : found.priority,
    mtu_bytes: found.mtu_bytes,
    mtu_locked,
    protocol: found.protocol,
  };
}
