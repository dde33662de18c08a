// SPDX-License-Identifier: Apache-2.0
/** See native.mjs. */
export function buildTestProgram(
  name: string,
  files: readonly string[],
  texts: Readonly<Record<string, string>>,
  options?: {
    readonly wanted?: (file: string) => boolean;
    readonly link?: readonly string[];
    readonly sanitized?: boolean;
  },
): Promise<string>;
