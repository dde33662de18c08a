// SPDX-License-Identifier: Apache-2.0
// The DHCP client of many leases, without a socket or a clock: an event in, actions out.
import { json_parse } from "../lib/json";

/** Takes an event in JSON; gives the actions. */
export function dhcp_event(ptr: usize, len: i32): string {
  const event = json_parse(ptr, len);
  return event.failed ? `{"log":["an event that is no JSON: ${event.problem}"]}` : `{}`;
}
