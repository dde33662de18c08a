// SPDX-License-Identifier: Apache-2.0
// One packet of a flow, sent from the namespace that the thread is in: what opens a connection of
// TCP, an empty datagram of UDP, or a ping; and what comes back. It owns its socket, sends nothing
// more than that, and refuses to choose where to.
import { randomInt } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { Echo } from './echo.ts';
import { bindSocket, connectSocket, osError, sendTo, setsockopt, socket } from './libc.ts';
import { parseIp } from './rtnetlink/index.ts';

const [AF_INET, AF_INET6] = [2, 10];
const [SOCK_STREAM, SOCK_DGRAM, SOCK_CLOEXEC] = [1, 2, 0o2000000];
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
/** What a host on the way, or the last one, says of a packet, by the errno it comes as. */
const REFUSALS: Readonly<Record<number, string>> = {
  111: 'nobody listens there, or a firewall behind rejects it',
  113: 'a host on the way says that it leads nowhere from there',
};
/** Errnos by which connect(2) says that its time is over. */
const LATE: readonly number[] = [11, 110, 115];
const [DYNAMIC_FIRST, DYNAMIC_END] = [49_152, 65_536];
const PING_BYTES = 64;
/** TCP sends its first packet again after a second: the answer is waited for less long. */
const WAIT_MS = 900;

export interface Probe {
  /** "" for a ping. */
  readonly protocol: '' | 'tcp' | 'udp';
  readonly dst: string;
  readonly port: number;
  /** The port it is sent from; of a ping its number. */
  readonly sport: number;
}

/** What came back: `answered`, `refused`, `silence`, or why nothing could be sent. */
export interface Answered {
  readonly kind: 'answered' | 'refused' | 'silence' | 'unsent';
  readonly why: string;
}

function sockaddr(v6: boolean, port: number, bytes: Uint8Array): Buffer {
  const made = Buffer.alloc(v6 ? 28 : 16);
  made.writeUInt16LE(v6 ? AF_INET6 : AF_INET, 0);
  made.writeUInt16BE(port, 2);
  made.set(bytes, v6 ? 8 : 4);
  return made;
}

const time = (duration_ms: number): Buffer => {
  const made = Buffer.alloc(16); // struct timeval
  made.writeBigInt64LE(BigInt(Math.floor(duration_ms / 1000)), 0);
  made.writeBigInt64LE(BigInt((duration_ms % 1000) * 1000), 8);
  return made;
};

/** A socket that sends from a port of its own, which nothing else has. */
function bound(v6: boolean, kind: number, sport: number): number {
  const fd = socket(v6 ? AF_INET6 : AF_INET, kind | SOCK_CLOEXEC, 0);
  try {
    bindSocket(fd, sockaddr(v6, sport, new Uint8Array(v6 ? 16 : 4)));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A port to send from: of those that nobody registers; it is the number of a ping as well. */
export const senderPort = (): number => randomInt(DYNAMIC_FIRST, DYNAMIC_END);

function ping(dst: string, number: number): Answered {
  const echo = new Echo(number);
  try {
    const [reply] = echo.exchange([{ address: dst, size_bytes: PING_BYTES }], WAIT_MS);
    if (reply?.kind === 'answer') return { kind: 'answered', why: 'the ping is answered' };
    if (reply?.kind === 'no way') return { kind: 'unsent', why: reply.why };
    return { kind: 'silence', why: `the ping is not answered within ${WAIT_MS} ms` };
  } finally {
    echo.close();
  }
}

function failed(error: unknown, what: string): Answered {
  const { errno, message } = osError(error);
  const refusal = REFUSALS[errno];
  if (refusal !== undefined) return { kind: 'refused', why: `${what} is refused: ${refusal}` };
  if (LATE.includes(errno)) {
    return { kind: 'silence', why: `${what} is not answered within ${WAIT_MS} ms` };
  }
  return { kind: 'unsent', why: message };
}

function connect(fd: number, to: Buffer): Answered {
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, time(WAIT_MS));
  try {
    connectSocket(fd, to);
    return { kind: 'answered', why: 'the connection is accepted' };
  } catch (error) {
    return failed(error, 'the connection');
  }
}

function datagram(fd: number, to: Buffer): Answered {
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, time(WAIT_MS));
  try {
    connectSocket(fd, to);
    sendTo(fd, new Uint8Array(0), to);
    readSync(fd, Buffer.alloc(1));
    return { kind: 'answered', why: 'the datagram is answered' };
  } catch (error) {
    return failed(error, 'the empty datagram');
  }
}

/** Sends it, and waits for what comes back less than a second. Error where it cannot be tried. */
export function send({ protocol, dst, port, sport }: Probe): Answered {
  if (protocol === '') return ping(dst, sport);
  const v6 = isIPv6(dst);
  const tcp = protocol === 'tcp';
  let fd: number;
  try {
    fd = bound(v6, tcp ? SOCK_STREAM : SOCK_DGRAM, sport);
  } catch (error) {
    const why = `port ${sport}, which it was to be sent from, cannot be had`;
    throw new Error(`${why} (${osError(error).message}): run it again`, { cause: error });
  }
  try {
    const to = sockaddr(v6, port, parseIp(dst));
    return tcp ? connect(fd, to) : datagram(fd, to);
  } finally {
    closeSync(fd);
  }
}
