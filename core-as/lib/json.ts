// SPDX-License-Identifier: Apache-2.0
// Strict JSON (RFC 8259) over UTF-8 bytes: a tree that keeps unknown keys, key order, the text of
// numbers and the offset of every value, so that errors can say line and column.
// It refuses to guess: no trailing commas, no lossy numbers, no lone surrogates, no malformed
// UTF-8.
import { equals_fold } from "./ascii";
import { ByteWriter, utf8_decode, utf8_invalid_at } from "./utf8";
import { control_write, is_control } from "./visible";

export const enum Kind {
  Null,
  Bool,
  Number,
  String,
  Array,
  Object,
}

/** Deeper nesting is refused: recursion must end long before the stack does. */
const DEPTH_LIMIT: i32 = 100;
/** More values are refused: a value costs some hundred bytes of memory. */
export const VALUES_LIMIT: i32 = 250000;

const NO_ITEMS: JsonValue[] = [];
const NO_KEYS: string[] = [];

/** A JSON value. `text` is a string's value or a number's own digits. */
export class JsonValue {
  bool: bool = false;
  text: string = "";
  /** Elements of an array or values of an object, beside `keys`. */
  items: JsonValue[] = NO_ITEMS;
  keys: string[] = NO_KEYS;
  /** Byte offset of its key in the document, -1 where there is none. */
  key_offset: i32 = -1;
  /** Byte offset in the document, -1 for a value made by the core. */
  constructor(
    public kind: Kind,
    public offset: i32 = -1,
  ) {}

  static string(value: string): JsonValue {
    const made = new JsonValue(Kind.String);
    made.text = value;
    return made;
  }
  static number(value: i64): JsonValue {
    const made = new JsonValue(Kind.Number);
    made.text = value.toString();
    return made;
  }
  static bool(value: bool): JsonValue {
    const made = new JsonValue(Kind.Bool);
    made.bool = value;
    return made;
  }
  static array(): JsonValue {
    return new JsonValue(Kind.Array);
  }
  static object(): JsonValue {
    return new JsonValue(Kind.Object);
  }

  push(value: JsonValue): void {
    if (this.items === NO_ITEMS) this.items = new Array<JsonValue>();
    this.items.push(value);
  }
  /** Appends a member, even when the key is there: the last one counts. */
  append(key: string, value: JsonValue): void {
    if (this.keys === NO_KEYS) this.keys = new Array<string>();
    this.keys.push(key);
    this.push(value);
  }
  /** Sets a member in place, or appends it. */
  set(key: string, value: JsonValue): JsonValue {
    const at = this.indexOf(key);
    if (at >= 0) {
      this.items[at] = value;
    } else {
      this.append(key, value);
    }
    return this;
  }
  /**
   * A member by key; the last of duplicates; without an exact match one that differs only in the
   * case of ASCII letters, as Go's decoder does. `null` counts as absent.
   */
  get(key: string): JsonValue | null {
    const at = this.indexOf(key);
    if (at < 0 || this.items[at].kind == Kind.Null) return null;
    return this.items[at];
  }
  /** A member that is a text; "" when there is none, or it is something else. */
  text_at(key: string): string {
    const value = this.get(key);
    return value && value.kind == Kind.String ? value.text : "";
  }
  indexOf(key: string): i32 {
    for (let i = this.keys.length - 1; i >= 0; i--) {
      if (this.keys[i] == key) return i;
    }
    for (let i = this.keys.length - 1; i >= 0; i--) {
      if (equals_fold(this.keys[i], key)) return i;
    }
    return -1;
  }
  /** Forgets its place, which is of another document than the one asked for positions. */
  placeless(): JsonValue {
    this.offset = -1;
    for (let i = 0; i < this.items.length; i++) this.items[i].placeless();
    return this;
  }
  isInteger(): bool {
    if (this.kind != Kind.Number) return false;
    for (let i = 0; i < this.text.length; i++) {
      const c = this.text.charCodeAt(i);
      if (!(c >= 48 && c <= 57) && !(i == 0 && c == 45)) return false;
    }
    // 18 digits always fit an i64; nothing CNI counts needs more.
    return this.text.length <= 18;
  }
  integer(): i64 {
    return I64.parseInt(this.text);
  }
}

