// SPDX-License-Identifier: Apache-2.0
// The clock of the simulated kernel. It stands: all that happens falls into one tick of a slow one.

/** In ns since 1970. */
export const CLOCK_NS: i64 = 1_700_000_000_000_000_000;
/** When the machine was started. */
export const BOOT_NS: i64 = CLOCK_NS - 3_600_000_000_000;
