// SPDX-License-Identifier: Apache-2.0
// The store operations of host-node/abi/ and what the host itself gives. Most faces are generated
// (store.gen.ts, host.gen.ts); here are those that take bytes, and one whose reply may be too
// large, with the same error convention. It decides nothing.
import { EFBIG } from "../lib/errno";
import { json_parse, VALUES_LIMIT } from "../lib/json";
import { ByteWriter, Utf8 } from "../lib/utf8";
import { visible } from "../lib/visible";
import { checked, fail } from "./failure";
import {
  host_log,
  host_reply_len,
  host_reply_read,
  store_dir_list,
  store_file_before_boot,
  store_file_create,
  store_file_mtime,
  store_file_read,
  store_file_remove,
  store_file_rewrite,
  store_file_write,
} from "./imports.gen";
import { reply_bytes, reply_text, texts_of } from "./reply";

export * from "./host.gen";
export { NamedText } from "./shapes.gen";
export * from "./store.gen";

/**
 * Writes one line for a human to standard error. Texts of others are in it: whatever they hold, it
 * stays one line and tells a terminal nothing.
 */
export function log(text: string): i32 {
  const line = new Utf8(visible(text));
  return checked(host_log(line.ptr, line.len));
}

/** When a file was last written, or a folder changed, as SECONDS.NANOSECONDS; "" on failure. */
export function file_mtime(path: string): string {
  const text = new Utf8(path);
  return checked(store_file_mtime(text.ptr, text.len)) < 0 ? "" : reply_text();
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
  return texts_of(reply.value);
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

function file_write_bytes(path: string, ptr: usize, len: i32): i32 {
  const text = new Utf8(path);
  return checked(store_file_write(text.ptr, text.len, ptr, len));
}

/** As file_write, but in place where the file is there: cheap, and a mixture if it is cut short. */
export function file_rewrite(path: string, content: string): i32 {
  const text = new Utf8(content);
  return file_rewrite_bytes(path, text.ptr, text.len);
}

export function file_rewrite_bytes(path: string, ptr: usize, len: i32): i32 {
  const text = new Utf8(path);
  return checked(store_file_rewrite(text.ptr, text.len, ptr, len));
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
