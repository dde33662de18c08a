// SPDX-License-Identifier: Apache-2.0
// Chains of others in the forward hook that end in a drop or a reject: what our chains accept is
// lost there, and no rule of ours outside can prevent it. This file finds them and says what to do.
// It changes nothing: what of ours stands in iptables' FORWARD is iptables.ts.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { chain_get, chain_list, NftBase, NftChain } from "../host/nft";
import { log } from "../host/store";
import { ENOENT } from "../lib/errno";
import { CniError } from "../spec/error";
import { Family, family_word, TABLE } from "./batch";
import { ACCEPTED, FORWARD, THROUGH } from "./firewall";
import { nft_error, unsupported } from "./present";

/** Expressions that say nothing about which packets a rule is for. */
const IDLE: string[] = ["counter", "log", "match comment"];
const CLOSING: string[] = ["drop", "reject", "target REJECT", "target DROP"];
/** Of a rule that goes by the state of the flow alone: nothing new passes by it. */
const STATE: string[] = ["ct", "match conntrack", "match state"];
const COMPARING: string[] = ["bitwise", "cmp", "lookup", "accept", "return", "drop"];

function has_verdict(does: string[]): bool {
  for (let i = 0; i < does.length; i++) {
    const word = does[i];
    if (word == "accept" || word == "lookup" || word == "queue") return true;
    if (word.startsWith("jump ") || word.startsWith("goto ")) return true;
    if (word.startsWith("target ") && word != "target LOG" && !CLOSING.includes(word)) return true;
  }
  return false;
}

function by_state(does: string[]): bool {
  let state = false;
  for (let i = 0; i < does.length; i++) {
    if (STATE.includes(does[i])) state = true;
    else if (!COMPARING.includes(does[i]) && !IDLE.includes(does[i])) return false;
  }
  return state;
}

/** Jumps that are followed: no firewall nests deeper, and the kernel allows 16. */
const DEPTH_MAX = 8;

/** Where a chain drops or rejects all that comes there. */
export class Closing {
  /** A chain could not be read. */
  failed: bool = false;

  constructor(
    /** Its rule; -1 for nowhere. */
    public at: i32 = -1,
    /** Whether a rule before it may let something new pass. */
    public open: bool = false,
    /** Whether what others say of single packets stands in a chain that this rule leads to. */
    public inside: bool = false,
  ) {}
}

/** The chain that a rule leads all to that comes there; "" for none. */
function led_to(does: string[]): string {
  for (let k = 0; k < does.length - 1; k++) if (!IDLE.includes(does[k])) return "";
  const last = does.length > 0 ? does[does.length - 1] : "";
  return last.startsWith("jump ") || last.startsWith("goto ") ? last.substring(5) : "";
}

function closes(does: string[]): bool {
  if (does.length == 0 || !CLOSING.includes(does[does.length - 1])) return false;
  for (let k = 0; k < does.length - 1; k++) if (!IDLE.includes(does[k])) return false;
  return true;
}

/** Whether a rule may let something new pass before all is dropped. */
function may_pass(does: string[]): bool {
  return has_verdict(does) && !by_state(does);
}

function says_more(chain: NftChain, end: i32): bool {
  for (let i = 0; i < end; i++) {
    const does = chain.rules[i].does;
    for (let k = 0; k < does.length; k++) if (!IDLE.includes(does[k])) return true;
  }
  return false;
}

function closing_of(family: i32, table: string, chain: NftChain, depth: i32 = 0): Closing {
  let open = false;
  for (let i = 0; i < chain.rules.length; i++) {
    const does = chain.rules[i].does;
    if (closes(does)) return new Closing(i, open);
    // Of a jump before others nobody expects that it ends here; each costs a question.
    const name = i == chain.rules.length - 1 && depth < DEPTH_MAX ? led_to(does) : "";
    if (name.length > 0) {
      const led = chain_get(HOST, family, table, name);
      const found = led ? closing_of(family, table, led, depth + 1) : new Closing();
      // One that is gone meanwhile closes nothing.
      if (!led) found.failed = failure_errno != ENOENT;
      if (led && found.at >= 0) found.inside = found.inside || says_more(led, found.at);
      if (found.at >= 0) found.at = i;
      found.open = open || found.open || (found.at < 0 && may_pass(does));
      return found;
    }
    open = open || may_pass(does);
  }
  return new Closing(-1, open);
}

