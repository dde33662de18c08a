// SPDX-License-Identifier: Apache-2.0
// Puts the executable, its links and a conflist in place. Every file appears by rename, what was
// there before is kept, and a failure half way is undone. It refuses to make folders unasked, to
// overwrite a backup, and to touch a file that was changed since.
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  statfsSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import {
  BINARY_MODE,
  copyExecutable,
  DIRECTORY_MARK,
  exists,
  FILE_MODE,
  InstallError,
  markOf,
  markOfBytes,
  syncDir,
  writeFile,
} from './files.ts';
import { type Journal, journaled } from './journal.ts';
import { type Manual, SECTION } from './man.ts';
import {
  type Kind,
  MANIFEST,
  type Manifest,
  manifestWith,
  type Placed,
  readManifest,
} from './manifest.ts';
import type { Action, Item, Report } from './report.ts';

/** What the types lead to: the native host where there is one, else the Node program. */
export const BINARY = 'fairlead';
/** The Node program beside a native host, which becomes it when called as a command line. */
export const COMMAND_LINE = 'fairlead-cli';
/** No runtime takes a name that starts or ends so for a configuration. */
export const BACKUP_SUFFIX = '.before-fairlead';
/** The names libcni looks for in its folder of configurations. */
const CONFIG_EXTENSIONS = ['.conflist', '.conf', '.json'];
const DIR_MODE = 0o755;
const MODE_BITS = 0o7777;
/** Room for links, manifest and conflist beside the executable. */
const SMALL_FILES_BYTES = 1 << 20;
const MEGABYTE = 1e6;
const LINK_MARK = `-> ${BINARY}`;

export interface InstallOptions {
  /** For tests: called before each change; what it throws is a failure of that change. */
  readonly before?: (change: string) => void;
  /** The executable to place: the Node program. */
  readonly source: string;
  /** The native host to serve the types in its place. */
  readonly native?: string | undefined;
  readonly version: string;
  readonly bin_dir: string;
  readonly conf_dir: string;
  readonly conflist?: string | undefined;
  readonly manual?: Manual | undefined;
  readonly types: readonly string[];
  readonly create_dirs?: boolean;
  readonly dry_run?: boolean;
  /** For tests: the free bytes of the file system that a folder is on. */
  readonly free_bytes?: (dir: string) => number;
}

function checkDir(dir: string, option: string, create: boolean): Item[] {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return [];
  if (stat) throw new InstallError(`${dir} is not a folder: choose another with ${option}`);
  if (create) return [{ action: 'created', path: dir, note: '' }];
  throw new InstallError(
    `${dir} does not exist: choose another with ${option}, or make it with --create-dirs`,
  );
}

/** Refuses what would leave the node without a network the moment it appears. */
function checkConflist(path: string, bytes: Uint8Array): void {
  if (!CONFIG_EXTENSIONS.includes(extname(path))) {
    throw new InstallError(
      `${path}: runtimes only read names that end in ${CONFIG_EXTENSIONS.join(', ')}: rename it`,
    );
  }
  let config: unknown;
  try {
    config = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new InstallError(`${path} is not JSON: ${(error as Error).message}`);
  }
  const { name, plugins, type } = (config ?? {}) as Record<string, unknown>;
  const whole = path.endsWith('.conflist') ? Array.isArray(plugins) : (plugins ?? type);
  if (typeof name !== 'string' || !whole) {
    throw new InstallError(`${path} is no network configuration: it needs "name" and "plugins"`);
  }
}

/** One file that should be there, and how to make it. */
interface Wanted {
  readonly kind: Kind;
  readonly dir: string;
  readonly name: string;
  readonly mark: string;
  readonly make: (temporary: string) => void;
}

interface Step {
  readonly wanted: Wanted;
  readonly path: string;
  readonly action: Action;
  readonly note: string;
  /** The name that the file there now is kept under; "" for none. */
  readonly backup: string;
  /** For the manifest; undefined for what was there without us and so stays after uninstall. */
  readonly placed: Placed | undefined;
}

function wantedBinary(dir: string, name: string, source: string): Wanted {
  const mark = markOf(source);
  const make = (temporary: string) => copyExecutable(source, temporary, mark);
  return { kind: 'binary', dir, name, mark, make };
}

