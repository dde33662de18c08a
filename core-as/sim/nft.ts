// SPDX-License-Identifier: Apache-2.0
// The module `nft` of the ABI: it goes by the words of a transaction, never by its messages; that
// both say the same is for the tests on the real kernel to prove. Also the nft lines of the state's
// text (text.ts).
import { ENOENT, ERESTART } from "../lib/errno";
import { Batch, Family, family_word, TABLE } from "../nft/batch";
import { ADMINS, admin_tag, FIREWALL, firewall_chain } from "../nft/firewall";
import { Chain, Part } from "../nft/part";
import { PARTS, part_of_set } from "../nft/parts";
import { Rule } from "../nft/rule";
import { part_of_chain, subnet_chain } from "../nft/subnets";
import { hex_text } from "../nft/value";
import { comment_of, does_of, Nft, NftChain, NftSet } from "./nft-state";
import {
  NftBaseReply,
  NftElementReply,
  NftHandleReply,
  NftRuleReply,
  write_nft_base_list,
  write_nft_chain,
  write_nft_element_list,
  write_nft_rule_list,
} from "./replies.gen";
import { fail, refusal, refuse, reply, space_of, text_of } from "./slot";
import { Space } from "./state";

export function nft_batch(
  ns: i32,
  _messages: usize,
  _messages_len: i32,
  words: usize,
  words_len: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const text = text_of(words, words_len);
  if (text == null) return refusal;
  if (space.nft.missed(text)) return fail(ERESTART);
  const made = space.nft.copy();
  const errno = made.run(text);
  if (errno != 0) return fail(errno);
  space.nft = made;
  return 0;
}

export function nft_generation(ns: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  reply().text(space.nft.generation.toString());
  return 0;
}

export function nft_rule_list(ns: i32, family: i32, table: usize, table_len: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const name = text_of(table, table_len);
  if (name == null) return refusal;
  const start = `${family_word(family)} ${name} `;
  const chains = space.nft.chains.keys();
  const told = new Array<NftRuleReply>();
  for (let i = 0; i < chains.length; i++) {
    if (!chains[i].startsWith(start)) continue;
    const rules = space.nft.chains.get(chains[i]).rules;
    for (let k = 0; k < rules.length; k++) {
      told.push({ chain: chains[i].substring(start.length), comment: comment_of(rules[k]) });
    }
  }
  write_nft_rule_list(reply(), told);
  return 0;
}

export function nft_chain_get(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  chain: usize,
  chain_len: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const table_name = text_of(table, table_len);
  const name = table_name != null ? text_of(chain, chain_len) : null;
  if (table_name == null || name == null) return refusal;
  const of_table = `${family_word(family)} ${table_name}`;
  const key = `${of_table} ${name}`;
  if (!space.nft.chains.has(key)) return fail(ENOENT);
  const found = space.nft.chains.get(key);
  const rules = new Array<NftHandleReply>();
  for (let i = 0; i < found.rules.length; i++) {
    rules.push({
      handle: found.handles[i],
      comment: comment_of(found.rules[i]),
      does: does_of(found.rules[i]),
    });
  }
  const use = found.rules.length + space.nft.leads(of_table, name);
  write_nft_chain(reply(), { use, rules });
  return 0;
}

const HOOKS: string[] = ["prerouting", "input", "forward", "output", "postrouting"];
const FAMILIES: i32[] = [Family.Inet, Family.Ip, Family.Ip6, Family.Bridge];

function priority_of(family: string, chain: NftChain): i32 {
  return chain.priority(family == family_word(Family.Bridge) ? -200 : 0);
}

export function nft_chain_list(ns: i32, hooknum: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const chains = space.nft.chains.keys();
  const told = new Array<NftBaseReply>();
  for (let i = 0; i < chains.length; i++) {
    const chain = space.nft.chains.get(chains[i]);
    if (HOOKS.indexOf(chain.word("hook")) != hooknum) continue;
    const words = chains[i].split(" ");
    for (let k = 0; k < FAMILIES.length; k++) {
      if (family_word(FAMILIES[k]) != words[0]) continue;
      told.push({
        family: FAMILIES[k],
        table: words[1],
        chain: words[2],
        priority: priority_of(words[0], chain),
        policy: chain.word("policy"),
      });
    }
  }
  write_nft_base_list(reply(), told);
  return 0;
}

/** The set of a request; null when it is not there, with the refusal noted. */
function set_of(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  set: usize,
  set_len: i32,
): NftSet | null {
  const space = space_of(ns);
  const table_name = space ? text_of(table, table_len) : null;
  const name = table_name != null ? text_of(set, set_len) : null;
  if (!space || table_name == null || name == null) return null;
  const key = `${family_word(family)} ${table_name} ${name}`;
  if (space.nft.sets.has(key)) return space.nft.sets.get(key);
  refuse(ENOENT, "");
  return null;
}

