// The reply slot of the host ABI, read into the core's own memory.
// It owns nothing of what replies mean: kernel.ts and store.ts do.
import { JsonValue, json_parse } from "../lib/json";
import { utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { host_reply_len, host_reply_read } from "./imports";

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
