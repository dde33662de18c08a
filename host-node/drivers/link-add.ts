// SPDX-License-Identifier: Apache-2.0
// Making links of each kind, the operations link_add_* of the host ABI over rtnetlink; each is one
// request. It refuses to decide anything: no defaults but those the table names.
import { type KernelPart, OsError } from '../abi/index.ts';
import { EINVAL, ERANGE } from '../sys/libc.ts';
import { command } from '../sys/netlink.ts';
import * as rt from '../sys/rtnetlink/index.ts';
import { addTap } from '../sys/tun.ts';
import type { Call, Spaces } from './spaces.ts';

/** VLAN_VID_MASK, linux/if_vlan.h. */
const VID_MASK = 0xfff;

type LinkAddDriver = KernelPart<'link_add'>;
type Args<K extends keyof LinkAddDriver> = Parameters<LinkAddDriver[K]>[0];

/** A request for a new link, which is to be up or not; its kind follows. */
function adding(name: string, flags: number): rt.Request {
  return command(rt.RTM_NEWLINK, rt.NLM_F_CREATE | rt.NLM_F_EXCL)
    .ifinfomsg(rt.AF_UNSPEC, 0, flags, flags)
    .attrText(rt.IFLA_IFNAME, name);
}

/** What a link may be told; an empty address and MTU 0 are left to the kernel. */
function wanted(add: rt.Request, address: string, mtu_bytes: number): void {
  if (address !== '') add.attr(rt.IFLA_ADDRESS, rt.parseHardware(address));
  if (mtu_bytes !== 0) add.attrU32(rt.IFLA_MTU, mtu_bytes);
}

