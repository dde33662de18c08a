// SPDX-License-Identifier: Apache-2.0
// Makes a fresh clone ready: the npm packages (Node 26 among them) and, as root, Debian packages.
// It runs under whatever Node started it (20 or newer), so it and what it loads use no package.
// It refuses to be in the way: without root or apt-get it says what is missing and goes on, and
// when all is there it says nothing.
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { constants as system } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Progress } from '../tools/progress.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const MULTIARCH = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';

/** What takes hours, and is asked for by its name alone. */
const APART = 'qemu';

/**
 * Debian packages. A package counts as there when the file it is needed for is (`provides`, a
 * program or a path), so that another distribution's package of another name does as well. One with
 * `architectures` exists on those only; an `optional` one not in every distribution, so it is
 * installed apart: apt-get installs nothing at all when it does not know one of the names.
 */
export const PACKAGES = [
  {
    package: 'libatomic1',
    provides: `/usr/lib/${MULTIARCH}/libatomic.so.1`,
    why: 'Node 26 is linked to it',
    needed_for: ['install', 'demo', 'test', 'bench', 'check'],
  },
  {
    package: 'iproute2',
    provides: 'ip',
    why: 'ip makes the network namespaces and is asked what lies in them',
    needed_for: ['demo', 'test', 'bench'],
  },
  {
    package: 'nftables',
    provides: 'nft',
    why: 'nft is asked what lies in the tables that Fairlead makes without it',
    needed_for: ['demo', 'test', 'bench'],
  },
  {
    package: 'go-md2man',
    provides: 'go-md2man',
    why: 'go-md2man makes the page of man(1) that a release has',
    needed_for: ['package', 'test'],
  },
  {
    package: 'zsh',
    provides: 'zsh',
    why: 'zsh reads its script of completion',
    needed_for: ['test'],
  },
  {
    package: 'fish',
    provides: 'fish',
    why: 'fish reads its script of completion',
    needed_for: ['test'],
  },
  {
    package: 'dnsmasq-base',
    provides: 'dnsmasq',
    why: 'dnsmasq is the server that leases of dhcp are tried with',
    needed_for: ['test', 'bench'],
  },
  {
    package: 'iptables',
    provides: 'iptables',
    why: 'the reference plugins execute it for masquerade, host ports and firewall',
    needed_for: ['demo', 'bench'],
  },
  {
    package: 'iptables',
    provides: 'iptables-nft',
    why: 'iptables makes the chains beside which the firewall must work, and the reference runs it',
    needed_for: ['test'],
  },
  {
    package: 'util-linux',
    provides: 'nsenter',
    why: 'nsenter and unshare start programs in namespaces of their own',
    needed_for: ['demo', 'bench'],
  },
  {
    package: 'binutils',
    provides: 'strip',
    why: 'strip makes the executable a fifth smaller; it works without, too',
    needed_for: ['install', 'demo', 'test', 'bench'],
  },
  {
    package: 'gcc',
    provides: 'gcc',
    why: 'gcc compiles the native host',
    needed_for: ['install', 'demo', 'test', 'bench'],
  },
  {
    package: 'linux-libc-dev',
    provides: '/usr/include/linux/netlink.h',
    why: 'the native host speaks to the kernel in the words of its headers',
    needed_for: ['install', 'demo', 'test', 'bench'],
  },
  {
    package: 'musl-tools',
    provides: 'musl-gcc',
    why: 'the native host is linked with musl, so that it needs nothing on a node',
    needed_for: ['install', 'demo', 'test', 'bench'],
  },
  {
    package: 'wabt',
    provides: 'wasm2c',
    why: 'wasm2c translates the core to C for the native host',
    needed_for: ['install', 'demo', 'test', 'bench'],
  },
  {
    package: 'gcc-aarch64-linux-gnu',
    provides: 'aarch64-linux-gnu-gcc',
    why: 'it compiles the native host for arm64',
    needed_for: ['test'],
    architectures: ['x64'],
    optional: true,
  },
  {
    package: 'libc6-dev-arm64-cross',
    provides: '/usr/aarch64-linux-gnu/include/linux/netlink.h',
    why: "the kernel's headers for arm64",
    needed_for: ['test'],
    architectures: ['x64'],
    optional: true,
  },
  {
    package: 'qemu-user-static',
    provides: 'qemu-aarch64-static',
    why: 'qemu runs the native host for arm64',
    needed_for: ['test'],
    architectures: ['x64'],
    optional: true,
  },
  {
    package: 'iputils-ping',
    provides: 'ping',
    why: 'ping proves that a pod reaches its gateway and its neighbour',
    needed_for: ['demo', 'test'],
  },
  {
    package: 'containernetworking-plugins',
    provides: '/usr/lib/cni/bridge',
    why: 'the reference plugins, in a folder that no runtime looks into: what we are compared with',
    needed_for: ['demo', 'test', 'bench'],
  },
  {
    package: 'strace',
    provides: 'strace',
    why: 'strace counts the programs started and the files opened by one ADD',
    needed_for: ['test', 'bench'],
  },
  {
    package: 'time',
    provides: '/usr/bin/time',
    why: 'time tells the peak memory of a program, untouched by the size of its parent',
    needed_for: ['bench'],
  },
  {
    package: 'podman',
    provides: 'podman',
    why: 'podman wires real containers with our plugins',
    needed_for: ['test'],
  },
  {
    package: 'containerd',
    provides: 'containerd',
    why: 'containerd starts pods on our plugins, as it does for kubelet',
    needed_for: ['test'],
  },
  {
    package: 'runc',
    provides: 'runc',
    why: 'runc runs the containers of podman and containerd',
    needed_for: ['test'],
  },
  {
    package: 'etcd-server',
    provides: 'etcd',
    why: 'etcd is where agents learn of nodes',
    needed_for: ['test'],
  },
  {
    package: 'openssl',
    provides: 'openssl',
    why: 'openssl makes the certificates of a cluster that is spoken to by TLS',
    needed_for: ['test'],
  },
  {
    package: 'busybox-static',
    provides: 'busybox',
    why: 'busybox is all that is inside those containers, and gives leases of seconds (udhcpd)',
    needed_for: ['test'],
  },
  {
    package: 'python3-venv',
    provides: '/usr/share/doc/python3-venv',
    why: 'python3 runs the host that the examples have in Python, and installs wasmtime for it',
    needed_for: ['test'],
    optional: true,
  },
  {
    package: 'chromium',
    provides: 'chromium',
    why: 'chromium opens the page, which is clicked through',
    needed_for: ['test'],
    optional: true,
  },
  {
    package: 'user-mode-linux',
    provides: 'linux',
    why: 'linux is a kernel that filters VLANs, for machines whose own does not',
    needed_for: ['test'],
    architectures: ['x64', 'ia32'],
    optional: true,
  },
  {
    package: 'qemu-system-x86',
    provides: 'qemu-system-x86_64',
    why: "qemu is the machine that Debian's kernel runs on",
    needed_for: [APART],
    architectures: ['x64'],
  },
  {
    package: 'kmod',
    provides: 'modprobe',
    why: 'modprobe tells which modules of that kernel a module needs',
    needed_for: [APART],
    architectures: ['x64'],
  },
];

