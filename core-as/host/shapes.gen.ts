// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// What operations reply with, and reading it.
import { JsonValue } from "../lib/json";
import { bool_at, int_at, list_at, text_or_null, texts_of, wide_at } from "./reply";

/** A link. */
export class Link {
  /** number in its namespace */
  ifindex: i32 = 0;
  /** name */
  name: string = "";
  /** IFLA_INFO_KIND, "" for lo and NICs */
  kind: string = "";
  /** hardware address, in lower case */
  address: string = "";
  /** MTU */
  mtu_bytes: i32 = 0;
  /** IFF_UP */
  up: bool = false;
  /** IFF_PROMISC */
  promisc: bool = false;
  /** IFF_ALLMULTI */
  allmulti: bool = false;
  /** length of the transmit queue, in packets */
  txqlen: u32 = 0;
  /** state of RFC 2863 in the words of ip(8): up, down, unknown, … */
  operstate: string = "";
  /** ifindex of the bridge or VRF that it is in */
  master: i32 = 0;
  /** ifindex of a veth's other end */
  peer: i32 = 0;
  /** of a bridge */
  vlan_filtering: bool = false;
  /** routing table of a VRF */
  table: u32 = 0;
  /** ifindex of the link that it lies on, in the namespace of that */
  lower: i32 = 0;
  /** of a macvlan or ipvlan, in the words of ip(8) */
  mode: string = "";
  /** VLAN ID of a vlan */
  vid: i32 = 0;
  /** IFLA_IFALIAS, what somebody calls it beside its name */
  alias: string = "";
  /** the hardware address that it was built with */
  permaddr: string = "";
}

export function link_of(from: JsonValue): Link {
  const to = new Link();
  to.ifindex = int_at(from, "ifindex");
  to.name = from.text_at("name");
  to.kind = from.text_at("kind");
  to.address = from.text_at("address");
  to.mtu_bytes = int_at(from, "mtu_bytes");
  to.up = bool_at(from, "up");
  to.promisc = bool_at(from, "promisc");
  to.allmulti = bool_at(from, "allmulti");
  to.txqlen = <u32>wide_at(from, "txqlen");
  to.operstate = from.text_at("operstate");
  to.master = int_at(from, "master");
  to.peer = int_at(from, "peer");
  to.vlan_filtering = bool_at(from, "vlan_filtering");
  to.table = <u32>wide_at(from, "table");
  to.lower = int_at(from, "lower");
  to.mode = from.text_at("mode");
  to.vid = int_at(from, "vid");
  to.alias = from.text_at("alias");
  to.permaddr = from.text_at("permaddr");
  return to;
}

export function link_list_of(from: JsonValue): Link[] {
  const list = new Array<Link>();
  for (let i = 0; i < from.items.length; i++) list.push(link_of(from.items[i]));
  return list;
}

/** An address of a link. */
export class Address {
  /** address and prefix length */
  address: string = "";
  /** rtnetlink(7): 0 global, 253 link, 254 host */
  scope: i32 = 0;
  /** duplicate address detection is going on */
  tentative: bool = false;
  /** it found a duplicate */
  dadfailed: bool = false;
}

export function address_of(from: JsonValue): Address {
  const to = new Address();
  to.address = from.text_at("address");
  to.scope = int_at(from, "scope");
  to.tentative = bool_at(from, "tentative");
  to.dadfailed = bool_at(from, "dadfailed");
  return to;
}

export function address_list_of(from: JsonValue): Address[] {
  const list = new Array<Address>();
  for (let i = 0; i < from.items.length; i++) list.push(address_of(from.items[i]));
  return list;
}

/** A route. */
export class Route {
  /** destination, always with its prefix length */
  dst: string = "";
  /** gateway */
  gw: string = "";
  /** preferred source */
  src: string = "";
  /** rtnetlink(7) */
  scope: i32 = 0;
  /** routing table; 254 is main */
  table: u32 = 0;
  /** metric */
  priority: u32 = 0;
  /** MTU of the path */
  mtu_bytes: i32 = 0;
  /** MSS to advertise, in bytes */
  advmss: i32 = 0;
  /** RTPROT_*, linux/rtnetlink.h */
  protocol: i32 = 0;
}

function route_fill(to: Route, from: JsonValue): void {
  to.dst = from.text_at("dst");
  to.gw = from.text_at("gw");
  to.src = from.text_at("src");
  to.scope = int_at(from, "scope");
  to.table = <u32>wide_at(from, "table");
  to.priority = <u32>wide_at(from, "priority");
  to.mtu_bytes = int_at(from, "mtu_bytes");
  to.advmss = int_at(from, "advmss");
  to.protocol = int_at(from, "protocol");
}

