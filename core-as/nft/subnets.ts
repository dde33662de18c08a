// SPDX-License-Identifier: Apache-2.0
// Parts whose maps lead to a chain per subnet: masquerading, and ports of the host.
//
//   table inet fairlead    masq     masq4, masq6: address -> goto the chain of its subnet
//                          portmap  hostports…: protocol and host port -> address and port, for
//                                   whom the source is masqueraded, and whose packets are let pass
import { Cidr, cidr_parse, Ip } from "../lib/ip";
import { ElementPlace, Family, Hook } from "./batch";
import { Chain, Part, with_rules } from "./part";
import { Rule } from "./rule";
import { SetType } from "./value";

/** One whose elements lead to chains of subnets, too. */
class SubnetPart extends Part {
  target(set: string, name: string): Chain | null {
    const chain = super.target(set, name);
    if (chain) return chain;
    return part_of_chain(name) == this ? subnet_chain(name) : null;
  }
}

const SRCNAT = new Hook("nat", "postrouting", 4, "srcnat", 100);

export const MASQ: Part = new SubnetPart(
  "masq",
  1,
  Family.Inet,
  [
    new ElementPlace(Family.Inet, "masq4", new SetType("ipv4_addr", "verdict")),
    new ElementPlace(Family.Inet, "masq6", new SetType("ipv6_addr", "verdict")),
  ],
  [
    new Chain("postrouting", SRCNAT, () => [
      new Rule().saddr_vmap(false, "masq4"),
      new Rule().saddr_vmap(true, "masq6"),
    ]),
  ],
  "masq-",
);

const RAW = new Hook("filter", "prerouting", 0, "raw", -300);
const INPUT = new Hook("filter", "input", 1, "filter", 0);
const DSTNAT = new Hook("nat", "prerouting", 0, "dstnat", -100);
/** nft has no word for this priority at this hook. */
const OUTPUT_DSTNAT = new Hook("nat", "output", 3, "-100", -100);
const LOOPBACK = new Cidr(new Ip(false, 0, 0x7f000000), 8);

/** Ports of the host: an address where one is named goes before any address. */
function hostports(): Rule[] {
  return [
    new Rule().dnat_by_port(false, true, "hostports_ip4"),
    new Rule().dnat_by_port(false, false, "hostports4"),
    new Rule().dnat_by_port(true, true, "hostports_ip6"),
    new Rule().dnat_by_port(true, false, "hostports6"),
  ];
}

/** By the port as it was before: only what came through a port of the host is masqueraded. */
function hostports_postrouting(): Rule[] {
  const rules = new Array<Rule>();
  const protocols: string[] = ["tcp", "udp", "sctp"];
  for (let i = 0; i < protocols.length; i++) {
    for (let v6 = 0; v6 < 2; v6++) {
      const rule = new Rule().ct_status_dnat().l4proto(protocols[i]);
      rules.push(rule.daddr_original_port_vmap(v6 == 1, `hostports_snat${v6 == 1 ? 6 : 4}`));
    }
  }
  return rules;
}

const PORT4 = "ipv4_addr . inet_proto . inet_service";
const PORT6 = "ipv6_addr . inet_proto . inet_service";
const TO4 = "ipv4_addr . inet_service";
const TO6 = "ipv6_addr . inet_service";

/**
 * Ports of the host by the container that they lead to: what comes through is let pass in the
 * forward hook (firewall.ts).
 */
export const OPEN4: ElementPlace = new ElementPlace(
  Family.Inet,
  "hostports_open4",
  new SetType(PORT4, ""),
);
export const OPEN6: ElementPlace = new ElementPlace(
  Family.Inet,
  "hostports_open6",
  new SetType(PORT6, ""),
);

