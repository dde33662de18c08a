// SPDX-License-Identifier: Apache-2.0
// Putting links into bridges and VRFs in the simulated kernel, and taking them out. What a bridge
// takes from its ports is bridges.ts; making and removing links is links.ts.
import { EBUSY, EINVAL, EOPNOTSUPP } from "../lib/errno";
import { cycle } from "./addresses";
import { enslave, release } from "./bridges";
import { fail, link_of, refusal, space_of } from "./slot";
import { Link, Space } from "./state";
import { taker_of } from "./uppers";

/** Takes a link out of whatever it is in. */
export function leave(space: Space, link: Link): void {
  const master = link.master != 0 ? space.by_index(link.master) : null;
  if (master && master.routes) cycle(space, link, 0);
  else release(space, link);
}

/** Why a link cannot be in a master: 0 when it can. */
function master_refusal(link: Link, master: Link): i32 {
  if (!master.routes && !master.switches) return fail(EOPNOTSUPP);
  if (master.switches && taker_of(link)) return fail(EBUSY);
  const refusal = master.routes ? link.is.in_vrf : link.is.in_bridge;
  return refusal.errno != 0 ? fail(refusal.errno, refusal.words) : 0;
}

export function kernel_link_set_master(ns: i32, ifindex: i32, master: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  if (link.master == master) return 0;
  // What it is in lets it go before the other is asked.
  if (link.master != 0) leave(space, link);
  if (master == 0) return 0;
  const upper = space.by_index(master);
  if (!upper) return fail(EINVAL);
  const problem = master_refusal(link, upper);
  if (problem != 0) return problem;
  if (upper.routes) cycle(space, link, upper.ifindex);
  else enslave(space, link, upper);
  return 0;
}
