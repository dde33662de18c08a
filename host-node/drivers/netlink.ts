// The kernel operations of the host ABI over rtnetlink and /proc/sys. Each is one request (VLANs:
// a look at the link's kind first); the namespace is entered only to open a socket or a sysctl.
// It refuses to decide anything: no retries of a failed change, no undo, no defaults but those the
// table names.

import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { FibRule, PortVlan, Route, RouteTo } from '../abi/index.ts';
import { type Address, type DriverOf, type Link, OsError } from '../abi/index.ts';
import { EBADMSG, EINVAL, ENETUNREACH, osError } from '../sys/libc.ts';
import { command, dumpOf } from '../sys/netlink.ts';
import * as rt from '../sys/rtnetlink.ts';
import { conntrackDel } from './conntrack.ts';
import { type NftDriver, nftOperations } from './nft.ts';
import { dev, Spaces } from './spaces.ts';
import { tcOperations } from './tc.ts';

/** The operations of the module `kernel`. */
export type KernelDriver = DriverOf<'kernel'>;
export type NetlinkDriver = KernelDriver & NftDriver & { close(): void };
type Args<K extends keyof KernelDriver> = Parameters<KernelDriver[K]>[0];

export interface NetlinkOptions {
  /** Path of the namespace that handle 0 means, instead of the process's own. */
  readonly hostNetns?: string;
}

const VLAN_ID_MAX = 4094;

function netnsSame(spaces: Spaces, { a, b }: Args<'netns_same'>): number {
  const left = fstatSync(spaces.fd(a));
  const right = fstatSync(spaces.fd(b));
  return left.dev === right.dev && left.ino === right.ino ? 1 : 0;
}

/** As the operation netns_id. */
export function netnsId(spaces: Spaces, ns: number): Uint8Array {
  const cookie = spaces.socket(ns).netnsCookie;
  if (cookie !== undefined) return Buffer.from(`cookie:${cookie}`);
  const { dev, ino } = fstatSync(spaces.fd(ns), { bigint: true });
  return Buffer.from(`${dev}:${ino}`);
}

function linkGet(spaces: Spaces, ns: number, ifindex: number, name: string): Link {
  const get = command(rt.RTM_GETLINK).ifinfomsg(rt.AF_UNSPEC, ifindex, 0, 0);
  if (ifindex === 0) get.attrText(rt.IFLA_IFNAME, name);
  get.attrU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_SKIP_STATS);
  const link = spaces.socket(ns).get(get, rt.parseLink);
  if (link === undefined) throw new OsError(EBADMSG, 'no link in the reply');
  return link;
}

function linkList(spaces: Spaces, ns: number): Link[] {
  const list = dumpOf(rt.RTM_GETLINK)
    .ifinfomsg(rt.AF_UNSPEC, 0, 0, 0)
    .attrU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_SKIP_STATS);
  const links = spaces.socket(ns).dump<Link>(list, (message, into) => {
    into.push(rt.parseLink(message));
  });
  return links.sort((a, b) => a.ifindex - b.ifindex);
}

function linkAddBridge(spaces: Spaces, args: Args<'link_add_bridge'>): void {
  const add = command(rt.RTM_NEWLINK, rt.NLM_F_CREATE | rt.NLM_F_EXCL)
    .ifinfomsg(rt.AF_UNSPEC, 0, 0, 0)
    .attrText(rt.IFLA_IFNAME, args.name);
  if (args.mtu_bytes !== 0) add.attrU32(rt.IFLA_MTU, args.mtu_bytes);
  const info = add.nest(rt.IFLA_LINKINFO);
  add.attrText(rt.IFLA_INFO_KIND, 'bridge');
  if (args.vlan_filtering !== 0) {
    // Only when wanted: a kernel built without it refuses even to be told no (EOPNOTSUPP).
    const data = add.nest(rt.IFLA_INFO_DATA);
    add.attrU8(rt.IFLA_BR_VLAN_FILTERING, 1).end(data);
  }
  spaces.socket(args.ns).run(add.end(info));
}

function linkAddIfb(spaces: Spaces, args: Args<'link_add_ifb'>): void {
  const add = command(rt.RTM_NEWLINK, rt.NLM_F_CREATE | rt.NLM_F_EXCL)
    .ifinfomsg(rt.AF_UNSPEC, 0, rt.IFF_UP, rt.IFF_UP)
    .attrText(rt.IFLA_IFNAME, args.name)
    .attrU32(rt.IFLA_TXQLEN, 0);
  if (args.address !== '') add.attr(rt.IFLA_ADDRESS, rt.parseHardware(args.address));
  if (args.mtu_bytes !== 0) add.attrU32(rt.IFLA_MTU, args.mtu_bytes);
  const info = add.nest(rt.IFLA_LINKINFO);
  spaces.socket(args.ns).run(add.attrText(rt.IFLA_INFO_KIND, 'ifb').end(info));
}

