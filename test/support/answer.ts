// SPDX-License-Identifier: Apache-2.0
// The form of a plugin's answer, by the spec and docs/plugins.md. It knows no command.

/** A property that does not hold; the message says which. */
export class Violation extends Error {}

/** docs/plugins.md, Errors. 999 is not among them: it is a bug. */
export const KNOWN_CODES: readonly number[] = [1, 4, 5, 6, 7, 8, 11, 50, 100, 101, 102, 103, 104];

/** The code of an answer, 0 for success. Throws unless its form goes with its exit code. */
export function codeOf(
  answer: { readonly exit_code: number; readonly stdout: string },
  known: (code: number) => boolean = (code) => KNOWN_CODES.includes(code),
): number {
  if (answer.exit_code === 0) return 0;
  let error: { code?: unknown; msg?: unknown; cniVersion?: unknown };
  try {
    error = JSON.parse(answer.stdout);
  } catch {
    throw new Violation(`exit code ${answer.exit_code} and no CNI error: ${answer.stdout}`);
  }
  const { code, msg, cniVersion } = error;
  if (answer.exit_code !== 1 || !known(Number(code))) {
    throw new Violation(`exit code ${answer.exit_code} and code ${code}: ${answer.stdout}`);
  }
  if (typeof msg !== 'string' || msg === '' || typeof cniVersion !== 'string') {
    throw new Violation(`an error that says nothing: ${answer.stdout}`);
  }
  return Number(code);
}
