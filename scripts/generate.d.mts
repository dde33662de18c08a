// SPDX-License-Identifier: Apache-2.0
export function generated(): Record<string, string>;
