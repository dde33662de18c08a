// Which plugin serves a CNI type. The table is filled by ../registry.ts, which only the entries
// import: so a plugin may look up others, and nobody imports them all.
import { Foreign } from "./foreign";
import { Plugin } from "./plugin";

/** What makes the plugin of a type that is ours. */
type Make = (type: string) => Plugin | null;

let known: string[] = [];
let make: Make = none;

function none(type: string): Plugin | null {
  return null;
}

/** The table: names of types, and what makes the plugin of each. */
export function types_fill(names: string[], maker: Make): void {
  known = names;
  make = maker;
}

/** The types that are ours, beside `fairlead`, the name of the program itself. */
export function types(): string[] {
  return known;
}

/** The plugin of a CNI type, null when it is not ours. */
export function plugin_find(type: string): Plugin | null {
  return make(type);
}

/** The plugin of a type in a configuration, ours or foreign; null when it cannot name a file. */
export function plugin_or_foreign(type: string): Plugin | null {
  const ours = make(type);
  if (ours) return ours;
  if (type.length == 0 || type.includes("/") || type.includes("\\")) return null;
  return new Foreign(type);
}
