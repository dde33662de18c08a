// What `tuning` changed and how it goes back: the effect "tuning" (which also knows sysctls and the
// host's end), and the reference's backup file beside it, so that either implementation can take
// back what the other did.
import { Adding } from "../../../attach/adding";
import { Effect, Site } from "../../../attach/effect";
import { file_drop } from "../../../attach/store";
import { failure_errno } from "../../../host/failure";
import {
  HOST,
  Link,
  link_get,
  link_get_index,
  link_set_address,
  link_set_allmulti,
  link_set_mtu,
  link_set_promisc,
  link_set_txqlen,
  sysctl_read,
  sysctl_write,
} from "../../../host/kernel";
import { dir_make, file_read, file_write } from "../../../host/store";
import { EFBIG, ENODEV, ENOENT } from "../../../lib/errno";
import { JsonValue, json_parse, json_write, Kind } from "../../../lib/json";
import { mac_normal } from "../../../lib/name";
import { ByteWriter, utf8_decode, utf8_invalid_at } from "../../../lib/utf8";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";

export const TUNING = "tuning";
const LIMIT_BYTES = 65536;
const DATA_DIR = "/run/cni/tuning";
/** What the reference's backup knows, in its order. */
const BACKUP_KEYS: string[] = ["mac", "promisc", "mtu", "allmulti", "txQLen"];

/** What of a link may be tuned. */
export const enum Tunable {
  Address,
  Mtu,
  Promisc,
  Allmulti,
  Txqlen,
}

/** Folder of the backups; "" when the configuration names an unusable one. */
export function backup_dir(request: Request): string {
  const value = request.config.get("dataDir");
  if (!value) return DATA_DIR;
  const text = value.kind == Kind.String ? value.text : "";
  if (text.startsWith("/") && !`${text}/`.includes("/../")) {
    return text.endsWith("/") ? text.substring(0, text.length - 1) : text;
  }
  request.reader.invalid(`"dataDir" must be an absolute path without ".."`, value);
  return "";
}

function backup_path(dir: string, containerID: string, ifname: string): string {
  return `${dir}/${containerID}_${ifname}.json`;
}

/** Sets one property of a link, unless it has the value: `text` the address, `value` any other. */
export function tune(
  ns: i32,
  link: Link,
  what: Tunable,
  text: string,
  value: i32,
): CniError | null {
  const index = link.ifindex;
  let code: i32 = 0;
  if (what == Tunable.Address && text != link.address) code = link_set_address(ns, index, text);
  if (what == Tunable.Mtu && value != link.mtu_bytes) code = link_set_mtu(ns, index, value);
  if (what == Tunable.Promisc && (value != 0) != link.promisc) {
    code = link_set_promisc(ns, index, value != 0);
  }
  if (what == Tunable.Allmulti && (value != 0) != link.allmulti) {
    code = link_set_allmulti(ns, index, value != 0);
  }
  if (what == Tunable.Txqlen && value != link.txqlen) code = link_set_txqlen(ns, index, value);
  return code < 0 ? tune_error(link, what) : null;
}

function tune_error(link: Link, what: Tunable): CniError {
  const names: string[] = ["MAC address", "MTU", "promiscuous mode", "allmulti", "txQLen"];
  return os_error(`set the ${names[what]} of "${link.name}"`);
}

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
  /** Of this very call: whether it wrote the backup, and what that said before. */
  fresh: bool = false;
  private backed: bool = false;
  private earlier: string = "";
  constructor(public found: JsonValue) {
    super();
  }
  get word(): string {
    return TUNING;
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
    const dir = this.found.text_at("dataDir");
    if (dir.length == 0 || (this.fresh && !this.backed)) return true;
    const path = backup_path(dir, site.containerID, site.ifname);
    if (this.earlier.length == 0) return file_drop(path, errors);
    if (file_write(path, this.earlier) >= 0) return true;
    errors.push(os_error(`undo: restore ${path}`));
    return false;
  }

  /** Writes the reference's backup: of two tunings of one chain what the first one found. */
  backup(request: Request, again: bool): CniError | null {
    const env = request.env;
    const path = backup_path(this.found.text_at("dataDir"), env.containerID, env.ifname);
    const backup = JsonValue.object();
    for (let i = 0; i < BACKUP_KEYS.length; i++) {
      const value = this.found.get(BACKUP_KEYS[i]);
      if (value) backup.append(BACKUP_KEYS[i], value);
    }
    if (backup.items.length == 0) return null;
    const old = backup_read(path);
    if (old.error) return old.error;
    this.earlier = old.text;
    const first = old.found;
    for (let i = 0; again && first !== null && i < first.items.length; i++) {
      backup.set(first.keys[i], first.items[i]);
    }
    const out = new ByteWriter();
    json_write(out, backup, 1);
    let written = file_write(path, out.toString());
    if (written < 0 && failure_errno == ENOENT) {
      const folder = path.substring(0, path.lastIndexOf("/"));
      if (dir_make(folder) < 0) return os_error(`make ${folder}`, Code.Io);
      written = file_write(path, out.toString());
    }
    this.backed = written >= 0;
    return this.backed ? null : os_error(`write ${path}`, Code.Io);
  }
}

/** Notes what is to be changed, as it is, before the first change. */
export function tuning_note(request: Request, found: JsonValue, adding: Adding): CniError | null {
  const again = adding.has(TUNING);
  const effect = new Tuned(found);
  effect.fresh = true;
  const error = adding.ahead(effect);
  return error ? error : effect.backup(request, again);
}

/** Takes back what an ADD of the reference did, by its backup. */
export function tuning_unrecorded(request: Request, errors: CniError[]): void {
  const env = request.env;
  const given = backup_dir(request);
  const dir = given.length > 0 ? given : DATA_DIR;
  const path = backup_path(dir, env.containerID, env.ifname);
  const before = errors.length;
  const backup = backup_read(path);
  const error = backup.error;
  if (error) errors.push(error);
  const found = backup.found;
  if (found && request.netns != 0) restore(request.netns, env.ifname, found, errors);
  if (errors.length > before || request.netns_unknown) return;
  if (given.length > 0) file_drop(path, errors);
}

/** A backup that was looked for; garbage counts as none. */
class Backup {
  error: CniError | null = null;
  found: JsonValue | null = null;
  text: string = "";
}

function backup_read(path: string): Backup {
  const backup = new Backup();
  const bytes = file_read(path, LIMIT_BYTES);
  if (!bytes) {
    if (failure_errno != ENOENT && failure_errno != EFBIG) {
      backup.error = os_error(`read ${path}`, Code.Io);
    }
    return backup;
  }
  if (utf8_invalid_at(bytes.ptr, bytes.len) < 0) backup.text = utf8_decode(bytes.ptr, bytes.len);
  const parsed = json_parse(bytes.ptr, bytes.len);
  if (!parsed.failed && parsed.value.kind == Kind.Object) backup.found = parsed.value;
  return backup;
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
