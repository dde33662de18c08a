// SPDX-License-Identifier: Apache-2.0
// Echo requests of ICMP and ICMPv6 that nobody may cut, and what comes back: an answer, or a
// router's word that a packet was too large. What the kernel learnt of a path before does not
// count: the link alone bounds what is sent. It owns the sockets and refuses to choose sizes.
import { randomInt } from 'node:crypto';
import { closeSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { OsError } from '../abi/index.ts';
import { EMSGSIZE, EPERM, receiveFrom, sendTo, setsockopt, socket } from './libc.ts';
import { formatIp, parseIp } from './rtnetlink/index.ts';

// asm-generic/socket.h, linux/in.h, linux/in6.h
const [AF_INET, AF_INET6] = [2, 10];
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const [IPPROTO_IP, IPPROTO_ICMP, IPPROTO_IPV6, IPPROTO_ICMPV6] = [0, 1, 41, 58];
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const IP_MTU_DISCOVER = 10;
const IPV6_MTU_DISCOVER = 23;
const IPV6_DONTFRAG = 62;
const PMTUDISC_PROBE = 3;
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const ICMP_BYTES = 8;
const BUFFER_BYTES = 65_536;
/** So many answers may wait: a round is at most this many packets. */
const ROUND = 64;
const RCVBUF_BYTES = 4 << 20;

/** One packet: its size with the IP header. */
export interface Ask {
  readonly address: string;
  readonly size_bytes: number;
}

export type Reply =
  | { readonly kind: 'answer'; readonly rtt_ms: number }
  /** A router, or the host itself, says that it is too large for what comes next. */
  | { readonly kind: 'too large'; readonly by: string; readonly mtu_bytes: number }
  /** The link of this node does not take it. */
  | { readonly kind: 'refused' }
  /** Nothing leads there from this node. */
  | { readonly kind: 'no way'; readonly why: string }
  | { readonly kind: 'silence' };

/** The sum of RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  if (bytes.length % 2 === 1) sum += bytes.at(-1)! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function sockaddrOf(address: string): Buffer {
  const bytes = parseIp(address);
  const v6 = bytes.length === 16;
  const made = Buffer.alloc(v6 ? 28 : 16);
  made.writeUInt16LE(v6 ? AF_INET6 : AF_INET, 0);
  made.set(bytes, v6 ? 8 : 4);
  return made;
}

/** What a packet of ICMP says of a request; undefined when it is about something else. */
interface Heard {
  readonly id: number;
  readonly sequence: number;
  /** Undefined for an answer. */
  readonly mtu_bytes: number | undefined;
  /** Of an answer, with its IP header; of a router's word, where the packet quoted was to go. */
  readonly size_bytes: number;
  readonly quoted_to: string;
}

/** An answer: `icmp` with all that the sender's host gave back. */
function answered(icmp: Buffer, header_bytes: number): Heard {
  const [id, sequence] = [icmp.readUInt16BE(4), icmp.readUInt16BE(6)];
  return { id, sequence, size_bytes: header_bytes + icmp.length, ...ANSWER };
}

function heardV4(packet: Buffer): Heard | undefined {
  const icmp = packet.subarray((packet[0]! & 15) * 4);
  if (icmp.length < ICMP_BYTES) return undefined;
  const [type, code] = icmp;
  if (type === 0) return answered(icmp, IPV4_BYTES);
  const within = icmp.subarray(ICMP_BYTES);
  const quoted = within.subarray(((within[0] ?? 0) & 15) * 4);
  if (type !== 3 || code !== 4 || quoted.length < ICMP_BYTES || quoted[0] !== 8) return undefined;
  const [id, sequence] = [quoted.readUInt16BE(4), quoted.readUInt16BE(6)];
  const quoted_to = formatIp(within.subarray(16, 20));
  return { id, sequence, mtu_bytes: icmp.readUInt16BE(6), size_bytes: 0, quoted_to };
}

function heardV6(icmp: Buffer): Heard | undefined {
  if (icmp.length < ICMP_BYTES) return undefined;
  const [type] = icmp;
  if (type === 129) return answered(icmp, IPV6_BYTES);
  const quoted = icmp.subarray(ICMP_BYTES + IPV6_BYTES);
  if (type !== 2 || quoted.length < ICMP_BYTES || quoted[0] !== 128) return undefined;
  const [id, sequence] = [quoted.readUInt16BE(4), quoted.readUInt16BE(6)];
  const quoted_to = formatIp(icmp.subarray(ICMP_BYTES + 24, ICMP_BYTES + 40));
  return { id, sequence, mtu_bytes: icmp.readUInt32BE(4), size_bytes: 0, quoted_to };
}

const ANSWER = { mtu_bytes: undefined, quoted_to: '' } as const;

/** What one packet that was received says of one that was sent; undefined when nothing. */
function judgedOf(heard: Heard, by: string, ask: Ask, rtt_ms: number): Reply | undefined {
  const to = formatIp(parseIp(ask.address));
  const { mtu_bytes, size_bytes, quoted_to } = heard;
  if (mtu_bytes === undefined) {
    if (by !== to || size_bytes !== sentBytes(ask)) return undefined;
    return { kind: 'answer', rtt_ms };
  }
  return quoted_to === to ? { kind: 'too large', by, mtu_bytes } : undefined;
}

const headerBytes = (v6: boolean): number => (v6 ? IPV6_BYTES : IPV4_BYTES);

/** What is sent at least has the headers. */
function sentBytes({ address, size_bytes }: Ask): number {
  return Math.max(headerBytes(isIPv6(address)) + ICMP_BYTES, size_bytes);
}

/** A raw socket of a family; where rights are what is missing, the Error says which. */
function rawSocket(v6: boolean): number {
  const [family, protocol] = v6 ? [AF_INET6, IPPROTO_ICMPV6] : [AF_INET, IPPROTO_ICMP];
  try {
    return socket(family, SOCK_RAW_CLOEXEC, protocol);
  } catch (error) {
    if (!(error instanceof OsError) || error.errno !== EPERM) throw error;
    const msg = 'packets that nobody may cut need the right CAP_NET_RAW: run it as root';
    throw new Error(msg, { cause: error });
  }
}

/** Opens one for a family. */
function openEcho(v6: boolean): number {
  const fd = rawSocket(v6);
  const int = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  const probing = int(PMTUDISC_PROBE);
  const set = v6
    ? setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, probing) &&
      setsockopt(fd, IPPROTO_IPV6, IPV6_DONTFRAG, int(1))
    : setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, probing);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, int(RCVBUF_BYTES));
  if (set) return fd;
  closeSync(fd);
  throw new OsError(EMSGSIZE, 'this kernel sends no packets that may not be cut');
}

