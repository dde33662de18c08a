// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// What every host holds to.

/** store.file_list gives the content of files up to this length. */
export const LISTED_MAX_BYTES: i32 = 65536;

/** Of folders that a host makes. */
export const DIR_MODE: i32 = 493;

/** Of lock files, as host-local's own. */
export const LOCK_MODE: i32 = 488;

/** Of other files that a host makes. */
export const FILE_MODE: i32 = 384;

/** A program may say as much on either output; more is EFBIG. */
export const OUTPUT_MAX_BYTES: i32 = 1048576;

/** So often a program is tried that cannot be executed because it is being written (ETXTBSY). */
export const BUSY_TRIES: i32 = 20;

/** Between these tries, in ms. */
export const BUSY_PAUSE_MS: i32 = 50;

/** So often a list of the kernel is read that changed meanwhile; then it is EINTR. */
export const DUMP_TRIES: i32 = 5;

/** Of the form of recordings (docs/recording.md). */
export const RECORDING_VERSION: i32 = 1;

/** Of the operations of one call a recording has no more than this. */
export const RECORDING_MAX_BYTES: i32 = 16777216;

/** All recordings of a ring together; each of its calls has an equal part. */
export const RING_MAX_BYTES: i32 = 67108864;

/** A ring keeps no more calls. */
export const RING_MAX_CALLS: i32 = 1000;
