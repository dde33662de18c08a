// SPDX-License-Identifier: Apache-2.0
// Operations on links of the simulated kernel. What differs by their kind is in kinds.ts; a kind
// that has a row there alone can be looked at but not made.
import { EADDRNOTAVAIL, EEXIST, EINVAL, ENODEV, EOPNOTSUPP, ERANGE } from "../lib/errno";
import { ifname_problem } from "../lib/name";
import { bring_down, bring_up, drop_addrs } from "./addresses";
import { enslave, follow_ports, set_mtu } from "./bridges";
import { flush } from "./fib";
import { kind_of, LinkKind } from "./kinds";
import { leave } from "./masters";
import { operstate } from "./operstate";
import { LinkReply, write_link, write_link_list } from "./replies.gen";
import { fail, link_of, refusal, refuse, refused, reply, space_of, text_of } from "./slot";
import { ADDRESS_ZERO, Link, Space, state } from "./state";
import { redirect_nowhere } from "./tc";
import {
  address_refusal,
  mtu_follow,
  mtu_refusal,
  raise,
  share_address,
  sink,
  up_refusal,
} from "./uppers";

export const NAME_MAX_BYTES: i32 = 15;

/** Octets in lower case, as many as the link's kind has; "" when malformed. */
export function hardware_octets(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length % 3 != 2) return "";
  for (let i = 0; i < lower.length; i++) {
    const c = lower.charCodeAt(i);
    const hex = (c >= 48 && c <= 57) || (c >= 97 && c <= 102);
    if (i % 3 == 2 ? c != 58 : !hex) return "";
  }
  return lower;
}

/** The six octets of Ethernet in lower case, "" when malformed. */
function hardware_parse(text: string): string {
  return text.length == 17 ? hardware_octets(text) : "";
}

/** Neither zero nor multicast. */
function is_unicast(address: string): bool {
  return address != ADDRESS_ZERO && (I32.parseInt(address.substring(0, 2), 16) & 1) == 0;
}

function remove(space: Space, link: Link): void {
  const uppers = state.uppers_of(link);
  for (let i = 0; i < uppers.length; i++) {
    const home = state.home(uppers[i]);
    if (home) remove(home, uppers[i]);
  }
  redirect_nowhere(space, link);
  bring_down(space, link);
  drop_addrs(space, link, true);
  drop_addrs(space, link, false);
  flush(space, link, false);
  const ports = space.ports(link);
  for (let i = 0; i < ports.length; i++) leave(space, ports[i]);
  space.links.splice(space.links.indexOf(link), 1);
  if (link.master != 0) leave(space, link);
}

/** Why a link cannot be made under a name: 0 when it can. */
export function name_refusal(space: Space, name: string): i32 {
  if (String.UTF8.byteLength(name) > NAME_MAX_BYTES) {
    return fail(ERANGE, "Attribute failed policy validation");
  }
  if (space.by_name(name)) return fail(EEXIST);
  return ifname_problem(name).length > 0 ? fail(EINVAL) : 0;
}

export function kernel_link_get(ns: i32, name: usize, name_len: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const wanted = text_of(name, name_len);
  if (wanted == null) return refusal;
  const link = space.by_name(wanted);
  return link ? describe(space, link) : fail(ENODEV);
}

export function kernel_link_get_index(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  return link ? describe(space, link) : refusal;
}

export function kernel_link_list(ns: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const links = new Array<LinkReply>();
  for (let i = 0; i < space.links.length; i++) links.push(told(space, space.links[i]));
  write_link_list(reply(), links);
  return 0;
}

function describe(space: Space, link: Link): i32 {
  write_link(reply(), told(space, link));
  return 0;
}

function told(space: Space, link: Link): LinkReply {
  const peer = link.peer;
  const lower = link.lower;
  return {
    ifindex: link.ifindex,
    name: link.name,
    kind: link.kind,
    address: link.address,
    mtu_bytes: link.mtu_bytes,
    up: link.up,
    promisc: link.promisc,
    allmulti: link.allmulti,
    txqlen: link.txqlen,
    operstate: operstate(space, link),
    master: link.master,
    peer: peer ? peer.ifindex : 0,
    vlan_filtering: link.vlan_filtering,
    table: link.table,
    lower: lower ? lower.ifindex : 0,
    mode: link.mode,
    vid: link.vid,
    alias: link.alias,
    permaddr: link.permaddr,
  };
}

