// SPDX-License-Identifier: Apache-2.0
// What counts as the answer to a packet that was sent, and as a router's word on it: sockets are
// replaced by a network that is made up here, in which others are pinged as well.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { OsError } from '../../host-node/abi/index.ts';
import { Echo, type Reply } from '../../host-node/sys/echo.ts';
import { parseIp } from '../../host-node/sys/rtnetlink/index.ts';

interface Packet {
  readonly from: string;
  /** As a raw socket has it: that of IPv4 with its header. */
  readonly bytes: Buffer;
}

const wire = vi.hoisted(() => ({
  refuses: undefined as Error | undefined,
  sent: [] as Uint8Array[],
  comes: [] as { from: string; bytes: Uint8Array }[],
  onSend: (_icmp: Uint8Array): void => {},
}));

vi.mock('../../host-node/sys/libc.ts', async (original) => ({
  ...(await original<object>()),
  socket: () => {
    if (wire.refuses !== undefined) throw wire.refuses;
    return 1_000_000;
  },
  setsockopt: () => true,
  sendTo: (_fd: number, bytes: Uint8Array) => {
    wire.sent.push(bytes);
    wire.onSend(bytes);
  },
  receiveFrom: (_fd: number, into: Uint8Array, address: Uint8Array) => {
    const packet = wire.comes.shift();
    if (packet === undefined) return undefined;
    into.set(packet.bytes);
    const from = parseIp(packet.from);
    address.set(from, from.length === 16 ? 8 : 4);
    return packet.bytes.length;
  },
}));

afterEach(() => {
  wire.refuses = undefined;
  wire.sent.length = 0;
  wire.comes.length = 0;
  wire.onSend = () => {};
});

const V4 = { asked: '192.0.2.1', other: '192.0.2.2', router: '192.0.2.254' };
const V6 = { asked: '2001:db8::1', other: '2001:db8::2', router: '2001:db8::fe' };
type Names = typeof V4;

function header(to: string): Buffer {
  const address = parseIp(to);
  const made = Buffer.alloc(address.length === 16 ? 40 : 20);
  made[0] = address.length === 16 ? 0x60 : 0x45;
  made.set(address, made.length - address.length);
  return made;
}

function answer(request: Uint8Array, from: string, less_bytes = 0): Packet {
  const v6 = from.includes(':');
  const icmp = Buffer.from(request.subarray(0, request.length - less_bytes));
  icmp[0] = v6 ? 129 : 0;
  return { from, bytes: v6 ? icmp : Buffer.concat([header('192.0.2.9'), icmp]) };
}

function tooLarge(request: Uint8Array, from: string, to: string, mtu_bytes: number): Packet {
  const v6 = from.includes(':');
  const icmp = Buffer.alloc(8);
  icmp.set(v6 ? [2, 0] : [3, 4]);
  if (v6) icmp.writeUInt32BE(mtu_bytes, 4);
  else icmp.writeUInt16BE(mtu_bytes, 6);
  const said = [icmp, header(to), request.subarray(0, 8)];
  return { from, bytes: Buffer.concat(v6 ? said : [header('192.0.2.9'), ...said]) };
}

/** What becomes of a packet of 1400 bytes when these come. */
function asked(address: string, comes: (icmp: Uint8Array) => Packet[]): Reply {
  wire.onSend = (icmp) => wire.comes.push(...comes(icmp));
  return new Echo().exchange([{ address, size_bytes: 1400 }], 20)[0]!;
}

describe.each<[string, Names]>([
  ['IPv4', V4],
  ['IPv6', V6],
])('over %s', (_, { asked: to, other, router }) => {
  test.each<[string, (icmp: Uint8Array) => Packet]>([
    ['an answer of somebody else', (icmp) => answer(icmp, other)],
    ['an answer that is shorter than what was sent', (icmp) => answer(icmp, to, 4)],
    ['a word on a packet to somebody else', (icmp) => tooLarge(icmp, router, other, 1300)],
  ])('%s does not count, and what comes after it does', (_, stray) => {
    expect(asked(to, (icmp) => [stray(icmp)])).toEqual({ kind: 'silence' });
    expect(asked(to, (icmp) => [stray(icmp), answer(icmp, to)]).kind).toBe('answer');
    expect(asked(to, (icmp) => [stray(icmp), tooLarge(icmp, router, to, 1350)])).toEqual({
      kind: 'too large',
      by: router,
      mtu_bytes: 1350,
    });
  });

  test('without the right to send such packets it is named', () => {
    wire.refuses = new OsError(1, 'socket');
    expect(() => asked(to, () => [])).toThrow('CAP_NET_RAW: run it as root');
    wire.refuses = new OsError(24, 'socket');
    expect(() => asked(to, () => [])).toThrow('errno 24: socket');
  });

  test('a number that is given is the one that it has', () => {
    wire.onSend = (icmp) => wire.comes.push(answer(icmp, to));
    const [reply] = new Echo(50_000).exchange([{ address: to, size_bytes: 64 }], 20);
    expect(reply?.kind).toBe('answer');
    expect(Buffer.from(wire.sent[0]!).readUInt16BE(4)).toBe(50_000);
  });

  test('two that ping one node at once do not start with the same numbers', () => {
    for (let at = 0; at < 8; at++) asked(to, () => []);
    const [ids, sequences] = [4, 6].map(
      (at) => new Set(wire.sent.map((icmp) => Buffer.from(icmp).readUInt16BE(at))),
    );
    expect([ids!.size > 1, sequences!.size > 1]).toEqual([true, true]);
  });
});
