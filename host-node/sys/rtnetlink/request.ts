// SPDX-License-Identifier: Apache-2.0
// One request of rtnetlink under construction: values in, bytes out. It refuses to touch a socket
// (netlink.ts does). Numbers are little-endian, as on both machines it ships for.
import { OsError } from '../../abi/index.ts';
import { EINVAL, EMSGSIZE } from '../libc.ts';
import { AF_UNSPEC, NLA_F_NESTED, NLM_F_REQUEST, RT_TABLE_COMPAT } from './constants.ts';
import type { Prefix } from './ip.ts';

const REQUEST_MAX_BYTES = 4096;

/** One request under construction, over one buffer that every request uses again. */
export class Request {
  readonly #bytes = Buffer.allocUnsafeSlow(REQUEST_MAX_BYTES);
  #at = 0;

  /** Starts a request; NLM_F_REQUEST is added. Length and sequence come with {@link seal}. */
  begin(type: number, flags: number): this {
    this.#at = 0;
    return this.u32(0)
      .u16(type)
      .u16(flags | NLM_F_REQUEST)
      .u32(0)
      .u32(0);
  }

  /** Ends the request. The bytes stay valid until the next {@link begin}. */
  seal(sequence: number): Uint8Array {
    this.#bytes.writeUInt32LE(this.#at, 0);
    this.#bytes.writeUInt32LE(sequence, 8);
    return this.#bytes.subarray(0, this.#at);
  }

  u8(value: number): this {
    this.#bytes[this.#take(1)] = value;
    return this;
  }

  u16(value: number): this {
    this.#bytes.writeUInt16LE(value & 0xffff, this.#take(2));
    return this;
  }

  /** A negative number stands for its unsigned value, as it does in the core's i32. */
  u32(value: number): this {
    this.#bytes.writeUInt32LE(value >>> 0, this.#take(4));
    return this;
  }

  /** struct ifinfomsg; `change` is the mask of the flags to set. */
  ifinfomsg(family: number, ifindex: number, flags: number, change: number): this {
    return this.u8(family).u8(0).u16(0).u32(ifindex).u32(flags).u32(change);
  }

  /** struct rtgenmsg with its padding. */
  rtgenmsg(family: number): this {
    return this.u8(family).u8(0).u16(0);
  }

  /** struct ifaddrmsg, universe (global) scope. */
  ifaddrmsg(family: number, prefix_length: number, flags: number, ifindex: number): this {
    return this.u8(family).u8(prefix_length).u8(flags).u8(0).u32(ifindex);
  }

  /** struct rtmsg. A table over 255 goes into RTA_TABLE, which the caller adds. */
  rtmsg(
    prefix: Prefix,
    table: number,
    protocol: number,
    scope: number,
    type: number,
    flags = 0,
  ): this {
    this.u8(prefix.family).u8(prefix.length).u8(0).u8(0);
    this.u8(table > 255 ? RT_TABLE_COMPAT : table);
    return this.u8(protocol).u8(scope).u8(type).u32(flags);
  }

  /** struct tcmsg of linux/rtnetlink.h. */
  tcmsg(ifindex: number, handle: number, parent: number, info = 0): this {
    return this.u32(AF_UNSPEC).u32(ifindex).u32(handle).u32(parent).u32(info);
  }

  /** struct fib_rule_hdr. A table over 255 goes into FRA_TABLE, which the caller adds. */
  fibRuleHdr(src: Prefix, table: number, action: number): this {
    this.u8(src.family).u8(0).u8(src.length).u8(0);
    this.u8(table >>> 0 > 255 ? RT_TABLE_COMPAT : table);
    return this.u8(0).u8(0).u8(action).u32(0);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): this {
    this.#bytes.set(bytes, this.#take(bytes.length));
    return this;
  }

  attr(type: number, value: Uint8Array): this {
    const start = this.nest(type, 0);
    this.#bytes.set(value, this.#take(value.length));
    return this.end(start);
  }

  attrU8(type: number, value: number): this {
    const start = this.nest(type, 0);
    return this.u8(value).end(start);
  }

  attrU16(type: number, value: number): this {
    const start = this.nest(type, 0);
    return this.u16(value).end(start);
  }

  attrU32(type: number, value: number): this {
    const start = this.nest(type, 0);
    return this.u32(value).end(start);
  }

  /** A NUL-terminated string; one with a NUL inside is EINVAL, the kernel would read half of it. */
  attrText(type: number, value: string): this {
    if (value.includes('\0')) throw new OsError(EINVAL, 'a NUL in a name');
    return this.attr(type, Buffer.from(`${value}\0`));
  }

  /** Opens an attribute that holds others; give the result to {@link end}. */
  nest(type: number, flag = NLA_F_NESTED): number {
    const start = this.#at;
    this.u16(0).u16(type | flag);
    return start;
  }

  /** Closes what {@link nest} opened, padded to four bytes. */
  end(start: number): this {
    this.#bytes.writeUInt16LE(this.#at - start, start);
    while ((this.#at & 3) !== 0) this.u8(0);
    return this;
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > REQUEST_MAX_BYTES) throw new OsError(EMSGSIZE, 'request too long');
    this.#at = at + length;
    return at;
  }
}
