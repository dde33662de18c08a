// SPDX-License-Identifier: Apache-2.0
// A DHCP client that only measures: how long a server takes from DISCOVER to ACK, so many times, in
// ms, as JSON. It runs in the namespace of a pod (bench/dhcp.mjs); its frames are the machine's.
import { readFileSync } from 'node:fs';
import { AgentCore } from '../agent/core.ts';
import { openPacket } from '../host-node/sys/packet.ts';
import { callBytes } from '../test/dhcp/gob.ts';

const IFINDEX = Number(readFileSync('/sys/class/net/eth0/ifindex', 'utf8'));
const MAC = readFileSync('/sys/class/net/eth0/address', 'utf8').trim();
const SETTINGS = { broadcast: false, timeout_ms: 10000, resendmax_ms: 62000 };
const core = new AgentCore(
  new WebAssembly.Module(readFileSync(new URL('../dist/agent.wasm', import.meta.url))),
);
const count = Number(process.argv[2]);
const times = [];
let random = 1;

function tell(event) {
  random = (random * 48271) % 0x7fffffff;
  return core.tell('dhcp', { now_ms: Math.round(performance.now()), random, ...event }).actions;
}

/** Spins: a wait for a signal would be measured too. */
function heard(socket) {
  for (;;) {
    const frame = socket.receive();
    if (frame !== undefined) return Buffer.from(frame).toString('base64');
  }
}

function once(id) {
  const lease = `${id}/bench/eth0`;
  const config = { name: 'bench', ipam: { type: 'dhcp' } };
  const place = { containerID: id, netns: '/x', ifname: 'eth0' };
  const bytes = callBytes({ method: 'DHCP.Allocate', ...place, config }).toString('base64');
  tell({ event: 'connected', conn: 1 });
  tell({ event: 'bytes', conn: 1, bytes });
  const link = { netnsID: 'x', mac: Number.parseInt(MAC.replaceAll(':', ''), 16), kind: 'veth' };
  let actions = tell({ event: 'opened', lease, ...link, mtu_bytes: 1500, fresh: false });
  const socket = openPacket(IFINDEX);
  let server_ms = 0;
  while (!actions.some((action) => action.do === 'store')) {
    const frames = actions.filter((action) => action.do === 'send');
    for (const { frame } of frames) socket.send(Buffer.from(frame, 'base64'));
    const sent_ms = performance.now();
    const frame = heard(socket);
    server_ms += performance.now() - sent_ms;
    actions = tell({ event: 'frame', lease, frame });
  }
  socket.close();
  times.push(server_ms);
}

process.on('SIGIO', () => {});
tell({ event: 'start', leases: [], ...SETTINGS, resendtimeout_ms: 208000 });
for (let at = 0; at < count; at++) once(`p${at}`);
console.log(JSON.stringify(times));
process.exit(0);
