// SPDX-License-Identifier: Apache-2.0
// Whether a link works (RFC 2863 operational state), from the links it depends on.
import { Depends } from "./kinds";
import { Link, Space, state } from "./state";

/** The link's medium is there; it says nothing of a link that is down. */
export function carrier(space: Space, link: Link): bool {
  if (link.is.depends == Depends.Ports) {
    if (!link.had_ports) return true;
    const ports = space.ports(link);
    for (let i = 0; i < ports.length; i++) {
      if (ports[i].up && carrier(space, ports[i])) return true;
    }
    return false;
  }
  const peer = link.peer;
  if (peer) return link.up && peer.up;
  const lower = link.lower;
  if (lower) return link.up && works(lower);
  return link.operstate_given == "up" || link.operstate_given == "unknown";
}

/** A link that others lie on is up and has its medium. */
function works(lower: Link): bool {
  const home = state.home(lower);
  return home !== null && lower.up && carrier(home, lower);
}

export function operstate(space: Space, link: Link): string {
  if (!link.up) return "down";
  if (link.is.depends == Depends.Ports) {
    if (!link.had_ports) return "unknown";
    return carrier(space, link) ? "up" : "down";
  }
  const peer = link.peer;
  if (peer) return peer.up ? "up" : "lowerlayerdown";
  const lower = link.lower;
  if (link.is.operstate_vague) return "unknown";
  if (lower) return works(lower) ? "up" : "lowerlayerdown";
  return link.operstate_given;
}