function linkAddVeth(spaces: Spaces, args: Args<'link_add_veth'>): void {
  // Made in place: a pair made here and moved costs ten times as much.
  const peer_fd = spaces.fd(args.peer_ns);
  const socket = spaces.socket(args.ns);
  const add = command(rt.RTM_NEWLINK, rt.NLM_F_CREATE | rt.NLM_F_EXCL)
    .ifinfomsg(rt.AF_UNSPEC, 0, rt.IFF_UP, rt.IFF_UP)
    .attrText(rt.IFLA_IFNAME, args.name);
  if (args.address !== '') add.attr(rt.IFLA_ADDRESS, rt.parseHardware(args.address));
  if (args.mtu_bytes !== 0) add.attrU32(rt.IFLA_MTU, args.mtu_bytes);
  if (args.master !== 0) add.attrU32(rt.IFLA_MASTER, args.master);
  const info = add.nest(rt.IFLA_LINKINFO);
  add.attrText(rt.IFLA_INFO_KIND, 'veth');
  const data = add.nest(rt.IFLA_INFO_DATA);
  const peer = add.nest(rt.VETH_INFO_PEER);
  // Not IFF_UP: the kernel brings a peer up before it is joined to this end (ENOTCONN).
  add.ifinfomsg(rt.AF_UNSPEC, 0, 0, 0).attrText(rt.IFLA_IFNAME, args.peer_name);
  if (args.peer_address !== '') add.attr(rt.IFLA_ADDRESS, rt.parseHardware(args.peer_address));
  if (args.mtu_bytes !== 0) add.attrU32(rt.IFLA_MTU, args.mtu_bytes);
  add.attrU32(rt.IFLA_NET_NS_FD, peer_fd);
  socket.run(add.end(peer).end(data).end(info));
}

function linkAddVrf(spaces: Spaces, { ns, name, table }: Args<'link_add_vrf'>): void {
  const add = command(rt.RTM_NEWLINK, rt.NLM_F_CREATE | rt.NLM_F_EXCL)
    .ifinfomsg(rt.AF_UNSPEC, 0, 0, 0)
    .attrText(rt.IFLA_IFNAME, name);
  const info = add.nest(rt.IFLA_LINKINFO);
  add.attrText(rt.IFLA_INFO_KIND, 'vrf');
  const data = add.nest(rt.IFLA_INFO_DATA);
  spaces.socket(ns).run(add.attrU32(rt.IFLA_VRF_TABLE, table).end(data).end(info));
}

function linkSetFlag(spaces: Spaces, ns: number, ifindex: number, flag: number, on: boolean) {
  const set = command(rt.RTM_NEWLINK);
  spaces.socket(ns).run(set.ifinfomsg(rt.AF_UNSPEC, dev(ifindex), on ? flag : 0, flag));
}

/** Sets one number of a link: `type` is IFLA_MTU, IFLA_TXQLEN or IFLA_MASTER. */
function linkSetNumber(spaces: Spaces, ns: number, ifindex: number, type: number, value: number) {
  const set = command(rt.RTM_NEWLINK).ifinfomsg(rt.AF_UNSPEC, dev(ifindex), 0, 0);
  spaces.socket(ns).run(set.attrU32(type, value));
}

function linkSetAddress(spaces: Spaces, args: Args<'link_set_address'>): void {
  const set = command(rt.RTM_NEWLINK)
    .ifinfomsg(rt.AF_UNSPEC, dev(args.ifindex), 0, 0)
    .attr(rt.IFLA_ADDRESS, rt.parseHardware(args.address));
  spaces.socket(args.ns).run(set);
}

function linkSetBridgePort(spaces: Spaces, args: Args<'link_set_bridge_port'>): void {
  const set = command(rt.RTM_SETLINK).ifinfomsg(rt.AF_BRIDGE, dev(args.ifindex), 0, 0);
  const port = set.nest(rt.IFLA_PROTINFO);
  set.attrU8(rt.IFLA_BRPORT_MODE, args.hairpin === 0 ? 0 : 1);
  set.attrU8(rt.IFLA_BRPORT_ISOLATED, args.isolated === 0 ? 0 : 1);
  spaces.socket(args.ns).run(set.end(port));
}

function linkDel(spaces: Spaces, { ns, ifindex }: Args<'link_del'>): void {
  const del = command(rt.RTM_DELLINK).ifinfomsg(rt.AF_UNSPEC, dev(ifindex), 0, 0);
  spaces.socket(ns).run(del);
}

