// What is measured: plugin types with their configurations, for Fairlead and for the reference
// plugins, each side with a pod, a bridge, a subnet and leases of its own.
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/setup.mjs';

const REFERENCE_DIR = '/usr/lib/cni';
// The newest version that the oldest reference plugins in use know.
const CNI_VERSION = '1.0.0';
const TYPES = ['bridge', 'ptp', 'loopback'];
const SUBNET_NUMBERS = { fairlead: 71, reference: 72 };

export const EMPTY = join(ROOT, 'dist/empty');

function ipam(side, folder) {
  const subnet = `10.88.${SUBNET_NUMBERS[side]}.0/24`;
  return {
    type: 'host-local',
    dataDir: join(folder, `leases-${side}`),
    ranges: [[{ subnet }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
}

const SCENARIOS = [
  {
    name: 'bridge + host-local',
    type: 'bridge',
    keys: (side, folder) => ({
      bridge: `bench-${side.slice(0, 3)}`,
      isGateway: true,
      ipam: ipam(side, folder),
    }),
  },
  { name: 'ptp + host-local', type: 'ptp', keys: (side, folder) => ({ ipam: ipam(side, folder) }) },
  { name: 'loopback', type: 'loopback', keys: () => ({}) },
];

/** The first scenario and three chained plugins with nothing to do, in one plugin. Ours alone. */
const FUSED = {
  name: 'fused: bridge + host-local, 3 × tuning',
  type: 'fairlead',
  sides: ['fairlead'],
  keys: (side, folder) => {
    const [{ type, keys }] = SCENARIOS;
    const chained = { type: 'tuning' };
    return { plugins: [{ type, ...keys(side, folder) }, chained, chained, chained] };
  },
};

/**
 * The command line as the runtime of a network like the first scenario's. There is no reference for
 * it: Debian has no cnitool.
 */
function runner(folder, bin, pods) {
  const [{ type, keys }] = SCENARIOS;
  const network = 'fairlead-runner';
  const conf = join(folder, 'net.d');
  mkdirSync(conf);
  const plugins = [{ type, ...keys('fairlead', folder) }];
  const list = { cniVersion: CNI_VERSION, name: network, plugins };
  writeFileSync(join(conf, '10-runner.conflist'), JSON.stringify(list));
  const args = (command) => [
    ...[command.toLowerCase(), network, pods.fairlead, '--conf-dir', conf],
    ...['--cache-dir', folder, '--container-id', 'bench-runner'],
  ];
  const fairlead = { program: join(bin, 'fairlead'), args, env: () => ({ CNI_PATH: bin }) };
  const output = join(folder, 'output');
  return {
    name: 'command line, bridge + host-local',
    sides: { fairlead: { ...fairlead, output } },
  };
}

/** The folders of the programs of both sides; the reference only when it is installed. */
function programs(folder) {
  const ours = join(folder, 'bin');
  mkdirSync(ours);
  for (const type of [...TYPES, 'fairlead'])
    symlinkSync(join(ROOT, 'dist/fairlead'), join(ours, type));
  const reference = TYPES.every((type) => existsSync(join(REFERENCE_DIR, type)));
  return reference ? { fairlead: ours, reference: REFERENCE_DIR } : { fairlead: ours };
}

/** Every scenario with, per side, what a call needs: program, stdin file, environments. */
export function scenarios(folder, pods) {
  const bins = programs(folder);
  const sides = Object.entries(bins);
  const calls = [...SCENARIOS, FUSED].map(({ name, type, keys, sides: only }) => ({
    name,
    sides: Object.fromEntries(
      sides
        .filter(([side]) => only?.includes(side) ?? true)
        .map(([side, bin]) => {
          const stdin = join(folder, `${type}-${side}.json`);
          const config = { cniVersion: CNI_VERSION, name: `${side}-${type}`, type };
          writeFileSync(stdin, JSON.stringify({ ...config, ...keys(side, folder) }));
          const env = (command) => ({
            PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
            CNI_COMMAND: command,
            CNI_CONTAINERID: `bench-${side}`,
            CNI_NETNS: pods[side],
            CNI_IFNAME: type === 'loopback' ? 'lo' : 'eth0',
            CNI_PATH: bin,
          });
          return [side, { program: join(bin, type), stdin, env, output: join(folder, 'output') }];
        }),
    ),
  }));
  return [...calls, runner(folder, bins.fairlead, pods)];
}
