// SPDX-License-Identifier: Apache-2.0
// The heap of the native host (host-native/heap.c), asked at random under sanitizers.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { buildTestProgram } from '../../scripts/native.mjs';
import { needsNative } from '../support/needs.ts';

const SEEDS = ['1', '2', '3'];

test.skipIf(needsNative !== '')(`no block lies in another ${needsNative}`, async () => {
  const wanted = () => false;
  const program = await buildTestProgram('heap', ['test/native/heap.c'], {}, { wanted });
  for (const seed of SEEDS) {
    const said = execFileSync(program, [seed], { encoding: 'utf8' });
    expect(said).toBe('200000 turns, 0 wrong\n');
  }
});
