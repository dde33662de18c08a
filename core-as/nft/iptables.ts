// SPDX-License-Identifier: Apache-2.0
// Our rules in `filter` `FORWARD`, the chain of iptables-nft, of one family. nftables has no other
// way through it: an accept ends the chain it stands in, and a drop of any chain after it still
// drops. They stand in the form that iptables lists as its own.
//
//   FORWARD  jump ADMIN …        for each chain that administrators and runtimes fill
//            accept ACCEPTED     what our firewall accepts
//            …                   the rules of others
//            accept THROUGH      what came through a port of the host: after all that others say,
//                                before the rule or the policy that drops the rest
//
// A chain of an administrator is an interface: ours makes it when it is not there, and never
// changes or removes it.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { chain_get, NftChain } from "../host/nft";
import { ENOENT } from "../lib/errno";
import { CniError } from "../spec/error";
import { Batch, Family, family_word, Hook } from "./batch";
import { closing_rule } from "./closed";
import { ACCEPTED, admin_rule, admin_tag, FIREWALL, pass_rule, THROUGH } from "./firewall";
import { nft_error, unsupported } from "./present";
import { PORTMAP } from "./subnets";

const TABLE = "filter";
const CHAIN = "FORWARD";
const HOOK = new Hook("filter", "forward", 2, "filter", 0);
/** linux/netfilter/x_tables.h XT_EXTENSION_MAXNAMELEN, without its NUL: iptables has no longer. */
const NAME_MAX = 28;
const ADMIN = admin_tag("");

export class Forward {
  /** What is wanted there: that accepted packets pass, and those through a port of the host. */
  accepts: bool = false;
  through: bool = false;
  /** The chains of administrators that are to be asked first. */
  admins: string[] = [];
  /** Whether our rules are made anew: a GC may be removing them. */
  anew: bool = false;
  /** Whether there is such a chain, or a chain of an administrator that needs one. */
  there: bool = false;
  private chain: NftChain | null = null;
  private looked: bool = false;
  /** The rule that drops the rest, once it was looked for; -1 for none. */
  private closing: i32 = -1;
  private ended: bool = false;

  constructor(public family: i32) {}

  get v6(): bool {
    return this.family == Family.Ip6;
  }

  get place(): string {
    return `chain ${CHAIN} of table ${family_word(this.family)} ${TABLE}`;
  }

  get wanted(): bool {
    return this.accepts || this.through;
  }

  want_admin(name: string): void {
    if (name.length <= NAME_MAX && !this.admins.includes(name)) this.admins.push(name);
  }

  /** Reads it, once, if something is wanted there. */
  look(): CniError | null {
    if (!this.looked && this.wanted) {
      const error = this.read();
      if (error) return error;
    }
    const chain = this.chain;
    if (!chain || !this.through || this.ended) return null;
    this.ended = true;
    const found = closing_rule(this.family, chain);
    this.closing = found.at;
    return found.failed ? nft_error(`list where ${this.place} leads`) : null;
  }

  read(): CniError | null {
    this.looked = true;
    const chain = chain_get(HOST, this.family, TABLE, CHAIN);
    this.chain = chain;
    this.there = chain !== null;
    // Without the family nothing of it is forwarded.
    if (!chain && unsupported()) return null;
    if (!chain && failure_errno != ENOENT) return nft_error(`list ${this.place}`);
    for (let i = 0; !this.there && this.accepts && i < this.admins.length; i++) {
      this.there = chain_get(HOST, this.family, TABLE, this.admins[i]) !== null;
      if (this.there || failure_errno == ENOENT) continue;
      return nft_error(
        `list chain ${this.admins[i]} of table ${family_word(this.family)} ${TABLE}`,
      );
    }
    return null;
  }

  /** Where rules with a comment that begins so are. */
  private at(comment: string): i32[] {
    const found = new Array<i32>();
    const chain = this.chain;
    for (let i = 0; chain && i < chain.rules.length; i++) {
      if (chain.rules[i].comment.startsWith(comment)) found.push(i);
    }
    return found;
  }

