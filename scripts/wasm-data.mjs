// A WebAssembly module in two parts: without its data, and the data as text of a C file, packed.
// The compiler leaves out every run of zeros, which makes thousands of segments, and a translation
// to C has code for each of them; and most of the data are texts in UTF-16, every second byte zero,
// each behind 20 bytes that follow from its length. What is left is squeezed (squeeze.mjs). The
// memory is the same afterwards, byte for byte.
import { leb128, squeeze } from './squeeze.mjs';

const DATA_SECTION = 11;
const DATA_COUNT_SECTION = 12;
const HEADER_BYTES = 8;
const I32_CONST = 0x41;
const END = 0x0b;
/** Runs that are shorter cost more than they save. */
const RUN_MIN = 6;
const NUMBERS_A_LINE = 24;

/** A text of the compiler: its block's size, two words of zeros, its kind, its size, itself. */
const HEADER_OF_TEXT_BYTES = 20;
const KIND_OF_TEXT = 2;
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

/** How many zeros there are at `at`, and how many bytes that each have a zero behind them. */
function runsAt(image, at) {
  let zeros = 0;
  while (at + zeros < image.length && image[at + zeros] === 0) zeros++;
  let wide = 0;
  const isWide = (place) => image[place] !== 0 && (image[place + 1] ?? 0) === 0;
  while (at + 2 * wide < image.length && isWide(at + 2 * wide)) wide++;
  return { zeros, wide };
}

/** How long the block of a text is, its own size not counted. */
function blockOf(size) {
  return Math.ceil((HEADER_OF_TEXT_BYTES + size) / BLOCK_ALIGN) * BLOCK_ALIGN - 4;
}

/** The characters of the text whose header is at `at`, when there is one and all are bytes. */
function textAt(image, at) {
  if (at % BLOCK_ALIGN !== BLOCK_ALIGN - 4 || at + HEADER_OF_TEXT_BYTES > image.length) return;
  const [block, first, second, kind, size] = [0, 4, 8, 12, 16].map((i) =>
    image.readUInt32LE(at + i),
  );
  const end = at + 4 + block;
  const regular = first === 0 && second === 0 && kind === KIND_OF_TEXT && size % 2 === 0;
  if (!regular || block !== blockOf(size) || end > image.length) return;
  const body = image.subarray(at + HEADER_OF_TEXT_BYTES, end);
  const chars = body.filter((_, index) => index < size && index % 2 === 0);
  const narrow = body.every((byte, index) => byte === 0 || (index < size && index % 2 === 0));
  return narrow ? { chars, end } : undefined;
}

/** The image as parts: core-data.h says what they are. */
export function pack(image) {
  const out = [];
  let plain = 0;
  const flush = (end) => {
    if (plain < end) out.push(...leb128((end - plain) * 4 + 1), ...image.subarray(plain, end));
  };
  for (let at = 0; at < image.length; ) {
    const text = textAt(image, at);
    if (text !== undefined) {
      flush(at);
      out.push(...leb128(text.chars.length * 4 + 3), ...text.chars);
      at = text.end;
      plain = at;
      continue;
    }
    const { zeros, wide } = runsAt(image, at);
    if (zeros < RUN_MIN && wide < RUN_MIN) {
      at++;
      continue;
    }
    flush(at);
    if (zeros >= RUN_MIN) {
      out.push(...leb128(zeros * 4));
      at += zeros;
    } else {
      const chars = Array.from({ length: wide }, (_, index) => image[at + 2 * index]);
      out.push(...leb128(wide * 4 + 2), ...chars);
      at += 2 * wide;
    }
    plain = at;
  }
  flush(image.length);
  return Uint8Array.from(out);
}

function dataInC(parts) {
  const packed = squeeze(parts);
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
    `const uint32_t core_parts_length = ${parts.length};`,
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