/**
 * Where the first rule of iptables' FORWARD is that drops or rejects all that comes there, or leads
 * it to a chain that does no more than that; -1 for nowhere.
 */
export function closing_rule(family: i32, chain: NftChain): Closing {
  const found = closing_of(family, "filter", chain);
  if (found.inside) found.at = -1;
  return found;
}

/** A chain of others at the forward hook. */
export class Closed {
  constructor(
    public base: NftBase,
    /** Whether it is certain that it lets nothing of ours pass. */
    public certain: bool,
  ) {}

  get where(): string {
    return `${family_word(this.base.family)} ${this.base.table} ${this.base.chain}`;
  }

  /** Whether packets of IPv4 or of IPv6 come to it. */
  concerns(v4: bool, v6: bool): bool {
    return this.base.family == Family.Ip ? v4 : this.base.family == Family.Ip6 ? v6 : true;
  }

  /** What to do about it. */
  get advice(): string {
    if (this.base.table == "firewalld") {
      return (
        "put the subnets of the containers into a zone that lets them pass (firewall-cmd " +
        "--permanent --zone=trusted --add-source=SUBNET; firewall-cmd --reload)"
      );
    }
    const marked = this.base.priority > FORWARD.priority_number;
    const bits = hex(ACCEPTED | THROUGH);
    const rule = marked ? `meta mark & ${bits} != 0 accept` : "ip saddr SUBNET accept";
    return `let the containers' packets pass there (nft 'insert rule ${this.where} ${rule}')`;
  }

  get text(): string {
    const how = this.base.policy == "drop" ? "the policy of" : "the last rule of";
    const what = this.base.policy == "drop" ? "is drop" : "drops or rejects the rest";
    return `${how} chain ${this.where} ${what}, and what it drops stays dropped`;
  }
}

const hex = (bits: u32): string => `0x${bits.toString(16)}`;

/** What was found of them. */
export class ClosedChains {
  list: Closed[] = [];
  error: CniError | null = null;
}

/** Those that end in a drop, but iptables' FORWARD, through which our own rules lead. */
export function closed_chains(): ClosedChains {
  const found = new ClosedChains();
  const bases = chain_list(HOST, FORWARD.hooknum);
  if (!bases && !unsupported()) found.error = nft_error("list the chains of the forward hook");
  for (let i = 0; bases && i < bases.length; i++) {
    const base = bases[i];
    const ip = base.family == Family.Ip || base.family == Family.Ip6;
    if ((!ip && base.family != Family.Inet) || base.table == TABLE) continue;
    if (ip && base.table == "filter" && base.chain == "FORWARD") continue;
    const chain = chain_get(HOST, base.family, base.table, base.chain);
    if (!chain) {
      // Gone meanwhile.
      if (failure_errno == ENOENT) continue;
      found.error = nft_error(`list chain ${base.chain} of table ${base.table}`);
      break;
    }
    const closing = closing_of(base.family, base.table, chain);
    if (closing.failed) {
      found.error = nft_error(`list where chain ${base.chain} of table ${base.table} leads`);
      break;
    }
    if (closing.at < 0 && base.policy != "drop") continue;
    found.list.push(new Closed(base, !closing.open));
  }
  return found;
}

/** Says which other firewalls of the node may drop what ours accepts, and what to do. */
export function closed_explain(chains: Closed[]): void {
  for (let i = 0; i < chains.length; i++) {
    log(`firewall: ${chains[i].text}: ${chains[i].advice}`);
  }
}
