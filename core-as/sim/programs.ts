// The module `plugin` in memory: executables that always say the same. What they are asked is not
// kept.
import { ENOENT } from "../lib/errno";
import { json_write_string } from "../lib/json";
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
  const out = reply();
  out.text(`{"exit_code":${program.exit_code},"signal":"","stdout":`);
  json_write_string(out, program.stdout);
  out.text(',"stderr":""}');
  return 0;
}
