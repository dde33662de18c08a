// SPDX-License-Identifier: Apache-2.0
// The reply slot and the arguments of an operation: what crosses the border of the simulated
// kernel. It refuses to know operations.
import { EBADF, EILSEQ, ENODEV } from "../lib/errno";
import { ByteWriter, Utf8, utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { Link, Space, state } from "./state";

/** The last operation's reply, or the words of its failure. */
export const slot: ByteWriter = new ByteWriter();

/** Empties the slot for a reply to be written. */
export function reply(): ByteWriter {
  slot.len = 0;
  return slot;
}

/** A failure: its words into the slot, -errno to the caller. */
export function fail(errno: i32, words: string = ""): i32 {
  reply().text(words);
  return -errno;
}

/** What the last argument that could not be read is to be answered with. */
export let refusal: i32 = 0;

export function refuse(errno: i32, words: string): void {
  refusal = fail(errno, words);
}

/** The same when `fail` has said it. */
export function refused(code: i32): void {
  refusal = code;
}

/** A text argument; null when it is not UTF-8 or has a NUL in it, as in bind.ts of host-node. */
export function text_of(ptr: usize, len: i32): string | null {
  let bad = utf8_invalid_at(ptr, len) >= 0;
  for (let i = 0; i < len && !bad; i++) bad = load<u8>(ptr + i) == 0;
  if (!bad) return utf8_decode(ptr, len);
  refuse(EILSEQ, "a text that is not UTF-8 or has a NUL byte");
  return null;
}

/** The namespace behind a handle. */
export function space_of(handle: i32): Space | null {
  const space = handle >= 0 && handle < state.handles.length ? state.handles[handle] : null;
  if (space) return space;
  refuse(EBADF, `no netns handle ${handle}`);
  return null;
}

export function link_of(space: Space, ifindex: i32, words: string = ""): Link | null {
  const link = space.by_index(ifindex);
  if (!link) refuse(ENODEV, words);
  return link;
}

/** A copy of bytes that lives on. */
export function copy_of(ptr: usize, len: i32): usize {
  const copied = heap.alloc(max(len, 1));
  memory.copy(copied, ptr, len);
  return copied;
}

/** A string's bytes, copied. */
export function bytes_of(text: string): usize {
  const bytes = new Utf8(text);
  return copy_of(bytes.ptr, bytes.len);
}
