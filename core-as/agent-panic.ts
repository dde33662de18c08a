// SPDX-License-Identifier: Apache-2.0
// What AssemblyScript's assert, bounds checks and allocator call in agent.wasm, which has no import
// to tell it by (asc --use abort=core-as/agent-panic/agent_panic). It keeps the words for the host.

const WORDS_BYTES: i32 = 1024;
const words: usize = memory.data(WORDS_BYTES);

/** Where the words lie, ended by a NUL byte. */
export function panic_text(): usize {
  return words;
}

/** Keeps message and place, then traps. Works without allocating: the heap may be what broke. */
export function agent_panic(msg: string | null, file: string | null, line: u32, col: u32): void {
  let at = copy(msg, words);
  store<u8>(at, 32);
  at = copy(file, at + 1);
  store<u8>(at, 58);
  at = digits(line, at + 1);
  store<u8>(at, 0);
  unreachable();
}

/** Writes a text; gives the place behind it. */
function copy(value: string | null, to: usize): usize {
  if (!value) return to;
  // 160 UTF-16 units are at most 480 bytes: both and a number fit.
  const units = min(value.length, 160);
  return to + String.UTF8.encodeUnsafe(changetype<usize>(value), units, to, false);
}

function digits(value: u32, to: usize): usize {
  const end = value < 10 ? to : digits(value / 10, to);
  store<u8>(end, 48 + (value % 10));
  return end + 1;
}
