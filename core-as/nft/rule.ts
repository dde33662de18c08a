// SPDX-License-Identifier: Apache-2.0
// Rules as nft would compile them: each method adds a statement in nft's words and the expressions
// that nft sends for it, registers and order included, so that `nft list` shows the words again.
import { Cidr } from "../lib/ip";
import { Attributes } from "./attributes";
import { goto_write, ip_write, protocol_number } from "./value";

/** linux/netfilter/nf_tables.h */
const NFT_META_MARK = 3;
const NFT_META_IIF = 4;
const NFT_META_IIFNAME = 6;
const NFT_META_OIFNAME = 7;
const NFT_META_NFPROTO = 15;
const NFT_META_L4PROTO = 16;
const NFT_PAYLOAD_LL_HEADER = 0;
const NFT_PAYLOAD_NETWORK_HEADER = 1;
const NFT_PAYLOAD_TRANSPORT_HEADER = 2;
const NFT_CMP_EQ = 0;
const NFT_CMP_NEQ = 1;
const NFT_CT_STATUS = 2;
const NFT_CT_PROTO_DST = 12;
const NFT_CT_SRC_IP = 19;
const NFT_CT_SRC_IP6 = 21;
/** IP_CT_DIR_ORIGINAL, IP_CT_DIR_REPLY; the packet's own where none is named. */
const ORIGINAL = 0;
const REPLY = 1;
const OWN = -1;
const NFT_FIB_RESULT_ADDRTYPE = 3;
const NFTA_FIB_F_DADDR = 2;
const NFT_NAT_DNAT = 1;
/** linux/netfilter/nf_conntrack_common.h IPS_DST_NAT */
const IPS_DST_NAT = 0x20;
/** linux/in.h, linux/in6.h */
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
/** linux/rtnetlink.h RTN_LOCAL */
const RTN_LOCAL = 2;
/** The loopback interface is the first of every namespace. */
const LO_IFINDEX = 1;
const NFT_LOOKUP_F_INV = 1;
const NFT_CT_STATE = 0;
const NFT_JUMP = -3;
const NFT_RETURN = -5;
const NF_DROP = 0;
const NF_ACCEPT = 1;
/**
 * Register 1 has 16 bytes, and register 2 follows it. NFT_REG32_00 is the same memory in pieces of
 * four bytes, numbered from 8: a concatenation's fields lie one after the other.
 */
const REG_VERDICT = 0;
const REG_1 = 1;
const REG_2 = 2;
const REG32_01 = 9;
const REG32_02 = 10;
const REG32_05 = 13;
/** NFPROTO_IPV4, NFPROTO_IPV6. */
const IPV4 = 2;
const IPV6 = 10;
/** NF_CT_STATE_BIT of IP_CT_ESTABLISHED and IP_CT_RELATED, of either direction. */
const ESTABLISHED_RELATED = 0x6;
const RELATED = 0x4;
/** NF_CT_STATE_INVALID_BIT, that of IP_CT_NEW, NF_CT_STATE_UNTRACKED_BIT. */
const INVALID_NEW_UNTRACKED = 0x49;

export class Rule {
  words: string = "";
  expressions: Attributes = new Attributes();

