// What lies in our tables: for each feature its sets, base chains and rules, which are constant and
// loaded once, and the chains that elements lead to, one per subnet. Each rule carries its part's
// tag, by which a part that was flushed, or is of another version, is noticed.
//
//   table inet fairlead    masq     masq4, masq6: address -> goto the chain of its subnet
//                          portmap  hostports…: protocol and host port -> address and port, and
//                                   for whom the source is masqueraded
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

const FIREWALL_NAME = "firewall";

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
    /** What its chains of subnets are called begins so; "" when it has none. */
    public subnets: string = "",
  ) {}

  /** The chain of a name that an element of a set may lead to; null when there is none. */
  target(set: string, name: string): Chain | null {
    for (let i = 0; i < this.chains.length; i++) {
      const chain = this.chains[i];
      if (chain.name == name && !chain.hook && !chain.kept) return chain;
    }
    if (this.name != FIREWALL_NAME) return part_of_chain(name) == this ? subnet_chain(name) : null;
    if (set != "firewall_admins") return firewall_chain(name);
    return admin_name_valid(name) ? kept(name) : null;
  }

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
  "masq-",
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

const RAW = new Hook("filter", "prerouting", 0, "raw", -300);
const DSTNAT = new Hook("nat", "prerouting", 0, "dstnat", -100);
/** nft has no word for this priority at this hook. */
const OUTPUT_DSTNAT = new Hook("nat", "output", 3, "-100", -100);
const LOOPBACK = new Cidr(new Ip(false, 0, 0x7f000000), 8);

/** Ports of the host: an address where one is named goes before any address. */
function hostports(): Chain {
  return new Chain("hostports", null, [
    new Rule().dnat_by_port(false, true, "hostports_ip4"),
    new Rule().dnat_by_port(false, false, "hostports4"),
    new Rule().dnat_by_port(true, true, "hostports_ip6"),
    new Rule().dnat_by_port(true, false, "hostports6"),
  ]);
}

/** By the port as it was before: only what came through a port of the host is masqueraded. */
function hostports_postrouting(): Chain {
  const rules = new Array<Rule>();
  const protocols: string[] = ["tcp", "udp", "sctp"];
  for (let i = 0; i < protocols.length; i++) {
    for (let v6 = 0; v6 < 2; v6++) {
      const rule = new Rule().ct_status_dnat().l4proto(protocols[i]);
      rules.push(rule.daddr_original_port_vmap(v6 == 1, `hostports_snat${v6 == 1 ? 6 : 4}`));
    }
  }
  return new Chain("hostports_postrouting", SRCNAT, rules);
}

const PORT4 = "ipv4_addr . inet_proto . inet_service";
const PORT6 = "ipv6_addr . inet_proto . inet_service";
const TO4 = "ipv4_addr . inet_service";
const TO6 = "ipv6_addr . inet_service";