function bridgePortList(spaces: Spaces, { ns, ifindex }: Args<'bridge_port_list'>): number[] {
  const list = dumpOf(rt.RTM_GETLINK)
    .ifinfomsg(rt.AF_UNSPEC, 0, 0, 0)
    .attrU32(rt.IFLA_MASTER, dev(ifindex))
    .attrU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_SKIP_STATS);
  const ports = spaces.socket(ns).dump<number>(list, (message, into) => {
    if (rt.linkMaster(message) === ifindex) into.push(rt.linkIndex(message));
  });
  // No ports, or no bridge: the second is ENODEV.
  if (ports.length === 0) linkGet(spaces, ns, ifindex, '');
  return ports.sort((a, b) => a - b);
}

/** bridge vlan add and del: `type` is RTM_SETLINK or RTM_DELLINK, `flags` BRIDGE_VLAN_INFO_*. */
function bridgeVlan(
  spaces: Spaces,
  type: number,
  args: Args<'bridge_vlan_del'>,
  flags: number,
): void {
  const { ns, vid, vid_end } = args;
  if (vid < 1 || vid > vid_end || vid_end > VLAN_ID_MAX) {
    throw new OsError(EINVAL, `not a VLAN range: ${vid}-${vid_end}`);
  }
  const self = linkGet(spaces, ns, dev(args.ifindex), '').kind === 'bridge';
  const set = command(type).ifinfomsg(rt.AF_BRIDGE, args.ifindex, 0, 0);
  const spec = set.nest(rt.IFLA_AF_SPEC);
  // Without this the kernel looks for the bridge above, and a bridge has none.
  if (self) set.attr(rt.IFLA_BRIDGE_FLAGS, Uint8Array.of(rt.BRIDGE_FLAGS_SELF, 0));
  const info = (bits: number, id: number) => {
    const entry = set.nest(rt.IFLA_BRIDGE_VLAN_INFO, 0);
    set
      .u16(flags | bits)
      .u16(id)
      .end(entry);
  };
  if (vid === vid_end) info(0, vid);
  else {
    info(rt.BRIDGE_VLAN_INFO_RANGE_BEGIN, vid);
    info(rt.BRIDGE_VLAN_INFO_RANGE_END, vid_end);
  }
  spaces.socket(ns).run(set.end(spec));
}

function bridgeVlanAdd(spaces: Spaces, args: Args<'bridge_vlan_add'>): void {
  const pvid = args.pvid === 0 ? 0 : rt.BRIDGE_VLAN_INFO_PVID;
  const untagged = args.untagged === 0 ? 0 : rt.BRIDGE_VLAN_INFO_UNTAGGED;
  bridgeVlan(spaces, rt.RTM_SETLINK, args, pvid | untagged);
}

function bridgeVlanList(spaces: Spaces, { ns, ifindex }: Args<'bridge_vlan_list'>): PortVlan[] {
  // The kernel has no filter by port here. Ranges keep 4094 VLANs within one datagram.
  const list = dumpOf(rt.RTM_GETLINK)
    .ifinfomsg(rt.AF_BRIDGE, 0, 0, 0)
    .attrU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_BRVLAN_COMPRESSED);
  const vlans = spaces.socket(ns).dump<PortVlan>(list, (message, into) => {
    if (rt.linkIndex(message) === ifindex) rt.parsePortVlans(message, into);
  });
  // Nothing to list, or nothing to list it of: the second is ENODEV.
  if (vlans.length === 0) linkGet(spaces, ns, dev(ifindex), '');
  return vlans.sort((a, b) => a.vid - b.vid);
}

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

/** The file of a sysctl; EINVAL unless the key is a plain path below net/. */
function sysctlPath(key: string): string {
  const segments = key.split('/');
  const plain = segments.every((part) => part !== '' && part !== '.' && part !== '..');
  if (segments[0] !== 'net' || segments.length < 2 || !plain || key.includes('\0')) {
    throw new OsError(EINVAL, `not a sysctl of a network namespace: ${key}`);
  }
  return `/proc/sys/${key}`;
}

function sysctlRead(spaces: Spaces, { ns, key }: Args<'sysctl_read'>): Uint8Array {
  const path = sysctlPath(key);
  // The file shows the namespace of the thread that opens it.
  const value = spaces.inside(ns, () => readFileSync(path));
  return value.at(-1) === 0x0a ? value.subarray(0, -1) : value;
}

function sysctlWrite(spaces: Spaces, { ns, key, value }: Args<'sysctl_write'>): void {
  const path = sysctlPath(key);
  spaces.inside(ns, () => {
    const fd = openSync(path, constants.O_WRONLY);
    try {
      writeSync(fd, `${value}\n`);
    } finally {
      closeSync(fd);
    }
  });
}

