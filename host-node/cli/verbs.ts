// SPDX-License-Identifier: Apache-2.0
// `fairlead add|del|check|gc|status`: what cnitool does, with its environment and its container
// ids, so that either takes over what the other attached. The core finds the network, runs the
// chain and keeps the cache; this reads options and prints.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { type OptionKind, type Options, parseArgs, UsageError } from './args.ts';
import { DryRunError } from './dry-run.ts';
import { type DryRun, dryRunDocument, printDryRun } from './dry-run-report.ts';
import {
  BIN_DIR,
  CACHE_DIR,
  CONF_DIR,
  count,
  EXIT_FAILED,
  guarded,
  type Io,
  tellFailure,
  wantsJson,
} from './io.ts';
import { type Result, resultLines } from './result.ts';
import { reasonsAgainst } from './validate.ts';

export type Verb = 'add' | 'del' | 'check' | 'gc' | 'status';

const IFNAME = 'eth0';
/** What cnitool makes of a namespace's path. */
const ID_PREFIX = 'cnitool-';
const ID_DIGITS = 20;

const WHERE = `  --conf-dir DIR          where networks are looked for ($NETCONFPATH, ${CONF_DIR})
  --path DIR[:DIR…]       where foreign plugins are ($CNI_PATH, ${BIN_DIR})
  --cache-dir DIR         where results are kept ($FAIRLEAD_CACHE_DIR, ${CACHE_DIR})
  --dry-run               show what would be done and changed, on a snapshot of this machine
  --verbose               with --dry-run: all of it, also long lines and files of our own
  --output json           JSON on stdout, also of an error, in place of lines
`;

const WHICH = `  NETNS                   the network namespace: a name of ip-netns(8) or a path
  --ifname NAME           the interface in the container ($CNI_IFNAME, ${IFNAME})
  --container-id ID       the container (made of the path of NETNS, as cnitool makes it)
  --args KEY=VALUE[;…]    CNI_ARGS for the plugins ($CNI_ARGS)
  --capabilities JSON     values by capability, {"portMappings": […]} ($CAP_ARGS); one that no
                          plugin declares is an error of add, in $CAP_ARGS it is only told
`;

const ABOUT: Readonly<Record<Verb, string>> = {
  add: 'attach a namespace to a network',
  del: 'take an attachment away',
  check: 'compare an attachment with the result of its ADD',
  gc: 'remove what attachments left that are gone',
  status: 'tell whether an ADD would be served',
};

const MORE: Readonly<Record<Verb, string>> = {
  add: 'Our own types are served in this process, whatever lies in the path; others are executed.',
  del: 'NETNS need not be there any more. A network whose file is gone or broken is in the cache.',
  check: 'Exit code 1 when something is missing or changed.',
  gc: `Valid are the cached attachments whose namespace is there, and those being made. Or say so:
  --valid ID:IFNAME[,…]   these are valid, all others are not
  --all                   none is valid`,
  status: `Versions before 1.1.0 have no STATUS: of their networks it is said whether the
configuration and the programs that it names are in order. Exit code 1 when an ADD would fail.`,
};

function help(verb: Verb): string {
  const about = verb === 'gc' || verb === 'status' ? '' : WHICH;
  const operands = about === '' ? 'NETWORK' : 'NETWORK NETNS';
  return `fairlead ${verb}: ${ABOUT[verb]}

Usage:
  fairlead ${verb} ${operands} [OPTION…]

${about}${WHERE}
${MORE[verb]}
Exit codes: 0 done; 1 a CNI error; 2 wrong usage.
`;
}

const PLACES = {
  'conf-dir': 'value',
  path: 'value',
  'cache-dir': 'value',
  'dry-run': 'flag',
  verbose: 'flag',
  output: 'value',
} as const;
const CONTAINER = {
  ...PLACES,
  ifname: 'value',
  'container-id': 'value',
  args: 'value',
  capabilities: 'value',
} as const;
const COLLECT = { ...PLACES, valid: 'value', all: 'flag' } as const;

/** /var/run and /run are one folder (FHS 3.0, 5.13), and both are written. */
function otherSpelling(netns: string): string | undefined {
  if (netns.startsWith('/var/run/')) return netns.slice('/var'.length);
  return netns.startsWith('/run/') ? `/var${netns}` : undefined;
}

