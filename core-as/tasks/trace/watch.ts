// SPDX-License-Identifier: Apache-2.0
// The tables by which `fairlead trace --live` has nftables report one flow: a chain that marks its
// packets for the kernel's trace where they come in, and one behind all others of each hook, whose
// mere mention says that a packet passed that hook. They decide nothing about a packet. The tables
// are owned (NFT_TABLE_F_OWNER): the kernel removes them with the socket that made them, however
// its process ends. Whose flow it is trace.ts knows.
import { Ip } from "../../lib/ip";
import { JsonValue } from "../../lib/json";
import { Attributes, NLA_F_NESTED } from "../../nft/attributes";
import { Family, family_word } from "../../nft/batch";
import { ip_write, protocol_number } from "../../nft/value";

/** linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h, linux/netlink.h */
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_CREATE_EXCL = 0x600;
const NLM_F_APPEND = 0x800;
const NFT_TABLE_F_OWNER = 2;
const NFT_META_PROTOCOL = 1;
const NFT_META_L4PROTO = 16;
const NFT_META_NFTRACE = 12;
const NETWORK_HEADER = 1;
const TRANSPORT_HEADER = 2;
const REG_1 = 1;
const HEADER_BYTES = 20;

const HOOKS: string[] = ["prerouting", "input", "forward", "output", "postrouting"];
const PREROUTING = 0;
const OUTPUT = 3;
/** Before and behind whatever others may have. */
const FIRST = i32.MIN_VALUE + 1;
const LAST = i32.MAX_VALUE;

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const ECHO_REQUEST = 8;
const ECHO_REQUEST_6 = 128;
/** Where a ping has the number of who sends it. */
const ECHO_ID_OFFSET = 4;
/** Where TCP has its flags, and those by which a connection's first packet is told. */
const TCP_FLAGS_OFFSET = 13;
const TCP_SYN = 0x02;
const TCP_SYN_ACK = 0x12;

/** What a packet must have to be followed. */
export class Flow {
  /** Null for any source. */
  src: Ip | null = null;
  /** 0 for a ping. */
  port: i32 = 0;
  /** The sender's port, or the number of a ping; 0 for any. */
  sport: i32 = 0;
  /** Whether the host sends it: others' come in. */
  own: bool = false;
  protocol: string = "tcp";
  constructor(public dst: Ip) {}
}

/** The expressions of one rule that marks packets of a flow. */
class Matching {
  out: Attributes = new Attributes();

  private open(name: string): StaticArray<i32> {
    const element = this.out.nest(1);
    this.out.name(1, name);
    return [element, this.out.nest(2)];
  }
  private close(nests: StaticArray<i32>): void {
    this.out.end(nests[1]);
    this.out.end(nests[0]);
  }
  private equal(bytes: Attributes): void {
    const nests = this.open("cmp");
    this.out.be32(1, REG_1);
    this.out.be32(2, 0);
    const data = this.out.nest(3);
    this.out.raw(1, bytes);
    this.out.end(data);
    this.close(nests);
  }
  private meta(key: i32): void {
    const nests = this.open("meta");
    this.out.be32(2, key);
    this.out.be32(1, REG_1);
    this.close(nests);
  }
  private payload(base: i32, offset: i32, len: i32): void {
    const nests = this.open("payload");
    this.out.be32(1, REG_1);
    this.out.be32(2, base);
    this.out.be32(3, offset);
    this.out.be32(4, len);
    this.close(nests);
  }
  private address(ip: Ip, source: bool): void {
    const offset = ip.v6 ? (source ? 8 : 24) : source ? 12 : 16;
    this.payload(NETWORK_HEADER, offset, ip.v6 ? 16 : 4);
    const bytes = new Attributes();
    ip_write(bytes, ip);
    this.equal(bytes);
  }
  private port(number: i32, offset: i32): void {
    if (number == 0) return;
    this.payload(TRANSPORT_HEADER, offset, 2);
    this.equal(bytes_of([number >> 8, number & 0xff]));
  }
  private tcp_opening(): void {
    this.payload(TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
    const nests = this.open("bitwise");
    this.out.be32(1, REG_1);
    this.out.be32(2, REG_1);
    this.out.be32(3, 1);
    const kept = this.out.nest(4);
    this.out.raw(1, bytes_of([TCP_SYN_ACK]));
    this.out.end(kept);
    const flipped = this.out.nest(5);
    this.out.raw(1, bytes_of([0]));
    this.out.end(flipped);
    this.close(nests);
    this.equal(bytes_of([TCP_SYN]));
  }

  /** The flow; by the protocol of the frame, which a bridge's chains know as well. */
  of_flow(flow: Flow): void {
    const v6 = flow.dst.v6;
    this.meta(NFT_META_PROTOCOL);
    this.equal(v6 ? bytes_of([0x86, 0xdd]) : bytes_of([0x08, 0x00]));
    const src = flow.src;
    if (src) this.address(src, true);
    this.address(flow.dst, false);
    const ping = flow.port == 0;
    const echo = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    this.meta(NFT_META_L4PROTO);
    this.equal(bytes_of([ping ? echo : protocol_number(flow.protocol)]));
    if (ping) {
      this.payload(TRANSPORT_HEADER, 0, 1);
      this.equal(bytes_of([v6 ? ECHO_REQUEST_6 : ECHO_REQUEST]));
      this.port(flow.sport, ECHO_ID_OFFSET);
      return;
    }
    this.port(flow.sport, 0);
    this.port(flow.port, 2);
    if (flow.protocol == "tcp") this.tcp_opening();
  }

  /** `meta nftrace set 1` */
  mark(): void {
    const nests = this.open("immediate");
    this.out.be32(1, REG_1);
    const data = this.out.nest(2);
    this.out.raw(1, bytes_of([1]));
    this.out.end(data);
    this.close(nests);
    const set = this.open("meta");
    this.out.be32(2, NFT_META_NFTRACE);
    this.out.be32(3, REG_1);
    this.close(set);
  }
}

function bytes_of(list: i32[]): Attributes {
  const made = new Attributes();
  for (let i = 0; i < list.length; i++) made.byte(list[i]);
  return made;
}

/** One transaction that makes a table of a family. */
class Making {
  out: Attributes = new Attributes();
  private sequence: i32 = 0;
  private message: i32 = 0;

