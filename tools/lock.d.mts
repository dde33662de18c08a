// SPDX-License-Identifier: Apache-2.0
/** See lock.mjs. */
export function withLock<T>(
  path: string,
  waiting: () => void,
  body: () => T | Promise<T>,
): Promise<T>;
