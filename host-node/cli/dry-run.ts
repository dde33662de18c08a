// SPDX-License-Identifier: Apache-2.0
// `--dry-run` of the runtime's verbs: the core performs the task on the simulated kernel, which
// starts with a snapshot of this machine, and what it did there is told. Which files and namespaces
// matter the core itself says by asking for them: the task is done anew, on a larger snapshot,
// until it asks for nothing more. Nothing on the machine is changed, locked or executed.
import { type Driver, type Link, type Operation, OsError } from '../abi/index.ts';
import { type Answer, performTask } from '../core.ts';
import { type RealOptions, realDriver } from '../drivers/index.ts';
import { wrap } from '../drivers/record.ts';
import { type SimulatedDriver, simulatedDriver } from '../drivers/simulated.ts';
import { READS } from '../recording/reads.ts';
import { type DryOperation, type DryRun, difference } from './dry-run-report.ts';
import { likeOf, type Names } from './like.ts';
import { type SnapshotOptions, snapshot } from './snapshot.ts';
import { EXIT_NO_PROGRAM } from './snapshot-files.ts';
import { notesOf, SnapshotError } from './snapshot-notes.ts';

/** A task as performTask takes it. */
export interface DryRunOptions extends RealOptions {
  /** tools.wasm and sim.wasm. */
  readonly core: WebAssembly.Module;
  readonly sim: WebAssembly.Module;
  /** add, del, check, gc or status. */
  readonly name: string;
  /** The request of core-as/tasks/tasks.ts. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Tell the operations too that change nothing. */
  readonly all?: boolean;
}

/** Why there is no dry run; the text says what to do. */
export class DryRunError extends Error {}

/** Each pass asks for what the last one found; a chain of references is not longer. */
const PASSES_LIMIT = 20;
const EACCES = 13;
/** CNI error of what is not there yet (core-as/spec/error.ts). */
const CODE_NOT_SUPPORTED = 104;

/** The index of leases, which the text of a state leaves out: it says what the leases say. */
const INDEX_DIR = '/run/fairlead/leases/';

type Args = Readonly<Record<string, unknown>>;

/** What the core has asked about so far; the next snapshot has it. */
class Wanted {
  readonly netns = new Set<string>();
  readonly folders = new Set<string>();
  readonly files = new Set<string>();
  readonly programs = new Set<string>();
  readonly sockets = new Set<string>();
  nft = false;

  get size(): number {
    const paths =
      this.netns.size +
      this.folders.size +
      this.files.size +
      this.programs.size +
      this.sockets.size;
    return paths + Number(this.nft);
  }

  note(op: Operation, args: Args): void {
    const [dir, path] = [String(args['dir']), String(args['path'])];
    if (op.name === 'netns_open') this.netns.add(path);
    else if (op.module === 'nft') this.nft = true;
    else if (op.name === 'socket_call') this.sockets.add(path);
    else if (op.module === 'plugin') this.programs.add(path);
    // Of a folder that is made only its being there matters.
    else if (op.name === 'dir_make') this.files.add(dir);
    else if ('dir' in op.params) this.folders.add(dir);
    else if (op.module === 'store' && 'path' in op.params && !this.#isInFolder(path)) {
      this.files.add(path);
    }
  }

  #isInFolder(path: string): boolean {
    return this.folders.has(path.slice(0, path.lastIndexOf('/')));
  }
}

function textOf(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(value);
  const bytes = Buffer.from(value);
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') };
}

/** Paths of handles and names of links, as the simulated kernel has them at the moment. */
class Machine implements Names {
  readonly #driver: Driver;
  readonly #paths = new Map<number, string>();

  constructor(driver: Driver, hostNetns: string | undefined) {
    this.#driver = driver;
    if (hostNetns !== undefined) this.#paths.set(0, hostNetns);
  }

  opened(handle: number, path: string): void {
    this.#paths.set(handle, path);
  }

  netns(handle: number): string {
    return this.#paths.get(handle) ?? '';
  }

  link(ns: number, ifindex: number): string {
    return this.#link(ns, ifindex)?.name ?? `if${ifindex}`;
  }

