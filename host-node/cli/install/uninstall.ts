// SPDX-License-Identifier: Apache-2.0
// Takes away just what install put in place, and gives what was kept its name back. It refuses to
// touch a file that was changed since, and to remove any folder.
import { basename, join } from 'node:path';
import { exists, leftovers, markOf, sameFile, syncDir } from './files.ts';
import { BACKUP_SUFFIX } from './install.ts';
import { journaled } from './journal.ts';
import { type Kind, MANIFEST, type Placed, readManifest } from './manifest.ts';
import type { Action, Item, Report } from './report.ts';

export interface UninstallOptions {
  /** For tests: called before each change; what it throws is a failure of that change. */
  readonly before?: (change: string) => void;
  readonly bin_dir: string;
  /** The conflist's folder, when not the recorded one. */
  readonly conf_dir?: string | undefined;
  readonly dry_run?: boolean;
}

/** What uninstall does with one file of the manifest. */
function planRemoval(file: Placed, path: string): Item {
  const backup = path + BACKUP_SUFFIX;
  const kept = file.backup && exists(backup);
  const found = markOf(path);
  const item = (action: Action, note = ''): Item => ({ action, path, note });
  if (found === '') return kept ? item('restored') : item('gone', 'was not there any more');
  if (kept && sameFile(path, backup)) return item('restored');
  if (!file.is.includes(found)) {
    const rest = kept ? `; the file before is still ${basename(backup)}` : '';
    return item('kept', `changed since it was installed: left alone${rest}`);
  }
  if (kept) return item('restored');
  return item('removed', file.backup ? `${basename(backup)} is gone: nothing to put back` : '');
}

const REMOVAL_ORDER: readonly Kind[] = ['conflist', 'manual', 'link', 'binary'];

/** Uninstalls; throws InstallError, with everything as it was. Nothing installed is a success. */
export function uninstall(options: UninstallOptions): Report {
  const { bin_dir, dry_run = false } = options;
  const report = (items: Item[]): Report => {
    return { command: 'uninstall', dry_run, changed: items.length > 0, bin_dir, items };
  };
  const dirOf = ({ dir, kind }: Placed) =>
    (kind === 'conflist' ? options.conf_dir : undefined) ?? (dir || bin_dir);
  const planned = (): Item[] => {
    const files = readManifest(bin_dir)?.files ?? [];
    return REMOVAL_ORDER.flatMap((kind) => files.filter((file) => file.kind === kind)).map((file) =>
      planRemoval(file, join(dirOf(file), file.name)),
    );
  };
  const nothing = () => !exists(join(bin_dir, MANIFEST)) && leftovers(bin_dir).length === 0;
  if (dry_run || !exists(bin_dir) || nothing()) return report(planned());
  let items: Item[] = [];
  journaled(options.before, (journal) => {
    const dirs = (readManifest(bin_dir)?.files ?? []).map(dirOf).filter(exists);
    for (const dir of new Set([bin_dir, ...dirs])) journal.open(dir);
    items = planned();
    for (const { action, path } of items) {
      if (action === 'removed') journal.remove(path);
      if (action === 'restored') journal.restore(path, path + BACKUP_SUFFIX);
    }
    // Last of all: should this run be killed, the next one knows what is left to do.
    if (exists(join(bin_dir, MANIFEST))) journal.remove(join(bin_dir, MANIFEST));
    for (const dir of new Set([bin_dir, ...dirs])) syncDir(dir);
  });
  return report(items);
}
