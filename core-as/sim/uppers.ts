// SPDX-License-Identifier: Apache-2.0
// Links that lie on another in the simulated kernel, as macvlans do: what their lower link allows
// them, and what becomes of them with it. Making one is add-upper.ts.
import { EADDRINUSE, EBUSY, EINVAL } from "../lib/errno";
import { set_mtu } from "./bridges";
import { fail } from "./slot";
import { Link, state } from "./state";

const MODES: string[] = ["private", "vepa", "bridge", "passthru", "source"];
const PASSTHRU = "passthru";

/** Whether a kind of links has a mode of that name. */
export function mode_known(kind: string, mode: string): bool {
  return kind == "macvlan" && MODES.includes(mode);
}

/** The links on a link, of all namespaces. */
export function uppers_of(lower: Link): Link[] {
  const uppers = new Array<Link>();
  for (let i = 0; i < state.spaces.length; i++) {
    const links = state.spaces[i].links;
    for (let k = 0; k < links.length; k++) if (links[k].lower === lower) uppers.push(links[k]);
  }
  return uppers;
}

/** Why one more link in that mode cannot lie on a link: 0 when it can. */
export function upper_refusal(lower: Link, mode: string): i32 {
  if (lower.loopback || lower.address.length != 17) return fail(EINVAL);
  const uppers = uppers_of(lower);
  const home = state.home(lower);
  if (uppers.length == 0) return home && home.bridge_of(lower) ? fail(EBUSY) : 0;
  return mode == PASSTHRU || uppers[0].mode == PASSTHRU ? fail(EINVAL) : 0;
}

/** Lays a new link on another. */
export function lay(upper: Link, lower: Link, mode: string): void {
  upper.lower = lower;
  upper.mode = mode;
  if (mode == PASSTHRU) upper.address = lower.address;
}

/** Why a link cannot use a hardware address together with those beside it: 0 when it can. */
export function address_refusal(link: Link, address: string): i32 {
  const lower = link.lower;
  if (!lower || link.mode == PASSTHRU) return 0;
  if (lower.address == address) return fail(EADDRINUSE);
  const uppers = uppers_of(lower);
  for (let i = 0; i < uppers.length; i++) {
    const other = uppers[i];
    if (other.up && other.address == address && other !== link) return fail(EADDRINUSE);
  }
  return 0;
}

/** A new hardware address: in mode passthru a link and its lower one have it together. */
export function share_address(link: Link): void {
  const lower = link.lower;
  if (lower && link.mode == PASSTHRU) {
    lower.address = link.address;
    lower.address_set = true;
  }
  const uppers = uppers_of(link);
  if (uppers.length == 1 && uppers[0].mode == PASSTHRU) uppers[0].address = link.address;
}

/** A link on another carries no larger packets. */
export function mtu_follow(lower: Link): void {
  const uppers = uppers_of(lower);
  for (let i = 0; i < uppers.length; i++) {
    const home = state.home(uppers[i]);
    if (home && uppers[i].mtu_bytes > lower.mtu_bytes) set_mtu(home, uppers[i], lower.mtu_bytes);
  }
}