  protected open(name: string): StaticArray<i32> {
    const element = this.expressions.nest(1);
    this.expressions.name(1, name);
    return [element, this.expressions.nest(2)];
  }
  protected close(nests: StaticArray<i32>): void {
    this.expressions.end(nests[1]);
    this.expressions.end(nests[0]);
  }
  protected meta(key: i32, register: i32 = REG_1): void {
    const nests = this.open("meta");
    this.expressions.be32(2, key);
    this.expressions.be32(1, register);
    this.close(nests);
  }
  protected payload(register: i32, base: i32, offset: i32, len: i32): void {
    const nests = this.open("payload");
    this.expressions.be32(1, register);
    this.expressions.be32(2, base);
    this.expressions.be32(3, offset);
    this.expressions.be32(4, len);
    this.close(nests);
  }
  /** Compares register 1. */
  protected equal(bytes: Attributes, operator: i32 = NFT_CMP_EQ): void {
    const nests = this.open("cmp");
    this.expressions.be32(1, REG_1);
    this.expressions.be32(2, operator);
    const data = this.expressions.nest(3);
    this.expressions.raw(1, bytes);
    this.expressions.end(data);
    this.close(nests);
  }
  /** Keeps the first `bits` of register 1. */
  private mask(bits: i32, len: i32): void {
    const mask = new Attributes();
    for (let i = 0; i < len; i++) {
      const kept = max(0, min(8, bits - 8 * i));
      mask.byte((0xff00 >> kept) & 0xff);
    }
    this.and(mask);
  }
  /** Keeps some bits of register 1. */
  private and(mask: Attributes): void {
    const zero = new Attributes();
    for (let i = 0; i < mask.len; i++) zero.byte(0);
    this.bitwise(mask.len, mask, zero);
  }
  /** Keeps bits of register 1, then flips some. */
  protected bitwise(len: i32, kept_bits: Attributes, flipped_bits: Attributes): void {
    const nests = this.open("bitwise");
    this.expressions.be32(1, REG_1);
    this.expressions.be32(2, REG_1);
    this.expressions.be32(3, len);
    const kept = this.expressions.nest(4);
    this.expressions.raw(1, kept_bits);
    this.expressions.end(kept);
    const flipped = this.expressions.nest(5);
    this.expressions.raw(1, flipped_bits);
    this.expressions.end(flipped);
    this.close(nests);
  }
  /**
   * Looks register 1 up: in a map for what goes to register `into`, in a set (-1) to go on when it
   * is (not) there.
   */
  private lookup(set: string, into: i32, inverted: bool): void {
    const nests = this.open("lookup");
    this.expressions.name(1, set);
    this.expressions.be32(2, REG_1);
    if (into >= 0) this.expressions.be32(3, into);
    if (inverted) this.expressions.be32(5, NFT_LOOKUP_F_INV);
    this.close(nests);
  }
  private verdict(code: i32, chain: string = ""): void {
    const nests = this.open("immediate");
    this.expressions.be32(1, REG_VERDICT);
    const data = this.expressions.nest(2);
    const verdict = this.expressions.nest(2);
    this.expressions.be32(1, code);
    if (chain.length > 0) this.expressions.name(2, chain);
    this.expressions.end(verdict);
    this.expressions.end(data);
    this.close(nests);
  }
  /** Compares register 1 with a number of four bytes in the host's byte order. */
  private equal_u32(number: i32, operator: i32 = NFT_CMP_EQ): void {
    this.equal(number_of(number), operator);
  }
  private ct(key: i32, register: i32, way: i32): void {
    const nests = this.open("ct");
    this.expressions.be32(2, key);
    this.expressions.be32(1, register);
    if (way != OWN) {
      const direction = this.expressions.open(3);
      this.expressions.byte(way);
      this.expressions.end(direction);
    }
    this.close(nests);
  }
  /** What nft puts before an address in a table of both families. */
  private family(v6: bool): void {
    this.meta(NFT_META_NFPROTO);
    const number = new Attributes();
    number.byte(v6 ? IPV6 : IPV4);
    this.equal(number);
  }

