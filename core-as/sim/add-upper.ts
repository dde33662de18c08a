// SPDX-License-Identifier: Apache-2.0
// Making links that lie on another in the simulated kernel. What becomes of them is uppers.ts.
import { EINVAL, ENODEV, ERANGE } from "../lib/errno";
import { make_asked } from "./links";
import { fail, refusal, space_of, text_of } from "./slot";
import { Link, Space } from "./state";
import { lay, mode_known, upper_refusal, vlan_refusal } from "./uppers";

/** MACVLAN_DEFAULT_BC_QUEUE_LEN, drivers/net/macvlan.c. */
const BCQUEUELEN_DEFAULT: i32 = 1000;
const VID_MAX: i32 = 4094;
/** VLAN_VID_MASK, linux/if_vlan.h. */
const VID_MASK: i32 = 0xfff;

/** Lays a new link on another, or takes it back when there is a reason against; gives that. */
function settle(far: Space, link: Link, under: Link | null, mode: string, problem: i32): i32 {
  if (problem != 0 || !under) {
    far.links.pop();
    far.last_ifindex--;
    return problem;
  }
  lay(link, under, mode);
  return 0;
}

/** What a link lies on that is to lie on another: on one of its own kind it lies beside that. */
function under_of(space: Space, lower: i32, kind: string): Link | null {
  const below = space.by_index(lower);
  const own = below && below.kind == kind ? below.lower : null;
  return own ? own : below;
}

export function kernel_link_add_macvlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: usize,
  name_len: i32,
  address: usize,
  address_len: i32,
  mtu_bytes: i32,
  mode: usize,
  mode_len: i32,
  bcqueuelen: i32,
): i32 {
  const space = space_of(ns);
  const far = space ? space_of(netns) : null;
  const wanted = far ? text_of(mode, mode_len) : null;
  if (!space || !far || wanted == null) return refusal;
  if (!mode_known("macvlan", wanted)) return fail(EINVAL, `not a mode of a macvlan: ${wanted}`);
  const link = make_asked(netns, "macvlan", name, name_len, address, address_len, mtu_bytes);
  if (!link) return refusal;
  const under = under_of(space, lower, "macvlan");
  let problem = 0;
  if (lower == 0) problem = fail(EINVAL);
  else if (!under) problem = fail(ENODEV);
  else if (mtu_bytes > under.mtu_bytes) problem = fail(EINVAL);
  else problem = upper_refusal(under, "macvlan", wanted);
  if (under && mtu_bytes == 0) link.mtu_bytes = under.mtu_bytes;
  link.bcqueuelen = bcqueuelen == BCQUEUELEN_DEFAULT ? 0 : <u32>bcqueuelen;
  return settle(far, link, under, wanted, problem);
}

export function kernel_link_add_ipvlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: usize,
  name_len: i32,
  mtu_bytes: i32,
  mode: usize,
  mode_len: i32,
): i32 {
  const space = space_of(ns);
  const far = space ? space_of(netns) : null;
  const wanted = far ? text_of(mode, mode_len) : null;
  if (!space || !far || wanted == null) return refusal;
  if (!mode_known("ipvlan", wanted)) return fail(EINVAL, `not a mode of an ipvlan: ${wanted}`);
  const link = make_asked(netns, "ipvlan", name, name_len, 0, 0, mtu_bytes);
  if (!link) return refusal;
  const under = under_of(space, lower, "ipvlan");
  let problem = 0;
  if (lower == 0) problem = fail(EINVAL);
  else if (!under) problem = fail(ENODEV);
  else problem = upper_refusal(under, "ipvlan", wanted);
  if (under && mtu_bytes == 0) link.mtu_bytes = under.mtu_bytes;
  return settle(far, link, under, wanted, problem);
}

export function kernel_link_add_vlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: usize,
  name_len: i32,
  mtu_bytes: i32,
  vid: i32,
): i32 {
  const space = space_of(ns);
  const far = space ? space_of(netns) : null;
  if (!space || !far) return refusal;
  if ((vid & ~VID_MASK) != 0) return fail(ERANGE, `not a VLAN ID: ${vid}`);
  if (vid > VID_MAX) return fail(ERANGE, "8021q: Invalid VLAN id");
  const link = make_asked(netns, "vlan", name, name_len, 0, 0, mtu_bytes);
  if (!link) return refusal;
  const under = space.by_index(lower);
  let problem = 0;
  if (lower == 0) problem = fail(EINVAL, "8021q: link not specified");
  else if (!under) problem = fail(ENODEV, "8021q: link does not exist");
  else problem = vlan_refusal(under, vid);
  if (problem == 0 && under && mtu_bytes > under.mtu_bytes) problem = fail(EINVAL);
  if (under && mtu_bytes == 0) link.mtu_bytes = under.mtu_bytes;
  link.vid = vid;
  return settle(far, link, under, "", problem);
}