export const PORTMAP: Part = new Part(
  "portmap",
  1,
  Family.Inet,
  [
    new ElementPlace(
      Family.Inet,
      "hostports4",
      new SetType("inet_proto . inet_service", TO4),
      true,
    ),
    new ElementPlace(
      Family.Inet,
      "hostports6",
      new SetType("inet_proto . inet_service", TO6),
      true,
    ),
    new ElementPlace(Family.Inet, "hostports_ip4", new SetType(PORT4, TO4), true),
    new ElementPlace(Family.Inet, "hostports_ip6", new SetType(PORT6, TO6), true),
    new ElementPlace(Family.Inet, "hostports_snat4", new SetType(PORT4, "verdict")),
    new ElementPlace(Family.Inet, "hostports_snat6", new SetType(PORT6, "verdict")),
    new ElementPlace(Family.Inet, "hostports_self4", new SetType("ipv4_addr . ipv4_addr", "")),
    new ElementPlace(Family.Inet, "hostports_self6", new SetType("ipv6_addr . ipv6_addr", "")),
  ],
  [
    hostports(),
    new Chain("hostports_all", null, [new Rule().masquerade()]),
    new Chain("hostports_self4", null, [
      new Rule().saddr_daddr_in(false, "hostports_self4").masquerade(),
      new Rule().saddr(LOOPBACK).masquerade(),
    ]),
    new Chain("hostports_self6", null, [
      new Rule().saddr_daddr_in(true, "hostports_self6").masquerade(),
    ]),
    // route_localnet lets the ports of a bridge in on 127.0.0.1, and must let nobody else in.
    new Chain("hostports_raw", RAW, [new Rule().iif_not_lo().daddr(LOOPBACK).drop()]),
    new Chain("hostports_prerouting", DSTNAT, [new Rule().fib_daddr_local().goto("hostports")]),
    new Chain("hostports_output", OUTPUT_DSTNAT, [new Rule().fib_daddr_local().goto("hostports")]),
    hostports_postrouting(),
  ],
  "snat-",
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
  FIREWALL_NAME,
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

export const PARTS: Part[] = [MASQ, PORTMAP, SPOOF, FIREWALL, ISOLATION];

/** The part that a set of ours belongs to; null when we have no such set. */
export function part_of_set(name: string): Part | null {
  for (let i = 0; i < PARTS.length; i++) {
    for (let k = 0; k < PARTS[i].sets.length; k++) {
      if (PARTS[i].sets[k].name == name) return PARTS[i];
    }
  }
  return null;
}

/** The part that a chain of a subnet belongs to; null when it is no such name. */
export function part_of_chain(name: string): Part | null {
  for (let i = 0; i < PARTS.length; i++) {
    const start = PARTS[i].subnets;
    if (start.length > 0 && name.startsWith(start)) return PARTS[i];
  }
  return null;
}

const ANY4 = "masq-any4";
const ANY6 = "masq-any6";

/** What a chain of a part for a subnet is called. nft's names have no colons. */
function chain_name(part: Part, subnet: Cidr): string {
  return part.subnets + subnet.subnet().toString().replaceAll(":", "_");
}

/**
 * The chain for packets of an address: which destinations are its subnet, so not masqueraded. A
 * full-length prefix has no neighbours, and all such addresses share one chain.
 */
export function subnet_chain_name(address: Cidr): string {
  if (address.bits == address.ip.width) return address.ip.v6 ? ANY6 : ANY4;
  return chain_name(MASQ, address);
}

/**
 * The chain for packets through a port of the host to an address: which sources are masqueraded,
 * lest the answer misses the host: neighbours in its subnet, it itself, and the host's loopback.
 */
export function snat_chain_name(address: Cidr): string {
  if (address.bits == 0) return "hostports_all";
  if (address.bits == address.ip.width) return `hostports_self${address.ip.v6 ? 6 : 4}`;
  return chain_name(PORTMAP, address);
}

/** The chain of a subnet by its name; null when it is no such name. */
export function subnet_chain(name: string): Chain | null {
  const part = part_of_chain(name);
  if (!part) return null;
  if (name == ANY4 || name == ANY6) return masq_chain(name, null, name == ANY6);
  const subnet = cidr_parse(name.substring(part.subnets.length).replaceAll("_", ":"));
  if (!subnet || subnet.bits == 0 || subnet.bits == subnet.ip.width) return null;
  if (chain_name(part, subnet) != name) return null;
  if (part == MASQ) return masq_chain(name, subnet, subnet.ip.v6);
  const rules: Rule[] = [new Rule().saddr(subnet).masquerade()];
  if (!subnet.ip.v6) rules.push(new Rule().saddr(LOOPBACK).masquerade());
  return new Chain(name, null, rules);
}

function masq_chain(name: string, subnet: Cidr | null, v6: bool): Chain {
  const rules = new Array<Rule>();
  if (subnet) rules.push(new Rule().daddr(subnet).return_());
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

/**
 * Our one rule in a chain of others: in `filter` `FORWARD`, which iptables-nft makes, it accepts
 * what our chains accepted. nftables has no other way: an accept ends the chain it stands in, and a
 * drop of any chain after it still drops. iptables lists it as one of its own.
 */
export const OVERRIDE_TABLE: string = "filter";
export const OVERRIDE_CHAIN: string = "FORWARD";
export const OVERRIDE: Rule = new Rule().mark_has(MARK).counter().accept();
