// Typed face of the plugin operation of host-node/abi.ts, with the same error convention as
// kernel.ts. It decides nothing.
import { ByteWriter, Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import { plugin_exec } from "./imports";
import { reply_json } from "./reply";

/** How a program ended and what it said. */
export class Ended {
  /** -1 after a signal. */
  exit_code: i32 = 0;
  signal: string = "";
  stdout: string = "";
  stderr: string = "";
}

/** Runs a program to its end; null when it could not be started or did not end in time. */
export function exec(path: string, env: ByteWriter, stdin: string, timeout_ms: i32): Ended | null {
  const name = new Utf8(path);
  const input = new Utf8(stdin);
  const code = plugin_exec(name.ptr, name.len, env.ptr, env.len, input.ptr, input.len, timeout_ms);
  if (checked(code) < 0) return null;
  const reply = reply_json();
  const ended = new Ended();
  const exit_code = reply.get("exit_code");
  if (exit_code) ended.exit_code = <i32>exit_code.integer();
  const signal = reply.get("signal");
  if (signal) ended.signal = signal.text;
  const stdout = reply.get("stdout");
  if (stdout) ended.stdout = stdout.text;
  const stderr = reply.get("stderr");
  if (stderr) ended.stderr = stderr.text;
  return ended;
}