/** A path of a namespace: `blue` is /var/run/netns/blue, as ip-netns(8) has it. */
export function netnsPath(operand: string): string {
  return operand.includes('/') ? resolve(operand) : `/var/run/netns/${operand}`;
}

/** The container id that cnitool gives a namespace. */
export function containerIdOf(netns: string): string {
  const digest = createHash('sha512').update(netns).digest('hex');
  return ID_PREFIX + digest.slice(0, ID_DIGITS);
}

export function placesOf(options: Options<typeof PLACES>, env: Io['env']) {
  const conf = options['conf-dir'] ?? (env['NETCONFPATH'] || CONF_DIR);
  const cache = options['cache-dir'] ?? (env['FAIRLEAD_CACHE_DIR'] || CACHE_DIR);
  const path = options.path ?? (env['CNI_PATH'] || BIN_DIR);
  return { confDir: resolve(conf), cacheDir: resolve(cache), path };
}

/** CNI_ARGS; like cnitool it takes pairs with both a key and a value only. */
export function argsOf(given: string | undefined): string {
  if (given === undefined || given === '') return '';
  for (const pair of given.split(';')) {
    if (!/^[^=]+=.+$/.test(pair)) {
      throw new UsageError(`invalid CNI_ARGS pair "${pair}": write KEY=VALUE;KEY=VALUE`);
    }
  }
  return given;
}

