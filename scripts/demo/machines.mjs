// SPDX-License-Identifier: Apache-2.0
// The machines of the overlay's demo: a and b on one link, c behind a router, each a namespace with
// an agent and a pod. It owns them and every process that runs in them: none outlives this one,
// however it ends. It prints and judges nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../setup.mjs';

const FOLDER = '/run/demo-overlay';
const FAIRLEAD = join(ROOT, 'dist/fairlead');
const IPV4_ICMP_BYTES = 28;
const IPV6_ICMP_BYTES = 48;
const POLL_MS = 50;

export const NAMES = ['a', 'b', 'c'];
const [LAN1, LAN2] = [
  { gateways: ['192.0.2.254', '2001:db8:1::fe'], name: 'lan1' },
  { gateways: ['198.51.100.254', '2001:db8:2::fe'], name: 'lan2' },
];
/** `own_bytes` is what the network card takes, `way_bytes` what a packet to it may have. */
export const MACHINES = {
  a: { lan: LAN1, addresses: ['192.0.2.1', '2001:db8:1::1'], own_bytes: 1500, way_bytes: 1500 },
  b: { lan: LAN1, addresses: ['192.0.2.2', '2001:db8:1::2'], own_bytes: 1400, way_bytes: 1400 },
  c: { lan: LAN2, addresses: ['198.51.100.3', '2001:db8:2::3'], own_bytes: 9000, way_bytes: 1500 },
};
const number = (name) => NAMES.indexOf(name) + 1;
export const podOf = (name) => [`10.244.${number(name)}.2`, `fd00:244:0:${number(name)}::2`];

const children = new Set();

/** Starts a program that ends with this one, even when this one is killed. */
function start(words, options) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...words], options);
  children.add(child);
  child.on('close', () => children.delete(child));
  return child;
}

/** Ends all that runs. */
export function endAll() {
  for (const child of children) child.kill('SIGKILL');
}

