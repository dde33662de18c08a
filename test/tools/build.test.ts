// SPDX-License-Identifier: Apache-2.0
// What the build builds again and what not, in a project of the test's own. It compiles nothing of
// ours.
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { build } from '../../tools/build.mjs';

/** copy.mjs OUTPUT INPUT …: the inputs in one file, after a while, and a note that it ran. */
const COPY = `import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
const [output, ...inputs] = process.argv.slice(2);
appendFileSync('ran', output + ' ');
const text = inputs.map((path) => readFileSync(path, 'utf8')).join('');
if (text.includes('error')) throw new Error('a bad source');
if (text.includes('slow')) await new Promise((go) => setTimeout(go, 600));
writeFileSync(output, text);
if (existsSync('ends')) appendFileSync('ran', 'end ');
`;
const step = (output: string, inputs: string[], more = {}) => ({
  inputs: [...inputs, '!src/notes', 'copy.mjs'],
  outputs: [output],
  run: ['copy.mjs', output, ...inputs.map((path) => path.replace(/\/$/, '/first'))],
  ...more,
});
const STEPS = {
  a: step('dist/a', ['src/']),
  b: step('dist/b', ['dist/a', 'other']),
  c: step('dist/c', ['other']),
  odd: step('dist/odd', ['other'], { packages: ['wabt'], architectures: ['none'] }),
  npm: step('dist/npm', ['other'], { npm: ['tool'] }),
};

let root = '';
let said: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fairlead-build-'));
  for (const folder of ['src', 'dist', 'node_modules/tool']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  write('copy.mjs', COPY);
  write('src/first', 'one\n');
  write('other', 'other\n');
  write('node_modules/tool/package.json', '{"version":"1.0.0"}');
});
afterEach(() => rmSync(root, { recursive: true }));

const at = (path: string): string => join(root, path);
const read = (path: string): string => readFileSync(at(path), 'utf8');
const write = (path: string, text: string): void => writeFileSync(at(path), text);

/** The outputs of the steps that ran, in their order. */
async function built(names: string[], where = root): Promise<string[]> {
  rmSync(join(where, 'ran'), { force: true });
  said = [];
  const out = { write: (text: string) => said.push(text) };
  await build(names, { root: where, steps: STEPS, out });
  const ran = existsSync(join(where, 'ran')) ? readFileSync(join(where, 'ran'), 'utf8') : '';
  return ran.split(' ').filter((word) => word !== '');
}

test('a step and what it is made of, once', async () => {
  expect(await built(['b'])).toEqual(['dist/a', 'dist/b']);
  expect(read('dist/b')).toBe('one\nother\n');
  expect(said.join('')).toMatch(/^build: a in \d+\.\d s\nbuild: b in \d+\.\d s\n$/);
  expect(await built(['b'])).toEqual([]);
  expect(said).toEqual([]);
});

test('a changed source, and what is made of it', async () => {
  await built(['b', 'c']);
  write('src/first', 'two\n');
  expect(await built(['b', 'c'])).toEqual(['dist/a', 'dist/b']);
  expect(read('dist/b')).toBe('two\nother\n');
  write('other', 'another\n');
  expect((await built(['b', 'c'])).sort()).toEqual(['dist/b', 'dist/c']);
});

test('a source that is new, or gone', async () => {
  await built(['a']);
  write('src/second', 'new\n');
  expect(await built(['a'])).toEqual(['dist/a']);
  rmSync(at('src/second'));
  expect(await built(['a'])).toEqual(['dist/a']);
});

test('nothing for a source that was only touched, or that is not listed', async () => {
  await built(['a']);
  utimesSync(at('src/first'), 1, 1);
  write('src/notes', 'not listed');
  expect(await built(['a'])).toEqual([]);
});

test('nothing after an output that came out as before', async () => {
  await built(['b']);
  write('copy.mjs', COPY.replace("'slow'", "'slower'"));
  expect(await built(['a'])).toEqual(['dist/a']);
  write('copy.mjs', COPY);
  expect(await built(['a'])).toEqual(['dist/a']);
  expect(await built(['b'])).toEqual([]);
});

test.each([
  ['gone', () => rmSync(at('dist/a'))],
  ['cut off', () => truncateSync(at('dist/a'), 2)],
  ['longer', () => appendFileSync(at('dist/a'), 'more')],
  ['another of the same length', () => write('dist/a', 'eno\n')],
])('an output that is %s', async (_, damage) => {
  await built(['a']);
  damage();
  expect(await built(['a'])).toEqual(['dist/a']);
  expect(read('dist/a')).toBe('one\n');
});

test('nothing for an output with another time, or in a copy of the clone', async () => {
  await built(['b']);
  utimesSync(at('dist/a'), 1, 1);
  expect(await built(['b'])).toEqual([]);
  const copy = `${root}-copy`;
  cpSync(root, copy, { recursive: true });
  try {
    expect(await built(['b'], copy)).toEqual([]);
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test('everything when the record is damaged', async () => {
  await built(['b']);
  truncateSync(at('dist/.built.json'), 30);
  expect(await built(['b'])).toEqual(['dist/a', 'dist/b']);
});

test('a tool of another version', async () => {
  await built(['npm']);
  write('node_modules/tool/package.json', '{"version":"1.0.1"}');
  expect(await built(['npm'])).toEqual(['dist/npm']);
});

test('a step that this machine cannot make is left out, and no old output stays', async () => {
  write('dist/odd', 'old');
  expect(await built(['odd'])).toEqual([]);
  expect(said.join('')).toMatch(/^build: odd is left out: it is not made on \w+\n$/);
  expect(existsSync(at('dist/odd'))).toBe(false);
});

test('a step that fails says why, and is not taken for built', async () => {
  await built(['b']);
  write('src/first', 'error');
  await expect(built(['b', 'c'])).rejects.toThrow(/^a failed\n[\s\S]*a bad source/);
  expect(read('dist/c')).toBe('other\n');
  await expect(built(['a'])).rejects.toThrow('a bad source');
  write('src/first', 'one\n');
  expect(await built(['b'])).toEqual([]);
});

test('a source that changes meanwhile: once more', async () => {
  write('src/first', 'slow\n');
  const change = setTimeout(() => write('src/first', 'other\n'), 400);
  expect(await built(['a'])).toEqual(['dist/a', 'dist/a']);
  clearTimeout(change);
  expect(said.join('')).toContain('changed meanwhile; once more');
  expect(read('dist/a')).toBe('other\n');
});

test('two builds at the same time: the second waits, and finds all built', async () => {
  write('src/first', 'slow\n');
  write('ends', '');
  const words: string[] = [];
  const options = { root, steps: STEPS, out: { write: (text: string) => words.push(text) } };
  await Promise.all([build(['b'], options), build(['b'], options)]);
  expect(read('ran')).toBe('dist/a end dist/b end ');
  expect(words.filter((line) => line.includes('waiting for it'))).toHaveLength(1);
});

test('a step that does not exist', async () => {
  await expect(built(['d'])).rejects.toThrow('there is no step "d"; there are a, b, c, odd, npm');
});
