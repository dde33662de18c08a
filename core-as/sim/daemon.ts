// SPDX-License-Identifier: Apache-2.0
// A DHCP daemon of the simulated machine: what its line in the state's text says, and who has a
// lease of it. It refuses to know what it is asked.
import { cidr_parse } from "../lib/ip";
import { JsonValue, json_text, Kind } from "../lib/json";

/** A daemon by what it says: the members of its line in the state's text. */
export class Daemon {
  /** Leases by name. */
  leases: string[] = [];
  constructor(public says: JsonValue) {}

  text(): string {
    const all = JsonValue.object();
    for (let i = 0; i < this.says.items.length; i++) {
      if (this.says.keys[i] != "leases") all.append(this.says.keys[i], this.says.items[i]);
    }
    if (this.leases.length == 0) return json_text(all);
    const list = JsonValue.array();
    const names = this.leases.slice().sort();
    for (let i = 0; i < names.length; i++) list.push(JsonValue.string(names[i]));
    all.append("leases", list);
    return json_text(all);
  }
}

/** A daemon of a line; null when it is none. */
export function daemon_of(says: JsonValue): Daemon | null {
  if (says.kind != Kind.Object) return null;
  const names = ["address", "address6"];
  for (let i = 0; i < names.length; i++) {
    const address = says.text_at(names[i]);
    if (address.length > 0 && !cidr_parse(address)) return null;
  }
  const daemon = new Daemon(says);
  const leases = says.get("leases");
  for (let i = 0; leases !== null && i < leases.items.length; i++) {
    daemon.leases.push(leases.items[i].text);
  }
  return daemon;
}
