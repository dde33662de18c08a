// SPDX-License-Identifier: Apache-2.0
// Go's gob encoding, reading: messages that describe types and messages that have values of them
// (pkg.go.dev/encoding/gob, "Encoding Details"). Every length and number is from outside, so each
// is held against what is there and against a limit. It refuses what no peer of ours sends: values
// of interface types, floating point and complex numbers.
import { ByteWriter, utf8_decode, utf8_invalid_at } from "../lib/utf8";

const INT: i32 = 2;
const UINT: i32 = 3;
const FLOAT: i32 = 4;
const STRING: i32 = 6;
const BYTES: i32 = 5;
const COMPLEX: i32 = 7;
const INTERFACE: i32 = 8;
/** What a description of a type is a value of; the numbers are the encoding's own. */
const WIRE_TYPE: i32 = 16;
const ARRAY_TYPE: i32 = 17;
const COMMON_TYPE: i32 = 18;
const SLICE_TYPE: i32 = 19;
const STRUCT_TYPE: i32 = 20;
const FIELD_TYPE: i32 = 21;
const FIELDS: i32 = 22;
const MAP_TYPE: i32 = 23;
/** Ours, for types of which a peer encodes its values itself: a number that no peer gives. */
const OPAQUE_TYPE: i32 = 24;
/** The first number that a peer may give to a type. */
const FIRST_ID: i32 = 64;

const MESSAGE_MAX_BYTES: i32 = 2097152;
const TYPES_LIMIT: i32 = 256;
const FIELDS_LIMIT: i32 = 256;
const DEPTH_LIMIT: i32 = 32;
const VALUES_LIMIT: i32 = 20000;

const enum Shape {
  Struct,
  /** Slices and arrays. */
  List,
  Map,
  /** Bytes that only the peer knows to read. */
  Opaque,
}

class GobType {
  names: string[] = [];
  ids: i32[] = [];
  constructor(public shape: Shape) {}
  field(name: string, id: i32): GobType {
    this.names.push(name);
    this.ids.push(id);
    return this;
  }
}

/** A value: a number, bytes (of a string too), or members of a struct or list. */
export class Gob {
  int: i64 = 0;
  bytes: ByteWriter | null = null;
  names: string[] = [];
  items: Gob[] = [];

  /** A member of a struct; null when it is absent, which stands for the zero of its type. */
  at(name: string): Gob | null {
    const at = this.names.indexOf(name);
    return at < 0 ? null : this.items[at];
  }
  /** A member's number, 0 when absent. */
  int_at(name: string): i64 {
    const member = this.at(name);
    return member ? member.int : 0;
  }
  /** A member as text; "" when absent, or no UTF-8. */
  text_at(name: string): string {
    const member = this.at(name);
    return member ? member.text : "";
  }
  get text(): string {
    const bytes = this.bytes;
    if (!bytes || utf8_invalid_at(bytes.ptr, bytes.len) >= 0) return "";
    return utf8_decode(bytes.ptr, bytes.len);
  }
}

/** Reads a stream of messages that comes in pieces. */
export class GobReader {
  /** What is wrong with the stream, "" for nothing. Nothing is read after it. */
  problem: string = "";
  private held: ByteWriter = new ByteWriter();
  private types: Map<i32, GobType> = new Map<i32, GobType>();
  private at: i32 = 0;
  private end: i32 = 0;
  private values: i32 = 0;

  constructor() {
    const types = this.types;
    types.set(
      WIRE_TYPE,
      new GobType(Shape.Struct)
        .field("ArrayT", ARRAY_TYPE)
        .field("SliceT", SLICE_TYPE)
        .field("StructT", STRUCT_TYPE)
        .field("MapT", MAP_TYPE)
        .field("GobEncoderT", OPAQUE_TYPE)
        .field("BinaryMarshalerT", OPAQUE_TYPE)
        .field("TextMarshalerT", OPAQUE_TYPE),
    );
    const common = (): GobType => new GobType(Shape.Struct).field("CommonType", COMMON_TYPE);
    types.set(COMMON_TYPE, new GobType(Shape.Struct).field("Name", STRING).field("Id", INT));
    types.set(ARRAY_TYPE, common().field("Elem", INT).field("Len", INT));
    types.set(SLICE_TYPE, common().field("Elem", INT));
    types.set(STRUCT_TYPE, common().field("Field", FIELDS));
    types.set(FIELD_TYPE, new GobType(Shape.Struct).field("Name", STRING).field("Id", INT));
    types.set(FIELDS, new GobType(Shape.List).field("", FIELD_TYPE));
    types.set(MAP_TYPE, common().field("Key", INT).field("Elem", INT));
    types.set(OPAQUE_TYPE, common());
  }

  /** Takes the next bytes of the stream. */
  feed(ptr: usize, len: i32): void {
    this.held.bytes(ptr, len);
  }

  /** The next value; null when more is to come first, or there is a problem. */
  next(): Gob | null {
    while (this.problem.length == 0 && this.begin()) {
      const id = <i32>this.signed();
      const described = id < 0;
      const value = this.message(described ? WIRE_TYPE : id);
      if (this.problem.length == 0 && this.at != this.end) this.wrong("bytes behind a value");
      if (this.problem.length > 0 || !value) return null;
      this.drop();
      if (!described) return value;
      this.define(-id, value);
    }
    return null;
  }

