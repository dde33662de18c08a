// SPDX-License-Identifier: Apache-2.0
// The parts of the firewall, and the chains that its elements lead to.
//
//   table inet fairlead    firewall   firewall_same, firewall_isolated, firewall_pairs: bridges
//                                     apart; firewall4, firewall6: addresses that are let pass
//                          marks      the same chains, and marks on what passes, for chains of
//                                     others in which a constant rule lets pass what bears them
//   table bridge fairlead  isolation  isolated_ports: ports that exchange frames with no other
//
// A flow is decided by its first packet: what is established passes at the second rule, unless an
// administrator says otherwise at the first. Marks are loaded only where somebody needs them
// (passage.ts): a chain of ours that accepts changes nothing for the chains of others.
import { ifname_problem } from "../lib/name";
import { Utf8, utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { Attributes } from "./attributes";
import { ElementPlace, Family, Hook } from "./batch";
import { Chain, kept, Part, with_rules } from "./part";
import { Rule } from "./rule";
import { MASQ, OPEN4, OPEN6, PORTMAP } from "./subnets";
import { SetType } from "./value";

/**
 * Bits of the packet mark that are ours between our two chains in the forward hook: what the
 * firewall accepts bears ACCEPTED, what comes through a port of the host or answers there THROUGH.
 * So a constant rule in a chain of others can let it pass too. Kubernetes, the reference's portmap
 * and others have bits of their own: 0x8000, 0x4000, 0x2000, 0xffff0000.
 */
export const ACCEPTED: u32 = 0x1000;
export const THROUGH: u32 = 0x800;

/** Before iptables' chains at 0; after them, and after firewalld's at 10. */
export const FORWARD: Hook = new Hook("filter", "forward", 2, "filter - 5", -5);
const FORWARD_END = new Hook("filter", "forward", 2, "20", 20);
const BRIDGE_FORWARD = new Hook("filter", "forward", 2, "filter", -200);

/** The chain from which those of administrators are jumped to. */
export const ADMINS: string = "firewall-admins";
const KNOWN = "firewall-known";
const UNKNOWN = "firewall-unknown";
const PORTS = "firewall-ports";

class FirewallPart extends Part {
  target(set: string, name: string): Chain | null {
    if (set != "firewall_admins") return firewall_chain(name);
    return admin_name_valid(name) ? kept(name) : null;
  }
}

/** Which new connections between bridges are dropped. */
function apart(): Rule[] {
  return [
    new Rule().iifname_in("firewall_isolated").oifname_in("firewall_isolated").drop(),
    new Rule().iifname_in("firewall_isolated").oifname_in("firewall_same").drop(),
    new Rule().iifname_in("firewall_same").oifname_in("firewall_isolated").drop(),
    new Rule()
      .iifname_in("firewall_same")
      .oifname_in("firewall_same")
      .iifname_oifname_not_in("firewall_pairs")
      .drop(),
  ];
}

export const FIREWALL: Part = new FirewallPart(
  "firewall",
  2,
  Family.Inet,
  [
    new ElementPlace(Family.Inet, "firewall4", new SetType("ipv4_addr", "verdict")),
    new ElementPlace(Family.Inet, "firewall6", new SetType("ipv6_addr", "verdict")),
    // No packet is looked up in these two: they hold the chains that an attachment needs.
    new ElementPlace(Family.Inet, "firewall_policies", new SetType("ifname", "verdict")),
    new ElementPlace(Family.Inet, "firewall_admins", new SetType("ifname", "verdict")),
    new ElementPlace(Family.Inet, "firewall_same", new SetType("ifname", "")),
    new ElementPlace(Family.Inet, "firewall_isolated", new SetType("ifname", "")),
    new ElementPlace(Family.Inet, "firewall_pairs", new SetType("ifname . ifname", "")),
  ],
  [
    kept(ADMINS),
    new Chain("forward", FORWARD, () =>
      [new Rule().jump(ADMINS), new Rule().established_related().accept()].concat(apart()),
    ),
  ],
);

/** What came through a port of ours, told by the flow as it was before: both directions of it. */
function ports(): Rule[] {
  const rules = new Array<Rule>();
  const protocols: string[] = ["tcp", "udp", "sctp"];
  for (let i = 0; i < protocols.length; i++) {
    for (let v6 = 0; v6 < 2; v6++) {
      const rule = new Rule().l4proto(protocols[i]);
      const set = v6 == 1 ? OPEN6.name : OPEN4.name;
      rules.push(rule.reply_saddr_original_port_in(v6 == 1, set).mark_add(THROUGH));
    }
  }
  // Errors about such a flow, as that a packet is too large.
  rules.push(new Rule().icmp(false).related().mark_add(THROUGH));
  rules.push(new Rule().icmp(true).related().mark_add(THROUGH));
  return rules;
}

/** The end of those that nothing accepted. */
function unknown(): Rule[] {
  return [new Rule().mark_clear(ACCEPTED), new Rule().ct_status_dnat().goto(PORTS)];
}

/** The forward hook, where packets are marked. */
function marking(): Rule[] {
  const rules: Rule[] = [
    new Rule().mark_set(ACCEPTED, THROUGH),
    new Rule().jump(ADMINS),
    new Rule().established_related().goto(KNOWN),
  ];
  return rules
    .concat(apart())
    .concat([
      new Rule().saddr_vmap(false, "firewall4"),
      new Rule().saddr_vmap(true, "firewall6"),
      new Rule().goto(UNKNOWN),
    ]);
}

/**
 * The same with marks. An `accept` of an administrator leaves the mark on the packet, and a packet
 * that comes with one of the bits set gains nothing by it.
 */
export const MARKS: Part = new Part(
  "marks",
  1,
  Family.Inet,
  [],
  [
    kept(ADMINS),
    new Chain(PORTS, null, ports),
    new Chain(UNKNOWN, null, unknown),
    new Chain(KNOWN, null, () => [
      new Rule().saddr_vmap(false, "firewall4"),
      new Rule().saddr_vmap(true, "firewall6"),
      new Rule().daddr_vmap(false, "firewall4"),
      new Rule().daddr_vmap(true, "firewall6"),
      new Rule().goto(UNKNOWN),
    ]),
    new Chain("forward", FORWARD, marking),
    new Chain("forward-end", FORWARD_END, () => [new Rule().mark_clear(ACCEPTED | THROUGH)]),
  ],
);
FIREWALL.richer = MARKS;
// Version 1 had the last of these itself. Who leads to another comes before it.
FIREWALL.retired = [
  new Chain("forward-end", FORWARD_END),
  new Chain(KNOWN, null),
  new Chain(UNKNOWN, null),
  new Chain(PORTS, null),
];
MARKS.borrowed = FIREWALL.sets.concat([OPEN4, OPEN6]);

export const ISOLATION: Part = new Part(
  "isolation",
  1,
  Family.Bridge,
  [new ElementPlace(Family.Bridge, "isolated_ports", new SetType("ifname", ""))],
  [
    new Chain("forward", BRIDGE_FORWARD, () => [
      new Rule().iifname_in("isolated_ports").drop(),
      new Rule().oifname_in("isolated_ports").drop(),
    ]),
  ],
);

/** What chains of the firewall begin with that elements lead to. */
export const FIREWALL_CHAIN: string = "firewall-";
export const ACCEPT4: string = "firewall-accept4";
export const ACCEPT6: string = "firewall-accept6";
const SAME = "firewall-same-";
const ISOLATED = "firewall-isolated-";

/** The chain that stands for an ingressPolicy of a bridge: it is there while somebody wants it. */
export function policy_chain_name(policy: string, bridge: string): string {
  const prefix = policy == "isolated" ? ISOLATED : SAME;
  let name = "";
  const bytes = new Utf8(bridge);
  for (let i = 0; i < bytes.len; i++) {
    const byte = load<u8>(bytes.ptr + i);
    const plain =
      (byte >= 0x30 && byte <= 0x39) ||
      ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) ||
      byte == 0x2d ||
      byte == 0x2e;
    // nft takes few characters in a name.
    name += plain ? String.fromCharCode(byte) : "_" + <string>byte.toString(16).padStart(2, "0");
  }
  return prefix + name;
}

