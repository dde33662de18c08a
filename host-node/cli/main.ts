// SPDX-License-Identifier: Apache-2.0
// The command line: all that the program does when no runtime calls it as a plugin. It is a script
// of its own, so that a plugin call never loads it. It owns the list of subcommands and what is
// said where none is meant; each subcommand has its file.
import { resolve } from 'node:path';
import { runDhcp } from '../../agent/dhcp/command.ts';
import { type AgentHost, runAgent } from '../../agent/overlay/command.ts';
import type { Surroundings } from '../bind.ts';
import { type Answer, performTask } from '../core.ts';
import { realDriver } from '../drivers/index.ts';
import { openRecording } from '../recording/ring.ts';
import { Tape } from '../recording/tape.ts';
import { exitNow, holdSignals } from '../sys/libc.ts';
import { didYouMean } from './args.ts';
import { runCompletion } from './completion.ts';
import { runDoctor } from './doctor/command.ts';
import { dryRun } from './dry-run.ts';
import { runExplain } from './explain.ts';
import { runFuse } from './fuse.ts';
import { runInspect } from './inspect.ts';
import { runInstaller } from './install/command.ts';
import { asksForJson, CACHE_DIR, EXIT_USAGE, type Io, RUN_DIR, visible } from './io.ts';
import { runLeases } from './leases.ts';
import { runLogs } from './logs.ts';
import { runLs } from './ls.ts';
import { runMtu } from './mtu.ts';
import { runNetworks } from './networks.ts';
import { runRecord } from './record.ts';
import { runRepair } from './repair.ts';
import { runReplay } from './replay.ts';
import { runSupportBundle } from './support-bundle.ts';
import { runTrace } from './trace.ts';
import {
  describeType,
  describeTypes,
  linkNames,
  readTypes,
  type TypeRow,
  type TypeTable,
} from './types.ts';
import { reasonsAgainst, runValidate } from './validate.ts';
import { runVerb, type Verb } from './verbs.ts';

/** What main.ts of the program hands over. */
export interface Program {
  readonly args: readonly string[];
  readonly version: string;
  /** The single executable that runs; undefined for the bundle or the sources. */
  readonly executable: string | undefined;
  readonly env: Io['env'];
  readonly write: (fd: number, text: string) => void;
  /** Whether a terminal that knows colours is at the other end of standard output. */
  readonly colours: boolean;
  readonly sleep: (duration_ms: number) => void;
  /** tools.wasm, which does what core.wasm does, too. */
  readonly core: () => WebAssembly.Module;
  /** By which recordings name a module. */
  readonly hashOf: (name: 'core.wasm' | 'tools.wasm') => string;
  /** sim.wasm. */
  readonly sim: () => WebAssembly.Module;
  /** agent.wasm. */
  readonly agent: () => WebAssembly.Module;
  /** Runs fairlead-kubernetes.js; what it exports. */
  readonly kubernetes: AgentHost['kubernetes'];
}

/** A subcommand: what the list says of it, and what runs it. */
interface Command {
  readonly name: string;
  readonly operands: string;
  readonly about: string;
  readonly run: (args: readonly string[], program: Program) => number;
}

const withIo =
  (run: (args: readonly string[], io: Io) => number): Command['run'] =>
  (args, program) =>
    run(args, machine(program));

const installer =
  (command: 'install' | 'uninstall'): Command['run'] =>
  (args, program) => {
    const { version, executable, write, env } = program;
    const cache_dir = resolve(env['FAIRLEAD_CACHE_DIR'] || CACHE_DIR);
    const node = {
      task: machine(program).task,
      cache_dir,
      run_dir: env['CNI_FAIRLEAD_STATE_DIR'] || RUN_DIR,
    };
    const types = () => linkNames(typesOf(program));
    const against = (file: string, path: string) => reasonsAgainst(machine(program), file, path);
    return runInstaller(command, { args, version, executable, types, against, node, write });
  };

const dhcp: Command['run'] = (args, { agent, env, write }) =>
  runDhcp(args, {
    module: agent,
    env,
    write,
    log: (line) => write(2, `${line}\n`),
    exit: exitNow,
  });

const overlay: Command['run'] = (args, program) => {
  const { agent, kubernetes, env, write } = program;
  const nothing = (): Uint8Array => new Uint8Array(0);
  const log = (line: string): void => write(2, `${line}\n`);
  const around = { stdin: nothing, sleep: program.sleep, log };
  const task: AgentHost['task'] = (stateDir) => (name, request) => {
    const driver = realDriver();
    try {
      return performTask(program.core(), driver, name, { ...request, stateDir }, around);
    } finally {
      driver.close();
    }
  };
  return runAgent(args, { module: agent, kubernetes, task, env, write, exit: exitNow });
};

const mtu: Command['run'] = (args, program) =>
  runMtu(args, machine(program), { agent: program.agent, kubernetes: program.kubernetes });

