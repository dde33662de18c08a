// SPDX-License-Identifier: Apache-2.0
// `npm run try`: which tests it runs, and that it says so when there is nothing of that name.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../scripts/try.mjs', import.meta.url));

/** Exit code and last line, as a shell of its own would get them. */
function tried(...words: string[]): { status: number | null; end: string } {
  const { PATH, HOME } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], {
    encoding: 'utf8',
    env: { PATH, HOME },
  });
  return { status, end: (stdout || stderr).trimEnd().split('\n').at(-1) ?? '' };
}

test('a fixture, by the path of its file, is tried simulated and with faults', () => {
  const end = '2 passed, 0 failed, 0 skipped';
  expect(tried('fixtures/loopback/add.txtar')).toEqual({ status: 0, end });
});

test('nothing of that name is a failure', () => {
  expect(tried('no-such-fixture')).toEqual({ status: 1, end: '0 passed, 0 failed, 0 skipped' });
});

test('words that it does not know are refused', () => {
  const { status, end } = tried('ptp/', '--watch');
  expect(status).toBe(1);
  expect(end).toBe('try: npm run try -- PATTERN [--update], such as: npm run try -- portmap/');
});
