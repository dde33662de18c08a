// SPDX-License-Identifier: Apache-2.0
// A conflist's plugins as one plugin of the type `fairlead`, and back. It moves objects and
// declares capabilities; it refuses to touch a plugin's own keys, and to put into the chain what
// other programs look for in front of it.
import { JsonValue, Kind } from "../lib/json";
import { NetworkList } from "./runtime/conflist";

const FUSED = "fairlead";

function type_of(object: JsonValue): string {
  const type = object.get("type");
  return type && type.kind == Kind.String ? type.text : "";
}

/** What a runtime is to pass: each capability that one of the plugins has switched on. */
function capabilities_of(plugins: JsonValue[]): JsonValue {
  const union = JsonValue.object();
  for (let i = 0; i < plugins.length; i++) {
    const declared = plugins[i].get("capabilities");
    if (!declared || declared.kind != Kind.Object) continue;
    for (let k = 0; k < declared.items.length; k++) {
      const on = declared.items[k].kind == Kind.Bool && declared.items[k].bool;
      if (on && union.indexOf(declared.keys[k]) < 0)
        union.append(declared.keys[k], JsonValue.bool(true));
    }
  }
  return union;
}

/**
 * Whose network it is, "" when nothing says so. Both find a network's bridge and ranges in its
 * first plugin, and podman passes an address that it was given (--ip) to that plugin alone, in
 * place of all that the plugin declares.
 */
export function fuse_owner(list: NetworkList): string {
  const value = list.file.value;
  if (value.get("nerdctlID") || value.get("nerdctlLabels")) return "nerdctl";
  const args = value.get("args");
  if (args && (args.get("podman_labels") || args.get("podman_options"))) return "podman";
  const plugins = list.own_plugins();
  const bridge = plugins.length > 0 ? plugins[0].get("bridge") : null;
  if (!bridge || bridge.kind != Kind.String) return "";
  if (numbered(bridge.text, "cni-podman") || numbered(bridge.text, "podman")) return "podman";
  return numbered(bridge.text, "nerdctl") ? "nerdctl" : "";
}

/** Whether a name is the beginning and a number. */
function numbered(name: string, start: string): bool {
  if (!name.startsWith(start) || name.length == start.length) return false;
  for (let i = start.length; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c < 48 || c > 57) return false;
  }
  return true;
}

/**
 * The document in which one plugin runs the whole list, or, with `apart`, all of it but the first
 * plugin, which stays where it is. Problems land in the file's reader.
 */
export function fuse(list: NetworkList, apart: bool): JsonValue {
  const plugins = list.own_plugins();
  const reader = list.file.reader;
  const start = i32(apart);
  const inner = JsonValue.array();
  for (let i = 0; i < plugins.length; i++) {
    if (type_of(plugins[i]) == FUSED) {
      reader.invalid(`the list is fused already: fairlead unfuse goes back`, plugins[i]);
    }
    if (i >= start) inner.push(plugins[i]);
  }
  if (apart && inner.items.length < 2) {
    reader.invalid(
      "nothing is gained: the first plugin stays apart, and behind it there are no two",
      list.file.value,
    );
  }
  const fused = JsonValue.object();
  fused.append("type", JsonValue.string(FUSED));
  const capabilities = capabilities_of(inner.items);
  if (capabilities.items.length > 0) fused.append("capabilities", capabilities);
  fused.append("plugins", inner);
  const outer = JsonValue.array();
  if (apart && plugins.length > 0) outer.push(plugins[0]);
  outer.push(fused);
  return list.with_plugins(outer);
}

/** The document with the plugins of a fused list in its place. */
export function unfuse(list: NetworkList): JsonValue {
  const plugins = list.own_plugins();
  const made = JsonValue.array();
  let fused = 0;
  for (let i = 0; i < plugins.length; i++) {
    if (type_of(plugins[i]) != FUSED) {
      made.push(plugins[i]);
      continue;
    }
    fused++;
    const inner = list.file.reader.array(plugins[i], "plugins");
    if (!inner || inner.items.length == 0) {
      list.file.reader.invalid(`a plugin of type "fairlead" without "plugins"`, plugins[i]);
      continue;
    }
    for (let k = 0; k < inner.items.length; k++) made.push(inner.items[k]);
  }
  if (fused == 0) {
    list.file.reader.invalid(
      `no plugin of type "fairlead": there is nothing to unfuse`,
      list.file.value,
    );
  }
  return list.with_plugins(made);
}