/** A file that is copied as it is. */
function wantedCopy(kind: Kind, dir: string, source: string, bytes: Uint8Array): Wanted {
  const make = (temporary: string) => writeFile(temporary, FILE_MODE, (put) => put(bytes));
  return { kind, dir, name: basename(source), mark: markOfBytes(bytes), make };
}

const sectionOf = ({ dir }: Manual): string => join(dir, SECTION);

function wantedFiles(options: InstallOptions): Wanted[] {
  const { source, native, bin_dir, conf_dir, conflist, manual, types } = options;
  const wanted: Wanted[] = [];
  // The command line first: the native host leads to it.
  if (native !== undefined) wanted.push(wantedBinary(bin_dir, COMMAND_LINE, source));
  wanted.push(wantedBinary(bin_dir, BINARY, native ?? source));
  for (const name of types) {
    const make = (temporary: string) => symlinkSync(BINARY, temporary);
    wanted.push({ kind: 'link', dir: bin_dir, name, mark: LINK_MARK, make });
  }
  if (manual !== undefined) {
    const bytes = readFileSync(manual.source);
    wanted.push(wantedCopy('manual', sectionOf(manual), manual.source, bytes));
  }
  if (conflist !== undefined) {
    const bytes = readFileSync(conflist);
    checkConflist(conflist, bytes);
    wanted.push(wantedCopy('conflist', conf_dir, conflist, bytes));
  }
  return wanted;
}

/** Compares what should be there with what is. */
function planFile(wanted: Wanted, recorded: Placed | undefined, bin_dir: string): Step {
  const path = join(wanted.dir, wanted.name);
  const found = markOf(path);
  const step = (action: Action, note = '', backup = '', is = [wanted.mark]): Step => {
    const { kind, name } = wanted;
    const dir = wanted.dir === bin_dir && kind !== 'conflist' ? '' : wanted.dir;
    const kept = backup !== '' || recorded?.backup === true;
    return { wanted, path, action, note, backup, placed: { kind, dir, name, is, backup: kept } };
  };
  if (found === '') return step('placed');
  if (found === DIRECTORY_MARK) {
    throw new InstallError(`${path} is a folder: move it away and run again`);
  }
  const runs = wanted.kind !== 'binary' || (lstatSync(path).mode & MODE_BITS) === BINARY_MODE;
  if (found === wanted.mark && runs) {
    const same = step('unchanged');
    return recorded ? same : { ...same, placed: undefined };
  }
  if (recorded?.is.includes(found)) {
    return step('replaced', '', '', [...new Set([found, wanted.mark])]);
  }
  const backup = path + BACKUP_SUFFIX;
  const kept = markOf(backup);
  // A run that was killed may have recorded a file and not yet replaced the one before.
  const interrupted = recorded?.backup === true && (kept === '' || kept === found);
  if (wanted.kind === 'conflist' && recorded && !interrupted) {
    const note = 'changed since it was installed: remove it and run again to have the new one';
    return step('kept', note, '', [...recorded.is]);
  }
  if (kept !== '' && kept !== found) {
    throw new InstallError(
      `${path} is of another origin, and ${backup} exists already: move one of them away and ` +
        'run again',
    );
  }
  return step('replaced', `the file before is ${basename(backup)}`, backup);
}

/** A page that nobody asked for stays away where something is in its way. */
function planOptional(wanted: Wanted, recorded: Placed | undefined, bin_dir: string): Step {
  try {
    return planFile(wanted, recorded, bin_dir);
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    const note = `the manual page is not placed: ${error.message}`;
    const path = join(wanted.dir, wanted.name);
    return { wanted, path, action: 'kept', note, backup: '', placed: undefined };
  }
}

/** A folder, or where it would be made: a dry run makes none. */
const existing = (dir: string): string => (exists(dir) ? dir : existing(dirname(dir)));

