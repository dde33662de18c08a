// SPDX-License-Identifier: Apache-2.0
// What the simulated kernel holds of nftables in one namespace, and how a transaction in nft's
// words changes it. It knows the shape of commands, not the meaning of any rule.
import { EBUSY, EEXIST, EINVAL, ENOENT } from "../lib/errno";
import { SetType } from "../nft/value";

const GENERATION = "# generation ";
const COMMENT = ' comment "';

/** The comment of a rule; "" for none. */
export function comment_of(rule: string): string {
  const quote = rule.indexOf(COMMENT);
  return quote < 0 ? "" : rule.substring(quote + COMMENT.length, rule.length - 1);
}

const VERDICTS: string[] = ["accept", "drop", "return", "continue", "reject", "counter", "log"];

/**
 * What the kernel calls the expressions of a rule, as far as anybody goes by that: verdicts, what
 * is idle, and whether something is compared before, the state of the flow or else.
 */
export function does_of(rule: string): string[] {
  const quote = rule.indexOf(COMMENT);
  const words = (quote < 0 ? rule : rule.substring(0, quote)).split(" ");
  const does = new Array<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (VERDICTS.includes(word)) does.push(word);
    else if (word == "with" && i > 0 && words[i - 1] == "reject") return does;
    else if ((word == "jump" || word == "goto") && i + 1 < words.length) {
      does.push(`${word} ${words[++i]}`);
    } else if (word == "ct") does.push("ct");
    else if (word == "vmap" || word.startsWith("@")) {
      if (does.length == 0 || does[does.length - 1] != "lookup") does.push("lookup");
    } else if (word == "ip" || word == "ip6" || word == "meta" || word.endsWith("name")) {
      does.push(word == "meta" || word.endsWith("name") ? "meta" : "payload");
    }
  }
  return does;
}

export class NftElement {
  constructor(
    public data: string,
    public comment: string,
  ) {}
}

export class NftSet {
  elements: Map<string, NftElement> = new Map<string, NftElement>();
  type: SetType;
  constructor(public definition: string) {
    // { type KEY : DATA; }
    const types = definition.substring(7, definition.indexOf(";")).split(" : ");
    this.type = new SetType(types[0], types.length > 1 ? types[1] : "");
  }
  copy(): NftSet {
    const copied = new NftSet(this.definition);
    const keys = this.elements.keys();
    for (let i = 0; i < keys.length; i++) copied.elements.set(keys[i], this.elements.get(keys[i]));
    return copied;
  }
}

export class NftChain {
  /** In nft's words. */
  rules: string[] = [];
  /** Of each rule, a number that no other of the namespace has. */
  handles: i32[] = [];
  constructor(
    /** `{ type … }` of a base chain, "" for another. */
    public base: string,
  ) {}
  copy(): NftChain {
    const copied = new NftChain(this.base);
    copied.rules = this.rules.slice();
    copied.handles = this.handles.slice();
    return copied;
  }
  empty(): void {
    this.rules = [];
    this.handles = [];
  }
  /** A word of a base chain that follows another, such as `policy`. */
  word(before: string): string {
    const words = this.base.split(" ");
    const at = words.indexOf(before);
    return at < 0 || at + 1 == words.length ? "" : words[at + 1].replace(";", "");
  }
  /** The priority of a base chain: `filter`, `filter - 5` or a number; filter is the family's. */
  priority(filter: i32): i32 {
    const start = this.base.indexOf(" priority ") + 10;
    const words = this.base.substring(start, this.base.indexOf(";", start)).split(" ");
    const named = words[0] == "filter" ? filter : I32.parseInt(words[0]);
    if (words.length < 3) return named;
    return named + (words[1] == "-" ? -1 : 1) * I32.parseInt(words[2]);
  }
}

/** Tables, sets and chains by "FAMILY TABLE[ NAME]". */
export class Nft {
  tables: Set<string> = new Set<string>();
  sets: Map<string, NftSet> = new Map<string, NftSet>();
  chains: Map<string, NftChain> = new Map<string, NftChain>();
  /** How often a transaction has changed something, and one. */
  generation: i32 = 1;
  private handle: i32 = 0;

  copy(): Nft {
    const copied = new Nft();
    const tables = this.tables.values();
    for (let i = 0; i < tables.length; i++) copied.tables.add(tables[i]);
    const sets = this.sets.keys();
    for (let i = 0; i < sets.length; i++) copied.sets.set(sets[i], this.sets.get(sets[i]).copy());
    const chains = this.chains.keys();
    for (let i = 0; i < chains.length; i++) {
      copied.chains.set(chains[i], this.chains.get(chains[i]).copy());
    }
    copied.handle = this.handle;
    copied.generation = this.generation + 1;
    return copied;
  }

  /** Whether commands that name a generation are meant for another. */
  missed(words: string): bool {
    return words.startsWith(GENERATION) && !words.startsWith(`${GENERATION}${this.generation}\n`);
  }

  /** Performs commands, a line each; the errno of the first that fails, 0 for none. */
  run(words: string): i32 {
    const lines = words.split("\n");
    for (let i = i32(words.startsWith(GENERATION)); i < lines.length; i++) {
      const errno = lines[i].length > 0 ? this.command(lines[i].split(" ")) : 0;
      if (errno != 0) return errno;
    }
    return 0;
  }

