// SPDX-License-Identifier: Apache-2.0
// The node of the demo: the namespaces this process was started in, with a pod for each letter, a
// machine outside, and plugins that are called as a runtime calls them. It prints and judges
// nothing.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../setup.mjs';

export const REFERENCE_DIR = '/usr/lib/cni';
const BIN = '/run/demo-bin';
const OUTSIDE = { node: '192.0.2.1/24', beyond: '192.0.2.2/24' };
const ANSWER = 'hello from the pod';
/** How long the machine outside waits for an answer. */
const PATIENCE_MS = 700;
const LISTEN_MS = 3000;
const POLL_MS = 20;

const NAP = new Int32Array(new SharedArrayBuffer(4));
const sleep = (duration_ms) => Atomics.wait(NAP, 0, 0, duration_ms);
const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' });
const lines = (text) => text.split('\n').filter((line) => line.trim() !== '');
const squeezed = (line) => line.replaceAll(/\s+/g, ' ').trim();

/** The environment of a call, as a container runtime sets it. */
const cniEnv = (command, pod, path) => ({
  CNI_COMMAND: command,
  CNI_CONTAINERID: `demo-pod-${pod}`,
  CNI_NETNS: `/run/netns/${pod}`,
  CNI_IFNAME: 'eth0',
  CNI_PATH: path,
  PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
});

/** Makes the pods and the machine outside; `program` is what serves the types. */
export function makeNode(program, pods) {
  mkdirSync(BIN);
  mkdirSync('/run/netns', { recursive: true });
  for (const type of ['fairlead', 'bridge'])
    symlinkSync(join(ROOT, 'dist', program), join(BIN, type));
  for (const name of [...pods, 'outside']) run('ip', 'netns', 'add', name);
  run('ip', 'link', 'set', 'lo', 'up');
  run('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1', 'netns', 'outside');
  run('ip', 'addr', 'add', OUTSIDE.node, 'dev', 'up0');
  run('ip', 'link', 'set', 'up0', 'up');
  run('ip', '-n', 'outside', 'addr', 'add', OUTSIDE.beyond, 'dev', 'up1');
  run('ip', '-n', 'outside', 'link', 'set', 'up1', 'up');
}

/** One call of a program, timed from its start to its end. */
function call(path, command, pod, stdin, bin) {
  const start_ms = performance.now();
  const env = cniEnv(command, pod, bin);
  const ended = spawnSync(path, { env, input: JSON.stringify(stdin), encoding: 'utf8' });
  const duration_ms = performance.now() - start_ms;
  if (ended.error) throw ended.error;
  return { exit_code: ended.status ?? 1, stdout: ended.stdout, duration_ms };
}

/** The stdin of one plugin of a list (spec 1.1.0 section 4). */
const stdinOf = ({ cniVersion, name }, plugin, prevResult) => {
  const { capabilities = {}, ...own } = plugin;
  const asked = 'portMappings' in capabilities ? { portMappings: plugin.ports } : undefined;
  const { ports: _, ...config } = own;
  return { cniVersion, name, ...config, capabilities, runtimeConfig: asked, prevResult };
};

/** A list as one plugin of ours; ADD gives its result, DEL and CHECK take it. */
export function fairlead(command, pod, list, prevResult) {
  const [only] = list.plugins;
  return call(join(BIN, 'fairlead'), command, pod, stdinOf(list, only, prevResult), BIN);
}

/** The same list by the reference plugins, one after the other as libcni has it. */
export function reference(command, pod, list, result) {
  const plugins = command === 'DEL' ? list.plugins.toReversed() : list.plugins;
  let answer = { exit_code: 0, stdout: JSON.stringify(result ?? null), duration_ms: 0 };
  let duration_ms = 0;
  for (const plugin of plugins) {
    const last = command === 'ADD' ? JSON.parse(answer.stdout) : result;
    const stdin = stdinOf(list, plugin, last ?? undefined);
    answer = call(join(REFERENCE_DIR, plugin.type), command, pod, stdin, REFERENCE_DIR);
    duration_ms += answer.duration_ms;
    if (answer.exit_code !== 0) break;
  }
  return { ...answer, duration_ms };
}

