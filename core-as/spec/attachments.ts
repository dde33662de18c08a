// SPDX-License-Identifier: Apache-2.0
// The attachments that GC is told are still valid (spec 1.1.0 section 2, GC): everything else of
// the network may go. Both names of the key are read; the newer one counts.
import { JsonValue, Kind } from "../lib/json";
import { owner_tag } from "./owner-tag";
import { Reader } from "./reader";

export class Attachments {
  /** Whether the runtime gave a list at all: without one nothing may be collected. */
  given: bool = false;
  private owners: Set<string> = new Set<string>();
  private ids: Set<string> = new Set<string>();
  private tags: Set<string> = new Set<string>();

  /** Problems land in the reader; a list with one of them must not be acted on. */
  read(reader: Reader, config: JsonValue): void {
    const key =
      config.indexOf("cni.dev/valid-attachments") >= 0
        ? "cni.dev/valid-attachments"
        : "cni.dev/attachments";
    if (config.indexOf(key) < 0) return;
    this.given = true;
    // null is an empty list: that is how Go prints one.
    const list = reader.array(config, key, i32.MAX_VALUE);
    if (!list) return;
    for (let i = 0; i < list.items.length; i++) {
      const item = list.items[i];
      if (!reader.isObject(item, "a valid attachment")) return;
      const id = item.get("containerID");
      const ifname = item.get("ifname");
      if (!id || !ifname || id.kind != Kind.String || ifname.kind != Kind.String) {
        reader.invalid(`a valid attachment needs "containerID" and "ifname"`, item);
        return;
      }
      this.owners.add(`${id.text}\r\n${ifname.text}`);
      this.ids.add(id.text);
    }
  }

  /** Whether the text of a lease, "<containerID>\r\n<ifname>" or of old the id alone, is valid. */
  has(owner: string): bool {
    return owner.includes("\r\n") ? this.owners.has(owner) : this.ids.has(owner);
  }

  /** Whether a comment of nftables, as owner_tag makes them, is of one of them. */
  has_tag(network: string, tag: string): bool {
    if (this.tags.size == 0) {
      const owners = this.owners.values();
      for (let i = 0; i < owners.length; i++) {
        const parts = owners[i].split("\r\n");
        this.tags.add(owner_tag(network, parts[0], parts[1]));
      }
    }
    return this.tags.has(tag);
  }
}
