// SPDX-License-Identifier: Apache-2.0
// What the kernel has of our tables, read for one transaction, and what is said when reading fails
// or something is missing. It changes nothing.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { element_get, NftElement, rule_list } from "../host/nft";
import { EINVAL, ENOENT, EOPNOTSUPP, EPROTONOSUPPORT } from "../lib/errno";
import { CniError, Code, os_error } from "../spec/error";
import { TABLE } from "./batch";
import { Element } from "./element";
import { ADMINS, admin_tag } from "./firewall";
import { Chain, Part } from "./part";

/** A kernel without nf_tables says so in one of these. */
export function unsupported(): bool {
  const errno = failure_errno;
  return errno == EPROTONOSUPPORT || errno == EOPNOTSUPP || errno == EINVAL;
}

/** The error for the operation that just failed. */
export function nft_error(tried: string, code: i32 = Code.Kernel): CniError {
  const error = os_error(tried, code);
  // A chain of a type that the kernel lacks is ENOENT.
  if (unsupported() || (code == Code.NotAvailable && failure_errno == ENOENT)) {
    error.msg +=
      ": the kernel must have nf_tables with nat, fib, ct and bridge support " +
      "(modprobe nf_tables nft_chain_nat nft_nat nft_masq nft_fib_inet nft_ct nf_tables_bridge)";
  }
  return error;
}

/** Why something is missing that was there, and what brings it back. */
export const FLUSHED = ', so somebody flushed it: "fairlead repair" restores it for all containers';

/** An error of CHECK: what is missing. */
export function lost(what: string): CniError {
  return new CniError(Code.CheckFailed, `${what}${FLUSHED}`);
}

/** Rules of our tables, by chain, as far as they were read. */
export class Present {
  private families: i32[] = [];
  private counts: Map<string, i32> = new Map<string, i32>();
  private tags: Map<string, string> = new Map<string, string>();
  private jumps: Set<string> = new Set<string>();

  /** Reads the rules of a family, once; false on failure. */
  read(family: i32): bool {
    if (this.families.includes(family)) return true;
    const rules = rule_list(HOST, family, TABLE);
    if (!rules) return false;
    this.families.push(family);
    for (let i = 0; i < rules.length; i++) {
      const key = `${family} ${rules[i].chain}`;
      const first = !this.counts.has(key);
      this.counts.set(key, (first ? 0 : this.counts.get(key)) + 1);
      // One foreign rule among them makes the chain another.
      const same = first || this.tags.get(key) == rules[i].comment;
      this.tags.set(key, same ? rules[i].comment : "");
      if (rules[i].chain == ADMINS) this.jumps.add(rules[i].comment);
    }
    return true;
  }
  has(part: Part, chain: Chain): bool {
    // The one that holds the jumps is there while a rule of its part leads to it.
    if (chain.kept) return chain.name == ADMINS || this.jumps.has(admin_tag(chain.name));
    const key = `${part.family} ${chain.name}`;
    if (!this.counts.has(key)) return false;
    return this.counts.get(key) == chain.rules.length && this.tags.get(key) == part.tag;
  }
  /** Whether it is there, or one that has more. */
  intact(part: Part): bool {
    const richer = part.richer;
    return this.whole(part) || (richer !== null && this.whole(richer));
  }
  whole(part: Part): bool {
    for (let i = 0; i < part.chains.length; i++) {
      if (!this.has(part, part.chains[i])) return false;
    }
    return true;
  }
  /** Whether something of a part is there. */
  loaded(part: Part): bool {
    for (let i = 0; i < part.chains.length; i++) {
      if (this.counts.has(`${part.family} ${part.chains[i].name}`)) return true;
    }
    return false;
  }
  /** Notes that it is loaded. */
  note_part(part: Part): void {
    for (let i = 0; i < part.chains.length; i++) this.note(part, part.chains[i]);
  }
  note(part: Part, chain: Chain): void {
    const key = `${part.family} ${chain.name}`;
    this.counts.set(key, chain.rules.length);
    this.tags.set(key, part.tag);
    if (chain.kept) this.jumps.add(admin_tag(chain.name));
  }
  /** Names of the chains of a family that begin so. */
  chains(family: i32, prefix: string): string[] {
    const found = new Array<string>();
    const keys = this.counts.keys();
    const start = `${family} ${prefix}`;
    for (let i = 0; i < keys.length; i++) {
      if (keys[i].startsWith(start)) found.push(keys[i].substring(keys[i].indexOf(" ") + 1));
    }
    return found;
  }
}

/**
 * An element of ours as the kernel has it, its data in words; null when it is not there, or on
 * another failure.
 */
export function find(element: Element): NftElement | null {
  const place = element.place;
  const key = place.type.key_bytes(element.key);
  const found = element_get(HOST, place.family, TABLE, place.name, key);
  if (found) found.data = place.type.data_words(found.data);
  return found;
}
