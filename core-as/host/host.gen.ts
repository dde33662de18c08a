// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// Typed faces of operations of the module host. One gives >= 0 or what is named, or
// else -errno or null, with the details noted in failure.ts.
import { Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import { host_confine, host_sleep, host_stdin_read } from "./imports.gen";
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

/**
 * Says how far the call reaches, before it changes anything but its locks: it writes below these
 * folders, a line each, and executes these programs, a line each: a name is that of a file in a
 * folder of CNI_PATH, all else a path, of a socket to call too. The folder / is all of them. With
 * `make` those that are missing are made. A host may hold the call to it, or do nothing; that of a
 * second call in one process may count for nothing.
 */
export function confine(folders: string, programs: string, make: bool): i32 {
  const folders_utf8 = new Utf8(folders);
  const programs_utf8 = new Utf8(programs);
  const code = host_confine(
    folders_utf8.ptr,
    folders_utf8.len,
    programs_utf8.ptr,
    programs_utf8.len,
    make,
  );
  return checked(code);
}