/** What a document parsed to: `value`, or `problem` and where it stands. */
export class Parsed {
  value: JsonValue = new JsonValue(Kind.Null);
  problem: string = "";
  offset: i32 = -1;
  constructor(
    private ptr: usize,
    private len: i32,
  ) {}
  get failed(): bool {
    return this.problem.length > 0;
  }
  /** "line 3, column 7", both from 1; a column counts characters. */
  position(offset: i32): string {
    const place = this.start();
    place.advance(offset);
    return `line ${place.line}, column ${place.column}`;
  }
  /** The place of the first byte, from which others can be reached. */
  start(): Place {
    return new Place(this.ptr, this.len);
  }
}

/** A place in a document that moves forward: so that many are found in one pass. */
export class Place {
  line: i32 = 1;
  column: i32 = 1;
  private at: i32 = 0;
  constructor(
    private ptr: usize,
    private len: i32,
  ) {}
  advance(offset: i32): void {
    for (; this.at < offset && this.at < this.len; this.at++) {
      const byte = load<u8>(this.ptr + this.at);
      if (byte == 10) {
        this.line++;
        this.column = 1;
      } else if ((byte & 0xc0) != 0x80) {
        this.column++;
      }
    }
  }
}

/** Parses one document. The bytes must stay where they are while positions are asked for. */
export function json_parse(ptr: usize, len: i32): Parsed {
  const parsed = new Parsed(ptr, len);
  const encoding = wrong_encoding(ptr, len);
  const bad = encoding.length > 0 ? 0 : utf8_invalid_at(ptr, len);
  if (bad >= 0) {
    parsed.problem = encoding.length > 0 ? encoding : "a byte that is not UTF-8";
    parsed.offset = bad;
    return parsed;
  }
  const parser = new Parser(ptr, len);
  parsed.value = parser.document();
  parsed.problem = parser.problem;
  parsed.offset = parser.problemAt;
  return parsed;
}

/** What an editor put before the text, or how it wrote all of it; "" for plain UTF-8. */
function wrong_encoding(ptr: usize, len: i32): string {
  if (len >= 3 && load<u8>(ptr) == 0xef && load<u8>(ptr + 1) == 0xbb && load<u8>(ptr + 2) == 0xbf) {
    return "a byte order mark, which JSON does not have: save the file as UTF-8 without it";
  }
  const mark = len >= 2 ? load<u16>(ptr) : 0;
  return mark == 0xfeff || mark == 0xfffe ? "text in UTF-16: save the file as UTF-8" : "";
}

const EMPTY = "the document ends too early: it is empty";
const COMMENT = "a comment, which JSON does not have: remove it";
const TRAILING_COMMA = "a comma after the last entry: remove it";

class Parser {
  problem: string = "";
  problemAt: i32 = -1;
  private at: i32 = 0;
  private depth: i32 = 0;
  private values: i32 = 0;
  /** One for all strings with escapes: a writer's block is not given back. */
  private unescaped: ByteWriter = new ByteWriter();
  constructor(
    private ptr: usize,
    private len: i32,
  ) {}

  document(): JsonValue {
    const value = this.value();
    if (this.problemAt < 0) {
      this.space();
      if (this.at < this.len) this.expected("text after the end of the document");
    }
    return value;
  }

  private peek(): i32 {
    return this.at < this.len ? <i32>load<u8>(this.ptr + this.at) : -1;
  }
  private fail(problem: string): void {
    if (this.problemAt >= 0) return;
    this.problem = problem;
    this.problemAt = this.at;
  }
  /** Notes that something else was expected here, or what it is that is here. */
  private expected(what: string): void {
    const c = this.peek();
    const next = this.at + 1 < this.len ? <i32>load<u8>(this.ptr + this.at + 1) : -1;
    const comment = c == 35 || (c == 47 && (next == 47 || next == 42));
    if (c < 0) this.fail(this.values > 1 || this.depth > 0 ? "the document ends too early" : EMPTY);
    else if (c > 127) this.fail(`${what}: ${this.sign()} looks like what JSON has, and is not`);
    else this.fail(comment ? COMMENT : what);
  }
  /** The character here as Unicode numbers it: on a screen it may look like another, or nothing. */
  private sign(): string {
    let bytes = 1;
    while ((<i32>load<u8>(this.ptr + this.at + bytes) & 0xc0) == 0x80) bytes++;
    const code = utf8_decode(this.ptr + this.at, bytes).codePointAt(0);
    return `U+${code < 0x1000 ? "00" : ""}${code.toString(16)}`;
  }
  /** The same where a text may be meant: in YAML and JavaScript it needs no double quotes. */
  private quoted(what: string): void {
    const c = this.peek();
    const word = (c | 32) >= 97 && (c | 32) <= 122;
    if (c == 39) this.fail("a text in single quotes: write it in double quotes");
    else if (word) this.fail("a word that JSON does not have: write texts in double quotes");
    else this.expected(what);
  }
  private space(): void {
    let c = this.peek();
    while (c == 32 || c == 10 || c == 13 || c == 9) {
      this.at++;
      c = this.peek();
    }
  }

