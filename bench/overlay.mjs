// SPDX-License-Identifier: Apache-2.0
// Measures the way between pods of two machines: CPU time of a round trip by UDP and of a megabyte
// by TCP, with both sockets in one process on one CPU. Over the tunnel of our agents, over one that
// `ip` makes in the same form, and between the machines themselves. It refuses to judge.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OURS } from './programs.mjs';
import { say } from './progress.mjs';
import { ip, netnsPath, removeNetns } from './world.mjs';

const RUNS = 20;
const TURNS = 8000;
const STREAM_MB = 200;
const PORT = 7779;
const START_MAX_MS = 60_000;
const POLL_MS = 100;
const POD_MTU_BYTES = 1450;
const MACHINES = ['a', 'b'];
const ways = { underlay: 'between the machines', hand: 'by hand', ours: 'ours' };

/** What is measured, by what the probe is asked. */
const ASKED = {
  'a round trip': ['turns', (words) => [...words, PORT, PORT, TURNS]],
  'a megabyte': ['stream', (words) => [...words, PORT, STREAM_MB]],
};
export const OVERLAY_ROWS = Object.keys(ASKED);

const number = (name) => MACHINES.indexOf(name) + 1;
const other = (name) => MACHINES[2 - number(name)];
const hostOf = (way, name) => `${way}-${name}`;
const podOf = (way, name) => `${way}-pod-${name}`;
const addressOf = (name) => `192.0.2.${number(name)}`;
const podAddressOf = (name) => `10.244.${number(name)}.2`;

/** Two machines on one link, and a pod of each. */
function makeMachines(way) {
  const names = MACHINES.flatMap((name) => [hostOf(way, name), podOf(way, name)]);
  ip(names.map((name) => `netns add ${name}`));
  const [a, b] = MACHINES.map((name) => hostOf(way, name));
  ip([`link add eth0 netns ${a} type veth peer name eth0 netns ${b}`]);
  for (const name of MACHINES) {
    const inHost = (line) => execFileSync('ip', ['-n', hostOf(way, name), ...line.split(' ')]);
    inHost('link set lo up');
    inHost(`addr add ${addressOf(name)}/24 dev eth0`);
    inHost('link set eth0 up');
  }
}