function element_told(set: NftSet, key: string): NftElementReply {
  const element = set.elements.get(key);
  return {
    key: hex_text(set.type.key_bytes(key)),
    data: set.type.data_told(element.data),
    comment: element.comment,
  };
}

export function nft_element_list(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  set: usize,
  set_len: i32,
): i32 {
  const found = set_of(ns, family, table, table_len, set, set_len);
  if (!found) return refusal;
  const keys = found.elements.keys();
  const told = new Array<NftElementReply>();
  for (let i = 0; i < keys.length; i++) told.push(element_told(found, keys[i]));
  write_nft_element_list(reply(), told);
  return 0;
}

export function nft_element_get(
  ns: i32,
  family: i32,
  table: usize,
  table_len: i32,
  set: usize,
  set_len: i32,
  key: usize,
  key_len: i32,
): i32 {
  const found = set_of(ns, family, table, table_len, set, set_len);
  if (!found) return refusal;
  let hex = "";
  for (let i = 0; i < key_len; i++)
    hex += load<u8>(key + i)
      .toString(16)
      .padStart(2, "0");
  const words = found.type.key_words(hex);
  if (!found.elements.has(words)) return fail(ENOENT);
  write_nft_element_list(reply(), [element_told(found, words)]);
  return 0;
}

/** Made once: each state that is written asks for them in every namespace. */
const expectations = new Map<string, Nft>();

/** A part's chains, or one chain that elements lead to, as they should be. */
function expected(part: Part, chain: Chain | null): Nft {
  const key = chain ? `${part.name} ${chain.name}` : part.name;
  if (expectations.has(key)) return expectations.get(key);
  const batch = new Batch();
  if (chain) {
    batch.add_table(part.family);
    part.load_chain(batch, chain);
  } else {
    part.load(batch);
  }
  const made = new Nft();
  made.run(batch.words.toString());
  expectations.set(key, made);
  return made;
}

/** Whether every chain of `wanted` is in `nft` with the same rules; that of jumps has others. */
function holds(nft: Nft, wanted: Nft): bool {
  const chains = wanted.chains.keys();
  for (let i = 0; i < chains.length; i++) {
    if (!nft.chains.has(chains[i])) return false;
    if (chains[i].endsWith(` ${ADMINS}`)) continue;
    const rules = nft.chains.get(chains[i]).rules.join("\n");
    if (rules != wanted.chains.get(chains[i]).rules.join("\n")) return false;
  }
  return true;
}

const OURS_INET = `${family_word(Family.Inet)} ${TABLE}`;
const OURS_BRIDGE = `${family_word(Family.Bridge)} ${TABLE}`;
const JUMP_START = `jump `;

/** The chain of ours that elements lead to, by its name, and the part that it is of. */
class Led {
  part: Part = FIREWALL;
  chain: Chain | null = null;
  constructor(name: string) {
    const part = part_of_chain(name);
    if (part) this.part = part;
    this.chain = part ? subnet_chain(name) : firewall_chain(name);
  }
}

/** Chains of administrators, a line for each jump, and their rules. */
function admin_lines(nft: Nft, into: string[]): void {
  const key = `${OURS_INET} ${ADMINS}`;
  if (!nft.chains.has(key)) return;
  const jumps = nft.chains.get(key).rules;
  for (let i = 0; i < jumps.length; i++) {
    const name = jumps[i].substring(JUMP_START.length, jumps[i].indexOf(" ", JUMP_START.length));
    const again = into.includes(`nft admin ${name}`);
    into.push(`nft admin ${name}`);
    if (again) continue;
    const rules = nft.chains.get(`${OURS_INET} ${name}`).rules;
    for (let k = 0; k < rules.length; k++) into.push(`nft rule ${name} ${rules[k]}`);
  }
}

/** Chains of others: those in the forward hook, those that are in none, and their rules. */
function others_lines(nft: Nft, into: string[]): void {
  const chains = nft.chains.keys();
  for (let i = 0; i < chains.length; i++) {
    const words = chains[i].split(" ");
    const chain = nft.chains.get(chains[i]);
    const hook = chain.word("hook");
    if (words[1] == TABLE || (hook.length > 0 && hook != "forward")) continue;
    const how = ` ${priority_of(words[0], chain)} ${chain.word("policy")}`;
    into.push(hook.length > 0 ? `nft forward ${chains[i]}${how}` : `nft chain ${chains[i]}`);
    for (let k = 0; k < chain.rules.length; k++) {
      into.push(`nft in ${chains[i]} ${k + 1} ${chain.rules[k]}`);
    }
  }
}

