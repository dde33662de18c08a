// SPDX-License-Identifier: Apache-2.0
// A device that is with a container, and how the host gets it back: the effect "device". It is
// known by the address it was built with, or by the alias that it has meanwhile: its name on the
// host, as the reference has it.
import { Adding } from "../../../attach/adding";
import { Effect, Site } from "../../../attach/effect";
import { records } from "../../../attach/store";
import {
  HOST,
  Link,
  link_list,
  link_set_alias,
  link_set_netns,
  netns_id,
} from "../../../host/kernel";
import { log, sleep } from "../../../host/store";
import { JsonValue } from "../../../lib/json";
import { CniError, os_error } from "../../../spec/error";
import { Former, former_read } from "./former";
import { device_restore, device_take } from "./give-back";

const DEVICE = "device";
/** A device comes back some time after its namespace has gone. */
const RETURN_TRIES = 10;
const RETURN_PAUSE_MS = 100;

export class Moved extends Effect {
  /** This very call has not touched it yet. */
  private pending: bool = false;

  constructor(public former: Former) {
    super();
  }
  get word(): string {
    return DEVICE;
  }
  get waits(): bool {
    return this.pending;
  }

  /** Notes it before the device is touched. */
  note(adding: Adding): void {
    this.pending = true;
    adding.note(this);
  }

  /** Gives it to the container: less than 0 when that failed. */
  give(link: Link, netns: i32, ifname: string): i32 {
    this.pending = false;
    const marked = link_set_alias(HOST, link.ifindex, this.former.name);
    return marked < 0 ? marked : link_set_netns(HOST, link.ifindex, netns, ifname);
  }

  write(into: JsonValue): void {
    this.former.write(into);
  }
  undo(site: Site, errors: CniError[]): bool {
    if (this.pending) return true;
    const before = errors.length;
    if (site.ns != 0) {
      const link = this.find_inside(site, errors);
      if (link) device_take(this.former, site, link, errors);
      if (errors.length > before) return false;
    } else if (site.unreached) return false;
    const link = this.find_on_host(site.ns == 0, errors);
    if (link) device_restore(this.former, link, errors);
    else if (errors.length == before) {
      const name = this.former.name;
      log(`device "${name}" of ${site.containerID} is gone: there is none to restore`);
    }
    return errors.length == before;
  }

  /** In the container: by its mark under whatever name is nobody else's, or as it was given. */
  private find_inside(site: Site, errors: CniError[]): Link | null {
    const links = link_list(site.ns);
    if (!links) {
      errors.push(os_error(`list the links of ${site.containerID}`));
      return null;
    }
    let found: Link | null = null;
    for (let i = 0; i < links.length; i++) {
      const link = links[i];
      if (!this.former.may_be(link)) continue;
      const marked = link.alias == this.former.name;
      if (link.name == site.ifname && (marked || this.same(link))) return link;
      if (!found && marked && !holds_name(site.ns, link.name)) found = link;
    }
    return found;
  }
  private same(link: Link): bool {
    return this.former.permaddr.length > 0 || link.address == this.former.mac;
  }

  /** On the host: where it was before, or came back to. */
  private find_on_host(wait: bool, errors: CniError[]): Link | null {
    let tries = 0;
    while (true) {
      const links = link_list(HOST);
      if (!links) {
        errors.push(os_error("list the links of the host"));
        return null;
      }
      let named: Link | null = null;
      for (let i = 0; i < links.length; i++) {
        const link = links[i];
        if (!this.former.may_be(link)) continue;
        if (link.alias == this.former.name) return link;
        const unmarked = link.name == this.former.name && link.address == this.former.mac;
        if (this.former.permaddr.length > 0 || unmarked) named = link;
      }
      // Of others than devices that were built in none comes back.
      if (named || !wait || this.former.kind.length > 0 || tries++ == RETURN_TRIES) return named;
      sleep(RETURN_PAUSE_MS);
    }
  }
}

/** Whether by a record a name in a namespace is an attachment's. */
function holds_name(ns: i32, name: string): bool {
  const id = netns_id(ns);
  const list = records();
  for (let i = 0; list !== null && i < list.length; i++) {
    if (list[i].ifname == name && list[i].netnsID == id && id.length > 0) return true;
  }
  return false;
}

/** The container that by its record has a device, by name or address; "" for none. */
export function holder_of(name: string, mac: string): string {
  const list = records();
  for (let i = 0; list !== null && i < list.length; i++) {
    const effects = list[i].effects;
    for (let k = 0; k < effects.length; k++) {
      const effect = effects[k];
      if (!(effect instanceof Moved)) continue;
      const moved = <Moved>effect;
      const same = name.length > 0 ? moved.former.name == name : moved.former.mac == mac;
      if (same) return `${list[i].containerID}, as "${list[i].ifname}" in ${list[i].netns}`;
    }
  }
  return "";
}

/** Reads one; null when it is none. */
export function moved_read(from: JsonValue): Moved | null {
  const former = former_read(from);
  return former ? new Moved(former) : null;
}
