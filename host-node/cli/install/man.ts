// SPDX-License-Identifier: Apache-2.0
// Which manual page `fairlead install` places, and where. A release has it beside its programs; a
// build that made none has none. It writes nothing: install.ts does.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InstallError } from './files.ts';

/** Where man(1) looks for what no package brought (FHS 3.0, 4.9). */
export const MAN_DIR = '/usr/local/share/man';
/** The page in a release, beside the program; and the folder of its section below MAN_DIR. */
const PAGE = 'man/fairlead.8';
export const SECTION = 'man8';

export interface ManualAsked {
  /** --man-dir; undefined: MAN_DIR, where it is usual. */
  readonly dir: string | undefined;
  /** --no-man */
  readonly none: boolean;
  /** Whether the programs go where they usually do: a folder of somebody's own has no manual. */
  readonly usual: boolean;
  /** For tests: what stands for MAN_DIR. */
  readonly usual_dir?: string;
}

/** The page and the folder of manuals that it goes to. */
export interface Manual {
  readonly source: string;
  readonly dir: string;
  /** Nobody asked for it: what is in its way is told, and fails nothing. */
  readonly optional: boolean;
}

/** Why a folder takes no page; "" when it does. */
function against(dir: string): string {
  try {
    const section = join(dir, SECTION);
    const there = statSync(section, { throwIfNoEntry: false });
    const wrong = [there, statSync(dir)].some((stat) => stat?.isDirectory() === false);
    if (wrong) return 'it is, or has, a file where a folder belongs';
    const { R_OK, W_OK, X_OK } = constants;
    accessSync(there === undefined ? dir : section, R_OK | W_OK | X_OK);
    return '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/**
 * What is to be placed; a text that says why nothing is, "" where none was to be expected. Throws
 * InstallError where a page was asked for and there is none.
 */
export function manualOf(executable: string, asked: ManualAsked): Manual | string {
  if (asked.none) return '';
  const source = join(dirname(executable), PAGE);
  const is_there = statSync(source, { throwIfNoEntry: false })?.isFile() === true;
  if (asked.dir !== undefined) {
    if (is_there) return { source, dir: resolve(asked.dir), optional: false };
    throw new InstallError(
      `there is no ${PAGE} beside ${executable}, as a release has it: install from one, or ` +
        'without --man-dir',
    );
  }
  const dir = asked.usual_dir ?? MAN_DIR;
  if (!asked.usual || !is_there) return '';
  const why = against(dir);
  if (why === '') return { source, dir, optional: true };
  return `the manual page is not placed: ${dir}: ${why}: --man-dir names another folder`;
}
