// SPDX-License-Identifier: Apache-2.0
// What install placed on a node, in a file beside it: uninstall takes away just that, and what was
// there before is known. A manifest that cannot be understood ends both.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DIRECTORY_MARK, exists, InstallError } from './files.ts';

export const MANIFEST = '.fairlead-install.json';
const MANIFEST_FORMAT = 1;

const KINDS = ['binary', 'link', 'manual', 'conflist'] as const;
export type Kind = (typeof KINDS)[number];

/** A file that install placed, as the manifest has it. */
export interface Placed {
  readonly kind: Kind;
  /** Empty for the folder of the manifest, so that the folder may be mounted elsewhere. */
  readonly dir: string;
  readonly name: string;
  /** The marks by which it is known as ours; two only while one takes the place of the other. */
  readonly is: readonly string[];
  /** Whether the file that was there before is kept beside it. */
  readonly backup: boolean;
}

export interface Manifest {
  readonly format: typeof MANIFEST_FORMAT;
  readonly version: string;
  readonly files: readonly Placed[];
}

function isPlaced(value: unknown): value is Placed {
  const { kind, dir, name, is, backup } = value as Record<keyof Placed, unknown>;
  return (
    KINDS.some((one) => one === kind) &&
    typeof dir === 'string' &&
    (dir === '' || dir.startsWith('/')) &&
    typeof name === 'string' &&
    // Names become paths of files that root removes.
    basename(name) === name &&
    !['', '.', '..'].includes(name) &&
    Array.isArray(is) &&
    is.every((mark) => typeof mark === 'string' && mark !== '' && mark !== DIRECTORY_MARK) &&
    typeof backup === 'boolean'
  );
}

/** What earlier runs placed; undefined when there was none. */
export function readManifest(bin_dir: string): Manifest | undefined {
  const path = join(bin_dir, MANIFEST);
  if (!exists(path)) return undefined;
  try {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
    if (manifest.format === MANIFEST_FORMAT && manifest.files.every(isPlaced)) return manifest;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new InstallError(
    `${path} is damaged or of a newer version: run that version, or remove the file and what ` +
      'was installed by hand',
  );
}

const key = ({ kind, dir, name }: Placed): string => `${kind} ${dir} ${name}`;

/** The manifest with these files in place of those of the same name. */
export function manifestWith(
  old: Manifest | undefined,
  version: string,
  placed: readonly Placed[],
): string {
  const files = new Map((old?.files ?? []).map((file) => [key(file), file]));
  for (const file of placed) files.set(key(file), file);
  const manifest: Manifest = { format: MANIFEST_FORMAT, version, files: [...files.values()] };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
