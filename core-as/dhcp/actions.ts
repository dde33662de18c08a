// SPDX-License-Identifier: Apache-2.0
// What the daemon is to do after an event: a list in order, in JSON.
import { base64_encode_bytes } from "../lib/base64";
import { JsonValue, json_text } from "../lib/json";
import { ByteWriter } from "../lib/utf8";

export class Actions {
  private list: JsonValue = JsonValue.array();

  /** Adds an action by its name; its members follow. */
  add(name: string): JsonValue {
    const action = JsonValue.object();
    action.append("do", JsonValue.string(name));
    this.list.push(action);
    return action;
  }
  /** An action for a lease. */
  of(name: string, lease: string): JsonValue {
    const action = this.add(name);
    action.append("lease", JsonValue.string(lease));
    return action;
  }
  /** A line for the log. */
  log(text: string): void {
    this.add("log").append("text", JsonValue.string(text));
  }
  /** Says when to tell the time next: -1 for never. */
  text(wake_ms: i64): string {
    const all = JsonValue.object();
    all.append("actions", this.list);
    all.append("wake_ms", JsonValue.number(wake_ms));
    return json_text(all);
  }
}

/** Bytes as a member. */
export function bytes_append(action: JsonValue, name: string, bytes: ByteWriter): void {
  action.append(name, JsonValue.string(base64_encode_bytes(bytes.ptr, bytes.len)));
}

/** A whole number of a JSON object; `otherwise` when there is none. */
export function integer_at(from: JsonValue, name: string, otherwise: i64): i64 {
  const value = from.get(name);
  return value && value.isInteger() ? value.integer() : otherwise;
}
