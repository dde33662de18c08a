// SPDX-License-Identifier: Apache-2.0
// What is told of work that takes long, on a terminal and without one. It waits for nothing: time
// is the test's.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Progress } from '../../tools/progress.mjs';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function told(isTTY: boolean) {
  const words: string[] = [];
  const out = { isTTY, columns: 40, write: (text: string) => words.push(text) };
  const take = (): string[] => words.splice(0);
  return { progress: new Progress('build', out), take };
}

test('nothing of what is over soon', () => {
  for (const terminal of [true, false]) {
    const { progress, take } = told(terminal);
    progress.start('core');
    vi.advanceTimersByTime(1900);
    expect(progress.end('core')).toBe(1900);
    expect(take().join('').replace('\r\x1b[K', '')).toBe('');
    vi.advanceTimersByTime(60_000);
    expect(take()).toEqual([]);
  }
});

test('plain lines without a terminal: after two seconds, and every half minute', () => {
  const { progress, take } = told(false);
  progress.start('core', 22_000);
  progress.start('sim');
  vi.advanceTimersByTime(10_000);
  expect(take()).toEqual(['build: core …, some 22 s the last time\n', 'build: sim …\n']);
  progress.end('sim');
  vi.advanceTimersByTime(55_000);
  expect(take()).toEqual(['build: core … 32 s\n', 'build: core … 62 s\n']);
});

test('one line that changes on a terminal, no wider than it', () => {
  const { progress, take } = told(true);
  progress.start('core', 22_000);
  vi.advanceTimersByTime(2000);
  expect(take()).toEqual(['\r\x1b[Kbuild: core 2 s of some 22 s']);
  progress.start('a-step-with-a-long-name');
  vi.advanceTimersByTime(3000);
  const last = take().at(-1) ?? '';
  expect(last).toBe('\r\x1b[Kbuild: core 5 s of some 22 s, a-step-wi');
  progress.end('core');
  progress.say('core in 5.0 s');
  expect(take().join('')).toBe('\r\x1b[K\r\x1b[Kbuild: core in 5.0 s\n');
});
