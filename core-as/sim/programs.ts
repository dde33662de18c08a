// SPDX-License-Identifier: Apache-2.0
// The module `plugin` in memory: executables that always say the same. What they are asked is not
// kept.
import { ENOENT } from "../lib/errno";
import { write_ended } from "./replies.gen";
import { fail, refusal, reply, text_of } from "./slot";
import { state } from "./state";

export function plugin_exec(
  path: usize,
  path_len: i32,
  _env: usize,
  _env_len: i32,
  _stdin: usize,
  _stdin_len: i32,
  _timeout_ms: i32,
): i32 {
  const name = text_of(path, path_len);
  if (name == null) return refusal;
  if (!state.programs.has(name)) return fail(ENOENT);
  const program = state.programs.get(name);
  write_ended(reply(), {
    exit_code: program.exit_code,
    signal: "",
    stdout: program.stdout,
    stderr: "",
  });
  return 0;
}
