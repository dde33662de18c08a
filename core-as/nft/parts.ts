// What lies in our tables: for each feature its sets, base chains and rules, which are constant and
// loaded once, and the chains that elements lead to, one per subnet. Each rule carries its part's
// tag, by which a part that was flushed, or is of another version, is noticed.
//
//   table inet fairlead    masq     masq4, masq6: address -> goto the chain of its subnet
//   table bridge fairlead  spoof    spoof_ports, spoof_pairs: which MAC may come from which port
//   table inet fairlead    firewall firewall4, firewall6: addresses whose packets are accepted;
//                                   firewall_same, firewall_isolated, firewall_pairs: bridges
//   table bridge fairlead  isolation  isolated_ports: ports that exchange frames with no other
//
// A packet costs a few lookups in hash sets, however many attachments there are.
import { Cidr, cidr_parse, Ip } from "../lib/ip";
import { ifname_problem } from "../lib/name";
import { Utf8, utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { Attributes } from "./attributes";
import { Batch, ElementPlace, Family, Hook } from "./batch";
import { Rule } from "./rule";
import { SetType } from "./value";

/** A chain with its rules; a base chain has a hook. */
export class Chain {
  /** Whether its rules are others' to write: it is made when it is not there, and never flushed. */
  kept: bool = false;
  /** Elements that all share who lead to it: "SET KEY", they come and go with it. */
  shared: string[] = [];
  /** The family in whose table `filter` it needs our rule (see Override), 0 for none. */
  override_family: i32 = 0;

  constructor(
    public name: string,
    public hook: Hook | null,
    public rules: Rule[],
  ) {}
}

/** The comment of a shared element. A container's has three words. */
export const SHARED: string = "shared";

/** What one feature needs of the kernel. A new version of its chains is a new tag. */
export class Part {
  constructor(
    public name: string,
    public version: i32,
    public family: i32,
    public sets: ElementPlace[],
    public chains: Chain[],
  ) {}

  /** The comment of each of its rules. */
  get tag(): string {
    return `fairlead ${this.name} ${this.version}`;
  }

  /** Loads it, whatever was left of it; its elements stay. */
  load(batch: Batch): void {
    batch.add_table(this.family);
    for (let i = 0; i < this.sets.length; i++) {
      batch.add_set(this.family, this.sets[i].name, this.sets[i].type);
    }
    for (let i = 0; i < this.chains.length; i++) this.load_chain(batch, this.chains[i]);
  }

  /** Makes a chain anew; rules that are there go. `fresh`: EEXIST when it is there. */
  load_chain(batch: Batch, chain: Chain, fresh: bool = false): void {
    batch.add_chain(this.family, chain.name, chain.hook, fresh);
    if (chain.kept) return;
    batch.flush_chain(this.family, chain.name);
    for (let i = 0; i < chain.rules.length; i++) {
      batch.add_rule(this.family, chain.name, chain.rules[i], this.tag);
    }
  }
}

const SRCNAT = new Hook("nat", "postrouting", 4, "srcnat", 100);
const BRIDGE_DSTNAT = new Hook("filter", "prerouting", 0, "dstnat", -300);

export const MASQ: Part = new Part(
  "masq",
  1,
  Family.Inet,
  [
    new ElementPlace(Family.Inet, "masq4", new SetType("ipv4_addr", "verdict")),
    new ElementPlace(Family.Inet, "masq6", new SetType("ipv6_addr", "verdict")),
  ],
  [
    new Chain("postrouting", SRCNAT, [
      new Rule().saddr_vmap(false, "masq4"),
      new Rule().saddr_vmap(true, "masq6"),
    ]),
  ],
);

export const SPOOF: Part = new Part(
  "spoof",
  1,
  Family.Bridge,
  [
    new ElementPlace(Family.Bridge, "spoof_ports", new SetType("ifname", "")),
    new ElementPlace(Family.Bridge, "spoof_pairs", new SetType("ifname . ether_addr", "")),
  ],
  [
    new Chain("prerouting", BRIDGE_DSTNAT, [
      new Rule().iifname_in("spoof_ports").iifname_ether_saddr_not_in("spoof_pairs").drop(),
    ]),
  ],
);

/**
 * Bit of the packet mark that is ours between our two chains in the forward hook: what these accept
 * bears it, so that one constant rule in a chain of others can let it pass too. Kubernetes, the
 * reference's portmap and others have bits of their own: 0x8000, 0x4000, 0x2000, 0xffff0000.
 */
export const MARK: u32 = 0x1000;

/** Before iptables' chains at 0; after them, and after firewalld's at 10. */
export const FORWARD: Hook = new Hook("filter", "forward", 2, "filter - 5", -5);
const FORWARD_END = new Hook("filter", "forward", 2, "20", 20);
const BRIDGE_FORWARD = new Hook("filter", "forward", 2, "filter", -200);

/** The chain from which those of administrators are jumped to. */
export const ADMINS: string = "firewall-admins";

function kept(name: string): Chain {
  const chain = new Chain(name, null, []);
  chain.kept = true;
  return chain;
}

export const FIREWALL: Part = new Part(
  "firewall",
  1,
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
    new Chain("forward", FORWARD, [
      new Rule().mark_add(MARK),
      new Rule().jump(ADMINS),
      new Rule().iifname_in("firewall_isolated").oifname_in("firewall_isolated").drop(),
      new Rule().iifname_in("firewall_isolated").oifname_in("firewall_same").drop(),
      new Rule().iifname_in("firewall_same").oifname_in("firewall_isolated").drop(),
      new Rule()
        .iifname_in("firewall_same")
        .oifname_in("firewall_same")
        .iifname_oifname_not_in("firewall_pairs")
        .drop(),
      new Rule().saddr_vmap(false, "firewall4"),
      new Rule().saddr_vmap(true, "firewall6"),
      new Rule().established_related().daddr_vmap(false, "firewall4"),
      new Rule().established_related().daddr_vmap(true, "firewall6"),
      new Rule().mark_clear(MARK),
    ]),
    new Chain("forward-end", FORWARD_END, [new Rule().mark_clear(MARK)]),
  ],
);

