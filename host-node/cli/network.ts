// `fairlead add|del|check|gc|status` and `fairlead networks`: what cnitool does, with its
// environment and its container ids, so that either takes over what the other attached. The core
// finds the network, runs the chain and keeps the cache; this reads options and prints.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { type OptionKind, type Options, parseArgs, UsageError } from './args.ts';
import { type DryRun, DryRunError, dryRunDocument, printDryRun } from './dry-run.ts';
import { EXIT_FAILED, guarded, type Io, tellFailure, wantsJson } from './io.ts';

export type Verb = 'add' | 'del' | 'check' | 'gc' | 'status';
export const VERBS: readonly string[] = ['add', 'del', 'check', 'gc', 'status'];

const CONF_DIR = '/etc/cni/net.d';
const CACHE_DIR = '/var/lib/cni';
const BIN_DIR = '/opt/cni/bin';
const IFNAME = 'eth0';
/** What cnitool makes of a namespace's path. */
const ID_PREFIX = 'cnitool-';
const ID_DIGITS = 20;

const WHERE = `  --conf-dir DIR          where networks are looked for ($NETCONFPATH, ${CONF_DIR})
  --path DIR[:DIR…]       where foreign plugins are ($CNI_PATH, ${BIN_DIR})
  --cache-dir DIR         where results are kept ($FAIRLEAD_CACHE_DIR, ${CACHE_DIR})
  --dry-run               show what would be done and changed, on a snapshot of this machine
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
  status: 'Exit code 1 with CNI error 50 when it would not.',
};

function help(verb: Verb): string {
  const about = verb === 'gc' || verb === 'status' ? '' : WHICH;
  const operands = about === '' ? 'NETWORK' : 'NETWORK NETNS';
  return `fairlead ${verb}: ${ABOUT[verb]}

Usage:
  fairlead ${verb} ${operands} [OPTION…]

