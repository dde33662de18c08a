// SPDX-License-Identifier: Apache-2.0
// The glue of the native host: pointers and texts that a broken or hostile core may pass, as
// test/abi/bind.test.ts tries them on the Node host's. The generated glue itself runs, over
// operations that do nothing, under AddressSanitizer.
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { isWide, OPERATIONS, type Operation } from '../../host-node/abi/index.ts';
import { buildTestProgram } from '../../scripts/native.mjs';
import { needsNative } from '../support/needs.ts';

const EFAULT = 14;
const EILSEQ = 84;
const PAGE_BYTES = 65536;
const FILES = [
  'abi.gen.c',
  'around.c',
  'hold.c',
  'border.c',
  'buffer.c',
  'io.c',
  'reply.c',
  'path.c',
  'runtime.c',
  'secrets.c',
  'tape.c',
  'text.c',
  'unpack.c',
];

/** Those that around.c does not have. */
const foreign = OPERATIONS.filter((op) => op.module !== 'host' || op.name === 'confine');

/** An operation that reads what it was given, notes that it was reached, and says so as JSON. */
function operationInC(op: Operation): string {
  const params = Object.entries(op.params);
  const list = params.map(([name, type]) => `${isWide(type) ? 'struct span' : 'int32_t'} ${name}`);
  return [
    `int32_t ${op.module}_${op.name}(${['struct host *host', ...list].join(', ')})`,
    '{',
    ...params.map(([name, type]) =>
      isWide(type) ? `    touch(${name}.ptr, ${name}.len);` : `    (void)${name};`,
    ),
    '    reached++;',
    op.reply === 'json' ? '    reply_object(&host->reply); reply_object_end(&host->reply);' : '',
    '    (void)host;',
    '    return 0;',
    '}',
  ].join('\n');
}

function callInC(op: Operation): string {
  const count = Object.values(op.params).reduce((sum, type) => sum + (isWide(type) ? 2 : 1), 0);
  const args = Array.from({ length: count }, (_, index) => `a[${index}]`);
  const instance = `(struct Z_${op.module}_instance_t *)host`;
  return [
    `    if (strcmp(name, "${op.module}.${op.name}") == 0)`,
    `        return Z_${op.module}Z_${op.name}(${[instance, ...args].join(', ')});`,
  ].join('\n');
}

const TEXT = [
  '#include <stdlib.h>',
  '#include <string.h>',
  '#include "abi.gen.h"',
  '#include "border-test.h"',
  '#include "core.h"',
  ...foreign.map(operationInC),
  'uint32_t call(struct host *host, const char *name, const uint32_t *a)',
  '{',
  ...OPERATIONS.map(callInC),
  '    abort();',
  '}',
  '',
].join('\n');

const program =
  needsNative === ''
    ? await buildTestProgram(
        'border',
        ['test/native/border.c'],
        { 'operations.c': TEXT },
        {
          wanted: (file) => FILES.includes(file),
        },
      )
    : '';

/** What the lines give, a line each. */
function asked(...lines: string[]): string[] {
  const input = `${lines.join('\n')}\n`;
  return execFileSync(program, { input, encoding: 'utf8' }).trimEnd().split('\n');
}

/** A call of an operation with its n-th wide argument at ptr, len and all others empty. */
function calling(op: Operation, nth: number, ptr: number, len: number): string {
  let at = 0;
  const args = Object.values(op.params).flatMap((type) => {
    if (!isWide(type)) return [0];
    return at++ === nth ? [ptr, len] : [0, 0];
  });
  return ['call', `${op.module}.${op.name}`, ...args].join(' ');
}

const cases = OPERATIONS.filter((op) => op.name !== 'panic').flatMap((op) => {
  const types = Object.values(op.params).filter(isWide);
  return types.map((type, nth) => ({ name: `${op.module}.${op.name}`, type, nth, op }));
});

const OUTSIDE = [
  [PAGE_BYTES, 1],
  [PAGE_BYTES - 1, 2],
  [0, -1],
  [-8, 8],
  [-1, 2],
  [0, PAGE_BYTES + 1],
  [2 ** 31, 2 ** 31],
] as const;

describe.skipIf(needsNative !== '')(`the native host's glue ${needsNative}`, () => {
  test.each(cases)('$name refuses what lies outside, argument $nth', ({ op, nth }) => {
    const lines = OUTSIDE.map(([ptr, len]) => calling(op, nth, ptr, len));
    const refused = `-${EFAULT} 0 a pointer outside the memory of the core`;
    expect(asked(...lines)).toEqual(OUTSIDE.map(() => refused));
  });

  const texts = cases.filter(({ type }) => type === 'str');
  test.each(texts)('$name refuses what is no text, argument $nth', ({ op, nth }) => {
    const bad = ['6100', 'c0af', 'eda080', 'f4908080', 'e282', 'ff'];
    const lines = bad.flatMap((hex) => [`poke 8 ${hex}`, calling(op, nth, 8, hex.length / 2)]);
    const said = bad.map((hex) => (hex === '6100' ? 'a NUL byte in a text' : 'a text that is not'));
    const given = asked(...lines).map((line) => line.replace(' UTF-8', ''));
    expect(given).toEqual(said.map((words) => `-${EILSEQ} 0 ${words}`));
  });

  test.each(foreign)('$module.$name takes what is good, at the very end too', (op) => {
    const count = Object.values(op.params).filter(isWide).length;
    const end = PAGE_BYTES - 3;
    const lines = Array.from({ length: count }, (_, nth) => calling(op, nth, end, 3));
    const words = op.reply === 'json' ? '{}' : '';
    const given = asked(`poke ${end} e282ac`, ...lines, calling(op, -1, 0, 0));
    expect(given.map((line) => line.trimEnd())).toEqual(
      Array(count + 1).fill(`0 1 ${words}`.trimEnd()),
    );
  });

  test('an empty text may be anywhere up to the end, and not behind it', () => {
    const op = OPERATIONS.find(({ name }) => name === 'link_get')!;
    expect(asked(calling(op, 0, PAGE_BYTES, 0), calling(op, 0, PAGE_BYTES + 1, 0))).toEqual([
      '0 1 {}',
      `-${EFAULT} 0 a pointer outside the memory of the core`,
    ]);
  });

  test('memory that grew is seen', () => {
    const op = OPERATIONS.find(({ name }) => name === 'link_get')!;
    const line = calling(op, 0, PAGE_BYTES, 1);
    expect(asked(line, 'grow', `poke ${PAGE_BYTES} 61`, line)).toEqual([
      `-${EFAULT} 0 a pointer outside the memory of the core`,
      '0 1 {}',
    ]);
  });

  test('reply_read copies no more than there is room for', () => {
    const given = asked(
      'poke 0 3f3f3f3f',
      'call kernel.link_get 0 0 0',
      'call host.reply_len',
      'call host.reply_read 0 1',
      'peek 0 4',
      'call host.reply_read 0 4',
      'peek 0 4',
    );
    expect(given).toEqual(['0 1 {}', '2 0 {}', '1 0 {}', '{???', '2 0 {}', '{}??']);
  });

  test('the words of a failure stay until the next reply', () => {
    const op = OPERATIONS.find(({ name }) => name === 'link_del')!;
    expect(
      asked('call store.file_remove 70000 1', calling(op, 0, 0, 0), 'call host.reply_len'),
    ).toEqual([
      `-${EFAULT} 0 a pointer outside the memory of the core`,
      '0 1 a pointer outside the memory of the core',
      '40 0 a pointer outside the memory of the core',
    ]);
  });
});
