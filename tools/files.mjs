// SPDX-License-Identifier: Apache-2.0
// Files named by a list: a path, or a folder by a slash at its end for all that lies in it; after
// "!" for what is left out. It reads folders, and no file.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const names = (entry, path) => (entry.endsWith('/') ? path.startsWith(entry) : path === entry);

/** Whether a list names a path, both from the root. */
export function isListed(list, path) {
  const left_out = list.some((entry) => entry.startsWith('!') && names(entry.slice(1), path));
  return !left_out && list.some((entry) => names(entry, path));
}

function filesIn(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}${entry.name}`;
    return entry.isDirectory() ? filesIn(root, `${path}/`) : [path];
  });
}

/** The files that a list names, in order; also single files that are not there. */
export function listed(root, list) {
  const wanted = list.filter((entry) => !entry.startsWith('!'));
  const found = wanted.flatMap((entry) => (entry.endsWith('/') ? filesIn(root, entry) : [entry]));
  return [...new Set(found)].filter((path) => isListed(list, path)).sort();
}
