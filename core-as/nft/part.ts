// SPDX-License-Identifier: Apache-2.0
// A part of our tables: what one feature needs of the kernel, its sets, its chains and their rules,
// which are constant and loaded at once. Each rule carries its part's tag, by which a part that was
// flushed, or is of another version, is noticed. It refuses to know any feature.
import { Batch, ElementPlace, Hook } from "./batch";
import { Rule } from "./rule";

/** A chain with its rules; a base chain has a hook. */
export class Chain {
  /** Whether its rules are others' to write: it is made when it is not there, and never flushed. */
  kept: bool = false;
  /** Elements that all share who lead to it: "SET KEY", they come and go with it. */
  shared: string[] = [];
  /** Its rules, once they were asked for. */
  made: Rule[] | null = null;

  /** `make` gives its rules when they are asked for: most calls do not touch nftables. */
  constructor(
    public name: string,
    public hook: Hook | null,
    private make: () => Rule[] = none,
  ) {}

  get rules(): Rule[] {
    const made = this.made;
    if (made) return made;
    const rules = this.make();
    this.made = rules;
    return rules;
  }
}

function none(): Rule[] {
  return [];
}

/** A chain whose rules depend on its name. */
export function with_rules(name: string, rules: Rule[]): Chain {
  const chain = new Chain(name, null);
  chain.made = rules;
  return chain;
}

/** A chain whose rules are others' to write. */
export function kept(name: string): Chain {
  const chain = new Chain(name, null);
  chain.kept = true;
  return chain;
}

/** The comment of a shared element. A container's has three words. */
export const SHARED: string = "shared";

/** What one feature needs of the kernel. A new version of its chains is a new tag. */
export class Part {
  /** A part that has all of this one's chains, with more rules in them; null for none. */
  richer: Part | null = null;
  /** Chains of an earlier version, or of the richer part, that go when this one is loaded. */
  retired: Chain[] = [];
  /** Sets of other parts that its rules look up. */
  borrowed: ElementPlace[] = [];

  constructor(
    public name: string,
    public version: i32,
    public family: i32,
    public sets: ElementPlace[],
    public chains: Chain[],
    /** What its chains of subnets are called begins so; "" when it has none. */
    public subnets: string = "",
  ) {}

  /** The chain of a name that an element of a set may lead to; null when there is none. */
  target(set: string, name: string): Chain | null {
    for (let i = 0; i < this.chains.length; i++) {
      const chain = this.chains[i];
      if (chain.name == name && !chain.hook && !chain.kept) return chain;
    }
    return null;
  }

  /** The comment of each of its rules. */
  get tag(): string {
    return `fairlead ${this.name} ${this.version}`;
  }

  /** Loads it, whatever was left of it; its elements stay. */
  load(batch: Batch): void {
    batch.add_table(this.family);
    const sets = this.borrowed.concat(this.sets);
    for (let i = 0; i < sets.length; i++) batch.add_set(this.family, sets[i].name, sets[i].type);
    for (let i = 0; i < this.chains.length; i++) this.load_chain(batch, this.chains[i]);
    // Whether they are there is not known: what is added can be deleted.
    for (let i = 0; i < this.retired.length; i++) {
      batch.add_chain(this.family, this.retired[i].name, this.retired[i].hook);
      batch.delete_chain(this.family, this.retired[i].name);
    }
  }

  /** Makes a chain anew; rules that are there go. `fresh`: EEXIST when it is there. */
  load_chain(batch: Batch, chain: Chain, fresh: bool = false): void {
    batch.add_chain(this.family, chain.name, chain.hook, fresh);
    if (chain.kept) return;
    batch.flush_chain(this.family, chain.name);
    for (let i = 0; i < chain.rules.length; i++) {
      batch.add_rule(this.family, chain.name, chain.rules[i], this.tag);
    }
  }
}
