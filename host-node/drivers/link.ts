// SPDX-License-Identifier: Apache-2.0
// The operations on links, bridges and their ports of the host ABI over rtnetlink. Each is one
// request (VLANs: a look at the link's kind first). It refuses to decide anything: no retries of a
// failed change, no undo.
import { type KernelPart, type Link, OsError, type PortVlan } from '../abi/index.ts';
import { EBADMSG, EINVAL } from '../sys/libc.ts';
import { command, dumpOf } from '../sys/netlink.ts';
import * as rt from '../sys/rtnetlink/index.ts';
import { type Call, dev, type Spaces } from './spaces.ts';

/** Making them is link-add.ts. */
type LinkDriver = Omit<KernelPart<'link'>, keyof KernelPart<'link_add'>> & KernelPart<'bridge'>;
type Args<K extends keyof LinkDriver> = Parameters<LinkDriver[K]>[0];

const VLAN_ID_MAX = 4094;

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

function linkSetFlag(spaces: Spaces, ns: number, ifindex: number, flag: number, on: boolean) {
  const set = command(rt.RTM_NEWLINK);
  spaces.socket(ns).run(set.ifinfomsg(rt.AF_UNSPEC, dev(ifindex), on ? flag : 0, flag));
}

/** Sets one number of a link: `type` is IFLA_MTU, IFLA_TXQLEN or IFLA_MASTER. */
function linkSetNumber(spaces: Spaces, ns: number, ifindex: number, type: number, value: number) {
  const set = command(rt.RTM_NEWLINK).ifinfomsg(rt.AF_UNSPEC, dev(ifindex), 0, 0);
  spaces.socket(ns).run(set.attrU32(type, value));
}

function linkSetName(spaces: Spaces, { ns, ifindex, name }: Args<'link_set_name'>): void {
  const set = command(rt.RTM_NEWLINK).ifinfomsg(rt.AF_UNSPEC, dev(ifindex), 0, 0);
  spaces.socket(ns).run(set.attrText(rt.IFLA_IFNAME, name));
}

function linkSetAlias(spaces: Spaces, { ns, ifindex, alias }: Args<'link_set_alias'>): void {
  const set = command(rt.RTM_NEWLINK).ifinfomsg(rt.AF_UNSPEC, dev(ifindex), 0, 0);
  // Without the NUL byte of a text: the kernel would take it for a part, and "" for one to set.
  spaces.socket(ns).run(set.attr(rt.IFLA_IFALIAS, Buffer.from(alias)));
}

function linkSetNetns(spaces: Spaces, args: Args<'link_set_netns'>): void {
  const set = command(rt.RTM_NEWLINK)
    .ifinfomsg(rt.AF_UNSPEC, dev(args.ifindex), 0, 0)
    .attrU32(rt.IFLA_NET_NS_FD, spaces.fd(args.netns))
    .attrText(rt.IFLA_IFNAME, args.name);
  spaces.socket(args.ns).run(set);
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

/** `call` makes OsErrors of what node throws. */
export function linkOperations(spaces: Spaces, call: Call): LinkDriver {
  return {
    link_get: ({ ns, name }) => call(() => linkGet(spaces, ns, 0, name)),
    link_get_index: ({ ns, ifindex }) => call(() => linkGet(spaces, ns, dev(ifindex), '')),
    link_list: ({ ns }) => call(() => linkList(spaces, ns)),
    link_set_name: (args) => call(() => linkSetName(spaces, args)),
    link_set_up: ({ ns, ifindex }) => call(() => linkSetFlag(spaces, ns, ifindex, rt.IFF_UP, true)),
    link_set_down: ({ ns, ifindex }) =>
      call(() => linkSetFlag(spaces, ns, ifindex, rt.IFF_UP, false)),
    link_set_promisc: ({ ns, ifindex, on }) =>
      call(() => linkSetFlag(spaces, ns, ifindex, rt.IFF_PROMISC, on !== 0)),
    link_set_allmulti: ({ ns, ifindex, on }) =>
      call(() => linkSetFlag(spaces, ns, ifindex, rt.IFF_ALLMULTI, on !== 0)),
    link_set_mtu: ({ ns, ifindex, mtu_bytes }) =>
      call(() => linkSetNumber(spaces, ns, ifindex, rt.IFLA_MTU, mtu_bytes)),
    link_set_txqlen: ({ ns, ifindex, txqlen }) =>
      call(() => linkSetNumber(spaces, ns, ifindex, rt.IFLA_TXQLEN, txqlen)),
    link_set_alias: (args) => call(() => linkSetAlias(spaces, args)),
    link_set_netns: (args) => call(() => linkSetNetns(spaces, args)),
    link_set_address: (args) => call(() => linkSetAddress(spaces, args)),
    link_set_bridge_port: (args) => call(() => linkSetBridgePort(spaces, args)),
    link_set_master: ({ ns, ifindex, master }) =>
      call(() => linkSetNumber(spaces, ns, ifindex, rt.IFLA_MASTER, master)),
    link_del: (args) => call(() => linkDel(spaces, args)),
    bridge_port_list: (args) => call(() => bridgePortList(spaces, args)),
    bridge_vlan_add: (args) => call(() => bridgeVlanAdd(spaces, args)),
    bridge_vlan_del: (args) => call(() => bridgeVlan(spaces, rt.RTM_DELLINK, args, 0)),
    bridge_vlan_list: (args) => call(() => bridgeVlanList(spaces, args)),
  };
}
