// SPDX-License-Identifier: Apache-2.0
// What AssemblyScript's assert, bounds checks and allocator call in sim.wasm, which has no host to
// tell (asc --use abort=core-as/sim/abort/sim_abort).
import { host_panic } from "./host";

export function sim_abort(message: string | null, file: string | null, line: u32, col: u32): void {
  const text = memory.data(1024);
  const place = text + 512;
  host_panic(text, copy(message, text), place, copy(file, place), line, col);
}

function copy(value: string | null, to: usize): i32 {
  if (!value) return 0;
  // 160 UTF-16 units are at most 480 bytes: each half of the scratch holds 512.
  const units = min(value.length, 160);
  return <i32>String.UTF8.encodeUnsafe(changetype<usize>(value), units, to, false);
}
