// SPDX-License-Identifier: Apache-2.0
// The plugin operation of host-node/abi/, with the same error convention as kernel.ts. It decides
// nothing.
import { ByteWriter, Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import { plugin_exec } from "./imports.gen";
import { reply_json } from "./reply";
import { Ended, ended_of } from "./shapes.gen";

export { Ended } from "./shapes.gen";

/** Runs a program to its end; null when it could not be started or did not end in time. */
export function exec(path: string, env: ByteWriter, stdin: string, timeout_ms: i32): Ended | null {
  const name = new Utf8(path);
  const input = new Utf8(stdin);
  const code = plugin_exec(name.ptr, name.len, env.ptr, env.len, input.ptr, input.len, timeout_ms);
  return checked(code) < 0 ? null : ended_of(reply_json());
}
