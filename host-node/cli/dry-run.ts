// SPDX-License-Identifier: Apache-2.0
// `--dry-run` of the runtime's verbs: the core performs the task on the simulated kernel, which
// starts with a snapshot of this machine, and what it did there is told. Which files and namespaces
// matter the core itself says by asking for them: the task is done anew, on a larger snapshot,
// until it asks for nothing more. Nothing on the machine is changed, locked or executed.
import type { Operation } from '../abi/index.ts';
import { performTask } from '../core.ts';
import { type RealOptions, realDriver } from '../drivers/index.ts';
import { type SimulatedDriver, simulatedDriver } from '../drivers/simulated.ts';
import { difference } from '../story/difference.ts';
import { type Rehearsing, rehearse, type Step } from '../story/rehearse.ts';
import type { DryOperation, DryRun } from './dry-run-report.ts';
import { type SnapshotOptions, snapshot } from './snapshot.ts';
import { notesOf, SnapshotError } from './snapshot-notes.ts';

/** On what a task is performed. */
export interface Grounds extends RealOptions {
  /** tools.wasm and sim.wasm. */
  readonly core: WebAssembly.Module;
  readonly sim: WebAssembly.Module;
  /** The request of core-as/tasks/tasks.ts. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Lines that the state is to have beside what is found. */
  readonly more?: string;
}

/** A task as performTask takes it. */
export interface DryRunOptions extends Grounds {
  /** add, del, check, gc or status. */
  readonly name: string;
  /** Tell the operations too that change nothing. */
  readonly all?: boolean;
}

/** Why there is no dry run; the text says what to do. */
export class DryRunError extends Error {}

/** Each pass asks for what the last one found; a chain of references is not longer. */
const PASSES_LIMIT = 20;

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

/** What a pass performs, on a simulated kernel that has the snapshot. */
type Perform<T> = (
  simulated: SimulatedDriver,
  rehearsing: Pick<Rehearsing, 'asked' | 'hostNetns'>,
) => T;

/** A task over the driver that a rehearsal gives it. */
export const taskOf =
  (core: WebAssembly.Module, name: string, request: unknown): Rehearsing['perform'] =>
  (driver, around) =>
    performTask(core, driver, name, request, around);

/** The steps that are told: all, or those that change something. */
function told(steps: readonly Step[], all: boolean): DryOperation[] {
  return steps
    .filter(({ changes }) => all || changes)
    .map(({ op, args, like, value, errno }) => {
      const outcome = errno === undefined ? (value === undefined ? {} : { value }) : { errno };
      return { op, args, ...outcome, like };
    });
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

/** What was performed on a snapshot that had all it asked for, and what the snapshot left out. */
interface Settled<T> {
  readonly made: T;
  readonly notes: readonly string[];
}

/** Performs on ever larger snapshots, until nothing is asked for that is not there. */
export function onSnapshot<T>(options: Grounds, perform: Perform<T>): Settled<T> {
  const { hostNetns, root, request, more = '' } = options;
  const space = hostNetns === undefined ? {} : { hostNetns };
  const real: RealOptions = { ...space, ...(root === undefined ? {} : { root }) };
  const wanted = new Wanted();
  let nft: NftState | undefined;
  // The core would ask for these soon enough; this way there are fewer passes.
  if (typeof request['confDir'] === 'string') wanted.folders.add(request['confDir']);
  const { netns: space_path } = request;
  if (typeof space_path === 'string' && space_path !== '') wanted.netns.add(space_path);
  for (let passes = 0; passes < PASSES_LIMIT; passes++) {
    const size = wanted.size;
    const { netns, folders, files, programs, sockets } = wanted;
    if (wanted.nft) nft ??= nftState(options.core, real);
    const { lines = [], note } = nft ?? {};
    const text = taken({ ...real, netns, folders, files, programs, sockets, nft: lines });
    const asked: Rehearsing['asked'] = (op, args) => wanted.note(op, args);
    const made = perform(simulated(options.sim, text + more), { ...space, asked });
    if (wanted.size > size) continue;
    return { made, notes: [...notesOf(text), ...(note === undefined ? [] : [note])] };
  }
  throw new DryRunError(
    `the dry run wanted more of this machine in each of ${PASSES_LIMIT} passes: please report it`,
  );
}

/**
 * Performs the task without doing it. Throws DryRunError when that cannot be done; an error of the
 * task itself is its answer.
 */
export function dryRun(options: DryRunOptions): DryRun {
  const { core, name, request, all = false } = options;
  const { made, notes } = onSnapshot(options, (simulated, rehearsing) =>
    rehearse({ simulated, perform: taskOf(core, name, request), ...rehearsing }),
  );
  const { answer, steps, before, after, log } = made;
  return {
    command: name,
    answer,
    operations: told(steps, all),
    changes: difference(before, after),
    notes: [...made.notes, ...notes],
    log,
    before,
    after,
  };
}
