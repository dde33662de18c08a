// SPDX-License-Identifier: Apache-2.0
// A Linux kernel of its own for one command: Debian's user-mode-linux, a kernel that is an ordinary
// process, on this machine's files. It owns starting it, what is mounted in it, and getting exit
// code and output out. It refuses to let anything inside write to this machine's files but to the
// folder given for that: the root is mounted read-only, and memory lies over what must be writable.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { need, needsRoot } from '../support/needs.ts';

const MEMORY_MB = 1024;
const MODULES_DIR = '/usr/lib/uml/modules';
/** In the order that insmod needs: each after what it uses. */
const MODULES = [
  'lib/crc-ccitt',
  'net/llc/llc',
  'net/802/stp',
  'net/802/garp',
  'net/802/mrp',
  'net/8021q/8021q',
  'net/ipv6/ipv6',
  'net/bridge/bridge',
  'drivers/net/dummy',
  'drivers/net/ifb',
  'drivers/net/ipvlan/ipvlan',
  'drivers/net/macvlan',
  'drivers/net/veth',
  'net/sched/sch_tbf',
  'net/sched/sch_ingress',
  'net/sched/act_mirred',
  'net/sched/cls_u32',
  'drivers/net/vrf',
];
/**
 * What new namespaces and links take over: an address is found to be no duplicate after 50 ms, not
 * after up to two seconds, most of which a test would wait.
 */
const SYSCTLS = [
  ['net/core/devconf_inherit_init_net', 1],
  ['net/ipv6/conf/default/router_solicitation_delay', 0],
  ['net/ipv6/neigh/default/retrans_time_ms', 50],
] as const;
/** Folders that programs write to: empty inside. */
const MEMORY_DIRS = ['/run', '/var/lib', '/tmp'];
/** user-mode-linux exists for the x86 family only. */
const ARCHITECTURES = ['x64', 'ia32'];

function pathOf(command: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, command)).find((path) => existsSync(path));
}

function missing(): string {
  if (needsRoot !== '') return needsRoot;
  if (!ARCHITECTURES.includes(process.arch)) return `no user-mode-linux for ${process.arch}`;
  const found = pathOf('linux') !== undefined && existsSync(MODULES_DIR);
  return (
    need(found, 'needs the package user-mode-linux') ||
    need(pathOf('busybox') !== undefined, 'needs the package busybox-static')
  );
}

/** "" when the kernel is wanted and can be started, else why not. */
export const needsUml = missing();

export interface UmlCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The one folder of this machine that the command may write to; without white space. */
  readonly folder: string;
  readonly limit_s: number;
  /** Modules beside the usual ones, in the order that insmod needs. */
  readonly modules?: readonly string[];
  /** Devices of the kernel, in its own words. */
  readonly devices?: readonly string[];
}

export interface UmlOutcome {
  readonly exit_code: number;
  /** What the command wrote, both streams. */
  readonly output: string;
}

/**
 * Words before the kernel's: its processes hand over to each other at every system call, which is
 * soon done on one processor and takes much longer otherwise. Only where this machine permits it.
 */
function placed(): string[] {
  const processors = availableParallelism();
  const number = Number(process.env['VITEST_POOL_ID'] ?? 0) % processors;
  const pinned = ['taskset', '--cpu-list', String(number)];
  return spawnSync('taskset', [...pinned.slice(1), 'true']).status === 0 ? pinned : [];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What the kernel runs first and only; when it ends, so does the kernel. */
function initScript({ argv, env, cwd, folder, modules: more = [] }: UmlCommand): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`);
  const modules = [...MODULES, ...more].map((name) => quoted(`kernel/${name}.ko`)).join(' ');
  const [there, here] = [quoted(folder), quoted(cwd)];
  return `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec </dev/null
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for dir in ${MEMORY_DIRS.join(' ')}; do mount -t tmpfs tmpfs "$dir"; done
# What the memory hides: the checkout, if it lay there, and the folder for answers.
[ -d ${here} ] || { mkdir -p ${here} && mount -t hostfs -o ro,${here} none ${here}; }
mkdir -p ${there}; mount -t hostfs -o ${there} none ${there}
cd ${MODULES_DIR}/"$(uname -r)" && for module in ${modules}; do busybox insmod "$module"; done
ip link set lo up
${SYSCTLS.map(([key, value]) => `echo ${value} >/proc/sys/${key}`).join('\n')}
${exports.join('\n')}
cd ${here} && ${argv.map(quoted).join(' ')} >${there}/output 2>&1
echo $? >${there}/exit_code
exec busybox poweroff -f
`;
}

/** A folder for the file that is the kernel's memory: /dev/shm is small in many containers. */
function memoryDir(folder: string): string {
  if (!existsSync('/dev/shm')) return folder;
  const { bavail, bsize } = statfsSync('/dev/shm');
  return bavail * bsize > MEMORY_MB * 2 ** 20 ? '/dev/shm' : folder;
}

const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Runs a command as root in a kernel of its own, for at most `limit_s`. */
export function runInUml(command: UmlCommand): Promise<UmlOutcome> {
  const { folder, limit_s } = command;
  const init = join(folder, 'init');
  writeFileSync(init, initScript(command), { mode: 0o755 });
  const kernel = [
    ...['linux', `mem=${MEMORY_MB}M`, `uml_dir=${folder}/`, 'umid=kernel', 'quiet'],
    ...['rootfstype=hostfs', 'rootflags=/', 'ro', `init=${init}`],
    ...['con=null', 'con0=null,fd:1', 'ssl=null'],
    ...(command.devices ?? []),
  ];
  // The kernel is several processes, in a session of its own: they end with their PID namespace.
  // timeout ends that, even when this process is gone by then.
  const together = ['unshare', '--pid', '--fork', '--kill-child'];
  const argv = ['--signal=KILL', String(limit_s), ...placed(), ...together, ...kernel];
  const env = { PATH: process.env['PATH'], HOME: folder, TMPDIR: memoryDir(folder) };
  return new Promise((resolve, reject) => {
    execFile('timeout', argv, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const output = read(join(folder, 'output'));
      const code = read(join(folder, 'exit_code')).trim();
      if (code !== '') return resolve({ exit_code: Number(code), output });
      const why = error ? error.message : 'it powered off';
      const said = `${stdout}${stderr}\n${output}`;
      reject(new Error(`no exit code from the kernel within ${limit_s} s: ${why}\n${said}`));
    });
  });
}