/** The nft lines of a namespace. */
export function nft_lines(space: Space, into: string[]): void {
  const nft = space.nft;
  for (let i = 0; i < PARTS.length; i++) {
    const part = PARTS[i];
    if (holds(nft, expected(part, null))) into.push(`nft ${part.name} ${part.version}`);
  }
  const chains = nft.chains.keys();
  for (let i = 0; i < chains.length; i++) {
    const name = chains[i].substring(chains[i].lastIndexOf(" ") + 1);
    const led = new Led(name);
    if (led.chain && holds(nft, expected(led.part, led.chain))) into.push(`nft chain ${name}`);
  }
  admin_lines(nft, into);
  others_lines(nft, into);
  const sets = nft.sets.keys();
  for (let i = 0; i < sets.length; i++) {
    const name = sets[i].substring(sets[i].lastIndexOf(" ") + 1);
    const elements = nft.sets.get(sets[i]).elements;
    const keys = elements.keys();
    for (let k = 0; k < keys.length; k++) {
      const element = elements.get(keys[k]);
      const data = element.data.length > 0 ? ` : ${element.data}` : "";
      into.push(`nft element ${name} ${keys[k]}${data} "${element.comment}"`);
    }
  }
  const tables = nft.tables.values();
  for (let i = 0; i < tables.length; i++) {
    if (tables[i] == OURS_INET || tables[i] == OURS_BRIDGE) continue;
    into.push(`nft table ${tables[i]}`);
  }
}

/** Reads one of them; what is wrong with it, "" when nothing is. */
export function put_nft(space: Space, line: string): string {
  const words = line.split(" ");
  const batch = new Batch();
  if (words[1] == "table" && words.length == 4) {
    space.nft.tables.add(`${words[2]} ${words[3]}`);
    return "";
  }
  if (words[1] == "forward" && words.length == 7) return put_forward(space.nft, words);
  if (words[1] == "chain" && words.length == 5) return ran(space.nft, `add ${line.substring(4)}`);
  if (words[1] == "in" && words.length > 6) return put_in(space.nft, words);
  if (words[1] == "chain" && words.length == 3) {
    const led = new Led(words[2]);
    const chain = led.chain;
    if (!chain) return `no chain of ours: ${words[2]}`;
    led.part.load_chain(batch, chain);
  } else if (words[1] == "admin" && words.length == 3) {
    batch.add_chain(Family.Inet, words[2], null);
    batch.add_rule(Family.Inet, ADMINS, new Rule().jump(words[2]), admin_tag(words[2]));
  } else if (words[1] == "rule" && words.length > 3) {
    return ran(space.nft, `add rule ${OURS_INET} ${words.slice(2).join(" ")}`);
  } else if (words[1] == "element") {
    return put_element(space, line.substring(12));
  } else {
    let known = false;
    for (let i = 0; i < PARTS.length; i++) {
      if (`nft ${PARTS[i].name} ${PARTS[i].version}` != line) continue;
      known = true;
      PARTS[i].load(batch);
    }
    if (!known) {
      return (
        "nft takes table, forward, chain, in, admin, rule, element, " + "or a part and its version"
      );
    }
  }
  return ran(space.nft, batch.words.toString());
}

function ran(nft: Nft, commands: string): string {
  const errno = nft.run(commands);
  return errno == 0 ? "" : `nft: errno ${errno}`;
}

/** `nft in FAMILY TABLE CHAIN NUMBER RULE`: they are numbered from 1, in their order. */
function put_in(nft: Nft, words: string[]): string {
  const chain = words.slice(2, 5).join(" ");
  const there = nft.chains.has(chain) ? nft.chains.get(chain).rules.length : -1;
  if (there < 0) return `no chain ${chain}`;
  if (words[5] != (there + 1).toString()) return `rule ${words[5]} of ${chain} is no. ${there + 1}`;
  return ran(nft, `add rule ${chain} ${words.slice(6).join(" ")}`);
}

/** `nft forward FAMILY TABLE CHAIN PRIORITY POLICY` */
function put_forward(nft: Nft, words: string[]): string {
  const table = `${words[2]} ${words[3]}`;
  const base = `{ type filter hook forward priority ${words[5]}; policy ${words[6]}; }`;
  return ran(nft, `add table ${table}\nadd chain ${table} ${words[4]} ${base}`);
}

/** `SET KEY[ : DATA] "COMMENT"` */
function put_element(space: Space, text: string): string {
  const quote = text.indexOf(' "');
  const name = text.substring(0, max(text.indexOf(" "), 0));
  const part = part_of_set(name);
  if (!part || quote < 0 || !text.endsWith('"')) return "nft element takes a set, a key, a comment";
  const parts = text.substring(name.length + 1, quote).split(" : ");
  const data = parts.length > 1 ? ` : ${parts[1]}` : "";
  const comment = text.substring(quote + 1);
  const place = `${family_word(part.family)} ${TABLE} ${name}`;
  const words = `create element ${place} { ${parts[0]} comment ${comment}${data} }`;
  const errno = space.nft.run(words);
  return errno == 0 ? "" : `nft: errno ${errno} of ${words}`;
}
