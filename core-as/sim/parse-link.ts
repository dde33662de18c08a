// SPDX-License-Identifier: Apache-2.0
// The link lines of a text of the simulated kernel: their words, and what comes of them once all
// links are there. It refuses by saying why.
import { bring_up } from "./addresses";
import { enslave, lowest_of } from "./bridges";
import { kind_of } from "./kinds";
import { hardware_octets } from "./links";
import { number_of } from "./parse-route";
import { ADDRESS_ZERO, Link, Space, state } from "./state";
import { mode_known } from "./uppers";

/** Stands for the other end of a veth that lies in a namespace the text does not have. */
const PEER_ELSEWHERE = "?";
/** Stands for the hardware address of a link that has none, as a tun device. */
const NO_ADDRESS = "none";

/** A link line: what needs the other lines first. */
export class LinkLine {
  up: bool = false;
  master: string = "";
  peer: string = "";
  lower: string = "";
  vlans: bool = false;
  constructor(
    public line: i32,
    public space: Space,
    public link: Link,
  ) {}
}

/** Takes a word that has no value; false when it is none. */
export function link_flag(entry: LinkLine, word: string): bool {
  const link = entry.link;
  if (word == "up") entry.up = true;
  else if (word == "vlan_filtering") link.vlan_filtering = true;
  else if (word == "promisc") link.promisc = true;
  else if (word == "allmulti") link.allmulti = true;
  else if (word == "hairpin") link.hairpin = true;
  else if (word == "isolated") link.isolated = true;
  else if (word == "multi_queue") link.multi_queue = true;
  else return word == "down";
  return true;
}

/** Takes a word with its value; what is wrong with it, "" when nothing is. */
export function link_pair(entry: LinkLine, word: string, value: string): string {
  const link = entry.link;
  if (value.length == 0) return `"${word}" is unknown or lacks its value`;
  if (word == "kind") {
    if (!link.loopback) entry.space.settle_kind(link, kind_of(value));
  } else if (word == "address") {
    link.address = value == NO_ADDRESS ? "" : hardware_octets(value);
    if (link.address.length == 0 && value != NO_ADDRESS) return `not a hardware address: ${value}`;
    link.address_set = link.address != ADDRESS_ZERO;
  } else if (word == "mtu") {
    const mtu = number_of(value);
    if (mtu < 0 || mtu > i32.MAX_VALUE) return `not an MTU: ${value}`;
    link.mtu_bytes = <i32>mtu;
    link.mtu_set = true;
  } else if (word == "txqlen") {
    const txqlen = number_of(value);
    if (txqlen < 0 || txqlen > i32.MAX_VALUE) return `not a queue length: ${value}`;
    link.txqlen = <i32>txqlen;
  } else if (word == "table") {
    const table = number_of(value);
    if (table < 1 || table > <i64>u32.MAX_VALUE || !link.routes)
      return `not a VRF's table: ${value}`;
    link.table = <u32>table;
  } else if (word == "operstate") {
    link.operstate_given = value;
  } else if (word == "master") {
    entry.master = value;
  } else if (word == "peer") {
    entry.peer = value;
  } else if (word == "lower") {
    entry.lower = value;
  } else if (word == "mode") {
    if (!mode_known(link.kind, value)) return `not a mode of a ${link.kind}: ${value}`;
    link.mode = value;
  } else if (word == "id") {
    const vid = number_of(value);
    if (vid < 0 || vid > 4094 || link.kind != "vlan") return `not a VLAN: ${value}`;
    link.vid = <i32>vid;
  } else if (word == "alias") {
    link.alias = value;
  } else if (word == "permaddr") {
    link.permaddr = hardware_octets(value);
    if (link.permaddr.length == 0) return `not a hardware address: ${value}`;
  } else if (word == "owner" || word == "group") {
    const number = number_of(value);
    if (number < 0 || number >= <i64>u32.MAX_VALUE) return `not a number of ${word}s: ${value}`;
    if (word == "owner") link.owner = number;
    else link.group = number;
  } else if (word == "bcqueuelen") {
    const length = number_of(value);
    if (length < 1 || length > <i64>u32.MAX_VALUE) return `not a queue length: ${value}`;
    link.bcqueuelen = <u32>length;
  } else {
    return `unknown word "${word}"`;
  }
  return "";
}

/** The link at NETNS/NAME. */
function link_at(place: string): Link | null {
  const slash = place.indexOf("/");
  if (slash < 0) return null;
  const space = state.space(place.substring(0, slash));
  return space ? space.by_name(place.substring(slash + 1)) : null;
}

/** Makes the ends of a pair know each other; what is wrong, or "". */
export function pair(entry: LinkLine): string {
  if (entry.peer.length == 0) return "";
  const link = entry.link;
  if (entry.peer == PEER_ELSEWHERE && link.paired) return "";
  const peer = link_at(entry.peer);
  if (!peer) return `no link ${entry.peer}`;
  if (peer === link || !peer.paired || !link.paired) return `${entry.peer} cannot be the peer`;
  const other = peer.peer;
  if (other && other !== link) return `${entry.peer} has another peer`;
  link.peer = peer;
  peer.peer = link;
  return "";
}

/** What its line does not say, a link has of the one that it lies on. */
function lie(link: Link, lower: Link): void {
  link.lower = lower;
  if (!link.mtu_set) link.mtu_bytes = lower.mtu_bytes;
  if (link.kind == "macvlan") return;
  if (!link.address_set) link.address = lower.address;
  // As that has it: a vlan goes on following it.
  if (link.address == lower.address) link.address_set = false;
}

/** Lays a link on its lower one; what is wrong, or "". */
export function stack(entry: LinkLine): string {
  if (entry.lower.length == 0) return "";
  const lower = link_at(entry.lower);
  if (!lower) return `no link ${entry.lower}`;
  if (!entry.link.stacked || lower === entry.link) return `${entry.lower} cannot be the lower link`;
  lie(entry.link, lower);
  return "";
}

/** Puts a link into its master; what is wrong, or "". `complete`: as the text has that word. */
export function join(entry: LinkLine, complete: bool): string {
  if (entry.master.length == 0) return "";
  const master = entry.space.by_name(entry.master);
  if (!master) return `no link ${entry.master}`;
  if (master.switches) {
    enslave(entry.space, entry.link, master);
    // A real port may be in no VLAN at all.
    if (complete) entry.link.vlans = [];
  } else {
    entry.link.master = master.ifindex;
  }
  return "";
}

/** Once all ports are there: a bridge as its ports have it goes on following them. */
export function follow(entry: LinkLine): void {
  const link = entry.link;
  if (!link.switches) return;
  const lowest = lowest_of(entry.space.ports(link));
  if (link.address == lowest.address) link.address_set = false;
  if (link.mtu_bytes == lowest.mtu_bytes) link.mtu_set = false;
}

/** Brings a link up if its line says so; what is wrong, or "". */
export function start(entry: LinkLine, complete: bool): string {
  const link = entry.link;
  if (link.paired && !link.peer && entry.peer != PEER_ELSEWHERE) return `${link.name} has no peer`;
  if (!entry.up) return "";
  // A bridge that is up and does not work must have lost its ports.
  if (link.switches && link.operstate_given == "down") link.had_ports = true;
  if (complete) link.up = true;
  else bring_up(entry.space, link);
  return "";
}
