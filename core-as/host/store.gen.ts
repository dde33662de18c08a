// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// Typed faces of operations of the module store. One gives >= 0 or what is named, or
// else -errno or null, with the details noted in failure.ts.
import { Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import {
  store_dir_lock,
  store_dir_make,
  store_dir_unlock,
  store_file_before_boot,
  store_file_list,
  store_file_read,
  store_file_remove,
  store_file_set_mtime,
  store_subdir_list,
} from "./imports.gen";
import { Bytes, reply_bytes, reply_json, texts_of } from "./reply";
import { NamedText, named_text_list_of } from "./shapes.gen";

/**
 * Takes the exclusive flock on $dir/lock, host-local's own. create 0: ENOENT when the folder is
 * missing. After ETIMEDOUT the reply text says which process holds it. Gives: a lock handle, >= 1.
 */
export function dir_lock(dir: string, create: bool, timeout_ms: i32): i32 {
  const dir_utf8 = new Utf8(dir);
  const code = store_dir_lock(dir_utf8.ptr, dir_utf8.len, create, timeout_ms);
  return checked(code);
}

/** Gives the lock back. */
export function dir_unlock(lock: i32): i32 {
  const code = store_dir_unlock(lock);
  return checked(code);
}

/** Makes a folder (mode 0755) and those above it; one that is there is fine. */
export function dir_make(dir: string): i32 {
  const dir_utf8 = new Utf8(dir);
  const code = store_dir_make(dir_utf8.ptr, dir_utf8.len);
  return checked(code);
}

/**
 * Compares the time a file was last written with the boot time (btime of proc_stat(5)). Gives: 1
 * when the file was written before this machine was started, else 0.
 */
export function file_before_boot(path: string): i32 {
  const path_utf8 = new Utf8(path);
  const code = store_file_before_boot(path_utf8.ptr, path_utf8.len);
  return checked(code);
}

/**
 * Sets the time that file_mtime gives, of a file or folder, to the nanosecond if the file system
 * can; the time of the last access stays. EINVAL: another form of text.
 */
export function file_set_mtime(path: string, mtime: string): i32 {
  const path_utf8 = new Utf8(path);
  const mtime_utf8 = new Utf8(mtime);
  const code = store_file_set_mtime(path_utf8.ptr, path_utf8.len, mtime_utf8.ptr, mtime_utf8.len);
  return checked(code);
}

/**
 * Names of the folders of a folder, links followed: sysfs says by them what there is. Gives: names,
 * sorted bytewise.
 */
export function subdir_list(dir: string): string[] | null {
  const dir_utf8 = new Utf8(dir);
  const code = store_subdir_list(dir_utf8.ptr, dir_utf8.len);
  return checked(code) < 0 ? null : texts_of(reply_json());
}

/**
 * Regular files of a folder with their text; the content of one that is longer than 64 KiB or no
 * UTF-8 is null. Gives: by name.
 */
export function file_list(dir: string): NamedText[] | null {
  const dir_utf8 = new Utf8(dir);
  const code = store_file_list(dir_utf8.ptr, dir_utf8.len);
  return checked(code) < 0 ? null : named_text_list_of(reply_json());
}

/** Reads a file; EFBIG when it is larger than the limit. Gives: the content. */
export function file_read(path: string, limit_bytes: i32): Bytes | null {
  const path_utf8 = new Utf8(path);
  const code = store_file_read(path_utf8.ptr, path_utf8.len, limit_bytes);
  return checked(code) < 0 ? null : reply_bytes();
}

/** Removes a file. */
export function file_remove(path: string): i32 {
  const path_utf8 = new Utf8(path);
  const code = store_file_remove(path_utf8.ptr, path_utf8.len);
  return checked(code);
}