const forward = (host) =>
  execFileSync('ip', ['netns', 'exec', host, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);

/** The tunnel as the agent makes it (docs/overlay.md), and the pod as ptp does; no rules. */
function makeByHand(way) {
  const mac = (name) => `02:00:00:00:00:0${number(name)}`;
  for (const name of MACHINES) {
    const [host, pod] = [hostOf(way, name), podOf(way, name)];
    const run = (netns, lines) => {
      for (const line of lines) execFileSync('ip', ['-n', netns, ...line.split(' ')]);
    };
    const [peer, vtep] = [other(name), `10.244.${number(other(name))}.0`];
    const device = `id 1 dstport 8472 local ${addressOf(name)} dev eth0 nolearning`;
    run(host, [
      `link add vx0 address ${mac(name)} mtu ${POD_MTU_BYTES} type vxlan ${device}`,
      `addr add 10.244.${number(name)}.0/32 dev vx0`,
      'link set vx0 up',
      `neigh replace ${vtep} lladdr ${mac(peer)} dev vx0 nud permanent`,
    ]);
    const fdb = ['fdb', 'append', mac(peer), 'dev', 'vx0', 'dst', addressOf(peer)];
    execFileSync('bridge', ['-n', host, ...fdb]);
    run(host, [
      `route add 10.244.${number(peer)}.0/24 via ${vtep} dev vx0 onlink mtu ${POD_MTU_BYTES}`,
      `link add pod0 mtu ${POD_MTU_BYTES} type veth peer name eth0 netns ${pod}`,
      `addr add 10.244.${number(name)}.1/32 dev pod0`,
      'link set pod0 up',
      `route add ${podAddressOf(name)} dev pod0`,
    ]);
    run(pod, [
      `link set eth0 mtu ${POD_MTU_BYTES}`,
      `addr add ${podAddressOf(name)}/32 dev eth0`,
      'link set eth0 up',
      `route add 10.244.${number(name)}.1 dev eth0`,
      `route add default via 10.244.${number(name)}.1 dev eth0`,
    ]);
    forward(host);
  }
}

/** Our agents, and a pod of each by the plugin; gives what ends the agents. */
function makeOurs(way, world) {
  const at = (name) => join(world.folder, `overlay-${name}`);
  const nodes = MACHINES.map((name) => ({
    ...{ name, subnets: [`10.244.${number(name)}.0/24`], addresses: [addressOf(name)] },
    mtu_bytes: POD_MTU_BYTES + 50,
  }));
  writeFileSync(at('nodes.json'), JSON.stringify({ nodes }));
  mkdirSync(at('bin'));
  symlinkSync(OURS.native, join(at('bin'), 'fairlead-overlay'));
  const agents = MACHINES.map((name) => startAgent(hostOf(way, name), name, at));
  for (const name of MACHINES) {
    const given = {
      ...{ cniVersion: '1.0.0', name: 'pods', type: 'fairlead-overlay' },
      ipam: { dataDir: at(`${name}.leases`) },
    };
    const env = {
      ...{ PATH: process.env.PATH, CNI_COMMAND: 'ADD', CNI_CONTAINERID: podOf(way, name) },
      ...{ CNI_NETNS: netnsPath(podOf(way, name)), CNI_IFNAME: 'eth0', CNI_PATH: at('bin') },
      CNI_FAIRLEAD_STATE_DIR: at(`${name}.state`),
    };
    const words = ['netns', 'exec', hostOf(way, name), join(at('bin'), 'fairlead-overlay')];
    execFileSync('ip', words, { env, input: JSON.stringify(given) });
  }
  return () => {
    for (const agent of agents) agent.kill('SIGKILL');
  };
}

function startAgent(host, name, at) {
  const config = {
    ...{ name: 'pods', node: name, 'net-conf': { Network: '10.244.0.0/16' } },
    source: { type: 'file', path: at('nodes.json') },
  };
  writeFileSync(at(`${name}.json`), JSON.stringify(config));
  const places = [
    ...['--config', at(`${name}.json`), '--state-dir', at(`${name}.state`)],
    ...['--disk-dir', at(`${name}.disk`)],
  ];
  const words = (verb) => ['netns', 'exec', host, OURS.node, 'agent', ...verb, ...places];
  const agent = spawn('setpriv', ['--pdeathsig', 'KILL', 'ip', ...words([])], { stdio: 'ignore' });
  const start_ms = performance.now();
  while (spawnSync('ip', words(['status'])).status !== 0) {
    if (performance.now() - start_ms > START_MAX_MS) throw new Error(`no agent of ${name}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
  }
  return agent;
}

/** Rows by what is measured, the least of each way in microseconds. All ways take turns. */
export function measureOverlay(rows, world) {
  if (rows.length === 0 || world.sides.native === undefined) return [];
  for (const way of Object.keys(ways)) makeMachines(way);
  makeByHand('hand');
  const end = makeOurs('ours', world);
  say(`between pods of two machines: ${Object.values(ways).join(', ')}; ${RUNS} runs each`);
  const once = (row, way) => {
    const at = way === 'underlay' ? hostOf : podOf;
    const to = way === 'underlay' ? addressOf('b') : podAddressOf('b');
    const [verb, wordsOf] = ASKED[row];
    const words = wordsOf([...MACHINES.map((name) => netnsPath(at(way, name))), to]);
    return Number(execFileSync(world.probe, [verb, ...words].map(String), { encoding: 'utf8' }));
  };
  try {
    return rows.map((name) => {
      const times = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
      for (let run = 0; run < RUNS; run++) {
        for (const way of Object.keys(ways)) times[way].push(once(name, way));
      }
      const least = (way) => Math.min(...times[way]) / 1000;
      return {
        name,
        underlay_us: least('underlay'),
        hand_us: least('hand'),
        ours_us: least('ours'),
      };
    });
  } finally {
    end();
    const names = Object.keys(ways).flatMap((way) =>
      MACHINES.flatMap((name) => [hostOf(way, name), podOf(way, name)]),
    );
    removeNetns(names);
  }
}
