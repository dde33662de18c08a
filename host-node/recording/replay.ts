// SPDX-License-Identifier: Apache-2.0
// A recorded call once more, without the machine it was made on: the core asks, the recording
// answers, and what comes out is compared. It knows nothing of Node. It refuses to answer what was
// not asked then.
import type { Driver } from '../abi/index.ts';
import { OsError } from '../abi/index.ts';
import { Halt, type Surroundings } from '../bind.ts';
import { type Answer, performTask, serve } from '../core.ts';
import { replaying } from '../drivers/record.ts';
import type { Recording, Timed } from './format.ts';

export interface Replayed {
  /**
   * `same`: the same questions and the same answer. `differs`: something else was asked, or another
   * answer came. `stopped`: before the wanted operation. `unfinished`: the recording ends before
   * the call did, and was the same up to there.
   */
  readonly outcome: 'same' | 'differs' | 'stopped' | 'unfinished';
  /** So many operations were asked as recorded. */
  readonly performed: number;
  /** What differs, in words; empty else. */
  readonly differences: readonly string[];
  readonly answer?: Answer;
}

export interface ReplayOptions {
  /** Stops before this operation, from 1. */
  readonly until?: number;
}

/** Where a replay ends before the core does. */
class Stop extends Halt {
  readonly outcome: 'stopped' | 'unfinished';
  constructor(outcome: 'stopped' | 'unfinished') {
    super(outcome);
    this.outcome = outcome;
  }
}

/** What is on standard input, as it was. */
export function stdinOf(recording: Recording): Uint8Array {
  const line = recording.lines.find(({ op }) => op === 'host.stdin_read');
  if (line === undefined) throw new Stop('unfinished');
  const { value, errno, text = '' } = line;
  if (errno !== undefined) throw new OsError(errno, text);
  if (typeof value === 'string') return new TextEncoder().encode(value);
  return Uint8Array.fromBase64((value as { base64: string }).base64);
}

/** What is around the core: time does not pass, and what is said is kept. */
function surroundings(recording: Recording, log: string[]): Surroundings {
  const confined = recording.lines.filter(({ op }) => op === 'host.confine');
  let confines = 0;
  return {
    stdin: () => stdinOf(recording),
    log: (line) => log.push(line),
    sleep: () => {},
    confine: () => {
      const { errno, text = '' } = confined[confines++] ?? {};
      if (errno !== undefined) throw new OsError(errno, text);
    },
  };
}

/** Performs the call of a recording over a driver. `module` exports what the head asks for. */
export function perform(
  module: WebAssembly.Module,
  { head, end }: Recording,
  driver: Driver,
  around: Surroundings,
): Answer {
  const { type, env, task } = head;
  if (task !== undefined) return performTask(module, driver, task.name, task.request, around);
  return serve(module, driver, { type, env }, around, () => end?.received !== false);
}

const saidBy = (lines: readonly Timed[]): string =>
  lines.flatMap(({ op, args }) => (op === 'host.log' ? [`${args['text']}\n`] : [])).join('');

/** What is another between the answer now and then. */
function differencesOf(recording: Recording, answer: Answer, log: readonly string[]): string[] {
  const { end, lines } = recording;
  if (end === undefined) return [];
  const found: string[] = [];
  if (answer.exit_code !== end.exit_code) {
    found.push(`the exit code is ${answer.exit_code}, recorded was ${end.exit_code}`);
  }
  if (answer.stdout !== end.stdout) {
    found.push(`the answer is ${answer.stdout}, recorded was ${end.stdout}`);
  }
  const now = log.map((line) => `${line}\n`).join('');
  const then = saidBy(lines);
  if (now !== then) {
    found.push(`it says ${JSON.stringify(now)}, recorded was ${JSON.stringify(then)}`);
  }
  return found;
}

/** Replays a recording over core.wasm, or tools.wasm for a task. */
export function replay(
  module: WebAssembly.Module,
  recording: Recording,
  { until }: ReplayOptions = {},
): Replayed {
  const { operations, end } = recording;
  const log: string[] = [];
  const counter = replaying(operations, (n) => {
    if (n === until) throw new Stop('stopped');
    if (n > operations.length && end === undefined) throw new Stop('unfinished');
  });
  try {
    const answer = perform(module, recording, counter, surroundings(recording, log));
    const performed = counter.count();
    if (end === undefined) return { outcome: 'unfinished', performed, differences: [], answer };
    const differences = differencesOf(recording, answer, log);
    const left = operations.length - performed;
    if (left > 0) differences.push(`${left} of the recorded operations were not asked`);
    return {
      outcome: differences.length === 0 ? 'same' : 'differs',
      performed,
      differences,
      answer,
    };
  } catch (error) {
    if (!(error instanceof Halt)) throw error;
    const performed = counter.count();
    if (error instanceof Stop) return { outcome: error.outcome, performed, differences: [] };
    return { outcome: 'differs', performed, differences: [error.message] };
  }
}