${about}${WHERE}
${MORE[verb]}
Exit codes: 0 done; 1 a CNI error; 2 wrong usage. Manual: docs/fairlead.8.md
`;
}

const PLACES = {
  'conf-dir': 'value',
  path: 'value',
  'cache-dir': 'value',
  'dry-run': 'flag',
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

/** A path of a namespace: `blue` is /var/run/netns/blue, as ip-netns(8) has it. */
export function netnsPath(operand: string): string {
  return operand.includes('/') ? resolve(operand) : `/var/run/netns/${operand}`;
}

/** The container id that cnitool gives a namespace. */
export function containerIdOf(netns: string): string {
  const digest = createHash('sha512').update(netns).digest('hex');
  return ID_PREFIX + digest.slice(0, ID_DIGITS);
}

function placesOf(options: Options<typeof PLACES>, env: Io['env']) {
  const conf = options['conf-dir'] ?? (env['NETCONFPATH'] || CONF_DIR);
  const cache = options['cache-dir'] ?? (env['FAIRLEAD_CACHE_DIR'] || CACHE_DIR);
  const path = options.path ?? (env['CNI_PATH'] || BIN_DIR);
  return { confDir: resolve(conf), cacheDir: resolve(cache), path };
}

/** CNI_ARGS; like cnitool it takes pairs with both a key and a value only. */
function argsOf(given: string | undefined): string {
  if (given === undefined || given === '') return '';
  for (const pair of given.split(';')) {
    if (!/^[^=]+=.+$/.test(pair)) {
      throw new UsageError(`invalid CNI_ARGS pair "${pair}": write KEY=VALUE;KEY=VALUE`);
    }
  }
  return given;
}

function capabilitiesOf(given: string | undefined): unknown {
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
  readonly request: Readonly<Record<string, unknown>>;
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
  const request = {
    ...placesOf(options, env),
    network,
    netns,
    ifname: options.ifname ?? (env['CNI_IFNAME'] || IFNAME),
    containerID: options['container-id'] ?? containerIdOf(netns),
    args: argsOf(options.args ?? env['CNI_ARGS']),
    capabilities: capabilitiesOf(options.capabilities ?? env['CAP_ARGS']),
    insists: options.capabilities !== undefined,
  };
  return { json: wantsJson(options.output), dry_run: options['dry-run'], request };
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
  const json = wantsJson(common.output);
  return { json, dry_run: common['dry-run'], request, options };
}

function asked(verb: Verb, args: readonly string[], env: Io['env']): Asked | undefined {
  if (verb === 'status') return askedOfNetwork(args, env, PLACES);
  if (verb !== 'gc') return askedOfContainer(args, env);
  const given = askedOfNetwork(args, env, COLLECT);
  if (given === undefined) return undefined;
  return { ...given, request: { ...given.request, valid: validOf(given.options) } };
}

/** A result of ADD, of any version of the spec. */
interface Result {
  readonly interfaces?: readonly { name: string; mac?: string; sandbox?: string; mtu?: number }[];
  readonly ips?: readonly { address: string; gateway?: string; interface?: number }[];
  readonly routes?: readonly { dst: string; gw?: string }[];
  readonly dns?: Readonly<Record<string, string | readonly string[]>>;
  readonly ip4?: { ip: string; gateway?: string; routes?: readonly { dst: string; gw?: string }[] };
  readonly ip6?: Result['ip4'];
}

const COLUMN = 10;
/** One line of a result; what is not there is left out. */
function row(what: string, ...words: (string | undefined | false)[]): string {
  const there = words.filter((word) => word !== undefined && word !== false && word !== '');
  return `  ${what.padEnd(COLUMN)} ${there.join(' ')}`;
}
const via = (gw: string | undefined): string | undefined => (gw ? `via ${gw}` : undefined);

/** The lines of a result for a person. */
export function resultLines(result: Result): string[] {
  const { interfaces = [], ips = [], routes = [], dns = {} } = result;
  const lines = interfaces.map(({ name, mac, sandbox, mtu }) =>
    row('interface', name, mac, mtu !== undefined && `mtu ${mtu}`, sandbox || 'on the host'),
  );
  for (const { address, gateway, interface: at } of ips) {
    const on = interfaces[at ?? -1]?.name;
    lines.push(row('address', address, on && `on ${on}`, gateway && `gateway ${gateway}`));
  }
  for (const old of [result.ip4, result.ip6]) {
    if (old === undefined) continue;
    lines.push(row('address', old.ip, old.gateway && `gateway ${old.gateway}`));
    for (const { dst, gw } of old.routes ?? []) lines.push(row('route', dst, via(gw)));
  }
  for (const { dst, gw } of routes) lines.push(row('route', dst, via(gw)));
  for (const [key, value] of Object.entries(dns)) {
    lines.push(row(key, Array.isArray(value) ? value.join(', ') : String(value)));
  }
  return lines;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What a verb that succeeded says to a person. */
function told(verb: Verb, request: Asked['request'], stdout: string): string {
  const { network, ifname, netns } = request as Readonly<Record<string, string>>;
  if (verb === 'add') {
    const lines = resultLines(JSON.parse(stdout) as Result);
    return `${[`${ifname} in ${netns} is on network ${network}:`, ...lines].join('\n')}\n`;
  }
  if (verb === 'gc') {
    const { deleted, valid } = JSON.parse(stdout) as { deleted: object[]; valid: number };
    const gone = plural(deleted.length, 'attachment');
    return `network ${network}: ${gone} removed, ${valid} valid\n`;
  }
  if (verb === 'status') return `network ${network} is ready\n`;
  const done = verb === 'del' ? 'is off' : 'is as it was attached to';
  return `${ifname} in ${netns} ${done} network ${network}\n`;
}

/** Shows what a verb would do; the exit code is the one it would have. */
function rehearse(verb: Verb, { request, json }: Asked, io: Io): number {
  let report: DryRun;
  try {
    report = io.rehearse(verb, request);
  } catch (error) {
    if (!(error instanceof DryRunError)) throw error;
    io.write(2, `fairlead ${verb}: ${error.message}\n`);
    return EXIT_FAILED;
  }
  io.write(1, json ? `${JSON.stringify(dryRunDocument(report))}\n` : printDryRun(report));
  return report.answer.exit_code;
}

/** Runs a verb and gives the exit code. */
export function runVerb(verb: Verb, args: readonly string[], io: Io): number {
  return guarded(verb, io, () => {
    const given = asked(verb, args, io.env);
    if (given === undefined) {
      io.write(1, help(verb));
      return 0;
    }
    if (given.dry_run) return rehearse(verb, given, io);
    const answer = io.task(verb, given.request);
    if (answer.exit_code !== 0) return tellFailure(verb, io, answer, given.json);
    const json = answer.stdout === '' ? '' : `${answer.stdout}\n`;
    io.write(1, given.json ? json : told(verb, given.request, answer.stdout));
    return 0;
  });
}

const NETWORKS_HELP = `fairlead networks: what networks there are

