// SPDX-License-Identifier: Apache-2.0
// A WebAssembly module in two parts: without its data, and the data as text of a C file, packed.
// The compiler leaves out every run of zeros, which makes thousands of segments, and a translation
// to C has code for each of them; and most of the data are texts in UTF-16, every second byte zero,
// each behind 20 bytes that follow from its length, and arrays of the texts between the values of a
// template. The memory is the same afterwards, byte for byte.

const DATA_SECTION = 11;
const DATA_COUNT_SECTION = 12;
const HEADER_BYTES = 8;
const I32_CONST = 0x41;
const END = 0x0b;
/** Runs that are shorter cost more than they save. */
const RUN_MIN = 6;
const NUMBERS_A_LINE = 24;

/** Before an object of the compiler: its block's size, two words, its kind, its size. */
const HEADER_BYTES_OF_OBJECT = 20;
const KIND_OF_TEXT = 2;
/** The first of the two words before an array of a template; of a text it is 0. */
const MARK_OF_TEMPLATE = 3;
/** Blocks end at multiples of this. The word before one is the size of the next. */
const BLOCK_ALIGN = 16;

/** An unsigned LEB128 number at `at`: its value and where it ends. */
function unsigned(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

/** A signed LEB128 number of 32 bits at `at`, as the address it is. */
function address(bytes, at) {
  let value = 0;
  let shift = 0;
  for (;;) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    if (shift < 32 && (byte & 0x40) !== 0) value |= -1 << shift;
    return [value >>> 0, at];
  }
}

function leb128(value) {
  const out = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  return [...out, rest];
}

/** The active segments of a data section: address and bytes. */
function segmentsOf(section) {
  let [count, at] = unsigned(section, 0);
  const segments = [];
  for (; count > 0; count--) {
    // Flag 0 (active, memory 0) and an offset that is a constant: all that the compiler writes.
    if (section[at] !== 0 || section[at + 1] !== I32_CONST) throw new Error('a segment of a kind');
    const [start, end] = address(section, at + 2);
    if (section[end] !== END) throw new Error('a segment without a constant address');
    const [length, from] = unsigned(section, end + 1);
    segments.push({ start, bytes: section.subarray(from, from + length) });
    at = from + length;
  }
  return segments;
}

/** What the segments make of a memory of zeros. */
function imageOf(segments) {
  const image = Buffer.alloc(Math.max(0, ...segments.map((one) => one.start + one.bytes.length)));
  for (const { start, bytes } of segments) image.set(bytes, start);
  return image;
}

/** How long the block of an object is, its own size not counted. */
function blockOf(size) {
  return Math.ceil((HEADER_BYTES_OF_OBJECT + size) / BLOCK_ALIGN) * BLOCK_ALIGN - 4;
}

/** The object whose header is at `at`, when there is one: with its block filled up by zeros. */
function objectAt(image, at) {
  const from = at + HEADER_BYTES_OF_OBJECT;
  if (at % BLOCK_ALIGN !== BLOCK_ALIGN - 4 || from > image.length) return;
  const [block, mark, second, kind, size] = [0, 4, 8, 12, 16].map((i) =>
    image.readUInt32LE(at + i),
  );
  const end = at + 4 + block;
  if (second !== 0 || block !== blockOf(size) || end > image.length) return;
  if (image.subarray(from + size, end).some((byte) => byte !== 0)) return;
  return { mark, kind, body: image.subarray(from, from + size), end };
}

/** The characters of a text when all are bytes. */
function charsOf({ mark, kind, body }) {
  if (mark !== 0 || kind !== KIND_OF_TEXT || body.length % 2 !== 0) return;
  if (body.some((byte, index) => index % 2 === 1 && byte !== 0)) return;
  return body.filter((_, index) => index % 2 === 0);
}

/** The words of an array of a template: texts, in blocks, with a place for a value between them. */
function wordsOf({ mark, body }) {
  if (mark !== MARK_OF_TEMPLATE || body.length % 4 !== 0) return;
  const words = Array.from({ length: body.length / 4 }, (_, i) => body.readUInt32LE(4 * i));
  const regular = (word, index) => (index % 2 === 0 ? word % BLOCK_ALIGN === 0 : word === 0);
  return words.every(regular) ? words : undefined;
}

