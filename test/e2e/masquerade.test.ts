// SPDX-License-Identifier: Apache-2.0
// Real packets: what a server outside, and one inside the subnet, see of a masqueraded container;
// and what becomes of frames with a MAC that is not the container's.
import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needsNft } from '../support/needs.ts';
import { callFor } from '../support/pod-call.ts';
import { openWorld } from '../support/world.ts';
import { inNetns, Servers } from './packets.ts';

/** A machine with an uplink, and another beyond it that knows no way to the containers. */
const BEFORE = `netns host
link up0 kind veth up peer out/eth0
addr 192.0.2.1/24 dev up0
addr 2001:db8::1/64 dev up0
netns out
link eth0 kind veth up
addr 192.0.2.2/24 dev eth0
addr 2001:db8::2/64 dev eth0
netns pod
netns pod2
`;
const PORT = 5353;

/** Answers each datagram with the address it came from. */
const SERVER = `
const { createSocket } = require('node:dgram');
const socket = createSocket({ type: 'udp6', ipv6Only: false });
socket.on('message', (_, from) => socket.send(from.address, from.port, from.address));
socket.bind(${PORT}, '::', () => console.log('ready'));
`;
/**
 * Asks until there is an answer, or gives up: late where one is due, for a server that gets no
 * processor for seconds has not lost a packet; soon where none may come.
 */
const PATIENCE_TRIES = 300;
const NOBODY_TRIES = 20;
const CLIENT = `
const { createSocket } = require('node:dgram');
const [server, most] = process.argv.slice(1);
const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
const end = (text) => { console.log(text); process.exit(0); };
socket.on('message', (text) => end(String(text).replace('::ffff:', '')));
socket.on('error', () => {});
let left = Number(most);
setInterval(() => (left-- > 0 ? socket.send('who', ${PORT}, server) : end('nobody')), 100);
`;

let world: ReturnType<typeof openWorld>;
const servers = new Servers();
beforeEach(() => {
  if (needsNft === '') world = openWorld(BEFORE);
});
afterEach(() => {
  servers.stop();
  if (needsNft === '') world.close();
});

const inside = (netns: string, ...words: string[]): string[] => inNetns(world, netns, ...words);
const serveIn = (netns: string): Promise<void> => servers.start(world, netns, SERVER);
const askFrom = (netns: string, server: string, tries = PATIENCE_TRIES): string =>
  execFileSync('ip', inside(netns, process.execPath, '-e', CLIENT, server, String(tries)), {
    encoding: 'utf8',
  }).trim();
const pings = (netns: string, address: string): boolean =>
  spawnSync('ip', inside(netns, 'ping', '-c', '1', '-W', '2', address)).status === 0;

function call(command: string, type: string, pod: string, more: object): string {
  const ranges = [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00:1::/61' }]];
  const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];
  const stdin = { cniVersion: '1.0.0', name: 'net', type, ...more };
  const config = { ...stdin, ipam: { type: 'host-local', ranges, routes } };
  const { exit_code, stdout } = callFor(world, command, pod, config);
  expect(exit_code, stdout).toBe(0);
  return stdout;
}

describe.skipIf(needsNft !== '')(`packets ${needsNft}`, () => {
  test('ptp with ipMasq: masqueraded outside, itself inside the subnet', async () => {
    await serveIn('out');
    for (const pod of ['pod', 'pod2']) call('ADD', 'ptp', pod, { ipMasq: true });
    await serveIn('pod2');
    expect(askFrom('pod', '192.0.2.2')).toBe('192.0.2.1');
    expect(askFrom('pod', '2001:db8::2')).toBe('2001:db8::1');
    expect(askFrom('pod', '10.1.2.3')).toBe('10.1.2.2');
    expect(askFrom('pod', 'fd00:1::3')).toBe('fd00:1::2');
  });

  test('after DEL the address is masqueraded no more, that of others still is', async () => {
    await serveIn('out');
    for (const pod of ['pod', 'pod2']) call('ADD', 'ptp', pod, { ipMasq: true });
    call('DEL', 'ptp', 'pod', { ipMasq: true });
    call('ADD', 'ptp', 'pod', {});
    expect(askFrom('pod', '192.0.2.2', NOBODY_TRIES)).toBe('nobody');
    expect(askFrom('pod2', '192.0.2.2')).toBe('192.0.2.1');
  });

  test('bridge with ipMasq, two containers: each is masqueraded', async () => {
    await serveIn('out');
    for (const pod of ['pod', 'pod2']) {
      call('ADD', 'bridge', pod, { isGateway: true, ipMasq: true, macspoofchk: true });
    }
    for (const pod of ['pod', 'pod2']) {
      expect(askFrom(pod, '192.0.2.2')).toBe('192.0.2.1');
      expect(askFrom(pod, '2001:db8::2')).toBe('2001:db8::1');
    }
  });

  test('macspoofchk: frames pass with the own MAC only', () => {
    call('ADD', 'bridge', 'pod', { isGateway: true, macspoofchk: true });
    const mac = (address: string) =>
      execFileSync('ip', inside('pod', 'ip', 'link', 'set', 'eth0', 'address', address));
    const own = execFileSync('ip', inside('pod', 'cat', '/sys/class/net/eth0/address'), {
      encoding: 'utf8',
    }).trim();
    expect(pings('pod', '10.1.2.1')).toBe(true);
    mac('02:00:00:00:00:99');
    expect(pings('pod', '10.1.2.1')).toBe(false);
    mac(own);
    expect(pings('pod', '10.1.2.1')).toBe(true);
  });
});
