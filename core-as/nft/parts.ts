// What lies in our tables: for each feature its sets, base chains and rules, which are constant and
// loaded once, and the chains that elements lead to, one per subnet. Each rule carries its part's
// tag, by which a part that was flushed, or is of another version, is noticed.
//
//   table inet fairlead    masq     masq4, masq6: address -> goto the chain of its subnet
//   table bridge fairlead  spoof    spoof_ports, spoof_pairs: which MAC may come from which port
//
// A packet costs one or two lookups in hash sets, however many attachments there are.
import { Cidr, cidr_parse, Ip } from "../lib/ip";
import { Batch, ElementPlace, Family, Hook } from "./batch";
import { Rule } from "./rule";
import { SetType } from "./value";

/** A chain with its rules; a base chain has a hook. */
export class Chain {
  constructor(
    public name: string,
    public hook: Hook | null,
    public rules: Rule[],
  ) {}
}

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

  /** Makes a chain anew; rules that are there go. */
  load_chain(batch: Batch, chain: Chain): void {
    batch.add_chain(this.family, chain.name, chain.hook);
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

export const PARTS: Part[] = [MASQ, SPOOF];

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