/** What kind most arrays of templates are of: the compiler numbers kinds as it meets them. */
function kindOfTemplates(image) {
  const counts = new Map();
  for (let at = BLOCK_ALIGN - 4; at < image.length; at += BLOCK_ALIGN) {
    const object = objectAt(image, at);
    if (object === undefined || wordsOf(object) === undefined) continue;
    counts.set(object.kind, (counts.get(object.kind) ?? 0) + 1);
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

/** Packs objects; keeps where the last text of a template lies. */
class Objects {
  #last = 0;
  #kind;

  constructor(kind) {
    this.#kind = kind;
  }

  /** Of a text of a template: how far it lies from the one before, in blocks; 0 for none. */
  #distance(word) {
    if (word === 0) return 0;
    const blocks = (word - this.#last) / BLOCK_ALIGN;
    this.#last = word;
    return 1 + (blocks < 0 ? -2 * blocks - 1 : 2 * blocks);
  }

  /** The part for an object; undefined when it has no form of its own. */
  pack(object) {
    const chars = charsOf(object);
    if (chars !== undefined) return [...leb128(chars.length * 4 + 3), ...chars];
    const words = object.kind === this.#kind ? wordsOf(object) : undefined;
    if (words === undefined) return;
    const texts = words.filter((_, index) => index % 2 === 0);
    return [
      ...leb128(words.length * 4 + 2),
      ...texts.flatMap((word) => leb128(this.#distance(word))),
    ];
  }
}

/** The image as parts, and the kind of templates: core-data.h says what they are. */
export function pack(image) {
  const template_kind = kindOfTemplates(image);
  const objects = new Objects(template_kind);
  const out = [];
  let plain = 0;
  const put = (part, from, to) => {
    if (plain < from) {
      out.push(...leb128((from - plain) * 4 + 1), ...image.subarray(plain, from));
    }
    out.push(...part);
    plain = to;
  };
  for (let at = 0; at < image.length; ) {
    const object = objectAt(image, at);
    const part = object === undefined ? undefined : objects.pack(object);
    let zeros = 0;
    while (part === undefined && image[at + zeros] === 0) zeros++;
    if (part !== undefined) put(part, at, object.end);
    else if (zeros >= RUN_MIN) put(leb128(zeros * 4), at, at + zeros);
    at = Math.max(plain, at + 1);
  }
  put([], image.length, image.length);
  return { packed: Uint8Array.from(out), template_kind };
}

function dataInC({ packed, template_kind }) {
  const lines = [];
  for (let at = 0; at < packed.length; at += NUMBERS_A_LINE) {
    lines.push(`    ${[...packed.subarray(at, at + NUMBERS_A_LINE)].join(', ')},`);
  }
  return [
    '/* The data of the core, packed: generated by scripts/wasm-data.mjs. */',
    '#include "core-data.h"',
    '',
    'const uint8_t core_data[] = {',
    ...lines,
    '};',
    'const uint32_t core_data_length = sizeof core_data;',
    `const uint32_t core_template_kind = ${template_kind};`,
    '',
  ].join('\n');
}

/** The module without its data, and those as C. */
export function splitData(wasm) {
  const out = [wasm.subarray(0, HEADER_BYTES)];
  let image = Buffer.alloc(0);
  for (let at = HEADER_BYTES; at < wasm.length; ) {
    const id = wasm[at];
    const [length, from] = unsigned(wasm, at + 1);
    at = from + length;
    if (id === DATA_SECTION) image = imageOf(segmentsOf(wasm.subarray(from, at)));
    // The count is for instructions that name segments, and there are none.
    else if (id !== DATA_COUNT_SECTION) {
      out.push(Uint8Array.from([id, ...leb128(length)]), wasm.subarray(from, at));
    }
  }
  return { wasm: Buffer.concat(out), data: dataInC(pack(image)) };
}