function linkAddBridge(spaces: Spaces, args: Args<'link_add_bridge'>): void {
  const add = adding(args.name, 0);
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

function linkAddDummy(spaces: Spaces, { ns, name, address }: Args<'link_add_dummy'>): void {
  const add = adding(name, 0);
  wanted(add, address, 0);
  const info = add.nest(rt.IFLA_LINKINFO);
  spaces.socket(ns).run(add.attrText(rt.IFLA_INFO_KIND, 'dummy').end(info));
}

function linkAddIfb(spaces: Spaces, args: Args<'link_add_ifb'>): void {
  const add = adding(args.name, rt.IFF_UP).attrU32(rt.IFLA_TXQLEN, 0);
  wanted(add, args.address, args.mtu_bytes);
  const info = add.nest(rt.IFLA_LINKINFO);
  spaces.socket(args.ns).run(add.attrText(rt.IFLA_INFO_KIND, 'ifb').end(info));
}

/** What lies on another link. */
interface Upper {
  readonly ns: number;
  readonly lower: number;
  readonly netns: number;
  readonly name: string;
  readonly mtu_bytes: number;
}

/** Told in the namespace of the lower link, and made in its own. */
function above(spaces: Spaces, upper: Upper, address: string): rt.Request {
  const add = adding(upper.name, 0);
  wanted(add, address, upper.mtu_bytes);
  if (upper.lower !== 0) add.attrU32(rt.IFLA_LINK, upper.lower);
  if (upper.netns !== upper.ns) add.attrU32(rt.IFLA_NET_NS_FD, spaces.fd(upper.netns));
  return add;
}

function linkAddIpvlan(spaces: Spaces, args: Args<'link_add_ipvlan'>): void {
  const mode = rt.IPVLAN_MODES.get(args.mode);
  if (mode === undefined) throw new OsError(EINVAL, `not a mode of an ipvlan: ${args.mode}`);
  const add = above(spaces, args, '');
  const info = add.nest(rt.IFLA_LINKINFO);
  add.attrText(rt.IFLA_INFO_KIND, 'ipvlan');
  const data = add.nest(rt.IFLA_INFO_DATA);
  spaces.socket(args.ns).run(add.attrU16(rt.IFLA_IPVLAN_MODE, mode).end(data).end(info));
}

function linkAddVlan(spaces: Spaces, args: Args<'link_add_vlan'>): void {
  // The kernel takes the sixteen bits that it is sent.
  if ((args.vid & ~VID_MASK) !== 0) throw new OsError(ERANGE, `not a VLAN ID: ${args.vid}`);
  const add = above(spaces, args, '');
  const info = add.nest(rt.IFLA_LINKINFO);
  add.attrText(rt.IFLA_INFO_KIND, 'vlan');
  const data = add.nest(rt.IFLA_INFO_DATA);
  spaces.socket(args.ns).run(add.attrU16(rt.IFLA_VLAN_ID, args.vid).end(data).end(info));
}

function linkAddMacvlan(spaces: Spaces, args: Args<'link_add_macvlan'>): void {
  const mode = rt.MACVLAN_MODES.get(args.mode);
  if (mode === undefined) throw new OsError(EINVAL, `not a mode of a macvlan: ${args.mode}`);
  const add = above(spaces, args, args.address);
  const info = add.nest(rt.IFLA_LINKINFO);
  add.attrText(rt.IFLA_INFO_KIND, 'macvlan');
  const data = add.nest(rt.IFLA_INFO_DATA);
  add.attrU32(rt.IFLA_MACVLAN_MODE, mode);
  if (args.bcqueuelen !== 0) add.attrU32(rt.IFLA_MACVLAN_BC_QUEUE_LEN, args.bcqueuelen);
  spaces.socket(args.ns).run(add.end(data).end(info));
}

function linkAddVeth(spaces: Spaces, args: Args<'link_add_veth'>): void {
  // Made in place: a pair made here and moved costs ten times as much.
  const peer_fd = spaces.fd(args.peer_ns);
  const socket = spaces.socket(args.ns);
  const add = adding(args.name, rt.IFF_UP);
  wanted(add, args.address, args.mtu_bytes);
  if (args.master !== 0) add.attrU32(rt.IFLA_MASTER, args.master);
  const info = add.nest(rt.IFLA_LINKINFO);
  add.attrText(rt.IFLA_INFO_KIND, 'veth');
  const data = add.nest(rt.IFLA_INFO_DATA);
  const peer = add.nest(rt.VETH_INFO_PEER);
  // Not IFF_UP: the kernel brings a peer up before it is joined to this end (ENOTCONN).
  add.ifinfomsg(rt.AF_UNSPEC, 0, 0, 0).attrText(rt.IFLA_IFNAME, args.peer_name);
  wanted(add, args.peer_address, args.mtu_bytes);
  add.attrU32(rt.IFLA_NET_NS_FD, peer_fd);
  socket.run(add.end(peer).end(data).end(info));
}

function linkAddVrf(spaces: Spaces, { ns, name, table }: Args<'link_add_vrf'>): void {
  const add = adding(name, 0);
  const info = add.nest(rt.IFLA_LINKINFO);
  add.attrText(rt.IFLA_INFO_KIND, 'vrf');
  const data = add.nest(rt.IFLA_INFO_DATA);
  spaces.socket(ns).run(add.attrU32(rt.IFLA_VRF_TABLE, table).end(data).end(info));
}

function linkAddTap(spaces: Spaces, args: Args<'link_add_tap'>): void {
  const { ns, name, multi_queue } = args;
  const owner = { user: args.owner, group: args.group };
  spaces.inside(ns, () => addTap(name, multi_queue !== 0, owner));
}

/** `call` makes OsErrors of what node throws. */
export function linkAddOperations(spaces: Spaces, call: Call): LinkAddDriver {
  return {
    link_add_bridge: (args) => call(() => linkAddBridge(spaces, args)),
    link_add_dummy: (args) => call(() => linkAddDummy(spaces, args)),
    link_add_ifb: (args) => call(() => linkAddIfb(spaces, args)),
    link_add_ipvlan: (args) => call(() => linkAddIpvlan(spaces, args)),
    link_add_macvlan: (args) => call(() => linkAddMacvlan(spaces, args)),
    link_add_tap: (args) => call(() => linkAddTap(spaces, args)),
    link_add_veth: (args) => call(() => linkAddVeth(spaces, args)),
    link_add_vlan: (args) => call(() => linkAddVlan(spaces, args)),
    link_add_vrf: (args) => call(() => linkAddVrf(spaces, args)),
  };
}
