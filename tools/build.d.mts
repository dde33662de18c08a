// SPDX-License-Identifier: Apache-2.0
/** See build.mjs. */
export function build(
  names?: readonly string[],
  options?: {
    readonly root?: string;
    readonly steps?: Readonly<Record<string, object>>;
    readonly out?: { readonly isTTY?: boolean; write(text: string): unknown };
  },
): Promise<void>;
/** Why a step of tools/build-steps.mjs cannot be built on this machine; "" when it can. */
export function lacking(step: object): string;
