// SPDX-License-Identifier: Apache-2.0
// The table of CNI types: which plugin serves one, and what each is. It is filled by
// ../registry.ts, which only the entries import: so a plugin may look up others, and nobody imports
// them all.
import { Foreign } from "./foreign";
import { Plugin } from "./plugin";
import { Type } from "./type";

/** A type that is ours and what makes its plugin. */
export class Row {
  constructor(
    public name: string,
    public make: () => Plugin,
  ) {}
}

let rows: Row[] = [];
let describe_others: () => Type[] = nobody;
/** Made when first asked for: a plugin call never does. */
let described: Type[] = [];

function nobody(): Type[] {
  return [];
}

/** Fills the table: types that are ours, in the order of help, and what others are known. */
export function types_fill(ours: Row[], others: () => Type[]): void {
  rows = ours;
  describe_others = others;
}

/** Every known type, ours first. */
export function types(): Type[] {
  if (described.length > 0) return described;
  for (let i = 0; i < rows.length; i++) {
    const type = new Type(rows[i].name);
    rows[i].make().describe(type);
    described.push(type);
  }
  described = described.concat(describe_others());
  return described;
}

/** The names of the types that are ours, and so of links to the program. */
export function type_names(): string[] {
  const names = new Array<string>();
  for (let i = 0; i < rows.length; i++) names.push(rows[i].name);
  return names;
}

/** What is known of a type; null when nothing is. */
export function type_find(name: string): Type | null {
  const all = types();
  for (let i = 0; i < all.length; i++) if (all[i].name == name) return all[i];
  return null;
}

/** The plugin of a CNI type, null when it is not ours. */
export function plugin_find(type: string): Plugin | null {
  for (let i = 0; i < rows.length; i++) if (rows[i].name == type) return rows[i].make();
  return null;
}

/** The plugin of a type in a configuration, ours or foreign; null when it cannot name a file. */
export function plugin_or_foreign(type: string): Plugin | null {
  const ours = plugin_find(type);
  if (ours) return ours;
  if (type.length == 0 || type.includes("/") || type.includes("\\")) return null;
  return new Foreign(type);
}
