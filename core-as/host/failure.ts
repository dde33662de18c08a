// SPDX-License-Identifier: Apache-2.0
// What the last failed host operation said. Written by the wrappers beside this file only.
import { reply_text } from "./reply";

/** POSIX errno of the last failure. */
export let failure_errno: i32 = 0;
/** The kernel's own words about it, maybe none. */
export let failure_text: string = "";

/** Notes a failure and passes it on: `return checked(kernel_link_del(…))`. */
export function checked(code: i32): i32 {
  if (code < 0) {
    failure_errno = -code;
    failure_text = reply_text();
  }
  return code;
}

/** Notes a failure that is none of the host's: its answer cannot be used. */
export function fail(errno: i32, text: string): void {
  failure_errno = errno;
  failure_text = text;
}