/** Why a kind of links cannot have an MTU, in the kernel's words; "" when it can. */
function mtu_problem(kind: LinkKind, mtu_bytes: i32): string {
  if (mtu_bytes < kind.mtu_min_bytes) return "mtu less than device minimum";
  return mtu_bytes > kind.mtu_max_bytes ? "mtu greater than device maximum" : "";
}

/** A link that is asked for; address "" and MTU 0 are left to the kernel. */
class Wanted {
  name: string;
  kind: string;
  address: string = "";
  mtu_bytes: i32 = 0;
}

/** Makes a link, down; null after a refusal. */
function make(space: Space, wanted: Wanted): Link | null {
  const problem = name_refusal(space, wanted.name);
  if (problem != 0) {
    refused(problem);
    return null;
  }
  const mtu_bytes = wanted.mtu_bytes;
  const words = mtu_bytes != 0 ? mtu_problem(kind_of(wanted.kind), mtu_bytes) : "";
  if (words.length > 0) {
    refuse(EINVAL, words);
    return null;
  }
  const link = space.add_link(wanted.name, wanted.kind);
  // Chosen here, the MTU of a bridge still follows the ports that come.
  if (mtu_bytes != 0) link.mtu_bytes = mtu_bytes;
  if (wanted.address.length > 0) link.address = wanted.address;
  return link;
}

/** A hardware address as asked for: "" to leave it to the kernel, null after a refusal. */
function wanted_address(ptr: usize, len: i32): string | null {
  if (len == 0) return "";
  const text = text_of(ptr, len);
  if (text == null) return null;
  const address = hardware_parse(text);
  if (address.length == 0) refuse(EINVAL, `not a hardware address: ${text}`);
  else if (!is_unicast(address)) refuse(EADDRNOTAVAIL, "");
  else return address;
  return null;
}

/** Makes a link of a kind as an operation asks for it, down; null after a refusal. */
export function make_asked(
  ns: i32,
  kind: string,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
  mtu_bytes: i32,
): Link | null {
  const space = space_of(ns);
  const wanted = space ? text_of(name, name_len) : null;
  if (!space || wanted == null) return null;
  const own = wanted_address(address, address_len);
  if (own == null) return null;
  return make(space, { name: wanted, kind, address: own, mtu_bytes });
}

export function kernel_link_add_bridge(
  ns: i32,
  name: usize,
  name_len: i32,
  mtu_bytes: i32,
  vlan_filtering: i32,
): i32 {
  const bridge = make_asked(ns, "bridge", name, name_len, 0, 0, mtu_bytes);
  if (!bridge) return refusal;
  bridge.vlan_filtering = vlan_filtering != 0;
  return 0;
}

export function kernel_link_add_vrf(ns: i32, name: usize, name_len: i32, table: i32): i32 {
  const space = space_of(ns);
  const wanted = space ? text_of(name, name_len) : null;
  if (!space || wanted == null) return refusal;
  const problem = name_refusal(space, wanted);
  if (problem != 0) return problem;
  if (table == 0) return fail(EINVAL, "Invalid VRF table id");
  const link = make(space, { name: wanted, kind: "vrf" });
  if (!link) return refusal;
  link.table = <u32>table;
  return 0;
}

export function kernel_link_add_dummy(
  ns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
): i32 {
  return make_asked(ns, "dummy", name, name_len, address, address_len, 0) ? 0 : refusal;
}

export function kernel_link_add_ifb(
  ns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
  mtu_bytes: i32,
): i32 {
  const space = space_of(ns);
  const link = make_asked(ns, "ifb", name, name_len, address, address_len, mtu_bytes);
  if (!space || !link) return refusal;
  link.txqlen = 0;
  bring_up(space, link);
  return 0;
}

