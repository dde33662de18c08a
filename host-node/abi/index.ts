// SPDX-License-Identifier: Apache-2.0
// The host ABI: every power the core may ask of its host, as data, and everything that two hosts
// must do alike. This folder is the only source: the files named *.gen.* and docs/host-abi.md are
// made from it (`npm run generate`), and the types of a driver are derived from it.
// It refuses to know anything of CNI: an operation is a kernel or file primitive.
//
// Neutral on purpose, so that C, Go, Rust and a browser can host the same core.wasm. A request is
// flat arguments: i32, or `str`/`bytes` as pointer + length into the core's memory. An operation
// returns i32: >= 0 is its value, < 0 is -errno (POSIX numbers). A reply that varies in size lies
// in one reply slot, fetched with host.reply_len and host.reply_read; after a failure the slot
// holds the kernel's own words (UTF-8 text, may be empty). The host never calls the core back
// meanwhile.
export { type Driver, type DriverOf, type KernelPart, OsError } from './driver.ts';
export { limits } from './limits.ts';
export { isWide, type Operation, type ParamType } from './row.ts';
export type * from './shapes.ts';
export { DRIVER_OPERATIONS, OPERATIONS } from './table.ts';

/**
 * The name of the core's marker export; a changed meaning is a new number, a new operation is not.
 */
export const ABI_MARKER = 'fairlead_abi_1';
