// SPDX-License-Identifier: Apache-2.0
// The store operations of the host ABI on real files: the lock that host-local takes, files that
// appear whole or not at all. It refuses relative paths and "..", never follows a lease's content
// and never waits for a fifo. It does not sync to disk: what it stores describes kernel state that
// a power cut ends too.

import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { type DriverOf, limits, OsError } from '../abi/index.ts';
import {
  EBADF,
  EEXIST,
  EFBIG,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOSYS,
  ETIMEDOUT,
  OPEN_TO_READ,
  osError,
  setMtime,
  tryFlock,
} from '../sys/libc.ts';

/** The operations of the module `store`. */
export type StoreDriver = DriverOf<'store'>;
type Args<K extends keyof StoreDriver> = Parameters<StoreDriver[K]>[0];

export interface FileOptions {
  /** A folder put before every path; empty for the machine's own. */
  readonly root?: string;
}

/** Every name this driver makes up starts so; no lease does. */
export const TEMPORARY_PREFIX = '.fairlead-';
const { DIR_MODE, LOCK_MODE, FILE_MODE, LISTED_MAX_BYTES } = limits;
/** Never another file by a symbolic link, never waits for a fifo's reader. */
const OPEN_IN_PLACE =
  constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;
const FIRST_READ_BYTES = 4096;
const SECOND_NS = 1_000_000_000n;

/** The path below the root; EINVAL unless it is absolute and says plainly where it leads. */
function resolve(root: string, path: string): string {
  if (!path.startsWith('/') || path.includes('\0') || path.split('/').includes('..')) {
    throw new OsError(EINVAL, `not an absolute path without "..": ${JSON.stringify(path)}`);
  }
  return root + path;
}

/** Monotonic; `performance` would be loaded for it. */
function now_ms(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

function pause(duration_ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
}

/** "process 42 (portmap)" for the holder of a flock on a file, by proc_locks(5); "" if unknown. */
function holderOf(fd: number): string {
  try {
    const inode = String(fstatSync(fd).ino);
    for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
      // 1: FLOCK  ADVISORY  WRITE 42 fe:00:1234 0 EOF; those that wait have an arrow for FLOCK.
      const [, kind, , , pid, file] = line.trim().split(/\s+/);
      if (kind !== 'FLOCK' || file?.split(':')[2] !== inode || !(Number(pid) > 0)) continue;
      try {
        return `process ${pid} (${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()})`;
      } catch {
        return `process ${pid}`;
      }
    }
  } catch {
    // A text for a human: without /proc there is none.
  }
  return '';
}

/** Opens the lock file, with its folder when that may be made. */
function openLock(dir: string, create: boolean): number {
  // NONBLOCK: a fifo of that name must not hold us.
  const flags = constants.O_CREAT | OPEN_TO_READ;
  try {
    return openSync(`${dir}/lock`, flags, LOCK_MODE);
  } catch (error) {
    if (!create || osError(error).errno !== ENOENT) throw error;
  }
  mkdirSync(dir, { recursive: true, mode: DIR_MODE });
  return openSync(`${dir}/lock`, flags, LOCK_MODE);
}

