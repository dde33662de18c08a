// SPDX-License-Identifier: Apache-2.0
// Go's gob encoding, writing: descriptions of types, and values of them (see gob.ts). Who writes
// a value says which fields it has, in their order; a field that is zero is left out.
import { ByteWriter, Utf8 } from "../lib/utf8";

export const GOB_INT: i32 = 2;
export const GOB_UINT: i32 = 3;
export const GOB_BYTES: i32 = 5;
export const GOB_STRING: i32 = 6;

/** A field of a struct that is described. */
export class GobField {
  constructor(
    public name: string,
    public id: i32,
  ) {}
}

export class GobWriter {
  out: ByteWriter = new ByteWriter();
  private body: ByteWriter = new ByteWriter();
  /** The field written last of each struct that is open. */
  private last: i32[] = [];

  private unsigned(value: u64): void {
    if (value < 0x80) {
      this.body.byte(<i32>value);
      return;
    }
    const count = 8 - <i32>(clz(value) >> 3);
    this.body.byte(256 - count);
    for (let i = count - 1; i >= 0; i--) this.body.byte(<i32>((value >> ((<u64>i) << 3)) & 255));
  }
  private signed(value: i64): void {
    this.unsigned(value < 0 ? ((<u64>~value) << 1) | 1 : (<u64>value) << 1);
  }
  private string(text: string): void {
    const bytes = new Utf8(text);
    this.unsigned(<u64>bytes.len);
    this.body.bytes(bytes.ptr, bytes.len);
  }
  /** Ends a message: its length stands before it. */
  private send(): void {
    const message = this.body;
    this.body = new ByteWriter();
    this.unsigned(<u64>message.len);
    this.out.bytes(this.body.ptr, this.body.len);
    this.out.bytes(message.ptr, message.len);
    this.body = new ByteWriter();
  }

  /** Describes a struct. */
  describe_struct(id: i32, name: string, fields: GobField[]): void {
    this.signed(-(<i64>id));
    this.open();
    this.enter(2);
    this.common(id, name);
    if (fields.length > 0) {
      this.list_at(1, fields.length);
      for (let i = 0; i < fields.length; i++) {
        this.open();
        this.text_at(0, fields[i].name);
        this.int_at(1, fields[i].id);
        this.close();
      }
    }
    this.close();
    this.close();
    this.send();
  }
  /** Describes a list of a type. */
  describe_list(id: i32, name: string, item: i32): void {
    this.signed(-(<i64>id));
    this.open();
    this.enter(1);
    this.common(id, name);
    this.int_at(1, item);
    this.close();
    this.close();
    this.send();
  }
  private common(id: i32, name: string): void {
    this.enter(0);
    this.text_at(0, name);
    this.int_at(1, id);
    this.close();
  }

  /** Begins a message with a struct of a type that was described. */
  begin(id: i32): void {
    this.signed(id);
    this.open();
  }
  /** Ends it. */
  end(): void {
    this.close();
    this.send();
  }
  /** Begins a struct as an item of a list. */
  open(): void {
    this.last.push(-1);
  }
  close(): void {
    this.last.pop();
    this.unsigned(0);
  }
  private field(index: i32): void {
    const top = this.last.length - 1;
    this.unsigned(<u64>(index - this.last[top]));
    this.last[top] = index;
  }
  /** Begins a struct as a field. */
  enter(index: i32): void {
    this.field(index);
    this.open();
  }
  text_at(index: i32, text: string): void {
    if (text.length == 0) return;
    this.field(index);
    this.string(text);
  }
  bytes_at(index: i32, bytes: ByteWriter): void {
    if (bytes.len == 0) return;
    this.field(index);
    this.unsigned(<u64>bytes.len);
    this.body.bytes(bytes.ptr, bytes.len);
  }
  int_at(index: i32, value: i64): void {
    if (value == 0) return;
    this.field(index);
    this.signed(value);
  }
  uint_at(index: i32, value: u64): void {
    if (value == 0) return;
    this.field(index);
    this.unsigned(value);
  }
  /** Begins a list as a field; its items follow, structs by `open`. */
  list_at(index: i32, count: i32): void {
    this.field(index);
    this.unsigned(<u64>count);
  }
  /** A list of texts as a field. */
  texts_at(index: i32, texts: string[]): void {
    if (texts.length == 0) return;
    this.list_at(index, texts.length);
    for (let i = 0; i < texts.length; i++) this.string(texts[i]);
  }
}
