// SPDX-License-Identifier: Apache-2.0
// The effect "uses": what of the shared things of a node an attachment relies on, by names that
// shared.ts gives them. Its own DEL leaves all of it: others may rely on it without a record.
import { JsonValue, Kind } from "../lib/json";
import { CniError } from "../spec/error";
import { Effect, Site } from "./effect";

export class Uses extends Effect {
  constructor(public what: string[]) {
    super();
  }
  get word(): string {
    return "uses";
  }
  write(into: JsonValue): void {
    const texts = JsonValue.array();
    for (let i = 0; i < this.what.length; i++) texts.push(JsonValue.string(this.what[i]));
    into.append("what", texts);
  }
  undo(site: Site, errors: CniError[]): bool {
    return true;
  }
}

/** Reads one; null when it is none. */
export function uses_read(from: JsonValue): Uses | null {
  const list = from.get("what");
  if (!list || list.kind != Kind.Array) return null;
  const what = new Array<string>();
  for (let i = 0; i < list.items.length; i++) {
    if (list.items[i].kind == Kind.String) what.push(list.items[i].text);
  }
  return new Uses(what);
}
