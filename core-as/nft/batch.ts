// SPDX-License-Identifier: Apache-2.0
// One nftables transaction, said twice: as the nfnetlink messages that the kernel takes and in the
// words of nft(8), of which the simulated kernel and a reader of traces make sense. Every method
// adds the same thing to both. It refuses to know what tables are for: parts.ts does.
import { ByteWriter } from "../lib/utf8";
import { Attributes, NLA_F_NESTED } from "./attributes";
import { Rule } from "./rule";
import { SetType } from "./value";

/** linux/netfilter.h NFPROTO_*, and the words for them. */
export const enum Family {
  Inet = 1,
  Ip = 2,
  Bridge = 7,
  Ip6 = 10,
}

export function family_word(family: i32): string {
  if (family == Family.Inet) return "inet";
  if (family == Family.Bridge) return "bridge";
  if (family == Family.Ip) return "ip";
  if (family == Family.Ip6) return "ip6";
  return `family ${family}`;
}

/** An attribute has at most 65535 bytes; a list ends before. */
const LIST_MAX = 32768;

/** The one table of ours in each family. */
export const TABLE: string = "fairlead";

/** nlmsghdr and nfgenmsg. */
const HEADER_BYTES = 20;
/** linux/netlink.h */
const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;
/** linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h */
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_TABLE_F_OWNER = 2;

const enum Message {
  NewTable = 0,
  DelTable = 2,
  NewChain = 3,
  DelChain = 5,
  NewRule = 6,
  DelRule = 8,
  NewSet = 9,
  NewSetElem = 12,
  DelSetElem = 14,
}

/** Where a base chain hooks in; the words are those of nft for the numbers. */
export class Hook {
  constructor(
    public type: string,
    public hook: string,
    public hooknum: i32,
    public priority: string,
    public priority_number: i32,
  ) {}
}

export class Batch {
  words: ByteWriter = new ByteWriter();
  out: Attributes = new Attributes();
  /** How many changes are in it. */
  count: i32 = 0;
  private sequence: i32 = 0;
  private message: i32 = 0;
  private sets: i32 = 0;
  /** Where elements are being added, and their list in the last message. */
  private creating: ElementPlace | null = null;
  private list: i32 = 0;