/** Takes the lock and returns its descriptor. */
function takeLock(dir: string, create: boolean, timeout_ms: number): number {
  const fd = openLock(dir, create);
  try {
    const deadline_ms = now_ms() + timeout_ms;
    for (let pause_ms = FIRST_PAUSE_MS; ; pause_ms = Math.min(pause_ms * 2, LONGEST_PAUSE_MS)) {
      if (tryFlock(fd)) return fd;
      const left_ms = deadline_ms - now_ms();
      if (left_ms <= 0) break;
      pause(Math.min(pause_ms, left_ms));
    }
    const holder = holderOf(fd);
    const who = holder === '' ? 'another process' : holder;
    throw new OsError(ETIMEDOUT, `${dir}/lock is held by ${who}, waited ${timeout_ms} ms`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Reads at most `limit_bytes`; EFBIG beyond, also when the file's size claims less. */
function readAll(fd: number, size_bytes: number, limit_bytes: number): Uint8Array {
  // One byte more than wanted, so that an end is told from a limit.
  let buffer = Buffer.allocUnsafeSlow(Math.min(size_bytes || FIRST_READ_BYTES, limit_bytes) + 1);
  let length = 0;
  for (;;) {
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    length += count;
    if (length > limit_bytes) throw new OsError(EFBIG);
    if (count === 0) return buffer.subarray(0, length);
    if (length < buffer.length) continue;
    const larger = Buffer.allocUnsafeSlow(Math.min(length * 2, limit_bytes) + 1);
    larger.set(buffer);
    buffer = larger;
  }
}

/** When this machine was started, by its clock of now: btime of proc_stat(5). */
export function bootTime_ms(): number {
  const btime_s = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
  if (btime_s === undefined) throw new OsError(ENOSYS, 'no btime in /proc/stat');
  return Number(btime_s) * 1000;
}

/** A short text, null for anything else. */
function textOf(path: string): string | null {
  try {
    const bytes = fileRead(path, LISTED_MAX_BYTES);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function fileList(dir: string): { name: string; content: string | null }[] {
  const entries = readdirSync(dir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  const listed = names.filter((name) => !name.startsWith(TEMPORARY_PREFIX)).sort();
  return listed.map((name) => ({ name, content: textOf(`${dir}/${name}`) }));
}

/** Whether an entry of a folder leads to a regular file; a link that leads nowhere does not. */
function isFile(dir: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return statSync(`${dir}/${entry.name}`, { throwIfNoEntry: false })?.isFile() === true;
}

function subdirList(dir: string): string[] {
  const entries = readdirSync(dir, { withFileTypes: true });
  const folders = entries.filter(
    (entry) =>
      entry.isDirectory() ||
      (entry.isSymbolicLink() &&
        statSync(`${dir}/${entry.name}`, { throwIfNoEntry: false })?.isDirectory() === true),
  );
  return folders.map((entry) => entry.name).sort();
}

function dirList(dir: string): string[] {
  const entries = readdirSync(dir, { withFileTypes: true });
  const files = entries.filter((entry) => isFile(dir, entry)).map((entry) => entry.name);
  return files.filter((name) => !name.startsWith(TEMPORARY_PREFIX)).sort();
}

/** When a file was written, as SECONDS.NANOSECONDS. */
function fileMtime(path: string): Uint8Array {
  const { mtimeNs } = statSync(path, { bigint: true });
  const rest = String(mtimeNs % SECOND_NS).padStart(9, '0');
  return Buffer.from(`${mtimeNs / SECOND_NS}.${rest}`);
}

function fileSetMtime(path: string, mtime: string): void {
  const [, seconds, rest] = /^(\d{1,10})\.(\d{9})$/.exec(mtime) ?? [];
  if (seconds === undefined || rest === undefined)
    throw new OsError(EINVAL, `not a time: ${mtime}`);
  setMtime(path, BigInt(seconds), BigInt(rest));
}

function fileRead(path: string, limit_bytes: number): Uint8Array {
  if (limit_bytes < 0) throw new OsError(EINVAL, `not a limit: ${limit_bytes}`);
  const fd = openSync(path, OPEN_TO_READ);
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new OsError(EISDIR);
    if (!stat.isFile()) throw new OsError(EINVAL, `not a regular file: ${path}`);
    if (stat.size > limit_bytes) throw new OsError(EFBIG);
    return readAll(fd, stat.size, limit_bytes);
  } finally {
    closeSync(fd);
  }
}

let temporaries = 0;

/** Writes the content to a new file beside `path` and returns its name. */
function writeBeside(path: string, content: Uint8Array): string {
  const folder = path.slice(0, path.lastIndexOf('/'));
  // The clock, because two pid namespaces may share a folder and a pid.
  const unique = `${process.pid}-${process.hrtime().join('-')}-${++temporaries}`;
  const name = `${folder}/${TEMPORARY_PREFIX}${unique}`;
  const fd = openSync(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, FILE_MODE);
  try {
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
    return name;
  } catch (error) {
    unlinkSync(name);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** A descriptor of a regular file that may be written in place; undefined when there is none. */
function openInPlace(path: string): number | undefined {
  try {
    return openSync(path, OPEN_IN_PLACE);
  } catch {
    return undefined;
  }
}

function fileRewrite(path: string, content: Uint8Array): void {
  const fd = openInPlace(path);
  if (fd === undefined) {
    replace(writeBeside(path, content), path);
    return;
  }
  try {
    const before = fstatSync(fd);
    if (!before.isFile()) throw new OsError(EINVAL, `not a regular file: ${path}`);
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
    if (before.size > content.length) ftruncateSync(fd, content.length);
  } finally {
    closeSync(fd);
  }
}

function isEmptyFile(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size === 0;
}

function fileCreate(path: string, content: Uint8Array, replace_empty: boolean): void {
  const temporary = writeBeside(path, content);
  try {
    // link, not rename: rename would silently take the place of another's lease.
    linkSync(temporary, path);
  } catch (error) {
    // Two that replace at once are kept apart by the folder's lock, which the caller holds.
    if (replace_empty && osError(error).errno === EEXIST && isEmptyFile(path)) {
      replace(temporary, path);
      return;
    }
    unlinkSync(temporary);
    throw error;
  }
  unlinkSync(temporary);
}

/** Moves the temporary to its place; it is gone afterwards in any case. */
function replace(temporary: string, path: string): void {
  try {
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}

/** Runs an operation; what node:fs throws leaves as an OsError. */
function call<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw osError(error);
  }
}

/** The locks held, by handle. */
class Locks {
  readonly #held = new Map<number, number>();
  #last = 0;

  add({ create, timeout_ms }: Args<'dir_lock'>, dir: string): number {
    this.#held.set(++this.#last, takeLock(dir, create !== 0, timeout_ms));
    return this.#last;
  }

  release(lock: number): void {
    const fd = this.#held.get(lock);
    if (fd === undefined) throw new OsError(EBADF, `no lock handle ${lock}`);
    this.#held.delete(lock);
    closeSync(fd);
  }

  close(): void {
    for (const lock of [...this.#held.keys()]) this.release(lock);
  }
}

/**
 * The store operations on this machine's files. Every method throws OsError with the errno of the
 * system call; a path that is not absolute, or has a NUL or a ".." in it, is EINVAL. close gives
 * back the locks still held. Not for two threads at once.
 */
export function fileDriver(options: FileOptions = {}): StoreDriver & { close(): void } {
  const locks = new Locks();
  const at = (path: string) => resolve(options.root ?? '', path);
  let boot_ms: number | undefined;
  return {
    dir_lock: (args) => call(() => locks.add(args, at(args.dir))),
    dir_unlock: ({ lock }) => call(() => locks.release(lock)),
    dir_make: ({ dir }) => {
      call(() => mkdirSync(at(dir), { recursive: true, mode: DIR_MODE }));
    },
    file_before_boot: ({ path }) =>
      call(() => {
        // Asked of every lease of a folder: the machine was started once.
        boot_ms ??= bootTime_ms();
        return Number(statSync(at(path)).mtimeMs < boot_ms);
      }),
    file_mtime: ({ path }) => call(() => fileMtime(at(path))),
    file_set_mtime: ({ path, mtime }) => call(() => fileSetMtime(at(path), mtime)),
    dir_list: ({ dir }) => call(() => dirList(at(dir))),
    subdir_list: ({ dir }) => call(() => subdirList(at(dir))),
    file_list: ({ dir }) => call(() => fileList(at(dir))),
    file_read: ({ path, limit_bytes }) => call(() => fileRead(at(path), limit_bytes)),
    file_create: ({ path, content, replace_empty }) =>
      call(() => fileCreate(at(path), content, replace_empty !== 0)),
    file_write: ({ path, content }) =>
      call(() => replace(writeBeside(at(path), content), at(path))),
    file_rewrite: ({ path, content }) => call(() => fileRewrite(at(path), content)),
    file_remove: ({ path }) => call(() => unlinkSync(at(path))),
    close: () => locks.close(),
  };
}
