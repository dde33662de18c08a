// SPDX-License-Identifier: Apache-2.0
// What is wanted of the kernel and what it holds, entry by entry, and the changes between. It
// refuses to know why an entry is wanted.
import { change, entry_key, entry_order, entry_value, route_dst, same_but_place } from "./entry";
import { Problem } from "./judge";

export class Holding {
  /** Whether the kernel held something else than wanted at the last look. */
  differs: bool = true;
  /** What is wanted and what the kernel has, by key. */
  private wanted: Map<string, string> = new Map<string, string>();
  private wanted_texts: Set<string> = new Set<string>();
  private held: Map<string, string> = new Map<string, string>();
  /** Peers as they were before they were made anew: one still so was refused, and has not moved. */
  private former: Set<string> = new Set<string>();
  /** Routes of others to pods' destinations. */
  private foreign: Map<string, string> = new Map<string, string>();

  /** How many entries are wanted. */
  get size(): i32 {
    return this.wanted.size;
  }
  /** What the kernel has. */
  get entries(): string[] {
    return this.held.values();
  }

  /** Puts entries in the place of others; keys that may differ now are added to `touched`. */
  want(before: string[], entries: string[], touched: string[]): void {
    for (let i = 0; i < before.length; i++) {
      if (entries.includes(before[i])) continue;
      const key = entry_key(before[i]);
      if (this.wanted.has(key) && this.wanted.get(key) == before[i]) this.wanted.delete(key);
      this.wanted_texts.delete(before[i]);
      touched.push(key);
    }
    for (let i = 0; i < entries.length; i++) {
      const key = entry_key(entries[i]);
      if (!this.wanted.has(key) || this.wanted.get(key) != entries[i]) touched.push(key);
      this.wanted.set(key, entries[i]);
      this.wanted_texts.add(entries[i]);
    }
  }

  /**
   * A peer that was made as wanted and is called from elsewhere since, as behind NAT, is as wanted:
   * WireGuard goes after who has the key. Any other entry is what it is.
   */
  private settled(entry: string): string {
    if (!entry.startsWith("peer ")) return entry;
    const key = entry_key(entry);
    if (!this.wanted.has(key) || !this.held.has(key) || this.former.has(entry)) return entry;
    const wanted = this.wanted.get(key);
    return this.held.get(key) == wanted && same_but_place(entry, wanted) ? wanted : entry;
  }

  /** Takes what the kernel holds; those of which only one can stay are to go. */
  take(seen: string[]): string[] {
    const entries = new Array<string>(seen.length);
    for (let i = 0; i < seen.length; i++) entries[i] = this.settled(seen[i]);
    this.former.clear();
    this.differs = false;
    const extra = new Array<string>();
    let as_wanted = entries.length == this.wanted_texts.size;
    as_wanted = as_wanted && entries.length == this.held.size;
    for (let i = 0; i < entries.length && as_wanted; i++) {
      as_wanted = this.wanted_texts.has(entries[i]);
    }
    if (as_wanted && this.wanted_texts.size == this.wanted.size) return extra;
    this.differs = true;
    this.held.clear();
    for (let i = 0; i < entries.length; i++) {
      const key = entry_key(entries[i]);
      // A second one under one key (a MAC that leads to two nodes) can only go.
      if (this.held.has(key)) extra.push(change("del", entries[i]));
      else this.held.set(key, entries[i]);
    }
    return extra;
  }

  take_foreign(routes: string[]): void {
    this.foreign.clear();
    for (let i = 0; i < routes.length; i++) this.foreign.set(entry_key(routes[i]), routes[i]);
  }

  /**
   * What is to be made, then what is to go: nothing leads nowhere in between. Nothing is put on a
   * device of `absent`, and before a source has said all (`synced`) nothing goes.
   */
  difference(
    all: bool,
    touched: string[],
    synced: bool,
    absent: string[],
    problems: Problem[],
  ): string[] {
    const keys = all ? this.wanted.keys().concat(this.held.keys()) : touched;
    const makes = new Array<string>();
    const goes = new Array<string>();
    const done = new Set<string>();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (done.has(key)) continue;
      done.add(key);
      const is = this.held.has(key) ? this.held.get(key) : "";
      const ought = this.wanted.has(key) ? this.wanted.get(key) : "";
      if (is == ought || absent.includes(entry_value(ought, "dev"))) continue;
      if (ought.length > 0 && this.foreign.has(key)) {
        const said = `a route to ${route_dst(ought)} is somebody else's`;
        problems.push(new Problem("", `${said}: ${this.foreign.get(key)}`));
        continue;
      }
      if (ought.length > 0) {
        makes.push(ought);
        if (ought.startsWith("peer ")) this.former.add(is);
        this.held.set(key, ought);
      } else if (synced) {
        goes.push(is);
        this.held.delete(key);
      }
    }
    makes.sort((a, b) => entry_order(a) - entry_order(b));
    goes.sort((a, b) => entry_order(b) - entry_order(a));
    const changes = new Array<string>();
    for (let i = 0; i < makes.length; i++) changes.push(change("replace", makes[i]));
    for (let i = 0; i < goes.length; i++) changes.push(change("del", goes[i]));
    return changes;
  }
}
