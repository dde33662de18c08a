// `fairlead install` and `fairlead uninstall`: puts the executable, its links and a conflist in
// place and takes away just that. Every file appears by rename, what was there before is kept, and
// a failure half way is undone. It refuses to make folders unasked, to remove any, to overwrite a
// backup, and to touch a file that was changed since. Nothing here runs when a plugin is called.
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { tryFlock } from '../sys/libc.ts';
import { didYouMean, type Options, parseArgs, UsageError } from './args.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** What the types lead to: the native host where there is one, else the Node program. */
const BINARY = 'fairlead';
/** The Node program beside a native host, which becomes it when called as a command line. */
const COMMAND_LINE = 'fairlead-cli';
/** The native host in the folder of a build. */
const NATIVE = 'fairlead-native';
/** e_machine of elf(5), by the architecture that Node names. */
const ELF_MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };
const ELF_MACHINE_AT = 18;
const BIN_DIR = '/opt/cni/bin';
const CONF_DIR = '/etc/cni/net.d';
const MANIFEST = '.fairlead-install.json';
const MANIFEST_FORMAT = 1;
/** No runtime takes a name that starts or ends so for a configuration. */
const BACKUP_SUFFIX = '.before-fairlead';
const TEMPORARY_PREFIX = '.fairlead-tmp-';
/** The names libcni looks for in its folder of configurations. */
const CONFIG_EXTENSIONS = ['.conflist', '.conf', '.json'];
const BINARY_MODE = 0o755;
const FILE_MODE = 0o644;
const DIR_MODE = 0o755;
const MODE_BITS = 0o7777;
const COPY_CHUNK_BYTES = 1 << 20;
/** Room for links, manifest and conflist beside the executable. */
const SMALL_FILES_BYTES = 1 << 20;
const MEGABYTE = 1e6;

const LINK_MARK = `-> ${BINARY}`;
const DIRECTORY_MARK = 'directory';

const installHelp = (types: readonly string[]): string =>
  `fairlead install: put the executable and its CNI type names in place

Usage:
  fairlead install [--bin-dir DIR] [--types NAME,…] [--conflist FILE] [--conf-dir DIR]
                   [--host native|node] [--create-dirs] [--dry-run] [--output json]

  --bin-dir DIR     where runtimes look for plugins (${BIN_DIR})
  --types NAME,…    the links to make (all: ${types.join(',')})
  --host NAME       what serves them: native, the fast one, where it was built for this machine,
                    with this program as ${COMMAND_LINE} beside it; node, this program alone
  --conflist FILE   also copy this network configuration, last of all
  --conf-dir DIR    where runtimes look for it (${CONF_DIR})
  --create-dirs     make missing folders; without it they are an error
  --dry-run         say what would be done, do nothing
  --output json     one JSON object on stdout in place of the lines

A file of another origin under one of the names is kept as NAME${BACKUP_SUFFIX} until uninstall.
A second run changes nothing. Exit codes: 0 done; 1 failed, and undone; 2 wrong usage.
`;

const UNINSTALL_HELP = `fairlead uninstall: take away what install put in place

Usage:
  fairlead uninstall [--bin-dir DIR] [--conf-dir DIR] [--dry-run] [--output json]

  --bin-dir DIR     where it was installed (${BIN_DIR})
  --conf-dir DIR    where its conflist is, when the folder has another path now
  --dry-run         say what would be done, do nothing
  --output json     one JSON object on stdout in place of the lines

Files that were kept come back under their names. A file that is not as installed is left alone.
Exit codes: 0 done, or nothing to do; 1 failed, and undone; 2 wrong usage.
`;

/** A failure that the user can do something about; the text says what. */
export class InstallError extends Error {}

type Kind = 'binary' | 'link' | 'conflist';

/** A file that install placed, as the manifest has it. */
interface Placed {
  readonly kind: Kind;
  /** Empty for the folder of the manifest, so that the folder may be mounted elsewhere. */
  readonly dir: string;
  readonly name: string;
  /** The marks by which it is known as ours; two only while one takes the place of the other. */
  readonly is: readonly string[];
  /** Whether the file that was there before is kept beside it. */
  readonly backup: boolean;
}

