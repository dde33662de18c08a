// SPDX-License-Identifier: Apache-2.0
// `fairlead install` and `fairlead uninstall` as commands: their options, which native program goes
// along, and what is said. Nothing here runs when a plugin is called.
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { didYouMean, type Options, parseArgs, UsageError } from '../args.ts';
import { BIN_DIR, CONF_DIR, EXIT_FAILED, tellUsage, wantsJson } from '../io.ts';
import {
  drainDead,
  type Node,
  refuseWhileAttached,
  type Told,
  takeAway,
  tellStrangers,
} from './attached.ts';
import { explain, InstallError } from './files.ts';
import { BACKUP_SUFFIX, BINARY, COMMAND_LINE, install } from './install.ts';
import { MAN_DIR, manualOf, SECTION } from './man.ts';
import { readManifest } from './manifest.ts';
import { formatReport, type Report } from './report.ts';
import { uninstall } from './uninstall.ts';

/** The native host in the folder of a build. */
const NATIVE = 'fairlead-native';
/** e_machine of elf(5), by the architecture that Node names. */
const ELF_MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };
const ELF_MACHINE_AT = 18;

const installHelp = (types: readonly string[]): string =>
  `fairlead install: put the executable and its CNI type names in place

Usage:
  fairlead install [--bin-dir DIR] [--types NAME,…] [--conflist FILE] [--conf-dir DIR]
                   [--host native|node] [--man-dir DIR|--no-man] [--create-dirs] [--dry-run]
                   [--output json]

  --bin-dir DIR     where runtimes look for plugins (${BIN_DIR})
  --types NAME,…    the links to make (all: ${types.join(',')})
  --host NAME       what serves them: native, the fast one, where it was built for this machine,
                    with this program as ${COMMAND_LINE} beside it; node, this program alone
  --conflist FILE   also copy this network configuration, last of all
  --conf-dir DIR    where runtimes look for it (${CONF_DIR})
  --man-dir DIR     where man(1) looks; the page of a release goes into ${SECTION} below it
                    (${MAN_DIR}, where that can be written; with --bin-dir none)
  --no-man          place no page
  --create-dirs     make missing folders; without it they are an error
  --dry-run         say what would be done, do nothing
  --output json     one JSON object on stdout in place of the lines

A file of another origin under one of the names is kept as NAME${BACKUP_SUFFIX} until uninstall.
A second run changes nothing. Exit codes: 0 done; 1 failed, and undone; 2 wrong usage.
`;

const UNINSTALL_HELP = `fairlead uninstall: take away what install put in place

Usage:
  fairlead uninstall [--bin-dir DIR] [--conf-dir DIR] [--drain|--leave] [--dry-run]
                     [--output json]

  --drain           take the containers that live off their networks, each as a DEL would
  --leave           go although containers live: they, our tables and their records stay
  --bin-dir DIR     where it was installed (${BIN_DIR})
  --conf-dir DIR    where its conflist is, when the folder has another path now
  --dry-run         say what would be done, do nothing
  --output json     one JSON object on stdout in place of the lines

Files that were kept come back under their names. A file that is not as installed is left alone.
While containers of ours live it refuses, unless --drain or --leave says what is to be of them. When
none is left our tables, our rules in iptables and /run/fairlead go too.
Exit codes: 0 done, or nothing to do; 1 failed, and undone; 2 wrong usage.
`;

