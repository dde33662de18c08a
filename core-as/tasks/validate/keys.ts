// SPDX-License-Identifier: Apache-2.0
// Keys that nobody reads, by the table of types, and what was meant by them: slips of the finger,
// keys of another place, keys given twice, keys that are the runtime's to write. It owns the keys
// that no type owns, and refuses to look at values.
import { equals_fold } from "../../lib/ascii";
import { JsonValue, Kind } from "../../lib/json";
import { nearest } from "../../lib/nearest";
import { type_find, types } from "../../plugin/find";
import { ARGS, CNI_ARGS, CONFIG, IPAM, Role, RUNTIME, Type } from "../../plugin/type";
import { FileReport } from "./report";

/** Keys that no type owns, by place; those of types are in the table of types. */
const SHARED: string[] = [
  "list cniVersion cniVersions name disableCheck disableGC loadOnlyInlinedPlugins plugins",
  "plugin type name cniVersion capabilities",
  "runtime prevResult runtimeConfig args",
  "dns nameservers domain search options",
  "routes dst gw mtu advmss priority table scope",
  "ranges subnet rangeStart rangeEnd gateway",
];

/** The places of keys that no type owns. */
export const SHARED_PLACES: string[] = ["list", "plugin", "runtime", "dns", "routes", "ranges"];

/**
 * Keys of a list that its owner reads: the labels and options of podman, the network's identity of
 * nerdctl, which otherwise takes it for somebody else's.
 */
const OWNED: string[] = ["args", "nerdctlID", "nerdctlLabels"];

/** The keys of such a place. */
export function shared(place: string): string[] {
  for (let i = 0; i < SHARED.length; i++) {
    if (SHARED[i].startsWith(`${place} `)) return SHARED[i].split(" ").slice(1);
  }
  return [];
}

/** The known type that someone may have meant, "" when none is near; of a role, or of any. */
export function type_near(name: string, ipam_only: bool): string {
  const names = new Array<string>();
  const all = types();
  for (let i = 0; i < all.length; i++) {
    if (!ipam_only || all[i].role == Role.Ipam) names.push(all[i].name);
  }
  return nearest(name, names);
}

/** Where keys are: under a key that many types have, or at a place of one type. */
class Place {
  constructor(
    public keys: string[],
    public type: Type | null = null,
    public at: string = "",
  ) {}

  /** That of the objects under a key; null when nothing is known of them. */
  under(key: string, value: JsonValue): Place | null {
    if (key == "ipam") return ipam_place(value);
    if (key == "dns" || key == "routes" || key == "ranges") return new Place(shared(key));
    const type = this.type;
    if (!type) return null;
    const below = type.below(this.at, key);
    const keys = type.keys_at(below);
    return below.length > 0 && keys !== null ? new Place(keys, type, below) : null;
  }
}

/** The place of an ipam object; null when its type is not known. */
function ipam_place(value: JsonValue): Place | null {
  const named = value.get("type");
  const type = named && named.kind == Kind.String ? type_find(named.text) : null;
  const keys = type ? type.keys_at(IPAM) : null;
  return keys ? new Place(keys, type, IPAM) : null;
}

/** The key of a list that a written one is read as; "" when it is none of them. */
function meant(written: string, keys: string[]): string {
  if (keys.includes(written)) return written;
  for (let i = 0; i < keys.length; i++) {
    if (equals_fold(written, keys[i])) return keys[i];
  }
  return "";
}

/** Comments, and keys under somebody's own name such as example.com/x, are nobody's mistake. */
function foreign(key: string): bool {
  return key.startsWith("_") || key.startsWith("#") || key.includes("/");
}

/** Where a key of the list that is unknown there belongs. */
function belongs_in_plugin(key: string): string {
  let known = meant(key, shared("plugin")).length > 0;
  const all = types();
  for (let i = 0; i < all.length && !known; i++) {
    for (let k = 0; k < all[i].places.length && !known; k++) {
      const place = all[i].places[k];
      const written = !place.startsWith(RUNTIME) && place != ARGS && place != CNI_ARGS;
      if (written && meant(key, all[i].keys[k]).length > 0) known = true;
    }
  }
  return known ? `move it into an entry of "plugins"` : "";
}

