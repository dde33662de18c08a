// SPDX-License-Identifier: Apache-2.0
// Recording and replaying: what happened on one machine answers for it on another.
import { expect, test } from 'vitest';
import { serve } from '../../host-node/core.ts';
import { type Recorded, recording, replaying, traceLine } from '../../host-node/drivers/record.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { allFixtures, stdinOf } from '../support/fixture.ts';
import { wasmModule } from '../support/wasm.ts';

const fixture = allFixtures().find((item) => item.name === 'bridge/dual-stack');
const step = fixture?.steps[0];
if (fixture === undefined || step === undefined) throw new Error('bridge/dual-stack is gone');

const around = {
  stdin: () => Buffer.from(stdinOf(step, [])),
  log: () => {},
  sleep: () => {},
};
const call = { type: step.type, env: step.env };

function record(): { entries: Recorded[]; stdout: string } {
  const entries: Recorded[] = [];
  const driver = simulatedDriver(wasmModule('sim'), fixture?.before ?? '');
  const { stdout } = serve(
    wasmModule('core'),
    recording(driver, (entry) => entries.push(entry)),
    call,
    around,
  );
  return { entries, stdout };
}

test('a recording, written as JSON and read again, replays to the same answer', () => {
  const { entries, stdout } = record();
  const lines = entries.map((entry) => JSON.stringify(entry)).join('\n');
  const read = lines.split('\n').map((line) => JSON.parse(line) as Recorded);
  expect(serve(wasmModule('core'), replaying(read), call, around).stdout).toBe(stdout);
});

test('two runs ask the very same operations', () => {
  expect(record().entries).toEqual(record().entries);
});

test('a replay that is asked something else says what', () => {
  const { entries } = record();
  const other = { ...call, env: { ...call.env, CNI_IFNAME: 'eth7' } };
  const again = () => serve(wasmModule('core'), replaying(entries), other, around);
  expect(again).toThrow(/^replay: operation 3 is .*\/locks\/14c.*, recorded was .*\/locks\/71c/);
});

test('a trace line shows arguments, bytes as text, replies and failures', () => {
  expect(
    traceLine({
      op: 'kernel.link_get',
      args: { ns: 0, name: 'cni0' },
      errno: 19,
      text: 'No such device',
    }),
  ).toBe('kernel.link_get(ns=0, name="cni0") = -19 No such device');
  const base64 = Buffer.from('c1\r\neth0').toString('base64');
  expect(
    traceLine({
      op: 'store.file_create',
      args: { path: '/x', content: { base64 }, replace_empty: 1 },
    }),
  ).toBe('store.file_create(path="/x", content="c1\\r\\neth0", replace_empty=1) = 0');
});
