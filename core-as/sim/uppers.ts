// SPDX-License-Identifier: Apache-2.0
// Links that lie on another in the simulated kernel, as macvlans, ipvlans and vlans do: what their
// lower link allows them, and what becomes of them with it. Making one is add-upper.ts.
import { EADDRINUSE, EBUSY, EEXIST, EINVAL, ENETDOWN, EOPNOTSUPP, ERANGE } from "../lib/errno";
import { bring_down, bring_up } from "./addresses";
import { set_mtu } from "./bridges";
import { fail } from "./slot";
import { Link, Space, state } from "./state";

const MODES: string[] = ["private", "vepa", "bridge", "passthru", "source"];
const IPVLAN_MODES: string[] = ["l2", "l3", "l3s"];
const PASSTHRU = "passthru";

/** Whether a kind of links has a mode of that name. */
export function mode_known(kind: string, mode: string): bool {
  if (kind == "ipvlan") return IPVLAN_MODES.includes(mode);
  return kind == "macvlan" && MODES.includes(mode);
}

/** The first link on another that takes its frames before anybody else: a vlan does not. */
export function taker_of(lower: Link): Link | null {
  const uppers = state.uppers_of(lower);
  for (let i = 0; i < uppers.length; i++) if (uppers[i].kind != "vlan") return uppers[i];
  return null;
}

/** Why one more link of a kind, in that mode, cannot take a link's frames: 0 when it can. */
export function upper_refusal(lower: Link, kind: string, mode: string): i32 {
  if (lower.loopback || lower.address.length != 17 || lower.is.frames_kept) return fail(EINVAL);
  const first = taker_of(lower);
  const home = state.home(lower);
  if (!first) return home && home.bridge_of(lower) ? fail(EBUSY) : 0;
  if (first.kind != kind) return fail(EBUSY);
  return mode == PASSTHRU || first.mode == PASSTHRU ? fail(EINVAL) : 0;
}

/** Why one more vlan cannot lie on a link: 0 when it can. */
export function vlan_refusal(lower: Link, vid: i32): i32 {
  if (lower.is.vlans_refused) return fail(EOPNOTSUPP, "8021q: VLANs not supported on device");
  const uppers = state.uppers_of(lower);
  for (let i = 0; i < uppers.length; i++) {
    if (uppers[i].kind != "vlan" || uppers[i].vid != vid) continue;
    return fail(EEXIST, "8021q: VLAN device already exists");
  }
  return 0;
}

/** Whether links of a kind have the hardware address of what they lie on. */
function inherits(link: Link): bool {
  return link.kind == "ipvlan" || (link.kind == "vlan" && !link.address_set);
}

/** Lays a new link on another. */
export function lay(upper: Link, lower: Link, mode: string): void {
  upper.lower = lower;
  upper.mode = mode;
  if (mode == PASSTHRU || inherits(upper)) upper.address = lower.address;
  if (upper.kind != "ipvlan") return;
  // Its mode is that of all of them.
  const uppers = state.uppers_of(lower);
  for (let i = 0; i < uppers.length; i++) if (uppers[i].kind == "ipvlan") uppers[i].mode = mode;
}

/** Why a link cannot use a hardware address together with those beside it: 0 when it can. */
export function address_refusal(link: Link, address: string): i32 {
  const lower = link.lower;
  if (!lower || link.kind != "macvlan" || link.mode == PASSTHRU) return 0;
  if (lower.address == address) return fail(EADDRINUSE);
  const uppers = state.uppers_of(lower);
  for (let i = 0; i < uppers.length; i++) {
    const other = uppers[i];
    const beside = other.kind == "macvlan" && other !== link;
    if (beside && other.up && other.address == address) return fail(EADDRINUSE);
  }
  return 0;
}

/** Why a link cannot be brought up: 0 when it can. */
export function up_refusal(link: Link): i32 {
  const lower = link.lower;
  if (link.kind == "vlan" && lower && !lower.up) return fail(ENETDOWN);
  return address_refusal(link, link.address);
}

/** Brings a link up, and the vlans on it; a vlan then has the address of what it lies on by now. */
export function raise(space: Space, link: Link): void {
  const lower = link.lower;
  if (lower && inherits(link)) link.address = lower.address;
  bring_up(space, link);
  const uppers = state.uppers_of(link);
  for (let i = 0; i < uppers.length; i++) {
    const home = state.home(uppers[i]);
    if (home && uppers[i].kind == "vlan" && !uppers[i].up) raise(home, uppers[i]);
  }
}

/** Takes a link down, and the vlans on it. */
export function sink(space: Space, link: Link): void {
  bring_down(space, link);
  const uppers = state.uppers_of(link);
  for (let i = 0; i < uppers.length; i++) {
    const home = state.home(uppers[i]);
    if (home && uppers[i].kind == "vlan" && uppers[i].up) sink(home, uppers[i]);
  }
}

/** A new hardware address: in mode passthru a link and its lower one have it together. */
export function share_address(link: Link): void {
  const lower = link.lower;
  if (lower && link.mode == PASSTHRU) {
    lower.address = link.address;
    lower.address_set = true;
  }
  pass_address(link);
}

/** What lies on a link that has another address now: a vlan that is down learns it later. */
function pass_address(link: Link): void {
  const uppers = state.uppers_of(link);
  for (let i = 0; i < uppers.length; i++) {
    const upper = uppers[i];
    const follows = inherits(upper) && (upper.up || upper.kind != "vlan");
    if (upper.mode != PASSTHRU && !follows) continue;
    upper.address = link.address;
    pass_address(upper);
  }
}

/** Why a link cannot have an MTU for what it lies on: 0 when it can. */
export function mtu_refusal(link: Link, mtu_bytes: i32): i32 {
  const lower = link.lower;
  if (!lower || link.kind == "ipvlan" || mtu_bytes <= lower.mtu_bytes) return 0;
  return fail(link.kind == "vlan" ? ERANGE : EINVAL);
}

/** A link on another carries no larger packets; an ipvlan gets every MTU of that. */
export function mtu_follow(lower: Link): void {
  const uppers = state.uppers_of(lower);
  const mtu_bytes = lower.mtu_bytes;
  for (let i = 0; i < uppers.length; i++) {
    const home = state.home(uppers[i]);
    const follows = uppers[i].mtu_bytes > mtu_bytes || uppers[i].kind == "ipvlan";
    if (!home || !follows) continue;
    set_mtu(home, uppers[i], mtu_bytes);
    mtu_follow(uppers[i]);
  }
}