function policy_bridge(name: string): string {
  const encoded = name.substring(name.startsWith(SAME) ? SAME.length : ISOLATED.length);
  const bytes = new Attributes();
  for (let i = 0; i < encoded.length; i++) {
    const code = encoded.charCodeAt(i);
    bytes.byte(code == 0x5f ? I32.parseInt(encoded.substring(i + 1, i + 3), 16) : code);
    if (code == 0x5f) i += 2;
  }
  return utf8_invalid_at(bytes.ptr, bytes.len) < 0 ? utf8_decode(bytes.ptr, bytes.len) : "";
}

/** A chain of the firewall that elements lead to, by its name; null when it is no such name. */
export function firewall_chain(name: string): Chain | null {
  if (name == ACCEPT4 || name == ACCEPT6) {
    return with_rules(name, [new Rule().accept()]);
  }
  if (!name.startsWith(SAME) && !name.startsWith(ISOLATED)) return null;
  const bridge = policy_bridge(name);
  const policy = name.startsWith(SAME) ? "same-bridge" : "isolated";
  if (ifname_problem(bridge).length > 0 || policy_chain_name(policy, bridge) != name) return null;
  // A rule, so that a list of rules shows it; no packet comes here.
  const chain = with_rules(name, [new Rule().return_()]);
  if (policy == "isolated") chain.shared = [`firewall_isolated ${bridge}`];
  else chain.shared = [`firewall_same ${bridge}`, `firewall_pairs ${bridge} . ${bridge}`];
  return chain;
}

const ADMIN_MAX = 64;

/** Whether an administrator's chain may have a name: one that nft takes, and none of ours. */
export function admin_name_valid(name: string): bool {
  if (name.length == 0 || name.length > ADMIN_MAX) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    const inner = (code >= 0x30 && code <= 0x39) || code == 0x2d || code == 0x2e || code == 0x5f;
    if (!letter && (i == 0 || !inner)) return false;
  }
  const parts: Part[] = [MASQ, PORTMAP, FIREWALL, MARKS];
  for (let i = 0; i < parts.length; i++) {
    if (name.startsWith(`${parts[i].name}-`) || named(parts[i].chains, name)) return false;
    if (named(parts[i].retired, name)) return false;
  }
  return true;
}

function named(chains: Chain[], name: string): bool {
  for (let i = 0; i < chains.length; i++) if (chains[i].name == name) return true;
  return false;
}

/** The comment of the rule that jumps to an administrator's chain. */
export function admin_tag(name: string): string {
  return `fairlead admin ${name}`;
}

/** The rule in FORWARD of iptables by which packets with a bit of our mark pass. */
export function pass_rule(bit: u32): Rule {
  return new Rule().mark_has(bit).counter().accept();
}

/** The rule that leads to a chain of an administrator. */
export function admin_rule(name: string): Rule {
  return new Rule().counter().jump(name);
}
