// SPDX-License-Identifier: Apache-2.0
// A program that speaks the first words of SCTP (RFC 9260) over a raw socket, for kernels without
// SCTP of their own. It is run by Node inside a network namespace:
//
//   serve NAME PORT    answers each INIT to the port with an INIT ACK that says whom it sees
//   ask ADDRESS PORT   sends an INIT and prints what came back from that very port, or "nobody"
//
// Both leave out packets whose checksum is wrong. It judges no answer and keeps no association.
import { setsockopt, socket } from '../../host-node/sys/libc.ts';

const IPPROTO_SCTP = 132;
const [AF_INET, AF_INET6] = [2, 10];
const SOCK_RAW = 3;
const [SOL_SOCKET, SO_RCVTIMEO] = [1, 20];
const [INIT, INIT_ACK] = [1, 2];
const [HEADER_BYTES, CHUNK_BYTES, PARAMETER_BYTES] = [12, 20, 4];
/** An unrecognized parameter that is to be skipped: it carries our text. */
const TEXT = 0xbfff;
const CLIENT_PORT = 40404;
const CLIENT_TAG = 0x0badcafe;
const PATIENCE_MS = 4000;
/** How long a server listens to one family before it turns to the other. */
const TURN_MS = 50;

interface Library {
  getFunction(name: string, type: object): (...args: unknown[]) => number | bigint;
}
interface Ffi {
  readonly DynamicLibrary: new (name: null) => Library;
}
const ffi = process.getBuiltinModule('node:ffi' as 'node:fs') as unknown as Ffi;
const libc = new ffi.DynamicLibrary(null);
const sendto = libc.getFunction('sendto', {
  arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'u32'],
  return: 'i64',
});
const recvfrom = libc.getFunction('recvfrom', {
  arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'buffer'],
  return: 'i64',
});

