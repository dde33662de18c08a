// SPDX-License-Identifier: Apache-2.0
// What the core says of its decisions (core-as/spec/why.ts), as lines of its log. It only reads
// them; telling them is story.ts.

/** A decision: what it is about, what it was, and why. */
export interface Why {
  readonly what: string;
  readonly is: string;
  readonly because: string;
}

const START = '{"why":';

/** The decision that a line of the log says; undefined for any other line. */
export function whyOf(line: string): Why | undefined {
  return line.startsWith(START) ? (JSON.parse(line) as { readonly why: Why }).why : undefined;
}
