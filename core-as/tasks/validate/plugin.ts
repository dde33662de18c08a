// SPDX-License-Identifier: Apache-2.0
// One plugin of a network on its own: is its type known and installed, does it have the keys it
// needs, are its capabilities of use, and what does its own load say of it, which is what ADD would
// say. It refuses to compare plugins.
import { dir_list } from "../../host/store";
import { JsonValue, Kind } from "../../lib/json";
import { nearest } from "../../lib/nearest";
import { plugin_find, type_find, types } from "../../plugin/find";
import { IPAM, Role, RUNTIME } from "../../plugin/type";
import { Code } from "../../spec/error";
import { KeyCheck, type_near } from "./keys";
import { bool_at, Part } from "./parts";
import { FileReport } from "./report";

/** The folders of CNI_PATH and what is in them. */
export class Installed {
  private names: Set<string> = new Set<string>();
  constructor(private path: string) {
    const folders = path.split(":");
    for (let i = 0; i < folders.length; i++) {
      const names = folders[i].length > 0 ? dir_list(folders[i]) : null;
      if (names) for (let k = 0; k < names.length; k++) this.names.add(names[k]);
    }
  }
  check(file: FileReport, type: string, offset: i32): void {
    if (this.path.length == 0 || type.length == 0 || plugin_find(type)) return;
    if (this.names.has(type)) return;
    file.warning(`no program "${type}" in ${this.path}: install it there`, offset);
  }
}

/** Judges one plugin. */
export function plugin_check(part: Part, installed: Installed): void {
  const file = part.file;
  type_check(part, installed);
  const keys = new KeyCheck(file);
  const row = part.row;
  keys.plugin(part.object, row);
  const ipam = part.ipam;
  // What lies under "ipam" is judged all the same where nothing is known of the keys around it.
  if (ipam && (!row || !row.has_key("ipam"))) keys.ipam(ipam);
  capabilities_check(part);
  if (part.role == Role.Chain) return;
  const loaded = load_check(part);
  if (ipam) ipam_check(part, ipam, loaded);
  const plugin = part.plugin;
  if (plugin && part.role != Role.Ipam) plugin.advise(part);
}

function type_check(part: Part, installed: Installed): void {
  installed.check(part.file, part.type, part.offset);
  const ipam = part.ipam;
  const type = ipam ? ipam.get("type") : null;
  if (type && type.kind == Kind.String) {
    installed.check(part.file, type.text, type.offset);
    near_check(part.file, type.text, type.offset, type_near(type.text, true));
  }
  near_check(part.file, part.type, part.offset, type_near(part.type, false));
}

function near_check(file: FileReport, type: string, offset: i32, near: string): void {
  if (near.length == 0 || type_find(type)) return;
  file.warning(`no plugin of the type "${type}" is known here: did you mean "${near}"?`, offset);
}

/** What a plugin and its IPAM plugin read of runtimeConfig; null when that is not known. */
function capabilities_read(part: Part): string[] | null {
  const row = part.row;
  if (!row || !row.keys_at(RUNTIME)) return null;
  const type = part.ipam_type;
  if (type.length == 0) return row.capabilities;
  const inside = type_find(type);
  if (!inside || !inside.keys_at(RUNTIME)) return null;
  return row.capabilities.concat(inside.capabilities);
}

function capabilities_check(part: Part): void {
  const file = part.file;
  const declared = part.object.get("capabilities");
  if (declared && declared.kind != Kind.Object) {
    const msg = `"capabilities" must be an object of booleans, such as {"portMappings": true}`;
    file.error(msg, declared.offset, Code.Decode);
    return;
  }
  never_asked(part);
  if (!declared) return;
  const read = capabilities_read(part);
  const outer = part.outer;
  for (let i = 0; i < declared.items.length && !file.full; i++) {
    const key = declared.keys[i];
    const value = declared.items[i];
    if (value.kind != Kind.Bool) {
      file.error(`the capability "${key}" must be true or false`, value.offset, Code.Decode);
      continue;
    }
    if (!value.bool) continue;
    if (outer && !outer.capable(key)) {
      file.warning(
        `the runtime passes what the plugin of the type "${outer.type}" declares: ` +
          `add "${key}" to its capabilities, or run fairlead unfuse and fairlead fuse`,
        value.key_offset,
      );
    }
    if (read && part.role != Role.Chain) unserved(part, read, key, value.key_offset);
    if (part.role == Role.Chain && !declared_inside(part, key)) {
      file.warning(
        `no plugin inside declares the capability "${key}", so none gets it: ` +
          "declare it on the one that uses it",
        value.key_offset,
      );
    }
  }
}

