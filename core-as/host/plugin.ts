// SPDX-License-Identifier: Apache-2.0
// The plugin operations of host-node/abi/, with the same error convention as kernel.ts. It decides
// nothing.
import { ByteWriter, Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import { plugin_exec, plugin_socket_call } from "./imports.gen";
import { Bytes, reply_bytes, reply_json } from "./reply";
import { Ended, ended_of } from "./shapes.gen";

export { Ended } from "./shapes.gen";

/** Runs a program to its end; null when it could not be started or did not end in time. */
export function exec(path: string, env: ByteWriter, stdin: string, timeout_ms: i32): Ended | null {
  const name = new Utf8(path);
  const input = new Utf8(stdin);
  const code = plugin_exec(name.ptr, name.len, env.ptr, env.len, input.ptr, input.len, timeout_ms);
  return checked(code) < 0 ? null : ended_of(reply_json());
}

/** Calls a process on its socket; null when that fails. An empty opening only looks for it. */
export function socket_call(
  path: string,
  opening: string,
  request: ByteWriter,
  timeout_ms: i32,
): Bytes | null {
  const name = new Utf8(path);
  const first = new Utf8(opening);
  const code = plugin_socket_call(
    name.ptr,
    name.len,
    first.ptr,
    first.len,
    request.ptr,
    request.len,
    timeout_ms,
  );
  return checked(code) < 0 ? null : reply_bytes();
}
