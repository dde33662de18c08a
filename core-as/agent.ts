// SPDX-License-Identifier: Apache-2.0
// dist/agent.wasm: what goes on between calls of plugins. A machine is told what happened, what
// time it is and what it may take for random, and says what is to be done: it has no import, so it
// can do nothing itself. Its memory is freed, as it runs for months. It owns the way bytes come in
// and go out; each machine is a folder.

import { panic_text } from "./agent-panic";
import { dhcp_event } from "./dhcp/machine";
import { overlay_event } from "./overlay/machine";

/** What the host writes an event into; one for all, as events come one after another. */
let request: ArrayBuffer = new ArrayBuffer(0);
let reply: ArrayBuffer = new ArrayBuffer(0);

/** More than events commonly have is given back. */
const KEPT_BYTES: i32 = 65536;

/** Memory for an event of so many bytes. It holds until the next call of anything. */
export function input(len: i32): usize {
  if (len > request.byteLength || request.byteLength > KEPT_BYTES) request = new ArrayBuffer(len);
  return changetype<usize>(request);
}

/** One event of the DHCP client (dhcp/machine.ts), in JSON; its actions are the output. */
export function dhcp(len: i32): void {
  reply = String.UTF8.encode(dhcp_event(changetype<usize>(request), len));
}

/** One event of the overlay (overlay/machine.ts), in JSON; what is to change is the output. */
export function overlay(len: i32): void {
  reply = String.UTF8.encode(overlay_event(changetype<usize>(request), len));
}

/** Where the output of the last event lies, until the next call of anything. */
export function output_ptr(): usize {
  return changetype<usize>(reply);
}

export function output_len(): i32 {
  return reply.byteLength;
}

/** The last words of a machine that trapped: UTF-8, ended by a NUL byte. */
export function panic_ptr(): usize {
  return panic_text();
}
