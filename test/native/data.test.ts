// The packed data of the core (scripts/wasm-data.mjs, squeeze.mjs): unpacked by an implementation of
// the test's own they are what they were. That unpack.c does the same shows in everything else.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { squeeze } from '../../scripts/squeeze.mjs';
import { pack } from '../../scripts/wasm-data.mjs';

const words = (...values: number[]) => [...new Uint8Array(Uint32Array.from(values).buffer)];

/** A text as the compiler lays it out, from its block's size on. */
function textOf(chars: number[]): number[] {
  const bytes = [...words(0, 0, 2, 2 * chars.length), ...chars.flatMap((char) => [char, 0])];
  const length = Math.ceil((4 + bytes.length) / 16) * 16 - 4;
  return [...words(length), ...bytes, ...Array<number>(length - bytes.length).fill(0)];
}

/** What core-data.h says of squeezed bytes. */
function unsqueeze(squeezed: Uint8Array): number[] {
  const out: number[] = [];
  let at = 0;
  const byte = () => squeezed[at++] ?? expect.fail('it ends too soon');
  const number = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const next = byte();
      value += (next & 127) * scale;
      if (next < 128) return value;
    }
  };
  while (at < squeezed.length) {
    const token = byte();
    const literal = token >>> 4 === 15 ? 15 + number() : token >>> 4;
    for (let count = literal; count > 0; count--) out.push(byte());
    if (at === squeezed.length) break;
    const back = number();
    const repeated = 3 + ((token & 15) === 15 ? 15 + number() : token & 15);
    for (let count = repeated; count > 0; count--) {
      out.push(out[out.length - back] ?? expect.fail('it lies before the beginning'));
    }
  }
  return out;
}

/** What core-data.h says of parts. */
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

test('what repeats itself is named, near and far, and nothing is lost', () => {
  const few = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 400 });
  const any = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 100 });
  fc.assert(
    fc.property(fc.array(fc.oneof(few, any), { maxLength: 4 }), fc.nat(300), (list, far) => {
      const once = list.flat();
      const bytes = [...once, ...Array.from({ length: far }, (_, index) => index % 251), ...once];
      expect(unsqueeze(squeeze(Uint8Array.from(bytes)))).toEqual(bytes);
    }),
  );
  const one = 'the same words, told again and again';
  const told = Buffer.from(`${one}; ${one}, and ${one}`);
  expect(squeeze(told).length).toBeLessThan(one.length + 20);
  expect(squeeze(new Uint8Array(1000)).length).toBeLessThan(8);
});
