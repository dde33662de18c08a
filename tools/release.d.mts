// SPDX-License-Identifier: Apache-2.0
// Types of release.mjs, for tests.

/** Writes a release into a folder, which it empties; the paths of its files. */
export function makeRelease(
  out: string,
  env?: Readonly<Record<string, string | undefined>>,
): string[];
