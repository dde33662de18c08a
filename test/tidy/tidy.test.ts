// SPDX-License-Identifier: Apache-2.0
// The style of the house as a test, so that nobody has to remember it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LINE_LIMIT = 100;
const FUNCTION_LIMIT = 70;
/** Of the file that a CNI type is, and of what it keeps beside it. */
const TYPE_LIMIT = 150;
const PRIVATE_LIMIT = 250;

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .trim()
  .split('\n');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const source = files.filter((path) => /\.(ts|mts|mjs|c|h)$/.test(path));

describe.each(source)('%s', (path) => {
  const lines = read(path).split('\n');

  test('opens with what it owns', () => {
    const [first = '', second] = lines.filter((line) => line !== '' && !line.startsWith('#!'));
    expect(first).toMatch(/SPDX-License-Identifier: Apache-2\.0/);
    expect(second).toMatch(
      path.endsWith('.config.mjs') || path.endsWith('.d.mts') ? /./ : /^(\/\/|\/\*)/,
    );
  });

  test('keeps lines short', () => {
    const long = lines.flatMap((line, index) =>
      [...line].length > LINE_LIMIT ? [`${path}:${index + 1}`] : [],
    );
    expect(long).toEqual([]);
  });

  test('keeps functions short', () => {
    const long: string[] = [];
    lines.forEach((line, index) => {
      // In C the brace of a function stands alone, below its head.
      const head = path.endsWith('.c')
        ? /^()\{$/.exec(line)
        : /^(\s*)(export |async |private |static |public )*(function\b|[\w.]+\(.*\{$)/.exec(line);
      if (!head || /^\s*(if|for|while|switch|describe|test)\b/.test(line)) return;
      const end = lines.findIndex((l, at) => at > index && l.startsWith(`${head[1]}}`));
      if (end - index > FUNCTION_LIMIT) long.push(`${path}:${index + 1} ${end - index} lines`);
    });
    expect(long).toEqual([]);
  });
});

test.each(files.filter((path) => /^core-as\/plugins\//.test(path)))('%s is small', (path) => {
  const [, folder, name] = /([\w-]+)\/([\w-]+)\.ts$/.exec(path) ?? [];
  const own = folder === name || /^(main|meta|ipam)$/.test(folder ?? '');
  // Less the line of the licence.
  const count = read(path).split('\n').length - 1;
  expect(count).toBeLessThanOrEqual(own ? TYPE_LIMIT : PRIVATE_LIMIT);
});

test('generated documents and built artefacts are where they belong', () => {
  expect(files.filter((path) => /(^|\/)(dist|build)\/|\.wasm$/.test(path))).toEqual([]);
});

test('no default exports but where a tool wants one', () => {
  const found = source.filter(
    (path) => !path.endsWith('.config.mjs') && /^export default /m.test(read(path)),
  );
  expect(found).toEqual([]);
});
