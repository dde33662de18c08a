// SPDX-License-Identifier: Apache-2.0
// A recorded call on the simulated kernel, which starts as the recording says that the machine was:
// so it can go another way than it went, and become a fixture. It compares what is changed with
// what was, and says from where on they part. It refuses to go beyond that.
import { type Driver, OsError } from '../abi/index.ts';
import { Halt } from '../bind.ts';
import { type Answer, performTask } from '../core.ts';
import { failing, type Recorded, recording as taping, wrap } from '../drivers/record.ts';
import { simulatedDriver } from '../drivers/simulated.ts';
import { type Recording, RecordingError } from './format.ts';
import { type Ground, groundOf } from './ground.ts';
import { READS } from './reads.ts';
import { perform, stdinOf } from './replay.ts';

/** What the recording is rehearsed with. */
export interface Modules {
  /** tools.wasm. */
  readonly core: WebAssembly.Module;
  readonly sim: WebAssembly.Module;
}

export interface Rehearsed extends Ground {
  readonly answer: Answer;
  readonly operations: readonly Recorded[];
  readonly log: readonly string[];
  /** The state at first and at the end. */
  readonly before: string;
  readonly after: string;
  /** From where on the simulation goes another way; "" when it does not. */
  readonly parts: string;
}

const ENOENT = 2;
const UNKNOWN_NFT: Readonly<Record<string, unknown>> = { generation: '0' };

/** What the recording says of nftables before it was changed, in the lines of a state. */
function nftLines({ core }: Modules, { operations }: Recording): string[] {
  const changed = operations.findIndex(({ op }) => op === 'nft.batch');
  const asked = operations.slice(0, changed < 0 ? operations.length : changed);
  const key = (op: string, args: unknown): string => JSON.stringify({ op, args });
  const known = new Map<string, Recorded>();
  for (const one of asked) {
    const at = key(one.op, one.args);
    if (one.op.startsWith('nft.') && !known.has(at)) known.set(at, one);
  }
  if (known.size === 0) return [];
  const driver = wrap({} as Driver, (op, args) => {
    const found = known.get(key(`${op.module}.${op.name}`, args));
    if (found?.errno !== undefined) throw new OsError(found.errno, found.text);
    if (found !== undefined) return found.value;
    if (op.name === 'chain_get') throw new OsError(ENOENT);
    return UNKNOWN_NFT[op.name] ?? [];
  });
  const around = { stdin: () => new Uint8Array(0), sleep: () => {}, log: () => {} };
  const { exit_code, stdout } = performTask(core, driver, 'nft_state', {}, around);
  return exit_code === 0 ? (JSON.parse(stdout) as { lines: string[] }).lines : [];
}

/** Arguments that are the same on any machine: no handles, ifindexes, contents or addresses. */
const TOLD = ['name', 'peer_name', 'key', 'value', 'path', 'dir', 'dst', 'gw', 'src', 'words'];

/** An operation as it would be asked on any machine. */
function likeness({ op, args }: Recorded): string {
  const told = op.startsWith('kernel.addr_') ? [...TOLD, 'address'] : TOLD;
  const entries = told.flatMap((name) => (name in args ? [`${name}=${args[name]}`] : []));
  return `${op}(${entries.join(', ')})`;
}

/** Whether it changes what a state has. */
function changes({ op, args }: Recorded): boolean {
  const [, name = ''] = op.split('.');
  if (READS.has(name) || name === 'dir_make' || name === 'dir_lock') return false;
  return !`${args['path'] ?? args['dir'] ?? ''}/`.includes('/leases/');
}

function partingOf(then: readonly Recorded[], now: readonly Recorded[]): string {
  const numbered = then
    .map((one, index) => ({ one, n: index + 1 }))
    .filter(({ one }) => changes(one));
  const changed = now.filter(changes);
  for (const [index, { one, n }] of numbered.entries()) {
    const other = changed[index];
    if (other === undefined) return `operation ${n}, ${likeness(one)}, is not asked`;
    if (likeness(other) !== likeness(one)) {
      return `operation ${n} was ${likeness(one)}, simulated it is ${likeness(other)}`;
    }
  }
  const more = changed[numbered.length];
  return more === undefined ? '' : `${likeness(more)} is asked after all that was recorded`;
}

/** A run on the ground; the n-th operation fails when that is wanted. */
function run(
  { core, sim }: Modules,
  recording: Recording,
  ground: Ground,
  fault?: { readonly n: number; readonly errno: number },
): Rehearsed {
  const machine = simulated(sim, ground.text);
  const before = machine.dump();
  const operations: Recorded[] = [];
  const log: string[] = [];
  const inner = fault === undefined ? machine : failing(machine, fault.n, fault.errno);
  const driver = taping(inner, (entry) => operations.push(entry));
  const around = {
    stdin: () => stdinOf(recording),
    log: (line: string) => void log.push(line),
    sleep: () => {},
  };
  const answer = performed(core, recording, driver, around);
  const parts = fault === undefined ? partingOf(recording.operations, operations) : '';
  const other = fault === undefined && recording.end?.exit_code !== answer.exit_code;
  const said = parts === '' && other ? `it exits with ${answer.exit_code}` : parts;
  return { ...ground, answer, operations, log, before, after: machine.dump(), parts: said };
}

/** A simulation answers all but what is on standard input. */
function performed(...call: Parameters<typeof perform>): Answer {
  try {
    return perform(...call);
  } catch (error) {
    if (!(error instanceof Halt)) throw error;
    throw new RecordingError('it ends before the call had read its configuration');
  }
}

function simulated(sim: WebAssembly.Module, text: string) {
  try {
    return simulatedDriver(sim, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RecordingError(`what it says of the machine cannot be simulated: ${why}`);
  }
}

/** The call once more on the simulated kernel. */
export function rehearse(modules: Modules, recording: Recording): Rehearsed {
  return run(modules, recording, groundOf(recording, nftLines(modules, recording)));
}

/**
 * The call on the simulated kernel with operation `n` of the recording failing; `at` is where that
 * is among the operations of the simulation, from 1.
 */
export function rehearseFailure(
  modules: Modules,
  recording: Recording,
  n: number,
  errno: number,
): Rehearsed & { readonly at: number } {
  const wanted = recording.operations[n - 1];
  if (wanted === undefined) {
    throw new RecordingError(`it has ${recording.operations.length} operations, and no ${n}th`);
  }
  const like = likeness(wanted);
  const nth = recording.operations.slice(0, n).filter((one) => likeness(one) === like).length;
  const whole = rehearse(modules, recording);
  let seen = 0;
  const at = 1 + whole.operations.findIndex((one) => likeness(one) === like && ++seen === nth);
  if (at === 0) {
    const why = whole.parts === '' ? '' : `: ${whole.parts}`;
    throw new RecordingError(`the simulation does not come to operation ${n}, ${like}${why}`);
  }
  return { ...run(modules, recording, whole, { n: at, errno }), at, parts: whole.parts };
}