  /** Whether an operation, if it succeeds, leaves anything other than it was. */
  matters(op: Operation, args: Args): boolean {
    if (READS.has(op.name)) return false;
    if (`${args['path'] ?? args['dir']}/`.startsWith(INDEX_DIR)) return false;
    const ns = Number(args['ns']);
    if (op.name === 'sysctl_write') {
      const value = this.#sysctl(ns, String(args['key']));
      return value === undefined || value !== String(args['value']).trim();
    }
    const makes = op.name === 'dir_make' || (op.name === 'dir_lock' && args['create'] === 1);
    if (makes) return !this.#isFolder(String(args['dir']));
    if (op.name === 'dir_lock') return false;
    if (!op.name.startsWith('link_set_')) return true;
    const link = this.#link(ns, Number(args['ifindex']));
    if (link === undefined) return true;
    if (op.name === 'link_set_up') return !link.up;
    if (op.name === 'link_set_down') return link.up;
    if (op.name === 'link_set_promisc') return link.promisc !== (args['on'] !== 0);
    return true;
  }

  #link(ns: number, ifindex: number): Link | undefined {
    return this.#ask(() => this.#driver.link_get_index({ ns, ifindex }) as Link);
  }

  #sysctl(ns: number, key: string): string | undefined {
    return this.#ask(() => Buffer.from(this.#driver.sysctl_read({ ns, key })).toString());
  }

  #isFolder(dir: string): boolean {
    return this.#ask(() => this.#driver.dir_list({ dir })) !== undefined;
  }

  #ask<T>(question: () => T): T | undefined {
    try {
      return question();
    } catch (error) {
      if (error instanceof OsError) return undefined;
      throw error;
    }
  }
}

/** What a call of a foreign plugin is about, as far as its answer depends on it. */
interface PluginCall {
  readonly path: string;
  readonly type: string;
  readonly command: string;
  /** The configuration on its standard input. */
  readonly config: { readonly type?: unknown; readonly prevResult?: unknown };
}

function pluginCall(args: Args): PluginCall {
  const path = String(args['path']);
  const block = Buffer.from(args['env'] as Uint8Array).toString();
  const pairs = block.split('\0').map((pair) => pair.split('=', 2));
  const command = pairs.find(([name]) => name === 'CNI_COMMAND')?.[1] ?? '';
  const config = JSON.parse(Buffer.from(args['stdin'] as Uint8Array).toString());
  return { path, type: path.slice(path.lastIndexOf('/') + 1), command, config };
}

/** Answers in the place of foreign plugins, none of which is executed. */
class Foreigners {
  readonly notes: string[] = [];
  #refused = false;

  /** What the call gives; its `program` is what the simulated kernel knows of the file. */
  answer(call: PluginCall, program: { readonly exit_code: number }): unknown {
    if (program.exit_code === EXIT_NO_PROGRAM) throw new OsError(EACCES, call.path);
    const { config, command, path } = call;
    // An IPAM plugin reads the configuration of the plugin that it serves.
    const ipam = config.type !== call.type;
    const gives = command !== 'ADD' || (!ipam && config.prevResult !== undefined);
    if (!gives) return this.#refuse(call, ipam);
    const assumed = command === 'ADD' ? 'to pass the result on as it is' : 'to succeed';
    if (!this.#refused) this.notes.push(`would execute ${path} ${command}; taken ${assumed}`);
    return ended(0, command === 'ADD' ? JSON.stringify(config.prevResult) : '');
  }

  #refuse(call: PluginCall, ipam: boolean): unknown {
    // What undoes it would not happen either.
    this.#refused = true;
    const which = ipam
      ? `which address the IPAM plugin "${call.type}" would give`
      : `what the plugin "${call.type}", first of its chain, would make`;
    const msg = `a dry run cannot tell ${which}: it would have to execute ${call.path}`;
    return ended(1, JSON.stringify({ code: CODE_NOT_SUPPORTED, msg }));
  }
}

function ended(exit_code: number, stdout: string): unknown {
  return { exit_code, signal: '', stdout, stderr: '' };
}

/** One pass: the task on one snapshot. */
class Pass {
  readonly operations: DryOperation[] = [];
  readonly foreigners = new Foreigners();
  readonly log: string[] = [];
  readonly before: string;
  readonly answer: Answer;
  readonly #simulated: SimulatedDriver;
  readonly #machine: Machine;
  readonly #wanted: Wanted;
  readonly #all: boolean;