export function capabilitiesOf(given: string | undefined): unknown {
  if (given === undefined || given === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch (error) {
    throw new UsageError(`--capabilities is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError('--capabilities must be an object: {"CAPABILITY": VALUE}');
  }
  return value;
}

/** The attachments of --valid and --all; undefined leaves it to the core. */
function validOf(options: Options<typeof COLLECT>): unknown {
  if (options.all && options.valid !== undefined) {
    throw new UsageError('--all and --valid exclude each other');
  }
  if (options.all) return [];
  return options.valid?.split(',').map((item) => {
    const [, containerID, ifname] = /^([^:]+):([^:]+)$/.exec(item) ?? [];
    if (containerID === undefined) {
      throw new UsageError(`--valid has "${item}": write CONTAINER-ID:IFNAME,…`);
    }
    return { containerID, ifname };
  });
}

/** What a verb was asked to do. */
interface Asked {
  readonly json: boolean;
  readonly dry_run: boolean;
  readonly verbose: boolean;
  readonly request: Readonly<Record<string, unknown>>;
}

function formOf(options: Options<typeof PLACES>): Omit<Asked, 'request'> {
  const { 'dry-run': dry_run, verbose } = options;
  if (verbose && !dry_run) throw new UsageError('--verbose goes with --dry-run');
  return { json: wantsJson(options.output), dry_run, verbose };
}

function networkOf(operands: readonly string[], least: number): string {
  if (operands.length < least) {
    throw new UsageError(operands.length === 0 ? 'NETWORK is missing' : 'NETNS is missing');
  }
  return operands[0]!;
}

function askedOfContainer(args: readonly string[], env: Io['env']): Asked | undefined {
  const { help: wanted, options, operands } = parseArgs(args, CONTAINER, 2);
  if (wanted) return undefined;
  const network = networkOf(operands, 2);
  const netns = netnsPath(operands[1]!);
  const id = options['container-id'];
  const other = id === undefined ? otherSpelling(netns) : undefined;
  const request = {
    ...placesOf(options, env),
    network,
    netns,
    ifname: options.ifname ?? (env['CNI_IFNAME'] || IFNAME),
    containerID: id ?? containerIdOf(netns),
    ...(other === undefined ? {} : { otherNetns: other, otherID: containerIdOf(other) }),
    args: argsOf(options.args ?? env['CNI_ARGS']),
    capabilities: capabilitiesOf(options.capabilities ?? env['CAP_ARGS']),
    insists: options.capabilities !== undefined,
  };
  return { ...formOf(options), request };
}

/** gc and status need no namespace; one is taken all the same, because cnitool demands it. */
function askedOfNetwork<S extends Record<string, OptionKind> & typeof PLACES>(
  args: readonly string[],
  env: Io['env'],
  table: S,
): (Asked & { readonly options: Options<S> }) | undefined {
  const { help: wanted, options, operands } = parseArgs(args, table, 2);
  if (wanted) return undefined;
  const network = networkOf(operands, 1);
  const common = options as Options<typeof PLACES>;
  const request = { ...placesOf(common, env), network };
  return { ...formOf(common), request, options };
}

function asked(verb: Verb, args: readonly string[], env: Io['env']): Asked | undefined {
  if (verb === 'status') return askedOfNetwork(args, env, PLACES);
  if (verb !== 'gc') return askedOfContainer(args, env);
  const given = askedOfNetwork(args, env, COLLECT);
  if (given === undefined) return undefined;
  return { ...given, request: { ...given.request, valid: validOf(given.options) } };
}

/** What a verb that succeeded says to a person. */
function told(verb: Exclude<Verb, 'status'>, request: Asked['request'], stdout: string): string {
  const { network, ifname, netns } = request as Readonly<Record<string, string>>;
  if (verb === 'add') {
    const lines = resultLines(JSON.parse(stdout) as Result);
    return `${[`${ifname} in ${netns} is on network ${network}:`, ...lines].join('\n')}\n`;
  }
  if (verb === 'gc') {
    const { deleted, valid } = JSON.parse(stdout) as { deleted: object[]; valid: number };
    const gone = count(deleted.length, 'attachment');
    return `network ${network}: ${gone} removed, ${valid} valid\n`;
  }
  const done = verb === 'del' ? 'is off' : 'is as it was attached to';
  return `${ifname} in ${netns} ${done} network ${network}\n`;
}

/** The same as JSON: what the core says, or which attachment it was. */
function documentOf(request: Asked['request'], stdout: string): string {
  if (stdout !== '') return `${stdout}\n`;
  const { network, containerID, ifname, netns } = request;
  return `${JSON.stringify({ network, containerID, ifname, netns })}\n`;
}

/** Tells whether a network is ready: what its plugins say, or, before 1.1.0, its configuration. */
function tellStatus({ request, json }: Asked, stdout: string, io: Io): number {
  const { network, path: programs } = request as Readonly<Record<string, string>>;
  const { asked, cniVersion, path } = JSON.parse(stdout) as {
    asked: boolean;
    cniVersion: string;
    path: string;
  };
  const reasons = asked ? [] : reasonsAgainst(io, path, programs ?? '');
  const ready = reasons.length === 0;
  if (json) {
    io.write(1, `${JSON.stringify({ network, ready, asked, cniVersion, reasons })}\n`);
  } else if (!ready) {
    const lines = reasons.map((reason) => `\n  ${reason}`).join('');
    io.write(2, `fairlead status: network ${network} cannot attach a container:${lines}\n`);
  } else if (asked) io.write(1, `network ${network} is ready\n`);
  else {
    const why = `cniVersion ${cniVersion} has no STATUS: its plugins were not asked`;
    io.write(1, `network ${network}: nothing in its configuration is wrong; ${why}\n`);
  }
  return ready ? 0 : EXIT_FAILED;
}

/** Shows what a verb would do; the exit code is the one it would have. */
function rehearse(verb: Verb, { request, json, verbose }: Asked, io: Io): number {
  let report: DryRun;
  try {
    report = io.rehearse(verb, request);
  } catch (error) {
    if (!(error instanceof DryRunError)) throw error;
    if (json) io.write(1, `${JSON.stringify({ command: verb, error: error.message })}\n`);
    else io.write(2, `fairlead ${verb}: ${error.message}\n`);
    return EXIT_FAILED;
  }
  io.write(1, json ? `${JSON.stringify(dryRunDocument(report))}\n` : printDryRun(report, verbose));
  return report.answer.exit_code;
}

/** Runs a verb and gives the exit code. */
export function runVerb(verb: Verb, args: readonly string[], io: Io): number {
  return guarded(verb, args, io, () => {
    const given = asked(verb, args, io.env);
    if (given === undefined) {
      io.write(1, help(verb));
      return 0;
    }
    if (given.dry_run) return rehearse(verb, given, io);
    const answer = io.task(verb, given.request);
    if (answer.exit_code !== 0) return tellFailure(verb, io, answer, given.json);
    if (verb === 'status') return tellStatus(given, answer.stdout, io);
    const { json, request } = given;
    io.write(1, json ? documentOf(request, answer.stdout) : told(verb, request, answer.stdout));
    return 0;
  });
}
