// SPDX-License-Identifier: Apache-2.0
// Links and VLANs of bridge ports in replies of rtnetlink. It refuses to trust one (see reply.ts).
import type { Link, PortVlan } from '../../abi/index.ts';
import {
  BRIDGE_VLAN_INFO_PVID,
  BRIDGE_VLAN_INFO_RANGE_BEGIN,
  BRIDGE_VLAN_INFO_RANGE_END,
  BRIDGE_VLAN_INFO_UNTAGGED,
  IFF_ALLMULTI,
  IFF_LOOPBACK,
  IFF_PROMISC,
  IFF_UP,
  IFINFOMSG_LEN,
  IFLA_ADDRESS,
  IFLA_AF_SPEC,
  IFLA_BR_VLAN_FILTERING,
  IFLA_BRIDGE_VLAN_INFO,
  IFLA_BRPORT_ISOLATED,
  IFLA_BRPORT_MODE,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_INFO_SLAVE_DATA,
  IFLA_INFO_SLAVE_KIND,
  IFLA_IPVLAN_MODE,
  IFLA_LINK,
  IFLA_LINK_NETNSID,
  IFLA_LINKINFO,
  IFLA_MACVLAN_MODE,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_OPERSTATE,
  IFLA_PERM_ADDRESS,
  IFLA_TXQLEN,
  IFLA_VLAN_ID,
  IFLA_VRF_TABLE,
  IPVLAN_MODES,
  MACVLAN_MODES,
  NETNSA_NSID,
  RTGENMSG_LEN,
  VLAN_ID_MAX,
} from './constants.ts';
import { formatHardware } from './ip.ts';
import { eachAttr, type Message, type Span, truncated } from './reply.ts';

/** IF_OPER_* of linux/if.h, in iproute2's words. */
const OPERSTATES = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'];

/** Kinds of whose own attributes something is told. */
const INFORMED = new Set(['bridge', 'ipvlan', 'macvlan', 'vlan', 'vrf']);
/** Kinds of links that lie on another. */
const STACKED = new Set(['ipvlan', 'macvlan', 'vlan']);

/** An RTM_NEWLINK as a {@link Link}. */
export function parseLink(message: Message): Link {
  let name = '';
  let [address, permaddr, alias] = ['', '', ''];
  let [mtu_bytes, txqlen, master, lower] = [0, 0, 0, 0];
  let operstate = 0;
  let info: LinkInfo = { kind: '', vlan_filtering: false, table: 0, mode: '', vid: 0 };
  eachAttr(message.from(IFINFOMSG_LEN), (type, value) => {
    if (type === IFLA_IFNAME) name = value.text();
    else if (type === IFLA_ADDRESS) address = formatHardware(value.raw());
    else if (type === IFLA_PERM_ADDRESS) permaddr = formatHardware(value.raw());
    else if (type === IFLA_IFALIAS) alias = value.text();
    else if (type === IFLA_MTU) mtu_bytes = value.i32();
    else if (type === IFLA_TXQLEN) txqlen = value.u32();
    else if (type === IFLA_MASTER) master = value.i32();
    else if (type === IFLA_LINK) lower = value.i32();
    else if (type === IFLA_OPERSTATE) operstate = value.u8();
    else if (type === IFLA_LINKINFO) info = parseLinkInfo(value);
  });
  const flags = message.u32(8);
  return {
    ifindex: message.i32(4),
    name,
    kind: info.kind,
    address,
    mtu_bytes,
    up: (flags & IFF_UP) !== 0,
    promisc: (flags & IFF_PROMISC) !== 0,
    allmulti: (flags & IFF_ALLMULTI) !== 0,
    txqlen,
    operstate: OPERSTATES[operstate] ?? 'unknown',
    master,
    peer: info.kind === 'veth' ? lower : 0,
    vlan_filtering: info.vlan_filtering,
    table: info.table,
    lower: STACKED.has(info.kind) ? lower : 0,
    mode: info.mode,
    vid: info.vid,
    alias,
    permaddr,
  };
}

/** The word for a number; "" for one that nobody knows. */
function modeOf(modes: ReadonlyMap<string, number>, number: number): string {
  for (const [word, mode] of modes) if (mode === number) return word;
  return '';
}

type LinkInfo = Pick<Link, 'kind' | 'vlan_filtering' | 'table' | 'mode' | 'vid'>;

