// SPDX-License-Identifier: Apache-2.0
// Stars in the place of secrets: of values in JSON whose names look like those of secrets, also in
// JSON within JSON, and of CNI_ARGS. Each is as long as it was, so that a replay asks for the same.
// host-native/secrets.c does the same to the byte. It refuses to find a secret by what it says.
import { limits } from '../abi/index.ts';

const WORDS = limits.SECRET_WORDS.split(' ');
const NAMES = limits.SECRET_NAMES.split(' ');
/** Names that are longer are none of a key. */
const NAME_MAX_BYTES = 64;
/** Values that are shorter are words of anybody. */
const VALUE_MIN_BYTES = 8;
/** So many values are looked for again. */
const VALUES_MAX = 16;

const [QUOTE, BACKSLASH, STAR, COMMA] = [34, 92, 42, 44];
const [COLON, SEMICOLON, EQUALS, ONE] = [58, 59, 61, 49];
/** In the file of a result: cache.go of libcni. */
const CACHED = /"config":"([A-Za-z0-9+/]+={0,2})"/g;
const PAIR = /\["([^"\\]+)","(?:[^"\\]|\\.)*"\]/g;
const BRACES = new Map([
  ['{'.charCodeAt(0), 1],
  ['['.charCodeAt(0), 1],
  ['}'.charCodeAt(0), -1],
  [']'.charCodeAt(0), -1],
]);

const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57;
const isSpace = (byte: number | undefined): boolean =>
  byte === 32 || byte === 9 || byte === 10 || byte === 13;
/** A letter, a digit, "-", "_", "." or "/". */
const isOfName = (byte: number): boolean =>
  (byte >= 45 && byte <= 57) || byte === 95 || ((byte | 32) >= 97 && (byte | 32) <= 122);

/** Whether a name looks like that of a secret. */
function isSecret(name: string): boolean {
  const plain = name.toLowerCase().replace(/[-_.]/g, '');
  return NAMES.includes(plain) || WORDS.some((word) => plain.includes(word));
}

/** Overwrites secrets in bytes, and keeps the names under which they stood. */
export class Secrets {
  /** In the order in which they were met, each once. */
  readonly names: string[] = [];
  readonly #values: Buffer[] = [];

  /**
   * What was found stands elsewhere too, without its name: in a text of an error, say. Overwrites
   * it there; what is shorter, or was written with escapes, is known by its name alone.
   */
  again(bytes: Buffer): void {
    for (const value of this.#values) {
      for (let at = bytes.indexOf(value); at >= 0; at = bytes.indexOf(value, at)) {
        bytes.fill(STAR, at, at + value.length);
      }
    }
  }

  /** In text that may hold JSON. */
  json(bytes: Uint8Array): void {
    for (let at = bytes.indexOf(COLON); at >= 0; at = bytes.indexOf(COLON, at + 1)) {
      let end = at - 1;
      while (end > 0 && isSpace(bytes[end])) end--;
      if (bytes[end] !== QUOTE) continue;
      const depth = backslashesBefore(bytes, end);
      const name = nameBefore(bytes, end - depth);
      if (name === '' || bytes[end - depth - name.length - 1] !== QUOTE) continue;
      if (isSecret(name)) this.#value(bytes, at + 1, depth, name);
    }
  }

  /**
   * In a result that the command line keeps, as libcni does: the configuration is in it in base64,
   * CNI_ARGS is a list of pairs. As a secret is as long afterwards, so is that.
   */
  cached(bytes: Buffer): void {
    const text = bytes.toString('latin1');
    for (const { index, 0: all, 1: base64 = '' } of text.matchAll(CACHED)) {
      const config = Buffer.from(base64, 'base64');
      this.json(config);
      bytes.write(config.toString('base64'), index + all.indexOf(base64), 'latin1');
    }
    for (const { index, 0: all, 1: name = '' } of text.matchAll(PAIR)) {
      const from = index + `["${name}","`.length;
      if (isSecret(name)) this.#text(bytes, from, index + all.length - '"]'.length, name);
    }
  }

  /** In KEY=VALUE;KEY=VALUE, each text of a block ended by a NUL byte. */
  pairs(bytes: Uint8Array): void {
    for (let at = bytes.indexOf(EQUALS); at >= 0; at = bytes.indexOf(EQUALS, at + 1)) {
      const name = nameBefore(bytes, at);
      if (name === '' || !isSecret(name)) continue;
      let end = at + 1;
      while (end < bytes.length && bytes[end] !== SEMICOLON && bytes[end] !== 0) end++;
      this.#text(bytes, at + 1, end, name);
    }
  }

  #note(name: string): void {
    if (!this.names.includes(name)) this.names.push(name);
  }

  /** The value of a member: a text, a number, or all texts and numbers in a list or object. */
  #value(bytes: Uint8Array, from: number, depth: number, name: string): void {
    let open = 0;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === COMMA && open === 0) return;
      if (isDigit(byte)) {
        this.#note(name);
        bytes[at] = ONE;
      }
      open += BRACES.get(byte) ?? 0;
      if (byte === QUOTE) {
        const end = endOfText(bytes, at + 1, depth);
        if (!isKey(bytes, end)) this.#text(bytes, at + 1, end - depth, name);
        at = end;
      }
      const ends = byte === QUOTE || BRACES.has(byte);
      if (ends && open <= 0) return;
    }
  }

  #text(bytes: Uint8Array, from: number, to: number, name: string): void {
    if (to <= from) return;
    this.#note(name);
    const value = bytes.subarray(from, to);
    const plain = value.length >= VALUE_MIN_BYTES && !value.includes(BACKSLASH);
    if (plain && this.#values.length < VALUES_MAX && !value.includes(STAR)) {
      // Once, however often it is met: the room is for others.
      const kept = this.#values.some((one) => one.equals(value));
      if (!kept) this.#values.push(Buffer.from(value));
    }
    value.fill(STAR);
  }
}

function backslashesBefore(bytes: Uint8Array, at: number): number {
  let from = at;
  while (from > 0 && bytes[from - 1] === BACKSLASH) from--;
  return at - from;
}

/** The name that ends before `end`, "" for none or one that is too long. */
function nameBefore(bytes: Uint8Array, end: number): string {
  let from = end;
  while (from > 0 && isOfName(bytes[from - 1]!)) from--;
  if (end - from > NAME_MAX_BYTES) return '';
  return Buffer.from(bytes.subarray(from, end)).toString('latin1');
}

/**
 * Where the closing quote of a text is whose quotes have `depth` backslashes before them: 0 in
 * JSON, 1 in JSON within a text of JSON. Quotes of the text itself have more, in steps of a whole
 * level.
 */
function endOfText(bytes: Uint8Array, from: number, depth: number): number {
  for (let at = bytes.indexOf(QUOTE, from); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) {
    const before = Math.min(backslashesBefore(bytes, at), at - from);
    if (before % (2 * (depth + 1)) === depth) return at;
  }
  return bytes.length;
}

/** Whether the text that ends there is a name itself. */
function isKey(bytes: Uint8Array, end: number): boolean {
  let at = end + 1;
  while (isSpace(bytes[at])) at++;
  return bytes[at] === COLON;
}
