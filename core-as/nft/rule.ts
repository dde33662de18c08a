// Rules as nft would compile them: each method adds a statement in nft's words and the expressions
// that nft sends for it, registers and order included, so that `nft list` shows the words again.
import { Cidr } from "../lib/ip";
import { Attributes } from "./attributes";
import { ip_write } from "./value";

/** linux/netfilter/nf_tables.h */
const NFT_META_MARK = 3;
const NFT_META_IIFNAME = 6;
const NFT_META_OIFNAME = 7;
const NFT_META_NFPROTO = 15;
const NFT_PAYLOAD_LL_HEADER = 0;
const NFT_PAYLOAD_NETWORK_HEADER = 1;
const NFT_LOOKUP_F_INV = 1;
const NFT_CMP_EQ = 0;
const NFT_CMP_NEQ = 1;
const NFT_CT_STATE = 0;
const NFT_JUMP = -3;
const NFT_RETURN = -5;
const NF_DROP = 0;
const NF_ACCEPT = 1;
/** Register 1 has 16 bytes; register 2 follows it, for the second field of a concatenation. */
const REG_VERDICT = 0;
const REG_1 = 1;
const REG_2 = 2;
/** NFPROTO_IPV4, NFPROTO_IPV6. */
const IPV4 = 2;
const IPV6 = 10;
/** NF_CT_STATE_BIT of IP_CT_ESTABLISHED and IP_CT_RELATED, of either direction. */
const ESTABLISHED_RELATED = 0x6;

export class Rule {
  words: string = "";
  expressions: Attributes = new Attributes();

  private open(name: string): StaticArray<i32> {
    const element = this.expressions.nest(1);
    this.expressions.name(1, name);
    return [element, this.expressions.nest(2)];
  }
  private close(nests: StaticArray<i32>): void {
    this.expressions.end(nests[1]);
    this.expressions.end(nests[0]);
  }
  private meta(key: i32, register: i32 = REG_1): void {
    const nests = this.open("meta");
    this.expressions.be32(2, key);
    this.expressions.be32(1, register);
    this.close(nests);
  }
  private payload(register: i32, base: i32, offset: i32, len: i32): void {
    const nests = this.open("payload");
    this.expressions.be32(1, register);
    this.expressions.be32(2, base);
    this.expressions.be32(3, offset);
    this.expressions.be32(4, len);
    this.close(nests);
  }
  private equal(bytes: Attributes): void {
    this.compare(NFT_CMP_EQ, bytes);
  }
  /** Goes on when register 1 compares so. */
  private compare(how: i32, bytes: Attributes): void {
    const nests = this.open("cmp");
    this.expressions.be32(1, REG_1);
    this.expressions.be32(2, how);
    const data = this.expressions.nest(3);
    this.expressions.raw(1, bytes);
    this.expressions.end(data);
    this.close(nests);
  }
  /** Keeps the first `bits` of register 1. */
  private mask(bits: i32, len: i32): void {
    const mask = new Attributes();
    const zero = new Attributes();
    for (let i = 0; i < len; i++) {
      const kept = max(0, min(8, bits - 8 * i));
      mask.byte((0xff00 >> kept) & 0xff);
      zero.byte(0);
    }
    this.bitwise(len, mask, zero);
  }
  /** Keeps bits of register 1, then flips some. */
  private bitwise(len: i32, kept_bits: Attributes, flipped_bits: Attributes): void {
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
  /** Looks register 1 up: in a map for a verdict, in a set to go on when it is (not) there. */
  private lookup(set: string, map: bool, inverted: bool): void {
    const nests = this.open("lookup");
    this.expressions.name(1, set);
    this.expressions.be32(2, REG_1);
    if (map) this.expressions.be32(3, REG_VERDICT);
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
    this.payload(REG_1, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 8 : 12, v6 ? 16 : 4);
    this.lookup(map, true, false);
    return this;
  }
  /** `ip daddr vmap @SET` */
  daddr_vmap(v6: bool, map: string): Rule {
    this.words += ` ${v6 ? "ip6" : "ip"} daddr vmap @${map}`;
    this.family(v6);
    this.payload(REG_1, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 24 : 16, v6 ? 16 : 4);
    this.lookup(map, true, false);
    return this;
  }
  /** `ip daddr SUBNET`, of at least one bit */
  daddr(subnet: Cidr): Rule {
    const v6 = subnet.ip.v6;
    const whole = v6 ? 16 : 4;
    this.words += ` ${v6 ? "ip6" : "ip"} daddr ${subnet.toString()}`;
    this.family(v6);
    // Whole bytes are loaded and compared alone, as nft does.
    const len = (subnet.bits & 7) == 0 ? subnet.bits >> 3 : whole;
    this.payload(REG_1, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 24 : 16, len);
    if ((subnet.bits & 7) != 0) this.mask(subnet.bits, whole);
    const bytes = new Attributes();
    ip_write(bytes, subnet.network());
    bytes.len = len;
    this.equal(bytes);
    return this;
  }
  /** `iifname @SET` */
  iifname_in(set: string): Rule {
    this.words += ` iifname @${set}`;
    this.meta(NFT_META_IIFNAME);
    this.lookup(set, false, false);
    return this;
  }
  /** `iifname . ether saddr != @SET` */
  iifname_ether_saddr_not_in(set: string): Rule {
    this.words += ` iifname . ether saddr != @${set}`;
    this.meta(NFT_META_IIFNAME);
    this.payload(REG_2, NFT_PAYLOAD_LL_HEADER, 6, 6);
    this.lookup(set, false, true);
    return this;
  }
  /** `oifname @SET` */
  oifname_in(set: string): Rule {
    this.words += ` oifname @${set}`;
    this.meta(NFT_META_OIFNAME);
    this.lookup(set, false, false);
    return this;
  }
  /** `iifname . oifname != @SET` */
  iifname_oifname_not_in(set: string): Rule {
    this.words += ` iifname . oifname != @${set}`;
    this.meta(NFT_META_IIFNAME);
    this.meta(NFT_META_OIFNAME, REG_2);
    this.lookup(set, false, true);
    return this;
  }
  /** `ct state established,related` */
  established_related(): Rule {
    this.words += " ct state established,related";
    const nests = this.open("ct");
    this.expressions.be32(2, NFT_CT_STATE);
    this.expressions.be32(1, REG_1);
    this.close(nests);
    this.bitwise(4, number_of(ESTABLISHED_RELATED), number_of(0));
    this.compare(NFT_CMP_NEQ, number_of(0));
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
