// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// What the simulated kernel replies with, and writing it.
import { ByteWriter } from "../lib/utf8";
import {
  write_flag,
  write_number,
  write_text,
  write_text_or_null,
  write_texts,
} from "./write";

/** A link. */
export class LinkReply {
  /** number in its namespace */
  ifindex: i32;
  /** name */
  name: string;
  /** IFLA_INFO_KIND, "" for lo and NICs */
  kind: string;
  /** hardware address, in lower case */
  address: string;
  /** MTU */
  mtu_bytes: i32;
  /** IFF_UP */
  up: bool;
  /** IFF_PROMISC */
  promisc: bool;
  /** IFF_ALLMULTI */
  allmulti: bool;
  /** length of the transmit queue */
  txqlen: u32;
  /** state of RFC 2863 in the words of ip(8): up, down, unknown, … */
  operstate: string;
  /** ifindex of the bridge or VRF that it is in */
  master: i32;
  /** ifindex of a veth's other end */
  peer: i32;
  /** of a bridge */
  vlan_filtering: bool;
  /** routing table of a VRF */
  table: u32;
  /** ifindex of the link that it lies on, in the namespace of that */
  lower: i32;
  /** of a macvlan or ipvlan, in the words of ip(8) */
  mode: string;
  /** VLAN ID of a vlan */
  vid: i32;
  /** IFLA_IFALIAS, what somebody calls it beside its name */
  alias: string;
  /** the hardware address that it was built with */
  permaddr: string;
}

export function write_link(out: ByteWriter, from: LinkReply): void {
  out.text('{"ifindex":');
  write_number<i32>(out, from.ifindex);
  out.text(',"name":');
  write_text(out, from.name);
  out.text(',"kind":');
  write_text(out, from.kind);
  out.text(',"address":');
  write_text(out, from.address);
  out.text(',"mtu_bytes":');
  write_number<i32>(out, from.mtu_bytes);
  out.text(',"up":');
  write_flag(out, from.up);
  out.text(',"promisc":');
  write_flag(out, from.promisc);
  out.text(',"allmulti":');
  write_flag(out, from.allmulti);
  out.text(',"txqlen":');
  write_number<u32>(out, from.txqlen);
  out.text(',"operstate":');
  write_text(out, from.operstate);
  out.text(',"master":');
  write_number<i32>(out, from.master);
  out.text(',"peer":');
  write_number<i32>(out, from.peer);
  out.text(',"vlan_filtering":');
  write_flag(out, from.vlan_filtering);
  out.text(',"table":');
  write_number<u32>(out, from.table);
  out.text(',"lower":');
  write_number<i32>(out, from.lower);
  out.text(',"mode":');
  write_text(out, from.mode);
  out.text(',"vid":');
  write_number<i32>(out, from.vid);
  out.text(',"alias":');
  write_text(out, from.alias);
  out.text(',"permaddr":');
  write_text(out, from.permaddr);
  out.byte(125);
}

export function write_link_list(out: ByteWriter, from: LinkReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_link(out, from[i]);
  }
  out.byte(93);
}

/** An address of a link. */
export class AddressReply {
  /** address and prefix length */
  address: string;
  /** rtnetlink(7): 0 global, 253 link, 254 host */
  scope: i32;
  /** duplicate address detection is going on */
  tentative: bool;
  /** it found a duplicate */
  dadfailed: bool;
}

export function write_address(out: ByteWriter, from: AddressReply): void {
  out.text('{"address":');
  write_text(out, from.address);
  out.text(',"scope":');
  write_number<i32>(out, from.scope);
  out.text(',"tentative":');
  write_flag(out, from.tentative);
  out.text(',"dadfailed":');
  write_flag(out, from.dadfailed);
  out.byte(125);
}

export function write_address_list(out: ByteWriter, from: AddressReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_address(out, from[i]);
  }
  out.byte(93);
}

/** A route. */
export class RouteReply {
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
  /** MSS to advertise */
  advmss: i32 = 0;
  /** RTPROT_*, linux/rtnetlink.h */
  protocol: i32 = 0;
}

export function write_route(out: ByteWriter, from: RouteReply): void {
  out.text('{"dst":');
  write_text(out, from.dst);
  out.text(',"gw":');
  write_text(out, from.gw);
  out.text(',"src":');
  write_text(out, from.src);
  out.text(',"scope":');
  write_number<i32>(out, from.scope);
  out.text(',"table":');
  write_number<u32>(out, from.table);
  out.text(',"priority":');
  write_number<u32>(out, from.priority);
  out.text(',"mtu_bytes":');
  write_number<i32>(out, from.mtu_bytes);
  out.text(',"advmss":');
  write_number<i32>(out, from.advmss);
  out.text(',"protocol":');
  write_number<i32>(out, from.protocol);
  out.byte(125);
}

