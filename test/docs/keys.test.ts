// SPDX-License-Identifier: Apache-2.0
// The tables of keys in docs/plugins.md against the table of types: for each type and place the
// same keys, no more and no fewer.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ownTypes, typeTable } from '../support/types.ts';

const text = readFileSync(fileURLToPath(new URL('../../docs/plugins.md', import.meta.url)), 'utf8');
const sections = new Map(
  text.split(/^##+ /m).map((section) => [section.split('\n', 1)[0] ?? '', section]),
);

/** The rows of each table of a section whose heading is "key": names, and the third column. */
function tablesOf(name: string): { keys: string[]; third: string }[][] {
  const found: { keys: string[]; third: string }[][] = [];
  for (const table of (sections.get(name) ?? '').matchAll(/^(\|.*\n)+/gm)) {
    const [head = '', , ...lines] = table[0].trim().split('\n');
    const cells = (line: string) => line.split('|').map((cell) => cell.trim());
    if (cells(head)[1] !== 'key') continue;
    found.push(
      lines.map((line) => {
        const [, first = '', , third = ''] = cells(line);
        return { keys: [...first.matchAll(/`(\w+)`/g)].map(([, key = '']) => key), third };
      }),
    );
  }
  return found;
}
const keysOf = (name: string): string[][] =>
  tablesOf(name).map((rows) => rows.flatMap(({ keys }) => keys));
const { types, shared } = typeTable();
const places = (type: string) => types.find(({ name }) => name === type)?.keys ?? {};

test.each(ownTypes())('%s: its section has its keys', (type) => {
  const [top = [], below] = keysOf(type);
  const { '': own, ipam } = places(type);
  const [inner] = Object.entries(places(type))
    .filter(([place]) => /^(?!args).*\w\.?/.test(place))
    .filter(([place]) => !['ipam', 'runtimeConfig', 'CNI_ARGS'].includes(place));
  // The keys of a single range stand beside those of host-local.
  const single = type === 'host-local' ? (below ?? []) : [];
  expect(new Set([...top, ...single])).toEqual(new Set(ipam ?? own));
  if (type === 'host-local') expect(below).toEqual(shared['ranges']);
  else if (type === 'bandwidth') expect(inner?.[1]).toEqual(top);
  else expect(below).toEqual(inner?.[1]);
});

test('fairlead, dns and routes', () => {
  expect(keysOf('fairlead')).toEqual([[...places('fairlead')['']!, 'capabilities']]);
  expect(keysOf('dns')).toEqual([shared['dns']]);
  expect(new Set(keysOf('routes')[0])).toEqual(new Set(shared['routes']));
});

test('what runtimes ask for, by capability, CNI_ARGS and args.cni', () => {
  const tables = tablesOf('Requests of the runtime');
  expect(tables).toHaveLength(3);
  const told = tables.map((rows) =>
    rows
      .flatMap(({ keys, third }) =>
        [...third.matchAll(/`([\w-]+)`/g)].flatMap(([, type]) => keys.map((k) => `${type} ${k}`)),
      )
      .filter((pair) => !pair.endsWith(' IgnoreUnknown')),
  );
  // tuning has all its keys in args.cni too, as the text says.
  const extra = places('tuning')['args.cni']!.filter((key) => key !== 'mac');
  expect([...extra, 'dataDir', 'mac'].sort()).toEqual([...places('tuning')['']!].sort());
  const known = ['runtimeConfig', 'CNI_ARGS', 'args.cni'].map((place) =>
    ownTypes().flatMap((type) =>
      (places(type)[place] ?? [])
        .filter((key) => place !== 'args.cni' || type !== 'tuning' || key === 'mac')
        .map((key) => `${type} ${key}`),
    ),
  );
  expect(told.map((list) => list.sort())).toEqual(known.map((list) => list.sort()));
});
