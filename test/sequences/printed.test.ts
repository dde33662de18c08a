// SPDX-License-Identifier: Apache-2.0
// What a failure of a random sequence prints: a broken driver is found, and the fixture shows it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Driver } from '../../host-node/abi/index.ts';
import { type Fixture, loadFixture, stdinOf } from '../support/fixture.ts';
import { simulatedWorld, type Wrap } from '../support/world.ts';
import { tryMany } from './attempts.ts';
import { BEFORE } from './networks.ts';
import { type Failure, playFixture } from './play.ts';
import { fixtureOf } from './print.ts';
import { simulatedStage } from './stage.ts';

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