export function write_route_list(out: ByteWriter, from: RouteReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_route(out, from[i]);
  }
  out.byte(93);
}

/** A route with the link it leaves by. */
export class RouteToReply extends RouteReply {
  /** the link */
  ifindex: i32;
}

export function write_route_to(out: ByteWriter, from: RouteToReply): void {
  out.text('{"dst":');
  write_text(out, from.dst);
  out.text(',"gw":');
  write_text(out, from.gw);
  out.text(',"src":');
  write_text(out, from.src);
  out.text(',"scope":');
  write_number<i32>(out, from.scope);
  out.text(',"table":');
  write_number<u32>(out, from.table);
  out.text(',"priority":');
  write_number<u32>(out, from.priority);
  out.text(',"mtu_bytes":');
  write_number<i32>(out, from.mtu_bytes);
  out.text(',"advmss":');
  write_number<i32>(out, from.advmss);
  out.text(',"protocol":');
  write_number<i32>(out, from.protocol);
  out.text(',"ifindex":');
  write_number<i32>(out, from.ifindex);
  out.byte(125);
}

export function write_route_to_list(out: ByteWriter, from: RouteToReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_route_to(out, from[i]);
  }
  out.byte(93);
}

/** A policy routing rule. */
export class FibRuleReply {
  /** prefix of the source, "" is any */
  src: string;
  /** routing table, 0 for none */
  table: u32;
  /** its place; the least is asked first */
  priority: u32;
  /** it asks for more than the source, or does not just look into its table */
  more: bool;
}

export function write_fib_rule(out: ByteWriter, from: FibRuleReply): void {
  out.text('{"src":');
  write_text(out, from.src);
  out.text(',"table":');
  write_number<u32>(out, from.table);
  out.text(',"priority":');
  write_number<u32>(out, from.priority);
  out.text(',"more":');
  write_flag(out, from.more);
  out.byte(125);
}

export function write_fib_rule_list(out: ByteWriter, from: FibRuleReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_fib_rule(out, from[i]);
  }
  out.byte(93);
}

/** A VLAN of a bridge port. */
export class PortVlanReply {
  /** VLAN ID */
  vid: i32;
  /** untagged packets that come in are of it */
  pvid: bool;
  /** its packets go out untagged */
  untagged: bool;
}

export function write_port_vlan(out: ByteWriter, from: PortVlanReply): void {
  out.text('{"vid":');
  write_number<i32>(out, from.vid);
  out.text(',"pvid":');
  write_flag(out, from.pvid);
  out.text(',"untagged":');
  write_flag(out, from.untagged);
  out.byte(125);
}

export function write_port_vlan_list(out: ByteWriter, from: PortVlanReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_port_vlan(out, from[i]);
  }
  out.byte(93);
}

/** A qdisc; the last three members are those of a tbf. */
export class QdiscReply {
  /** TCA_KIND */
  kind: string;
  /** 0 for the kernel's own default */
  handle: u32;
  /** rate */
  rate: u64;
  /** what may wait */
  limit: u32;
  /** time of a burst */
  buffer: u32;
}

export function write_qdisc(out: ByteWriter, from: QdiscReply): void {
  out.text('{"kind":');
  write_text(out, from.kind);
  out.text(',"handle":');
  write_number<u32>(out, from.handle);
  out.text(',"rate":');
  write_number<u64>(out, from.rate);
  out.text(',"limit":');
  write_number<u32>(out, from.limit);
  out.text(',"buffer":');
  write_number<u32>(out, from.buffer);
  out.byte(125);
}

export function write_qdisc_list(out: ByteWriter, from: QdiscReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_qdisc(out, from[i]);
  }
  out.byte(93);
}

/** A filter of incoming packets. */
export class FilterReply {
  /** its place */
  pref: i32;
  /** TCA_KIND */
  kind: string;
  /** 0 for the head of a pref */
  handle: u32;
  /** ifindex of the link that it redirects to, 0 for none */
  to: i32;
}

export function write_filter(out: ByteWriter, from: FilterReply): void {
  out.text('{"pref":');
  write_number<i32>(out, from.pref);
  out.text(',"kind":');
  write_text(out, from.kind);
  out.text(',"handle":');
  write_number<u32>(out, from.handle);
  out.text(',"to":');
  write_number<i32>(out, from.to);
  out.byte(125);
}

export function write_filter_list(out: ByteWriter, from: FilterReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_filter(out, from[i]);
  }
  out.byte(93);
}

/** A rule of a table. */
export class NftRuleReply {
  /** its chain */
  chain: string;
  /** its comment */
  comment: string;
}

