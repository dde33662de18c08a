// SPDX-License-Identifier: Apache-2.0
// Types of release.mjs, for tests.

/** Writes a release into a folder, which it empties; the paths of its files. */
export function makeRelease(
  out: string,
  env?: Readonly<Record<string, string | undefined>>,
): string[];
/** Files below a folder of a clone that a release has; `tell` hears that git does not say which. */
export function sources(folder: string, root?: string, tell?: (line: string) => unknown): string[];