  constructor(
    private family: i32,
    private table: string,
  ) {
    this.begin(NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES);
    this.seal();
  }

  private begin(type: i32, flags: i32, family: i32, resource: i32): void {
    this.message = this.out.len;
    this.out.reserve(HEADER_BYTES);
    const at = this.out.ptr + this.out.len;
    store<u32>(at, 0);
    store<u16>(at, <u16>type, 4);
    store<u16>(at, <u16>(flags | NLM_F_REQUEST), 6);
    store<u32>(at, this.sequence++, 8);
    store<u32>(at, 0, 12);
    store<u8>(at, <u8>family, 16);
    store<u8>(at, 0, 17);
    store<u16>(at, bswap<u16>(<u16>resource), 18);
    this.out.len += HEADER_BYTES;
  }
  private seal(): void {
    store<u32>(this.out.ptr + this.message, this.out.len - this.message);
  }
  private change(message: i32, flags: i32 = NLM_F_CREATE_EXCL): void {
    this.begin((NFNL_SUBSYS_NFTABLES << 8) | message, flags, this.family, 0);
    this.out.name(1, this.table);
  }

  owned_table(): void {
    this.change(NFT_MSG_NEWTABLE);
    this.out.be32(2, NFT_TABLE_F_OWNER);
    this.seal();
  }
  chain(name: string, hook: i32, priority: i32): void {
    this.change(NFT_MSG_NEWCHAIN);
    this.out.name(3, name);
    this.out.name(7, "filter");
    this.out.be32(5, 1);
    const nest = this.out.nest(4);
    this.out.be32(1, hook);
    this.out.be32(2, priority);
    this.out.end(nest);
    this.seal();
  }
  rule(chain: string, matching: Matching): void {
    this.change(NFT_MSG_NEWRULE, (NLM_F_CREATE_EXCL & 0x400) | NLM_F_APPEND);
    this.out.name(2, chain);
    this.out.raw(4 | NLA_F_NESTED, matching.out);
    this.seal();
  }
  finish(): string {
    const at = this.out.ptr + this.message;
    store<u16>(at, load<u16>(at, 6) | NLM_F_ACK, 6);
    this.begin(NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES);
    this.seal();
    let hex = "";
    for (let i = 0; i < this.out.len; i++) {
      hex += load<u8>(this.out.ptr + i)
        .toString(16)
        .padStart(2, "0");
    }
    return hex;
  }
}

/** `{"family", "table", "messages"}`: the transaction, in hex, that has a flow followed. */
function table_of(family: i32, table: string, flow: Flow): JsonValue {
  const making = new Making(family, table);
  making.owned_table();
  const matching = new Matching();
  matching.of_flow(flow);
  matching.mark();
  // A bridge also sends what the host forwards; what the host itself sends is marked before that.
  if (!flow.own || family == Family.Inet) {
    const start = flow.own ? OUTPUT : PREROUTING;
    const name = `begin_${HOOKS[start]}`;
    making.chain(name, start, FIRST);
    making.rule(name, matching);
  }
  for (let i = 0; i < HOOKS.length; i++) making.chain(HOOKS[i], i, LAST);
  const made = JsonValue.object();
  made.append("family", JsonValue.string(family_word(family)));
  made.append("messages", JsonValue.string(making.finish()));
  return made;
}

/** Those of the host and of its bridges. */
export function tables_of(table: string, flow: Flow): JsonValue {
  const made = JsonValue.array();
  made.push(table_of(Family.Inet, table, flow));
  made.push(table_of(Family.Bridge, table, flow));
  return made;
}
