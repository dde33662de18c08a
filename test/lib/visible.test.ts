// SPDX-License-Identifier: Apache-2.0
// What core-as/lib/visible.ts makes of control characters. It refuses to touch the rest of a text.
import { expect, test } from 'vitest';
import { callString } from '../support/lib-wasm.ts';

const visible = (text: string) => callString('visible', [text]);

test('each of C0, DEL and C1 is escaped, and nothing else', () => {
  for (let point = 0; point < 0x3000; point++) {
    const char = String.fromCharCode(point);
    if (!/\p{Cc}/u.test(char)) {
      expect(visible(`a${char}z`)).toBe(`a${char}z`);
      continue;
    }
    const shown = visible(`a${char}z`);
    expect(shown).toMatch(/^a\\[nrtu][0-9a-f]*z$/);
    expect(JSON.parse(`"${shown}"`)).toBe(`a${char}z`);
  }
});

test('several in a text, also at its ends, and none', () => {
  expect(visible('\u001b[31mred\u009b0m\n')).toBe('\\u001b[31mred\\u009b0m\\n');
  expect(visible('')).toBe('');
  expect(visible('plain \u{1f600}')).toBe('plain \u{1f600}');
});
