// SPDX-License-Identifier: Apache-2.0
// `fairlead agent`: reads its configuration, keeps the node's part of the overlay until it is
// told to end, and says in lines of JSON or for people what it does. It owns arguments and
// signals.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CONF_DIR } from '../../host-node/cli/io.ts';
import { AgentCore } from '../core.ts';
import { OverlayAgent } from './agent.ts';
import { type AgentConfig, configOf } from './config.ts';
import { Flanneld } from './flannel.ts';
import { serveHealth } from './health.ts';
import { KeyFile, leavingKey } from './keys.ts';
import type { AgentState } from './plan.ts';
import { Pods, type Task } from './pods.ts';
import { Publisher } from './publish.ts';
import { screenOf } from './screen.ts';
import { type SourceParts, sourceOf } from './sources/index.ts';
import { Tender } from './tend.ts';

const EXIT_READY = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

export const AGENT_HELP = `fairlead agent: this node's part of a network of pods across machines

Usage:
  fairlead agent [run] --config FILE [OPTION…]
  fairlead agent status --config FILE [--log json]
  fairlead agent leave --config FILE
  fairlead agent rotate-key --config FILE [--log json]

Keeps this node's part of a network of pods across machines: the tunnel device, a route for each
other node, the MTU of each path; heals what others change; tells the plugin fairlead-overlay which
addresses and MTU pods get. Ends on SIGTERM, and leaves all as it is: traffic goes on.

  --config FILE     its configuration (docs/overlay.md)
  --state-dir DIR   where the plugins look (CNI_FAIRLEAD_STATE_DIR, or /run/fairlead)
  --node NAME       of this node in the source, in place of "node" of the configuration
  --disk-dir DIR    what outlives a boot: the nodes last known (/var/lib/fairlead)
  --proc-sys DIR    where sysctls are written (/proc/sys, which containers may only read)
  --log FORMAT      text, or json: a line an event; --output and -o are the same

status asks the agent that runs: its exit status is 0 while pods are served, else 1. leave takes
away what the agent has in the kernel: then no pod here reaches another node. rotate-key makes a
new key of WireGuard, which the agent that runs takes at once and publishes, and prints its public
half.
`;

export const USUAL_STATE_DIR = '/run/fairlead';
export const USUAL_DISK_DIR = '/var/lib/fairlead';

/** What goes to the log, as an object or for people. */
function logger(format: string, write: (line: string) => void) {
  return (level: 'info' | 'warn' | 'error', msg: string): void => {
    const time = new Date().toISOString();
    const line = JSON.stringify({ time, level, msg });
    write(format === 'json' ? `${line}\n` : `${time} ${level} ${msg}\n`);
  };
}

const VERBS = ['run', 'status', 'leave', 'rotate-key'];

interface Options {
  readonly verb: string;
  readonly config: string;
  /** "" for that of the configuration. */
  readonly node: string;
  readonly stateDir: string;
  readonly diskDir: string;
  readonly procSys: string;
  readonly log: string;
}

const OPTIONS = ['--config', '--node', '--state-dir', '--disk-dir', '--proc-sys', '--log'];

/** The options; a string says what is wrong with them. */
function optionsOf(args: readonly string[], stateDir: string): Options | string {
  const [first = ''] = args;
  const verb = first === '' || first.startsWith('-') ? 'run' : first;
  if (!VERBS.includes(verb)) return `what is "${verb}"? There are ${VERBS.join(', ')}`;
  const values = new Map<string, string>();
  for (let at = verb === first ? 1 : 0; at < args.length; at++) {
    const [written = '', ...rest] = args[at]!.split('=');
    const word = ['-o', '--output'].includes(written) ? '--log' : written;
    if (!OPTIONS.includes(word)) {
      return `there is no option "${word}": there are ${OPTIONS.join(', ')}`;
    }
    const value = rest.length > 0 ? rest.join('=') : args[++at];
    if (value === undefined || value === '') return `${written} needs a value`;
    if (values.has(word)) return `${written} is given twice`;
    values.set(word, value);
  }
  const config = values.get('--config');
  if (config === undefined) return 'name the configuration: --config FILE';
  const log = values.get('--log') ?? 'text';
  if (log !== 'text' && log !== 'json') return `--log is "${log}": write text or json`;
  const kept = values.get('--state-dir') ?? stateDir;
  if (!kept.startsWith('/')) return `--state-dir is "${kept}": write an absolute path`;
  const diskDir = values.get('--disk-dir') ?? USUAL_DISK_DIR;
  const node = values.get('--node') ?? '';
  const procSys = values.get('--proc-sys') ?? '/proc/sys';
  return { verb, config, node, stateDir: kept, diskDir, procSys, log };
}

/** What to do about a file that cannot be read. */
const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist: name another file',
  EISDIR: 'is a folder: name the file in it',
  EACCES: 'may not be read: run it as root, or give this user the right',
};

/** The configuration in a file; a text says what is wrong with it. `node`: "" for its own. */
export function configured(path: string, node: string): AgentConfig | string {
  try {
    const config = configOf(readFileSync(path, 'utf8'));
    return node === '' ? config : { ...config, node };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return code in UNREADABLE ? `${path} ${UNREADABLE[code]}` : `${path}: ${message}`;
  }
}