  private value(): JsonValue {
    this.space();
    const value = new JsonValue(Kind.Null, this.at);
    if (++this.values > VALUES_LIMIT) {
      this.fail(`more than ${VALUES_LIMIT} values`);
      return value;
    }
    const c = this.peek();
    if (c == 123) {
      value.kind = Kind.Object;
      this.members(value);
    } else if (c == 91) {
      value.kind = Kind.Array;
      this.elements(value);
    } else if (c == 34) {
      value.kind = Kind.String;
      value.text = this.string();
    } else if (c == 45 || (c >= 48 && c <= 57)) {
      value.kind = Kind.Number;
      value.text = this.number();
    } else if (c == 116 && this.word("true")) {
      value.kind = Kind.Bool;
      value.bool = true;
    } else if (c == 102 && this.word("false")) {
      value.kind = Kind.Bool;
    } else if (!(c == 110 && this.word("null"))) {
      this.quoted("a value was expected here");
    }
    return value;
  }

  private enter(): bool {
    this.at++;
    if (++this.depth <= DEPTH_LIMIT) return true;
    this.fail(`nested more than ${DEPTH_LIMIT} deep`);
    return false;
  }
  /** After an element: true to go on, false at the closing byte or on a problem. */
  private more(close: i32): bool {
    this.space();
    const c = this.peek();
    if (c == 44) {
      const comma = this.at++;
      this.space();
      if (this.peek() != close) return true;
      this.at = comma;
      this.fail(TRAILING_COMMA);
      return false;
    }
    if (c == close) {
      this.at++;
      this.depth--;
      return false;
    }
    this.expected(close == 125 ? "',' or '}' was expected here" : "',' or ']' was expected here");
    return false;
  }
  private members(value: JsonValue): void {
    if (!this.enter()) return;
    this.space();
    if (this.peek() == 125) {
      this.at++;
      this.depth--;
      return;
    }
    do {
      this.space();
      if (this.peek() != 34) return this.quoted("a key in double quotes was expected here");
      const key_offset = this.at;
      const key = this.string();
      if (this.problemAt >= 0) return;
      this.space();
      if (this.peek() != 58) return this.expected("':' was expected here");
      this.at++;
      const member = this.value();
      member.key_offset = key_offset;
      value.append(key, member);
      if (this.problemAt >= 0) return;
    } while (this.more(125));
  }
  private elements(value: JsonValue): void {
    if (!this.enter()) return;
    this.space();
    if (this.peek() == 93) {
      this.at++;
      this.depth--;
      return;
    }
    do {
      value.push(this.value());
      if (this.problemAt >= 0) return;
    } while (this.more(93));
  }

  private word(word: string): bool {
    for (let i = 0; i < word.length; i++) {
      if (this.at + i >= this.len) return false;
      if (<i32>load<u8>(this.ptr + this.at + i) != word.charCodeAt(i)) return false;
    }
    this.at += word.length;
    return true;
  }
  private digits(): bool {
    const start = this.at;
    while (this.peek() >= 48 && this.peek() <= 57) this.at++;
    return this.at > start;
  }
  private number(): string {
    const start = this.at;
    if (this.peek() == 45) this.at++;
    if (this.peek() == 48) {
      this.at++;
      if (this.peek() >= 48 && this.peek() <= 57) this.fail("a number with a leading zero");
    } else if (!this.digits()) {
      this.fail("a malformed number");
    }
    if (this.peek() == 46) {
      this.at++;
      if (!this.digits()) this.fail("a malformed number");
    }
    if ((this.peek() | 32) == 101) {
      this.at++;
      if (this.peek() == 43 || this.peek() == 45) this.at++;
      if (!this.digits()) this.fail("a malformed number");
    }
    return utf8_decode(this.ptr + start, this.at - start);
  }