  private command(words: string[]): i32 {
    if (words.length < 4) return EINVAL;
    const what = `${words[0]} ${words[1]}`;
    const table = `${words[2]} ${words[3]}`;
    if (what == "add table" || what == "create table") {
      if (words[0] == "create" && this.tables.has(table)) return EEXIST;
      this.tables.add(table);
      return 0;
    }
    if (!this.tables.has(table)) return ENOENT;
    if (what == "delete table") return this.delete_table(table);
    if (words.length < 5) return EINVAL;
    const name = `${table} ${words[4]}`;
    const rest = words.slice(5).join(" ");
    if (what == "add set" || what == "add map") return this.add_set(name, rest);
    if (what == "add chain" || what == "create chain") {
      const there = this.chains.has(name);
      if (!there) this.chains.set(name, new NftChain(rest));
      return there && words[0] == "create" ? EEXIST : 0;
    }
    if (what == "create element" || what == "delete element") {
      return this.sets.has(name)
        ? this.element(table, words[0], this.sets.get(name), rest)
        : ENOENT;
    }
    if (!this.chains.has(name)) return ENOENT;
    if (what == "flush chain") this.chains.get(name).empty();
    else if (what == "add rule") {
      return this.add_rule(table, this.chains.get(name), -1, rest);
    } else if (what == "insert rule") return this.insert_rule(table, this.chains.get(name), words);
    else if (what == "delete rule") {
      return this.delete_rule(this.chains.get(name), I32.parseInt(words[words.length - 1]));
    } else if (what == "delete chain") return this.delete_chain(table, name, words[4]);
    else return EINVAL;
    return 0;
  }

  private delete_table(table: string): i32 {
    const sets = this.sets.keys();
    for (let i = 0; i < sets.length; i++) {
      if (sets[i].startsWith(`${table} `)) this.sets.delete(sets[i]);
    }
    const chains = this.chains.keys();
    for (let i = 0; i < chains.length; i++) {
      if (chains[i].startsWith(`${table} `)) this.chains.delete(chains[i]);
    }
    this.tables.delete(table);
    return 0;
  }

  private add_set(name: string, definition: string): i32 {
    if (!this.sets.has(name)) this.sets.set(name, new NftSet(definition));
    return this.sets.get(name).definition == definition ? 0 : EEXIST;
  }

  /** `insert rule FAMILY TABLE CHAIN [handle NUMBER] RULE` */
  private insert_rule(table: string, chain: NftChain, words: string[]): i32 {
    if (words[5] != "handle") return this.add_rule(table, chain, 0, words.slice(5).join(" "));
    const at = chain.handles.indexOf(I32.parseInt(words[6]));
    return at < 0 ? ENOENT : this.add_rule(table, chain, at, words.slice(7).join(" "));
  }

  /** `at`: before which rule, -1 for the end. */
  private add_rule(table: string, chain: NftChain, at: i32, rule: string): i32 {
    const words = rule.split(" ");
    for (let i = 0; i < words.length; i++) {
      if ((words[i] == "jump" || words[i] == "goto") && i + 1 < words.length) {
        if (!this.chains.has(`${table} ${words[i + 1]}`)) return ENOENT;
      }
      if (!words[i].startsWith("@")) continue;
      if (!this.sets.has(`${table} ${words[i].substring(1)}`)) return ENOENT;
    }
    chain.rules.push(rule);
    chain.handles.push(++this.handle);
    for (let i = chain.rules.length - 1; at >= 0 && i > at; i--) {
      chain.rules[i] = chain.rules[i - 1];
      chain.handles[i] = chain.handles[i - 1];
    }
    if (at >= 0) {
      chain.rules[at] = rule;
      chain.handles[at] = this.handle;
    }
    return 0;
  }

  private delete_rule(chain: NftChain, handle: i32): i32 {
    const at = chain.handles.indexOf(handle);
    if (at < 0) return ENOENT;
    chain.handles.splice(at, 1);
    chain.rules.splice(at, 1);
    return 0;
  }

  /** `{ KEY comment "TEXT" : DATA }`, the comment and the data maybe absent. */
  private element(table: string, verb: string, set: NftSet, rest: string): i32 {
    let key = rest.substring(2, rest.length - 2);
    let data = "";
    let comment = "";
    const colon = key.indexOf(" : ");
    if (colon >= 0) {
      data = key.substring(colon + 3);
      key = key.substring(0, colon);
    }
    const quote = key.indexOf(' comment "');
    if (quote >= 0) {
      comment = key.substring(quote + 10, key.length - 1);
      key = key.substring(0, quote);
    }
    if (!set.type.valid(key) || (verb != "delete" && !set.type.data_valid(data))) return EINVAL;
    const there = set.elements.has(key);
    if (verb == "delete") {
      if (there) set.elements.delete(key);
      return there ? 0 : ENOENT;
    }
    const chain = data.startsWith("goto ") ? data.substring(5) : "";
    if (chain.length > 0 && !this.chains.has(`${table} ${chain}`)) return ENOENT;
    if (there) return EEXIST;
    set.elements.set(key, new NftElement(data, comment));
    return 0;
  }

  /** How many elements and rules of a table lead to a chain of it. */
  leads(table: string, name: string): i32 {
    let count = 0;
    const sets = this.sets.keys();
    for (let i = 0; i < sets.length; i++) {
      if (!sets[i].startsWith(`${table} `)) continue;
      const elements = this.sets.get(sets[i]).elements.values();
      for (let k = 0; k < elements.length; k++) count += i32(elements[k].data == `goto ${name}`);
    }
    const chains = this.chains.keys();
    for (let i = 0; i < chains.length; i++) {
      if (!chains[i].startsWith(`${table} `)) continue;
      const rules = this.chains.get(chains[i]).rules;
      for (let k = 0; k < rules.length; k++) {
        const led = rules[k].includes(`jump ${name} `) || rules[k].includes(`goto ${name} `);
        count += i32(led);
      }
    }
    return count;
  }

  private delete_chain(table: string, chain: string, name: string): i32 {
    if (this.leads(table, name) > 0) return EBUSY;
    this.chains.delete(chain);
    return 0;
  }
}
