// SPDX-License-Identifier: Apache-2.0
// The list of a fused chain: reading it, and what the runtime does not pass to it. It knows no
// inner plugin's keys.
import { log } from "../../../host/store";
import { Kind } from "../../../lib/json";
import { plugin_or_foreign } from "../../../plugin/find";
import { inner_request } from "../../../plugin/inner";
import { Inner } from "../../../plugin/plugin";
import { Request } from "../../../spec/request";

/**
 * Reads it; what is wrong lands in the reader, what is right is kept: DEL needs it. `outer`: it is
 * a runtime's own list, which may hold a plugin of the type `fairlead`.
 */
export function list_read(request: Request, outer: bool): Inner[] {
  const chain = new Array<Inner>();
  const reader = request.reader;
  const list = reader.array(request.config, "plugins");
  if (!list || list.items.length == 0) {
    if (list || !request.config.get("plugins")) {
      reader.invalid(`the chain is empty: put the objects of a conflist into "plugins"`);
    }
    return chain;
  }
  for (let i = 0; i < list.items.length; i++) {
    const object = list.items[i];
    if (!reader.isObject(object, "an entry of plugins")) continue;
    const type = reader.string(object, "type");
    // A chain inside a chain would say no more than one chain.
    const nested = type == "fairlead" && !outer;
    const plugin = plugin_or_foreign(nested ? "" : type);
    if (plugin) chain.push(new Inner(plugin, inner_request(request, object, type)));
    else if (type.length > 0 || reader.lacks(object, "type"))
      reader.invalid(`"type" of a plugin of the chain cannot be "${type}"`, object);
  }
  return chain;
}

/** A runtime passes what the outer object declares, and podman at times replaces that. */
export function tell_unheard(request: Request, chain: Inner[]): void {
  const outer = request.config.get("capabilities");
  const given = request.config.get("runtimeConfig");
  for (let i = 0; i < chain.length; i++) {
    const declared = chain[i].request.config.get("capabilities");
    for (let k = 0; declared !== null && k < declared.items.length; k++) {
      const item = declared.items[k];
      const key = declared.keys[k];
      if (item.kind != Kind.Bool || !item.bool || (given && given.get(key))) continue;
      const passed = outer ? outer.get(key) : null;
      if (passed && passed.kind == Kind.Bool && passed.bool) continue;
      log(
        `"${chain[i].request.type}" wants ${key} of the runtime, which passes what the ` +
          `type "fairlead" declares: run fairlead unfuse and fairlead fuse, for podman with ` +
          "--first-apart",
      );
    }
  }
}
