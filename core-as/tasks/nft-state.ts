// SPDX-License-Identifier: Apache-2.0
// The task `nft_state`: what the kernel has in our tables and in the forward hook, in the nft
// lines of the simulated kernel's text (core-as/sim/text.ts), so that a dry run starts from it. It
// only reads. Rules of others are told by what they do, as nobody here knows their words.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { chain_get, chain_list, element_list, NftBase, NftChain, rule_list } from "../host/nft";
import { lower } from "../lib/ascii";
import { ENOENT } from "../lib/errno";
import { JsonValue, json_text } from "../lib/json";
import { Family, family_word, TABLE } from "../nft/batch";
import { ADMINS, admin_tag, FIREWALL, FORWARD, firewall_chain } from "../nft/firewall";
import { Part } from "../nft/part";
import { PARTS } from "../nft/parts";
import { nft_error, Present, unsupported } from "../nft/present";
import { part_of_chain, subnet_chain } from "../nft/subnets";
import { Answer, refuse } from "../plugin/dispatch";

/** Reads the lines; what cannot be read ends it. */
class State {
  lines: string[] = [];
  private present: Present = new Present();

  /** False on failure. */
  read(): bool {
    for (let i = 0; i < PARTS.length; i++) {
      if (!this.present.read(PARTS[i].family)) return false;
      if (this.present.whole(PARTS[i])) this.lines.push(`nft ${PARTS[i].name} ${PARTS[i].version}`);
    }
    this.chains();
    if (!this.admins()) return false;
    for (let i = 0; i < PARTS.length; i++) {
      if (!this.elements(PARTS[i])) return false;
    }
    return this.others();
  }

  /** Chains of ours that elements lead to. */
  private chains(): void {
    const names = this.present.chains(Family.Inet, "");
    for (let i = 0; i < names.length; i++) {
      const owner = part_of_chain(names[i]);
      const part = owner ? owner : FIREWALL;
      const chain = owner ? subnet_chain(names[i]) : firewall_chain(names[i]);
      if (chain && this.present.has(part, chain)) this.lines.push(`nft chain ${names[i]}`);
    }
  }

  /** Chains of administrators in our table. */
  private admins(): bool {
    const rules = rule_list(HOST, Family.Inet, TABLE);
    if (!rules) return false;
    const start = admin_tag("");
    for (let i = 0; i < rules.length; i++) {
      if (rules[i].chain != ADMINS || !rules[i].comment.startsWith(start)) continue;
      const name = rules[i].comment.substring(start.length);
      this.lines.push(`nft admin ${name}`);
      const chain = chain_get(HOST, Family.Inet, TABLE, name);
      if (!chain) continue;
      for (let k = 0; k < chain.rules.length; k++) {
        const words = rule_words(chain, k);
        if (words.length > 0) this.lines.push(`nft rule ${name} ${words}`);
      }
    }
    return true;
  }

  private elements(part: Part): bool {
    for (let i = 0; i < part.sets.length; i++) {
      const set = part.sets[i];
      const elements = element_list(HOST, part.family, TABLE, set.name);
      if (!elements && failure_errno != ENOENT) return false;
      for (let k = 0; elements !== null && k < elements.length; k++) {
        const data = set.type.data_words(elements[k].data);
        const to = data.length > 0 ? ` : ${data}` : "";
        const key = set.type.key_words(elements[k].key);
        this.lines.push(`nft element ${set.name} ${key}${to} "${elements[k].comment}"`);
      }
    }
    return true;
  }

  /** Chains of others in the forward hook, and those that they lead to, which look empty. */
  private others(): bool {
    const bases = chain_list(HOST, FORWARD.hooknum);
    if (!bases) return false;
    for (let i = 0; i < bases.length; i++) {
      if (bases[i].table != TABLE && !this.other(bases[i])) return false;
    }
    return true;
  }

  private other(base: NftBase): bool {
    const table = `${family_word(base.family)} ${base.table}`;
    const place = `${table} ${base.chain}`;
    const chain = chain_get(HOST, base.family, base.table, base.chain);
    if (!chain) return failure_errno == ENOENT;
    this.once(`nft table ${table}`);
    this.lines.push(`nft forward ${place} ${base.priority} ${base.policy}`);
    let number = 0;
    for (let i = 0; i < chain.rules.length; i++) {
      const does = chain.rules[i].does;
      for (let k = 0; k < does.length; k++) {
        const leads = does[k].startsWith("jump ") || does[k].startsWith("goto ");
        if (leads) this.once(`nft chain ${table} ${does[k].substring(5)}`);
      }
      const words = rule_words(chain, i);
      if (words.length > 0) this.lines.push(`nft in ${place} ${++number} ${words}`);
    }
    return true;
  }

  private once(line: string): void {
    if (!this.lines.includes(line)) this.lines.push(line);
  }
}

/** What a rule does in words from which the simulated kernel tells the same. */
function rule_words(chain: NftChain, at: i32): string {
  const rule = chain.rules[at];
  const words = new Array<string>();
  for (let i = 0; i < rule.does.length; i++) {
    const does = rule.does[i];
    if (does.startsWith("target ")) words.push(lower(does.substring(7)));
    else if (does == "match conntrack" || does == "match state") words.push("ct");
    else if (does == "lookup") words.push("vmap");
    else words.push(does);
  }
  if (rule.comment.length > 0) words.push(`comment "${rule.comment}"`);
  return words.join(" ");
}

/** `{"lines": [TEXT]}`; none where the kernel has no nftables. */
export function nft_state(): Answer {
  const state = new State();
  if (!state.read() && !unsupported()) return refuse(nft_error("read nftables"), "");
  const lines = JsonValue.array();
  for (let i = 0; i < state.lines.length; i++) lines.push(JsonValue.string(state.lines[i]));
  const made = JsonValue.object();
  made.append("lines", lines);
  return new Answer(json_text(made));
}
