// SPDX-License-Identifier: Apache-2.0
// What install and uninstall did or would do, in lines for a person.

export type Action =
  | 'created'
  | 'placed'
  | 'replaced'
  | 'unchanged'
  | 'kept'
  | 'removed'
  | 'restored'
  | 'gone';

export interface Item {
  readonly action: Action;
  readonly path: string;
  readonly note: string;
}

export interface Report {
  readonly command: 'install' | 'uninstall';
  readonly dry_run: boolean;
  readonly changed: boolean;
  readonly bin_dir: string;
  readonly items: readonly Item[];
}

const COLUMN = Math.max(...['unchanged', 'restored'].map((word) => word.length));

/** The lines for a terminal. */
export function formatReport(report: Report, version: string): string {
  const { command, dry_run, changed, bin_dir, items } = report;
  const lines = items.map(
    ({ action, path, note }) => `${action.padEnd(COLUMN)} ${path}${note && ` (${note})`}`,
  );
  if (dry_run) lines.unshift('dry run, nothing is changed; a real run would say:');
  const nothing = command === 'install' ? 'nothing to change in' : 'nothing is installed in';
  const done = command === 'install' ? `installed ${version} in` : 'uninstalled from';
  if (!dry_run || !changed) lines.push(`${changed ? done : nothing} ${bin_dir}`);
  return `${lines.join('\n')}\n`;
}
