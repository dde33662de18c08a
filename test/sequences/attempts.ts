// SPDX-License-Identifier: Apache-2.0
// Random sequences on a stage until one goes wrong, that one shrunk, and how it is told: with its
// seed and as a fixture. On which stages, the tests say.
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Choice, choiceFromEnvironment } from '../support/tries.ts';
import { type Sequence, sequences } from './events.ts';
import { Failure, playSequence, type Tally } from './play.ts';
import { fixtureOf } from './print.ts';
import type { Stage } from './stage.ts';

export const LONG_MS = 24 * 3600 * 1000;

export interface Tried {
  readonly tally: Tally;
  readonly failure: Failure | undefined;
  /** How to see it again. */
  readonly again: string;
}

/** Plays random sequences until one goes wrong, and shrinks that one. */
export function tryMany(
  make: () => Stage,
  events_max: number,
  count: number,
  choice: Choice,
): Tried {
  const tally: Tally = new Map();
  const property = fc.property(sequences(events_max), (sequence) => {
    const stage = make();
    try {
      playSequence(stage, sequence, tally);
    } finally {
      stage.close();
    }
  });
  const details = fc.check(property, { numRuns: count, ...choice });
  if (!details.failed) return { tally, failure: undefined, again: '' };
  if (!(details.errorInstance instanceof Failure)) throw details.errorInstance;
  const again = `SEED=${details.seed} REPLAY=${details.counterexamplePath}`;
  return { tally, failure: shortest(make, details.counterexample![0]), again };
}

/** The failure of a sequence without every event that can be left out. */
function shortest(make: () => Stage, sequence: Sequence): Failure {
  const failureOf = (events: Sequence['events']): Failure | undefined => {
    const stage = make();
    try {
      playSequence(stage, { ...sequence, events }, new Map());
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    } finally {
      stage.close();
    }
    return undefined;
  };
  let events = sequence.events;
  let failure = failureOf(events);
  for (let at = events.length - 1; at >= 0; at--) {
    const fewer = events.filter((_, index) => index !== at);
    const other = failureOf(fewer);
    if (other === undefined) continue;
    events = fewer;
    failure = other;
  }
  if (failure === undefined) throw new Error('a sequence that went wrong goes well now');
  return failure;
}

export const chosen = choiceFromEnvironment();

/** The error of a test that found something. */
function told({ failure, again }: Tried, kernel: string): string {
  if (failure === undefined) return '';
  const fixture = fixtureOf(failure, `a random sequence, ${again}`);
  return [
    `${again} npm test -- test/sequences -t "${kernel} kernel" shows it again.`,
    'As a fixture, to be saved as fixtures/heal/NAME.txtar and run with FIXTURE_UPDATE=1:',
    '',
    `${fixture}`,
    failure.message,
  ].join('\n');
}

/** What must have happened in a run of the usual size, else it tries less than it says. */
export const HAPPENS = [
  ...[
    'ADD 0',
    'ADD 8',
    'ADD 101',
    'ADD 102',
    'ADD fails',
    'CHECK 0',
    'CHECK 103',
    'DEL 0',
    'DEL 6',
  ],
  ...['GC 0', 'STATUS 0', 'reboot', 'namespace destroyed'],
];
export function expectSound(tried: Tried, kernel: string, wanted: readonly string[]): void {
  if (tried.failure !== undefined) throw new Error(told(tried, kernel));
  // One case, or a few, need not have seen it all.
  if (chosen.path === undefined)
    expect(wanted.filter((words) => !tried.tally.has(words))).toEqual([]);
}