const say = (line) => console.log(`setup: ${line}`);

/** Where a program lies. Also looks where a user without root often does not. */
export function findProgram(name) {
  if (name.startsWith('/')) return existsSync(name) ? name : undefined;
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(runs);
}

function runs(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs a program to its end with this terminal; resolves to its exit code. Signals are handed on,
 * so that the caller always gets to clean up after it. `progress` names what takes long.
 */
export function run(program, args, { env = process.env, progress = '' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
    const telling = new Progress('setup');
    if (progress !== '') telling.start(progress);
    const hand_on = (signal) => child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, hand_on);
    const ended = () => {
      if (progress !== '') telling.end(progress);
      for (const signal of SIGNALS) process.off(signal, hand_on);
    };
    child.on('error', (error) => {
      ended();
      reject(error);
    });
    child.on('close', (code, signal) => {
      ended();
      resolve(code ?? 128 + system.signals[signal]);
    });
  });
}

/** Whether npm installed what the lock file says: npm writes its own lock file last. */
function npmIsDone() {
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  return statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}

async function setupNpm() {
  if (npmIsDone()) return;
  say('npm ci: the compiler, the bundler, the test runner and Node 26 (some 250 MB, once)');
  const code = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    progress: 'npm ci',
  });
  if (code !== 0) throw new Error(`npm ci failed with exit code ${code}`);
}

