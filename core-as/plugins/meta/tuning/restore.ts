// SPDX-License-Identifier: Apache-2.0
// What `tuning` changed and how it goes back: the effect "tuning", which knows sysctls and the
// host's end beside what the reference's backup (backup.ts) knows.
import { Adding } from "../../../attach/adding";
import { Effect, Site } from "../../../attach/effect";
import { failure_errno } from "../../../host/failure";
import {
  HOST,
  Link,
  link_get,
  link_get_index,
  sysctl_read,
  sysctl_write,
} from "../../../host/kernel";
import { ENODEV, ENOENT } from "../../../lib/errno";
import { JsonValue, Kind } from "../../../lib/json";
import { mac_normal } from "../../../lib/name";
import { CniError, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Backup, backup_dir, DATA_DIR } from "./backup";
import { Tunable, tune } from "./tune";

export const TUNING = "tuning";
/** What an ADD finds of the link; `asked`: the keys of the reference that it is to change. */
export function tuned_link(
  record: JsonValue,
  link: Link,
  host: Link | null,
  asked: string[],
): void {
  record.append("ifindex", JsonValue.number(link.ifindex));
  if (asked.includes("mac")) record.append("mac", JsonValue.string(link.address));
  if (asked.includes("promisc")) record.append("promisc", JsonValue.bool(link.promisc));
  if (asked.includes("mtu")) record.append("mtu", JsonValue.number(link.mtu_bytes));
  if (asked.includes("mtu") && host) {
    record.append("hostIfname", JsonValue.string(host.name));
    record.append("hostMtu", JsonValue.number(host.mtu_bytes));
  }
  if (asked.includes("allmulti")) record.append("allmulti", JsonValue.bool(link.allmulti));
  if (asked.includes("txQLen")) record.append("txQLen", JsonValue.number(link.txqlen));
}

/** What a tuning found: the members are those of `tuned_link`, with dataDir and sysctl. */
export class Tuned extends Effect {
  /** Of this very call: the backup that it writes. */
  fresh: Backup | null = null;
  constructor(private found: JsonValue) {
    super();
  }
  get word(): string {
    return TUNING;
  }
  folder(site: Site): string {
    return this.found.text_at("dataDir");
  }
  write(into: JsonValue): void {
    const found = this.found;
    for (let i = 0; i < found.items.length; i++) {
      if (into.indexOf(found.keys[i]) < 0) into.append(found.keys[i], found.items[i]);
    }
  }

  undo(site: Site, errors: CniError[]): bool {
    if (site.ns == 0 && site.unreached) return false;
    const before = errors.length;
    if (site.ns != 0) restore(site.ns, site.ifname, this.found, errors);
    if (errors.length > before) return false;
    const fresh = this.fresh;
    if (fresh) return fresh.undo(errors);
    const dir = this.found.text_at("dataDir");
    return dir.length == 0 || new Backup(dir, site.containerID, site.ifname).drop(errors);
  }
}

/** Notes what is to be changed, as it is, before the first change. */
export function tuning_note(request: Request, found: JsonValue, adding: Adding): CniError | null {
  const again = adding.has(TUNING);
  const env = request.env;
  const backup = new Backup(found.text_at("dataDir"), env.containerID, env.ifname);
  const effect = new Tuned(found);
  effect.fresh = backup;
  const error = adding.ahead(effect);
  return error ? error : backup.write(found, again);
}

/** Takes back what an ADD of the reference did, by its backup. */
export function tuning_unrecorded(request: Request, errors: CniError[]): void {
  const env = request.env;
  const given = backup_dir(request);
  const dir = given.length > 0 ? given : DATA_DIR;
  const before = errors.length;
  const backup = new Backup(dir, env.containerID, env.ifname);
  backup.read();
  const error = backup.error;
  if (error) errors.push(error);
  const found = backup.found;
  if (found && request.netns != 0) restore(request.netns, env.ifname, found, errors);
  if (errors.length > before || request.netns_unknown) return;
  if (given.length > 0) backup.drop(errors);
}

/** A number within 0..2^31-1, -1 when there is none. */
function number_of(object: JsonValue, key: string): i32 {
  const value = object.get(key);
  if (!value || !value.isInteger()) return -1;
  const number = value.integer();
  return number < 0 || number > i32.MAX_VALUE ? -1 : <i32>number;
}

/** A boolean as 0 or 1, -1 when there is none. */
function bool_of(object: JsonValue, key: string): i32 {
  const value = object.get(key);
  return value && value.kind == Kind.Bool ? i32(value.bool) : -1;
}

function restore(ns: i32, ifname: string, saved: JsonValue, errors: CniError[]): void {
  const link = link_get(ns, ifname);
  const index = number_of(saved, "ifindex");
  // Of another link that had the name before there is nothing to bring back.
  if (link && (index < 0 || index == link.ifindex)) restore_link(ns, link, saved, errors);
  else if (!link && failure_errno != ENODEV) errors.push(os_error(`look for "${ifname}"`));
  const sysctls = saved.get("sysctl");
  if (!sysctls || sysctls.kind != Kind.Object) return;
  const count = sysctls.items.length;
  const before = errors.length;
  // One may set another, so that in no order a single round restores them.
  for (let i = 0; i < (errors.length > before ? count : 2 * count); i++) {
    const path = sysctls.keys[i % count];
    const value = sysctls.items[i % count].text;
    const now = sysctl_read(ns, path);
    if (now !== null && (now == value || sysctl_write(ns, path, value) >= 0)) continue;
    // Those of an interface went with it.
    if (failure_errno != ENOENT) errors.push(os_error(`restore sysctl ${path}`));
  }
}

function restore_link(ns: i32, link: Link, saved: JsonValue, errors: CniError[]): void {
  const mac = mac_normal(saved.text_at("mac"));
  const values: i32[] = [
    number_of(saved, "mtu"),
    bool_of(saved, "promisc"),
    bool_of(saved, "allmulti"),
    number_of(saved, "txQLen"),
  ];
  const kinds: Tunable[] = [Tunable.Mtu, Tunable.Promisc, Tunable.Allmulti, Tunable.Txqlen];
  for (let i = 0; i < kinds.length; i++) {
    if (values[i] < 0) continue;
    const error = tune(ns, link, kinds[i], "", values[i]);
    if (error) errors.push(error);
  }
  if (mac.length > 0) {
    const error = tune(ns, link, Tunable.Address, mac, 0);
    if (error) errors.push(error);
  }
  const host_mtu = number_of(saved, "hostMtu");
  if (host_mtu < 0 || link.kind != "veth") return;
  const host = link_get_index(HOST, link.peer);
  if (host && host.name == saved.text_at("hostIfname")) {
    const error = tune(HOST, host, Tunable.Mtu, "", host_mtu);
    if (error) errors.push(error);
  } else if (!host && failure_errno != ENODEV) {
    errors.push(os_error(`find the other end of "${link.name}"`));
  }
}