export function route_of(from: JsonValue): Route {
  const to = new Route();
  route_fill(to, from);
  return to;
}

export function route_list_of(from: JsonValue): Route[] {
  const list = new Array<Route>();
  for (let i = 0; i < from.items.length; i++) list.push(route_of(from.items[i]));
  return list;
}

/** A route with the link it leaves by. */
export class RouteTo extends Route {
  /** the link */
  ifindex: i32 = 0;
}

export function route_to_of(from: JsonValue): RouteTo {
  const to = new RouteTo();
  route_fill(to, from);
  to.ifindex = int_at(from, "ifindex");
  return to;
}

export function route_to_list_of(from: JsonValue): RouteTo[] {
  const list = new Array<RouteTo>();
  for (let i = 0; i < from.items.length; i++) list.push(route_to_of(from.items[i]));
  return list;
}

/** A policy routing rule. */
export class FibRule {
  /** prefix of the source, "" is any */
  src: string = "";
  /** routing table, 0 for none */
  table: u32 = 0;
  /** its place; the least is asked first */
  priority: u32 = 0;
  /** it asks for more than the source, or does not just look into its table */
  more: bool = false;
}

export function fib_rule_of(from: JsonValue): FibRule {
  const to = new FibRule();
  to.src = from.text_at("src");
  to.table = <u32>wide_at(from, "table");
  to.priority = <u32>wide_at(from, "priority");
  to.more = bool_at(from, "more");
  return to;
}

export function fib_rule_list_of(from: JsonValue): FibRule[] {
  const list = new Array<FibRule>();
  for (let i = 0; i < from.items.length; i++) list.push(fib_rule_of(from.items[i]));
  return list;
}

/** A VLAN of a bridge port. */
export class PortVlan {
  /** VLAN ID */
  vid: i32 = 0;
  /** untagged packets that come in are of it */
  pvid: bool = false;
  /** its packets go out untagged */
  untagged: bool = false;
}

export function port_vlan_of(from: JsonValue): PortVlan {
  const to = new PortVlan();
  to.vid = int_at(from, "vid");
  to.pvid = bool_at(from, "pvid");
  to.untagged = bool_at(from, "untagged");
  return to;
}

export function port_vlan_list_of(from: JsonValue): PortVlan[] {
  const list = new Array<PortVlan>();
  for (let i = 0; i < from.items.length; i++) list.push(port_vlan_of(from.items[i]));
  return list;
}

/** A qdisc; the last three members are those of a tbf. */
export class Qdisc {
  /** TCA_KIND */
  kind: string = "";
  /** 0 for the kernel's own default */
  handle: u32 = 0;
  /** rate, in bytes a second */
  rate: u64 = 0;
  /** what may wait, in bytes */
  limit: u32 = 0;
  /** time of a burst, in 64 ns */
  buffer: u32 = 0;
}

export function qdisc_of(from: JsonValue): Qdisc {
  const to = new Qdisc();
  to.kind = from.text_at("kind");
  to.handle = <u32>wide_at(from, "handle");
  to.rate = <u64>wide_at(from, "rate");
  to.limit = <u32>wide_at(from, "limit");
  to.buffer = <u32>wide_at(from, "buffer");
  return to;
}

export function qdisc_list_of(from: JsonValue): Qdisc[] {
  const list = new Array<Qdisc>();
  for (let i = 0; i < from.items.length; i++) list.push(qdisc_of(from.items[i]));
  return list;
}

/** A filter of incoming packets. */
export class Filter {
  /** its place */
  pref: i32 = 0;
  /** TCA_KIND */
  kind: string = "";
  /** 0 for the head of a pref */
  handle: u32 = 0;
  /** ifindex of the link that it redirects to, 0 for none */
  to: i32 = 0;
}

export function filter_of(from: JsonValue): Filter {
  const to = new Filter();
  to.pref = int_at(from, "pref");
  to.kind = from.text_at("kind");
  to.handle = <u32>wide_at(from, "handle");
  to.to = int_at(from, "to");
  return to;
}

export function filter_list_of(from: JsonValue): Filter[] {
  const list = new Array<Filter>();
  for (let i = 0; i < from.items.length; i++) list.push(filter_of(from.items[i]));
  return list;
}

/** A rule of a table. */
export class NftRule {
  /** its chain */
  chain: string = "";
  /** its comment */
  comment: string = "";
}

