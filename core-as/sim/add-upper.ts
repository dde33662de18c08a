// SPDX-License-Identifier: Apache-2.0
// Making links that lie on another in the simulated kernel. What becomes of them is uppers.ts.
import { EINVAL, ENODEV } from "../lib/errno";
import { make_asked } from "./links";
import { fail, refusal, space_of, text_of } from "./slot";
import { lay, mode_known, upper_refusal } from "./uppers";

/** MACVLAN_DEFAULT_BC_QUEUE_LEN, drivers/net/macvlan.c. */
const BCQUEUELEN_DEFAULT: i32 = 1000;

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
  const below = space.by_index(lower);
  // On a macvlan it lies beside that.
  const own = below ? below.lower : null;
  const under = own ? own : below;
  let problem = 0;
  if (lower == 0) problem = fail(EINVAL);
  else if (!under) problem = fail(ENODEV);
  else if (mtu_bytes > under.mtu_bytes) problem = fail(EINVAL);
  else problem = upper_refusal(under, wanted);
  if (problem != 0 || !under) {
    far.links.pop();
    far.last_ifindex--;
    return problem;
  }
  if (mtu_bytes == 0) link.mtu_bytes = under.mtu_bytes;
  lay(link, under, wanted);
  link.bcqueuelen = bcqueuelen == BCQUEUELEN_DEFAULT ? 0 : <u32>bcqueuelen;
  return 0;
}