const replay: Command['run'] = (args, { core, hashOf, sim, version, write }) =>
  runReplay(args, { core, sim, hashOf, version, write });
const explain: Command['run'] = (args, { write, env, core, sim }) =>
  runExplain(args, {
    write,
    env,
    get core() {
      return core();
    },
    get sim() {
      return sim();
    },
  });

const verb = (name: Verb): Command['run'] => withIo((args, io) => runVerb(name, args, io));
const doctor: Command['run'] = (args, program) =>
  runDoctor(args, machine(program), program.version);
const supportBundle: Command['run'] = (args, program) =>
  runSupportBundle(args, machine(program), program.version);
/** The help of each command is what it prints when asked. */
const completion: Command['run'] = (args, program) =>
  runCompletion(args, program, () =>
    COMMANDS.filter(({ name }) => name !== 'help').map(({ name, about, run }) => {
      let help = '';
      const write = (_fd: number, text: string): void => {
        help += text;
      };
      run(['--help'], { ...program, write });
      return { name, about, help };
    }),
  );
const fuse = (name: 'fuse' | 'unfuse'): Command['run'] =>
  withIo((args, io) => runFuse(name, args, io));

const ROWS: readonly (readonly [string, string, string, Command['run']])[] = [
  ['networks', '', 'the networks of /etc/cni/net.d', withIo(runNetworks)],
  ['ls', '[NETWORK]', 'the attachments of this node', withIo(runLs)],
  ['inspect', 'NAME', 'what was made, and what of it is there', withIo(runInspect)],
  ['leases', '[NETWORK]', 'the addresses of host-local: whose, free, leaked', withIo(runLeases)],
  ['validate', 'FILE…', 'what is wrong in configurations, with its place', withIo(runValidate)],
  ['explain', 'NETWORK|FILE', 'a call before it happens: each decision with its reason', explain],
  ['add', 'NETWORK NETNS', 'attach a namespace to a network', verb('add')],
  ['del', 'NETWORK NETNS', 'take an attachment away', verb('del')],
  ['check', 'NETWORK NETNS', 'compare an attachment with its ADD', verb('check')],
  ['gc', 'NETWORK', 'remove what attachments left that are gone', verb('gc')],
  ['status', 'NETWORK', 'whether an ADD would be served', verb('status')],
  ['trace', 'FROM TO[:PORT]', 'the way a packet would take, and where it ends', withIo(runTrace)],
  ['doctor', '', 'what is wrong on this node, and what cures it', doctor],
  ['repair', '', 'put back what somebody flushed out of nftables', withIo(runRepair)],
  ['record', '[on|off]', 'keep what the calls on this node ask and get', withIo(runRecord)],
  ['logs', '', 'what the recorded calls did, how long, with what outcome', withIo(runLogs)],
  ['replay', 'FILE', 'a recorded call again, without privileges', replay],
  ['fuse', 'FILE', 'a conflist as one plugin: one process for a chain', fuse('fuse')],
  ['unfuse', 'FILE', 'back to one process for each plugin', fuse('unfuse')],
  ['agent', '', 'the node in a network across machines: its tunnel, routes, MTU', overlay],
  ['mtu', '', 'what each way to other nodes takes, and whether that is true', mtu],
  ['dhcp', 'daemon', 'the daemon of the IPAM type dhcp', dhcp],
  ['install', '', 'put the program and its type names in place', installer('install')],
  ['uninstall', '', 'take away what install put in place', installer('uninstall')],
  ['support-bundle', '[FILE]', 'what a bug report needs of this node, in one file', supportBundle],
  ['completion', 'bash|zsh|fish', 'a script that completes commands and options', completion],
  ['help', '[COMMAND|TYPE]', 'options of a command, keys of a CNI type', runHelp],
  ['version', '', 'the version, and the CNI versions that are spoken', runVersion],
];
const COMMANDS: readonly Command[] = ROWS.map(([name, operands, about, run]) => {
  return { name, operands, about, run };
});

/** Words that people bring from other programs, and what it is called here. */
const KNOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  attach: 'add',
  create: 'add',
  delete: 'del',
  detach: 'del',
  rm: 'del',
  remove: 'del',
  show: 'networks',
  list: 'ls',
  ps: 'ls',
  prune: 'gc',
  diagnose: 'doctor',
  lint: 'validate',
  ready: 'status',
};

const SPOKEN = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];
const COLUMN = 26;

const typesOf = ({ core, sim }: Program): TypeTable => readTypes(core(), sim());

const commandLines = (): string =>
  COMMANDS.map(({ name, operands, about }) => {
    const call = `${name} ${operands}`;
    return `  ${call.padEnd(COLUMN)}${about}\n`;
  }).join('');

