// The packed data of the core (scripts/wasm-data.mjs): unpacked by an implementation of the test's
// own they are what they were. That runtime.c does the same shows in everything else.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pack } from '../../scripts/wasm-data.mjs';

/** What core-data.h says. */
function unpack(packed: Uint8Array): number[] {
  const out: number[] = [];
  for (let at = 0; at < packed.length; ) {
    let number = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = packed[at++] ?? 0;
      number += (byte & 127) * scale;
      if (byte < 128) break;
    }
    const kind = number & 3;
    for (let count = number >>> 2; count > 0; count--) {
      out.push(kind === 0 ? 0 : (packed[at++] ?? 0));
      if (kind === 2) out.push(0);
    }
  }
  return out;
}

test('nothing is lost, and texts shrink', () => {
  const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
  const text = fc.string({ maxLength: 40 }).map((one) => [...Buffer.from(one, 'utf16le')]);
  const zeros = fc.integer({ min: 0, max: 300 }).map((count) => Array<number>(count).fill(0));
  const parts = fc.array(fc.oneof(fc.array(byte), text, zeros), { maxLength: 12 });
  fc.assert(
    fc.property(parts, (list) => {
      const image = list.flat();
      // The last of a text may have its zero from behind the end.
      const unpacked = unpack(pack(Buffer.from(image)));
      expect(unpacked.slice(0, image.length)).toEqual(image);
      expect(unpacked.slice(image.length).every((one) => one === 0)).toBe(true);
    }),
  );
  const words = Buffer.from('a text of the core, as most are'.repeat(20), 'utf16le');
  expect(pack(words).length).toBeLessThan(words.length * 0.51);
});
