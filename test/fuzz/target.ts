// SPDX-License-Identifier: Apache-2.0
// What a fuzz target is: seeds, words for its changes, and a check that one input must pass.

export interface Target {
  /** The folder of its corpus, and its name in counts. */
  readonly name: string;
  readonly seeds: () => readonly Uint8Array[];
  /** What changes may write beside bytes. */
  readonly words: () => readonly string[];
  /** Whether an input goes into calls of plugins, which accept or refuse it. */
  readonly calls: boolean;
  /** Throws a Violation when the input does what no input may do. */
  readonly check: (input: Uint8Array) => void;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
