// The packed data of the core (scripts/wasm-data.mjs): unpacked by an implementation of the test's
// own they are what they were. That runtime.c does the same shows in everything else.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pack } from '../../scripts/wasm-data.mjs';

const words = (...values: number[]) => [...new Uint8Array(Uint32Array.from(values).buffer)];

/** A text as the compiler lays it out, from its block's size on. */
function textOf(chars: number[]): number[] {
  const bytes = [...words(0, 0, 2, 2 * chars.length), ...chars.flatMap((char) => [char, 0])];
  const length = Math.ceil((4 + bytes.length) / 16) * 16 - 4;
  return [...words(length), ...bytes, ...Array<number>(length - bytes.length).fill(0)];
}

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
    if (kind === 3) {
      const chars = [...packed.subarray(at, at + (number >>> 2))];
      at += chars.length;
      out.push(...textOf(chars));
      continue;
    }
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
  const long = Buffer.from('a text of the core, as most are'.repeat(20), 'utf16le');
  expect(pack(long).length).toBeLessThan(long.length * 0.51);
});

test('a text of the compiler is its length and itself, and one that is different stays', () => {
  const char = fc.integer({ min: 0, max: 255 });
  const texts = fc.array(fc.array(char, { maxLength: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(texts, (list) => {
      const image = [...words(7, 7, 7), ...list.flatMap(textOf)];
      const packed = pack(Buffer.from(image));
      expect(unpack(packed)).toEqual(image);
      expect(packed.length).toBe(
        13 + list.reduce((sum, one) => sum + 1 + one.length + (one.length > 31 ? 1 : 0), 0),
      );
    }),
  );
  const one = [...words(7, 7, 7), ...textOf([...Buffer.from('different')])];
  fc.assert(
    fc.property(fc.nat(one.length - 1), char, (place, byte) => {
      const image = one.with(place, byte);
      expect(unpack(pack(Buffer.from(image)))).toEqual(image);
    }),
  );
});
