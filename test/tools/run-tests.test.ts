// SPDX-License-Identifier: Apache-2.0
// The end of a run of tests: what counts as skipped, and that a run of nothing is no success. It
// runs none of ours.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../tools/run-tests.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fairlead-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

writeFileSync(
  join(folder, 'some.test.mjs'),
  `describe('group', () => {
  test('good', () => {});
  test.skip('fine/one the packaged release is too old', () => {});
  test.skip('fine/two the packaged release is too old', () => {});
  test('bad', () => expect(1).toBe(2));
});
describe.skip('real needs a moon', () => {
  test('one', () => {});
  test('two', () => {});
});
`,
);

/** Exit code and last lines of a run with these words. */
function run(...words: string[]): { status: number | null; end: string[] } {
  const args = [
    '--no-warnings',
    PROGRAM,
    '--root',
    folder,
    '--globals',
    '--reporter=dot',
    ...words,
  ];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const lines = stdout.trimEnd().split('\n');
  const first = lines.findIndex((line) => /^(skipped \d|\d+ passed)/.test(line));
  return { status, end: lines.slice(first) };
}

test('counts what was skipped, by reason', () => {
  expect(run()).toEqual({
    status: 1,
    end: [
      'skipped 2: group the packaged release is too old',
      'skipped 2: needs a moon',
      '1 passed, 1 failed, 4 skipped',
    ],
  });
});

test('does not count what -t leaves out', () => {
  expect(run('-t', 'group > good')).toEqual({ status: 0, end: ['1 passed, 0 failed, 0 skipped'] });
});

test('counts what -t asks for and cannot be', () => {
  const end = ['skipped 1: needs a moon', '1 passed, 0 failed, 1 skipped'];
  expect(run('-t', 'group > good|real needs a moon > two')).toEqual({ status: 0, end });
});

test('a file that breaks, and a run of nothing, are failures', () => {
  writeFileSync(join(folder, 'broken.test.mjs'), "throw new Error('broken');\n");
  expect(run('broken')).toEqual({ status: 1, end: ['0 passed, 1 failed, 0 skipped'] });
  expect(run('-t', 'nothing of that name', 'some')).toEqual({
    status: 1,
    end: ['0 passed, 0 failed, 0 skipped'],
  });
});
