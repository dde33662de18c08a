// SPDX-License-Identifier: Apache-2.0
// Debian's kernel in qemu, on this machine's files. It owns starting and ending it and what is
// mounted in it; jobs.ts owns what it does. It refuses to let anything inside write to this
// machine's files but to the folder given for that: the root is read-only, and what is written
// elsewhere lies in memory. There is no network card: no packet leaves it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { portWords, takeJobs } from './jobs.ts';
import { type Kernel, modulesOf, ROOT } from './kernel.ts';

const MEMORY_MB = 2048;
const CPUS = 2;
const NICE = 10;
const MODULES = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];
const PEEK_MS = 500;
/** A processor within a processor may be there and not work: then there is no sign of life. */
const KVM_PATIENCE_MS = 30_000;
/** Until the kernel, without a processor of its own, takes jobs. */
const PATIENCE_MS = 1_800_000;
/** Folders that programs write to: empty inside. */
const MEMORY_DIRS = ['/run', '/var/lib', '/tmp'];
const KVM = ['-accel', 'kvm', '-cpu', 'host'];
const TCG = ['-accel', 'tcg,thread=multi', '-cpu', 'max'];
/** Where the whole machine lies inside, for what memory hides. */
const MACHINE = '/.machine';

/** Of the initial files: mounts the machine below a layer of memory and goes there. */
function firstScript(folder: string): string {
  const mount = 'busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000';
  return `#!/bin/busybox sh
export PATH=/bin
for module in /modules/*; do busybox insmod "$module"; done
${mount},ro,cache=loose machine /machine
busybox mount -t tmpfs memory /memory
busybox mkdir /memory/upper /memory/work
busybox mount -t overlay -o lowerdir=/machine,upperdir=/memory/upper,workdir=/memory/work all /new
busybox mkdir -p /new${MACHINE} /new/.answers /new/.modules
busybox mount --bind /machine /new${MACHINE}
${mount} answers /new/.answers
${mount},ro,cache=loose modules /new/.modules
exec busybox switch_root /new ${MACHINE}${folder}/init
`;
}

/** What runs then, and only. */
function initScript(folder: string): string {
  return `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec </dev/null
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /lib/modules
mount -t tmpfs tmpfs /dev/shm
mount --bind /.modules /lib/modules
for dir in ${MEMORY_DIRS.join(' ')}; do mount -t tmpfs tmpfs "$dir"; done
# What the memory hides: the checkout, if it lay there, and the folder of jobs.
[ -d "${ROOT}" ] || { mkdir -p "${ROOT}" && mount --bind "${MACHINE}${ROOT}" "${ROOT}"; }
mkdir -p ${folder}; mount --bind /.answers ${folder}
ip link set lo up
${takeJobs(folder)}`;
}

/** Packs the initial files. */
function packInitial(kernel: Kernel, folder: string): void {
  const root = join(folder, 'initial');
  for (const dir of ['bin', 'modules', 'machine', 'memory', 'new']) {
    mkdirSync(join(root, dir), { recursive: true });
  }
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  copyFileSync(busybox, join(root, 'bin/busybox'));
  modulesOf(kernel, MODULES).forEach((path, index) => {
    copyFileSync(
      path,
      join(root, 'modules', `${String(index).padStart(2, '0')}-${basename(path)}`),
    );
  });
  writeFileSync(join(root, 'init'), firstScript(folder), { mode: 0o755 });
  const pack = 'find . | busybox cpio -o -H newc 2>/dev/null >../initrd';
  execFileSync('sh', ['-ec', pack], { cwd: root });
}

function qemuWords(kernel: Kernel, folder: string, accelerator: readonly string[]): string[] {
  const share = (path: string, tag: string, writable = false): string[] => [
    '-virtfs',
    `local,path=${path},mount_tag=${tag},security_model=passthrough,multidevs=remap` +
      (writable ? '' : ',readonly=on'),
  ];
  return [
    ...['qemu-system-x86_64', ...accelerator, '-smp', `${CPUS}`, '-m', `${MEMORY_MB}`],
    ...['-kernel', kernel.image, '-initrd', join(folder, 'initrd')],
    ...['-append', 'console=ttyS0 loglevel=5 panic=-1', '-no-reboot', '-nodefaults'],
    ...['-display', 'none', '-monitor', 'none', '-serial', `file:${join(folder, 'console')}`],
    ...portWords(folder),
    ...share('/', 'machine'),
    ...share(folder, 'answers', true),
    ...share(join(kernel.base, 'lib/modules'), 'modules'),
  ];
}

const consoleOf = (folder: string): string => readFileSync(join(folder, 'console'), 'utf8');

/** What the kernel said of faults of its own. */
export function complaints(folder: string): string[] {
  return consoleOf(folder)
    .split(/\r?\n/)
    .filter((line) => /\b(WARNING: CPU|BUG: |Oops|general protection)/.test(line));
}

function start(words: readonly string[]): ChildProcess {
  // It is this very process that ends when ours does, however that ends.
  const before = ['--pdeathsig', 'KILL', 'nice', '-n', `${NICE}`];
  return spawn('setpriv', [...before, ...words], { stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Waits for a sign of life; false when there was none in time, or qemu ended. */
async function lives(child: ChildProcess, folder: string, patience_ms: number): Promise<boolean> {
  const until_ms = Date.now() + patience_ms;
  while (child.exitCode === null && Date.now() < until_ms) {
    if (existsSync(join(folder, 'alive'))) return true;
    await sleep(PEEK_MS);
  }
  return false;
}

/**
 * Starts the kernel, and gives its process once it takes jobs. `say` is told how its processor is
 * made.
 */
export async function startQemu(
  kernel: Kernel,
  folder: string,
  say: (line: string) => void,
): Promise<ChildProcess> {
  packInitial(kernel, folder);
  writeFileSync(join(folder, 'init'), initScript(folder), { mode: 0o755 });
  const ways: readonly (readonly [readonly string[], number])[] = [
    ...(existsSync('/dev/kvm') ? [[KVM, KVM_PATIENCE_MS] as const] : []),
    [TCG, PATIENCE_MS],
  ];
  for (const [way, patience_ms] of ways) {
    say(`starting Linux ${kernel.release} in qemu, ${way[1]}`);
    const child = start(qemuWords(kernel, folder, way));
    if (await lives(child, folder, patience_ms)) return child;
    child.kill('SIGKILL');
    say(`no sign of life within ${patience_ms / 1000} s`);
  }
  throw new Error(`the kernel does not start\n${consoleOf(folder)}`);
}
