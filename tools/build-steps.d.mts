// SPDX-License-Identifier: Apache-2.0
/** See build-steps.mjs. */
export const STEPS: Readonly<Record<string, { readonly outputs: readonly string[] }>>;
export const ALL: readonly string[];