export function kernel_link_add_veth(
  ns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
  mtu_bytes: i32,
  master: i32,
  peer_ns: i32,
  peer_name: usize,
  peer_name_len: i32,
  peer_address: usize,
  peer_address_len: i32,
): i32 {
  const space = space_of(ns);
  const far = space ? space_of(peer_ns) : null;
  const near_name = space && far ? text_of(name, name_len) : null;
  const far_name = near_name != null ? text_of(peer_name, peer_name_len) : null;
  if (!space || !far || near_name == null || far_name == null) return refusal;
  const near_address = wanted_address(address, address_len);
  if (near_address == null) return refusal;
  const far_address = wanted_address(peer_address, peer_address_len);
  if (far_address == null) return refusal;
  if (mtu_bytes != 0 && mtu_problem(kind_of("veth"), mtu_bytes).length > 0) return fail(EINVAL);
  let problem = name_refusal(space, near_name);
  if (problem == 0) problem = name_refusal(far, far_name);
  if (problem != 0) return problem;
  if (space === far && near_name == far_name) return fail(EEXIST);
  const bridge = master != 0 ? space.by_index(master) : null;
  if (master != 0 && !bridge) return fail(EINVAL);
  if (bridge && !bridge.switches) return fail(EOPNOTSUPP);
  // The peer is registered first, so it has the lower index where both lie in one namespace.
  const peer = make(far, { name: far_name, kind: "veth", address: far_address, mtu_bytes });
  const link = make(space, { name: near_name, kind: "veth", address: near_address, mtu_bytes });
  if (!peer || !link) return refusal;
  link.peer = peer;
  peer.peer = link;
  if (bridge) enslave(space, link, bridge);
  bring_up(space, link);
  return 0;
}

export function kernel_link_set_up(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  if (link.up) return 0;
  const problem = up_refusal(link);
  if (problem != 0) return problem;
  raise(space, link);
  return 0;
}

export function kernel_link_set_name(ns: i32, ifindex: i32, name: usize, name_len: i32): i32 {
  const space = space_of(ns);
  const wanted = space ? text_of(name, name_len) : null;
  if (!space || wanted == null) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  if (link.name == wanted) return 0;
  const problem = name_refusal(space, wanted);
  if (problem == 0) link.name = wanted;
  return problem;
}

export function kernel_link_set_down(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  sink(space, link);
  return 0;
}

export function kernel_link_set_promisc(ns: i32, ifindex: i32, on: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  link.promisc = on != 0;
  return 0;
}

export function kernel_link_set_allmulti(ns: i32, ifindex: i32, on: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  link.allmulti = on != 0;
  return 0;
}

export function kernel_link_set_txqlen(ns: i32, ifindex: i32, txqlen: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  link.txqlen = txqlen;
  return 0;
}

export function kernel_link_set_mtu(ns: i32, ifindex: i32, mtu_bytes: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  const problem = mtu_problem(link.is, mtu_bytes);
  if (problem.length > 0) return fail(EINVAL, problem);
  if (link.mtu_bytes == mtu_bytes) return 0;
  const refused_here = mtu_refusal(link, mtu_bytes);
  if (refused_here != 0) return refused_here;
  set_mtu(space, link, mtu_bytes);
  mtu_follow(link);
  link.mtu_set = true;
  const bridge = link.master != 0 ? space.by_index(link.master) : null;
  if (bridge) follow_ports(space, bridge);
  return 0;
}

export function kernel_link_set_address(
  ns: i32,
  ifindex: i32,
  address: usize,
  address_len: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const text = text_of(address, address_len);
  if (text == null) return refusal;
  const wanted = hardware_parse(text);
  if (wanted.length == 0) return fail(EINVAL, `not a hardware address: ${text}`);
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  if (link.is.address_fixed) return fail(EOPNOTSUPP);
  if (!is_unicast(wanted)) return fail(EADDRNOTAVAIL);
  const busy = link.address == wanted ? 0 : address_refusal(link, wanted);
  if (busy != 0) return busy;
  link.address = wanted;
  link.address_set = true;
  share_address(link);
  const bridge = space.bridge_of(link);
  if (bridge) follow_ports(space, bridge);
  return 0;
}

export function kernel_link_del(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  if (!link.is.made) return fail(EOPNOTSUPP);
  const peer = link.peer;
  const far = peer ? state.home(peer) : null;
  remove(space, link);
  if (peer && far) remove(far, peer);
  return 0;
}
