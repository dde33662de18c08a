// SPDX-License-Identifier: Apache-2.0
// The module `store` in memory. A folder is there once it was made or a file lay below it.
// One process uses it, so a lock is always free. Its clock stands.
import { EBADF, EEXIST, EFBIG, EINVAL, EISDIR, ENOENT, ENOTDIR } from "../lib/errno";
import { LISTED_MAX_BYTES } from "../lib/limits.gen";
import { texts_joined, utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { CLOCK_NS } from "./clock";
import { Content, folder_of } from "./content";
import { NamedTextReply, write_named_text_list } from "./replies.gen";
import { copy_of, fail, refusal, refuse, reply, text_of } from "./slot";
import { state } from "./state";
import { write_texts } from "./write";

const SECOND_NS: i64 = 1_000_000_000;

/** The name host-local locks by. */
export const LOCK_NAME = "lock";

/** An absolute path that says plainly where it leads; null after a refusal. */
function path_of(ptr: usize, len: i32): string | null {
  const path = text_of(ptr, len);
  if (path == null) return null;
  const plain = path.startsWith("/") && !path.includes("/.") && !path.includes("//");
  if (plain && !path.endsWith("/")) return path;
  if (path.startsWith("/") && !path.split("/").includes("..")) return normal(path);
  refuse(EINVAL, `not an absolute path without "..": "${path}"`);
  return null;
}

/** Without doubled or trailing slashes. */
function normal(path: string): string {
  const parts = path.split("/").filter((part) => part.length > 0 && part != ".");
  return parts.length > 0 ? `/${texts_joined(parts, "/")}` : "";
}

function is_folder(path: string): bool {
  return path.length == 0 || state.folders.has(path);
}

/** A file or folder lies at the path. */
export function exists(path: string): bool {
  return path.length > 0 && (state.files.has(path) || is_folder(normal(path)));
}

export function store_dir_lock(dir: usize, dir_len: i32, create: i32, _timeout_ms: i32): i32 {
  const path = path_of(dir, dir_len);
  if (path == null) return refusal;
  if (!is_folder(path)) {
    if (create == 0) return fail(ENOENT);
    state.add_folder(path);
  }
  const lock = `${path}/${LOCK_NAME}`;
  if (!state.files.has(lock)) state.put_file(lock, new Content(0, 0));
  state.locks.add(++state.last_lock);
  return state.last_lock;
}

export function store_dir_make(dir: usize, dir_len: i32): i32 {
  const path = path_of(dir, dir_len);
  if (path == null) return refusal;
  if (state.files.has(path)) return fail(EEXIST);
  state.add_folder(path);
  return 0;
}

export function store_file_before_boot(path: usize, path_len: i32): i32 {
  const name = path_of(path, path_len);
  if (name == null) return refusal;
  if (!state.files.has(name)) return fail(ENOENT);
  return i32(state.files.get(name).before_boot);
}

export function store_dir_unlock(lock: i32): i32 {
  return state.locks.delete(lock) ? 0 : fail(EBADF, `no lock handle ${lock}`);
}

/** Nanoseconds since 1970 as the text SECONDS.NANOSECONDS. */
function time_text(time_ns: i64): string {
  const rest = (time_ns % SECOND_NS).toString().padStart(9, "0");
  return `${time_ns / SECOND_NS}.${rest}`;
}

/** The text SECONDS.NANOSECONDS in nanoseconds since 1970; -1 for another one. */
function time_parse(text: string): i64 {
  const point = text.indexOf(".");
  if (point < 1 || point > 10 || text.length != point + 10) return -1;
  let time_ns: i64 = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (i == point) continue;
    if (c < 48 || c > 57) return -1;
    time_ns = time_ns * 10 + <i64>(c - 48);
  }
  return time_ns;
}

export function store_file_mtime(path: usize, path_len: i32): i32 {
  const name = path_of(path, path_len);
  if (name == null) return refusal;
  let time_ns = CLOCK_NS;
  if (state.files.has(name)) time_ns = state.files.get(name).mtime_ns;
  else if (!is_folder(name)) return fail(ENOENT);
  else if (state.set_ns.has(name)) time_ns = state.set_ns.get(name);
  reply().text(time_text(time_ns));
  return 0;
}

export function store_file_set_mtime(
  path: usize,
  path_len: i32,
  mtime: usize,
  mtime_len: i32,
): i32 {
  const name = path_of(path, path_len);
  if (name == null) return refusal;
  const text = text_of(mtime, mtime_len);
  if (text == null) return refusal;
  const time_ns = time_parse(text);
  if (time_ns < 0) return fail(EINVAL, `not a time: ${text}`);
  if (state.files.has(name)) state.files.get(name).mtime_ns = time_ns;
  else if (is_folder(name)) state.set_ns.set(name, time_ns);
  else return fail(ENOENT);
  return 0;
}