  /** Whether a whole message is there; `at` and `end` are its bounds. */
  private begin(): bool {
    this.at = 0;
    this.end = this.held.len;
    if (this.end == 0) return false;
    const first = <i32>load<u8>(this.held.ptr);
    if (first >= 0x80 && 256 - first >= this.end) return false;
    const len = this.unsigned();
    if (this.problem.length > 0) return false;
    if (len > <u64>MESSAGE_MAX_BYTES) {
      this.wrong(`a message of ${len} bytes, more than ${MESSAGE_MAX_BYTES}`);
      return false;
    }
    if (<i32>len > this.held.len - this.at) return false;
    this.end = this.at + <i32>len;
    this.values = 0;
    return true;
  }
  /** Forgets the message that was read. */
  private drop(): void {
    const rest = new ByteWriter();
    rest.bytes(this.held.ptr + this.end, this.held.len - this.end);
    this.held = rest;
  }

  private wrong(problem: string): void {
    if (this.problem.length == 0) this.problem = problem;
  }
  private unsigned(): u64 {
    if (this.at >= this.end) {
      this.wrong("a message ends too early");
      return 0;
    }
    const first = <i32>load<u8>(this.held.ptr + this.at++);
    if (first < 0x80) return <u64>first;
    const count = 256 - first;
    if (count > 8 || count > this.end - this.at) {
      this.wrong("a malformed number");
      return 0;
    }
    let value: u64 = 0;
    for (let i = 0; i < count; i++) value = (value << 8) | load<u8>(this.held.ptr + this.at++);
    return value;
  }
  private signed(): i64 {
    const value = this.unsigned();
    const half = <i64>(value >> 1);
    return value & 1 ? ~half : half;
  }
  /** A count or length of things that take at least a byte each. */
  private count(): i32 {
    const value = this.unsigned();
    if (value <= <u64>(this.end - this.at)) return <i32>value;
    this.wrong("a length beyond the end of its message");
    return 0;
  }

  /** The value of a message: what is no struct has a 0 before it. */
  private message(id: i32): Gob | null {
    const type = this.types.has(id) ? this.types.get(id) : null;
    const bare = !type || type.shape != Shape.Struct;
    if (bare && this.unsigned() != 0) this.wrong("a value without its mark");
    return this.value(id, 0);
  }

  private value(id: i32, depth: i32): Gob {
    const made = new Gob();
    if (depth > DEPTH_LIMIT) this.wrong(`values nested more than ${DEPTH_LIMIT} deep`);
    if (++this.values > VALUES_LIMIT) this.wrong(`more than ${VALUES_LIMIT} values`);
    if (this.problem.length > 0) return made;
    if (id == INT) {
      made.int = this.signed();
    } else if (id == STRING || id == BYTES) {
      made.bytes = this.run();
    } else if (id > 0 && id <= FLOAT) {
      // Booleans and unsigned numbers; the bits of a float are skipped so.
      const bits = this.unsigned();
      made.int = id == UINT || id == 1 ? <i64>bits : 0;
    } else if (id == COMPLEX || id == INTERFACE || !this.types.has(id)) {
      this.wrong(`a value of the type ${id}, which is not understood here`);
    } else this.composed(made, this.types.get(id), depth);
    return made;
  }
  private run(): ByteWriter {
    const bytes = new ByteWriter();
    const len = this.count();
    bytes.bytes(this.held.ptr + this.at, len);
    this.at += len;
    return bytes;
  }
  private composed(made: Gob, type: GobType, depth: i32): void {
    if (type.shape == Shape.Opaque) {
      made.bytes = this.run();
    } else if (type.shape == Shape.Struct) {
      this.members(made, type, depth);
    } else {
      const count = this.count();
      for (let i = 0; i < count && this.problem.length == 0; i++) {
        for (let k = 0; k < type.ids.length; k++) {
          made.items.push(this.value(type.ids[k], depth + 1));
        }
      }
    }
  }
  /** Fields that are not zero, each after the distance from the one before, and a 0. */
  private members(made: Gob, type: GobType, depth: i32): void {
    let field = -1;
    for (;;) {
      const delta = this.unsigned();
      if (delta == 0 || this.problem.length > 0) return;
      if (delta > <u64>(type.ids.length - 1 - field))
        return this.wrong("a field that is not there");
      field += <i32>delta;
      made.names.push(type.names[field]);
      made.items.push(this.value(type.ids[field], depth + 1));
    }
  }

  private define(id: i32, wire: Gob): void {
    if (id < FIRST_ID || this.types.has(id)) return this.wrong(`the type ${id} twice`);
    if (this.types.size > TYPES_LIMIT) return this.wrong(`more than ${TYPES_LIMIT} types`);
    const struct = wire.at("StructT");
    const slice = wire.at("SliceT");
    const array = wire.at("ArrayT");
    const map = wire.at("MapT");
    let made = new GobType(Shape.Opaque);
    if (struct) {
      made = new GobType(Shape.Struct);
      const fields = struct.at("Field");
      const count = fields ? fields.items.length : 0;
      if (count > FIELDS_LIMIT) return this.wrong(`a type of more than ${FIELDS_LIMIT} fields`);
      for (let i = 0; i < count; i++) {
        const field = fields!.items[i];
        made.field(field.text_at("Name"), <i32>field.int_at("Id"));
      }
    } else if (slice || array) {
      const list = slice ? slice : array!;
      made = new GobType(Shape.List).field("", <i32>list.int_at("Elem"));
    } else if (map) {
      made = new GobType(Shape.Map)
        .field("", <i32>map.int_at("Key"))
        .field("", <i32>map.int_at("Elem"));
    }
    this.types.set(id, made);
  }
}
