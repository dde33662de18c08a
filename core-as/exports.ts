// SPDX-License-Identifier: Apache-2.0
// What the modules of the core export alike, as host-node/abi/ and docs/host-abi.md describe it.
// It owns the way bytes come in and go out; dispatch.ts owns what happens between.

import { utf8_decode } from "./lib/utf8";
import { Answer, dispatch } from "./plugin/dispatch";
import { Environment } from "./spec/environment";
import "./panic";
import "./registry";

/** Its name is the version of the host ABI. */
export function fairlead_abi_1(): void {}

let result: ArrayBuffer = new ArrayBuffer(0);

/** Memory for the host to write into before `run`. */
export function alloc(len: i32): usize {
  return heap.alloc(len);
}

/** Keeps an answer for the host; gives the exit code. */
export function keep(answer: Answer): i32 {
  result = String.UTF8.encode(answer.text);
  return i32(answer.failed);
}

/** Serves one command; gives the exit code. The instance is spent afterwards. */
export function run(type: usize, type_len: i32, env: usize, env_len: i32): i32 {
  return keep(dispatch(utf8_decode(type, type_len), new Environment(env, env_len)));
}

export function result_ptr(): usize {
  return changetype<usize>(result);
}

export function result_len(): i32 {
  return result.byteLength;
}