/** RFC 9260, appendix A: reflected, of the packet with a checksum of zero. */
function crc32c(packet: Buffer): number {
  let crc = ~0;
  for (let at = 0; at < packet.length; at++) {
    crc ^= at >= 8 && at < HEADER_BYTES ? 0 : packet.readUInt8(at);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

interface Packet {
  readonly from: number;
  readonly to: number;
  readonly chunk: number;
  readonly initiate: number;
  readonly text: string;
}

/** One packet of one INIT or INIT ACK chunk. */
function packetOf({ from, to, chunk, initiate, text }: Packet, tag: number): Buffer {
  const words = Buffer.from(text.padEnd((text.length + 3) & ~3, ' '));
  const parameter = words.length > 0 ? PARAMETER_BYTES + words.length : 0;
  const packet = Buffer.alloc(HEADER_BYTES + CHUNK_BYTES + parameter);
  packet.writeUInt16BE(from, 0);
  packet.writeUInt16BE(to, 2);
  packet.writeUInt32BE(tag, 4);
  packet.writeUInt8(chunk, HEADER_BYTES);
  packet.writeUInt16BE(CHUNK_BYTES + parameter, HEADER_BYTES + 2);
  packet.writeUInt32BE(initiate, HEADER_BYTES + 4);
  // A window, a stream each way, a first number.
  packet.writeUInt32BE(65536, HEADER_BYTES + 8);
  packet.writeUInt32BE(0x00010001, HEADER_BYTES + 12);
  packet.writeUInt32BE(1, HEADER_BYTES + 16);
  if (parameter > 0) {
    packet.writeUInt16BE(TEXT, HEADER_BYTES + CHUNK_BYTES);
    packet.writeUInt16BE(parameter, HEADER_BYTES + CHUNK_BYTES + 2);
    words.copy(packet, HEADER_BYTES + CHUNK_BYTES + PARAMETER_BYTES);
  }
  packet.writeUInt32LE(crc32c(packet), 8);
  return packet;
}

/** null for what is no such packet, or was damaged on its way. */
function parse(packet: Buffer): Packet | null {
  if (packet.length < HEADER_BYTES + CHUNK_BYTES) return null;
  if (packet.readUInt32LE(8) !== crc32c(packet)) return null;
  return {
    from: packet.readUInt16BE(0),
    to: packet.readUInt16BE(2),
    chunk: packet.readUInt8(HEADER_BYTES),
    initiate: packet.readUInt32BE(HEADER_BYTES + 4),
    text: packet.toString('utf8', HEADER_BYTES + CHUNK_BYTES + PARAMETER_BYTES).trimEnd(),
  };
}

/** struct sockaddr_in or sockaddr_in6, its port zero. */
function sockaddr(address: string): Buffer {
  if (!address.includes(':')) {
    return Buffer.from([AF_INET, 0, 0, 0, ...address.split('.').map(Number), ...Array(8).fill(0)]);
  }
  const [head = '', tail = ''] = address.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const zeros = Array(8 - groups(head).length - groups(tail).length).fill('0');
  const made = Buffer.alloc(28);
  made.writeUInt16LE(AF_INET6, 0);
  [...groups(head), ...zeros, ...groups(tail)].forEach((group, at) => {
    made.writeUInt16BE(Number.parseInt(group, 16), 8 + 2 * at);
  });
  return made;
}

/** Where a packet came from, as URL writes addresses. */
function addressOf(from: Buffer): string {
  if (from.readUInt16LE(0) === AF_INET) return from.subarray(4, 8).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => from.readUInt16BE(8 + 2 * at).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

class Raw {
  readonly #fd: number;
  readonly #v6: boolean;
  constructor(v6: boolean, patience_ms: number) {
    this.#v6 = v6;
    this.#fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW, IPPROTO_SCTP);
    const wait = Buffer.alloc(16);
    wait.writeBigInt64LE(BigInt(Math.floor(patience_ms / 1000)));
    wait.writeBigInt64LE(BigInt((patience_ms % 1000) * 1000), 8);
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, wait);
  }
  send(packet: Buffer, to: Buffer): void {
    sendto(this.#fd, packet, BigInt(packet.length), 0, to, to.length);
  }
  /** The next packet; null when none came in time. */
  receive(): { packet: Packet | null; from: Buffer } | null {
    const bytes = Buffer.alloc(2048);
    const from = Buffer.alloc(28);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(from.length);
    const got = Number(recvfrom(this.#fd, bytes, BigInt(bytes.length), 0, from, length));
    if (got < 0) return null;
    // Of IPv4 the header comes along.
    const header = this.#v6 ? 0 : (bytes.readUInt8(0) & 15) * 4;
    return { packet: parse(bytes.subarray(header, got)), from };
  }
}

function serve(name: string, port: number): void {
  const sockets = [new Raw(false, TURN_MS), new Raw(true, TURN_MS)];
  console.log('ready');
  for (;;) {
    for (const raw of sockets) {
      const got = raw.receive();
      if (got?.packet?.chunk !== INIT || got.packet.to !== port) continue;
      const { from, initiate } = got.packet;
      const text = `${name} sees ${addressOf(got.from)}`;
      const answer = { from: port, to: from, chunk: INIT_ACK, initiate: 1, text };
      raw.send(packetOf(answer, initiate), got.from);
    }
  }
}

function ask(address: string, port: number): string {
  const raw = new Raw(address.includes(':'), PATIENCE_MS);
  const question = { from: CLIENT_PORT, to: port, chunk: INIT, initiate: CLIENT_TAG, text: '' };
  raw.send(packetOf(question, 0), sockaddr(address));
  for (let got = raw.receive(); got !== null; got = raw.receive()) {
    const { packet, from } = got;
    if (packet?.chunk !== INIT_ACK || packet.to !== CLIENT_PORT) continue;
    if (packet.from === port && addressOf(from) === address) return packet.text;
    return `an answer from ${addressOf(from)} port ${packet.from}`;
  }
  return 'nobody';
}

const [verb, who = '', port = ''] = process.argv.slice(2);
if (verb === 'serve') serve(who, Number(port));
else console.log(ask(who, Number(port)));
