// SPDX-License-Identifier: Apache-2.0
// The layers of the core: a folder imports from those below it alone, no files import one another
// in a circle, and nothing is exported that nobody imports.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** From the top; what stands in one row imports nothing of each other. */
const LAYERS: readonly (readonly string[])[] = [
  ['entries', 'test'],
  ['tasks', 'sim'],
  ['plugins'],
  ['plugin'],
  ['net'],
  ['attach'],
  ['nft'],
  ['spec'],
  ['host', 'dhcp', 'overlay'],
  ['lib'],
];
/** spec/request.ts holds what the plugins want in nftables, which is elements. */
const EXCEPT = new Set(['core-as/spec/request.ts > core-as/nft/element.ts']);
/** What a host or a test calls in the module, and what is generated. */
const CALLED =
  /^core-as\/(\w+-\w+\.ts|agent|core|exports|tools|wasi|panic|registry|\w+\/\w+\.gen|sim\/|test\/)/;

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'core-as'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((path) => path.endsWith('.ts'));
const sources = new Map(files.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));

interface Import {
  readonly path: string;
  readonly names: readonly string[];
}

function importsOf(path: string): Import[] {
  const found = (sources.get(path) ?? '').matchAll(
    /^(?:import|export) (?:\{([^}]*)\} from |\*(?: as \w+)? from )?"(\.[^"]+)";/gm,
  );
  return [...found].map(([, names = '', from = '']) => ({
    path: `${normalize(join(dirname(path), from))}.ts`,
    names: names
      .split(',')
      .map((name) => name.trim().split(' as ')[0] ?? '')
      .filter((name) => name !== ''),
  }));
}

const graph = new Map(files.map((path) => [path, importsOf(path)]));

const folderOf = (path: string): string =>
  path.split('/').length === 2 ? 'entries' : `${path.split('/')[1]}`;
const rankOf = (folder: string): number => LAYERS.findIndex((row) => row.includes(folder));

test('every folder has its layer', () => {
  expect(files.map(folderOf).filter((folder) => rankOf(folder) < 0)).toEqual([]);
});

test('a folder imports from those below it alone', () => {
  const wrong: string[] = [];
  for (const [path, imports] of graph) {
    for (const { path: target } of imports) {
      const [from, to] = [folderOf(path), folderOf(target)];
      if (from === to || rankOf(from) < rankOf(to)) continue;
      if (!EXCEPT.has(`${path} > ${target}`)) wrong.push(`${path} > ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('no files import one another in a circle', () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' > '));
    if (done.has(path) || way.includes(path)) return;
    for (const { path: target } of graph.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of files) visit(path, []);
  expect(circles).toEqual([]);
});

test('every import leads to a file', () => {
  const lost = [...graph.values()].flat().filter(({ path }) => !graph.has(path));
  expect(lost.map(({ path }) => path)).toEqual([]);
});

test('validating knows no type by its name: it asks the table, and the plugins', () => {
  const rows = ['core-as/registry.ts', 'core-as/plugins/foreign.ts'].map((path) =>
    sources.get(path),
  );
  const names = [...rows.join('\n').matchAll(/(?:new Row|foreign)\("([\w-]+)"/g)].map(
    ([, name]) => name,
  );
  expect(names).toContain('bridge');
  expect(names).toContain('tap');
  const wrong: string[] = [];
  for (const [path, text] of sources) {
    if (!path.startsWith('core-as/tasks/validate/')) continue;
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    for (const [literal, name] of code.matchAll(/"([\w-]+)"/g))
      if (names.includes(name)) wrong.push(`${path}: ${literal}`);
    for (const { path: target } of graph.get(path) ?? [])
      if (folderOf(target) === 'plugins') wrong.push(`${path} > ${target}`);
  }
  expect(wrong).toEqual([]);
});

test('what nobody imports is not exported, unless an exported signature names it', () => {
  const imported = new Set<string>();
  for (const imports of graph.values()) {
    for (const { path, names } of imports)
      for (const name of names) imported.add(`${path} ${name}`);
  }
  const unused: string[] = [];
  for (const [path, text] of sources) {
    if (CALLED.test(path)) continue;
    const declared =
      /^export (?:abstract )?(class|function|const enum|enum|const|let|type) (\w+)/gm;
    for (const [, kind = '', name = ''] of text.matchAll(declared)) {
      if (imported.has(`${path} ${name}`)) continue;
      // A type that another export gives or takes is known by that.
      const named = kind === 'class' && new RegExp(`[:<|] ?${name}\\b`).test(text);
      if (!named) unused.push(`${path} ${name}`);
    }
  }
  expect(unused).toEqual([]);
});
