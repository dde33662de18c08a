// SPDX-License-Identifier: Apache-2.0
// The native host puts stars where the Node host does, to the byte, under AddressSanitizer: on the
// cases of test/recording/, and on texts made of their pieces at random.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildTestProgram } from '../../scripts/native.mjs';
import { CASES, hidden, type Kind } from '../recording/secret-cases.ts';
import { needsNative } from '../support/needs.ts';

const FILES = ['buffer.c', 'reply.c', 'secrets.c', 'text.c'];
const program =
  needsNative === ''
    ? await buildTestProgram(
        'secrets',
        ['test/native/secrets.c'],
        {},
        {
          wanted: (file) => FILES.includes(file),
        },
      )
    : '';

function hiddenInC(kind: Kind, text: string): unknown {
  const input = `${kind[0]}${Buffer.byteLength(text)}\n${text}`;
  const [said] = JSON.parse(execFileSync(program, { input, encoding: 'utf8' }));
  return said;
}

describe.skipIf(needsNative !== '')(`secrets in the native host ${needsNative}`, () => {
  test.each(CASES)('%s: %j', (kind, text) => {
    expect(hiddenInC(kind, text)).toEqual(hidden(kind, text));
  });

  const pieces = [
    ...['"', '\\"', '\\\\\\"', ':', ',', '{', '}', '[', ']', '=', ';', ' ', '1', '*', '\\', '\0'],
    ...['password', 'key', 'a', 'a longer one', '"token":', '\\"psk\\":\\"', 'é'],
  ];
  const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 30 });
  test('any text', () => {
    fc.assert(
      fc.property(fc.constantFrom<Kind>('json', 'pairs'), texts, (kind, words) => {
        const text = words.join('');
        expect(hiddenInC(kind, text)).toEqual(hidden(kind, text));
      }),
      { numRuns: 300 },
    );
  });
});
