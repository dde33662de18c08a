// SPDX-License-Identifier: Apache-2.0
// The documents for people against what they describe: links and anchors, npm scripts, every
// configuration key in both directions, error codes, types, and the WASI example of
// docs/embedding.md, run. It refuses to judge words.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ownTypes } from '../support/types.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const documents = ['', 'docs/', 'fixtures/'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => folder + name),
);
/** A document without its code: nothing in there is a link or a heading. */
const prose = (path: string): string => read(path).replace(/^(```|~~~)[\s\S]*?^\1$/gm, '');

/** The anchors of a document, made of its headings as the usual renderers make them. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose(path).matchAll(/^#+ (.+)$/gm)) {
    const words = heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '');
    const slug = words.replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

function linksOf(path: string): string[] {
  const text = prose(path).replace(/`[^`\n]*`/g, '');
  const inline = [...text.matchAll(/\]\(([^)\s]+)\)/g)];
  const named = [...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)];
  return [...inline, ...named].map((match) => match[1] ?? '');
}

test.each(documents)('%s: every relative link leads somewhere', (path) => {
  const broken = linksOf(path).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : normalize(join(dirname(path), file));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(target).has(anchor);
  });
  expect(broken).toEqual([]);
});

test.each(documents)('%s: every npm script it names exists', (path) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read(path).matchAll(/\bnpm run ([\w-]+)/g)].map((match) => match[1] ?? '');
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('README.md names the two commands, and CI runs the second', () => {
  expect(read('README.md')).toContain('npm run demo');
  expect(read('README.md')).toContain('npm test');
  expect(read('.ci/run')).toMatch(/^(exec )?npm test$/m);
});

/** Keys that the core reads, of configurations, results and CNI_ARGS. */
function keysRead(): Set<string> {
  const patterns = [
    // reader.string(config, "key"), and so on
    /\breader\.(?:string|bool|integer|array|object|strings|ifname|path)\(\s*[\w.]+,\s*"(\w+)"/g,
    // not_supported(reader, config, "key"), routes_read(reader, ipam, "routes") and the like
    /\(\s*(?:\w+\.)*reader,\s*[\w.]+,(?:\s*\w+,)?\s*"(\w+)"/g,
    // config.get("key"), args.get("KEY")
    /\.get\(\s*"(\w+)"\)/g,
  ];
  const keys = new Set<string>();
  for (const folder of ['spec', 'net', 'plugin', 'plugins']) {
    const path = `core-as/${folder}`;
    if (!existsSync(join(ROOT, path))) continue;
    for (const file of readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      for (const pattern of patterns) {
        for (const [, key = ''] of read(`${path}/${file}`).matchAll(pattern)) keys.add(key);
      }
    }
  }
  return keys;
}

/** Names in the first column of each table whose heading is "key". */
function keysDocumented(): Set<string> {
  const keys = new Set<string>();
  let inside = false;
  for (const line of read('docs/plugins.md').split('\n')) {
    const first = /^\| *([^|]*?) *\|/.exec(line)?.[1];
    if (first === undefined) inside = false;
    else if (first === 'key') inside = true;
    else if (inside) for (const [, key = ''] of first.matchAll(/`(\w+)`/g)) keys.add(key);
  }
  return keys;
}

test('every key that the core reads is in docs/plugins.md, or of a record in docs/state.md', () => {
  const text = read('docs/plugins.md') + read('docs/state.md');
  const read_keys = [...keysRead()];
  expect(read_keys.length).toBeGreaterThan(50);
  // As code, alone or at the end of a path such as `args.cni`.
  const missing = read_keys.filter((key) => !new RegExp(`\`(?:\\w+\\.)*${key}\``).test(text));
  expect(missing.sort()).toEqual([]);
});

test('every key of docs/plugins.md is one that the core reads', () => {
  const known = keysRead();
  const documented = [...keysDocumented()];
  expect(documented.length).toBeGreaterThan(50);
  expect(documented.filter((key) => !known.has(key)).sort()).toEqual([]);
});

test('every error code is in the table of docs/plugins.md, and no other', () => {
  const source = read('core-as/spec/error.ts');
  const codes = [...source.matchAll(/^ {2}[A-Z]\w+ = (\d+),$/gm)].map((match) => match[1]);
  const [, errors = ''] = read('docs/plugins.md').split('\n## Errors\n');
  const listed = [...errors.matchAll(/^\| +(\d+) \|/gm)].map((match) => match[1]);
  expect(codes.length).toBeGreaterThan(10);
  expect(listed).toEqual(codes);
});

test('every CNI type has its section and its row', () => {
  const types = ownTypes();
  expect(types).toContain('bridge');
  for (const type of types) {
    expect(read('docs/plugins.md')).toMatch(new RegExp(`^## ${type}$`, 'm'));
    expect(read('README.md')).toMatch(new RegExp(`^\\| \`${type}\` +\\|`, 'm'));
  }
});

test('JSON in the documents is JSON', () => {
  for (const path of documents) {
    for (const [, text = ''] of read(path).matchAll(/^```json\n([\s\S]*?)^```$/gm)) {
      expect(() => JSON.parse(text), `${path}: ${text}`).not.toThrow();
    }
  }
});

test('the WASI example of docs/embedding.md prints what stands there', () => {
  const [, section = ''] = read('docs/embedding.md').split('\n## As a WASI command\n');
  const block = (kind: string): string =>
    new RegExp(`^\`\`\`${kind}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(section)?.[1] ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-docs-'));
  try {
    const script = join(folder, 'wasi.mjs');
    writeFileSync(script, block('js'));
    const answer = execFileSync(process.execPath, ['--no-warnings', script], {
      cwd: ROOT,
      encoding: 'utf8',
      input: block('json'),
    });
    const shown = answer.split('\n').filter((line) => line.includes('kernel.'));
    expect(`${shown.join('\n')}\n`).toBe(block('text'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the manual’s synopsis names every verb of fairlead agent', () => {
  const help = read('agent/overlay/command.ts');
  const verbs = [...help.matchAll(/^ {2}fairlead agent \[?([a-z-]+)\]? --config FILE/gm)];
  const synopsis = /^ {4}fairlead agent \[(\S+)\]/m.exec(read('docs/fairlead.8.md'))?.[1];
  expect(synopsis?.split('|')).toEqual(verbs.map(([, verb]) => verb));
});