  /** `generation`: ERESTART when the tables are of another by now; 0 for whatever they are. */
  constructor(public generation: u32 = 0) {
    this.begin(NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES);
    if (generation != 0) {
      // NFNL_BATCH_GENID
      this.out.be32(1, generation);
      this.words.text(`# generation ${generation}\n`);
    }
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

  /** Starts a change: its message, and its words up to the table. */
  private change(message: i32, flags: i32, verb: string, family: i32, table: string = TABLE): void {
    this.count++;
    this.creating = null;
    this.begin((NFNL_SUBSYS_NFTABLES << 8) | message, flags, family, 0);
    this.out.name(1, table);
    this.words.text(`${verb} ${family_word(family)} ${table}`);
  }

  private done(rest: string): void {
    this.seal();
    this.words.text(`${rest}\n`);
  }

  add_table(family: i32): void {
    this.change(Message.NewTable, NLM_F_CREATE, "add table", family);
    this.out.be32(2, 0);
    this.done("");
  }

  /** Makes a table that must not be there yet: EEXIST when it is. */
  create_table(family: i32): void {
    this.change(Message.NewTable, NLM_F_CREATE | NLM_F_EXCL, "create table", family);
    this.out.be32(2, 0);
    this.done("");
  }

  /** The same of a table that goes with the socket that made it (Linux 5.12). */
  create_owned_table(family: i32, table: string): void {
    this.change(Message.NewTable, NLM_F_CREATE | NLM_F_EXCL, "create table", family, table);
    this.out.be32(2, NFT_TABLE_F_OWNER);
    this.done(" { flags owner; }");
  }

  /** Removes a table with all that is in it; ENOENT when it is not there. */
  delete_table(family: i32): void {
    this.change(Message.DelTable, 0, "delete table", family);
    this.done("");
  }

  add_set(family: i32, name: string, type: SetType): void {
    const verb = type.data.length > 0 ? "add map" : "add set";
    this.change(Message.NewSet, NLM_F_CREATE, verb, family);
    this.out.name(2, name);
    type.write(this.out);
    // NFTA_SET_ID: a number of this transaction alone.
    this.out.be32(10, ++this.sets);
    this.done(` ${name} ${type.words}`);
  }

  /** Adds a chain, be it there; `fresh`: EEXIST when it is. */
  add_chain(
    family: i32,
    name: string,
    hook: Hook | null,
    fresh: bool = false,
    table: string = TABLE,
  ): void {
    const flags = fresh ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE;
    this.change(Message.NewChain, flags, fresh ? "create chain" : "add chain", family, table);
    this.out.name(3, name);
    let rest = ` ${name}`;
    if (hook) {
      this.out.name(7, hook.type);
      // NF_ACCEPT
      this.out.be32(5, 1);
      const nest = this.out.nest(4);
      this.out.be32(1, hook.hooknum);
      this.out.be32(2, hook.priority_number);
      this.out.end(nest);
      rest += ` { type ${hook.type} hook ${hook.hook} priority ${hook.priority}; policy accept; }`;
    }
    this.done(rest);
  }

  /** Takes all rules out of a chain. */
  flush_chain(family: i32, name: string): void {
    this.change(Message.DelRule, 0, "flush chain", family);
    this.out.name(2, name);
    this.done(` ${name}`);
  }

  /** Removes a chain with its rules; EBUSY while an element or a rule leads to it. */
  delete_chain(family: i32, name: string, table: string = TABLE): void {
    this.change(Message.DelChain, 0, "delete chain", family, table);
    this.out.name(3, name);
    this.done(` ${name}`);
  }

  add_rule(family: i32, chain: string, rule: Rule, comment: string, table: string = TABLE): void {
    this.change(Message.NewRule, NLM_F_CREATE | NLM_F_APPEND, "add rule", family, table);
    this.rule(chain, "", rule, comment);
  }

  /** Puts a rule at the head of a chain that is somebody else's, or before the rule of a handle. */
  insert_rule(
    family: i32,
    table: string,
    chain: string,
    rule: Rule,
    comment: string,
    before: i64 = 0,
  ): void {
    this.change(Message.NewRule, NLM_F_CREATE, "insert rule", family, table);
    if (before != 0) this.out.be64(6, before);
    this.rule(chain, before != 0 ? ` handle ${before}` : "", rule, comment);
  }

  private rule(chain: string, place: string, rule: Rule, comment: string): void {
    this.out.name(2, chain);
    this.out.raw(4 | NLA_F_NESTED, rule.expressions);
    this.out.comment(7, comment);
    this.done(` ${chain}${place}${rule.words} comment "${comment}"`);
  }

  /** Removes one rule of a chain that is somebody else's; ENOENT when it is gone. */
  delete_rule(family: i32, table: string, chain: string, handle: i64): void {
    this.change(Message.DelRule, 0, "delete rule", family, table);
    this.out.name(2, chain);
    this.out.be64(3, handle);
    this.done(` ${chain} handle ${handle}`);
  }

  /** Adds an element; EEXIST when its key is there. Those of one set in a row are one message. */
  create_element(set: ElementPlace, key: string, data: string, comment: string): void {
    const flags = NLM_F_CREATE | NLM_F_EXCL;
    if (this.creating != set || this.out.len - this.list > LIST_MAX) {
      this.change(Message.NewSetElem, flags, "create element", set.family);
      this.out.name(2, set.name);
      this.list = this.out.nest(3);
    } else {
      this.count++;
      this.words.text(`create element ${family_word(set.family)} ${TABLE}`);
    }
    const element = this.element(set, key);
    if (data.length > 0) set.type.data_write(this.out, 2, data);
    this.out.comment(6, comment);
    this.out.end(element);
    this.out.end(this.list);
    const value = data.length > 0 ? ` : ${data}` : "";
    this.done(` ${set.name} { ${key} comment "${comment}"${value} }`);
    this.creating = set;
  }

  delete_element(set: ElementPlace, key: string): void {
    this.change(Message.DelSetElem, 0, "delete element", set.family);
    this.out.name(2, set.name);
    const list = this.out.nest(3);
    this.out.end(this.element(set, key));
    this.out.end(list);
    this.done(` ${set.name} { ${key} }`);
  }

  /** Opens an element and writes its key. */
  private element(set: ElementPlace, key: string): i32 {
    const element = this.out.nest(1);
    const nest = this.out.nest(1);
    this.out.raw(1, set.type.key_bytes(key));
    this.out.end(nest);
    return element;
  }

  /** Ends the transaction: its last change is the one to be acknowledged. */
  finish(): void {
    const flags = load<u16>(this.out.ptr + this.message, 6);
    store<u16>(this.out.ptr + this.message, flags | NLM_F_ACK, 6);
    this.begin(NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES);
    this.seal();
  }
}

/** A set or map of ours. */
export class ElementPlace {
  constructor(
    public family: i32,
    public name: string,
    public type: SetType,
    /** An element of it is its owner's for as long as that lives: nobody else may have its key. */
    public claimed: bool = false,
  ) {}
}
