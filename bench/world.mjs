// SPDX-License-Identifier: Apache-2.0
// Where the bench runs: mount and network namespaces of its own, which the kernel takes away when
// the last process in them ends, however it ends. In them, a machine for each side: a namespace
// that stands for the host, with an uplink to one that stands for the world outside, and pods.
// It refuses to run in the namespaces of the node.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readlinkSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const NETNS_DIR = '/run/netns';
const STATE_DIR = '/var/lib/cni';
/**
 * What calls print, in memory, as a runtime's pipe is. On a disk the kernel begins to write such a
 * file out when it is closed, and whoever printed would pay for that.
 */
export const OUTPUTS = '/run/bench-outputs';

/** How a script is started in namespaces of its own. */
export const APART = ['unshare', '--net', '--mount', '--propagation', 'private'];

/** The namespaces of this process. */
export const namespacesHere = () =>
  ['net', 'mnt'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`));

/** Runs lines of `ip`, in one process. */
export function ip(lines) {
  execFileSync('ip', ['-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}

/**
 * Puts an empty /run and an empty /var/lib/cni over those of the node, for this process and what it
 * starts. `folder` is the bench's own.
 */
export function coverNode(folder, node) {
  if (namespacesHere().some((name) => node.includes(name))) {
    throw new Error(
      'these are the namespaces of the node: bench/run.mjs is started by npm run bench',
    );
  }
  mountMemory('/run');
  mkdirSync(NETNS_DIR);
  mkdirSync(OUTPUTS);
  const state = join(folder, 'cni');
  mkdirSync(state);
  if (existsSync(STATE_DIR)) execFileSync('mount', ['--bind', state, STATE_DIR]);
}

function mountMemory(path) {
  const options = 'mode=755,nr_inodes=0';
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'fairlead-bench', path]);
}

/** A folder for many files, gone at once with removeMemoryDir. */
export function makeMemoryDir(path) {
  mkdirSync(path);
  mountMemory(path);
}

export function removeMemoryDir(path) {
  execFileSync('umount', [path]);
  rmdirSync(path);
}

export const netnsPath = (name) => join(NETNS_DIR, name);

/** Makes pods, named pod0 and on; gives their paths. */
export function makePods(count, prefix = 'pod') {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  ip(names.map((name) => `netns add ${name}`));
  return names.map(netnsPath);
}

/** Addresses of a machine's uplink and of who answers beyond it. */
export const UPLINK = '192.0.2.1';
export const OUTSIDE = '192.0.2.2';

/** A device of a machine that nothing needs. */
export const SPARE = 'spare0';

/** A namespace for the host, and one outside that it reaches; the outside knows no pods. */
export function makeMachine(name) {
  const [host, out] = [`host-${name}`, `out-${name}`];
  ip([`netns add ${host}`, `netns add ${out}`]);
  ip([
    `link add up0 netns ${host} type veth peer name eth0 netns ${out}`,
    `link add ${SPARE} netns ${host} type veth peer name ${SPARE} netns ${out}`,
  ]);
  for (const [netns, link, address] of [
    [host, 'up0', UPLINK],
    [out, 'eth0', OUTSIDE],
  ]) {
    execFileSync('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
    execFileSync('ip', ['-n', netns, 'address', 'add', `${address}/24`, 'dev', link]);
    execFileSync('ip', ['-n', netns, 'link', 'set', link, 'up']);
  }
  return { name, host: netnsPath(host), out: netnsPath(out) };
}

export function removeNetns(names) {
  ip(names.map((name) => `netns del ${name}`));
}