export function write_nft_rule(out: ByteWriter, from: NftRuleReply): void {
  out.text('{"chain":');
  write_text(out, from.chain);
  out.text(',"comment":');
  write_text(out, from.comment);
  out.byte(125);
}

export function write_nft_rule_list(out: ByteWriter, from: NftRuleReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_nft_rule(out, from[i]);
  }
  out.byte(93);
}

/** A rule of one chain. */
export class NftHandleReply {
  /** NFTA_RULE_HANDLE */
  handle: i64;
  /** its comment */
  comment: string;
  /** what its expressions are called, verdicts in the words of nft */
  does: string[];
}

export function write_nft_handle(out: ByteWriter, from: NftHandleReply): void {
  out.text('{"handle":');
  write_number<i64>(out, from.handle);
  out.text(',"comment":');
  write_text(out, from.comment);
  out.text(',"does":');
  write_texts(out, from.does);
  out.byte(125);
}

export function write_nft_handle_list(out: ByteWriter, from: NftHandleReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_nft_handle(out, from[i]);
  }
  out.byte(93);
}

/** A chain. */
export class NftChainReply {
  /** how many rules it has and rules and elements lead to it, in sum */
  use: u32;
  /** its rules */
  rules: NftHandleReply[];
}

export function write_nft_chain(out: ByteWriter, from: NftChainReply): void {
  out.text('{"use":');
  write_number<u32>(out, from.use);
  out.text(',"rules":');
  write_nft_handle_list(out, from.rules);
  out.byte(125);
}

export function write_nft_chain_list(out: ByteWriter, from: NftChainReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_nft_chain(out, from[i]);
  }
  out.byte(93);
}

/** A base chain. */
export class NftBaseReply {
  /** NFPROTO_*, linux/netfilter.h */
  family: i32;
  /** its table */
  table: string;
  /** its name */
  chain: string;
  /** place at its hook */
  priority: i32;
  /** accept or drop */
  policy: string;
}

export function write_nft_base(out: ByteWriter, from: NftBaseReply): void {
  out.text('{"family":');
  write_number<i32>(out, from.family);
  out.text(',"table":');
  write_text(out, from.table);
  out.text(',"chain":');
  write_text(out, from.chain);
  out.text(',"priority":');
  write_number<i32>(out, from.priority);
  out.text(',"policy":');
  write_text(out, from.policy);
  out.byte(125);
}

export function write_nft_base_list(out: ByteWriter, from: NftBaseReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_nft_base(out, from[i]);
  }
  out.byte(93);
}

/** An element of a set or map. */
export class NftElementReply {
  /** bytes in hex */
  key: string;
  /** bytes in hex or a verdict in the words of nft, "" in a set */
  data: string;
  /** its comment */
  comment: string;
}

export function write_nft_element(out: ByteWriter, from: NftElementReply): void {
  out.text('{"key":');
  write_text(out, from.key);
  out.text(',"data":');
  write_text(out, from.data);
  out.text(',"comment":');
  write_text(out, from.comment);
  out.byte(125);
}

export function write_nft_element_list(out: ByteWriter, from: NftElementReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_nft_element(out, from[i]);
  }
  out.byte(93);
}

/** A file and what is in it. */
export class NamedTextReply {
  /** name in its folder */
  name: string;
  /** null when it is no UTF-8 or longer than LISTED_MAX_BYTES */
  content: string | null;
}

export function write_named_text(out: ByteWriter, from: NamedTextReply): void {
  out.text('{"name":');
  write_text(out, from.name);
  out.text(',"content":');
  write_text_or_null(out, from.content);
  out.byte(125);
}

export function write_named_text_list(out: ByteWriter, from: NamedTextReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_named_text(out, from[i]);
  }
  out.byte(93);
}

/** How a program ended and what it said. */
export class EndedReply {
  /** -1 after a signal */
  exit_code: i32;
  /** name of the signal */
  signal: string;
  /** standard output */
  stdout: string;
  /** standard error */
  stderr: string;
}

export function write_ended(out: ByteWriter, from: EndedReply): void {
  out.text('{"exit_code":');
  write_number<i32>(out, from.exit_code);
  out.text(',"signal":');
  write_text(out, from.signal);
  out.text(',"stdout":');
  write_text(out, from.stdout);
  out.text(',"stderr":');
  write_text(out, from.stderr);
  out.byte(125);
}

export function write_ended_list(out: ByteWriter, from: EndedReply[]): void {
  out.byte(91);
  for (let i = 0; i < from.length; i++) {
    if (i > 0) out.byte(44);
    write_ended(out, from[i]);
  }
  out.byte(93);
}
