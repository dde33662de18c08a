// SPDX-License-Identifier: Apache-2.0
// The entry of sim.wasm: the operations on the simulated kernel, its text, and the few bytes that
// go in and out. It imports nothing; host-node/drivers/simulated.ts is its other half.
import "./memory";
import "./abort";
import { EINVAL } from "../lib/errno";
import { parse } from "./parse";
import { fail, reply, slot } from "./slot";
import { dump } from "./text";

export { sim_log, sim_panic_len, sim_panic_ptr, sim_set_stdin } from "./host";
export * from "./operations.gen";

/** Room for the arguments of calls. */
export function alloc(len: i32): usize {
  return heap.alloc(max(len, 1));
}

/** Where the reply slot lies; its length is host_reply_len. */
export function sim_reply_ptr(): usize {
  return slot.ptr;
}

/** Replaces the state by that of a text; -EINVAL with the reason in the slot. */
export function sim_load(text: usize, text_len: i32): i32 {
  const problem = parse(text, text_len);
  return problem.length > 0 ? fail(EINVAL, problem) : 0;
}

/** The state's text, into the slot. */
export function sim_dump(): void {
  dump(reply());
}
