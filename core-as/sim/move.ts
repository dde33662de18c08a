// SPDX-License-Identifier: Apache-2.0
// Moving a link of the simulated kernel into another namespace, and what it leaves behind.
import { EEXIST, EINVAL, ERANGE } from "../lib/errno";
import { bring_down, drop_addrs } from "./addresses";
import { flush } from "./fib";
import { Knob } from "./knobs";
import { NAME_MAX_BYTES, name_refusal } from "./links";
import { leave } from "./masters";
import { fail, link_of, refusal, space_of, text_of } from "./slot";
import { Link, Space } from "./state";
import { redirect_nowhere } from "./tc";

/** Takes from a link what it has of its namespace, which it then is no more in. */
function uproot(space: Space, link: Link): void {
  redirect_nowhere(space, link);
  bring_down(space, link);
  drop_addrs(space, link, true);
  drop_addrs(space, link, false);
  flush(space, link, false);
  if (link.master != 0) leave(space, link);
  link.root = null;
  link.ingress = null;
  link.filters = [];
  space.links.splice(space.links.indexOf(link), 1);
}

/** Puts a link among those of a namespace, by ifindex: its own where that is free. */
function plant(space: Space, link: Link): void {
  if (space.by_index(link.ifindex)) link.ifindex = ++space.last_ifindex;
  else space.last_ifindex = max(space.last_ifindex, link.ifindex);
  let at = 0;
  while (at < space.links.length && space.links[at].ifindex < link.ifindex) at++;
  // An array of this compiler grows at its end alone.
  space.links.push(link);
  for (let i = space.links.length - 1; i > at; i--) space.links[i] = space.links[i - 1];
  space.links[at] = link;
  link.conf = space.conf_default.copy();
  if (link.is.no_arp) link.conf.set(Knob.AcceptDad, -1);
}

export function kernel_link_set_netns(
  ns: i32,
  ifindex: i32,
  netns: i32,
  name: usize,
  name_len: i32,
): i32 {
  const space = space_of(ns);
  const far = space ? space_of(netns) : null;
  const wanted = far ? text_of(name, name_len) : null;
  if (!space || !far || wanted == null) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  if (name_len > NAME_MAX_BYTES) return fail(ERANGE, "Attribute failed policy validation");
  if (link.name == wanted && space === far) return 0;
  if (space !== far) {
    if (link.is.stays) return fail(EINVAL, "The interface netns is immutable");
    if (far.by_name(link.name)) {
      if (far.by_name(wanted)) {
        const words = `Unable to use '${wanted}' for the new interface name in the target netns`;
        return fail(EEXIST, words);
      }
      const problem = name_refusal(far, wanted);
      if (problem != 0) return problem;
      link.name = wanted;
    }
    uproot(space, link);
    plant(far, link);
    if (link.name == wanted) return 0;
  }
  // Renamed once it is there: a name that is taken leaves it under its own.
  const problem = name_refusal(far, wanted);
  if (problem == 0) link.name = wanted;
  return problem;
}
