// SPDX-License-Identifier: Apache-2.0
// What a sender of one packet is told, over the loopback: a refusal with its reason, an answer, and
// a port to send from that somebody has.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { send } from '../../host-node/sys/probe.ts';

let taken: Socket;
beforeEach(async () => {
  taken = createSocket('udp4').bind(0);
  await once(taken, 'listening');
});
afterEach(async () => {
  await new Promise<void>((closed) => taken.close(closed));
});

test('a port that is taken is an error that says what to do, and no packet that is lost', () => {
  const { port } = taken.address();
  const probe = { protocol: 'udp', dst: '127.0.0.1', port, sport: port } as const;
  expect(() => send(probe)).toThrow(/^port \d+, .* cannot be had .*: run it again$/);
});

test('a refusal is told with what it may be', () => {
  // tcpmux, which no machine has any more.
  const probe = { protocol: 'tcp', dst: '127.0.0.1', port: 1, sport: 0 } as const;
  expect(send(probe)).toEqual({
    kind: 'refused',
    why: 'the connection is refused: nobody listens there, or a firewall behind rejects it',
  });
});
