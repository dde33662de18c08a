// SPDX-License-Identifier: Apache-2.0
// The tables by which `fairlead trace --live` has nftables report one flow: a chain that marks its
// packets for the kernel's trace where they come in, and one behind all others of each hook, whose
// mere mention says that a packet passed that hook. They decide nothing about a packet. The tables
// are owned (NFT_TABLE_F_OWNER): the kernel removes them with the socket that made them, however
// its process ends. Whose flow it is trace.ts knows.
import { Ip } from "../../lib/ip";
import { JsonValue } from "../../lib/json";
import { Attributes } from "../../nft/attributes";
import { Batch, Family, family_word, Hook } from "../../nft/batch";
import { Rule } from "../../nft/rule";
import { hex_text, ip_write, protocol_number } from "../../nft/value";

/** linux/netfilter/nf_tables.h */
const NFT_META_PROTOCOL = 1;
const NFT_META_L4PROTO = 16;
const NFT_META_NFTRACE = 12;
const NETWORK_HEADER = 1;
const TRANSPORT_HEADER = 2;
const REG_1 = 1;

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

/** The rule that marks packets of a flow. Nobody asks for its words. */
class Marking extends Rule {
  private host(ip: Ip, source: bool): void {
    const offset = ip.v6 ? (source ? 8 : 24) : source ? 12 : 16;
    this.payload(REG_1, NETWORK_HEADER, offset, ip.v6 ? 16 : 4);
    const bytes = new Attributes();
    ip_write(bytes, ip);
    this.equal(bytes);
  }
  private port(number: i32, offset: i32): void {
    if (number == 0) return;
    this.payload(REG_1, TRANSPORT_HEADER, offset, 2);
    this.equal(bytes_of([number >> 8, number & 0xff]));
  }
  private tcp_opening(): void {
    this.payload(REG_1, TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
    this.bitwise(1, bytes_of([TCP_SYN_ACK]), bytes_of([0]));
    this.equal(bytes_of([TCP_SYN]));
  }

  /** The flow; by the protocol of the frame, which a bridge's chains know as well. */
  of_flow(flow: Flow): void {
    const v6 = flow.dst.v6;
    this.meta(NFT_META_PROTOCOL);
    this.equal(v6 ? bytes_of([0x86, 0xdd]) : bytes_of([0x08, 0x00]));
    const src = flow.src;
    if (src) this.host(src, true);
    this.host(flow.dst, false);
    const ping = flow.port == 0;
    const echo = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    this.meta(NFT_META_L4PROTO);
    this.equal(bytes_of([ping ? echo : protocol_number(flow.protocol)]));
    if (ping) {
      this.payload(REG_1, TRANSPORT_HEADER, 0, 1);
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
    this.expressions.be32(1, REG_1);
    const data = this.expressions.nest(2);
    this.expressions.raw(1, bytes_of([1]));
    this.expressions.end(data);
    this.close(nests);
    const set = this.open("meta");
    this.expressions.be32(2, NFT_META_NFTRACE);
    this.expressions.be32(3, REG_1);
    this.close(set);
  }
}

function bytes_of(list: i32[]): Attributes {
  const made = new Attributes();
  for (let i = 0; i < list.length; i++) made.byte(list[i]);
  return made;
}

/** A chain of a hook, before or behind all others. */
function add_chain(batch: Batch, family: i32, table: string, name: string, hook: i32): void {
  const first = name != HOOKS[hook];
  const place = new Hook(
    "filter",
    HOOKS[hook],
    hook,
    first ? "first" : "last",
    first ? FIRST : LAST,
  );
  batch.add_chain(family, name, place, true, table);
}

/** `{"family", "table", "messages"}`: the transaction, in hex, that has a flow followed. */
function table_of(family: i32, table: string, flow: Flow): JsonValue {
  const batch = new Batch();
  batch.create_owned_table(family, table);
  // A bridge also sends what the host forwards; what the host itself sends is marked before that.
  if (!flow.own || family == Family.Inet) {
    const start = flow.own ? OUTPUT : PREROUTING;
    const name = `begin_${HOOKS[start]}`;
    const marking = new Marking();
    marking.of_flow(flow);
    marking.mark();
    add_chain(batch, family, table, name, start);
    batch.add_rule(family, name, marking, "fairlead trace", table);
  }
  for (let i = 0; i < HOOKS.length; i++) add_chain(batch, family, table, HOOKS[i], i);
  batch.finish();
  const made = JsonValue.object();
  made.append("family", JsonValue.string(family_word(family)));
  made.append("messages", JsonValue.string(hex_text(batch.out)));
  return made;
}

/** Those of the host and of its bridges. */
export function tables_of(table: string, flow: Flow): JsonValue {
  const made = JsonValue.array();
  made.push(table_of(Family.Inet, table, flow));
  made.push(table_of(Family.Bridge, table, flow));
  return made;
}