export const ISOLATION: Part = new Part(
  "isolation",
  1,
  Family.Bridge,
  [new ElementPlace(Family.Bridge, "isolated_ports", new SetType("ifname", ""))],
  [
    new Chain("forward", BRIDGE_FORWARD, [
      new Rule().iifname_in("isolated_ports").drop(),
      new Rule().oifname_in("isolated_ports").drop(),
    ]),
  ],
);

export const PARTS: Part[] = [MASQ, SPOOF, FIREWALL, ISOLATION];

/** The part that a set of ours belongs to; null when we have no such set. */
export function part_of_set(name: string): Part | null {
  for (let i = 0; i < PARTS.length; i++) {
    for (let k = 0; k < PARTS[i].sets.length; k++) {
      if (PARTS[i].sets[k].name == name) return PARTS[i];
    }
  }
  return null;
}

/** What chains of subnets are called begins so. */
export const SUBNET_CHAIN: string = "masq-";
const ANY4 = "masq-any4";
const ANY6 = "masq-any6";

/**
 * The chain for packets of an address: which destinations are its subnet, so not masqueraded. A
 * full-length prefix has no neighbours, and all such addresses share one chain. nft's names have no
 * colons.
 */
export function subnet_chain_name(address: Cidr): string {
  if (address.bits == address.ip.width) return address.ip.v6 ? ANY6 : ANY4;
  return SUBNET_CHAIN + address.subnet().toString().replaceAll(":", "_");
}

/** The chain of a subnet by its name; null when it is no such name. */
export function subnet_chain(name: string): Chain | null {
  if (!name.startsWith(SUBNET_CHAIN)) return null;
  let v6 = name == ANY6;
  const rules = new Array<Rule>();
  if (!v6 && name != ANY4) {
    const subnet = cidr_parse(name.substring(SUBNET_CHAIN.length).replaceAll("_", ":"));
    if (!subnet || subnet_chain_name(subnet) != name || subnet.bits == 0) return null;
    v6 = subnet.ip.v6;
    rules.push(new Rule().daddr(subnet).return_());
  }
  // 224.0.0.0/4 and ff00::/8
  const multicast = v6
    ? new Cidr(new Ip(true, 0xff00000000000000, 0), 8)
    : new Cidr(new Ip(false, 0, 0xe0000000), 4);
  rules.push(new Rule().daddr(multicast).return_());
  rules.push(new Rule().masquerade());
  return new Chain(name, null, rules);
}

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
    const chain = new Chain(name, null, [new Rule().accept()]);
    chain.override_family = name == ACCEPT4 ? Family.Ip : Family.Ip6;
    return chain;
  }
  if (!name.startsWith(SAME) && !name.startsWith(ISOLATED)) return null;
  const bridge = policy_bridge(name);
  const policy = name.startsWith(SAME) ? "same-bridge" : "isolated";
  if (ifname_problem(bridge).length > 0 || policy_chain_name(policy, bridge) != name) return null;
  // A rule, so that a list of rules shows it; no packet comes here.
  const chain = new Chain(name, null, [new Rule().return_()]);
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
  for (let i = 0; i < PARTS.length; i++) {
    if (name.startsWith(`${PARTS[i].name}-`)) return false;
    for (let k = 0; k < PARTS[i].chains.length; k++) {
      if (PARTS[i].chains[k].name == name) return false;
    }
  }
  return true;
}

/** The comment of the rule that jumps to an administrator's chain. */
export function admin_tag(name: string): string {
  return `fairlead admin ${name}`;
}

/** The chain that an element of a map leads to; null when that map leads to no such chain. */
export function chain_led(set: string, name: string): Chain | null {
  if (set == "firewall_admins") return admin_name_valid(name) ? kept(name) : null;
  return set.startsWith("firewall") ? firewall_chain(name) : subnet_chain(name);
}

/**
 * Our one rule in a chain of others: in `filter` `FORWARD`, which iptables-nft makes, it accepts
 * what our chains accepted. nftables has no other way: an accept ends the chain it stands in, and a
 * drop of any chain after it still drops. iptables lists it as one of its own.
 */
export const OVERRIDE_TABLE: string = "filter";
export const OVERRIDE_CHAIN: string = "FORWARD";
export const OVERRIDE: Rule = new Rule().mark_has(MARK).counter().accept();
