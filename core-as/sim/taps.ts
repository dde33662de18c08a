// SPDX-License-Identifier: Apache-2.0
// Taps of the simulated kernel, and what links of all kinds are called beside their names.
import { EEXIST, EINVAL } from "../lib/errno";
import { ifname_problem } from "../lib/name";
import { fail, link_of, refusal, space_of, text_of } from "./slot";

/** IFALIASZ of linux/if.h, less the NUL byte. */
const ALIAS_MAX_BYTES: i32 = 255;

export function kernel_link_add_tap(
  ns: i32,
  name: usize,
  name_len: i32,
  multi_queue: i32,
  owner: i32,
  group: i32,
): i32 {
  const space = space_of(ns);
  const wanted = space ? text_of(name, name_len) : null;
  if (!space || wanted == null) return refusal;
  if (ifname_problem(wanted).length > 0) return fail(EINVAL);
  if (space.by_name(wanted)) return fail(EEXIST);
  const link = space.add_link(wanted, "tun");
  link.multi_queue = multi_queue != 0;
  // -1, of nobody, is no number of a user.
  link.owner = owner == -1 ? -1 : <i64>(<u32>owner);
  link.group = group == -1 ? -1 : <i64>(<u32>group);
  return 0;
}

export function kernel_link_set_alias(ns: i32, ifindex: i32, alias: usize, alias_len: i32): i32 {
  const space = space_of(ns);
  const wanted = space ? text_of(alias, alias_len) : null;
  if (!space || wanted == null) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  if (alias_len > ALIAS_MAX_BYTES) return fail(EINVAL);
  link.alias = wanted;
  return 0;
}