export function nft_rule_of(from: JsonValue): NftRule {
  const to = new NftRule();
  to.chain = from.text_at("chain");
  to.comment = from.text_at("comment");
  return to;
}

export function nft_rule_list_of(from: JsonValue): NftRule[] {
  const list = new Array<NftRule>();
  for (let i = 0; i < from.items.length; i++) list.push(nft_rule_of(from.items[i]));
  return list;
}

/** A rule of one chain. */
export class NftHandle {
  /** NFTA_RULE_HANDLE */
  handle: i64 = 0;
  /** its comment */
  comment: string = "";
  /** what its expressions are called, verdicts in the words of nft */
  does: string[] = [];
}

export function nft_handle_of(from: JsonValue): NftHandle {
  const to = new NftHandle();
  to.handle = wide_at(from, "handle");
  to.comment = from.text_at("comment");
  to.does = texts_of(list_at(from, "does"));
  return to;
}

export function nft_handle_list_of(from: JsonValue): NftHandle[] {
  const list = new Array<NftHandle>();
  for (let i = 0; i < from.items.length; i++) list.push(nft_handle_of(from.items[i]));
  return list;
}

/** A chain. */
export class NftChain {
  /** how many rules it has and rules and elements lead to it, in sum */
  use: u32 = 0;
  /** its rules */
  rules: NftHandle[] = [];
}

export function nft_chain_of(from: JsonValue): NftChain {
  const to = new NftChain();
  to.use = <u32>wide_at(from, "use");
  to.rules = nft_handle_list_of(list_at(from, "rules"));
  return to;
}

export function nft_chain_list_of(from: JsonValue): NftChain[] {
  const list = new Array<NftChain>();
  for (let i = 0; i < from.items.length; i++) list.push(nft_chain_of(from.items[i]));
  return list;
}

/** A base chain. */
export class NftBase {
  /** NFPROTO_*, linux/netfilter.h */
  family: i32 = 0;
  /** its table */
  table: string = "";
  /** its name */
  chain: string = "";
  /** place at its hook */
  priority: i32 = 0;
  /** accept or drop */
  policy: string = "";
}

export function nft_base_of(from: JsonValue): NftBase {
  const to = new NftBase();
  to.family = int_at(from, "family");
  to.table = from.text_at("table");
  to.chain = from.text_at("chain");
  to.priority = int_at(from, "priority");
  to.policy = from.text_at("policy");
  return to;
}

export function nft_base_list_of(from: JsonValue): NftBase[] {
  const list = new Array<NftBase>();
  for (let i = 0; i < from.items.length; i++) list.push(nft_base_of(from.items[i]));
  return list;
}

/** An element of a set or map. */
export class NftElement {
  /** bytes in hex */
  key: string = "";
  /** bytes in hex or a verdict in the words of nft, "" in a set */
  data: string = "";
  /** its comment */
  comment: string = "";
}

export function nft_element_of(from: JsonValue): NftElement {
  const to = new NftElement();
  to.key = from.text_at("key");
  to.data = from.text_at("data");
  to.comment = from.text_at("comment");
  return to;
}

export function nft_element_list_of(from: JsonValue): NftElement[] {
  const list = new Array<NftElement>();
  for (let i = 0; i < from.items.length; i++) list.push(nft_element_of(from.items[i]));
  return list;
}

/** A file and what is in it. */
export class NamedText {
  /** name in its folder */
  name: string = "";
  /** null when it is no UTF-8 or longer than LISTED_MAX_BYTES */
  content: string | null = null;
}

export function named_text_of(from: JsonValue): NamedText {
  const to = new NamedText();
  to.name = from.text_at("name");
  to.content = text_or_null(from, "content");
  return to;
}

export function named_text_list_of(from: JsonValue): NamedText[] {
  const list = new Array<NamedText>();
  for (let i = 0; i < from.items.length; i++) list.push(named_text_of(from.items[i]));
  return list;
}

/** How a program ended and what it said. */
export class Ended {
  /** -1 after a signal */
  exit_code: i32 = 0;
  /** name of the signal */
  signal: string = "";
  /** standard output */
  stdout: string = "";
  /** standard error */
  stderr: string = "";
}

export function ended_of(from: JsonValue): Ended {
  const to = new Ended();
  to.exit_code = int_at(from, "exit_code");
  to.signal = from.text_at("signal");
  to.stdout = from.text_at("stdout");
  to.stderr = from.text_at("stderr");
  return to;
}

export function ended_list_of(from: JsonValue): Ended[] {
  const list = new Array<Ended>();
  for (let i = 0; i < from.items.length; i++) list.push(ended_of(from.items[i]));
  return list;
}
