// SPDX-License-Identifier: Apache-2.0
// A reply of netlink: its messages, their attributes, and its verdict. It refuses to trust one:
// every length is checked before it is used, and one that does not fit is EBADMSG, never a read
// past the end or a loop that stands still.
import { OsError } from '../../abi/index.ts';
import { EBADMSG } from '../libc.ts';
import {
  ERRNO_MAX,
  NLA_HDRLEN,
  NLA_TYPE_MASK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_DONE,
  NLMSG_HDRLEN,
  NLMSGERR_ATTR_MSG,
} from './constants.ts';

/** A bounded stretch of a reply. */
export class Span {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** The number at an offset from the start; EBADMSG when it does not lie inside. */
  u8(offset = 0): number {
    return this.bytes.readUInt8(this.#at(offset, 1));
  }
  u16(offset = 0): number {
    return this.bytes.readUInt16LE(this.#at(offset, 2));
  }
  u32(offset = 0): number {
    return this.bytes.readUInt32LE(this.#at(offset, 4));
  }
  i32(offset = 0): number {
    return this.bytes.readInt32LE(this.#at(offset, 4));
  }

  /** The rest from an offset. */
  from(offset: number): Span {
    return new Span(this.bytes, this.#at(offset, 0), this.end);
  }

  /** Text up to the first NUL or the end. */
  text(): string {
    let end = this.start;
    while (end < this.end && this.bytes[end] !== 0) end++;
    return this.bytes.toString('utf8', this.start, end);
  }

  raw(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  #at(offset: number, length: number): number {
    const at = this.start + offset;
    if (at + length > this.end) throw truncated();
    return at;
  }
}

/** For a reply that is not as it should be. */
export function truncated(): OsError {
  return new OsError(EBADMSG, 'malformed netlink reply');
}

/** One message of a reply: its body is what follows struct nlmsghdr. */
export class Message extends Span {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  constructor(bytes: Buffer, start: number, end: number) {
    super(bytes, start + NLMSG_HDRLEN, end);
    this.type = bytes.readUInt16LE(start + 4);
    this.flags = bytes.readUInt16LE(start + 6);
    this.sequence = bytes.readUInt32LE(start + 8);
  }
}

/** Gives each message of one datagram of `length` bytes to `visit`; EBADMSG when one overruns. */
export function eachMessage(bytes: Buffer, length: number, visit: (message: Message) => void) {
  if (length < NLMSG_HDRLEN || length > bytes.length) throw truncated();
  for (let at = 0; at < length; ) {
    if (length - at < NLMSG_HDRLEN) throw truncated();
    const size = bytes.readUInt32LE(at);
    if (size < NLMSG_HDRLEN || size > length - at) throw truncated();
    visit(new Message(bytes, at, at + size));
    at += (size + 3) & ~3;
  }
}

/** Gives each attribute of a span to `visit`; EBADMSG when one overruns. linux/netlink.h nlattr. */
export function eachAttr(span: Span, visit: (type: number, value: Span) => void): void {
  const { bytes, end } = span;
  for (let at = span.start; at < end; ) {
    if (end - at < NLA_HDRLEN) throw truncated();
    const size = bytes.readUInt16LE(at);
    if (size < NLA_HDRLEN || size > end - at) throw truncated();
    visit(bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, new Span(bytes, at + NLA_HDRLEN, at + size));
    at += (size + 3) & ~3;
  }
}

/**
 * The verdict of an NLMSG_ERROR or NLMSG_DONE: null when it is good, else an OsError with the
 * kernel's extended text (linux/netlink.h nlmsgerr). A DONE without a number is good.
 */
export function parseVerdict(message: Message): OsError | null {
  const done = message.type === NLMSG_DONE;
  if (done && message.end - message.start < 4) return null;
  const code = message.i32();
  if (code > 0 || code < -ERRNO_MAX) throw truncated();
  if (code === 0) return null;
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return new OsError(-code);
  // After the number an ERROR repeats the request, only its header when it is capped.
  let skip = 4;
  if (!done) {
    const capped = (message.flags & NLM_F_CAPPED) !== 0;
    skip += capped ? NLMSG_HDRLEN : (message.u32(4) + 3) & ~3;
    if (skip < 4) throw truncated();
  }
  let text = '';
  eachAttr(message.from(skip), (type, value) => {
    if (type === NLMSGERR_ATTR_MSG) text = value.text();
  });
  return new OsError(-code, text);
}
