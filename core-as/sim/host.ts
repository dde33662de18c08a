// SPDX-License-Identifier: Apache-2.0
// The module `host` of the ABI for a core that runs on the simulated kernel: standard input is what
// was set, standard error is collected, sleeping takes no time.
import { EFBIG } from "../lib/errno";
import { ByteWriter } from "../lib/utf8";
import { Content } from "./content";
import { copy_of, fail, reply, slot } from "./slot";
import {} from "./state";

let input: Content = new Content(0, 0);
const written: ByteWriter = new ByteWriter();

export function host_reply_len(): i32 {
  return slot.len;
}

export function host_reply_read(into: usize, into_len: i32): i32 {
  const count = min(into_len, slot.len);
  memory.copy(into, slot.ptr, count);
  return count;
}

export function host_stdin_read(limit_bytes: i32): i32 {
  if (input.len > limit_bytes) return fail(EFBIG);
  reply().bytes(input.ptr, input.len);
  return 0;
}

export function host_log(text: usize, text_len: i32): i32 {
  written.bytes(text, text_len);
  written.byte(10);
  return 0;
}

export function host_confine(
  _folders: usize,
  _folders_len: i32,
  _programs: usize,
  _programs_len: i32,
  _make: i32,
): i32 {
  return 0;
}

export function host_sleep(_duration_ms: i32): i32 {
  return 0;
}

const enum Panic {
  Limit = 1024,
}

/** Length and text of the last words; no global, as the abort of a global's start may need it. */
function last_words(): usize {
  return memory.data(4 + 1024);
}

/** Keeps "message at file:line:col" without allocating, since the heap may be what broke. */
export function host_panic(
  msg: usize,
  msg_len: i32,
  file: usize,
  file_len: i32,
  line: i32,
  col: i32,
): i32 {
  store<i32>(last_words(), 0);
  put(msg, msg_len);
  put_text(" at ");
  put(file, file_len);
  put_text(":");
  put_number(line);
  put_text(":");
  put_number(col);
  return unreachable();
}

function put(ptr: usize, len: i32): void {
  for (let i = 0; i < len; i++) put_byte(load<u8>(ptr + i));
}

function put_byte(byte: i32): void {
  const len = load<i32>(last_words());
  if (len >= Panic.Limit) return;
  store<u8>(last_words() + 4 + len, byte);
  store<i32>(last_words(), len + 1);
}

function put_text(text: string): void {
  for (let i = 0; i < text.length; i++) put_byte(text.charCodeAt(i));
}

function put_number(value: i32): void {
  if (value >= 10) put_number(value / 10);
  put_byte(48 + (value % 10));
}

/** What host_stdin_read is to give. */
export function sim_set_stdin(ptr: usize, len: i32): void {
  input = new Content(copy_of(ptr, len), len);
}

/** Everything logged, into the slot. */
export function sim_log(): void {
  reply().bytes(written.ptr, written.len);
}

/** The last words after a trap; their length is sim_panic_len. */
export function sim_panic_ptr(): usize {
  return last_words() + 4;
}

export function sim_panic_len(): i32 {
  return load<i32>(last_words());
}
