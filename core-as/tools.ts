// SPDX-License-Identifier: Apache-2.0
// dist/tools.wasm: what core.wasm does, and the tasks of the command line: the runtime's verbs,
// validating, fusing.
import { keep } from "./exports";
import { utf8_decode } from "./lib/utf8";
import { perform_task } from "./tasks/tasks";

export { alloc, fairlead_abi_1, result_len, result_ptr, run } from "./exports";

/** Performs one task of the command line (tasks.ts), whose request is JSON; as run. */
export function task(name: usize, name_len: i32, request: usize, request_len: i32): i32 {
  return keep(perform_task(utf8_decode(name, name_len), request, request_len));
}
