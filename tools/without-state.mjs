// SPDX-License-Identifier: Apache-2.0
// A module without the exports of its globals (tools/kept-state.mjs), for a page that keeps no
// instance and counts bytes. All else stays as it is, byte for byte.
const HEADER_BYTES = 8;
const EXPORTS = 7;

/** Numbers as wasm writes them (LEB128). */
class Reader {
  at = 0;
  constructor(bytes) {
    this.bytes = bytes;
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }
}

function written(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) return Buffer.from(bytes);
  }
}

/** The section of exports without those of a name that begins so. */
function without(section, begin) {
  const from = new Reader(section);
  const kept = [];
  for (let left = from.number(); left > 0; left--) {
    const start = from.at;
    const name_bytes = from.number();
    const name = section.toString('utf8', from.at, from.at + name_bytes);
    from.at += name_bytes + 1;
    from.number();
    if (!name.startsWith(begin)) kept.push(section.subarray(start, from.at));
  }
  return Buffer.concat([written(kept.length), ...kept]);
}

export function withoutState(module) {
  const from = new Reader(module);
  from.at = HEADER_BYTES;
  const parts = [module.subarray(0, HEADER_BYTES)];
  while (from.at < module.length) {
    const id = module[from.at++];
    const length = from.number();
    const section = module.subarray(from.at, from.at + length);
    const body = id === EXPORTS ? without(section, 'state.') : section;
    parts.push(Buffer.of(id), written(body.length), body);
    from.at += length;
  }
  return Buffer.concat(parts);
}
