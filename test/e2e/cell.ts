// SPDX-License-Identifier: Apache-2.0
// A machine within the machine, for a client that keeps its state in fixed places: mount, network
// and process namespaces of its own, with /run, /var/lib and /dev/shm empty. It owns a temporary
// folder and the cgroups named after it. It knows no client, and changes nothing that the machine
// outside sees.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';

const CGROUPS = '/sys/fs/cgroup';
const COMMAND_LIMIT_MS = 30000;

// The first process waits on our pipe: when the test dies, however it dies, everything inside ends
// with it. Its pid is read before the new /proc is mounted, so that it is the one that the outside
// knows. The shell does not exec cat: it has to reap what daemons leave behind. It is the init of
// its machine, and is called so.
const FIRST_PROCESS = `
set -e
read -r pid rest < /proc/self/stat
mount -t proc proc /proc
printf init > /proc/self/comm
for dir in /run /var/lib /dev/shm; do mount -t tmpfs tmpfs $dir; done
ip link set lo up
echo $pid
cat
exit 0
`;

/** Removes a cgroup and those below it. Its files are the kernel's: only folders can be removed. */
function cgroupRemove(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) cgroupRemove(join(dir, entry.name));
  }
  rmdirSync(dir);
}

export class Cell {
  readonly folder = mkdtempSync(join(tmpdir(), 'fairlead-e2e-'));
  /** A cgroup parent for the client, in every hierarchy; removed with the cell. */
  readonly cgroup = `/${basename(this.folder)}`;
  private readonly first: ChildProcess;
  private readonly ended: Promise<unknown>;
  private pid = '';

  private constructor() {
    const own = ['--mount', '--net', '--pid', '--fork', '--kill-child'];
    this.first = spawn('unshare', [...own, 'sh', '-c', FIRST_PROCESS], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.ended = once(this.first, 'close');
  }

  static async open(): Promise<Cell> {
    const cell = new Cell();
    try {
      await Promise.race([cell.ready(), cell.ended]);
      if (cell.pid === '') throw new Error('the namespaces of the test could not be made');
      return cell;
    } catch (error) {
      await cell.close();
      throw error;
    }
  }

  private async ready(): Promise<void> {
    for await (const chunk of this.first.stdout!) {
      this.pid += chunk;
      if (this.pid.endsWith('\n')) break;
    }
    this.pid = this.pid.trim();
  }

  /** Runs a command inside and gives its standard output; rejects with its standard error. */
  async run(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const options = { env, stdin: 'ignore', timeout: COMMAND_LIMIT_MS } as const;
    return (await execa('nsenter', [...this.enter(), ...command], options)).stdout;
  }

  private enter(): readonly string[] {
    return ['--target', this.pid, '--mount', '--net', '--pid', '--'];
  }

  /** Runs a command inside to its end, whatever that is; rejects only when it takes too long. */
  async call(command: readonly string[], env: Record<string, string>, input: string) {
    const options = { env, input, reject: false, timeout: COMMAND_LIMIT_MS } as const;
    const done = await execa('nsenter', [...this.enter(), ...command], options);
    if (done.timedOut) throw new Error(`${command.join(' ')} did not end: ${done.stderr}`);
    return { code: done.exitCode, stdout: done.stdout, stderr: done.stderr };
  }

  /** Starts a daemon inside, its output in a file, and gives its pid there. */
  start(command: readonly string[], log: string): Promise<string> {
    const script = 'log=$1; shift; setsid "$@" >>"$log" 2>&1 </dev/null & echo $!';
    return this.run(['sh', '-c', script, 'start', log, ...command]);
  }

  /** The files below a folder inside, sorted, without the folder's own path. */
  async files(folder: string): Promise<string[]> {
    const found = `[ ! -d "$1" ] || find "$1" -mindepth 1 ! -type d -printf '%P\\n'`;
    const text = await this.run(['sh', '-c', found, 'files', folder]);
    return text.split('\n').filter(Boolean).sort();
  }

  async close(): Promise<void> {
    this.first.stdin!.end();
    await this.ended;
    const hierarchies = readdirSync(CGROUPS, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(CGROUPS, entry.name));
    for (const hierarchy of [CGROUPS, ...hierarchies]) {
      const dir = hierarchy + this.cgroup;
      if (existsSync(dir)) cgroupRemove(dir);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
