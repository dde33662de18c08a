// One transformation of a WebAssembly module: data segments that lie close together become one.
// The compiler leaves out every run of zeros, which makes thousands of segments; a translation to C
// then has code for each of them. The memory is the same afterwards, byte for byte.

const DATA_SECTION = 11;
const DATA_COUNT_SECTION = 12;
const HEADER_BYTES = 8;
const I32_CONST = 0x41;
const END = 0x0b;
/** Zeros between two segments that cost less than a second segment. */
const GAP_BYTES = 64;

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

function writeUnsigned(value) {
  const out = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  return [...out, rest];
}

function writeAddress(value) {
  const out = [];
  for (let rest = value | 0; ; ) {
    const byte = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) {
      return [...out, byte];
    }
    out.push(byte | 0x80);
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

/** Segments in the order of their addresses, neighbours joined. */
function merged(segments) {
  const out = [];
  for (const { start, bytes } of segments.toSorted((a, b) => a.start - b.start)) {
    const last = out.at(-1);
    const gap = last === undefined ? Number.POSITIVE_INFINITY : start - last.end;
    if (gap < 0) throw new Error('segments that overlap');
    if (gap <= GAP_BYTES) {
      last.parts.push(new Uint8Array(gap), bytes);
      last.end = start + bytes.length;
    } else out.push({ start, end: start + bytes.length, parts: [bytes] });
  }
  return out;
}

function dataSection(segments) {
  const entries = segments.map(({ start, end, parts }) => [
    Uint8Array.from([0, I32_CONST, ...writeAddress(start), END, ...writeUnsigned(end - start)]),
    ...parts,
  ]);
  return Buffer.concat([Uint8Array.from(writeUnsigned(segments.length)), ...entries.flat()]);
}

/** The module with fewer data segments. */
export function mergeDataSegments(wasm) {
  const out = [wasm.subarray(0, HEADER_BYTES)];
  for (let at = HEADER_BYTES; at < wasm.length; ) {
    const id = wasm[at];
    const [length, from] = unsigned(wasm, at + 1);
    const section = wasm.subarray(from, from + length);
    at = from + length;
    // The count is for instructions that name segments, and there are none.
    if (id === DATA_COUNT_SECTION) continue;
    const body = id === DATA_SECTION ? dataSection(merged(segmentsOf(section))) : section;
    out.push(Uint8Array.from([id, ...writeUnsigned(body.length)]), body);
  }
  return Buffer.concat(out);
}
