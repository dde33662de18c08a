// What `tuning` changed and how it goes back: one property of a link at a time, a record of our own
// (it also knows network, sysctls and the host's end), and the reference's backup file beside it,
// so that either implementation can take back what the other did.
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
import { JsonValue, json_write, Kind } from "../../../lib/json";
import { mac_normal } from "../../../lib/name";
import { ByteWriter } from "../../../lib/utf8";
import {
  file_drop,
  file_place,
  json_file_read,
  Looked,
  record_bool,
  record_drop,
  record_number,
  record_read,
  record_text,
  record_write,
} from "../../../net/record";
import { CniError, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { link_tune, Tunable, Undo } from "../../../undo";

export const TUNING = "tuning";
const DATA_DIR = "/run/cni/tuning";
/** What the reference's backup knows, in its order. */
const BACKUP_KEYS: string[] = ["mac", "promisc", "mtu", "allmulti", "txQLen"];

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

/** Sets one property of a link, unless it has the value already. */
export function tune(
  ns: i32,
  link: Link,
  what: Tunable,
  text: string,
  value: i32,
  undo: Undo,
): CniError | null {
  let old = 0;
  if (what == Tunable.Mtu) old = link.mtu_bytes;
  if (what == Tunable.Promisc) old = i32(link.promisc);
  if (what == Tunable.Allmulti) old = i32(link.allmulti);
  if (what == Tunable.Txqlen) old = link.txqlen;
  if (what == Tunable.Address ? text == link.address : value == old) return null;
  if (link_tune(ns, link.ifindex, what, text, value) < 0) return tune_error(link, what);
  undo.link_tune(ns, link.ifindex, what, link.address, old);
  return null;
}

function tune_error(link: Link, what: Tunable): CniError {
  const names: string[] = ["MAC address", "MTU", "promiscuous mode", "allmulti", "txQLen"];
  return os_error(`set the ${names[what]} of "${link.name}"`);
}

/** What an ADD finds of the link; `asked`: the keys of the reference that it is to change. */
export function record_link(
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

/** Writes record and backup before the first change. */
export function tuning_record(request: Request, record: JsonValue, undo: Undo): CniError | null {
  const looked = record_read(TUNING, request);
  const earlier = looked.found;
  if (looked.error) return looked.error;
  if (earlier) merge(earlier, record);
  const error = record_write(TUNING, request, record, undo);
  if (error) return error;
  const backup = JsonValue.object();
  for (let i = 0; i < BACKUP_KEYS.length; i++) {
    const value = record.get(BACKUP_KEYS[i]);
    if (value) backup.append(BACKUP_KEYS[i], value);
  }
  if (backup.items.length == 0) return null;
  const out = new ByteWriter();
  json_write(out, backup, 1);
  const env = request.env;
  const path = backup_path(record_text(record, "dataDir"), env.containerID, env.ifname);
  return file_place(path, out.toString(), undo);
}

/** A second tuning of one chain: what was there before is what the first one found. */
function merge(earlier: JsonValue, record: JsonValue): void {
  if (record_text(earlier, "netns") != record_text(record, "netns")) return;
  if (record_number(earlier, "ifindex") != record_number(record, "ifindex")) return;
  const older = earlier.get("sysctl");
  const newer = record.get("sysctl");
  for (let i = 0; i < earlier.items.length; i++) record.set(earlier.keys[i], earlier.items[i]);
  if (!older || !newer) return;
  for (let i = 0; i < older.items.length; i++) newer.set(older.keys[i], older.items[i]);
  record.set("sysctl", newer);
}

/** Takes back what ADD did, by its record or by the reference's, and then removes both. */
export function tuning_undo(request: Request, errors: CniError[]): void {
  const env = request.env;
  const dir = backup_dir(request);
  const before = errors.length;
  const looked = record_read(TUNING, request);
  let saved = looked.found;
  let error = looked.error;
  if (!saved && !error) {
    const backup = backup_find(dir, env.containerID, env.ifname);
    saved = backup.found;
    error = backup.error;
  }
  if (error) errors.push(error);
  if (saved && request.netns != 0) restore(request, saved, errors);
  if (errors.length > before || request.netns_unknown) return;
  if (dir.length > 0) file_drop(backup_path(dir, env.containerID, env.ifname), errors);
  if (looked.found && saved) tuning_forget(saved, errors);
}

/** The backup of an ADD of the reference, in the folder of the configuration or the usual one. */
function backup_find(dir: string, containerID: string, ifname: string): Looked {
  if (dir.length == 0) return json_file_read(backup_path(DATA_DIR, containerID, ifname));
  return json_file_read(backup_path(dir, containerID, ifname));
}

/** Removes the files of an attachment; the record goes last. */
export function tuning_forget(record: JsonValue, errors: CniError[]): void {
  const containerID = record_text(record, "containerID");
  const ifname = record_text(record, "ifname");
  const dir = record_text(record, "dataDir");
  const before = errors.length;
  if (dir.length > 0) file_drop(backup_path(dir, containerID, ifname), errors);
  if (errors.length == before) record_drop(TUNING, record, errors);
}

function restore(request: Request, saved: JsonValue, errors: CniError[]): void {
  const ns = request.netns;
  const ifname = request.env.ifname;
  const link = link_get(ns, ifname);
  if (link) restore_link(ns, link, saved, errors);
  else if (failure_errno != ENODEV) errors.push(os_error(`look for "${ifname}"`));
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
  // What fails here is told, and the next DEL tries again: there is nothing to undo.
  const undo = new Undo();
  const mac = mac_normal(record_text(saved, "mac"));
  const values: i32[] = [
    record_number(saved, "mtu"),
    record_bool(saved, "promisc"),
    record_bool(saved, "allmulti"),
    record_number(saved, "txQLen"),
  ];
  const kinds: Tunable[] = [Tunable.Mtu, Tunable.Promisc, Tunable.Allmulti, Tunable.Txqlen];
  for (let i = 0; i < kinds.length; i++) {
    if (values[i] < 0) continue;
    const error = tune(ns, link, kinds[i], "", values[i], undo);
    if (error) errors.push(error);
  }
  if (mac.length > 0) {
    const error = tune(ns, link, Tunable.Address, mac, 0, undo);
    if (error) errors.push(error);
  }
  const host_mtu = record_number(saved, "hostMtu");
  if (host_mtu < 0 || link.kind != "veth") return;
  const host = link_get_index(HOST, link.peer);
  if (host && host.name == record_text(saved, "hostIfname")) {
    const error = tune(HOST, host, Tunable.Mtu, "", host_mtu, undo);
    if (error) errors.push(error);
  } else if (!host && failure_errno != ENODEV) {
    errors.push(os_error(`find the other end of "${link.name}"`));
  }
}