/** Where a key that is unknown here belongs, and "" when it is known nowhere near. */
function belongs(key: string, place: Place, beside: string[]): string {
  if (place.at == IPAM) return beside.includes(key) ? `move it out of "ipam"` : "";
  if (!beside.includes("ipam")) return "";
  const all = types();
  for (let i = 0; i < all.length; i++) {
    const inside = all[i].keys_at(IPAM);
    if (inside && inside.includes(key)) return `move it into "ipam"`;
  }
  return "";
}

/** Judges the keys of an object and of those under it. `more`: keys that it may have as well. */
export class KeyCheck {
  private listed: bool = false;

  constructor(private file: FileReport) {}

  /** A list, without its plugins. */
  list(value: JsonValue): void {
    this.listed = true;
    this.object(value, new Place(shared("list")), [], []);
    this.listed = false;
  }

  /** A plugin, of a known type or null. */
  plugin(value: JsonValue, type: Type | null): void {
    this.runtimes(value);
    if (!type) return;
    const more = shared("plugin").concat(shared("runtime"));
    // As a plugin, an IPAM type has its keys one level down.
    if (type.role == Role.Ipam) this.object(value, new Place(["ipam"]), more, []);
    const keys = type.keys_at(CONFIG);
    if (keys) this.object(value, new Place(keys, type, CONFIG), more, []);
  }

  /** An ipam object under a plugin of which nothing is known. */
  ipam(value: JsonValue): void {
    const place = ipam_place(value);
    if (place) this.object(value, place, [], []);
  }

  /** Keys that only a running network has. */
  private runtimes(value: JsonValue): void {
    const runtime = shared("runtime");
    for (let i = 0; i < value.items.length && !this.file.full; i++) {
      const key = value.keys[i];
      const own = key.startsWith("cni.dev/") || meant(key, runtime).length > 0;
      if (!own || value.items[i].kind == Kind.Null) continue;
      this.file.warning(
        `"${key}" is the runtime's to write, and it may replace this: remove it`,
        value.items[i].key_offset,
      );
    }
  }

  private object(value: JsonValue, place: Place, more: string[], beside: string[]): void {
    const known = place.keys.concat(more);
    for (let i = 0; i < value.items.length && !this.file.full; i++) {
      const item = value.items[i];
      const key = meant(value.keys[i], known);
      if (key.length == 0) this.unknown(value.keys[i], item.key_offset, place, known, beside);
      else if (key != value.keys[i]) this.miswritten(value, i, key);
      if (key.length == 0) continue;
      const under = place.under(key, item);
      if (under) this.below(item, under, place.keys);
    }
  }

  /** Objects of a place in however many arrays. */
  private below(value: JsonValue, place: Place, beside: string[]): void {
    if (value.kind == Kind.Object) {
      this.object(value, place, [], beside);
      return;
    }
    for (let i = 0; i < value.items.length && !this.file.full; i++) {
      this.below(value.items[i], place, beside);
    }
  }

  private miswritten(value: JsonValue, i: i32, key: string): void {
    const written = value.keys[i];
    const msg = value.keys.includes(key)
      ? `"${written}" and "${key}" are one key to plugins: remove one`
      : `"${written}" is read as "${key}", which is its name: write "${key}"`;
    this.file.warning(msg, value.items[i].key_offset);
  }

  private unknown(key: string, offset: i32, place: Place, known: string[], beside: string[]): void {
    if (foreign(key) || (this.listed && OWNED.includes(key))) return;
    const near = nearest(key, known);
    let cure = this.listed
      ? belongs_in_plugin(key)
      : belongs(key, place, beside.length > 0 ? beside : known);
    if (cure.length == 0 && near.length > 0) cure = `did you mean "${near}"?`;
    if (cure.length == 0) cure = "remove it, unless another program reads it from this file";
    this.file.warning(`unknown key "${key}", which plugins ignore: ${cure}`, offset);
  }
}

/** Keys that one object has twice, in a value and all below it. */
export function duplicates(file: FileReport, value: JsonValue): void {
  if (value.kind == Kind.Object && value.items.length > 1) {
    const last = new Map<string, i32>();
    for (let i = 0; i < value.items.length; i++) last.set(value.keys[i], i);
    const twice = last.size < value.items.length;
    for (let i = 0; twice && i < value.items.length && !file.full; i++) {
      const key = value.keys[i];
      if (last.get(key) == i) continue;
      file.warning(
        `"${key}" is given again below, and the last one counts: remove one`,
        value.items[i].key_offset,
      );
    }
  }
  for (let i = 0; i < value.items.length && !file.full; i++) duplicates(file, value.items[i]);
}
