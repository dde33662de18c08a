// SPDX-License-Identifier: Apache-2.0
// What is measured call by call: chains of plugins, each as every side runs it, and beside them the
// floor, the command line and an empty executable.
// It refuses to measure.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Chain, CNI_VERSION, Command, fused } from './chain.mjs';
import { EMPTY } from './programs.mjs';
import { filesOf } from './proof.mjs';
import { OUTPUTS, SPARE } from './world.mjs';

const HOST_PORT = 8080;
/** As many as `fairlead record on` keeps. */
const RING_CALLS = 100;
/** In memory, as /run/fairlead is. */
const STATES = '/run/bench-states';
/** Well above what is sent, so that shaping is set up and does not limit. */
const RATE_BITS = 1_000_000_000;

/** The chained types of the whole chain, in its order. */
export const CHAINED = ['portmap', 'firewall', 'bandwidth', 'tuning'];
/** All types that are asked for. */
export const TYPES = ['bridge', 'ptp', 'macvlan', 'host-device', 'loopback', ...CHAINED];
/** Types that packaged reference plugins may be without: ours are measured all the same. */
export const OURS_ALONE = ['tap'];

const CHAINED_OBJECTS = {
  portmap: { type: 'portmap', capabilities: { portMappings: true }, snat: true },
  firewall: { type: 'firewall' },
  bandwidth: {
    type: 'bandwidth',
    ingressRate: RATE_BITS,
    ingressBurst: RATE_BITS,
    egressRate: RATE_BITS,
    egressBurst: RATE_BITS,
  },
  tuning: { type: 'tuning', sysctl: { 'net.core.somaxconn': '500' } },
};

/** What the runtime tells plugins that have the capability. */
export const runtimeOf = (hostPort = HOST_PORT, protocol = 'tcp') => ({
  portMappings: [{ hostPort, containerPort: 80, protocol }],
});

/** `bridge` with host-local; `number` is the second byte of its subnet and names the bridge. */
export function bridge(number, leases, more = {}) {
  return {
    type: 'bridge',
    bridge: `bench${number}`,
    isGateway: true,
    ...more,
    ...ipam(number, leases),
  };
}

function ipam(number, leases) {
  const ranges = [[{ subnet: `10.${number}.0.0/16` }]];
  const routes = [{ dst: '0.0.0.0/0' }];
  return { ipam: { type: 'host-local', dataDir: leases, ranges, routes } };
}

/** `bridge` with masquerade and those of the chained types that are there. */
export function wholeChain(number, leases, types) {
  return [bridge(number, leases, { ipMasq: true }), ...types.map((type) => CHAINED_OBJECTS[type])];
}

const together = (types) => types.join(' + ');

/** Rows by name. `fuse`: in one process where a side can; `apart`: also one by one. */
function chains(known) {
  const chained = CHAINED.filter((type) => known.includes(type));
  const several = ['one process', 'one by one'];
  const rows = [
    { name: 'loopback', plugins: () => [{ type: 'loopback' }], ifname: 'lo' },
    { name: 'bridge + host-local', plugins: (leases) => [bridge(101, leases)], floor: true },
    { name: 'ptp + host-local', plugins: (leases) => [{ type: 'ptp', ...ipam(102, leases) }] },
    {
      name: 'bridge + masquerade',
      plugins: (leases) => [bridge(103, leases, { ipMasq: true })],
    },
    {
      name: 'macvlan + host-local',
      type: 'macvlan',
      plugins: (leases) => [{ type: 'macvlan', master: 'up0', ...ipam(106, leases) }],
    },
    {
      name: 'host-device + host-local',
      type: 'host-device',
      plugins: (leases) => [{ type: 'host-device', device: SPARE, ...ipam(107, leases) }],
    },
    { name: 'tap + host-local', plugins: (leases) => [{ type: 'tap', ...ipam(108, leases) }] },
    {
      name: together(['bridge', ...chained]),
      chain: chained.length === CHAINED.length,
      plugins: (leases) => wholeChain(104, leases, chained),
      modes: several,
    },
  ];
  return rows.filter(({ type }) => type === undefined || known.includes(type));
}

/** A chain of a side, in one process or not: what is measured as one series. */
function runners(row, { sides, machines, pods, folder }) {
  return Object.entries(sides).flatMap(([side, bin], at) => {
    const plugins = row.plugins(join(folder, `leases-${side}`));
    if (plugins.some(({ type }) => !existsSync(join(bin, type)))) return [];
    const modes = side === 'reference' || !row.modes ? [undefined] : row.modes;
    return modes.map((mode, index) => {
      const network = `${row.name.replaceAll(/[^a-z]+/g, '-')}-${side}-${index}`;
      const chain = new Chain({
        ...{ bin, network, folder, ifname: row.ifname, host: machines[side].host },
        ...{ plugins: mode === 'one process' ? fused(plugins) : plugins, runtime: runtimeOf() },
        ...{ pod: pods[at], id: `bench-${side}` },
      });
      return { side, mode, chain };
    });
  });
}

