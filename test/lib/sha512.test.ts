// SPDX-License-Identifier: Apache-2.0
// SHA-512 beside that of OpenSSL: every length around a block, and the reference's own example.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { callString } from '../support/lib-wasm.ts';

test('every length up to three blocks', () => {
  const wrong = Array.from(
    { length: 385 },
    (_, n) => 'é'.repeat(n >> 2) + 'x'.repeat(n & 3),
  ).filter(
    (text) => callString('sha512_hex', [text]) !== createHash('sha512').update(text).digest('hex'),
  );
  expect(wrong).toEqual([]);
});

test('the ifb that the reference plugin names in its tests', () => {
  const hash = callString('sha512_hex', ['cni-plugin-bandwidth-testdummy']);
  expect(`bwp${hash.slice(0, 12)}`).toBe('bwpa8eda89404b7');
});
