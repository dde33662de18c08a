// SPDX-License-Identifier: Apache-2.0
// Programs for Node that send and answer real packets, servers in the namespaces of a world, and a
// machine beyond a cell's, on a link of its own, to send packets from. It judges no answer.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { NamedWorld } from '../support/world.ts';
import type { Cell } from './cell.ts';
import { type Netns, runInside } from './state.ts';

export const SERVER_PORT = 80;
const PATIENCE_MS = 4000;

/** Says its name and whom it sees, by TCP and UDP; "ready" when it can. */
export const SERVER = `
const [name] = process.argv.slice(1);
const seen = (ip) => name + ' sees ' + String(ip).replace('::ffff:', '');
let open = 0;
const ready = () => ++open === 2 && console.log('ready');
require('node:net')
  .createServer((socket) => socket.on('error', () => {}).end(seen(socket.remoteAddress)))
  .listen(${SERVER_PORT}, '::', ready);
const udp = require('node:dgram').createSocket({ type: 'udp6', ipv6Only: false });
udp.on('message', (_, from) => udp.send(seen(from.address), from.port, from.address));
udp.bind(${SERVER_PORT}, '::', ready);
`;
/** PROTOCOL ADDRESS PORT [FROM]: one connection or one datagram; prints the answer or "nobody". */
export const CLIENT = `
const [protocol, address, port, from] = process.argv.slice(1);
const end = (text) => { console.log(String(text)); process.exit(0); };
setTimeout(end, ${PATIENCE_MS}, 'nobody');
if (protocol === 'tcp') {
  const socket = require('node:net').connect(Number(port), address);
  socket.on('data', end).on('error', () => end('nobody')).on('end', () => end('nobody'));
} else {
  const socket = require('node:dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', end).on('error', () => end('nobody'));
  socket.bind(Number(from) || 0, () => {
    socket.connect(Number(port), address, () => socket.send('who'));
  });
}
`;

/** The address of a cell on the link to the machine beyond. */
export const CELL_ADDRESS = '192.0.2.1';
const BEYOND: Netns = { path: '/run/netns/beyond' };

/** Makes the machine beyond; it knows no way to pods. */
export async function makeBeyond(cell: Cell): Promise<void> {
  const script = `ip netns add beyond
ip link add up0 type veth peer name eth0 netns beyond
ip addr add ${CELL_ADDRESS}/24 dev up0
ip link set up0 up
ip -n beyond addr add 192.0.2.2/24 dev eth0
ip -n beyond link set eth0 up`;
  await cell.run(['sh', '-ec', script]);
}

/** Starts a server in the network namespace of a process. */
export async function serveIn(cell: Cell, pid: string, name: string): Promise<void> {
  const server = [process.execPath, '-e', SERVER, name];
  const log = `${cell.folder}/server-${name}`;
  await cell.start(['nsenter', '--target', pid, '--net', '--', ...server], log);
  const ready = 'i=0; until grep -q ready "$1"; do [ $((i+=1)) -lt 100 ]; sleep 0.1; done';
  await cell.run(['sh', '-ec', ready, 'ready', log]);
}

/** What a port of the cell answers, asked by TCP or UDP from the machine beyond or the cell. */
export async function askPort(
  cell: Cell,
  from: 'beyond' | 'cell',
  protocol: string,
  address: string,
  port: number,
): Promise<string> {
  const client = [process.execPath, '-e', CLIENT, protocol, address, String(port)];
  const said = from === 'cell' ? cell.run(client) : runInside(cell, BEYOND, client);
  return (await said).trim();
}

type Named = Pick<NamedWorld, 'netns'>;

/** Words for ip(8) to run a program in a namespace of a world. */
export const inNetns = (world: Named, netns: string, ...words: string[]): string[] => [
  ...['netns', 'exec', world.netns(netns)],
  ...words,
];

/** Servers in namespaces of a world, until they are stopped. */
export class Servers {
  readonly #children: ChildProcess[] = [];
  /** Starts a program for Node, which prints something as soon as it can be asked. */
  async start(world: Named, netns: string, program: string): Promise<void> {
    const words = inNetns(world, netns, process.execPath, '-e', program);
    const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    await once(child.stdout, 'data');
  }
  stop(): void {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
  }
}
