// SPDX-License-Identifier: Apache-2.0
// A network with a DHCP server (dnsmasq), a DHCP daemon, and pods on a bridge, all in namespaces
// and folders of the test. It calls plugins as a runtime does; what comes of it the tests say.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Called, Lab } from '../support/lab.ts';
import { outputOf } from '../support/shell.ts';
import { distPath } from '../support/wasm.ts';

export const SERVER = '10.9.0.1';
export const SERVER6 = 'fd09::1';
const TYPES = ['dhcp', 'bridge', 'macvlan', 'ipvlan', 'vlan', 'host-device'];
const WAIT_MS = 20_000;
const PAUSE_MS = 20;

const pause = (duration_ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, duration_ms));

/** Waits until something holds; throws with `what` when it does not in time. */
export async function until(what: string, holds: () => boolean, wait_ms = WAIT_MS): Promise<void> {
  for (const end_ms = Date.now() + wait_ms; !holds(); ) {
    if (Date.now() > end_ms) throw new Error(`in vain: ${what}`);
    await pause(PAUSE_MS);
  }
}

/** Ends a process and waits for it. */
async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const over = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.kill(signal);
  return over;
}

export interface Result {
  readonly ips: readonly { readonly address: string; readonly gateway?: string }[];
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
  readonly dns?: { readonly nameservers?: readonly string[] };
}

export class Net {
  readonly dir = mkdtempSync(join(tmpdir(), 'fairlead-dhcp-'));
  readonly socket = join(this.dir, 'cni/dhcp.sock');
  readonly lab: Lab;
  readonly #host: string;
  #server: ChildProcess | undefined;
  #daemon: ChildProcess | undefined;
  /** What the daemon said. */
  log = '';

  /** With `links` the pods have an eth0 on the bridge; else their main plugin makes it. */
  constructor(pod_count: number, links = true) {
    this.lab = new Lab(pod_count);
    this.#host = `${this.lab.prefix}host`;
    mkdirSync(join(this.dir, 'bin'));
    for (const type of TYPES) {
      symlinkSync(distPath('fairlead-native'), join(this.dir, 'bin', type));
    }
    const lines = ['link set lo up', 'link add br0 type bridge', `addr add ${SERVER}/16 dev br0`];
    lines.push(`addr add ${SERVER6}/64 dev br0 nodad`);
    lines.push('link set br0 address 02:00:00:00:00:01', 'link set br0 up');
    if (links) {
      this.lab.pods.forEach((pod, at) => {
        lines.push(`link add v${at} type veth peer name eth0 netns ${this.lab.prefix}${pod}`);
        lines.push(`link set v${at} master br0 up`);
      });
    }
    this.make(...lines);
  }