/** Sends echo requests and waits for what comes back. */
export class Echo {
  // Others ping the same nodes, and know nothing of these numbers: nobody else's answer has both.
  readonly #id: number;
  #sequence = randomInt(0x10000);
  readonly #fds = new Map<boolean, number>();
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #from = Buffer.alloc(28);

  constructor(id: number = randomInt(0x10000)) {
    this.#id = id;
  }

  close(): void {
    for (const fd of this.#fds.values()) closeSync(fd);
    this.#fds.clear();
  }

  /** Sends each once; what came of each, in their order. It waits `wait_ms` at the most. */
  exchange(asks: readonly Ask[], wait_ms: number): Reply[] {
    const replies: Reply[] = asks.map(() => ({ kind: 'silence' }));
    for (const v6 of [false, true]) {
      const own = [...asks.keys()].filter((at) => isIPv6(asks[at]!.address) === v6);
      for (let at = 0; at < own.length; at += ROUND) {
        this.#round(v6, own.slice(at, at + ROUND), asks, replies, wait_ms);
      }
    }
    return replies;
  }

  #round(
    v6: boolean,
    own: readonly number[],
    asks: readonly Ask[],
    replies: Reply[],
    wait_ms: number,
  ): void {
    const fd = this.#fds.get(v6) ?? openEcho(v6);
    this.#fds.set(v6, fd);
    const waiting = new Map<number, number>();
    const sent_ms = performance.now();
    for (const at of own) {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      const failed = this.#send(fd, v6, asks[at]!);
      if (failed === undefined) waiting.set(this.#sequence, at);
      else replies[at] = failed;
    }
    for (;;) {
      const left_ms = sent_ms + wait_ms - performance.now();
      if (waiting.size === 0 || left_ms <= 0) return;
      const heard = this.#receive(fd, v6, left_ms);
      const at = heard === undefined ? undefined : waiting.get(heard.sequence);
      if (heard === undefined || at === undefined) continue;
      const reply = judgedOf(heard, heard.by, asks[at]!, performance.now() - sent_ms);
      if (reply === undefined) continue;
      waiting.delete(heard.sequence);
      replies[at] = reply;
    }
  }

  /** What kept it from being sent; undefined when it left. */
  #send(fd: number, v6: boolean, ask: Ask): Reply | undefined {
    const packet = Buffer.alloc(sentBytes(ask) - headerBytes(v6));
    packet[0] = v6 ? 128 : 8;
    packet.writeUInt16BE(this.#id, 4);
    packet.writeUInt16BE(this.#sequence, 6);
    // The kernel fills in that of ICMPv6.
    if (!v6) packet.writeUInt16BE(checksum(packet), 2);
    try {
      sendTo(fd, packet, sockaddrOf(ask.address));
      return undefined;
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      if (error.errno === EMSGSIZE) return { kind: 'refused' };
      return { kind: 'no way', why: error.message };
    }
  }

  #receive(fd: number, v6: boolean, wait_ms: number): (Heard & { by: string }) | undefined {
    const time = Buffer.alloc(16); // struct timeval; 0 would be for ever
    const wait_us = Math.max(1000, Math.ceil(wait_ms * 1000));
    time.writeBigInt64LE(BigInt(Math.floor(wait_us / 1e6)), 0);
    time.writeBigInt64LE(BigInt(wait_us % 1e6), 8);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, time);
    let length: number | undefined;
    try {
      length = receiveFrom(fd, this.#buffer, this.#from);
    } catch (error) {
      // What an earlier packet met is told once, by whatever is called next.
      if (error instanceof OsError) return undefined;
      throw error;
    }
    if (length === undefined) return undefined;
    const packet = this.#buffer.subarray(0, length);
    const heard = v6 ? heardV6(packet) : heardV4(packet);
    if (heard === undefined || heard.id !== this.#id) return undefined;
    const by = formatIp(v6 ? this.#from.subarray(8, 24) : this.#from.subarray(4, 8));
    return { ...heard, by };
  }
}
