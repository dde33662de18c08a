// SPDX-License-Identifier: Apache-2.0
// How long to wait before something is tried again: from a second on, doubled each time, with
// chance in it, so that thousands of nodes do not come at one moment. Timers are monotonic: a
// clock that jumps changes nothing. It refuses to know what is tried.
import { setTimeout as wait } from 'node:timers/promises';

const FIRST_MS = 1_000;
const LAST_MS = 30_000;

export class Backoff {
  readonly #first_ms: number;
  #ms: number;

  constructor(first_ms = FIRST_MS) {
    this.#first_ms = first_ms;
    this.#ms = first_ms;
  }

  /** How long to wait now, in milliseconds. */
  next(): number {
    const ms = this.#ms;
    this.#ms = Math.min(ms * 2, LAST_MS);
    return ms / 2 + (Math.random() * ms) / 2;
  }

  reset(): void {
    this.#ms = this.#first_ms;
  }
}

/** Waits; also ends, without an error, when the signal says so. */
export async function sleep(duration_ms: number, signal: AbortSignal): Promise<void> {
  await wait(duration_ms, undefined, { signal }).catch(() => undefined);
}

/** The words of an error, and of what it came from. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const said = error.message || error.name;
  return cause instanceof Error ? `${said}: ${wordsOf(cause)}` : said;
}
