// SPDX-License-Identifier: Apache-2.0
// Kinds of links, a row for each that is modelled: what one is like when it is new, what it may be
// asked, and what it depends on. The rest of the simulated kernel asks this table. A link of
// another kind can be looked at but not made, and is like an Ethernet card. It refuses to hold any
// link.
import { EINVAL, EOPNOTSUPP } from "../lib/errno";

/** RFC 791: what every IPv4 link must carry. */
const MTU_MIN_BYTES: i32 = 68;
const MTU_MAX_BYTES: i32 = 65535;
const UNBOUNDED: i32 = i32.MAX_VALUE;
export const ETHERNET_MTU_BYTES: i32 = 1500;
/** What most kinds of links start with. */
export const TXQLEN_DEFAULT: i32 = 1000;

/** What the operstate of a link is told from. */
export const enum Depends {
  /** Nothing: it is as somebody says. */
  Nothing,
  /** A bridge works when one of its ports does. */
  Ports,
  /** An end of a pair works when the other is up. */
  Peer,
  /** One that lies on another works when that does. */
  Lower,
}

/** What a link may have below it. */
export const enum Masters {
  Nothing,
  /** Ports, whose packets it switches. */
  Ports,
  /** Links, whose routes are in its table. */
  Routes,
}

/** Why a link may not be in a master; errno 0 when it may. */
export class Refusal {
  errno: i32 = 0;
  words: string = "";
}

export class LinkKind {
  /** IFLA_INFO_KIND; "" for lo and NICs. */
  name: string = "";
  /** Somebody made it, so it can be removed. */
  made: bool = true;
  /** It belongs to its namespace for good. */
  stays: bool = false;
  /** IFF_NOARP, or no neighbours at all: no duplicate address detection. */
  no_arp: bool = false;
  /** The driver has no way to change the hardware address. */
  address_fixed: bool = false;
  mtu_bytes: i32 = ETHERNET_MTU_BYTES;
  mtu_min_bytes: i32 = MTU_MIN_BYTES;
  mtu_max_bytes: i32 = MTU_MAX_BYTES;
  txqlen: i32 = TXQLEN_DEFAULT;
  /** Nobody else may take its frames first, as a bridge or a macvlan does. */
  frames_kept: bool = false;
  /** It carries no 802.1Q VLANs (NETIF_F_VLAN_CHALLENGED). */
  vlans_refused: bool = false;
  /** Of one that depends on nothing, once it is up. */
  operstate: string = "unknown";
  /** What the kernel says of it depends on its release, and on what was before. */
  operstate_vague: bool = false;
  depends: Depends = Depends.Nothing;
  masters: Masters = Masters.Nothing;
  /** As a port of a bridge. */
  in_bridge: Refusal = {};
  /** Inside a VRF. */
  in_vrf: Refusal = {};
}

export const LOOPBACK: LinkKind = {
  made: false,
  stays: true,
  no_arp: true,
  mtu_bytes: 65536,
  mtu_max_bytes: UNBOUNDED,
  vlans_refused: true,
  in_bridge: { errno: EINVAL },
  in_vrf: { errno: EOPNOTSUPP, words: "Can not enslave loopback device to a VRF" },
};
const NIC: LinkKind = { made: false };

const ROWS: LinkKind[] = [
  {
    name: "bridge",
    stays: true,
    depends: Depends.Ports,
    masters: Masters.Ports,
    in_bridge: { errno: EINVAL },
  },
  { name: "dummy", no_arp: true, mtu_max_bytes: UNBOUNDED },
  { name: "ifb", no_arp: true, address_fixed: true, mtu_max_bytes: UNBOUNDED },
  {
    name: "ipvlan",
    address_fixed: true,
    depends: Depends.Lower,
    frames_kept: true,
    vlans_refused: true,
    operstate_vague: true,
    in_bridge: { errno: EINVAL },
  },
  { name: "macvlan", depends: Depends.Lower },
  // Of a tap, which has a head of Ethernet; nobody has it open, so it has no carrier.
  { name: "tun", mtu_max_bytes: 65521, operstate: "down" },
  { name: "veth", depends: Depends.Peer },
  { name: "vlan", depends: Depends.Lower, mtu_min_bytes: 0 },
  {
    name: "vrf",
    stays: true,
    no_arp: true,
    // It has no wire: IP6_MAX_MTU.
    mtu_bytes: 65575,
    mtu_max_bytes: UNBOUNDED,
    frames_kept: true,
    vlans_refused: true,
    operstate: "up",
    masters: Masters.Routes,
    in_vrf: { errno: EINVAL, words: "Can not enslave an L3 master device to a VRF" },
  },
];

/** The row of a kind. */
export function kind_of(name: string): LinkKind {
  if (name.length == 0) return NIC;
  for (let i = 0; i < ROWS.length; i++) if (ROWS[i].name == name) return ROWS[i];
  return { name };
}