  private string(): string {
    this.at++;
    const start = this.at;
    let c = this.peek();
    while (c >= 32 && c != 34 && c != 92) {
      this.at++;
      c = this.peek();
    }
    if (c == 34) {
      this.at++;
      return utf8_decode(this.ptr + start, this.at - 1 - start);
    }
    const out = this.unescaped;
    out.len = 0;
    out.bytes(this.ptr + start, this.at - start);
    while (this.problemAt < 0) {
      c = this.peek();
      if (c == 34) {
        this.at++;
        break;
      }
      if (c < 0) {
        this.fail("a string without its closing quote");
      } else if (c < 32) {
        this.fail("a control character in a string");
      } else if (c == 92) {
        this.escape(out);
      } else {
        out.byte(c);
        this.at++;
      }
    }
    return out.toString();
  }
  private escape(out: ByteWriter): void {
    const from = this.at;
    this.at++;
    const c = this.peek();
    this.at++;
    if (c == 34 || c == 92 || c == 47) {
      out.byte(c);
    } else if (c == 98) {
      out.byte(8);
    } else if (c == 102) {
      out.byte(12);
    } else if (c == 110) {
      out.byte(10);
    } else if (c == 114) {
      out.byte(13);
    } else if (c == 116) {
      out.byte(9);
    } else if (c == 117) {
      const point = this.codePoint();
      if (point >= 0) {
        out.text(String.fromCodePoint(point));
      } else {
        this.at = from;
        this.fail(point == -2 ? "half of a surrogate pair" : "a malformed \\u escape");
      }
    } else {
      this.at = from;
      this.fail("an unknown escape");
    }
  }
  /** The code point after "\u": -1 when malformed, -2 for half of a surrogate pair. */
  private codePoint(): i32 {
    const unit = this.hex4();
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit > 0xdbff || this.peek() != 92) return -2;
    this.at++;
    if (this.peek() != 117) return -2;
    this.at++;
    const low = this.hex4();
    if (low < 0xdc00 || low > 0xdfff) return -2;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  private hex4(): i32 {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const c = this.peek();
      let digit = -1;
      if (c >= 48 && c <= 57) digit = c - 48;
      else if ((c | 32) >= 97 && (c | 32) <= 102) digit = (c | 32) - 87;
      if (digit < 0) return -1;
      value = (value << 4) | digit;
      this.at++;
    }
    return value;
  }
}

/** Writes a value; indent 0 is compact, else one member a line with that many spaces a level. */
export function json_write(
  out: ByteWriter,
  value: JsonValue,
  indent: i32 = 0,
  level: i32 = 0,
): void {
  switch (value.kind) {
    case Kind.Bool:
      out.text(value.bool ? "true" : "false");
      break;
    case Kind.Number:
      out.text(value.text);
      break;
    case Kind.String:
      json_write_string(out, value.text);
      break;
    case Kind.Array:
    case Kind.Object:
      write_container(out, value, indent, level);
      break;
    default:
      out.text("null");
  }
}

function write_container(out: ByteWriter, value: JsonValue, indent: i32, level: i32): void {
  const object = value.kind == Kind.Object;
  out.byte(object ? 123 : 91);
  const count = value.items.length;
  for (let i = 0; i < count; i++) {
    if (i > 0) out.byte(44);
    new_line(out, indent, level + 1);
    if (object) {
      json_write_string(out, value.keys[i]);
      out.byte(58);
      if (indent > 0) out.byte(32);
    }
    json_write(out, value.items[i], indent, level + 1);
  }
  if (count > 0) new_line(out, indent, level);
  out.byte(object ? 125 : 93);
}

function new_line(out: ByteWriter, indent: i32, level: i32): void {
  if (indent == 0) return;
  out.byte(10);
  for (let i = 0; i < indent * level; i++) out.byte(32);
}

/** Writes a string with its quotes and escapes; DEL and C1 are escaped too, see visible.ts. */
export function json_write_string(out: ByteWriter, text: string): void {
  out.byte(34);
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const control = is_control(c);
    if (!control && c != 34 && c != 92) continue;
    out.slice(text, run, i);
    run = i + 1;
    if (control) {
      control_write(out, c);
    } else {
      out.byte(92);
      out.byte(c);
    }
  }
  out.slice(text, run, text.length);
  out.byte(34);
}

/** A value as compact text. */
export function json_text(value: JsonValue): string {
  const out = new ByteWriter();
  json_write(out, value);
  return out.toString();
}
