// SPDX-License-Identifier: Apache-2.0
// The task `types`: the table of types as JSON, for the command line, the documents and tests.
import { JsonValue } from "../lib/json";
import { types } from "../plugin/find";
import { Type } from "../plugin/type";
import { SHARED_PLACES, shared } from "./validate/keys";

function strings(list: string[]): JsonValue {
  const made = JsonValue.array();
  for (let i = 0; i < list.length; i++) made.push(JsonValue.string(list[i]));
  return made;
}

function type_json(type: Type): JsonValue {
  const made = JsonValue.object();
  made.append("name", JsonValue.string(type.name));
  made.append("role", JsonValue.string(type.role_name));
  made.append("ours", JsonValue.bool(type.ours));
  made.append("about", JsonValue.string(type.about));
  const keys = JsonValue.object();
  for (let i = 0; i < type.places.length; i++) keys.append(type.places[i], strings(type.keys[i]));
  made.append("keys", keys);
  made.append("kernel", strings(type.kernel));
  return made;
}

function shared_json(): JsonValue {
  const made = JsonValue.object();
  for (let i = 0; i < SHARED_PLACES.length; i++) {
    made.append(SHARED_PLACES[i], strings(shared(SHARED_PLACES[i])));
  }
  return made;
}

/**
 * `{"types": [{"name", "role", "ours", "about", "keys": {PLACE: [KEY]}, "kernel": [NEED]}],
 * "shared": {PLACE: [KEY]}}`: a row for each known type, ours first and in the order of help, with
 * places as plugin/type.ts has them, and the keys that no type owns.
 */
export function types_json(): JsonValue {
  const list = JsonValue.array();
  const all = types();
  for (let i = 0; i < all.length; i++) list.push(type_json(all[i]));
  const made = JsonValue.object();
  made.append("types", list);
  made.append("shared", shared_json());
  return made;
}
