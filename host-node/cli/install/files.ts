// SPDX-License-Identifier: Apache-2.0
// Files of a node as install and uninstall handle them: what lies there, told by a mark; new ones
// that are on the disk when they are named; failures in words that say what to do. It knows no
// plan.
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export const BINARY_MODE = 0o755;
export const FILE_MODE = 0o644;
const COPY_CHUNK_BYTES = 1 << 20;
export const TEMPORARY_PREFIX = '.fairlead-tmp-';
/** The mark of a folder. */
export const DIRECTORY_MARK = 'directory';

/** A failure that the user can do something about; the text says what. */
export class InstallError extends Error {}

/** Passes the bytes of a file, in order. */
function readChunks(path: string, each: (bytes: Uint8Array) => void): void {
  const buffer = Buffer.allocUnsafe(COPY_CHUNK_BYTES);
  const fd = openSync(path, 'r');
  try {
    for (;;) {
      const count = readSync(fd, buffer, 0, buffer.length, null);
      if (count === 0) return;
      each(buffer.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
}

/** The hash is loaded here and not above: the import would cost every call of a plugin. */
function sha256() {
  return process.getBuiltinModule('node:crypto').createHash('sha256');
}

export function markOfBytes(bytes: Uint8Array): string {
  return `sha256:${sha256().update(bytes).digest('hex')}`;
}

/** What lies at a path, in words that are equal for equal content; "" for nothing. */
export function markOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return '';
  if (stat.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  if (stat.isDirectory()) return DIRECTORY_MARK;
  if (!stat.isFile()) return 'special file';
  const hash = sha256();
  readChunks(path, (bytes) => hash.update(bytes));
  return `sha256:${hash.digest('hex')}`;
}

export function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

export function sameFile(a: string, b: string): boolean {
  const one = lstatSync(a, { throwIfNoEntry: false });
  const other = lstatSync(b, { throwIfNoEntry: false });
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

/** Writes what `fill` gives to a new file that is on the disk when this returns. */
export function writeFile(
  path: string,
  mode: number,
  fill: (put: (bytes: Uint8Array) => void) => void,
) {
  const fd = openSync(path, 'wx', mode);
  try {
    fill((bytes) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    });
    // The mode of open is less the umask.
    fchmodSync(fd, mode);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function copyExecutable(source: string, target: string, mark: string): void {
  const hash = sha256();
  writeFile(target, BINARY_MODE, (put) =>
    readChunks(source, (bytes) => {
      hash.update(bytes);
      put(bytes);
    }),
  );
  if (`sha256:${hash.digest('hex')}` !== mark) {
    throw new InstallError(`${source} changed while it was copied: run again`);
  }
}

/** Puts the names of a folder on the disk: a conflist must not outlive the plugins it names. */
export function syncDir(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some network file systems know no fsync of a folder, and write names at once.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}

/** Temporary files in a folder: those of a run that was killed, or of one at work. */
export function leftovers(dir: string): string[] {
  const names = readdirSync(dir).filter((name) => name.startsWith(TEMPORARY_PREFIX));
  return names.map((name) => join(dir, name));
}

/** The text of a failure, with what to do about it. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  const where = dest ?? path ?? 'the files';
  if (code === 'EACCES' || code === 'EPERM') {
    return `no permission for ${where}: run as root, or choose another folder`;
  }
  if (code === 'ENOENT') return `${path ?? where} does not exist: check the path`;
  if (code === 'EROFS') return `${where} is on a read-only file system: choose another folder`;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return `no space left for ${where}: free some and run again`;
  }
  return error.message;
}
