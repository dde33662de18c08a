// SPDX-License-Identifier: Apache-2.0
// The reference's backup file of `tuning`, <dataDir>/<containerID>_<ifname>.json, so that either
// implementation can take back what the other did. It knows what the reference knows, and no more.
import { file_drop } from "../../../attach/store";
import { failure_errno } from "../../../host/failure";
import { dir_make, file_read, file_write } from "../../../host/store";
import { EFBIG, ENOENT } from "../../../lib/errno";
import { JsonValue, json_parse, json_write, Kind } from "../../../lib/json";
import { ByteWriter, utf8_decode, utf8_invalid_at } from "../../../lib/utf8";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";

const LIMIT_BYTES = 65536;
export const DATA_DIR = "/run/cni/tuning";
/** What it knows, in its order. */
const KEYS: string[] = ["mac", "promisc", "mtu", "allmulti", "txQLen"];

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

/** The backup of an attachment in a folder. */
export class Backup {
  error: CniError | null = null;
  /** What it says; null when there is none. Garbage counts as none. */
  found: JsonValue | null = null;
  private path: string;
  private text: string = "";
  /** This very call wrote it. */
  private written: bool = false;

  constructor(dir: string, containerID: string, ifname: string) {
    this.path = `${dir}/${containerID}_${ifname}.json`;
  }

  read(): void {
    const bytes = file_read(this.path, LIMIT_BYTES);
    if (!bytes) {
      if (failure_errno != ENOENT && failure_errno != EFBIG) {
        this.error = os_error(`read ${this.path}`, Code.Io);
      }
      return;
    }
    if (utf8_invalid_at(bytes.ptr, bytes.len) < 0) this.text = utf8_decode(bytes.ptr, bytes.len);
    const parsed = json_parse(bytes.ptr, bytes.len);
    if (!parsed.failed && parsed.value.kind == Kind.Object) this.found = parsed.value;
  }

  /** Writes it; `again`: of two tunings of one chain it keeps what the first one found. */
  write(found: JsonValue, again: bool): CniError | null {
    const backup = JsonValue.object();
    for (let i = 0; i < KEYS.length; i++) {
      const value = found.get(KEYS[i]);
      if (value) backup.append(KEYS[i], value);
    }
    if (backup.items.length == 0) return null;
    this.read();
    if (this.error) return this.error;
    const first = this.found;
    for (let i = 0; again && first !== null && i < first.items.length; i++) {
      backup.set(first.keys[i], first.items[i]);
    }
    const out = new ByteWriter();
    json_write(out, backup, 1);
    let written = file_write(this.path, out.toString());
    if (written < 0 && failure_errno == ENOENT) {
      const folder = this.path.substring(0, this.path.lastIndexOf("/"));
      if (dir_make(folder) < 0) return os_error(`make ${folder}`, Code.Io);
      written = file_write(this.path, out.toString());
    }
    this.written = written >= 0;
    return this.written ? null : os_error(`write ${this.path}`, Code.Io);
  }

  /** Takes `write` back. */
  undo(errors: CniError[]): bool {
    if (!this.written) return true;
    if (this.text.length == 0) return this.drop(errors);
    if (file_write(this.path, this.text) >= 0) return true;
    errors.push(os_error(`undo: restore ${this.path}`));
    return false;
  }

  drop(errors: CniError[]): bool {
    return file_drop(this.path, errors);
  }
}
