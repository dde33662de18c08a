// Records of chained plugins: /run/fairlead/<type>/<containerID>:<ifname>, JSON, what a plugin must
// know of its ADD to take it back whatever the configuration then says. Written before the first
// change, removed after the last; /run forgets at reboot, as it must. What is in one beside the
// attachment is the plugin's own.
import { failure_errno } from "../host/failure";
import { HOST, link_get, netns_close, netns_open, netns_same } from "../host/kernel";
import { dir_list, dir_make, file_read, file_remove, file_write } from "../host/store";
import { EFBIG, EINVAL, ENODEV, ENOENT } from "../lib/errno";
import { JsonValue, json_parse, json_text, Kind } from "../lib/json";
import { utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { Attachments } from "../spec/attachments";
import { CniError, Code, os_error } from "../spec/error";
import { Request } from "../spec/request";
import { Undo } from "../undo";

const ROOT = "/run/fairlead";
const LIMIT_BYTES = 65536;

/** A record that was looked for: `found` is null when there is none, or none that can be read. */
export class Looked {
  error: CniError | null = null;
  found: JsonValue | null = null;
}

export function record_path(type: string, containerID: string, ifname: string): string {
  return `${ROOT}/${type}/${containerID}:${ifname}`;
}

/** A new record of the request's attachment. */
export function record_of(request: Request): JsonValue {
  const record = JsonValue.object();
  record.append("network", JsonValue.string(request.network));
  record.append("containerID", JsonValue.string(request.env.containerID));
  record.append("ifname", JsonValue.string(request.env.ifname));
  return record;
}

/** A string of a record, "" when it has none. */
export function record_text(record: JsonValue, key: string): string {
  const value = record.get(key);
  return value && value.kind == Kind.String ? value.text : "";
}

/** A number of a record within 0..2^31-1, -1 when it has none. */
export function record_number(record: JsonValue, key: string): i32 {
  const value = record.get(key);
  if (!value || !value.isInteger()) return -1;
  const number = value.integer();
  return number < 0 || number > i32.MAX_VALUE ? -1 : <i32>number;
}

/** A boolean of a record as 0 or 1, -1 when it has none. */
export function record_bool(record: JsonValue, key: string): i32 {
  const value = record.get(key);
  return value && value.kind == Kind.Bool ? i32(value.bool) : -1;
}

/** The objects of a list of a record; none when it has none. */
export function record_list(record: JsonValue, key: string): JsonValue[] {
  const value = record.get(key);
  if (!value || value.kind != Kind.Array) return [];
  return value.items.filter((item) => item.kind == Kind.Object);
}

/** A file's JSON object. Garbage counts as none. */
export function json_file_read(path: string): Looked {
  const looked = new Looked();
  const bytes = file_read(path, LIMIT_BYTES);
  if (!bytes) {
    if (failure_errno != ENOENT && failure_errno != EFBIG) {
      looked.error = os_error(`read ${path}`, Code.Io);
    }
    return looked;
  }
  const parsed = json_parse(bytes.ptr, bytes.len);
  if (!parsed.failed && parsed.value.kind == Kind.Object) looked.found = parsed.value;
  return looked;
}

/** Writes a file and makes its folder; a failing ADD gives back what was there. */
export function file_place(path: string, content: string, undo: Undo): CniError | null {
  const old = file_read(path, LIMIT_BYTES);
  if (!old && failure_errno != ENOENT && failure_errno != EFBIG) {
    return os_error(`read ${path}`, Code.Io);
  }
  let before = "";
  if (old && utf8_invalid_at(old.ptr, old.len) < 0) before = utf8_decode(old.ptr, old.len);
  let written = file_write(path, content);
  if (written < 0 && failure_errno == ENOENT) {
    const folder = path.substring(0, path.lastIndexOf("/"));
    if (dir_make(folder) < 0) return os_error(`make ${folder}`, Code.Io);
    written = file_write(path, content);
  }
  if (written < 0) return os_error(`write ${path}`, Code.Io);
  if (before.length > 0) undo.file_write(path, before);
  else undo.file_remove(path);
  return null;
}

/** Removes a file; one that is not there is fine. */
export function file_drop(path: string, errors: CniError[]): void {
  if (file_remove(path) >= 0 || failure_errno == ENOENT) return;
  errors.push(os_error(`remove ${path}`, Code.Io));
}

/** Writes the record of the request's attachment. */
export function record_write(
  type: string,
  request: Request,
  record: JsonValue,
  undo: Undo,
): CniError | null {
  const path = record_path(type, request.env.containerID, request.env.ifname);
  return file_place(path, json_text(record), undo);
}

/** The record of the request's attachment; another network's is none of this request's. */
export function record_read(type: string, request: Request): Looked {
  const looked = json_file_read(record_path(type, request.env.containerID, request.env.ifname));
  const found = looked.found;
  if (!found || request.network.length == 0) return looked;
  if (record_text(found, "network") != request.network) looked.found = null;
  return looked;
}

/** Records of the network whose attachments are not valid. */
export function records_stale(
  type: string,
  request: Request,
  valid: Attachments,
  errors: CniError[],
): JsonValue[] {
  const stale = new Array<JsonValue>();
  const files = dir_list(`${ROOT}/${type}`);
  if (!files) {
    if (failure_errno != ENOENT) errors.push(os_error(`read ${ROOT}/${type}`, Code.Io));
    return stale;
  }
  for (let i = 0; i < files.length; i++) {
    const looked = json_file_read(`${ROOT}/${type}/${files[i]}`);
    const unread = looked.error;
    if (unread) errors.push(unread);
    const record = looked.found;
    if (!record || record_text(record, "network") != request.network) continue;
    const containerID = record_text(record, "containerID");
    const ifname = record_text(record, "ifname");
    if (files[i] != `${containerID}:${ifname}`) continue;
    if (!valid.has(`${containerID}\r\n${ifname}`)) stale.push(record);
  }
  return stale;
}

/** Removes the file of a record. */
export function record_drop(type: string, record: JsonValue, errors: CniError[]): void {
  const containerID = record_text(record, "containerID");
  file_drop(record_path(type, containerID, record_text(record, "ifname")), errors);
}

/**
 * The namespace of a record whose interface is gone, for what it may have left there; 0 when the
 * namespace is gone as well, or has an interface of that name: then it goes with that.
 */
export function record_orphaned(record: JsonValue, errors: CniError[]): i32 {
  const path = record_text(record, "netns");
  const ns = netns_open(path);
  if (ns < 0 && (failure_errno == ENOENT || failure_errno == EINVAL)) return 0;
  const same = ns < 0 ? -1 : netns_same(ns, HOST);
  if (same == 1 || (same == 0 && link_get(ns, record_text(record, "ifname")))) {
    netns_close(ns);
    return 0;
  }
  if (same == 0 && failure_errno == ENODEV) return ns;
  errors.push(os_error(`look into ${path}`));
  return 0;
}
