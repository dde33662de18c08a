// Random sequences of ADD, CHECK, DEL, GC and STATUS over many containers and networks, with
// operations that fail, namespaces that go and reboots, against the model: on the simulated kernel
// and on the real one. A failure prints its seed and the shrunk sequence as a fixture.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Driver } from '../../host-node/abi.ts';
import { fileDriver } from '../../host-node/drivers/files.ts';
import { pluginDriver } from '../../host-node/drivers/plugin.ts';
import { type Fixture, loadFixture, stdinOf } from '../support/fixture.ts';
import { buildNativeDriver, nativeDriver } from '../support/native-driver.ts';
import { needsNative, needsRoot } from '../support/needs.ts';
import { type Choice, choiceFromEnvironment, countFrom, SEQUENCES } from '../support/tries.ts';
import { type Open, simulatedWorld, type Wrap } from '../support/world.ts';
import { type Sequence, sequences } from './events.ts';
import { EXAMPLES } from './examples.ts';
import { BEFORE } from './networks.ts';
import { Failure, playFixture, playSequence, type Tally } from './play.ts';
import { fixtureOf } from './print.ts';
import { realStage, type Stage, simulatedStage } from './stage.ts';

const LONG_MS = 24 * 3600 * 1000;

interface Tried {
  readonly tally: Tally;
  readonly failure: Failure | undefined;
  /** How to see it again. */
  readonly again: string;
}

/** Plays random sequences until one goes wrong, and shrinks that one. */
function tryMany(make: () => Stage, events_max: number, count: number, choice: Choice): Tried {
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

const chosen = choiceFromEnvironment();

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
const HAPPENS = [
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
/** What needs more than the real kernel has time for. */
const HAPPENS_SIMULATED = [
  ...['ADD lost', 'ADD dies', 'CHECK 7', 'DEL fails', 'DEL lost', 'DEL dies', 'GC 1', 'GC 7'],
  ...['GC fails', 'STATUS 50', 'healed', 'reclaimed', 'namespaces made'],
];

function expectSound(tried: Tried, kernel: string, wanted: readonly string[]): void {
  if (tried.failure !== undefined) throw new Error(told(tried, kernel));
  // One case, or a few, need not have seen it all.
  if (chosen.path === undefined)
    expect(wanted.filter((words) => !tried.tally.has(words))).toEqual([]);
}

describe('simulated kernel', () => {
  const count = countFrom('SEQUENCES', SEQUENCES.simulated);
  test(
    `${count} random sequences`,
    () => {
      const tried = tryMany(
        () => simulatedStage(BEFORE),
        SEQUENCES.simulated_events_max,
        count,
        chosen,
      );
      const all = [...HAPPENS, ...HAPPENS_SIMULATED];
      expectSound(tried, 'simulated', count < SEQUENCES.simulated ? [] : all);
    },
    LONG_MS,
  );

  test.each(Object.entries(EXAMPLES))('once wrong: %s', (_, sequence) => {
    playSequence(simulatedStage(BEFORE), sequence, new Map());
  });
});

describe.skipIf(needsRoot !== '')(`real kernel ${needsRoot}`, () => {
  const count = countFrom('REAL_SEQUENCES', SEQUENCES.real);
  test(
    `${count} random sequences`,
    () => {
      const tried = tryMany(() => realStage(BEFORE), SEQUENCES.real_events_max, count, chosen);
      expectSound(tried, 'real', count < SEQUENCES.real ? [] : HAPPENS);
    },
    LONG_MS,
  );
});

/** The operations of the kernel in C, under sanitizers; files lie where the test has them. */
const openNative =
  (program: string): Open =>
  (options) => {
    const kernel = nativeDriver(program, { hostNetns: options.hostNetns ?? '' });
    const store = fileDriver(options);
    const close = (): void => {
      store.close();
      void kernel.close();
    };
    return { ...kernel, ...store, ...pluginDriver(options), close };
  };

describe.skipIf(needsNative !== '')(`native host's operations, real kernel ${needsNative}`, () => {
  const count = countFrom('REAL_SEQUENCES', SEQUENCES.native);
  test(
    `${count} random sequences`,
    async () => {
      const open = openNative(await buildNativeDriver());
      const make = () => realStage(BEFORE, open);
      expectSound(tryMany(make, SEQUENCES.real_events_max, count, chosen), 'real', []);
    },
    LONG_MS,
  );
});

/** A driver whose operation says it was done, and was not. */
const lazy =
  (operation: keyof Driver, answer: unknown): Wrap =>
  (driver) => ({ ...driver, [operation]: () => answer });

/** What a broken driver is found by, as a fixture that was written and read again. */
function printed(broken: Wrap): { fixture: Fixture; failure: Failure } {
  const tried = tryMany(() => simulatedStage(BEFORE, broken), 25, 1000, { seed: 1 });
  if (tried.failure === undefined) throw new Error('the broken driver was not found');
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-sequences-'));
  try {
    const path = join(folder, 'found.txtar');
    writeFileSync(path, fixtureOf(tried.failure, 'a random sequence'));
    return { fixture: loadFixture(path), failure: tried.failure };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const again = (fixture: Fixture, around: Wrap) => () =>
  playFixture(simulatedStage(fixture.before, around), fixture, new Map());
const sound: Wrap = (driver) => driver;

describe('what is printed', () => {
  test('a link that is not deleted is found, shrunk, and shown by the fixture', () => {
    const broken = lazy('link_del', undefined);
    const { fixture, failure } = printed(broken);
    expect(fixture.steps.map((step) => step.command)).toEqual(['ADD', expect.any(String)]);
    expect(failure.message).toMatch(/^still host: link veth/m);
    expect(again(fixture, broken)).toThrow(failure.message);
    expect(again(fixture, sound)).not.toThrow();
  });

  test('a route that is not made is found by ADD itself', () => {
    const broken = lazy('route_add', undefined);
    const { fixture, failure } = printed(broken);
    expect(fixture.steps.map((step) => step.command)).toEqual(['ADD']);
    expect(again(fixture, broken)).toThrow(failure.message);
    expect(again(fixture, sound)).not.toThrow();
  });

  test('after a reboot the fixture begins with the state that it left', () => {
    const broken = lazy('file_before_boot', 0);
    const { fixture } = printed(broken);
    expect(fixture.before).toMatch(/^file .* before-boot$/m);
    const codes = (around: Wrap): number[] => {
      const world = simulatedWorld(fixture.before);
      return fixture.steps.map((step) => {
        const { stdout } = world.run(step, stdinOf(step, []), around);
        return stdout === '' ? 0 : (JSON.parse(stdout).code ?? 0);
      });
    };
    expect(codes(broken)).not.toEqual(codes(sound));
    expect(codes(sound).at(-1)).toBe(0);
  });
});