function parseLinkInfo(span: Span): LinkInfo {
  let kind = '';
  let data: Span | undefined;
  eachAttr(span, (type, value) => {
    if (type === IFLA_INFO_KIND) kind = value.text();
    else if (type === IFLA_INFO_DATA) data = value;
  });
  let [vlan_filtering, table, mode, vid] = [false, 0, '', 0];
  if (data !== undefined && INFORMED.has(kind)) {
    eachAttr(data, (type, value) => {
      if (kind === 'vrf' && type === IFLA_VRF_TABLE) table = value.u32();
      else if (kind === 'vlan' && type === IFLA_VLAN_ID) vid = value.u16();
      else if (kind === 'macvlan' && type === IFLA_MACVLAN_MODE) {
        mode = modeOf(MACVLAN_MODES, value.u32());
      } else if (kind === 'ipvlan' && type === IFLA_IPVLAN_MODE) {
        mode = modeOf(IPVLAN_MODES, value.u16());
      } else if (kind === 'bridge' && type === IFLA_BR_VLAN_FILTERING) {
        vlan_filtering = value.u8() !== 0;
      }
    });
  }
  return { kind, vlan_filtering, table, mode, vid };
}

/** What link_get does not tell of a link. */
export interface LinkExtra {
  readonly loopback: boolean;
  /**
   * The id, in the link's namespace, of the one that a veth's peer or the lower link lies in; -1
   * for its own.
   */
  readonly peer_nsid: number;
  readonly hairpin: boolean;
  readonly isolated: boolean;
}

/** The rest of an RTM_NEWLINK, beside {@link parseLink}. */
export function parseLinkExtra(message: Message): LinkExtra {
  let peer_nsid = -1;
  let [hairpin, isolated] = [false, false];
  const port = (data: Span): void => {
    eachAttr(data, (type, value) => {
      if (type === IFLA_BRPORT_MODE) hairpin = value.u8() !== 0;
      else if (type === IFLA_BRPORT_ISOLATED) isolated = value.u8() !== 0;
    });
  };
  eachAttr(message.from(IFINFOMSG_LEN), (type, value) => {
    if (type === IFLA_LINK_NETNSID) peer_nsid = value.i32();
    if (type !== IFLA_LINKINFO) return;
    let slave = '';
    eachAttr(value, (inner, data) => {
      // The kernel puts the kind before the data.
      if (inner === IFLA_INFO_SLAVE_KIND) slave = data.text();
      else if (inner === IFLA_INFO_SLAVE_DATA && slave === 'bridge') port(data);
    });
  });
  return { loopback: (message.u32(8) & IFF_LOOPBACK) !== 0, peer_nsid, hairpin, isolated };
}

/** The id of an RTM_NEWNSID, -1 when the namespace has none. */
export function parseNsid(message: Message): number {
  let nsid = -1;
  eachAttr(message.from(RTGENMSG_LEN), (type, value) => {
    if (type === NETNSA_NSID) nsid = value.i32();
  });
  return nsid;
}

/** The ifindex of an RTM_NEWLINK. */
export function linkIndex(message: Message): number {
  return message.i32(4);
}

/** The ifindex of the bridge or other device above an RTM_NEWLINK's link, 0 for none. */
export function linkMaster(message: Message): number {
  let master = 0;
  eachAttr(message.from(IFINFOMSG_LEN), (type, value) => {
    if (type === IFLA_MASTER) master = value.i32();
  });
  return master;
}

/** Adds the VLANs of one port's AF_BRIDGE RTM_NEWLINK to `into`, ranges spread out. */
export function parsePortVlans(message: Message, into: PortVlan[]): void {
  eachAttr(message.from(IFINFOMSG_LEN), (outer, spec) => {
    if (outer !== IFLA_AF_SPEC) return;
    let first = 0;
    eachAttr(spec, (type, value) => {
      if (type !== IFLA_BRIDGE_VLAN_INFO) return;
      const flags = value.u16(0);
      const last = value.u16(2);
      if ((flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) !== 0) {
        first = last;
        return;
      }
      if (last > VLAN_ID_MAX) throw truncated();
      const ranged = (flags & BRIDGE_VLAN_INFO_RANGE_END) !== 0 && first !== 0;
      const pvid = (flags & BRIDGE_VLAN_INFO_PVID) !== 0;
      const untagged = (flags & BRIDGE_VLAN_INFO_UNTAGGED) !== 0;
      const low = ranged ? first : last;
      // Each VLAN once: a reply that repeats its ranges would grow without a bound of its own.
      if (into.length + last - low + 1 > VLAN_ID_MAX) throw truncated();
      for (let vid = low; vid <= last; vid++) into.push({ vid, pvid, untagged });
      first = 0;
    });
  });
}
