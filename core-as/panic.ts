// SPDX-License-Identifier: Apache-2.0
// What AssemblyScript's assert, bounds checks and allocator call instead of env.abort
// (asc --use abort=core-as/panic/panic). It owns the last words of a broken core, nothing else.
import { host_panic } from "./host/imports.gen";

/**
 * Hands message and place to the host, then traps. Works without allocating: the heap may be what
 * broke.
 */
export function panic(message: string | null, file: string | null, line: u32, col: u32): void {
  const text = memory.data(1024);
  const place = text + 512;
  const text_len = copy(message, text);
  const place_len = copy(file, place);
  host_panic(text, text_len, place, place_len, line, col);
  unreachable();
}

function copy(value: string | null, to: usize): i32 {
  if (!value) return 0;
  // 160 UTF-16 units are at most 480 bytes: each half of the scratch holds 512.
  const units = min(value.length, 160);
  return <i32>String.UTF8.encodeUnsafe(changetype<usize>(value), units, to, false);
}
