// Typed faces of the store and process operations of host-node/abi.ts, with the same error
// convention as kernel.ts. It decides nothing.

import { EFBIG } from "../lib/errno";
import { json_parse, VALUES_LIMIT } from "../lib/json";
import { ByteWriter, Utf8 } from "../lib/utf8";
import { checked, fail } from "./failure";
import {
  host_log,
  host_reply_len,
  host_reply_read,
  host_sleep,
  host_stdin_read,
  store_dir_list,
  store_dir_lock,
  store_dir_make,
  store_dir_unlock,
  store_file_before_boot,
  store_file_create,
  store_file_list,
  store_file_mtime,
  store_file_read,
  store_file_remove,
  store_file_set_mtime,
  store_file_write,
} from "./imports";
import { Bytes, reply_bytes, reply_json, reply_text } from "./reply";

/** Standard input to its end; null on failure. */
export function stdin_read(limit_bytes: i32): Bytes | null {
  return checked(host_stdin_read(limit_bytes)) < 0 ? null : reply_bytes();
}

/** One line on standard error. */
export function log(line: string): void {
  const text = new Utf8(line);
  host_log(text.ptr, text.len);
}

export function sleep(duration_ms: i32): void {
  host_sleep(duration_ms);
}

/** A lock handle, >= 1. */
export function dir_lock(dir: string, create: bool, timeout_ms: i32): i32 {
  const text = new Utf8(dir);
  return checked(store_dir_lock(text.ptr, text.len, i32(create), timeout_ms));
}

export function dir_make(dir: string): i32 {
  const text = new Utf8(dir);
  return checked(store_dir_make(text.ptr, text.len));
}

/** 1 when the file was written before the machine was started, 0 when not. */
export function file_before_boot(path: string): i32 {
  const text = new Utf8(path);
  return checked(store_file_before_boot(text.ptr, text.len));
}

export function dir_unlock(lock: i32): i32 {
  return checked(store_dir_unlock(lock));
}

/** When a file was last written, or a folder changed, as SECONDS.NANOSECONDS; "" on failure. */
export function file_mtime(path: string): string {
  const text = new Utf8(path);
  return checked(store_file_mtime(text.ptr, text.len)) < 0 ? "" : reply_text();
}

/** Sets the time that file_mtime gives. */
export function file_set_mtime(path: string, mtime: string): i32 {
  const text = new Utf8(path);
  const time = new Utf8(mtime);
  return checked(store_file_set_mtime(text.ptr, text.len, time.ptr, time.len));
}

/** Names of the files of a folder, sorted; null on failure. */
export function dir_list(dir: string): string[] | null {
  const text = new Utf8(dir);
  if (checked(store_dir_list(text.ptr, text.len)) < 0) return null;
  const bytes = reply_bytes();
  const reply = json_parse(bytes.ptr, bytes.len);
  if (reply.failed) {
    fail(EFBIG, `${dir} has more than ${VALUES_LIMIT - 1} files`);
    return null;
  }
  const items = reply.value.items;
  const names = new Array<string>();
  for (let i = 0; i < items.length; i++) names.push(items[i].text);
  return names;
}

/** A file's name and text; `readable` is false for one that is no short text. */
export class NamedText {
  constructor(
    public name: string,
    public content: string,
    public readable: bool,
  ) {}
}

/** The files of a folder, by name; null on failure. */
export function file_list(dir: string): NamedText[] | null {
  const text = new Utf8(dir);
  if (checked(store_file_list(text.ptr, text.len)) < 0) return null;
  const reply = reply_json();
  const files = new Array<NamedText>();
  for (let i = 0; i < reply.items.length; i++) {
    const name = reply.items[i].get("name");
    const content = reply.items[i].get("content");
    files.push(new NamedText(name ? name.text : "", content ? content.text : "", content !== null));
  }
  return files;
}

export function file_read(path: string, limit_bytes: i32): Bytes | null {
  const text = new Utf8(path);
  return checked(store_file_read(text.ptr, text.len, limit_bytes)) < 0 ? null : reply_bytes();
}

export function file_create(path: string, content: string, replace_empty: bool): i32 {
  const path_text = new Utf8(path);
  const text = new Utf8(content);
  return checked(
    store_file_create(path_text.ptr, path_text.len, text.ptr, text.len, i32(replace_empty)),
  );
}

export function file_write(path: string, content: string): i32 {
  const text = new Utf8(content);
  return file_write_bytes(path, text.ptr, text.len);
}

export function file_write_bytes(path: string, ptr: usize, len: i32): i32 {
  const text = new Utf8(path);
  return checked(store_file_write(text.ptr, text.len, ptr, len));
}

export function file_remove(path: string): i32 {
  const text = new Utf8(path);
  return checked(store_file_remove(text.ptr, text.len));
}

/** Many files of one folder, one after the other, in the same memory. */
export class Reading {
  private path: ByteWriter = new ByteWriter();
  private dir_len: i32;
  /** Content of the file read last. */
  ptr: usize;
  len: i32 = 0;

  constructor(
    dir: string,
    private limit_bytes: i32,
  ) {
    this.path.text(dir).byte(47);
    this.dir_len = this.path.len;
    this.ptr = heap.alloc(limit_bytes);
  }
  private select(name: string): void {
    this.path.len = this.dir_len;
    this.path.text(name);
  }
  /** 0 when it was read; else as file_read. */
  read(name: string): i32 {
    this.select(name);
    const code = checked(store_file_read(this.path.ptr, this.path.len, this.limit_bytes));
    if (code < 0) return code;
    this.len = min(host_reply_len(), this.limit_bytes);
    return host_reply_read(this.ptr, this.len) < 0 ? -1 : 0;
  }
  /** As file_remove. */
  remove(name: string): i32 {
    this.select(name);
    return checked(store_file_remove(this.path.ptr, this.path.len));
  }
  /** As file_before_boot. */
  before_boot(name: string): i32 {
    this.select(name);
    return checked(store_file_before_boot(this.path.ptr, this.path.len));
  }
}
