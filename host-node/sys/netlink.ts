// SPDX-License-Identifier: Apache-2.0
// A conversation with the kernel over one netlink socket: a request and its acknowledgement, a dump
// and its end, or a batch that the kernel takes whole or not at all. It owns sequence numbers,
// retries and the kernel's extended error texts.
// It refuses to listen to notifications and to be used by two requests at once: a parser given to
// it must not send.

import { closeSync, readSync, writeSync } from 'node:fs';
import { limits, OsError } from '../abi/index.ts';
import {
  EAGAIN,
  EINTR,
  EINVAL,
  ENOBUFS,
  ETIMEDOUT,
  getsockopt64,
  insideNetns,
  osError,
  setsockopt,
  socket,
} from './libc.ts';
import {
  eachMessage,
  type Message,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
  parseVerdict,
  Request,
} from './rtnetlink/index.ts';

const AF_NETLINK = 16;
export const NETLINK_ROUTE = 0;
export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_NETFILTER = 12;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_NETNS_COOKIE = 71;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

// The kernel answers before send returns; the timeout only turns a lost reply into an error.
const REPLY_TIMEOUT_S = 5;
// The kernel's own limit for a part of a dump is 32 KiB.
const REPLY_MAX_BYTES = 65536;
const { DUMP_TRIES } = limits;

/** From the body of a message back to its sequence number (struct nlmsghdr). */
const NLMSG_BODY_TO_SEQUENCE = 8;

let request: Request | undefined;
let reply: Buffer | undefined;

/** Starts an acknowledged request in the buffer that all requests share. */
export function command(type: number, flags = 0): Request {
  request ??= new Request();
  return request.begin(type, flags | NLM_F_ACK);
}

/** Starts a dump request in the buffer that all requests share. */
export function dumpOf(type: number): Request {
  request ??= new Request();
  return request.begin(type, NLM_F_DUMP);
}

/** How a socket sends and receives datagrams; tests put scripted replies here. */
export interface Channel {
  send(bytes: Uint8Array): void;
  /** Waits for a datagram, puts it at the start of `into`, returns its length. */
  receive(into: Buffer): number;
  close(): void;
  /** What the kernel calls the socket's namespace; absent where it calls it nothing. */
  cookie?(): bigint | undefined;
}

export class NetlinkSocket {
  readonly #channel: Channel;
  #sequence = 0;
  #broken = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Whether an exchange ended half way, so that its replies may still come: open another. */
  get broken(): boolean {
    return this.#broken;
  }

  /** SO_NETNS_COOKIE (socket(7)), which no other namespace of this boot has or will have. */
  get netnsCookie(): bigint | undefined {
    return this.#channel.cookie?.();
  }

  /** Performs a request; OsError with the kernel's errno and text. */
  run(message: Request): void {
    this.#exchange(message, false, () => {});
  }

