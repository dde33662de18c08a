// SPDX-License-Identifier: Apache-2.0
// The conversions of text of the native host (host-native/print.c) beside the C library's, and that
// the host uses no others: one that is not there would end the process.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { buildTestProgram } from '../../scripts/native.mjs';
import { needsNative } from '../support/needs.ts';

const SOURCE = fileURLToPath(new URL('../../host-native', import.meta.url));
const KNOWN = /^%(?:0?\d*(?:l{0,2}|z)[diux]|c|(?:\.\*)?s|%)/;

test.skipIf(needsNative !== '')(
  `texts are the C library's, cut or not ${needsNative}`,
  async () => {
    const program = await buildTestProgram(
      'print',
      ['test/native/print.c'],
      {},
      {
        wanted: () => false,
      },
    );
    expect(execFileSync(program, { encoding: 'utf8' })).toMatch(/^[1-9]\d{3,} compared\n$/);
  },
);

describe('every conversion of the host is known', () => {
  const files = readdirSync(SOURCE).filter((name) => name.endsWith('.c') && name !== 'print.c');
  test.each(files)('%s', (name) => {
    const texts = readFileSync(join(SOURCE, name), 'utf8').match(/"(?:[^"\\\n]|\\.)*"/g) ?? [];
    const strange = texts.flatMap((text) => {
      const asked = text.replaceAll('%%', '').split('%').slice(1);
      return asked.filter((rest) => !KNOWN.test(`%${rest}`));
    });
    expect(strange).toEqual([]);
  });
});