  constructor(options: DryRunOptions, text: string, wanted: Wanted) {
    this.#simulated = simulated(options.sim, text);
    this.#machine = new Machine(this.#simulated, options.hostNetns);
    this.#wanted = wanted;
    this.#all = options.all === true;
    this.before = this.#simulated.dump();
    const driver = wrap(this.#simulated, (op, args, run) => this.#around(op, args, run));
    this.answer = performTask(options.core, driver, options.name, options.request, {
      stdin: () => new Uint8Array(0),
      log: (line) => this.log.push(line),
      // Time does not pass in a simulation.
      sleep: () => {},
    });
  }

  after(): string {
    return this.#simulated.dump();
  }

  #around(op: Operation, args: Args, run: () => unknown): unknown {
    this.#wanted.note(op, args);
    const matters = this.#machine.matters(op, args);
    // Before it runs: a link that is removed has its name until then, and bytes move on.
    const told = this.#all || matters;
    const like = told ? likeOf(op, args, this.#machine) : '';
    const plain = told ? entries(args) : {};
    const tell = (outcome: object): void => {
      const name = `${op.module}.${op.name}`;
      if (told) this.operations.push({ op: name, args: plain, ...outcome, like });
    };
    try {
      const value = op.name === 'exec' ? this.#execute(args, run) : run();
      if (op.name === 'netns_open') this.#machine.opened(Number(value), String(args['path']));
      tell(value === undefined ? {} : { value: textOf(value) });
      return value;
    } catch (error) {
      // What failed has changed nothing.
      if (error instanceof OsError && this.#all) tell({ errno: error.errno });
      throw error;
    }
  }

  #execute(args: Args, run: () => unknown): unknown {
    const call = pluginCall(args);
    return this.foreigners.answer(call, run() as { readonly exit_code: number });
  }
}

function entries(args: Args): Args {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, textOf(value)]));
}

function simulated(sim: WebAssembly.Module, text: string): SimulatedDriver {
  try {
    return simulatedDriver(sim, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const line = text.split('\n')[Number(/^line (\d+)/.exec(why)?.[1]) - 1] ?? '';
    throw new DryRunError(
      `the state of this machine cannot be simulated: ${why}: please report this line: ${line}`,
    );
  }
}

function taken(options: SnapshotOptions): string {
  try {
    return snapshot(options);
  } catch (error) {
    if (error instanceof SnapshotError) throw new DryRunError(error.message);
    throw error;
  }
}

/** Lines of the state's text; a note where it could not be read. */
interface NftState {
  readonly lines: readonly string[];
  readonly note?: string;
}

/** What this machine has in nftables, as the core reads it. */
function nftState(core: WebAssembly.Module, real: RealOptions): NftState {
  const driver = realDriver(real);
  const around = { stdin: () => new Uint8Array(0), sleep: () => {}, log: () => {} };
  try {
    const { exit_code, stdout } = performTask(core, driver, 'nft_state', {}, around);
    if (exit_code === 0) return JSON.parse(stdout) as NftState;
    const { msg, details = '' } = JSON.parse(stdout) as { msg: string; details?: string };
    return { lines: [], note: `left out: what stands in nftables: ${msg} ${details}`.trimEnd() };
  } finally {
    driver.close();
  }
}

/**
 * Performs the task without doing it. Throws DryRunError when that cannot be done; an error of the
 * task itself is its answer.
 */
export function dryRun(options: DryRunOptions): DryRun {
  const { hostNetns, root, request } = options;
  const real: RealOptions = {
    ...(hostNetns === undefined ? {} : { hostNetns }),
    ...(root === undefined ? {} : { root }),
  };
  const wanted = new Wanted();
  let nft: NftState | undefined;
  // The core would ask for these soon enough; this way there are fewer passes.
  if (typeof request['confDir'] === 'string') wanted.folders.add(request['confDir']);
  if (typeof request['netns'] === 'string') wanted.netns.add(request['netns']);
  for (let passes = 0; passes < PASSES_LIMIT; passes++) {
    const size = wanted.size;
    const { netns, folders, files, programs, sockets } = wanted;
    if (wanted.nft) nft ??= nftState(options.core, real);
    const { lines = [], note } = nft ?? {};
    const text = taken({ ...real, netns, folders, files, programs, sockets, nft: lines });
    const pass = new Pass(options, text, wanted);
    if (wanted.size > size) continue;
    const after = pass.after();
    return {
      command: options.name,
      answer: pass.answer,
      operations: pass.operations,
      changes: difference(pass.before, after),
      notes: [...pass.foreigners.notes, ...notesOf(text), ...(note === undefined ? [] : [note])],
      log: pass.log,
      before: pass.before,
      after,
    };
  }
  throw new DryRunError(
    `the dry run wanted more of this machine in each of ${PASSES_LIMIT} passes: please report it`,
  );
}
