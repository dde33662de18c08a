// SPDX-License-Identifier: Apache-2.0
// docs/reliability.md against the tests that it describes: every count it names is the one that
// they use. It judges no words.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { NETWORKS } from '../sequences/networks.ts';
import { FUZZ, SEQUENCES, SHARED } from '../support/tries.ts';

const text = readFileSync(fileURLToPath(new URL('../../docs/reliability.md', import.meta.url)), {
  encoding: 'utf8',
});

/** The cells of the tables' rows, by the first cell. */
const rows = new Map(
  text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, first = '', ...rest]) => [first, rest]),
);
const numbers = (row: string): number[] =>
  (rows.get(row) ?? []).filter((cell) => /^\d+$/.test(cell)).map(Number);

test('the sequences', () => {
  expect(numbers('simulated')).toEqual([SEQUENCES.simulated, SEQUENCES.simulated_events_max]);
  expect(numbers('real')).toEqual([SEQUENCES.real, SEQUENCES.real_events_max]);
  expect(NETWORKS).toHaveLength(8);
});

test('the shared folders', () => {
  expect(text).toContain(`${SHARED.folders} folders (\`SHARED\`), ${SHARED.events} events each`);
});

test('the random changes of every target', () => {
  for (const [target, count] of Object.entries(FUZZ)) expect(numbers(target)).toEqual([count]);
});

test('the variables', () => {
  const sequences = ['simulated', 'real'].map((name) => `../sequences/${name}.test.ts`);
  const read = ['../support/tries.ts', ...sequences, '../fuzz/fuzz.test.ts'];
  read.push('../leases/shared.test.ts');
  const sources = read.map((path) => readFileSync(new URL(path, import.meta.url), 'utf8')).join('');
  for (const name of ['SEQUENCES', 'REAL_SEQUENCES', 'SHARED', 'FUZZ', 'SEED', 'REPLAY']) {
    expect(text).toContain(`\`${name}\``);
    expect(sources).toMatch(new RegExp(`\\b${name}\\b`));
  }
});