  private comment(index: i32): string {
    const chain = this.chain;
    return chain ? chain.rules[index].comment : "";
  }

  private handle(index: i32): i64 {
    const chain = this.chain;
    return chain ? chain.rules[index].handle : 0;
  }

  /** Whether the jumps and the accept at the head are there, once each, and in that order. */
  private head_whole(): bool {
    const accept = this.at(`fairlead ${FIREWALL.name} `);
    if (accept.length != 1 || this.comment(accept[0]) != FIREWALL.tag) return false;
    const jumps = this.at(ADMIN);
    const seen = new Set<string>();
    for (let i = 0; i < jumps.length; i++) {
      const comment = this.comment(jumps[i]);
      if (jumps[i] > accept[0] || seen.has(comment)) return false;
      seen.add(comment);
    }
    for (let i = 0; i < this.admins.length; i++) {
      if (!seen.has(admin_tag(this.admins[i]))) return false;
    }
    return true;
  }

  /** Whether the accept at the end is there, once, and something comes to it. */
  private tail_whole(): bool {
    const accept = this.at(`fairlead ${PORTMAP.name} `);
    if (accept.length != 1 || this.comment(accept[0]) != PORTMAP.tag) return false;
    const closing = this.closing;
    return closing < 0 || closing > accept[0];
  }

  /** What of it is missing, for an error; "" for nothing. */
  get missing(): string {
    if (!this.there) return "";
    if (this.accepts && !this.head_whole()) {
      const names = this.admins.length > 0 ? ` and lead to ${this.admins.join(", ")}` : "";
      return `${this.place} lacks our rules that let pass what the firewall accepts${names}`;
    }
    if (!this.through || this.tail_whole()) return "";
    return `${this.place} lacks our rule that lets pass what comes through ports of the host`;
  }

  /** Queues what is missing. */
  queue(batch: Batch): void {
    if (!this.there) return;
    if (!this.chain) batch.add_chain(this.family, CHAIN, HOOK, false, TABLE);
    if (this.accepts && (this.anew || !this.head_whole())) this.queue_head(batch);
    if (this.through && !this.tail_whole()) this.queue_tail(batch);
  }

  private queue_head(batch: Batch): void {
    const jumps = this.at(ADMIN);
    const names = this.admins.slice();
    for (let i = 0; i < jumps.length; i++) {
      const name = this.comment(jumps[i]).substring(ADMIN.length);
      if (!names.includes(name)) names.push(name);
    }
    this.remove_head(batch);
    const tag = FIREWALL.tag;
    batch.insert_rule(this.family, TABLE, CHAIN, pass_rule(ACCEPTED), tag);
    for (let i = names.length - 1; i >= 0; i--) {
      batch.add_chain(this.family, names[i], null, false, TABLE);
      batch.insert_rule(this.family, TABLE, CHAIN, admin_rule(names[i]), admin_tag(names[i]));
    }
  }

  private queue_tail(batch: Batch): void {
    this.remove_tail(batch);
    const closing = this.closing;
    const rule = pass_rule(THROUGH);
    if (closing < 0) batch.add_rule(this.family, CHAIN, rule, PORTMAP.tag, TABLE);
    else {
      batch.insert_rule(this.family, TABLE, CHAIN, rule, PORTMAP.tag, this.handle(closing));
    }
  }

  remove_head(batch: Batch): void {
    this.remove(batch, `fairlead ${FIREWALL.name} `);
    this.remove(batch, ADMIN);
  }

  remove_tail(batch: Batch): void {
    this.remove(batch, `fairlead ${PORTMAP.name} `);
  }

  private remove(batch: Batch, comment: string): void {
    const found = this.at(comment);
    for (let i = 0; i < found.length; i++) {
      batch.delete_rule(this.family, TABLE, CHAIN, this.handle(found[i]));
    }
  }
}

/** The chains of both families. */
export function forwards(): Forward[] {
  return [new Forward(Family.Ip), new Forward(Family.Ip6)];
}
