// SPDX-License-Identifier: Apache-2.0
// The reply slot of the host ABI, read into the core's own memory.
// It owns nothing of what replies mean: the shapes of host-node/abi/ do.
import { JsonValue, json_parse, Kind } from "../lib/json";
import { utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { host_reply_len, host_reply_read } from "./imports.gen";

/** Bytes of a reply. */
export class Bytes {
  constructor(
    public ptr: usize,
    public len: i32,
  ) {}
}

/** The reply slot's bytes. */
export function reply_bytes(): Bytes {
  const len = host_reply_len();
  const ptr = heap.alloc(max(len, 1));
  const copied = host_reply_read(ptr, len);
  return new Bytes(ptr, copied < 0 ? 0 : copied);
}

/** The reply slot as text; empty when it is not UTF-8. */
export function reply_text(): string {
  const bytes = reply_bytes();
  return utf8_invalid_at(bytes.ptr, bytes.len) < 0 ? utf8_decode(bytes.ptr, bytes.len) : "";
}

/** The reply slot as JSON; a host that replies with anything else is broken. */
export function reply_json(): JsonValue {
  const bytes = reply_bytes();
  const parsed = json_parse(bytes.ptr, bytes.len);
  assert(!parsed.failed, "the host's reply is not JSON");
  return parsed.value;
}

/** The reply slot as a list of numbers of 32 bits. */
export function reply_numbers(): i32[] {
  const reply = reply_json();
  const numbers = new Array<i32>();
  for (let i = 0; i < reply.items.length; i++) numbers.push(<i32>reply.items[i].integer());
  return numbers;
}

/** A list of texts. */
export function texts_of(list: JsonValue): string[] {
  const texts = new Array<string>();
  for (let i = 0; i < list.items.length; i++) texts.push(list.items[i].text);
  return texts;
}

/** A member that is a number of up to 18 digits. */
export function wide_at(from: JsonValue, key: string): i64 {
  const member = from.get(key);
  return member && member.isInteger() ? member.integer() : 0;
}

/** A member that is a number of 32 bits. */
export function int_at(from: JsonValue, key: string): i32 {
  const member = from.get(key);
  return member && member.kind == Kind.Number ? <i32>member.integer() : 0;
}

/** A member that is a list. */
export function list_at(from: JsonValue, key: string): JsonValue {
  const member = from.get(key);
  return member ? member : new JsonValue(Kind.Array);
}

export function bool_at(from: JsonValue, key: string): bool {
  const member = from.get(key);
  return member ? member.bool : false;
}

/** A member that is a text or null. */
export function text_or_null(from: JsonValue, key: string): string | null {
  const member = from.get(key);
  return member && member.kind == Kind.String ? member.text : null;
}