/** Runs an operation; what node:fs throws leaves as an OsError. */
function call<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw osError(error);
  }
}

/**
 * The operations of the modules kernel and nft on this machine. Nothing is opened before it is
 * needed. Every method throws OsError with the kernel's errno and, where it gave one, its text; an
 * operation on a handle that is not open is EBADF, a malformed address, range or key EINVAL. Not
 * for two threads at once.
 */
export function netlinkDriver(
  options: NetlinkOptions = {},
  s = new Spaces(options.hostNetns),
): NetlinkDriver {
  const { IFF_UP, IFF_PROMISC, IFF_ALLMULTI, IFLA_MTU, IFLA_TXQLEN, IFLA_MASTER } = rt;
  const { RTM_DELLINK, RTM_NEWRULE, RTM_DELRULE, NLM_F_CREATE, NLM_F_EXCL } = rt;
  return {
    netns_open: ({ path }) => call(() => s.add(path)),
    netns_same: (args) => call(() => netnsSame(s, args)),
    netns_id: ({ ns }) => call(() => netnsId(s, ns)),
    netns_close: ({ ns }) => call(() => s.drop(ns)),
    link_get: ({ ns, name }) => call(() => linkGet(s, ns, 0, name)),
    link_get_index: ({ ns, ifindex }) => call(() => linkGet(s, ns, dev(ifindex), '')),
    link_list: ({ ns }) => call(() => linkList(s, ns)),
    link_add_bridge: (args) => call(() => linkAddBridge(s, args)),
    link_add_ifb: (args) => call(() => linkAddIfb(s, args)),
    link_add_veth: (args) => call(() => linkAddVeth(s, args)),
    link_add_vrf: (args) => call(() => linkAddVrf(s, args)),
    link_set_up: ({ ns, ifindex }) => call(() => linkSetFlag(s, ns, ifindex, IFF_UP, true)),
    link_set_down: ({ ns, ifindex }) => call(() => linkSetFlag(s, ns, ifindex, IFF_UP, false)),
    link_set_promisc: ({ ns, ifindex, on }) =>
      call(() => linkSetFlag(s, ns, ifindex, IFF_PROMISC, on !== 0)),
    link_set_allmulti: ({ ns, ifindex, on }) =>
      call(() => linkSetFlag(s, ns, ifindex, IFF_ALLMULTI, on !== 0)),
    link_set_mtu: ({ ns, ifindex, mtu_bytes }) =>
      call(() => linkSetNumber(s, ns, ifindex, IFLA_MTU, mtu_bytes)),
    link_set_txqlen: ({ ns, ifindex, txqlen }) =>
      call(() => linkSetNumber(s, ns, ifindex, IFLA_TXQLEN, txqlen)),
    link_set_address: (args) => call(() => linkSetAddress(s, args)),
    link_set_bridge_port: (args) => call(() => linkSetBridgePort(s, args)),
    link_set_master: ({ ns, ifindex, master }) =>
      call(() => linkSetNumber(s, ns, ifindex, IFLA_MASTER, master)),
    link_del: (args) => call(() => linkDel(s, args)),
    bridge_port_list: (args) => call(() => bridgePortList(s, args)),
    bridge_vlan_add: (args) => call(() => bridgeVlanAdd(s, args)),
    bridge_vlan_del: (args) => call(() => bridgeVlan(s, RTM_DELLINK, args, 0)),
    bridge_vlan_list: (args) => call(() => bridgeVlanList(s, args)),
    addr_add: (args) => call(() => addrAdd(s, args)),
    addr_del: (args) => call(() => addrDel(s, args)),
    addr_list: (args) => call(() => addrList(s, args)),
    route_add: (args) => call(() => routeAdd(s, args)),
    route_del: (args) => call(() => routeDel(s, args)),
    route_list: (args) => call(() => routeList(s, args)),
    route_table_list: ({ ns }) => call(() => routeTableList(s, ns)),
    route_get: (args) => call(() => routeGet(s, args)),
    conntrack_del: (args) => call(() => conntrackDel(s, args)),
    fib_rule_add: (args) => call(() => fibRule(s, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, args)),
    fib_rule_del: (args) => call(() => fibRule(s, RTM_DELRULE, 0, args)),
    fib_rule_list: ({ ns }) => call(() => fibRuleList(s, ns)),
    sysctl_read: (args) => call(() => sysctlRead(s, args)),
    sysctl_write: (args) => call(() => sysctlWrite(s, args)),
    ...tcOperations(s, call),
    ...nftOperations(s, call),
    close: () => s.close(),
  };
}
