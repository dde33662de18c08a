// SPDX-License-Identifier: Apache-2.0
// All that lies in our tables, by part, and which part a set is of.
//
//   table inet fairlead    masq, portmap (subnets.ts), firewall, marks (firewall.ts)
//   table bridge fairlead  spoof    spoof_ports, spoof_pairs: which MAC may come from which port
//                          isolation (firewall.ts)
//
// A packet costs a few lookups in hash sets, however many attachments there are.
import { ElementPlace, Family, Hook } from "./batch";
import { FIREWALL, ISOLATION, MARKS } from "./firewall";
import { Chain, Part } from "./part";
import { Rule } from "./rule";
import { MASQ, PORTMAP } from "./subnets";
import { SetType } from "./value";

const BRIDGE_DSTNAT = new Hook("filter", "prerouting", 0, "dstnat", -300);

export const SPOOF: Part = new Part(
  "spoof",
  1,
  Family.Bridge,
  [
    new ElementPlace(Family.Bridge, "spoof_ports", new SetType("ifname", "")),
    new ElementPlace(Family.Bridge, "spoof_pairs", new SetType("ifname . ether_addr", "")),
  ],
  [
    new Chain("prerouting", BRIDGE_DSTNAT, () => [
      new Rule().iifname_in("spoof_ports").iifname_ether_saddr_not_in("spoof_pairs").drop(),
    ]),
  ],
);

export const PARTS: Part[] = [MASQ, PORTMAP, SPOOF, FIREWALL, MARKS, ISOLATION];

/** The part that a set of ours belongs to; null when we have no such set. */
export function part_of_set(name: string): Part | null {
  for (let i = 0; i < PARTS.length; i++) {
    for (let k = 0; k < PARTS[i].sets.length; k++) {
      if (PARTS[i].sets[k].name == name) return PARTS[i];
    }
  }
  return null;
}