async function aptGet(args, progress) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return (await run('apt-get', ['-qq', ...args], { env, progress })) === 0;
}

async function setupPackages(purpose) {
  const exists = ({ architectures }) => architectures?.includes(process.arch) ?? true;
  const wanted = PACKAGES.filter(
    ({ needed_for, ...row }) =>
      exists(row) &&
      (purpose === 'all' ? !needed_for.includes(APART) : needed_for.includes(purpose)),
  );
  const missing = wanted.filter((row) => findProgram(row.provides) === undefined);
  if (missing.length === 0) return;
  const root = process.getuid() === 0;
  const install = root && findProgram('apt-get') !== undefined;
  say(install ? 'installing Debian packages:' : 'not on this machine:');
  for (const row of missing) say(`  ${row.package.padEnd(28)} ${row.why}`);
  const names = missing.map((row) => row.package);
  if (!install) {
    const by_hand = root
      ? 'with its package manager'
      : `as root: apt-get install ${names.join(' ')}`;
    say(`what needs them is left out; to install them, ${by_hand}`);
    return;
  }
  await aptGet(['update'], 'apt-get update');
  const args = ['install', '-y', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0'];
  for (const optional of [false, true]) {
    const rows = missing.filter((row) => (row.optional ?? false) === optional);
    const list = rows.map((row) => row.package);
    if (list.length > 0 && !(await aptGet([...args, ...list], 'apt-get install'))) {
      say(`apt-get could not install ${list.join(', ')}; what needs that is left out`);
    }
  }
}

/** Installs what a purpose (`needed_for`, or 'all') needs and is not there yet. */
export async function setup(purpose = 'all') {
  await setupNpm();
  await setupPackages(purpose);
}

/** The path of Node 26. Only after setup(): it comes from node_modules. */
export function node26() {
  const path = join(ROOT, `node_modules/node-linux-${process.arch}/bin/node`);
  if (existsSync(path)) return path;
  const [major] = process.versions.node.split('.');
  if (Number(major) >= 26) return process.execPath;
  throw new Error(
    `Fairlead needs Node 26, and there is no npm package of it for ${process.platform} ` +
      `${process.arch} here: start this with a Node 26 of your own`,
  );
}

/**
 * Runs one of our scripts under Node 26; resolves to its exit code. `before` is a program and its
 * arguments to start it by, such as nsenter.
 */
export function runNode26(script, args = [], before = []) {
  const node = [node26(), '--experimental-ffi', '--no-warnings', join(ROOT, script), ...args];
  const [program, ...rest] = [...before, ...node];
  return run(program, rest);
}

/** Whether Node started this very file, and did not just import it. */
function isProgram() {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

if (isProgram()) {
  const purpose = process.argv[2] ?? 'all';
  const purposes = ['all', ...new Set(PACKAGES.flatMap((row) => row.needed_for))];
  if (!purposes.includes(purpose)) {
    say(`there is nothing to set up for "${purpose}": write one of ${purposes.join(', ')}`);
    process.exit(2);
  }
  await setup(purpose);
  say(`ready: ${execFileSync(node26(), ['--version'], { encoding: 'utf8' }).trim()}`);
}