/** Fails when the executable does not fit beside the old one, or a folder is not writable. */
function checkRoom(options: InstallOptions, steps: readonly Step[]): void {
  const changing = steps.filter(({ action }) => action === 'placed' || action === 'replaced');
  for (const dir of new Set(changing.map(({ wanted }) => wanted.dir))) {
    accessSync(existing(dir), constants.W_OK | constants.X_OK);
  }
  if (!changing.some(({ wanted }) => wanted.kind === 'binary')) return;
  const free = (options.free_bytes ?? freeBytes)(existing(options.bin_dir));
  const { source, native } = options;
  const sizes = [source, ...(native === undefined ? [] : [native])].map((p) => statSync(p).size);
  const needed = sizes.reduce((sum, size) => sum + size, SMALL_FILES_BYTES);
  if (free >= needed) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / MEGABYTE)} MB`;
  throw new InstallError(
    `not enough space in ${options.bin_dir}: ${megabytes(needed)} needed, ` +
      `${megabytes(free)} free: free some, or choose another folder with --bin-dir`,
  );
}

function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

function planInstall(options: InstallOptions, manifest: Manifest | undefined): Step[] {
  const { bin_dir, manual } = options;
  return wantedFiles(options).map((wanted) => {
    const recorded = manifest?.files.find(
      ({ kind, name, dir }) =>
        kind === wanted.kind && name === wanted.name && (dir || bin_dir) === wanted.dir,
    );
    const optional = wanted.kind === 'manual' && manual?.optional === true;
    return (optional ? planOptional : planFile)(wanted, recorded, bin_dir);
  });
}

/** Carries the plan out: the executable, its links and, when those are on disk, the conflist. */
function place(
  journal: Journal,
  { bin_dir, conf_dir, version }: InstallOptions,
  manifest: Manifest | undefined,
  steps: readonly Step[],
): void {
  const path = join(bin_dir, MANIFEST);
  const record = (placed: Placed[]) => {
    const text = manifestWith(manifest, version, placed);
    if (exists(path) && readFileSync(path, 'utf8') === text) return;
    const bytes = new TextEncoder().encode(text);
    journal.place(path, (temporary) => writeFile(temporary, FILE_MODE, (put) => put(bytes)));
  };
  const changing = steps.filter(({ action }) => action === 'placed' || action === 'replaced');
  const recorded = steps.flatMap(({ placed }) => placed ?? []);
  // First what is about to be ours, so that uninstall knows it should this run be killed.
  if (changing.length > 0) record(recorded);
  for (const step of changing) {
    if (step.wanted.kind === 'conflist') syncDir(bin_dir);
    // A backup that is there already has the same content.
    const backup = step.backup !== '' && exists(step.backup) ? '' : step.backup;
    journal.place(step.path, step.wanted.make, backup);
  }
  // What was replaced is gone: of two marks the last is left.
  if (recorded.length > 0) record(recorded.map((file) => ({ ...file, is: file.is.slice(-1) })));
  if (changing.length > 0) syncDir(bin_dir);
  if (changing.some(({ wanted }) => wanted.kind === 'conflist')) syncDir(conf_dir);
}

/** Installs; throws InstallError, with nothing changed but for folders made. */
export function install(options: InstallOptions): Report {
  const { bin_dir, conf_dir, conflist, manual, create_dirs = false, dry_run = false } = options;
  const missing = checkDir(bin_dir, '--bin-dir', create_dirs);
  if (manual !== undefined) {
    missing.push(...checkDir(manual.dir, '--man-dir', create_dirs));
    // The folder of a section belongs to that of the manuals: nobody has to ask for it.
    missing.push(...checkDir(sectionOf(manual), '--man-dir', true));
  }
  if (conflist !== undefined) missing.push(...checkDir(conf_dir, '--conf-dir', create_dirs));
  const plan = () => planInstall(options, readManifest(bin_dir));
  let steps: Step[] = [];
  if (dry_run) {
    steps = plan();
    checkRoom(options, steps);
  } else {
    if (missing.length > 0) wantedFiles(options); // its errors come before a folder is made
    for (const { path } of missing) mkdirSync(path, { recursive: true, mode: DIR_MODE });
    journaled(options.before, (journal) => {
      journal.open(bin_dir);
      if (manual !== undefined) journal.open(sectionOf(manual));
      if (conflist !== undefined && conf_dir !== bin_dir) journal.open(conf_dir);
      steps = plan();
      checkRoom(options, steps);
      place(journal, options, readManifest(bin_dir), steps);
    });
  }
  const changed = steps.some(({ action }) => action === 'placed' || action === 'replaced');
  const items = [...missing, ...steps.map(({ action, path, note }) => ({ action, path, note }))];
  return { command: 'install', dry_run, changed: changed || missing.length > 0, bin_dir, items };
}