interface Manifest {
  readonly format: typeof MANIFEST_FORMAT;
  readonly version: string;
  readonly files: readonly Placed[];
}

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

interface Testable {
  /** For tests: called before each change; what it throws is a failure of that change. */
  readonly before?: (change: string) => void;
}

export interface InstallOptions extends Testable {
  /** The executable to place: the Node program. */
  readonly source: string;
  /** The native host to serve the types in its place. */
  readonly native?: string | undefined;
  readonly version: string;
  readonly bin_dir: string;
  readonly conf_dir: string;
  readonly conflist?: string | undefined;
  readonly types: readonly string[];
  readonly create_dirs?: boolean;
  readonly dry_run?: boolean;
  /** For tests: the free bytes of the file system that a folder is on. */
  readonly free_bytes?: (dir: string) => number;
}

export interface UninstallOptions extends Testable {
  readonly bin_dir: string;
  /** The conflist's folder, when not the recorded one. */
  readonly conf_dir?: string | undefined;
  readonly dry_run?: boolean;
}

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

function markOfBytes(bytes: Uint8Array): string {
  return `sha256:${sha256().update(bytes).digest('hex')}`;
}

/** What lies at a path, in words that are equal for equal content; "" for nothing. */
function markOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return '';
  if (stat.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  if (stat.isDirectory()) return DIRECTORY_MARK;
  if (!stat.isFile()) return 'special file';
  const hash = sha256();
  readChunks(path, (bytes) => hash.update(bytes));
  return `sha256:${hash.digest('hex')}`;
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function sameFile(a: string, b: string): boolean {
  const one = lstatSync(a, { throwIfNoEntry: false });
  const other = lstatSync(b, { throwIfNoEntry: false });
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

/** Writes what `fill` gives to a new file that is on the disk when this returns. */
function writeFile(path: string, mode: number, fill: (put: (bytes: Uint8Array) => void) => void) {
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

function copyExecutable(source: string, target: string, mark: string): void {
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
function syncDir(dir: string): void {
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
function leftovers(dir: string): string[] {
  const names = readdirSync(dir).filter((name) => name.startsWith(TEMPORARY_PREFIX));
  return names.map((name) => join(dir, name));
}

/**
 * The changes of one run: each is undone in reverse when a later one fails. Folders are locked
 * while it is open, so whatever temporary files lie there are those of a run that was killed.
 */
class Journal {
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
function journaled(before: Testable['before'], run: (journal: Journal) => void): void {
  const journal = new Journal(before);
  try {
    run(journal);
  } catch (error) {
    journal.fail(error);
  } finally {
    journal.close();
  }
}

/** The text of a failure, with what to do about it. */
function explain(error: unknown): string {
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

function isPlaced(value: unknown): value is Placed {
  const { kind, dir, name, is, backup } = value as Record<keyof Placed, unknown>;
  return (
    (kind === 'binary' || kind === 'link' || kind === 'conflist') &&
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
function readManifest(bin_dir: string): Manifest | undefined {
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

function wantedFiles(options: InstallOptions): Wanted[] {
  const { source, native, bin_dir, conf_dir, conflist, types } = options;
  const wanted: Wanted[] = [];
  // The command line first: the native host leads to it.
  if (native !== undefined) wanted.push(wantedBinary(bin_dir, COMMAND_LINE, source));
  wanted.push(wantedBinary(bin_dir, BINARY, native ?? source));
  for (const name of types) {
    const make = (temporary: string) => symlinkSync(BINARY, temporary);
    wanted.push({ kind: 'link', dir: bin_dir, name, mark: LINK_MARK, make });
  }
  if (conflist !== undefined) {
    const bytes = readFileSync(conflist);
    checkConflist(conflist, bytes);
    wanted.push({
      kind: 'conflist',
      dir: conf_dir,
      name: basename(conflist),
      mark: markOfBytes(bytes),
      make: (temporary) => writeFile(temporary, FILE_MODE, (put) => put(bytes)),
    });
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

/** Fails when the executable does not fit beside the old one, or a folder is not writable. */
function checkRoom(options: InstallOptions, steps: readonly Step[]): void {
  const changing = steps.filter(({ action }) => action === 'placed' || action === 'replaced');
  for (const dir of new Set(changing.map(({ wanted }) => wanted.dir))) {
    accessSync(dir, constants.W_OK | constants.X_OK);
  }
  if (!changing.some(({ wanted }) => wanted.kind === 'binary')) return;
  const free = (options.free_bytes ?? freeBytes)(options.bin_dir);
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

const key = ({ kind, dir, name }: Placed): string => `${kind} ${dir} ${name}`;

/** The manifest with these files in place of those of the same name. */
function manifestWith(
  old: Manifest | undefined,
  version: string,
  placed: readonly Placed[],
): string {
  const files = new Map((old?.files ?? []).map((file) => [key(file), file]));
  for (const file of placed) files.set(key(file), file);
  const manifest: Manifest = { format: MANIFEST_FORMAT, version, files: [...files.values()] };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function planInstall(options: InstallOptions, manifest: Manifest | undefined): Step[] {
  const { bin_dir } = options;
  return wantedFiles(options).map((wanted) => {
    const recorded = manifest?.files.find(
      ({ kind, name, dir }) =>
        kind === wanted.kind && name === wanted.name && (dir || bin_dir) === wanted.dir,
    );
    return planFile(wanted, recorded, bin_dir);
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
  const { bin_dir, conf_dir, conflist, create_dirs = false, dry_run = false } = options;
  const missing = checkDir(bin_dir, '--bin-dir', create_dirs);
  if (conflist !== undefined) missing.push(...checkDir(conf_dir, '--conf-dir', create_dirs));
  const plan = () => planInstall(options, readManifest(bin_dir));
  let steps: Step[] = [];
  if (dry_run) {
    steps = plan();
    if (missing.length === 0) checkRoom(options, steps);
  } else {
    if (missing.length > 0) wantedFiles(options); // its errors come before a folder is made
    for (const { path } of missing) mkdirSync(path, { recursive: true, mode: DIR_MODE });
    journaled(options.before, (journal) => {
      journal.open(bin_dir);
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

const REMOVAL_ORDER: readonly Kind[] = ['conflist', 'link', 'binary'];

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

export interface Invocation {
  readonly args: readonly string[];
  readonly version: string;
  /** The single executable that runs; undefined for the bundle or the sources. */
  readonly executable: string | undefined;
  /** The names of links that there can be (types.ts). */
  readonly types: () => readonly string[];
  /** Why a network cannot work with the programs of a folder and ours; none when it can. */
  readonly against: (conflist: string, bin_dir: string) => readonly string[];
  readonly write: (fd: number, text: string) => void;
}

function typesOf(list: string | undefined, all: readonly string[]): readonly string[] {
  if (list === undefined) return all;
  const types = [...new Set(list.split(','))];
  for (const type of types) {
    if (all.includes(type)) continue;
    const known = didYouMean(type, all) || `: there are ${all.join(', ')}`;
    throw new UsageError(`--types: no CNI type "${type}"${known}`);
  }
  return types;
}

/** The native host beside this program, in a build or as installed; undefined without one. */
function nativeBeside(executable: string): string | undefined {
  const name = basename(executable) === COMMAND_LINE ? BINARY : NATIVE;
  const path = join(dirname(executable), name);
  return isForThisMachine(path) ? path : undefined;
}

/** Whether a file is a program (elf(5)) of this machine's architecture. */
function isForThisMachine(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const head = Buffer.alloc(ELF_MACHINE_AT + 2);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  const elf = head.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'));
  return elf && head.readUInt16LE(ELF_MACHINE_AT) === ELF_MACHINES[process.arch];
}

/** Which native host is to serve; undefined for none. */
function nativeOf(executable: string, host: string | undefined): string | undefined {
  if (host !== undefined && host !== 'native' && host !== 'node') {
    throw new UsageError(`--host is "${host}": write native or node`);
  }
  const native = host === 'node' ? undefined : nativeBeside(executable);
  if (host === 'native' && native === undefined) {
    throw new InstallError(
      `there is no ${NATIVE} for this machine beside ${executable}: build it (npm run build), ` +
        'or install with --host node',
    );
  }
  return native;
}

const COMMON = {
  'bin-dir': 'value',
  'conf-dir': 'value',
  'dry-run': 'flag',
  output: 'value',
} as const;

/** The command with its options read; undefined when its help was asked for. */
type Prepared = { readonly json: boolean; readonly run: () => Report } | undefined;

/** The options that both commands have. */
function common(options: Options<typeof COMMON>) {
  const output = options.output ?? 'text';
  if (output !== 'text' && output !== 'json') {
    throw new UsageError(`--output is "${output}": write json or text`);
  }
  const conf_dir = options['conf-dir'];
  return {
    json: output === 'json',
    bin_dir: resolve(options['bin-dir'] ?? BIN_DIR),
    conf_dir: conf_dir === undefined ? undefined : resolve(conf_dir),
    dry_run: options['dry-run'],
  };
}

/** Throws where the network of a file could not attach anything: a node is then without one. */
function refuseUseless(conflist: string, reasons: readonly string[]): void {
  if (reasons.length === 0) return;
  throw new InstallError(
    `${conflist} could not attach a container; correct it, or install what it names:\n  ` +
      reasons.join('\n  '),
  );
}

function prepareInstall(invocation: Invocation): Prepared {
  const { args, version, executable, types: all } = invocation;
  const more = { types: 'value', conflist: 'value', host: 'value', 'create-dirs': 'flag' } as const;
  const table = { ...COMMON, ...more };
  const { help, options } = parseArgs(args, table);
  if (help) return undefined;
  const { json, bin_dir, conf_dir = CONF_DIR, dry_run } = common(options);
  const { conflist, 'create-dirs': create_dirs } = options;
  const types = typesOf(options.types, all());
  const run = () => {
    if (executable === undefined) {
      throw new InstallError(
        'only the single executable can install itself: build it (npm run build) and run ' +
          'dist/fairlead install',
      );
    }
    const native = nativeOf(executable, options.host);
    if (conflist !== undefined) refuseUseless(conflist, invocation.against(conflist, bin_dir));
    const what = { source: executable, native, version, types, conflist };
    return install({ ...what, bin_dir, conf_dir, create_dirs, dry_run });
  };
  return { json, run };
}

function prepareUninstall({ args }: Invocation): Prepared {
  const { help, options } = parseArgs(args, COMMON);
  if (help) return undefined;
  const { json, bin_dir, conf_dir, dry_run } = common(options);
  return { json, run: () => uninstall({ bin_dir, conf_dir, dry_run }) };
}

/** Runs `install` or `uninstall` and returns the exit code. */
export function runInstaller(command: Report['command'], invocation: Invocation): number {
  const { version, write } = invocation;
  let json = false;
  try {
    const prepared = (command === 'install' ? prepareInstall : prepareUninstall)(invocation);
    if (prepared === undefined) {
      write(1, command === 'install' ? installHelp(invocation.types()) : UNINSTALL_HELP);
      return 0;
    }
    json = prepared.json;
    const report = prepared.run();
    write(1, json ? `${JSON.stringify({ ...report, version })}\n` : formatReport(report, version));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      write(2, `fairlead ${command}: ${error.message}\nSee fairlead ${command} --help\n`);
      return EXIT_USAGE;
    }
    const text = explain(error);
    if (json) write(1, `${JSON.stringify({ command, version, error: text })}\n`);
    else write(2, `fairlead ${command}: ${text}\n`);
    return EXIT_FAILED;
  }
}
