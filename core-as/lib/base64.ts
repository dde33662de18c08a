// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 section 4, with padding), as Go prints bytes in JSON.
import { ByteWriter, Utf8 } from "./utf8";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The base64 form of a text's UTF-8 bytes. */
export function base64_encode(text: string): string {
  const bytes = new Utf8(text);
  return base64_encode_bytes(bytes.ptr, bytes.len);
}

/** The base64 form of bytes. */
export function base64_encode_bytes(ptr: usize, len: i32): string {
  const out = new ByteWriter();
  for (let i = 0; i < len; i += 3) {
    const left = len - i;
    let bits = (<i32>load<u8>(ptr + i)) << 16;
    if (left > 1) bits |= (<i32>load<u8>(ptr + i + 1)) << 8;
    if (left > 2) bits |= <i32>load<u8>(ptr + i + 2);
    out.byte(ALPHABET.charCodeAt(bits >> 18));
    out.byte(ALPHABET.charCodeAt((bits >> 12) & 63));
    out.byte(left > 1 ? ALPHABET.charCodeAt((bits >> 6) & 63) : 61);
    out.byte(left > 2 ? ALPHABET.charCodeAt(bits & 63) : 61);
  }
  return out.toString();
}

/** The bytes that a base64 text stands for; null when it is malformed. */
export function base64_decode(text: string): ByteWriter | null {
  if (text.length % 4 != 0) return null;
  const out = new ByteWriter();
  for (let i = 0; i < text.length; i += 4) {
    const last = i + 4 == text.length;
    const pads = last ? i32(text.endsWith("=")) + i32(text.endsWith("==")) : 0;
    let bits = 0;
    for (let k = 0; k < 4; k++) {
      const digit = k >= 4 - pads ? 0 : ALPHABET.indexOf(text.charAt(i + k));
      if (digit < 0) return null;
      bits = (bits << 6) | digit;
    }
    out.byte(bits >> 16);
    if (pads < 2) out.byte((bits >> 8) & 255);
    if (pads < 1) out.byte(bits & 255);
  }
  return out;
}
