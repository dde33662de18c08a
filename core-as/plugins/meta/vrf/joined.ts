// SPDX-License-Identifier: Apache-2.0
// What `vrf` made of an attachment and how it goes back: the effect "vrf". A VRF goes with the last
// interface that is in it.
import { undone } from "../../../attach/changes";
import { Effect, Site } from "../../../attach/effect";
import { failure_errno } from "../../../host/failure";
import {
  Link,
  link_del,
  link_get,
  link_list,
  link_set_down,
  link_set_master,
} from "../../../host/kernel";
import { ENODEV } from "../../../lib/errno";
import { JsonValue, Kind } from "../../../lib/json";
import { TABLE_MAIN } from "../../../net/tables";
import { CniError, os_error } from "../../../spec/error";
import { why } from "../../../spec/why";
import { Carried } from "./carry";

export const VRF = "vrf";

/** An interface in a VRF, which goes with the last that is in it. */
export class Joined extends Effect {
  /** Of this very call: it takes back what it did and no more. */
  fresh: bool = false;
  made: bool = false;
  /** ifindex of a VRF that was down; 0 for none. */
  upped: i32 = 0;
  ifindex: i32 = 0;
  carried: Carried | null = null;

  constructor(private name: string) {
    super();
  }
  /** Says which VRF it is, and why it has its table. */
  tell(table: u32, asked: bool): void {
    const there = this.made ? "the container had none of that name" : "it is there already";
    why("VRF", this.name, `"vrfname" names it: ${there}`);
    const free = this.made ? `no "table": the lowest that nothing has` : "that of the VRF";
    why("table", table.toString(), asked ? `"table" says so` : free);
  }
  get word(): string {
    return VRF;
  }
  write(into: JsonValue): void {
    into.append("vrf", JsonValue.string(this.name));
  }
  undo(site: Site, errors: CniError[]): bool {
    if (site.ns == 0) return !site.unreached;
    const before = errors.length;
    if (this.fresh) this.roll_back(site.ns, errors);
    else vrf_leave(site.ns, site.ifname, this.name, errors);
    return errors.length == before;
  }

  private roll_back(ns: i32, errors: CniError[]): void {
    const carried = this.carried;
    if (carried && link_set_master(ns, this.ifindex, 0) >= 0) {
      const error = carried.put_back(TABLE_MAIN);
      if (error) errors.push(new CniError(error.code, `undo: ${error.msg}`, error.details));
    } else if (carried && failure_errno != ENODEV) {
      errors.push(os_error(`undo: take link ${this.ifindex} out of its VRF`));
    }
    if (this.upped != 0) undone(link_set_down(ns, this.upped), `set "${this.name}" down`, errors);
    if (!this.made) return;
    const tried = `remove the VRF "${this.name}"`;
    const vrf = link_get(ns, this.name);
    if (vrf) undone(link_del(ns, vrf.ifindex), tried, errors);
    else undone(-1, tried, errors);
  }
}

/** Reads one; null when it is none. */
export function joined_read(from: JsonValue): Joined | null {
  const name = from.get("vrf");
  return name && name.kind == Kind.String ? new Joined(name.text) : null;
}

export function named(links: Link[], name: string): Link | null {
  for (let i = 0; i < links.length; i++) if (links[i].name == name) return links[i];
  return null;
}

/** Takes an interface out of a VRF, and the VRF away when nothing is in it any more. */
export function vrf_leave(ns: i32, ifname: string, name: string, errors: CniError[]): void {
  const links = link_list(ns);
  if (!links) {
    errors.push(os_error("list the links of the container"));
    return;
  }
  const vrf = named(links, name);
  if (!vrf || vrf.kind != "vrf") return;
  let others = false;
  for (let i = 0; i < links.length; i++) {
    const link = links[i];
    if (link.master != vrf.ifindex) continue;
    if (link.name != ifname) others = true;
    else if (link_set_master(ns, link.ifindex, 0) < 0 && failure_errno != ENODEV) {
      errors.push(os_error(`take "${ifname}" out of the VRF "${name}"`));
    }
  }
  if (others || link_del(ns, vrf.ifindex) >= 0 || failure_errno == ENODEV) return;
  errors.push(os_error(`remove the VRF "${name}"`));
}
