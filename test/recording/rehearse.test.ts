// SPDX-License-Identifier: Apache-2.0
// What a recording tells of its machine is enough to go through the call again, simulated: with an
// operation failing, and as a fixture. Where it is not enough, that is said.
import { describe, expect, test } from 'vitest';
import { fixtureOf } from '../../host-node/recording/fixture.ts';
import { parseRecording, RecordingError } from '../../host-node/recording/format.ts';
import { rehearse, rehearseFailure } from '../../host-node/recording/rehearse.ts';
import { allFixtures, normal, parseFixture } from '../support/fixture.ts';
import { wasmModule } from '../support/wasm.ts';
import { firstStep, fixtureNamed, tape } from './taped.ts';

const modules = { core: wasmModule('tools'), sim: wasmModule('sim') };
const EBUSY = 16;
/** Of all first steps of the corpus. */
const SHARE_MIN = 0.9;

const recordingOf = (name: string) => parseRecording(tape(firstStep(fixtureNamed(name))).text);

test('most of the corpus goes the same way, and what does not says from where on', () => {
  const fixtures = allFixtures().filter(({ steps }) => steps.length > 0);
  const silent: string[] = [];
  let same = 0;
  for (const fixture of fixtures) {
    const { text, answer } = tape(firstStep(fixture));
    try {
      const rehearsed = rehearse(modules, parseRecording(text));
      if (rehearsed.parts !== '') continue;
      if (rehearsed.answer.exit_code === answer.exit_code) same++;
      else silent.push(fixture.name);
    } catch (error) {
      if (!(error instanceof RecordingError)) throw error;
    }
  }
  expect(silent).toEqual([]);
  expect(same / fixtures.length).toBeGreaterThan(SHARE_MIN);
});

describe('with an operation failing', () => {
  const recording = recordingOf('bridge/dual-stack');
  const n = 1 + recording.operations.findIndex(({ op }) => op === 'kernel.link_add_veth');

  test('the call takes back what it did, and answers with the error', () => {
    const { answer, operations, at } = rehearseFailure(modules, recording, n, EBUSY);
    expect(operations[at - 1]).toMatchObject({ op: 'kernel.link_add_veth', errno: EBUSY });
    const later = operations.slice(at).map(({ op }) => op);
    expect(later).toContain('store.file_remove');
    expect(answer.exit_code).toBe(1);
    expect(JSON.parse(answer.stdout).details).toContain('EBUSY');
  });

  test('one that there is not is refused', () => {
    expect(() => rehearseFailure(modules, recording, 9999, EBUSY)).toThrow(/and no 9999th/);
  });

  test('one that the simulation does not come to is refused, with why', () => {
    const dhcp = recordingOf('dhcp/lease');
    const last = dhcp.operations.findLastIndex(({ op }) => op === 'kernel.addr_add') + 1;
    expect(() => rehearseFailure(modules, dhcp, last, EBUSY)).toThrow(
      /the simulation does not come to operation \d+, kernel.addr_add.*: operation \d+ was /,
    );
  });
});

describe('as a fixture', () => {
  test.each([
    'bridge/dual-stack',
    'bridge/existing-bridge',
    'bridge/ipmasq',
    'bridge/del-without-add',
  ])('%s is one, that gives what it says', (name) => {
    const recording = recordingOf(name);
    const text = fixtureOf(recording, 'A call', rehearse(modules, recording));
    const fixture = parseFixture('made.txtar', text);
    const { text: again, answer } = tape(firstStep(fixture));
    expect(again).toContain('"exit_code"');
    const outcome = { exit_code: answer.exit_code, stdout: answer.stdout };
    const state = rehearse(modules, parseRecording(again)).after;
    const shown = normal({ ...outcome, state }, fixture);
    expect(shown.stdout.trimEnd()).toBe(fixture.result(1));
    expect(shown.state).toBe(fixture.after(1) ?? shown.state);
  });

  test('says what is not known, and that it went another way', () => {
    const recording = recordingOf('dhcp/lease');
    const text = fixtureOf(recording, 'A call', rehearse(modules, recording));
    expect(text).toMatch(/^A call\.\nNot known: the daemon at /);
    expect(text).toContain('The recorded call went another way: operation ');
    expect(() => parseFixture('made.txtar', text)).not.toThrow();
  });

  test('a configuration that cannot be in one is refused', () => {
    const call = firstStep(fixtureNamed('bridge/dual-stack'));
    const stdin = `${call.stdin}\n-- before --\n`;
    const recording = parseRecording(tape({ ...call, stdin }).text);
    const rehearsed = rehearse(modules, recording);
    expect(() => fixtureOf(recording, 'A call', rehearsed)).toThrow(RecordingError);
  });
});