export const PORTMAP: Part = new SubnetPart(
  "portmap",
  2,
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
    OPEN4,
    OPEN6,
    new ElementPlace(Family.Inet, "hostports_self4", new SetType("ipv4_addr . ipv4_addr", "")),
    new ElementPlace(Family.Inet, "hostports_self6", new SetType("ipv6_addr . ipv6_addr", "")),
  ],
  [
    new Chain("hostports", null, hostports),
    new Chain("hostports_all", null, () => [new Rule().masquerade()]),
    new Chain("hostports_self4", null, () => [
      new Rule().saddr_daddr_in(false, "hostports_self4").masquerade(),
      new Rule().saddr(LOOPBACK).masquerade(),
    ]),
    new Chain("hostports_self6", null, () => [
      new Rule().saddr_daddr_in(true, "hostports_self6").masquerade(),
    ]),
    // route_localnet lets the ports of a bridge in on 127.0.0.1, and must let nobody else in. New
    // connections pass here, others only by a flow that passed; what is not tracked is for input.
    new Chain("hostports_prerouting", DSTNAT, () => [
      new Rule().iif_not_lo().daddr(LOOPBACK).drop(),
      new Rule().fib_daddr_local().goto("hostports"),
    ]),
    new Chain("hostports_input", INPUT, () => [
      new Rule().iif_not_lo().daddr(LOOPBACK).not_established().drop(),
    ]),
    new Chain("hostports_output", OUTPUT_DSTNAT, () => [
      new Rule().fib_daddr_local().goto("hostports"),
    ]),
    new Chain("hostports_postrouting", SRCNAT, hostports_postrouting),
  ],
  "snat-",
);
// Version 1 had it.
PORTMAP.retired = [new Chain("hostports_raw", RAW)];

/** The part that a chain of a subnet belongs to; null when it is no such name. */
export function part_of_chain(name: string): Part | null {
  if (name.startsWith(MASQ.subnets)) return MASQ;
  return name.startsWith(PORTMAP.subnets) ? PORTMAP : null;
}

const ANY4 = "masq-any4";
const ANY6 = "masq-any6";

/** nft's names have no colons. */
function nft_name(subnet: Cidr): string {
  return subnet.toString().replaceAll(":", "_");
}

/** What a chain of a part for a subnet is called. */
function chain_name(part: Part, subnet: Cidr): string {
  return part.subnets + nft_name(subnet.subnet());
}

/** Parts the subnets in the name of a chain of several. */
const AND = "--";

/**
 * The chain for packets of an address: which destinations are its subnet or one of `spared`, so
 * not masqueraded. A full-length prefix has no neighbours; such addresses share one chain.
 */
export function subnet_chain_name(address: Cidr, spared: Cidr[] = []): string {
  const v6 = address.ip.v6;
  const subnets = new Array<Cidr>();
  for (let i = 0; i < spared.length; i++) {
    if (spared[i].ip.v6 == v6) spared_add(subnets, spared[i].subnet());
  }
  if (address.bits < address.ip.width) spared_add(subnets, address.subnet());
  if (subnets.length == 0) return v6 ? ANY6 : ANY4;
  const names = new Array<string>();
  for (let i = 0; i < subnets.length; i++) names.push(nft_name(subnets[i]));
  return MASQ.subnets + names.join(AND);
}

/** Adds a subnet unless it lies in one of the list. */
function spared_add(list: Cidr[], subnet: Cidr): void {
  for (let i = 0; i < list.length; i++) {
    if (list[i].bits <= subnet.bits && list[i].contains(subnet.ip)) return;
  }
  list.push(subnet);
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
  if (part == MASQ) return masq_chain(name);
  const subnet = cidr_parse(name.substring(part.subnets.length).replaceAll("_", ":"));
  if (!subnet || subnet.bits == 0 || subnet.bits == subnet.ip.width) return null;
  if (chain_name(part, subnet) != name) return null;
  const rules: Rule[] = [new Rule().saddr(subnet).masquerade()];
  if (!subnet.ip.v6) rules.push(new Rule().saddr(LOOPBACK).masquerade());
  return with_rules(name, rules);
}

function masq_chain(name: string): Chain | null {
  const subnets = new Array<Cidr>();
  let v6 = name == ANY6;
  if (name != ANY4 && name != ANY6) {
    const names = name.substring(MASQ.subnets.length).split(AND);
    for (let i = 0; i < names.length; i++) {
      const subnet = cidr_parse(names[i].replaceAll("_", ":"));
      if (!subnet || subnet.bits == 0 || nft_name(subnet.subnet()) != names[i]) return null;
      if (i > 0 && subnet.ip.v6 != v6) return null;
      v6 = subnet.ip.v6;
      subnets.push(subnet);
    }
  }
  const rules = new Array<Rule>();
  for (let i = 0; i < subnets.length; i++) rules.push(new Rule().daddr(subnets[i]).return_());
  // 224.0.0.0/4 and ff00::/8
  const multicast = v6
    ? new Cidr(new Ip(true, 0xff00000000000000, 0), 8)
    : new Cidr(new Ip(false, 0, 0xe0000000), 4);
  rules.push(new Rule().daddr(multicast).return_());
  rules.push(new Rule().masquerade());
  return with_rules(name, rules);
}
