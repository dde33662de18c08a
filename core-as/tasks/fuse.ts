// A conflist's plugins as one plugin of the type `fairlead`, and back. It moves objects and
// declares capabilities; it refuses to touch a plugin's own keys.
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

/** The document whose one plugin runs the whole list; problems land in the file's reader. */
export function fuse(list: NetworkList): JsonValue {
  const plugins = list.own_plugins();
  const inner = JsonValue.array();
  for (let i = 0; i < plugins.length; i++) {
    if (type_of(plugins[i]) == FUSED) {
      list.file.reader.invalid(`the list is fused already: fairlead unfuse goes back`, plugins[i]);
    }
    inner.push(plugins[i]);
  }
  const fused = JsonValue.object();
  fused.append("type", JsonValue.string(FUSED));
  const capabilities = capabilities_of(plugins);
  if (capabilities.items.length > 0) fused.append("capabilities", capabilities);
  fused.append("plugins", inner);
  const outer = JsonValue.array();
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
