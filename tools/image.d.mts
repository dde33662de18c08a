// SPDX-License-Identifier: Apache-2.0
// Types of image.mjs, for tests.

/** Writes the image into an OCI archive and gives its path; `tag` is its name there. */
export function makeImage(archive: string, tag: string, time_s: number): string;