  /** Makes links and addresses in the host's namespace: lines of ip. */
  make(...lines: string[]): void {
    outputOf(['ip', '-n', this.#host, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  }

  inHost(...words: string[]): string[] {
    return ['netns', 'exec', this.#host, ...words];
  }
  inPod(pod: string, ...words: string[]): string {
    return outputOf(['ip', 'netns', 'exec', `${this.lab.prefix}${pod}`, ...words]);
  }

  /** Starts the server; `range` is FIRST,LAST,MASK,TIME. */
  async serve(range: string, ...more: string[]): Promise<void> {
    const words = ['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0'];
    words.push('--interface=br0', '--bind-interfaces', `--dhcp-range=${range}`, '--no-ping');
    words.push(`--dhcp-leasefile=${this.dir}/leases`, `--pid-file=${this.dir}/dnsmasq.pid`);
    words.push(`--log-facility=${this.dir}/dnsmasq.log`, '--log-dhcp', ...more);
    rmSync(`${this.dir}/dnsmasq.pid`, { force: true });
    this.#server = spawn('ip', this.inHost(...words), { stdio: 'inherit' });
    await until('dnsmasq starts', () => existsSync(`${this.dir}/dnsmasq.pid`));
    await pause(50);
  }
  /** Starts another server, which gives leases of seconds and knows pods by their MAC. */
  async serveBriefly(first: string, last: string, lease_s: number): Promise<void> {
    const conf = [`start ${first}`, `end ${last}`, 'interface br0', 'min_lease 1', 'auto_time 0'];
    conf.push(`lease_file ${this.dir}/brief`, `pidfile ${this.dir}/brief.pid`);
    conf.push('option subnet 255.255.0.0', `option router ${SERVER}`, `option lease ${lease_s}`);
    writeFileSync(`${this.dir}/brief.conf`, `${conf.join('\n')}\n`);
    writeFileSync(`${this.dir}/brief`, '', { flag: 'a' });
    const words = ['busybox', 'udhcpd', '-f', '-a', '10', `${this.dir}/brief.conf`];
    const child = spawn('ip', this.inHost(...words), { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (chunk: Buffer) => {
      this.said += chunk;
    });
    this.#server = child;
    const before = this.said.length;
    await until('udhcpd starts', () => this.said.indexOf('started', before) >= 0);
  }
  /** What that server said. */
  said = '';
  async stopServer(): Promise<void> {
    if (this.#server !== undefined) await ended(this.#server, 'SIGTERM');
    this.#server = undefined;
  }
  /** Leases by address: the client id. */
  leases(): ReadonlyMap<string, string> {
    const text = existsSync(`${this.dir}/leases`) ? readFileSync(`${this.dir}/leases`, 'utf8') : '';
    const rows = text.split('\n').map((line) => line.split(' '));
    return new Map(rows.flatMap(([, , ip, , id]) => (ip ? [[ip, id ?? '']] : [])));
  }
  /** Which messages came and went, such as DHCPACK, of an address or text. */
  served(word: string, about = ''): number {
    const text = readFileSync(`${this.dir}/dnsmasq.log`, 'utf8');
    return text.split('\n').filter((line) => line.includes(`${word}(`) && line.includes(about))
      .length;
  }

  /** Starts a daemon: ours, or that of the reference plugins; `at` is where its socket is then. */
  async daemon(
    flags: string[] = [],
    program: string[] = this.ours(),
    at = this.socket,
  ): Promise<void> {
    const words = [...program, 'daemon', '-socketpath', this.socket, ...flags];
    const child = this.#started(words, []);
    await until('the daemon listens', () => existsSync(at) || child.exitCode !== null);
  }
  /** Starts ours as systemd does: with the socket open, under the number 3. */
  async activated(flags: string[] = []): Promise<void> {
    mkdirSync(dirname(this.socket), { recursive: true });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(`${this.socket}.made`, resolve));
    // As it closes its own name goes.
    renameSync(`${this.socket}.made`, this.socket);
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const shell = ['sh', '-c', 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', 'sh'];
    this.#started([...shell, ...this.ours(), 'daemon', ...flags], [fd]);
    server.close();
    await until('the daemon listens', () => this.log.includes('listening'));
  }
  #started(words: string[], fds: number[]): ChildProcess {
    const env = { ...process.env, CNI_FAIRLEAD_STATE_DIR: join(this.dir, 'state') };
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ...fds];
    const child = spawn('ip', this.inHost(...words), { env, stdio });
    this.#daemon = child;
    const heard = (chunk: Buffer): void => {
      this.log += chunk;
    };
    child.stderr?.on('data', heard);
    child.stdout?.on('data', heard);
    return child;
  }
  ours(): string[] {
    return [process.execPath, '--no-warnings', distPath('fairlead.mjs'), 'dhcp'];
  }
  get daemonCode(): number | null | undefined {
    return this.#daemon?.exitCode;
  }
  get daemonPid(): number {
    return this.#daemon?.pid ?? 0;
  }
  async stopDaemon(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const code = this.#daemon === undefined ? null : await ended(this.#daemon, signal);
    this.#daemon = undefined;
    return code;
  }

  config(ipam: object = {}, more: object = {}): object {
    const dhcp = { type: 'dhcp', daemonSocketPath: this.socket, ...ipam };
    return { cniVersion: '1.0.0', name: 'net', type: 'bridge', bridge: 'br0', ...more, ipam: dhcp };
  }
  /** One call of a plugin, `dhcp` alone unless it says another. */
  call(command: string, pod: string, config = this.config(), path = this.program('dhcp')) {
    const state = `CNI_FAIRLEAD_STATE_DIR=${join(this.dir, 'state')}`;
    return this.lab.call(path, command, pod, config, ['env', state]);
  }
  program(type: string): string {
    return join(this.dir, 'bin', type);
  }
  async add(pod: string, config = this.config(), path?: string): Promise<Result> {
    return JSON.parse((await succeeded(this.call('ADD', pod, config, path))).stdout);
  }
  async del(pod: string, config = this.config(), path?: string): Promise<void> {
    await succeeded(this.call('DEL', pod, config, path));
  }

  async close(): Promise<void> {
    await this.stopDaemon();
    await this.stopServer();
    this.lab.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

async function succeeded(call: Promise<Called>): Promise<Called> {
  const called = await call;
  if (called.code !== 0) throw new Error(called.stdout);
  return called;
}

/** The address of a result without its prefix length. */
export const addressOf = ({ ips }: Result): string => ips[0]?.address.split('/')[0] ?? '';