export function store_dir_list(dir: usize, dir_len: i32): i32 {
  const path = path_of(dir, dir_len);
  if (path == null) return refusal;
  if (!is_folder(path)) return fail(state.files.has(path) ? ENOTDIR : ENOENT);
  const paths = state.files.keys().sort((a, b) => (a < b ? -1 : i32(a > b)));
  const names = new Array<string>();
  for (let i = 0; i < paths.length; i++) {
    if (folder_of(paths[i]) == path) names.push(paths[i].substring(path.length + 1));
  }
  write_texts(reply(), names);
  return 0;
}

export function store_subdir_list(dir: usize, dir_len: i32): i32 {
  const path = path_of(dir, dir_len);
  if (path == null) return refusal;
  if (!is_folder(path)) return fail(state.files.has(path) ? ENOTDIR : ENOENT);
  const paths = state.folders.values().sort((a, b) => (a < b ? -1 : i32(a > b)));
  const names = new Array<string>();
  for (let i = 0; i < paths.length; i++) {
    const below = paths[i].length > path.length + 1 && folder_of(paths[i]) == path;
    if (below) names.push(paths[i].substring(path.length + 1));
  }
  write_texts(reply(), names);
  return 0;
}

export function store_file_list(dir: usize, dir_len: i32): i32 {
  const path = path_of(dir, dir_len);
  if (path == null) return refusal;
  if (!is_folder(path)) return fail(ENOENT);
  const paths = state.files.keys().sort((a, b) => (a < b ? -1 : i32(a > b)));
  const files = new Array<NamedTextReply>();
  for (let i = 0; i < paths.length; i++) {
    if (folder_of(paths[i]) != path) continue;
    const name = paths[i].substring(path.length + 1);
    files.push({ name, content: short_text(state.files.get(paths[i])) });
  }
  write_named_text_list(reply(), files);
  return 0;
}

/** A short text, null for anything else. */
function short_text(file: Content): string | null {
  if (file.len > LISTED_MAX_BYTES || utf8_invalid_at(file.ptr, file.len) >= 0) return null;
  return utf8_decode(file.ptr, file.len);
}

export function store_file_read(path: usize, path_len: i32, limit_bytes: i32): i32 {
  const name = path_of(path, path_len);
  if (name == null) return refusal;
  if (!state.files.has(name)) return fail(is_folder(name) ? EISDIR : ENOENT);
  const file = state.files.get(name);
  if (file.len > limit_bytes) return fail(EFBIG);
  reply().bytes(file.ptr, file.len);
  return 0;
}

export function store_file_create(
  path: usize,
  path_len: i32,
  content: usize,
  content_len: i32,
  replace_empty: i32,
): i32 {
  const name = path_of(path, path_len);
  if (name == null) return refusal;
  if (!is_folder(folder_of(name))) return fail(ENOENT);
  // The content is written under another name first.
  state.changed(name);
  if (is_folder(name)) return fail(EEXIST);
  if (state.files.has(name) && (replace_empty == 0 || state.files.get(name).len > 0)) {
    return fail(EEXIST);
  }
  state.put_file(name, new Content(copy_of(content, content_len), content_len));
  return 0;
}

export function store_file_write(
  path: usize,
  path_len: i32,
  content: usize,
  content_len: i32,
): i32 {
  const name = path_of(path, path_len);
  if (name == null) return refusal;
  if (!is_folder(folder_of(name))) return fail(ENOENT);
  state.changed(name);
  if (is_folder(name)) return fail(EISDIR);
  state.put_file(name, new Content(copy_of(content, content_len), content_len));
  return 0;
}

export function store_file_rewrite(
  path: usize,
  path_len: i32,
  content: usize,
  content_len: i32,
): i32 {
  const name = path_of(path, path_len);
  if (name == null) return refusal;
  if (!state.files.has(name)) return store_file_write(path, path_len, content, content_len);
  // Its folder is as it was.
  state.files.set(name, new Content(copy_of(content, content_len), content_len));
  return 0;
}

export function store_file_remove(path: usize, path_len: i32): i32 {
  const name = path_of(path, path_len);
  if (name == null) return refusal;
  if (!state.files.has(name)) return fail(is_folder(name) ? EISDIR : ENOENT);
  state.remove_file(name);
  return 0;
}