export const hasReference = () => existsSync(join(REFERENCE_DIR, 'bridge'));

/** An ADD by a process that dies by SIGKILL before its n-th operation. */
export function killed(pod, list, n) {
  const stdin = stdinOf(list, list.plugins[0]);
  const orders = JSON.stringify({ type: 'fairlead', env: cniEnv('ADD', pod, BIN), stdin, n });
  const script = join(ROOT, 'scripts/demo/killed.mjs');
  const args = ['--experimental-ffi', '--no-warnings', script, orders];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).signal === 'SIGKILL';
}

/** `fairlead repair`. */
export const repair = () => run(join(ROOT, 'dist/fairlead'), 'repair').trim();

export const flush = () => run('nft', 'flush', 'ruleset');
export const hasNft = () => spawnSync('nft', ['list', 'tables']).status === 0;

/** All that a call may change: links, addresses, routes, sysctls, elements of nftables, files. */
export function state(pods) {
  const of = (netns) => {
    const ip = (...args) => lines(run('ip', ...(netns === '' ? [] : ['-n', netns]), ...args));
    return [...ip('-brief', 'addr'), ...ip('route'), ...ip('-6', 'route')].map(squeezed);
  };
  const files = ['/run/fairlead/attachments', '/var/lib/cni/networks'].flatMap((dir) =>
    existsSync(dir)
      ? readdirSync(dir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [],
  );
  const elements = hasNft() ? [...run('nft', 'list', 'ruleset').matchAll(/demo-pod-\w+/g)] : [];
  return [
    ...['', ...pods].flatMap((netns) => of(netns).map((line) => `${netns || 'node'}: ${line}`)),
    `forwarding ${readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim()}`,
    // Where to go on with addresses is kept, and taken by nobody.
    ...files.filter((name) => !/last_reserved|lock$/.test(name)).map((name) => `file ${name}`),
    ...elements.map(([owner]) => `nftables element of ${owner}`),
  ].toSorted();
}

const EXEC = (netns, ...command) => ['ip', ['netns', 'exec', netns, ...command]];

/** Whether a pod gets an answer to a ping. */
export function pings(pod, address) {
  const [program, args] = EXEC(pod, 'ping', '-n', '-c', '1', '-W', '2', address);
  return spawnSync(program, args).status === 0;
}

/** Starts a server on a TCP port of a pod; gives what ends it. */
export function listen(pod, port) {
  const code =
    `require('node:net').createServer((socket) => socket.end(${JSON.stringify(ANSWER)}))` +
    `.listen(${port}, '0.0.0.0')`;
  const [program, args] = EXEC(pod, process.execPath, '-e', code);
  const child = spawn(program, args, { stdio: 'ignore' });
  const listening = () => run('ip', 'netns', 'exec', pod, 'cat', '/proc/net/tcp').includes(' 0A ');
  for (let waited_ms = 0; !listening() && waited_ms < LISTEN_MS; waited_ms += POLL_MS)
    sleep(POLL_MS);
  return () => child.kill('SIGKILL');
}

/** Whether the machine outside gets the pod's answer at a port of the node. */
export function answers(port) {
  const [node] = OUTSIDE.node.split('/');
  const code =
    `const socket = require('node:net').connect(${port}, '${node}');` +
    `socket.on('data', (data) => process.exit(data == '${ANSWER}' ? 0 : 1));` +
    `socket.on('error', () => process.exit(1));` +
    `setTimeout(() => process.exit(1), ${PATIENCE_MS});`;
  const [program, args] = EXEC('outside', process.execPath, '-e', code);
  return spawnSync(program, args).status === 0;
}