Usage:
  fairlead networks [--conf-dir DIR] [--output json]

  --conf-dir DIR    where networks are looked for ($NETCONFPATH, ${CONF_DIR})
  --output json     JSON on stdout in place of lines

Of several files with one network the first one listed counts. Exit codes: 0 done; 1 a file or the
folder cannot be read; 2 wrong usage.
`;

interface Network {
  readonly name: string;
  readonly cniVersion: string;
  readonly path: string;
  readonly plugins: readonly string[];
  readonly error?: string;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}

/** Runs `networks` and gives the exit code. */
export function runNetworks(args: readonly string[], io: Io): number {
  return guarded('networks', io, () => {
    const { help: wanted, options } = parseArgs(args, { 'conf-dir': 'value', output: 'value' });
    if (wanted) {
      io.write(1, NETWORKS_HELP);
      return 0;
    }
    const json = wantsJson(options.output);
    const confDir = resolve(options['conf-dir'] ?? (io.env['NETCONFPATH'] || CONF_DIR));
    const answer = io.task('networks', { confDir });
    if (answer.exit_code !== 0) return tellFailure('networks', io, answer, json);
    const { networks } = JSON.parse(answer.stdout) as { networks: Network[] };
    const broken = networks.filter((network) => network.error !== undefined);
    if (json) {
      io.write(1, `${answer.stdout}\n`);
    } else if (networks.length === 0) {
      io.write(1, `no network in ${confDir}\n`);
    } else {
      const rows = networks
        .filter((network) => network.error === undefined)
        .map(({ name, cniVersion, plugins, path }) => [name, cniVersion, plugins.join(','), path]);
      io.write(1, table([['NETWORK', 'VERSION', 'PLUGINS', 'FILE'], ...rows]));
      for (const { path, error } of broken) io.write(2, `${path}: ${error}\n`);
    }
    return broken.length === 0 ? 0 : 1;
  });
}

const REPAIR_HELP = `fairlead repair: put back what somebody flushed out of nftables

Usage:
  fairlead repair [--output json]

  --output json     {"repaired": [{"network", "containerID", "ifname"}], "errors": […]}

For each attachment that lives and whose elements in our tables, or the tables themselves, are not
as its ADD left them: all of it is set again. Others' tables are not touched. Exit codes: 0 done, or
nothing to do; 1 something could not be restored; 2 wrong usage.
`;

interface Repaired {
  readonly repaired: readonly { network: string; containerID: string; ifname: string }[];
  readonly errors: readonly string[];
}

/** Runs `repair` and gives the exit code. */
export function runRepair(args: readonly string[], io: Io): number {
  return guarded('repair', io, () => {
    const { help: wanted, options } = parseArgs(args, { output: 'value' });
    if (wanted) {
      io.write(1, REPAIR_HELP);
      return 0;
    }
    const json = wantsJson(options.output);
    const answer = io.task('repair', {});
    if (answer.exit_code !== 0) return tellFailure('repair', io, answer, json);
    const { repaired, errors } = JSON.parse(answer.stdout) as Repaired;
    if (json) {
      io.write(1, `${answer.stdout}\n`);
    } else {
      for (const { network, containerID, ifname } of repaired) {
        io.write(1, `restored ${ifname} of container ${containerID} on network ${network}\n`);
      }
      io.write(1, `${plural(repaired.length, 'attachment')} restored\n`);
      for (const error of errors) io.write(2, `fairlead repair: ${error}\n`);
    }
    return errors.length === 0 ? 0 : EXIT_FAILED;
  });
}
