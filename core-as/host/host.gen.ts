// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// Typed faces of operations of the module host. One gives >= 0 or what is named, or
// else -errno or null, with the details noted in failure.ts.
import { checked } from "./failure";
import { host_sleep, host_stdin_read } from "./imports.gen";
import { Bytes, reply_bytes } from "./reply";

/**
 * Reads standard input to its end; EFBIG when there is more than the limit. Gives: everything on
 * standard input.
 */
export function stdin_read(limit_bytes: i32): Bytes | null {
  const code = host_stdin_read(limit_bytes);
  return checked(code) < 0 ? null : reply_bytes();
}

/** Waits, for the bounded polls of a link or an address becoming ready. */
export function sleep(duration_ms: i32): i32 {
  const code = host_sleep(duration_ms);
  return checked(code);
}
