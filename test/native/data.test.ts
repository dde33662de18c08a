// SPDX-License-Identifier: Apache-2.0
// The packed data of the core (scripts/wasm-data.mjs): unpacked by an implementation of the test's
// own they are what they were. That unpack.c does the same shows in everything else.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pack } from '../../scripts/wasm-data.mjs';

const words = (...values: number[]) => [...new Uint8Array(Uint32Array.from(values).buffer)];

const KIND = 24;

/** An object as the compiler lays it out, from its block's size on. */
function objectOf(mark: number, kind: number, body: number[]): number[] {
  const bytes = [...words(mark, 0, kind, body.length), ...body];
  const length = Math.ceil((4 + bytes.length) / 16) * 16 - 4;
  return [...words(length), ...bytes, ...Array<number>(length - bytes.length).fill(0)];
}

const textOf = (chars: number[]) =>
  objectOf(
    0,
    2,
    chars.flatMap((char) => [char, 0]),
  );

const templateOf = (texts: number[], kind = KIND) =>
  objectOf(3, kind, words(...texts.flatMap((text) => [text, 0]).slice(0, -1)));

/** What core-data.h says. */
function unpack({ packed, template_kind }: ReturnType<typeof pack>): number[] {
  const out: number[] = [];
  let at = 0;
  const number = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = packed[at++] ?? expect.fail('it ends too soon');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  let last = 0;
  const word = () => {
    const distance = number();
    if (distance === 0) return 0;
    last += 16 * (distance % 2 === 1 ? (distance - 1) / 2 : -distance / 2);
    return last;
  };
  while (at < packed.length) {
    const head = number();
    const count = Math.floor(head / 4);
    if (head % 4 === 0) out.push(...Array<number>(count).fill(0));
    else if (head % 4 === 2) {
      const list = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? word() : 0));
      out.push(...objectOf(3, template_kind, words(...list)));
    } else {
      const bytes = [...packed.subarray(at, at + count)];
      at += count;
      out.push(...(head % 4 === 1 ? bytes : textOf(bytes)));
    }
  }
  return out;
}

const char = fc.integer({ min: 0, max: 255 });
const texts = fc.array(fc.array(char, { maxLength: 40 }), { maxLength: 6 });
const START = words(7, 7, 7);

test('nothing is lost', () => {
  const byte = fc.oneof(fc.constant(0), char);
  const zeros = fc.integer({ min: 0, max: 300 }).map((count) => Array<number>(count).fill(0));
  const parts = fc.array(fc.oneof(fc.array(byte), zeros), { maxLength: 12 });
  fc.assert(
    fc.property(parts, (list) => {
      const image = list.flat();
      expect(unpack(pack(Buffer.from(image)))).toEqual(image);
    }),
  );
});

test('a text of the compiler is its length and itself, and one that is different stays', () => {
  fc.assert(
    fc.property(texts, (list) => {
      const image = [...START, ...list.flatMap(textOf)];
      const packed = pack(Buffer.from(image));
      expect(unpack(packed)).toEqual(image);
      expect(packed.packed.length).toBe(
        13 + list.reduce((sum, one) => sum + 1 + one.length + (one.length > 31 ? 1 : 0), 0),
      );
    }),
  );
  const one = [...START, ...textOf([...Buffer.from('different')])];
  fc.assert(
    fc.property(fc.nat(one.length - 1), char, (place, byte) => {
      const image = one.with(place, byte);
      expect(unpack(pack(Buffer.from(image)))).toEqual(image);
    }),
  );
});

test('an array of a template is a few bytes, and one that is different stays', () => {
  const place = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 0xfffffff }).map((n) => n * 16),
  );
  const arrays = fc.array(fc.array(place, { minLength: 1, maxLength: 9 }), { maxLength: 6 });
  fc.assert(
    fc.property(arrays, texts, (list, others) => {
      const objects = [...list.map((one) => templateOf(one)), ...others.map(textOf)];
      const image = [...START, ...objects.flat(), ...templateOf([16], KIND + 1)];
      expect(unpack(pack(Buffer.from(image)))).toEqual(image);
    }),
  );
  const near = templateOf([0x1000, 0, 0x1010, 0xff0]);
  const many = pack(Buffer.from([...START, ...near, ...near, ...near]));
  expect(many.template_kind).toBe(KIND);
  expect(many.packed.length).toBeLessThan(13 + 3 * 7);
  const one = [...START, ...templateOf([0x2000, 0x1000]), ...templateOf([0x1000])];
  fc.assert(
    fc.property(fc.nat(one.length - 1), char, (at, byte) => {
      const image = one.with(at, byte);
      expect(unpack(pack(Buffer.from(image)))).toEqual(image);
    }),
  );
});
