// SPDX-License-Identifier: Apache-2.0 The folders, files and programs of a snapshot, as lines of
// the simulated kernel's text. It reads no content for what it means.
import { accessSync, constants, readdirSync, type Stats, statSync } from 'node:fs';
import { bootTime_ms, fileDriver, type StoreDriver, TEMPORARY_PREFIX } from '../drivers/files.ts';
import { EXIT_NO_PROGRAM } from '../story/foreign.ts';
import { EFBIG, ENOENT, osError } from '../sys/libc.ts';
import { forbidden, isWritable, type Notes } from './snapshot-notes.ts';

const [ENOTDIR, EISDIR] = [20, 21];
const LOCK_NAME = 'lock';
const SYSFS = '/sys/';

/** The core reads no larger file. */
const FILE_LIMIT_BYTES = 8 << 20;
const FILES_LIMIT_BYTES = 64 << 20;
const FILES_LIMIT = 100_000;

/** A path as the store operations take it; undefined for one that they refuse. */
function plain(path: string): string | undefined {
  if (!path.startsWith('/') || path.includes('\0') || path.split('/').includes('..')) {
    return undefined;
  }
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

/** The folders, files and programs of a snapshot. */
export class Files {
  readonly #root: string;
  readonly #store: StoreDriver;
  readonly #notes: Notes;
  readonly #lines = new Map<string, string>();
  readonly #boot_ms = bootTime_ms();
  #size_bytes = 0;

  constructor(root: string, notes: Notes) {
    this.#root = root;
    this.#store = fileDriver({ root });
    this.#notes = notes;
  }

  folder(given: string): void {
    const path = plain(given);
    if (path === undefined) return;
    let names: string[];
    try {
      names = readdirSync(this.#root + path);
    } catch (error) {
      const failure = osError(error);
      const end = forbidden(`read the folder ${path}`, failure);
      if (end !== undefined) throw end;
      // A file of that name is told as a file.
      if (failure.errno === ENOTDIR) this.file(path);
      return;
    }
    this.#put(path, `folder ${path}`);
    if (`${path}/`.startsWith(SYSFS)) {
      this.#subdirs(path, names);
      return;
    }
    for (const name of names.sort()) {
      if (name === LOCK_NAME || name.startsWith(TEMPORARY_PREFIX)) continue;
      const file = path === '/' ? `/${name}` : `${path}/${name}`;
      if (this.#stat(file)?.isFile() === true) this.#regular(file);
    }
  }

  /** What is asked of sysfs is what folders there are; its files are questions to drivers. */
  #subdirs(path: string, names: readonly string[]): void {
    for (const name of names) {
      const below = `${path}/${name}`;
      if (this.#stat(below)?.isDirectory() === true) this.#put(below, `folder ${below}`);
    }
  }

  file(given: string): void {
    const path = plain(given);
    if (path === undefined) return;
    const stat = this.#stat(path);
    if (stat?.isDirectory() === true) this.#put(path, `folder ${path}`);
    else if (stat?.isFile() === true) this.#regular(path);
    const above = path.slice(0, path.lastIndexOf('/'));
    if (stat === undefined && above !== '' && this.#stat(above)?.isDirectory() === true) {
      this.#put(above, `folder ${above}`);
    }
  }

  /** What is at the path of a namespace and is none: that it is there. */
  stray(path: string): void {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    this.#put(path, stat.isDirectory() ? `folder ${path}` : `file ${path} ""`);
  }

  program(path: string): void {
    if (!path.startsWith('/')) {
      this.#notes.add(`left out: the program ${path}, whose path is not absolute`);
      return;
    }
    const stat = this.#stat(path);
    if (stat === undefined) return;
    let code = EXIT_NO_PROGRAM;
    try {
      accessSync(this.#root + path, constants.X_OK);
      if (stat.isFile()) code = 0;
    } catch {
      // Then it stays one that cannot be executed.
    }
    this.#put(path, `plugin ${path} ${code} ""`);
  }

  /** A daemon that would give a lease, and does not in a dry run. */
  socket(path: string): void {
    if (this.#stat(path)?.isSocket() !== true) return;
    const error = 'a dry run cannot tell which address a DHCP server would give';
    this.#put(path, `dhcp ${path} ${JSON.stringify({ error })}`);
  }

  lines(): string[] {
    return [...this.#lines.values()];
  }

  /** undefined when there is nothing, or nothing that may be looked at. */
  #stat(path: string): Stats | undefined {
    try {
      return statSync(this.#root + path);
    } catch (error) {
      const end = forbidden(`look at ${path}`, osError(error));
      if (end !== undefined) throw end;
      return undefined;
    }
  }

  #regular(path: string): void {
    if (this.#lines.has(path)) return;
    if (this.#size_bytes > FILES_LIMIT_BYTES || this.#lines.size > FILES_LIMIT) {
      this.#notes.add('left out: a file after too many others');
      return;
    }
    let bytes: Uint8Array;
    try {
      bytes = this.#store.file_read({ path, limit_bytes: FILE_LIMIT_BYTES });
    } catch (error) {
      const failure = osError(error);
      const end = forbidden(`read ${path}`, failure);
      if (end !== undefined) throw end;
      if (failure.errno === EFBIG) {
        this.#notes.add(`left out: ${path} is larger than ${FILE_LIMIT_BYTES >> 20} MiB`);
      } else if (failure.errno !== ENOENT && failure.errno !== EISDIR) {
        this.#notes.add(`left out: ${path} cannot be read (${failure.message})`);
      }
      return;
    }
    this.#size_bytes += bytes.length;
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    if (!Buffer.from(text).equals(bytes)) {
      this.#notes.add(`${path} is not UTF-8: what is wrong in it is replaced`);
    }
    const old = (this.#stat(path)?.mtimeMs ?? this.#boot_ms) < this.#boot_ms;
    this.#put(path, `file ${path} ${JSON.stringify(text)}${old ? ' before-boot' : ''}`);
  }

  #put(path: string, line: string): void {
    if (isWritable(path)) this.#lines.set(path, line);
    else this.#notes.add(`left out: ${JSON.stringify(path)}, whose name cannot be written`);
  }
}
