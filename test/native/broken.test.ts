// SPDX-License-Identifier: Apache-2.0
// What the native host makes of a core that panics, traps or runs out of stack: the same as the
// Node host (test/abi/bind.test.ts). A core that breaks on purpose stands in for the translation.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildTestProgram } from '../../scripts/native.mjs';
import { needsNative } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-broken-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program =
  needsNative === ''
    ? await buildTestProgram('broken', ['test/native/broken-core.c'], {}, { wanted: () => true })
    : '';

function called(command: string, way: string) {
  const env = { CNI_COMMAND: command, CNI_ARGS: way, CNI_PATH: folder };
  return spawnSync(program, [], { env, encoding: 'utf8', input: '' });
}

const WAYS = [
  ['panic', 'index out of range at core-as/x.ts:1:2'],
  ['bad panic', 'unreachable'],
  ['outside', 'memory access out of bounds'],
  ['far outside', 'memory access out of bounds'],
  ['deep', 'Maximum call stack size exceeded'],
  ['divide', 'divide by zero'],
  ['long result', 'unreachable'],
] as const;

describe.skipIf(needsNative !== '')(`a broken core in the native host ${needsNative}`, () => {
  test.each(WAYS)('%s: error 999 with the place, after a DEL that finds no lock', (way, place) => {
    const { status, stdout, stderr } = called('ADD', way);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      cniVersion: '1.1.0',
      code: 999,
      msg: 'internal error in the Fairlead core: please report it with these details',
      details: `${place}; the cleaning up said: cleaned up, lock free`,
    });
  });

  test('a DEL that breaks too is told', () => {
    const { status, stdout } = called('ADD', 'always');
    const place = 'index out of range at core-as/x.ts:1:2';
    expect(status).toBe(1);
    expect(JSON.parse(stdout).details).toBe(`${place}; the cleaning up said: ${place}`);
  });

  test('another command than ADD has nothing cleaned up', () => {
    const { status, stdout } = called('CHECK', 'panic');
    expect(status).toBe(1);
    expect(JSON.parse(stdout).details).toBe('index out of range at core-as/x.ts:1:2');
  });

  test('memory grows to its limit and no further', () => {
    expect(called('CHECK', 'grow')).toMatchObject({ status: 0, stdout: 'grown' });
  });

  test('a bug of the host itself ends the process: it is no trap', () => {
    const { status, signal } = called('ADD', 'host bug');
    expect(signal ?? status).not.toBe(1);
    expect(signal ?? status).not.toBe(0);
  });
});