function unserved(part: Part, read: string[], key: string, offset: i32): void {
  if (read.includes(key)) return;
  const near = nearest(key, read);
  const cure = near.length > 0 ? `did you mean "${near}"?` : owner_of(key);
  part.file.warning(`"${part.type}" does not serve the capability "${key}": ${cure}`, offset);
}

/** What to do with a capability that is declared in the wrong place. */
function owner_of(key: string): string {
  const all = types();
  for (let i = 0; i < all.length; i++) {
    if (all[i].idle_without == key) return `declare it on "${all[i].name}"`;
  }
  return "remove it";
}

function declared_inside(part: Part, key: string): bool {
  const plugins = part.object.get("plugins");
  if (!plugins) return false;
  for (let i = 0; i < plugins.items.length; i++) {
    const declared = plugins.items[i].get("capabilities");
    if (declared && declared.kind == Kind.Object && bool_at(declared, key)) return true;
  }
  return false;
}

/** A plugin that only acts on what the runtime passes, and is never passed it. */
function never_asked(part: Part): void {
  const row = part.row;
  if (!row || row.idle_without.length == 0) return;
  const name = row.idle_without;
  if (part.capable(name) || part.object.get("runtimeConfig")) return;
  for (let i = 0; i < row.idle_unless.length; i++) {
    if (part.object.get(row.idle_unless[i])) return;
  }
  part.file.warning(
    `"${part.type}" never gets ${name}: add "capabilities": {"${name}": true}`,
    part.offset,
  );
}

/** What the plugin itself says of its keys; whether it is one of ours and has nothing to say. */
function load_check(part: Part): bool {
  if (part.role == Role.Ipam) return false;
  const plugin = part.plugin;
  if (!plugin) return false;
  const ipam = plugin_find(part.ipam_type);
  if (ipam) ipam.stand_in(part);
  const reader = part.reader();
  const error = plugin.load(part.request);
  part.file.take(reader, part.offset);
  if (error && reader.count == 0) part.file.problem(error, -1, part.offset);
  return !error && reader.count == 0;
}

/** Types that give addresses and whose keys are known. */
function ipam_names(): string[] {
  const names = new Array<string>();
  const all = types();
  for (let i = 0; i < all.length; i++) if (all[i].keys_at(IPAM)) names.push(all[i].name);
  return names;
}

/**
 * What the IPAM plugin says of its own, whatever it is called by; a plugin of ours that loads has
 * asked it already.
 */
function ipam_check(part: Part, ipam: JsonValue, loaded: bool): void {
  const type = part.ipam_type;
  const file = part.file;
  if (type.length == 0) {
    if (ipam.items.length > 0 && !ipam.get("type")) {
      file.warning(`"ipam" without "type" gives no address: add "type"`, ipam.offset);
    }
    return;
  }
  const row = type_find(type);
  if (row && row.role != Role.Ipam) {
    // One of ours that would ask it has said so.
    if (part.plugin && part.role == Role.Main) return;
    const other = ipam_names().join('", "');
    file.error(`"${type}" is no IPAM plugin: use one such as "${other}"`, ipam.offset);
    return;
  }
  const plugin = plugin_find(type);
  if (!plugin) return;
  if (!loaded) {
    plugin.stand_in(part);
    const reader = part.reader();
    const error = plugin.load(part.request);
    file.take(reader, ipam.offset);
    if (error && reader.count == 0) file.problem(error, -1, ipam.offset);
  }
  plugin.advise(part);
}