export interface Invocation {
  readonly args: readonly string[];
  readonly version: string;
  /** The single executable that runs; undefined for the bundle or the sources. */
  readonly executable: string | undefined;
  /** The names of links that there can be (types.ts). */
  readonly types: () => readonly string[];
  /** Why a network cannot work with the programs of a folder and ours; none when it can. */
  readonly against: (conflist: string, bin_dir: string) => readonly string[];
  readonly node: Node;
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
type Prepared = { readonly json: boolean; readonly run: () => Done } | undefined;

interface Done {
  readonly report: Report;
  /** What is done and may not be what was wanted. */
  readonly warnings: readonly string[];
  /** What should have gone and could not. */
  readonly failures: readonly string[];
}

/** What was done with files, and what with attachments. */
function done(report: Report, warnings: readonly string[], ...told: readonly Told[]): Done {
  const items = [...report.items, ...told.flatMap((one) => one.items)];
  return {
    report: { ...report, changed: report.changed || items.length > report.items.length, items },
    warnings: [...warnings, ...told.flatMap((one) => one.warnings)],
    failures: told.flatMap((one) => one.failures),
  };
}

const SLOW =
  `there is no ${NATIVE} for this machine beside this program, so every pod's start waits for ` +
  'Node to start: build it (npm run build) and install again; --host node says that it is meant so';

/** The options that both commands have. */
function common(options: Options<typeof COMMON>) {
  const conf_dir = options['conf-dir'];
  return {
    json: wantsJson(options.output),
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
  const more = {
    ...({ types: 'value', conflist: 'value', host: 'value', 'man-dir': 'value' } as const),
    ...({ 'no-man': 'flag', 'create-dirs': 'flag' } as const),
  };
  const table = { ...COMMON, ...more };
  const { help, options } = parseArgs(args, table);
  if (help) return undefined;
  const { json, bin_dir, conf_dir = CONF_DIR, dry_run } = common(options);
  const { conflist, 'create-dirs': create_dirs } = options;
  const types = typesOf(options.types, all());
  const { 'man-dir': man_dir, 'no-man': none } = options;
  if (none && man_dir !== undefined) throw new UsageError('--man-dir and --no-man: choose one');
  const run = () => {
    if (executable === undefined) {
      throw new InstallError(
        'only the single executable can install itself: build it (npm run build) and run ' +
          'dist/fairlead install',
      );
    }
    const native = nativeOf(executable, options.host);
    if (conflist !== undefined) refuseUseless(conflist, invocation.against(conflist, bin_dir));
    const usual = options['bin-dir'] === undefined;
    const found = manualOf(executable, { dir: man_dir, none, usual });
    const manual = typeof found === 'string' ? undefined : found;
    const what = { source: executable, native, version, types, conflist, manual };
    const report = install({ ...what, bin_dir, conf_dir, create_dirs, dry_run });
    const slow = native === undefined && options.host !== 'node' ? [SLOW] : [];
    if (typeof found === 'string' && found !== '') slow.push(found);
    const { node } = invocation;
    const dead = dry_run ? [] : [drainDead(node)];
    return done(report, slow, ...dead, tellStrangers(node, { bin_dir, conf_dir, types }));
  };
  return { json, run };
}

function prepareUninstall({ args, node }: Invocation): Prepared {
  const { help, options } = parseArgs(args, { ...COMMON, drain: 'flag', leave: 'flag' } as const);
  if (help) return undefined;
  const { json, bin_dir, conf_dir, dry_run } = common(options);
  const { drain, leave } = options;
  if (drain && leave) throw new UsageError('--drain and --leave: choose one');
  const run = () => {
    // Whoever says --drain may come back for attachments after the programs went.
    const installed = drain || readManifest(bin_dir) !== undefined;
    const leaving = drain ? 'drain' : leave ? 'leave' : 'ask';
    const warnings = installed ? refuseWhileAttached(node, leaving) : [];
    const report = uninstall({ bin_dir, conf_dir, dry_run });
    const stays = leave || !installed || warnings.length > 0;
    return done(report, warnings, ...(stays ? [] : [takeAway(node, drain, dry_run)]));
  };
  return { json, run };
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
    const { report, warnings, failures } = prepared.run();
    const told = [...warnings, ...failures];
    if (json) write(1, `${JSON.stringify({ ...report, version, warnings: told })}\n`);
    else write(1, formatReport(report, version));
    for (const line of json ? [] : told) write(2, `fairlead ${command}: ${line}\n`);
    return failures.length > 0 ? EXIT_FAILED : 0;
  } catch (error) {
    if (error instanceof UsageError) return tellUsage(command, invocation.args, write, error);
    const text = explain(error);
    if (json) write(1, `${JSON.stringify({ command, version, error: text })}\n`);
    else write(2, `fairlead ${command}: ${text}\n`);
    return EXIT_FAILED;
  }
}
