// SPDX-License-Identifier: Apache-2.0
// Netlink attributes, written one into the other. It refuses to know what they say.
import { ByteWriter } from "../lib/utf8";

/** linux/netlink.h */
export const NLA_F_NESTED: i32 = 0x8000;

/** A writer of netlink attributes. */
export class Attributes extends ByteWriter {
  /** Opens an attribute; give the result to `end`. */
  open(type: i32): i32 {
    const start = this.len;
    this.u16(0);
    this.u16(type);
    return start;
  }
  nest(type: i32): i32 {
    return this.open(type | NLA_F_NESTED);
  }
  /** Closes it, padded to four bytes. */
  end(start: i32): void {
    store<u16>(this.ptr + start, <u16>(this.len - start));
    while ((this.len & 3) != 0) this.byte(0);
  }
  u16(value: i32): void {
    this.reserve(2);
    store<u16>(this.ptr + this.len, <u16>value);
    this.len += 2;
  }
  /** In the network's byte order, as nf_tables has its numbers. */
  be32(type: i32, value: i32): void {
    const start = this.open(type);
    this.reserve(4);
    store<u32>(this.ptr + this.len, bswap<u32>(<u32>value));
    this.len += 4;
    this.end(start);
  }
  be64(type: i32, value: i64): void {
    const start = this.open(type);
    this.reserve(8);
    store<u64>(this.ptr + this.len, bswap<u64>(<u64>value));
    this.len += 8;
    this.end(start);
  }
  /** A text and its NUL. */
  name(type: i32, value: string): void {
    const start = this.open(type);
    this.text(value);
    this.byte(0);
    this.end(start);
  }
  raw(type: i32, value: Attributes): void {
    const start = this.open(type);
    this.bytes(value.ptr, value.len);
    this.end(start);
  }
  /** User data with one comment: libnftnl's type 0, length, text and NUL. */
  comment(type: i32, value: string): void {
    const start = this.open(type);
    this.byte(0);
    this.byte(String.UTF8.byteLength(value) + 1);
    this.text(value);
    this.byte(0);
    this.end(start);
  }
}