const help = (version: string, types: TypeTable): string =>
  `fairlead ${version}: CNI plugins with one WebAssembly core

Usage:
  fairlead COMMAND [OPTION…]

${commandLines()}
"fairlead help COMMAND" has its options; all that print take --output json.

As a CNI plugin (CNI_COMMAND in the environment, the network configuration on stdin) the base name
of the program is the CNI type; install makes a link for each. "fairlead help TYPE" has its keys.

${describeTypes(types)}
Exit codes: 0 done; 1 a CNI error or a failed command, told on stderr; 2 wrong usage.
`;

/** What a subcommand is given, on this machine. */
function machine(program: Program): Io {
  const log = (line: string): void => program.write(2, `${line}\n`);
  const nothing = (): Uint8Array => new Uint8Array(0);
  const around = { stdin: nothing, sleep: program.sleep, log };
  return {
    write: program.write,
    env: program.env,
    task: (name, request) => {
      const stateDir = program.env['CNI_FAIRLEAD_STATE_DIR'] ?? '';
      return onThisMachine(program, around, name, { stateDir, ...(request as object) });
    },
    rehearse: (name, request) =>
      dryRun({ core: program.core(), sim: program.sim(), name, request }),
  };
}

/** Tasks that are calls of plugins, or change what such made: a recording has them. */
const RECORDED: readonly string[] = ['add', 'del', 'check', 'gc', 'status', 'repair'];

function onThisMachine(
  program: Program,
  around: Surroundings,
  name: string,
  request: object,
): Answer {
  const { env, version } = program;
  const driver = realDriver();
  // Half an add would leave half an attachment.
  holdSignals();
  try {
    const sink = RECORDED.includes(name) ? openRecording(env, around.log) : undefined;
    if (sink === undefined) return performTask(program.core(), driver, name, request, around);
    const module_sha256 = program.hashOf('tools.wasm');
    const begun = { type: '', env: {}, version, module_sha256, task: { name, request } };
    const tape = new Tape(begun, sink);
    const [taped, heard] = [tape.driver(driver), tape.around(around)];
    const answer = performTask(program.core(), taped, name, request, heard);
    tape.end(answer, true);
    return answer;
  } finally {
    driver.close();
  }
}

function runVersion(args: readonly string[], { version, write }: Program): number {
  const json = { version, cniVersions: SPOKEN };
  const text = `fairlead ${version}\nCNI spec ${SPOKEN.join(' ')}\n`;
  write(1, asksForJson(args) ? `${JSON.stringify(json)}\n` : text);
  return 0;
}

function runHelp(args: readonly string[], program: Program): number {
  const [about = ''] = args;
  if (about === '' || about.startsWith('-')) {
    program.write(1, help(program.version, typesOf(program)));
    return 0;
  }
  const command = COMMANDS.find(({ name }) => name === (KNOWN_ELSEWHERE[about] ?? about));
  if (command !== undefined && command.name !== 'help') return command.run(['--help'], program);
  const { types } = typesOf(program);
  const type = types.find(({ name }) => name === about);
  if (type !== undefined) {
    program.write(1, describeType(type));
    return 0;
  }
  return unknown(`help ${about}`, about, program, types);
}

/** There is no such command: says which there are, and what was probably meant. */
function unknown(
  what: string,
  word: string,
  { args, write }: Program,
  types: readonly TypeRow[] = [],
): number {
  const names = COMMANDS.map(({ name }) => name);
  const here = KNOWN_ELSEWHERE[word];
  const ours = types.filter(({ ours }) => ours).map(({ name }) => name);
  const option = word.startsWith('-');
  const known = option ? ['--help', '--version'] : [...names, ...ours];
  const meant = here === undefined ? didYouMean(word, known) : `: here it is ${here}`;
  const said = `there is no ${option ? 'option' : 'command'} "${what}"${meant}`;
  if (asksForJson(args)) write(1, `${JSON.stringify({ error: said, commands: names })}\n`);
  else write(2, `fairlead: ${said}\nThere are ${names.join(', ')}: see fairlead help\n`);
  return EXIT_USAGE;
}

/** The arguments with the command in front of options that were written before it. */
function commandFirst(args: readonly string[]): readonly string[] {
  const names = COMMANDS.map(({ name }) => name);
  const at = args.findIndex((arg) => names.includes(arg));
  if (at <= 0 || !args[0]!.startsWith('-')) return args;
  return [args[at]!, ...args.slice(0, at), ...args.slice(at + 1)];
}

/** Runs the command line and gives the exit code. */
export function runCommand(given: Program): number {
  // What is printed may hold names that others chose.
  const write = (fd: number, text: string): void =>
    given.write(fd, visible(text, given.colours && fd === 1));
  const program = { ...given, write };
  const [first = '', ...rest] = commandFirst(program.args);
  if (first === '--version' || first === '-V') return runVersion(rest, program);
  if (first === '--help' || first === '-h' || first === '') return runHelp(rest, program);
  const command = COMMANDS.find(({ name }) => name === first);
  if (command !== undefined) return command.run(rest, program);
  return unknown(first, first, program);
}