  /** `ip saddr vmap @SET` */
  saddr_vmap(v6: bool, map: string): Rule {
    this.words += ` ${v6 ? "ip6" : "ip"} saddr vmap @${map}`;
    this.family(v6);
    this.address(v6, true, REG_1);
    this.lookup(map, REG_VERDICT, false);
    return this;
  }
  /** `ip daddr vmap @SET` */
  daddr_vmap(v6: bool, map: string): Rule {
    this.words += ` ${v6 ? "ip6" : "ip"} daddr vmap @${map}`;
    this.family(v6);
    this.address(v6, false, REG_1);
    this.lookup(map, REG_VERDICT, false);
    return this;
  }
  /** `ip daddr SUBNET`, of at least one bit */
  daddr(subnet: Cidr): Rule {
    return this.within(subnet, false);
  }
  /** `ip saddr SUBNET`, of at least one bit */
  saddr(subnet: Cidr): Rule {
    return this.within(subnet, true);
  }
  private within(subnet: Cidr, source: bool): Rule {
    const v6 = subnet.ip.v6;
    const whole = v6 ? 16 : 4;
    const field = source ? "saddr" : "daddr";
    this.words += ` ${v6 ? "ip6" : "ip"} ${field} ${subnet.toString()}`;
    this.family(v6);
    // Whole bytes are loaded and compared alone, as nft does.
    const len = (subnet.bits & 7) == 0 ? subnet.bits >> 3 : whole;
    this.payload(REG_1, NFT_PAYLOAD_NETWORK_HEADER, address_offset(v6, source), len);
    if ((subnet.bits & 7) != 0) this.mask(subnet.bits, whole);
    const bytes = new Attributes();
    ip_write(bytes, subnet.network());
    bytes.len = len;
    this.equal(bytes);
    return this;
  }
  private address(v6: bool, source: bool, register: i32): void {
    const offset = address_offset(v6, source);
    this.payload(register, NFT_PAYLOAD_NETWORK_HEADER, offset, v6 ? 16 : 4);
  }
  /** `ip saddr . ip daddr @SET` */
  saddr_daddr_in(v6: bool, set: string): Rule {
    const ip = v6 ? "ip6" : "ip";
    this.words += ` ${ip} saddr . ${ip} daddr @${set}`;
    this.family(v6);
    this.address(v6, true, REG_1);
    this.address(v6, false, v6 ? REG_2 : REG32_01);
    this.lookup(set, -1, false);
    return this;
  }
  /** `iif != "lo"` */
  iif_not_lo(): Rule {
    this.words += ' iif != "lo"';
    this.meta(NFT_META_IIF);
    this.equal_u32(LO_IFINDEX, NFT_CMP_NEQ);
    return this;
  }
  /** `fib daddr type local` */
  fib_daddr_local(): Rule {
    this.words += " fib daddr type local";
    const nests = this.open("fib");
    this.expressions.be32(3, NFTA_FIB_F_DADDR);
    this.expressions.be32(2, NFT_FIB_RESULT_ADDRTYPE);
    this.expressions.be32(1, REG_1);
    this.close(nests);
    this.equal_u32(RTN_LOCAL);
    return this;
  }
  /** `ct status dnat` */
  ct_status_dnat(): Rule {
    this.words += " ct status dnat";
    this.ct(NFT_CT_STATUS, REG_1, OWN);
    this.and(number_of(IPS_DST_NAT));
    this.equal_u32(0, NFT_CMP_NEQ);
    return this;
  }
  /** `meta l4proto PROTOCOL`, of those that have ports */
  l4proto(protocol: string): Rule {
    return this.l4proto_number(protocol, protocol_number(protocol));
  }
  /** `meta l4proto icmp`, `meta l4proto ipv6-icmp` */
  icmp(v6: bool): Rule {
    return this.l4proto_number(v6 ? "ipv6-icmp" : "icmp", v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
  }
  private l4proto_number(word: string, protocol: i32): Rule {
    this.words += ` meta l4proto ${word}`;
    this.meta(NFT_META_L4PROTO);
    const number = new Attributes();
    number.byte(protocol);
    this.equal(number);
    return this;
  }
  /** `ip daddr . meta l4proto . ct original proto-dst vmap @MAP`, after l4proto */
  daddr_original_port_vmap(v6: bool, map: string): Rule {
    const ip = v6 ? "ip6" : "ip";
    this.words += ` ${ip} daddr . meta l4proto . ct original proto-dst vmap @${map}`;
    this.family(v6);
    this.address(v6, false, REG_1);
    this.meta(NFT_META_L4PROTO, v6 ? REG_2 : REG32_01);
    this.ct(NFT_CT_PROTO_DST, v6 ? REG32_05 : REG32_02, ORIGINAL);
    this.lookup(map, REG_VERDICT, false);
    return this;
  }
  /** `ct reply ip saddr . meta l4proto . ct original proto-dst @SET`, after l4proto */
  reply_saddr_original_port_in(v6: bool, set: string): Rule {
    const ip = v6 ? "ip6" : "ip";
    this.words += ` ct reply ${ip} saddr . meta l4proto . ct original proto-dst @${set}`;
    this.ct(v6 ? NFT_CT_SRC_IP6 : NFT_CT_SRC_IP, REG_1, REPLY);
    this.meta(NFT_META_L4PROTO, v6 ? REG_2 : REG32_01);
    this.ct(NFT_CT_PROTO_DST, v6 ? REG32_05 : REG32_02, ORIGINAL);
    this.lookup(set, -1, false);
    return this;
  }
  /**
   * `dnat ip to [ip daddr . ]meta l4proto . th dport map @MAP`, which leads to an address and a
   * port. A packet of the other family it leaves alone.
   */
  dnat_by_port(v6: bool, daddr: bool, map: string): Rule {
    const ip = v6 ? "ip6" : "ip";
    const address = daddr ? `${ip} daddr . ` : "";
    this.words += ` dnat ${ip} to ${address}meta l4proto . th dport map @${map}`;
    if (daddr) {
      this.family(v6);
      this.address(v6, false, REG_1);
    }
    const first = !daddr ? REG_1 : v6 ? REG_2 : REG32_01;
    const second = !daddr ? REG32_01 : v6 ? REG32_05 : REG32_02;
    this.meta(NFT_META_L4PROTO, first);
    this.payload(second, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
    this.lookup(map, REG_1, false);
    const nests = this.open("nat");
    this.expressions.be32(1, NFT_NAT_DNAT);
    this.expressions.be32(2, v6 ? IPV6 : IPV4);
    this.expressions.be32(3, REG_1);
    this.expressions.be32(5, v6 ? REG_2 : REG32_01);
    this.close(nests);
    return this;
  }
  /** `iifname @SET` */
  iifname_in(set: string): Rule {
    this.words += ` iifname @${set}`;
    this.meta(NFT_META_IIFNAME);
    this.lookup(set, -1, false);
    return this;
  }
  /** `iifname . ether saddr != @SET` */
  iifname_ether_saddr_not_in(set: string): Rule {
    this.words += ` iifname . ether saddr != @${set}`;
    this.meta(NFT_META_IIFNAME);
    this.payload(REG_2, NFT_PAYLOAD_LL_HEADER, 6, 6);
    this.lookup(set, -1, true);
    return this;
  }
  /** `oifname @SET` */
  oifname_in(set: string): Rule {
    this.words += ` oifname @${set}`;
    this.meta(NFT_META_OIFNAME);
    this.lookup(set, -1, false);
    return this;
  }
  /** `iifname . oifname != @SET` */
  iifname_oifname_not_in(set: string): Rule {
    this.words += ` iifname . oifname != @${set}`;
    this.meta(NFT_META_IIFNAME);
    this.meta(NFT_META_OIFNAME, REG_2);
    this.lookup(set, -1, true);
    return this;
  }
  /** `ct state established,related` */
  established_related(): Rule {
    return this.state("established,related", ESTABLISHED_RELATED);
  }
  /** `ct state related` */
  related(): Rule {
    return this.state("related", RELATED);
  }
  /** `ct state invalid,new,untracked`: all but established,related */
  not_established(): Rule {
    return this.state("invalid,new,untracked", INVALID_NEW_UNTRACKED);
  }
  private state(words: string, bits: u32): Rule {
    this.words += ` ct state ${words}`;
    this.ct(NFT_CT_STATE, REG_1, OWN);
    this.bitwise(4, number_of(bits), number_of(0));
    this.equal(number_of(0), NFT_CMP_NEQ);
    return this;
  }
  /** `meta mark & BITS == BITS` */
  mark_has(bits: u32): Rule {
    this.words += ` meta mark & ${hex_of(bits)} == ${hex_of(bits)}`;
    this.meta(NFT_META_MARK);
    this.bitwise(4, number_of(bits), number_of(0));
    this.equal(number_of(bits));
    return this;
  }
  /** `meta mark set meta mark | BITS` */
  mark_add(bits: u32): Rule {
    this.words += ` meta mark set meta mark | ${hex_of(bits)}`;
    return this.mark_change(~bits, bits);
  }
  /** `meta mark set meta mark & ~BITS` */
  mark_clear(bits: u32): Rule {
    this.words += ` meta mark set meta mark & ${hex_of(~bits)}`;
    return this.mark_change(~bits, 0);
  }
  /** `meta mark set meta mark & ~CLEARED | BITS` */
  mark_set(bits: u32, cleared: u32): Rule {
    this.words += ` meta mark set meta mark & ${hex_of(~cleared)} | ${hex_of(bits)}`;
    return this.mark_change(~(bits | cleared), bits);
  }
  private mark_change(kept: u32, flipped: u32): Rule {
    this.meta(NFT_META_MARK);
    this.bitwise(4, number_of(kept), number_of(flipped));
    const nests = this.open("meta");
    this.expressions.be32(2, NFT_META_MARK);
    this.expressions.be32(3, REG_1);
    this.close(nests);
    return this;
  }
  counter(): Rule {
    this.words += " counter";
    this.close(this.open("counter"));
    return this;
  }
  jump(chain: string): Rule {
    this.words += ` jump ${chain}`;
    this.verdict(NFT_JUMP, chain);
    return this;
  }
  accept(): Rule {
    this.words += " accept";
    this.verdict(NF_ACCEPT);
    return this;
  }
  masquerade(): Rule {
    this.words += " masquerade";
    this.close(this.open("masq"));
    return this;
  }
  goto(chain: string): Rule {
    this.words += ` goto ${chain}`;
    const nests = this.open("immediate");
    this.expressions.be32(1, REG_VERDICT);
    const data = this.expressions.nest(2);
    goto_write(this.expressions, chain);
    this.expressions.end(data);
    this.close(nests);
    return this;
  }
  return_(): Rule {
    this.words += " return";
    this.verdict(NFT_RETURN);
    return this;
  }
  drop(): Rule {
    this.words += " drop";
    this.verdict(NF_DROP);
    return this;
  }
}

/** A number as the kernel holds it in a register: of the host's byte order, which is little. */
function number_of(value: u32): Attributes {
  const bytes = new Attributes();
  for (let i = 0; i < 4; i++) bytes.byte(<i32>((value >> (8 * i)) & 0xff));
  return bytes;
}

function hex_of(value: u32): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/** Where an address lies in the header of its family. */
function address_offset(v6: bool, source: bool): i32 {
  if (v6) return source ? 8 : 24;
  return source ? 12 : 16;
}
