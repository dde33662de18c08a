// SPDX-License-Identifier: Apache-2.0
// The shell that stays: what a program gets from it is what it would get without one.
import { expect, test } from 'vitest';
import { outputOf, run } from './shell.ts';

const WORDS = ['', "it's", '$HOME', 'two words', 'two\nlines', '`date`', '\\', '-n', 'ä'];

test('words arrive as they are', () => {
  const script = 'for word; do printf "%s\\0" "$word"; done';
  expect(outputOf(['sh', '-c', script, 'sh', ...WORDS])).toBe(`${WORDS.join('\0')}\0`);
});

test('so does input, and without any there is none', () => {
  expect(outputOf(['cat'], { input: 'a\nb' })).toBe('a\nb');
  expect(outputOf(['cat'])).toBe('');
});

test('an environment that is given is the whole of it', () => {
  const env = { PATH: process.env['PATH'], A: '1 2', B: undefined, C: "'" };
  const names = ['A=1 2', "C='", `PATH=${process.env['PATH']}`];
  expect(outputOf(['env'], { env }).trimEnd().split('\n').sort()).toEqual(names);
});

test('both streams and the exit code come back, and no call feels the one before', () => {
  const words = ['sh', '-c', 'echo out; echo err >&2; exit 3'];
  expect(run(words)).toEqual({ status: 3, stdout: 'out\n', stderr: 'err\n' });
  expect(() => outputOf(words)).toThrow('exit code 3: err');
  expect(run(['true'])).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('a program that is killed or is not there has failed', () => {
  expect(run(['sh', '-c', 'kill -9 $$']).status).toBe(128 + 9);
  expect(run(['no-such-program'])).toMatchObject({ status: 127, stdout: '' });
});