/** Rows of calls with and without a recording. */
const RECORDED = ['off', 'on'].map((word) => `recording ${word}`);

/** The folder of a state; its ring of recordings is full, which is what costs most. */
function stateWith(recording, folder) {
  const state = join(folder, recording.replace(' ', '-'));
  if (existsSync(state)) return state;
  mkdirSync(join(state, 'recordings'), { recursive: true });
  if (recording === RECORDED[0]) return state;
  writeFileSync(join(state, 'recordings/on'), `${RING_CALLS}\n`);
  for (let call = 0; call < RING_CALLS; call++) {
    const name = `${String(call).padStart(16, '0')}-1.jsonl`;
    writeFileSync(join(state, 'recordings', name), '');
  }
  return state;
}

/** A row whose sides of ours run beside themselves: the same calls, recorded and not. */
function recordedRow(name, plugins, ifname, { sides, machines, pods }) {
  const ours = Object.entries(sides).filter(([side]) => side !== 'reference');
  const runners = ours.flatMap(([side, bin], at) =>
    RECORDED.map((mode) => {
      const more = { CNI_FAIRLEAD_STATE_DIR: stateWith(mode, STATES) };
      const network = `recorded-${side}`;
      const chain = new Chain({
        ...{ bin, network, folder: STATES, ifname, host: machines[side].host, more },
        ...{ plugins, pod: pods[at], id: `bench-${side}` },
      });
      return { side, mode, chain };
    }),
  );
  return { name, runners };
}

/** The kernel's part alone, on a bridge like the others'. */
function floor({ floor: program, machines, pods }) {
  if (program === undefined) return [];
  const { host } = machines.floor;
  const name = host.slice(host.lastIndexOf('/') + 1);
  const ip = (...args) => execFileSync('ip', ['-n', name, ...args], { encoding: 'utf8' });
  ip('link', 'add', 'bench', 'up', 'type', 'bridge');
  ip('address', 'add', '10.101.0.1/16', 'dev', 'bench');
  const [{ ifindex }] = JSON.parse(ip('-json', 'link', 'show', 'dev', 'bench'));
  const words = ['ADD', ifindex, pods.at(-1), '10.101.0.2', '16', '10.101.0.1'];
  const args = (command) => (command === 'ADD' ? words : ['DEL']);
  return [{ side: 'floor', chain: new Command({ program, args, host }) }];
}

/** The command line as the runtime of a network like the second row's. */
function commandLine({ sides, machines, pods, folder }) {
  const [network, bin] = ['fairlead-runner', sides.node];
  const conf = join(folder, 'net.d');
  mkdirSync(conf);
  const plugins = [bridge(105, join(folder, 'leases-runner'))];
  const list = { cniVersion: CNI_VERSION, name: network, plugins };
  writeFileSync(join(conf, '10-runner.conflist'), JSON.stringify(list));
  const args = (command) => [
    ...[command.toLowerCase(), network, pods[0], '--conf-dir', conf],
    ...['--cache-dir', folder, '--container-id', 'bench-runner'],
  ];
  const program = join(bin, 'fairlead');
  const { host } = machines.node;
  const chain = new Command({ program, args, env: { CNI_PATH: bin }, host, folder });
  return { name: 'command line: bridge + host-local', runners: [{ side: 'node', chain }] };
}

/** Rows `{ name, runners }`; what a runner runs is `chain.run(command, execute)`. */
export function scenarios(world) {
  const rows = chains(world.known).map((row) => ({
    name: row.name,
    chain: row.chain ?? false,
    runners: [...(row.floor ? floor(world) : []), ...runners(row, world)],
  }));
  mkdirSync(STATES, { recursive: true });
  const recorded = [
    recordedRow('recorded loopback', [{ type: 'loopback' }], 'lo', world),
    recordedRow('recorded bridge + host-local', [bridge(109, STATES)], 'eth0', world),
  ];
  const all = [...rows, ...recorded];
  return world.sides.node === undefined ? all : [...all, commandLine(world)];
}

/** The call of the empty executable. */
export function emptyCall() {
  return { program: EMPTY, output: join(OUTPUTS, 'empty') };
}

/** The files that our ADD of the second row opens, by side. */
export function filesOfOne(rows, folder) {
  const row = rows.find(({ name }) => name === 'bridge + host-local');
  const ours = row?.runners.filter(({ side }) => side === 'native' || side === 'node') ?? [];
  const files = ours.map(({ side, chain }) => {
    // What Node itself opens says nothing.
    return [side, filesOf(chain, folder, side === 'node' ? emptyCall(folder) : undefined)];
  });
  return Object.fromEntries(files);
}
