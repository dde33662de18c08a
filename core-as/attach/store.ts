// SPDX-License-Identifier: Apache-2.0
// Where records of attachments lie, /run/fairlead/attachments/<containerID>:<ifname>, and the locks
// of those that are worked on. /run forgets at reboot, as it must. It refuses to know what a record
// says beyond which host's namespace it is of.
import { failure_errno, failure_text } from "../host/failure";
import { HOST, netns_id } from "../host/kernel";
import {
  dir_lock,
  dir_make,
  dir_unlock,
  file_list,
  file_read,
  file_remove,
  file_write,
} from "../host/store";
import { EFBIG, ENOENT, EROFS, ETIMEDOUT } from "../lib/errno";
import { LISTED_MAX_BYTES } from "../lib/limits.gen";
import { hash64 } from "../lib/name";
import { state_dir } from "../lib/state-dir";
import { utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { Environment } from "../spec/environment";
import { CniError, Code, os_error } from "../spec/error";
import { Attachment, record_parse, records_dir } from "./record";

function locks_dir(): string {
  return `${state_dir()}/locks`;
}
/** So many locks there are: an attachment's is found by the hash of its name. */
const LOCKS_MASK: u64 = 0xfff;
/** Longer than any call needs that does not wait for a foreign plugin. */
const LOCK_LIMIT_MS = 15000;
/** For those who can as well come again. */
export const LOCK_NOW_MS = 0;

let host: string = "";

/** The identity of the host's namespace; "" on failure. Asked once: a call has one host. */
export function host_netns_id(): string {
  if (host.length == 0) host = netns_id(HOST);
  return host;
}

/** Whether a record is of this host's namespace; one that cannot be told from ours is. */
export function is_here(record: Attachment): bool {
  if (record.hostNetnsID.length == 0) return true;
  const id = host_netns_id();
  return id.length == 0 || record.hostNetnsID == id;
}

/** A record that was looked for: `found` is null when there is none, or none that can be read. */
export class Looked {
  found: Attachment | null = null;
  /** What the file says, "" when it says nothing that is text. */
  text: string = "";
  error: CniError | null = null;
}

/** The record of that name. Garbage counts as none. */
export function record_look(name: string): Looked {
  const looked = new Looked();
  const path = `${records_dir()}/${name}`;
  const bytes = file_read(path, LISTED_MAX_BYTES);
  if (bytes && utf8_invalid_at(bytes.ptr, bytes.len) < 0) {
    looked.text = utf8_decode(bytes.ptr, bytes.len);
    looked.found = record_parse(name, looked.text);
  } else if (!bytes && failure_errno != ENOENT && failure_errno != EFBIG) {
    looked.error = os_error(`read ${path}`, Code.Io);
  }
  return looked;
}

/** Writes a record as a whole: who reads it sees the old one or the new one. */
export function record_write(record: Attachment): CniError | null {
  const text = record.toString();
  if (String.UTF8.byteLength(text) > LISTED_MAX_BYTES) {
    return new CniError(
      Code.InvalidConfig,
      `the record of "${record.ifname}" would be longer than the ${LISTED_MAX_BYTES} bytes that ` +
        "are read again: give one container fewer addresses and port mappings",
    );
  }
  return record_put(record.path, text);
}

/** Writes the text of a record, and makes the folder for the first. */
export function record_put(path: string, text: string): CniError | null {
  let written = file_write(path, text);
  if (written < 0 && failure_errno == ENOENT) {
    const dir = records_dir();
    if (dir_make(dir) < 0) return os_error(`make ${dir}`, Code.Io);
    written = file_write(path, text);
  }
  return written < 0 ? os_error(`write ${path}`, Code.Io) : null;
}

/** Removes a file; one that is not there is fine, on a file system that nobody writes to also. */
export function file_drop(path: string, errors: CniError[]): bool {
  if (file_remove(path) >= 0 || failure_errno == ENOENT) return true;
  const error = os_error(`remove ${path}`, Code.Io);
  if (failure_errno == EROFS && !file_read(path, 1) && failure_errno == ENOENT) return true;
  errors.push(error);
  return false;
}

/** Every record of this host's namespace that can be read; null on failure. */
export function records(): Attachment[] | null {
  const found = new Array<Attachment>();
  const files = file_list(records_dir());
  if (!files) return failure_errno == ENOENT ? found : null;
  for (let i = 0; i < files.length; i++) {
    const content = files[i].content;
    const record = content !== null ? record_parse(files[i].name, content) : null;
    if (record && is_here(record)) found.push(record);
  }
  return found;
}

/** The error of `records`. */
export function records_error(): CniError {
  return os_error(`read ${records_dir()}`, Code.Io);
}

/** The lock on an attachment: one call at a time works on it. */
export class Lock {
  error: CniError | null = null;
  /** Another call holds it, which waits for this one. */
  for_us: bool = false;
  private handle: i32 = 0;
  private env: Environment | null = null;
  /** What was held before, which is held still. */
  private before: string = "";

  /**
   * Takes it. A foreign plugin that our call executes may call one of ours for the same attachment:
   * that finds it held for itself (`env.held`). `create`: where nobody ever made the locks nobody
   * holds one, so that without it there is nothing to wait for.
   */
  take(name: string, env: Environment, create: bool, timeout_ms: i32 = LOCK_LIMIT_MS): bool {
    const place = (hash64(name) & LOCKS_MASK).toString(16).padStart(3, "0");
    if (env.held == place) {
      this.for_us = true;
      return true;
    }
    const handle = dir_lock(`${locks_dir()}/${place}`, create, timeout_ms);
    if (handle >= 0) {
      this.handle = handle;
      this.env = env;
      this.before = env.held;
      env.held = place;
      return true;
    }
    // Where nobody can write, nobody else is at work either.
    if (!create && (failure_errno == ENOENT || failure_errno == EROFS)) return true;
    this.error =
      failure_errno == ETIMEDOUT
        ? new CniError(
            Code.TryAgainLater,
            `another call works on ${name} and did not end within ${timeout_ms} ms: try again`,
            failure_text,
          )
        : os_error(`lock ${name} in ${locks_dir()}`, Code.Io);
    return false;
  }
  /** Whether it is held: without `create` there may have been none. */
  get is_held(): bool {
    return this.for_us || this.env !== null;
  }
  /** Gives it back; more than once is fine. */
  release(): void {
    const env = this.env;
    if (!env) return;
    dir_unlock(this.handle);
    env.held = this.before;
    this.env = null;
  }
}
