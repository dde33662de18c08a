// SPDX-License-Identifier: Apache-2.0
// UTF-8 in and out of the core's memory: validation, growing byte buffers, strings as pointer +
// length. It refuses to repair: AssemblyScript's own decoder drops or rewrites malformed bytes, so
// bytes are validated before they are decoded.

/** Offset of the first byte that is not well-formed UTF-8 (Unicode 15, table 3-7), or -1. */
export function utf8_invalid_at(ptr: usize, len: i32): i32 {
  let i = 0;
  while (i < len) {
    const lead = <u32>load<u8>(ptr + i);
    if (lead < 0x80) {
      i++;
      continue;
    }
    let follow = 0;
    let low: u32 = 0x80;
    let high: u32 = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      follow = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      follow = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      follow = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return i;
    }
    if (i + follow >= len) return i;
    for (let k = 1; k <= follow; k++) {
      const byte = <u32>load<u8>(ptr + i + k);
      if (byte < low || byte > high) return i;
      low = 0x80;
      high = 0xbf;
    }
    i += follow + 1;
  }
  return -1;
}

/** Decodes bytes already known to be well-formed. */
export function utf8_decode(ptr: usize, len: i32): string {
  return String.UTF8.decodeUnsafe(ptr, len);
}

/** A string as UTF-8 bytes, for handing to the host: `ptr` and `len`. */
export class Utf8 {
  private buffer: ArrayBuffer;
  constructor(text: string) {
    this.buffer = String.UTF8.encode(text);
  }
  get ptr(): usize {
    return changetype<usize>(this.buffer);
  }
  get len(): i32 {
    return this.buffer.byteLength;
  }
}

/** A growing block of bytes; `s += t` copies everything each time, this does not. */
export class ByteWriter {
  len: i32 = 0;
  /** Managed, so that a module whose memory is freed frees it. */
  private block: ArrayBuffer;

  /** Most have little to write, and each page of memory costs 1 µs. */
  constructor(private capacity: i32 = 128) {
    this.block = new ArrayBuffer(capacity);
  }

  /** Its first byte, until more is written. */
  get ptr(): usize {
    return changetype<usize>(this.block);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: i32): void {
    if (this.len + count <= this.capacity) return;
    while (this.len + count > this.capacity) this.capacity <<= 1;
    this.block = changetype<ArrayBuffer>(__renew(this.ptr, this.capacity));
  }
  byte(value: i32): void {
    this.reserve(1);
    store<u8>(this.ptr + this.len, value);
    this.len++;
  }
  /** Appends UTF-16 code units [start, end) of a string. */
  slice(text: string, start: i32, end: i32): void {
    if (end <= start) return;
    this.reserve((end - start) * 3);
    const from = changetype<usize>(text) + ((<usize>start) << 1);
    this.len += <i32>String.UTF8.encodeUnsafe(from, end - start, this.ptr + this.len, false);
  }
  text(value: string): ByteWriter {
    this.slice(value, 0, value.length);
    return this;
  }
  bytes(ptr: usize, len: i32): void {
    this.reserve(len);
    memory.copy(this.ptr + this.len, ptr, len);
    this.len += len;
  }
  toString(): string {
    return utf8_decode(this.ptr, this.len);
  }
}

/** Texts with a separator between them. The library's join copies what is there for every text. */
export function texts_joined(texts: string[], separator: string): string {
  const out = new ByteWriter();
  for (let i = 0; i < texts.length; i++) {
    if (i > 0) out.text(separator);
    out.text(texts[i]);
  }
  return out.toString();
}
