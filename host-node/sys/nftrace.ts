// SPDX-License-Identifier: Apache-2.0
// What nftables' trace says (nft_trace.c of the kernel): listening to its group of nfnetlink, and
// reading its messages. It refuses to decide what is traced, and to make sense of more than one
// message.
import { closeSync, readSync } from 'node:fs';
import { bindSocket, EAGAIN, EINTR, ENOBUFS, osError, setsockopt, socket } from './libc.ts';
import { NETLINK_NETFILTER } from './netlink.ts';
import { eachAttr, eachMessage, formatIp, type Message, type Span } from './rtnetlink/index.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const RCVBUF_BYTES = 4 << 20;
const DATAGRAM_MAX_BYTES = 65_536;
// linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
const NFNLGRP_NFTRACE = 9;
const NFT_MSG_TRACE = (10 << 8) | 17;
const NFGENMSG_LEN = 4;
const NFTA_TRACE_TABLE = 1;
const NFTA_TRACE_CHAIN = 2;
const NFTA_TRACE_RULE_HANDLE = 3;
const NFTA_TRACE_TYPE = 4;
const NFTA_TRACE_VERDICT = 5;
const NFTA_TRACE_ID = 6;
const NFTA_TRACE_NETWORK_HEADER = 8;
const NFTA_TRACE_TRANSPORT_HEADER = 9;
const NFTA_TRACE_IIF = 10;
const NFTA_TRACE_OIF = 12;
const NFTA_TRACE_POLICY = 16;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;
const TYPES = ['', 'policy', 'return', 'rule'] as const;
/** NF_* and NFT_*, in nft's words; what a rule of another number does is "stolen" or queued. */
const VERDICTS: Readonly<Record<number, string>> = {
  0: 'drop',
  1: 'accept',
  2: 'stolen',
  3: 'queue',
  [-1]: 'continue',
  [-2]: 'break',
  [-3]: 'jump',
  [-4]: 'goto',
  [-5]: 'return',
};
/** Bytes of a transport header that tell one packet of a flow from the next. */
const TELLING_BYTES = 8;

/** A packet's headers, which only the first message of a base chain's run has. */
export interface Heads {
  readonly iif: number;
  readonly oif: number;
  readonly src: string;
  readonly dst: string;
  /** The first bytes behind the IP header, in hex. */
  readonly transport: string;
}

/** One message. */
export interface Traced {
  readonly id: number;
  /** NFPROTO_*. */
  readonly family: number;
  readonly table: string;
  readonly chain: string;
  readonly type: (typeof TYPES)[number];
  readonly handle: number;
  /** "accept", "drop", "jump NAME" … */
  readonly verdict: string;
  readonly heads: Heads | undefined;
}

/** A number of the network's byte order. */
function be32(span: Span): number {
  // That it lies inside is checked by this.
  span.u32();
  return span.bytes.readInt32BE(span.start);
}

function verdictOf(span: Span): string {
  let [word, chain] = ['', ''];
  eachAttr(span, (type, value) => {
    // What is queued has the queue's number in the upper half.
    if (type === NFTA_VERDICT_CODE) {
      const code = be32(value);
      word = VERDICTS[code < 0 ? code : code & 0xff] ?? String(code);
    } else if (type === NFTA_VERDICT_CHAIN) chain = ` ${value.text()}`;
  });
  return word + chain;
}

function addressesOf(header: Span): { src: string; dst: string } {
  const bytes = header.raw();
  const [from, length] = (bytes[0] ?? 0) >> 4 === 6 ? [8, 16] : [12, 4];
  if (bytes.length < from + 2 * length) return { src: '', dst: '' };
  const address = (at: number): string => formatIp(bytes.subarray(at, at + length));
  return { src: address(from), dst: address(from + length) };
}

/** Reads one message of the group. */
export function parseTrace(message: Message): Traced {
  const made = { id: 0, table: '', chain: '', handle: 0, verdict: '' };
  let type = '' as Traced['type'];
  let policy = '';
  const heads = { iif: 0, oif: 0, src: '', dst: '', transport: '' };
  let headed = false;
  eachAttr(message.from(NFGENMSG_LEN), (key, value) => {
    if (key === NFTA_TRACE_TABLE) made.table = value.text();
    else if (key === NFTA_TRACE_CHAIN) made.chain = value.text();
    else if (key === NFTA_TRACE_TYPE) type = TYPES[be32(value)] ?? '';
    else if (key === NFTA_TRACE_ID) made.id = value.u32();
    else if (key === NFTA_TRACE_VERDICT) made.verdict = verdictOf(value);
    else if (key === NFTA_TRACE_POLICY) policy = VERDICTS[be32(value)] ?? '';
    else if (key === NFTA_TRACE_RULE_HANDLE) {
      value.u32(4);
      made.handle = Number(value.bytes.readBigUInt64BE(value.start));
    } else if (key === NFTA_TRACE_IIF) heads.iif = be32(value);
    else if (key === NFTA_TRACE_OIF) heads.oif = be32(value);
    else if (key === NFTA_TRACE_NETWORK_HEADER) {
      Object.assign(heads, addressesOf(value));
      headed = true;
    } else if (key === NFTA_TRACE_TRANSPORT_HEADER) {
      const bytes = Buffer.from(value.raw()).subarray(0, TELLING_BYTES);
      heads.transport = bytes.toString('hex');
    }
  });
  const verdict = type === 'policy' && policy !== '' ? policy : made.verdict;
  const family = message.u8(0);
  return { ...made, family, type, verdict, heads: headed ? heads : undefined };
}

/** The group of the namespace that this thread is in. */
export class TraceListener {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(DATAGRAM_MAX_BYTES);
  /** More came than the socket could hold: something is missing. */
  lost = false;

  constructor() {
    this.#fd = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_NETFILTER);
    const size = Buffer.alloc(4);
    size.writeInt32LE(RCVBUF_BYTES);
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, size);
    const address = Buffer.alloc(12); // struct sockaddr_nl
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(1 << (NFNLGRP_NFTRACE - 1), 8);
    try {
      bindSocket(this.#fd, address);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** What comes within a time; empty when nothing does. OsError else. */
  next(wait_ms: number): Traced[] {
    const time = Buffer.alloc(16); // struct timeval; 0 would be for ever
    const wait_us = Math.max(1000, Math.ceil(wait_ms * 1000));
    time.writeBigInt64LE(BigInt(Math.floor(wait_us / 1e6)), 0);
    time.writeBigInt64LE(BigInt(wait_us % 1e6), 8);
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, time);
    const found: Traced[] = [];
    try {
      const length = readSync(this.#fd, this.#buffer);
      eachMessage(this.#buffer, length, (message) => {
        if (message.type === NFT_MSG_TRACE) found.push(parseTrace(message));
      });
    } catch (error) {
      const failure = osError(error);
      if (failure.errno === ENOBUFS) this.lost = true;
      else if (failure.errno !== EAGAIN && failure.errno !== EINTR) throw failure;
    }
    return found;
  }
}