  /** Performs a request that has one reply; undefined when the kernel sent only its assent. */
  get<T>(message: Request, parse: (reply: Message) => T): T | undefined {
    let result: T | undefined;
    this.#exchange(message, false, (one) => {
      result = parse(one);
    });
    return result;
  }

  /**
   * Performs a dump, again when the kernel says that it changed meanwhile (NLM_F_DUMP_INTR);
   * EINTR when it did so five times.
   */
  dump<T>(message: Request, parse: (reply: Message, into: T[]) => void): T[] {
    for (let tries = 0; tries < DUMP_TRIES; tries++) {
      const into: T[] = [];
      if (this.#exchange(message, true, (one) => parse(one, into))) return into;
    }
    throw new OsError(EINTR, `the list changed while it was read, ${DUMP_TRIES} times`);
  }

  /**
   * Sends a batch (linux/netfilter/nfnetlink.h): messages between a begin and an end, of which the
   * last before the end asks for an acknowledgement. Throws the first error the kernel tells.
   */
  transact(batch: Uint8Array): void {
    const { bytes, first, last } = this.#numbered(batch);
    let failure: OsError | null = null;
    let done = false;
    reply ??= Buffer.allocUnsafeSlow(REPLY_MAX_BYTES);
    this.#broken = true;
    let refused = false;
    try {
      this.#channel.send(bytes);
      while (!done) {
        const length = this.#receive(reply, false);
        eachMessage(reply, length, (one) => {
          if (one.type !== NLMSG_ERROR || one.sequence < first || one.sequence > last) return;
          failure ??= parseVerdict(one);
          // About the begin: the batch as a whole, and maybe nothing follows.
          refused ||= one.sequence === first;
          done ||= refused || one.sequence === last;
        });
      }
    } catch (error) {
      throw osError(error);
    }
    this.#broken = refused;
    if (failure !== null) throw failure;
  }

  close(): void {
    this.#channel.close();
  }

  /** A copy of a batch with sequence numbers of this conversation. */
  #numbered(batch: Uint8Array): { bytes: Buffer; first: number; last: number } {
    const bytes = Buffer.from(batch);
    const first = this.#sequence + 1;
    let end = 0;
    eachMessage(bytes, bytes.length, (one) => {
      end = ++this.#sequence;
      bytes.writeUInt32LE(end, one.start - NLMSG_BODY_TO_SEQUENCE);
    });
    if (end < first + 2) throw new OsError(EINVAL, 'a batch of nothing');
    return { bytes, first, last: end - 1 };
  }

  /** One request and all its replies. Returns false when the kernel says they do not agree. */
  #exchange(message: Request, dump: boolean, visit: (message: Message) => void): boolean {
    const sequence = ++this.#sequence;
    let verdict: OsError | null | undefined;
    let whole = true;
    reply ??= Buffer.allocUnsafeSlow(REPLY_MAX_BYTES);
    // Set until the end is seen: whatever is thrown before leaves replies behind.
    this.#broken = true;
    try {
      this.#channel.send(message.seal(sequence));
      while (verdict === undefined) {
        const length = this.#receive(reply, dump);
        if (length === 0) whole = false;
        else {
          eachMessage(reply, length, (one) => {
            if (one.sequence !== sequence || verdict !== undefined) return;
            if ((one.flags & NLM_F_DUMP_INTR) !== 0) whole = false;
            if (one.type === NLMSG_ERROR || one.type === NLMSG_DONE) verdict = parseVerdict(one);
            else if (one.type === NLMSG_OVERRUN) throw new OsError(ENOBUFS, 'reply overrun');
            else if (one.type !== NLMSG_NOOP) visit(one);
          });
        }
      }
    } catch (error) {
      throw osError(error);
    }
    this.#broken = false;
    if (verdict !== null) throw verdict;
    return whole;
  }

  /** Length of the next datagram, 0 when part of a dump was lost (its end still comes). */
  #receive(into: Buffer, dump: boolean): number {
    for (;;) {
      try {
        return this.#channel.receive(into);
      } catch (error) {
        const failure = osError(error);
        if (failure.errno === EAGAIN) throw new OsError(ETIMEDOUT, 'no reply from the kernel');
        if (failure.errno === ENOBUFS && dump) return 0;
        if (failure.errno !== EINTR) throw failure;
      }
    }
  }
}

/** A socket in the namespace this thread is in. */
export function openHere(protocol: number): NetlinkSocket {
  const fd = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  const on = Uint8Array.of(1, 0, 0, 0);
  // Texts in errors; errors without a copy of the request; filters in dumps. A kernel that lacks
  // one of them still answers: without texts, or with more than asked for, which parsers drop.
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, on);
  setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, on);
  const timeval = new Uint8Array(16);
  timeval[0] = REPLY_TIMEOUT_S;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval);
  return new NetlinkSocket({
    // read(2) and write(2) do for a socket, and node:fs has them bound already.
    send: (bytes) => void writeSync(fd, bytes),
    receive: (into) => readSync(fd, into),
    close: () => closeSync(fd),
    cookie: () => getsockopt64(fd, SOL_SOCKET, SO_NETNS_COOKIE),
  });
}

/** A socket that lives in the namespace behind `fd`; this thread is home again on return. */
export function openInside(fd: number, home_fd: number, protocol: number): NetlinkSocket {
  return insideNetns(fd, home_fd, () => openHere(protocol));
}
