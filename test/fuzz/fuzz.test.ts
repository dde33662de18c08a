// SPDX-License-Identifier: Apache-2.0
// Fuzzing: random changes of real inputs through every door that something foreign comes in by. No
// input may make the core trap or run for ever, an error must be one, what is refused must change
// nothing, and a later DEL must leave nothing. The corpus comes first, then the seeds.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Violation } from '../support/answer.ts';
import { type Choice, choiceFromEnvironment, countFrom, FUZZ } from '../support/tries.ts';
import { corpora, corpusOf } from './corpus.ts';
import { mutated } from './mutate.ts';
import { answers, giveBackNodes } from './node.ts';
import { bytes, type Target } from './target.ts';
import { TARGETS } from './targets/index.ts';
import { Watchdog } from './watchdog.ts';

const LONG_MS = 24 * 3600 * 1000;
const SHOWN_BYTES = 4000;

const watchdog = new Watchdog();
afterAll(() => watchdog.close());

function run(target: Target, input: Uint8Array): void {
  try {
    watchdog.watch(input, () => target.check(input));
  } finally {
    giveBackNodes();
  }
}

/** Random inputs until one is wrong; the error of that one, shrunk, "" when all went well. */
function fuzz(target: Target, count: number, choice: Choice): string {
  const input = mutated([...target.seeds()], target.words());
  const property = fc.property(input, (one) => run(target, one));
  const details = fc.check(property, { numRuns: count, ...choice });
  if (!details.failed) return '';
  const [found] = details.counterexample!;
  return [
    `SEED=${details.seed} REPLAY=${details.counterexamplePath} npm test -- test/fuzz ` +
      `-t "^${target.name}" shows it again. Save the input below test/fuzz/corpus/${target.name}:`,
    JSON.stringify(Buffer.from(found).toString('latin1').slice(0, SHOWN_BYTES)),
    `echo ${Buffer.from(found).toString('base64').slice(0, SHOWN_BYTES)} | base64 -d`,
    String((details.errorInstance as Error).stack),
  ].join('\n');
}

const chosen = choiceFromEnvironment();

describe.each(TARGETS.map((target) => ({ name: target.name, target })))('$name', ({ target }) => {
  test.each(corpusOf(target.name))('corpus: %s', (_, content) => run(target, content));

  test('its seeds', () => {
    for (const seed of target.seeds()) run(target, seed);
  });

  const count = countFrom('FUZZ', FUZZ[target.name] ?? 0);
  test(
    `${count} random changes`,
    () => {
      answers.clear();
      const found = fuzz(target, count, chosen);
      if (found !== '') throw new Error(found);
      if (chosen.path !== undefined) return;
      const both = answers.has(0) && answers.size > 1;
      expect(both, 'some are accepted, some refused').toBe(target.calls);
    },
    LONG_MS,
  );
});

test('every folder of the corpus is a target, and every target has a count', () => {
  const names = TARGETS.map((target) => target.name);
  expect(corpora().filter((name) => !names.includes(name))).toEqual([]);
  expect(Object.keys(FUZZ)).toEqual(names);
});

describe('what is found', () => {
  const target = (check: (input: Uint8Array) => void): Target => ({
    name: 'broken',
    calls: false,
    seeds: () => [bytes('{"a":[1,2,3],"b":"text"}')],
    words: () => ['word'],
    check,
  });

  test('is shrunk and told', () => {
    const found = fuzz(
      target((input) => {
        if (input.length < 20) throw new Violation('too short');
      }),
      1000,
      { seed: 1 },
    );
    expect(found).toContain('too short');
    expect(found).toMatch(/^SEED=\d+ REPLAY=\S+ npm test/);
  });

  test('an input that does not end is told, and the process killed', () => {
    const module = JSON.stringify(new URL('watchdog.ts', import.meta.url).href);
    const script = `
      const { Watchdog } = await import(${module});
      const watchdog = new Watchdog(200);
      watchdog.watch(Buffer.from('quick'), () => {});
      watchdog.watch(Buffer.from('slow'), () => { for (;;); });`;
    const args = ['--no-warnings', '--input-type=module', '-e', script];
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    const ended = (): string => {
      try {
        return execFileSync(process.execPath, args, {
          cwd,
          encoding: 'utf8',
          stdio: 'pipe',
          timeout: 30_000,
        });
      } catch (error) {
        const { signal, stderr } = error as { signal: string; stderr: string };
        return `${signal} ${stderr}`;
      }
    };
    expect(ended()).toBe(
      `SIGKILL fuzz: this input does not end (base64): ${Buffer.from('slow').toString('base64')}\n`,
    );
  });
});
