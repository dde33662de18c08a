// SPDX-License-Identifier: Apache-2.0
// What a snapshot cannot say: what is left out is noted, and what may not be looked at ends it.
import type { OsError } from '../abi/index.ts';

const [EPERM, EACCES] = [1, 13];

/** Why there is no snapshot; the text says what to do. */
export class SnapshotError extends Error {}

/** How a note begins in the text. */
const NOTE = '# ';

/** Whether a path can stand in a line: nothing in it that ends a word or the line. */
export function isWritable(path: string): boolean {
  return !/[\p{Cc}"\uFFFD]|^\s|\s$/u.test(path);
}

/** A failure that must end the snapshot: to leave the thing out would be a lie. */
export function forbidden(what: string, failure: OsError): SnapshotError | undefined {
  if (failure.errno !== EPERM && failure.errno !== EACCES) return undefined;
  const rights = 'a dry run needs the rights of the real one, run it as root';
  return new SnapshotError(`may not ${what}: ${rights}`);
}

/** What is left out, each kind once with its count. */
export class Notes {
  readonly #counts = new Map<string, number>();

  add(note: string): void {
    this.#counts.set(note, (this.#counts.get(note) ?? 0) + 1);
  }

  lines(): string[] {
    return [...this.#counts].map(([note, count]) =>
      count === 1 ? `${NOTE}${note}` : `${NOTE}${note} (${count} times)`,
    );
  }
}

/** What a snapshot left out, for humans. */
export function notesOf(text: string): string[] {
  const lines = text.split('\n');
  return lines.filter((line) => line.startsWith(NOTE)).map((line) => line.slice(NOTE.length));
}
