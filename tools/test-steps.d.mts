// SPDX-License-Identifier: Apache-2.0
/** See test-steps.mjs. */
export const TRIED: readonly string[];
export function stepsOf(path: string): readonly string[];
export function stepsFor(root: string, words: readonly string[]): string[];