/** Runs a program to its end. */
export async function call(words, { input = '', env = process.env } = {}) {
  const child = start(words, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  child.stdin.on('error', () => {}).end(input);
  const [exit_code] = await once(child, 'close');
  return { exit_code, stdout, stderr };
}

/** The same, of one that must succeed; its standard output. */
async function run(...words) {
  const { exit_code, stdout, stderr } = await call(words);
  if (exit_code !== 0) throw new Error(`${words.join(' ')}: ${stderr || stdout}`);
  return stdout;
}
const ip = (line) => run('ip', ...line.split(' '));
const inside = (name, ...words) => ['ip', 'netns', 'exec', name, ...words];

const at = (name) => join(FOLDER, name);
const places = (name) => [
  ...['--config', at(`${name}.json`), '--state-dir', at(`${name}.state`)],
  ...['--disk-dir', at(`${name}.disk`)],
];

/** Says in the file that all agents read what each node takes. */
export function tell(way_bytes) {
  const nodes = NAMES.map((name) => ({
    name,
    subnets: [`10.244.${number(name)}.0/24`, `fd00:244:0:${number(name)}::/64`],
    addresses: MACHINES[name].addresses,
    mtu_bytes: way_bytes[name] ?? MACHINES[name].way_bytes,
  }));
  writeFileSync(at('nodes.json'), JSON.stringify({ nodes }, null, 2));
}

async function wire(name) {
  const { lan, addresses, own_bytes } = MACHINES[name];
  await ip(`netns add ${name}`);
  await ip(`netns add pod-${name}`);
  await ip(`-n ${name} link set lo up`);
  await plug(name, lan.name, 'eth0', own_bytes);
  await ip(`-n ${name} addr add ${addresses[0]}/24 dev eth0`);
  await ip(`-n ${name} addr add ${addresses[1]}/64 dev eth0 nodad`);
  for (const gateway of lan.gateways) await ip(`-n ${name} route add default via ${gateway}`);
}

async function plug(name, lan, dev, mtu_bytes) {
  await ip(`-n ${lan} link add to-${name} mtu ${mtu_bytes} type veth peer ${dev} netns ${name}`);
  await ip(`-n ${lan} link set to-${name} master br0 up`);
  await ip(`-n ${name} link set ${dev} mtu ${mtu_bytes} up`);
}

/** Makes the links, the router and the machines; `program` is what serves the types. */
export async function makeMachines(program) {
  mkdirSync(FOLDER);
  symlinkSync(join(ROOT, 'dist', program), at('fairlead-overlay'));
  await ip('netns add r');
  for (const [index, { name, gateways }] of [LAN1, LAN2].entries()) {
    await ip(`netns add ${name}`);
    await ip(`-n ${name} link add br0 mtu 9000 type bridge`);
    await ip(`-n ${name} link set br0 up`);
    await plug('r', name, `eth${index}`, index === 0 ? 1500 : 9000);
    await ip(`-n r addr add ${gateways[0]}/24 dev eth${index}`);
    await ip(`-n r addr add ${gateways[1]}/64 dev eth${index} nodad`);
  }
  for (const key of ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding']) {
    await run(...inside('r', 'sh', '-c', `echo 1 > /proc/sys/${key}`));
  }
  for (const name of NAMES) await wire(name);
  tell({});
}

/** Starts the agent of a machine; resolves when it serves pods. */
export async function startAgent(name) {
  const config = {
    ...{ name: 'pods', node: name, podMtu: 'follow' },
    'net-conf': { Network: '10.244.0.0/16', IPv6Network: 'fd00:244::/48' },
    source: { type: 'file', path: at('nodes.json') },
  };
  writeFileSync(at(`${name}.json`), JSON.stringify(config));
  start(inside(name, FAIRLEAD, 'agent', ...places(name)), { stdio: 'ignore' });
  await until(async () => (await agent(name, 'status')).exit_code === 0);
}

/** Another verb of an agent. */
export const agent = (name, verb) => call(inside(name, FAIRLEAD, 'agent', verb, ...places(name)));

/** `fairlead mtu --probe` on a machine. */
export function probe(name) {
  const words = [FAIRLEAD, 'mtu', '--probe', '--config', at(`${name}.json`)];
  const env = { ...process.env, CNI_FAIRLEAD_STATE_DIR: at(`${name}.state`), NO_COLOR: '1' };
  return call(inside(name, ...words), { env });
}

/** Calls the plugin for a machine's pod, as a runtime does. */
export async function plugin(name, command) {
  const config = {
    ...{ cniVersion: '1.0.0', name: 'pods', type: 'fairlead-overlay' },
    ipam: { dataDir: at(`${name}.leases`) },
  };
  const env = {
    ...process.env,
    ...{ CNI_COMMAND: command, CNI_CONTAINERID: `pod-${name}`, CNI_IFNAME: 'eth0' },
    ...{ CNI_NETNS: `/run/netns/pod-${name}`, CNI_PATH: FOLDER },
    CNI_FAIRLEAD_STATE_DIR: at(`${name}.state`),
  };
  const input = JSON.stringify(config);
  const { exit_code, stdout, stderr } = await call(inside(name, at('fairlead-overlay')), {
    input,
    env,
  });
  if (exit_code !== 0) throw new Error(`${command} of pod ${name}: ${stdout}${stderr}`);
  return stdout === '' ? undefined : JSON.parse(stdout);
}

/** Whether a packet of so many bytes, which may not be cut, gets from a pod to an address. */
export async function fits(from, to, size_bytes = 100) {
  const headers_bytes = to.includes(':') ? IPV6_ICMP_BYTES : IPV4_ICMP_BYTES;
  const words = ['ping', '-c1', '-W1', '-Mdo', '-s', String(size_bytes - headers_bytes), to];
  return (await call(inside(`pod-${from}`, ...words))).exit_code === 0;
}

export const setMtu = (name, mtu_bytes) => ip(`-n ${name} link set eth0 mtu ${mtu_bytes}`);
export const deleteTunnel = (name) => ip(`-n ${name} link del fl.1`);
/** The number of a machine's tunnel: another one when it was made anew; undefined without any. */
export async function tunnelOf(name) {
  const { stdout } = await call(['ip', '-n', name, '-o', 'link', 'show', 'dev', 'fl.1']);
  return /^\d+/.exec(stdout)?.[0];
}
export const linksOf = (name) => ip(`-n ${name} -br link`);
export const podMtu = async (name) =>
  Number(await run(...inside(`pod-${name}`, 'cat', '/sys/class/net/eth0/mtu')));
/** Pods' kernels forget what they learnt of ways. */
export async function forget() {
  for (const name of NAMES) {
    for (const family of ['-4', '-6']) await ip(`-n pod-${name} ${family} route flush cache`);
  }
}

/** Waits for something to hold; how long it took. An Error when it does not in that time. */
export async function until(holds, limit_ms = 60_000) {
  const start_ms = performance.now();
  while (!(await holds())) {
    const waited_ms = performance.now() - start_ms;
    if (waited_ms > limit_ms) throw new Error(`nothing of it after ${limit_ms / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return performance.now() - start_ms;
}