/** What the program gives a command that runs on. */
export interface AgentHost {
  /** agent.wasm. */
  readonly module: () => WebAssembly.Module;
  /** The script that only an agent with Kubernetes as its source loads. */
  readonly kubernetes: SourceParts['kubernetes'];
  /** One task of the core, with its state in a folder; a signal may end it. */
  readonly task: (stateDir: string) => Task;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (fd: number, text: string) => void;
  /** Ends the program. */
  readonly exit: (code: number) => void;
}

/** Asks the agent that runs here what it knows, and prints it. */
async function printStatus({ listen }: AgentConfig, json: boolean, host: AgentHost): Promise<void> {
  try {
    const response = await fetch(`http://${listen}/state`);
    const state = (await response.json()) as AgentState;
    host.write(1, json ? `${JSON.stringify(state, null, 2)}\n` : screenOf(state));
    host.exit(state.ready ? EXIT_READY : EXIT_FAILED);
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    const why = cause instanceof Error ? cause.message : String(error);
    host.write(2, `fairlead agent: no agent answers on ${listen}: ${why}\n`);
    host.exit(EXIT_FAILED);
  }
}

/** Where the key of this node is; undefined when the backend has none. */
function keyFileOf(
  { network }: AgentConfig,
  diskDir: string,
  log?: (msg: string) => void,
): KeyFile | undefined {
  if (network.type !== 'wireguard') return undefined;
  return new KeyFile(join(diskDir, 'overlay', `${network.name}.key`), log);
}

/** Makes a new key; the exit status. */
function rotated(key: KeyFile | undefined, json: boolean, host: AgentHost): number {
  if (key === undefined) {
    host.write(
      2,
      'fairlead agent: only "wireguard" has a key: "Type" of the configuration says it\n',
    );
    return EXIT_FAILED;
  }
  const { public_key } = key.make();
  host.write(1, `${json ? JSON.stringify({ public_key }) : public_key}\n`);
  return EXIT_READY;
}

/** Takes all away; the exit status. */
function left(agent: OverlayAgent, diskDir: string, write: (line: string) => void): number {
  const known = agent.state.subnets.length > 0;
  agent.leave();
  agent.stop();
  if (known) return EXIT_READY;
  write(`fairlead agent: nothing in ${diskDir} says what this node has: is --disk-dir right?\n`);
  return EXIT_FAILED;
}

/** Starts the agent, which then runs on; gives the exit status of what is no agent. */
export function runAgent(args: readonly string[], host: AgentHost): number {
  const write = (line: string): void => host.write(2, line);
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    host.write(1, AGENT_HELP);
    return EXIT_READY;
  }
  const options = optionsOf(args, host.env['CNI_FAIRLEAD_STATE_DIR'] || USUAL_STATE_DIR);
  if (typeof options === 'string') {
    write(`fairlead agent: ${options}\nSee fairlead help agent\n`);
    return EXIT_USAGE;
  }
  const config = configured(options.config, options.node);
  if (typeof config === 'string') {
    write(`fairlead agent: ${config}\n`);
    return EXIT_FAILED;
  }
  if (options.verb === 'status') {
    void printStatus(config, options.log === 'json', host);
    return EXIT_READY;
  }
  if (options.verb === 'rotate-key') {
    return rotated(keyFileOf(config, options.diskDir), options.log === 'json', host);
  }
  const log = logger(options.log, write);
  const leaving = options.verb === 'leave';
  const file = keyFileOf(config, options.diskDir, (msg) => log('info', msg));
  const key = leaving && file !== undefined ? leavingKey(file.path) : file;
  try {
    key?.read();
  } catch (error) {
    write(`fairlead agent: ${(error as Error).message}\n`);
    return EXIT_FAILED;
  }
  const core = new AgentCore(host.module());
  const parts = { disk_dir: options.diskDir, kubernetes: host.kubernetes, log };
  const source = sourceOf(config, parts, leaving);
  const publisher = new Publisher(config, options.stateDir);
  const follows = config.pod_mtu === 'follow' && !leaving;
  const task = host.task(options.stateDir);
  const agent = new OverlayAgent({
    ...{ core, config, source, publisher, key, log },
    flanneld: config.network.flannel && !leaving ? new Flanneld() : undefined,
    pods: follows ? new Pods(task, config.network.name, log, options.stateDir) : undefined,
    proc_sys: options.procSys,
  });
  const tender = new Tender({
    ...{ task, log, waiting: () => agent.waiting },
    own: () => ({ network: config.network.name, subnets: agent.state.subnets }),
    conf_dir: config.conflist === undefined ? CONF_DIR : dirname(config.conflist.path),
  });
  agent.start();
  if (leaving) return left(agent, options.diskDir, write);
  const server =
    config.listen === '' ? undefined : serveHealth(config.listen, () => agent.state, tender);
  if (config.gc_s > 0) tender.start(config.gc_s);
  server?.on('error', (error) => {
    log('error', `cannot listen on ${config.listen}: ${error.message}`);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log('info', `${signal}: ends, and leaves the network as it is`);
      agent.stop();
      tender.stop();
      host.exit(EXIT_READY);
    });
  }
  return EXIT_READY;
}
