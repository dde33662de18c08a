// SPDX-License-Identifier: Apache-2.0
// The DHCP daemon against dnsmasq, in a namespace of its own: what a thousand leases take of memory
// beside an idle Node, and how much longer an ADD takes than the server itself. As root, under Node
// 26, after `npm run build`: node bench/dhcp.mjs. It prints; no test asserts its numbers.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIR = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
const HOST = `flb${process.pid}h`;
const POD = `flb${process.pid}p`;
const STATE = `/run/fairlead-bench-${process.pid}`;
const SOCKET = join(DIR, 'dhcp.sock');
const LEASES = 1000;
const TIMED = 200;
const AT_ONCE = 4;
const children = [];

const ip = (...words) => execFileSync('ip', words);
const pause = (duration_ms) => new Promise((resolve) => setTimeout(resolve, duration_ms));
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

function start(program, args, env = process.env) {
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  child.said = '';
  child.stderr.on('data', (chunk) => {
    child.said += chunk;
  });
  children.push(child);
  return child;
}

async function until(holds) {
  for (let tries = 0; tries < 500; tries++) {
    if (holds()) return;
    await pause(20);
  }
  throw new Error(`in vain:\n${children.map(({ said }) => said).join('\n')}`);
}

/** RSS in MB, after a while without work, and what of it is no file's. */
async function memory(pid) {
  await pause(2000);
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
  return { all: mb('VmRSS'), own: mb('RssAnon') };
}

function call(command, id) {
  const env = { CNI_COMMAND: command, CNI_CONTAINERID: id, CNI_NETNS: `/run/netns/${POD}` };
  const more = { CNI_IFNAME: 'eth0', CNI_PATH: DIR, CNI_FAIRLEAD_STATE_DIR: STATE };
  const stdio = ['pipe', 'pipe', 'inherit'];
  const child = spawn(join(DIR, 'dhcp'), [], { env: { ...env, ...more }, stdio });
  const ipam = { type: 'dhcp', daemonSocketPath: SOCKET };
  // VERSION does not read it.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify({ cniVersion: '1.0.0', name: 'bench', type: 'bridge', ipam }));
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(said))));
  });
}

function network() {
  for (const name of [HOST, POD]) ip('netns', 'add', name);
  const host = (words) => ip('-n', HOST, ...words.split(' '));
  host('link add br0 type bridge');
  host('addr add 10.9.0.1/16 dev br0');
  host('link set br0 up');
  host(`link add v0 type veth peer name eth0 netns ${POD}`);
  host('link set v0 master br0 up');
  ip('-n', POD, 'link', 'set', 'eth0', 'up');
}

async function serve() {
  const words = ['netns', 'exec', HOST, 'dnsmasq', '--keep-in-foreground', '--port=0'];
  words.push('--conf-file=/dev/null', '--interface=br0', '--bind-interfaces', '--no-ping');
  words.push('--dhcp-range=10.9.1.1,10.9.8.250,255.255.0.0,1h', `--pid-file=${DIR}/pid`);
  words.push('--dhcp-lease-max=4000', `--dhcp-leasefile=${DIR}/leases`);
  start('ip', words);
  await until(() => existsSync(`${DIR}/pid`));
}

/** The daemon as the bundle has it, with the moments of what it says to the server and hears. */
async function daemon() {
  const env = { ...process.env, CNI_FAIRLEAD_STATE_DIR: STATE };
  const words = ['netns', 'exec', HOST, join(ROOT, 'dist/.node')];
  words.push('--no-warnings', join(ROOT, 'dist/fairlead.mjs'), 'dhcp', 'daemon');
  const child = start('ip', [...words, '-socketpath', SOCKET], env);
  await until(() => child.said.includes('listening'));
  return child;
}

/** What the server takes by itself, in ms: a DISCOVER and a REQUEST, from sending to the answer. */
async function served() {
  const script = fileURLToPath(new URL('./dhcp-probe.mjs', import.meta.url));
  const words = ['netns', 'exec', POD, process.execPath, '--no-warnings', script, String(TIMED)];
  return JSON.parse(execFileSync('ip', words, { encoding: 'utf8' }));
}

async function timed() {
  const times = [];
  for (let at = 0; at < TIMED; at++) {
    const begun_ms = performance.now();
    await call('ADD', `t${at}`);
    times.push(performance.now() - begun_ms);
  }
  for (let at = 0; at < TIMED; at++) await call('DEL', `t${at}`);
  return times;
}

/** What a call takes that only starts the program: VERSION. */
async function started() {
  const times = [];
  for (let at = 0; at < TIMED; at++) {
    const begun_ms = performance.now();
    await call('VERSION', 'v');
    times.push(performance.now() - begun_ms);
  }
  return times;
}

async function many() {
  for (let at = 0; at < LEASES; at += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => call('ADD', `m${at + i}`)));
  }
}

async function main() {
  symlinkSync(join(ROOT, 'dist/fairlead-native'), join(DIR, 'dhcp'));
  network();
  await serve();
  const idle = start(join(ROOT, 'dist/.node'), ['-e', 'setInterval(() => {}, 1e9)']);
  const idle_mb = await memory(idle.pid);
  const running = await daemon();
  const empty_mb = await memory(running.pid);
  const server_ms = median(await served());
  const start_ms = median(await started());
  const add_ms = median(await timed());
  await many();
  const full_mb = await memory(running.pid);
  const row = (what, value) => console.log(`${what.padEnd(52)} ${value}`);
  const size = ({ all, own }) => `${all.toFixed(1)} MB, ${own.toFixed(1)} MB its own`;
  row('an idle Node', size(idle_mb));
  row('the daemon without leases', size(empty_mb));
  row(`the daemon with ${LEASES} leases`, size(full_mb));
  row('the server itself, DISCOVER to ACK, median', `${server_ms.toFixed(2)} ms`);
  row('a call that only starts the plugin, median', `${start_ms.toFixed(2)} ms`);
  row('ADD of the plugin, median', `${add_ms.toFixed(2)} ms`);
}

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGTERM');
  await pause(300);
  for (const name of [HOST, POD]) ip('netns', 'del', name);
  for (const folder of [DIR, STATE]) rmSync(folder, { recursive: true, force: true });
}
