// SPDX-License-Identifier: Apache-2.0
// The changes of one run of install or uninstall: each is undone in reverse when a later one fails.
// It knows nothing of what is installed.
import { closeSync, linkSync, openSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tryFlock } from '../../sys/libc.ts';
import { exists, explain, InstallError, leftovers, sameFile, TEMPORARY_PREFIX } from './files.ts';

/**
 * The changes of one run: each is undone in reverse when a later one fails. Folders are locked
 * while it is open, so whatever temporary files lie there are those of a run that was killed.
 */
export class Journal {
  readonly #before: (change: string) => void;
  readonly #undo: (() => void)[] = [];
  readonly #temporaries: string[] = [];
  readonly #locks: number[] = [];
  #undone = true;

  constructor(before: (change: string) => void = () => {}) {
    this.#before = before;
  }

  /** Locks a folder against other runs and clears what killed ones left. */
  open(dir: string): void {
    const fd = openSync(dir, 'r');
    this.#locks.push(fd);
    if (!tryFlock(fd)) {
      throw new InstallError(`another install or uninstall is at work in ${dir}: run again later`);
    }
    for (const path of leftovers(dir)) unlinkSync(path);
  }

  #temporary(dir: string): string {
    const path = join(dir, `${TEMPORARY_PREFIX}${process.pid}-${this.#temporaries.length}`);
    this.#temporaries.push(path);
    return path;
  }

  /** Puts what `make` makes at `path`; what is there now is kept as `backup` when one is named. */
  place(path: string, make: (temporary: string) => void, backup = ''): void {
    this.#before(`make ${path}`);
    const made = this.#temporary(dirname(path));
    make(made);
    if (exists(path)) {
      const old = backup === '' ? this.#temporary(dirname(path)) : backup;
      this.#before(`keep ${path}`);
      // A second name, not a rename: at no moment is there no plugin of this name.
      linkSync(path, old);
      this.#undo.push(() => {
        renameSync(old, path);
        // Between two names of one file rename does nothing.
        rmSync(old, { force: true });
      });
    } else {
      this.#undo.push(() => rmSync(path, { force: true }));
    }
    this.#before(`place ${path}`);
    renameSync(made, path);
  }

  remove(path: string): void {
    this.#before(`remove ${path}`);
    const old = this.#temporary(dirname(path));
    renameSync(path, old);
    this.#undo.push(() => renameSync(old, path));
  }

  /** Gives `backup` its name back, in place of what has it now. */
  restore(path: string, backup: string): void {
    this.#before(`restore ${path}`);
    if (sameFile(path, backup)) {
      unlinkSync(backup);
      this.#undo.push(() => linkSync(path, backup));
    } else if (exists(path)) {
      const old = this.#temporary(dirname(path));
      linkSync(path, old);
      renameSync(backup, path);
      this.#undo.push(() => {
        linkSync(path, backup);
        renameSync(old, path);
      });
    } else {
      renameSync(backup, path);
      this.#undo.push(() => renameSync(path, backup));
    }
  }

  /** Undoes all, and throws the failure with what could not be undone. */
  fail(failure: unknown): never {
    const lines = [explain(failure)];
    for (const undo of this.#undo.reverse()) {
      try {
        undo();
      } catch (error) {
        this.#undone = false;
        lines.push(`could not be undone: ${explain(error)}`);
      }
    }
    throw new InstallError(lines.join('\n'));
  }

  close(): void {
    // Of what could not be undone a temporary file may be the only copy.
    for (const path of this.#undone ? this.#temporaries : []) {
      try {
        rmSync(path, { force: true });
      } catch {
        // The next run clears it away.
      }
    }
    for (const fd of this.#locks) closeSync(fd);
  }
}

/** Runs the changes of one command under a journal. */
export function journaled(
  before: ((change: string) => void) | undefined,
  run: (journal: Journal) => void,
): void {
  const journal = new Journal(before);
  try {
    run(journal);
  } catch (error) {
    journal.fail(error);
  } finally {
    journal.close();
  }
}
