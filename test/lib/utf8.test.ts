// SPDX-License-Identifier: Apache-2.0
// UTF-8 validation against the platform's own decoders, and the byte writer against plain strings.
import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { bytes, callBytes, callNumber, callString, seeded } from '../support/lib-wasm.ts';

const invalidAt = (...sequence: number[]) =>
  callNumber('utf8_invalid', [Uint8Array.from(sequence)]);

const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodes(sequence: Uint8Array): boolean {
  try {
    fatal.decode(sequence);
    return true;
  } catch {
    return false;
  }
}

/** Where TextDecoder stops: the end of the longest prefix that decodes. */
function stopsAt(sequence: Uint8Array): number {
  for (let end = sequence.length; end >= 0; end--) {
    if (decodes(sequence.subarray(0, end))) return end === sequence.length ? -1 : end;
  }
  throw new Error('even no bytes did not decode');
}

describe('validation', () => {
  test('every sequence of one byte', () => {
    for (let a = 0; a < 256; a++) {
      expect(invalidAt(a)).toBe(decodes(Uint8Array.of(a)) ? -1 : 0);
    }
  });

  test('every sequence of two bytes', () => {
    const wrong: string[] = [];
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        if (invalidAt(a, b) !== stopsAt(Uint8Array.of(a, b))) wrong.push(`${a} ${b}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  // Sixteen million of them: some seconds.
  test('every sequence of three bytes', { timeout: 60_000 }, () => {
    const wrong: string[] = [];
    const sequence = new Uint8Array(3);
    for (let lead = 0; lead < 256; lead++) {
      const valid = callBytes('utf8_valid_tails', [lead]);
      sequence[0] = lead;
      for (let tail = 0; tail < 65536; tail++) {
        sequence[1] = tail >> 8;
        sequence[2] = tail & 255;
        if (isUtf8(sequence) !== (valid[tail] === 1)) wrong.push(sequence.join(' '));
      }
    }
    expect(wrong).toEqual([]);
  });

  test('a sample of four and more bytes, with the offset', () => {
    // Bytes at the edges of every range of Unicode's table 3-7, so that many samples are near hits.
    const EDGES = [
      0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
      0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff,
    ];
    const random = seeded(1);
    const pick = () => EDGES[Math.floor(random() * EDGES.length)]!;
    const continuation = () => 0x80 + Math.floor(random() * 64);
    const wrong: string[] = [];
    let valid = 0;
    for (let round = 0; round < 40000; round++) {
      const length = 4 + Math.floor(random() * 4);
      const sequence = Uint8Array.from({ length }, (_, at) =>
        at > 0 && random() < 0.7 ? continuation() : pick(),
      );
      if (round % 2) sequence[0] = 0xf0 + Math.floor(random() * 5);
      const expected = stopsAt(sequence);
      if (expected < 0) valid++;
      if (callNumber('utf8_invalid', [sequence]) !== expected) wrong.push(sequence.join(' '));
    }
    expect(wrong).toEqual([]);
    expect(valid).toBeGreaterThan(500);
  });

  test.each([
    ['nothing', [], -1],
    ['an overlong slash', [0x61, 0xc0, 0xaf], 1],
    ['an overlong three-byte form', [0xe0, 0x80, 0xaf], 0],
    ['half of a surrogate pair', [0x22, 0x22, 0xed, 0xa0, 0x80], 2],
    ['U+10FFFF', [0xf4, 0x8f, 0xbf, 0xbf], -1],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
    ['a truncated last character', [0x61, 0xe2, 0x82], 1],
    ['latin-1', [0x63, 0x61, 0x66, 0xe9], 3],
    ['a byte order mark', [0xef, 0xbb, 0xbf], -1],
  ])('%s', (_, sequence, expected) => {
    expect(invalidAt(...sequence)).toBe(expected);
  });
});

const TEXTS = ['', 'eth0', 'å', '€', '日本語', '😀', 'a😀b\u0000c', '\uffff\ufeff', '\u{10ffff}'];

describe('strings', () => {
  test.each(TEXTS)('%j decodes and encodes', (text) => {
    expect(callString('utf8_decoded', [bytes(text)])).toBe(text);
    expect(callBytes('utf8_encoded', [text])).toEqual(bytes(text));
  });

  test('every code point encodes as TextEncoder does', () => {
    const wrong: number[] = [];
    for (let from = 0; from < 0x110000; from += 0x800) {
      if (from === 0xd800) continue;
      const points = Array.from({ length: 0x800 }, (_, at) => from + at);
      const text = String.fromCodePoint(...points);
      if (Buffer.compare(callBytes('utf8_encoded', [text]), bytes(text)) !== 0) wrong.push(from);
    }
    expect(wrong).toEqual([]);
  });
});

describe('the byte writer', () => {
  test.each(TEXTS)('%j written in two slices', (text) => {
    for (let cut = 0; cut <= text.length; cut++) {
      // A cut inside a surrogate pair is no slice of characters.
      if (text.codePointAt(cut - 1)! > 0xffff) continue;
      expect(callString('utf8_written', [text, cut, 1])).toBe(text);
    }
  });

  test('grows past its first block, at every size around a doubling', () => {
    for (const size of [511, 512, 513, 1023, 1024, 1025]) {
      const text = 'x'.repeat(size);
      expect(callString('utf8_written', [text, 1, 3])).toBe(text.repeat(3));
      expect(callString('utf8_written', ['€'.repeat(size), 7, 2])).toBe('€'.repeat(2 * size));
    }
    expect(callString('utf8_written', ['0123456789', 5, 50000])).toBe('0123456789'.repeat(50000));
  });
});
