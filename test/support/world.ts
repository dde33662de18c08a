// Where a fixture runs: the simulated kernel, the real one through the Node host, the real one
// through the reference plugins. All three take the same text and give the same text back.
// Real worlds are made of namespaces and a folder of their own, and take them away again.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { BlockList } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Driver } from '../../host-node/abi.ts';
import { type Answer, performTask, serve } from '../../host-node/core.ts';
import { fileDriver, type StoreDriver } from '../../host-node/drivers/files.ts';
import { type RealOptions, realDriver } from '../../host-node/drivers/index.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { makeFlow } from './conntrack.ts';
import type { Outcome, Step } from './fixture.ts';
import { loadNft } from './nft.ts';
import { kernelText } from './oracle.ts';
import { distPath, wasmModule } from './wasm.ts';
import { rowOf } from './words.ts';

export const REFERENCE_DIR = '/usr/lib/cni';
export const isRoot = process.getuid?.() === 0;

export type Wrap = (driver: Driver) => Driver;
const asIs: Wrap = (driver) => driver;

export interface World {
  /** Serves one call; `wrap` may put a recorder or a fault around the driver. */
  run(step: Step, stdin: string, wrap?: Wrap): Outcome;
  dump(): string;
  /** Its files, for what the text leaves out. */
  readonly store: StoreDriver;
  close(): void;
}

/** Serves one call on a driver. */
export function serveOn(driver: Driver, step: Step, env: Step['env'], stdin: string): Answer {
  const around = {
    stdin: (limit_bytes: number) => Buffer.from(stdin).subarray(0, limit_bytes + 1),
    log: () => {},
    sleep,
  };
  return serve(wasmModule('core'), driver, { type: step.type, env }, around);
}

export function simulatedWorld(before: string): World {
  const driver = simulatedDriver(wasmModule('sim'), before);
  return {
    run: (step, stdin, wrap = asIs) => {
      const answer = serveOn(wrap(driver), step, step.env, stdin);
      return { ...answer, state: driver.dump() };
    },
    dump: () => driver.dump(),
    store: driver,
    close: () => {},
  };
}

function sleep(duration_ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
}

/** Whether a veth whose both ends are up is not operational yet. */
function lagging(text: string): boolean {
  const up = new Map<string, boolean>();
  const peers: [string, string][] = [];
  let ns = '';
  for (const line of text.split('\n')) {
    ns = /^netns (\S+)/.exec(line)?.[1] ?? ns;
    const veth = /^link (\S+) kind veth (up|down) .*operstate (\S+) .*peer (\S+)/.exec(line);
    if (!veth) continue;
    const [, name, flag, operstate, peer = ''] = veth;
    up.set(`${ns}/${name}`, flag === 'up');
    if (flag === 'up' && operstate !== 'up') peers.push([`${ns}/${name}`, peer]);
  }
  return peers.some(([, peer]) => up.get(peer) === true);
}

/**
 * An `addr add` that brings no route, when the text has other routes to its network by the link,
 * and not the one it would bring: ptp takes that away. Any other command as it is.
 */
function withoutRoute(command: string, batch: readonly string[]): string {
  const [, address = '', bits = '', dev] = /^addr add (\S+)\/(\d+) dev (\S+)/.exec(command) ?? [];
  if (dev === undefined) return command;
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const routes = batch.filter((line) => {
    const [, net = '', length] = /^(?:# )?route add (\S+)\/(\d+) /.exec(line) ?? [];
    if (length !== bits || net.includes(':') !== address.includes(':')) return false;
    const subnet = new BlockList();
    subnet.addSubnet(net, Number(bits), family);
    return subnet.check(address, family) && `${line} `.includes(` dev ${dev} `);
  });
  const replaced = routes.length > 0 && routes.every((line) => !line.startsWith('# '));
  return replaced ? `${command} noprefixroute` : command;
}

/** What follows a word of a line. */
function after(rest: readonly string[], word: string): string {
  return rest[rest.indexOf(word) + 1] ?? '';
}

/** `qdisc KIND HANDLE dev LINK …` as words of tc(8). */
function qdiscWords(rest: readonly string[]): string[] {
  const [kind = '', handle = ''] = rest;
  const dev = ['dev', after(rest, 'dev')];
  if (kind === 'ingress' || kind === 'clsact') return [...dev, kind];
  const root = [...dev, 'root', 'handle', handle, kind];
  if (kind !== 'tbf') return root;
  const rate = Number(after(rest, 'rate'));
  const burst = Math.round((rate * Number(after(rest, 'buffer')) * 64) / 1e9);
  return [...root, 'rate', `${rate * 8}bit`, 'burst', `${burst}b`, 'limit', after(rest, 'limit')];
}

/** `filter u32 dev LINK pref N [redirect LINK]` as words of tc(8). */
function filterWords(rest: readonly string[]): string[] {
  const head = [
    'dev',
    after(rest, 'dev'),
    'ingress',
    'protocol',
    'all',
    'pref',
    after(rest, 'pref'),
  ];
  const all = ['u32', 'match', 'u32', '0', '0', 'flowid', '1:1'];
  if (!rest.includes('redirect')) return [...head, ...all];
  return [
    ...head,
    ...all,
    'action',
    'mirred',
    'egress',
    'redirect',
    'dev',
    after(rest, 'redirect'),
  ];
}

/** The place of a command in a batch, behind those that it needs. */
function rankOf(command: string): number {
  // A gateway must be reachable before a route leads by it.
  if (/^route .* via /.test(command)) return 3;
  if (!command.startsWith('link ')) return 2;
  return command.includes(' master ') ? 1 : 0;
}

/** The path of a `file` line. */
const path = (line: string): string => line.split(' ')[1] ?? '';

let worlds = 0;

/** Namespaces and files on this machine, under names of their own. */
export class Ground {
  readonly root = mkdtempSync(join(tmpdir(), 'fairlead-'));
  readonly prefix = `fl${process.pid}x${++worlds}-`;
  readonly names: string[] = [];
  private readonly strays: string[] = [];
  private readonly programs: string[] = [];

  constructor(before: string) {
    mkdirSync(join(this.root, 'var/lib/cni'), { recursive: true });
    try {
      this.make(before);
    } catch (error) {
      this.close();
      throw error;
    }
  }
  private make(before: string): void {
    const lines = before.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of lines) {
      const name = /^netns (\S+)/.exec(line)?.[1];
      if (name === undefined) continue;
      this.netnsAdd(name);
    }
    let ns = '';
    const made = new Set<string>();
    const commands = new Map<string, string[]>();
    for (const line of lines) {
      const [word = '', ...rest] = line.split(' ');
      if (word === 'netns') ns = rest[0] ?? '';
      else if (word === 'file') this.file(line);
      else if (word === 'plugin') this.program(line);
      else if (word === 'conntrack') this.flows.push([ns, line]);
      else if (word === 'nft') this.rules.set(ns, [...(this.rules.get(ns) ?? []), line]);
      else this.say(commands, ns, word, rest, made);
    }
    for (const [name, batch] of commands) {
      batch.sort((a, b) => rankOf(a) - rankOf(b));
      const input = batch.map((line) => withoutRoute(line, batch)).join('\n');
      execFileSync('ip', ['-n', this.prefix + name, '-batch', '-'], { input });
    }
    for (const line of this.later) line();
    for (const [name, nft] of this.rules) loadNft(this.prefix + name, nft);
    for (const [name, line] of this.flows) makeFlow(this.prefix + name, line);
  }
  private readonly flows: [ns: string, line: string][] = [];
  private readonly later: (() => void)[] = [];
  private readonly rules = new Map<string, string[]>();

  /** One line of the text as `ip` words, in the order links, addresses, routes. */
  private say(
    commands: Map<string, string[]>,
    ns: string,
    word: string,
    rest: string[],
    made: Set<string>,
  ): void {
    const batch = commands.get(ns) ?? [];
    commands.set(ns, batch);
    const name = rest[0] ?? '';
    const value = (key: string): string | undefined => {
      const at = rest.indexOf(key);
      return at < 0 ? undefined : rest[at + 1];
    };
    if (word === 'addr')
      batch.push(`addr add ${rest.join(' ')}${name.includes(':') ? ' nodad' : ''}`);
    else if (word === 'rule') {
      // Only the option says the family, and a batch has one for all its lines.
      const family = (rest[1] ?? '').includes(':') ? '-6' : '-4';
      const args = ['rule', 'add', ...rest, 'priority', name].filter((_, at) => at !== 2);
      this.later.push(() => execFileSync('ip', ['-n', this.prefix + ns, family, ...args]));
    } else if (word === 'route') {
      const kernel = value('proto') === 'kernel';
      batch.push(`${kernel ? '# ' : ''}route add ${rest.join(' ')}`);
    } else if (word === 'vlan') {
      const args = ['vlan', 'add', 'vid', name, ...rest.slice(1)];
      this.later.push(() => execFileSync('bridge', ['-n', this.prefix + ns, ...args]));
    } else if (word === 'qdisc' || word === 'filter') {
      const args = word === 'qdisc' ? qdiscWords(rest) : filterWords(rest);
      this.later.push(() => execFileSync('tc', ['-n', this.prefix + ns, word, 'add', ...args]));
    } else if (word === 'sysctl') {
      const inside = ['netns', 'exec', this.prefix + ns, 'sysctl', '-qw', `${name}=${rest[1]}`];
      this.later.push(() => execFileSync('ip', inside));
    } else if (word === 'link') {
      const kind = rowOf(value('kind') ?? 'bridge');
      const peer = value('peer');
      const [peerNs = '', peerName = ''] = (peer ?? '').split('/');
      if (name !== 'lo' && !made.has(`${ns}/${name}`)) {
        const own = kind.fixed_address && value('address');
        const address = own ? `address ${own} ` : '';
        let add = `link add ${name} ${address}type ${value('kind') ?? 'bridge'}`;
        if (peer !== undefined) add += ` peer name ${peerName} netns ${this.prefix}${peerNs}`;
        for (const [flag, option] of Object.entries(kind.flags ?? {})) {
          if (rest.includes(flag)) add += ` ${option}`;
        }
        for (const option of kind.options ?? []) add += ` ${option} ${value(option)}`;
        batch.push(add);
        if (peer !== undefined) made.add(`${peerNs}/${peerName}`);
      }
      for (const key of ['address', 'mtu', 'txqlen', 'master']) {
        const given = value(key);
        const fixed = name === 'lo' || (key === 'address' && kind.fixed_address);
        if (!fixed && given !== undefined) batch.push(`link set ${name} ${key} ${given}`);
      }
      if (rest.includes('promisc')) batch.push(`link set ${name} promisc on`);
      if (rest.includes('allmulti')) batch.push(`link set ${name} allmulticast on`);
      if (rest.includes('up')) batch.push(`link set ${name} up`);
    }
  }
  /** A script that says what the line says, whatever it is asked. */
  private program(line: string): void {
    const [, path = '', code = '0', said = '""'] = /^plugin (\S+) (\d+) (.*)$/.exec(line) ?? [];
    const target = this.root + path;
    mkdirSync(dirname(target), { recursive: true });
    const quoted = String(JSON.parse(said)).replaceAll("'", "'\\''");
    writeFileSync(target, `#!/bin/sh\ncat >/dev/null\nprintf %s '${quoted}'\nexit ${code}\n`);
    chmodSync(target, 0o755);
    this.programs.push(line);
  }
  private file(line: string): void {
    const [, path = '', content = '""', old] = /^file (\S+) (.*?)( before-boot)?$/.exec(line) ?? [];
    const target = path.startsWith('/run/netns/') ? this.there(path) : this.root + path;
    if (path.startsWith('/run/netns/')) this.strays.push(target);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, JSON.parse(content), { mode: 0o600 });
    if (old !== undefined) utimesSync(target, 1, 1);
  }

  /** A text of the fixture in this machine's names. */
  there(text: string): string {
    return text.replaceAll('/run/netns/', `/run/netns/${this.prefix}`);
  }
  /** A text of this machine in the fixture's names. */
  back(text: string): string {
    return text.replaceAll(`/run/netns/${this.prefix}`, '/run/netns/').replaceAll(this.root, '');
  }
  env(step: Step): Record<string, string> {
    const entries = Object.entries(step.env).map(([key, value]) => [key, this.there(value)]);
    return Object.fromEntries(entries);
  }
  /** The state once links have settled: a carrier is told to the other end up to a second later. */
  dump(): string {
    let text = this.dumpNow();
    for (let tries = 0; tries < 40 && lagging(text); tries++) {
      sleep(50);
      text = this.dumpNow();
    }
    return text;
  }
  private dumpNow(): string {
    const names = Object.fromEntries(this.names.map((name) => [name, this.prefix + name]));
    const strays = this.strays.map((path) => `file ${path} ""\n`).join('');
    const text = kernelText(names, this.root);
    const at = text.search(/^file /m);
    const files = this.back(strays + (at < 0 ? '' : text.slice(at)));
    const paths = new Set(this.programs.map(path));
    const lines = files.split(/(?<=\n)/).filter((line) => !paths.has(path(line)));
    const sorted = lines.sort((a, b) => (path(a) < path(b) ? -1 : 1));
    const programs = this.programs.map((line) => `${line}\n`).sort();
    return [this.back(at < 0 ? text : text.slice(0, at)), ...programs, ...sorted].join('');
  }
  netnsAdd(name: string): void {
    execFileSync('ip', ['netns', 'add', this.prefix + name]);
    this.names.push(name);
  }
  netnsDel(name: string): void {
    const at = this.names.indexOf(name);
    if (at >= 0) this.names.splice(at, 1);
    execFileSync('ip', ['netns', 'del', this.prefix + name]);
  }
  /** New namespaces, an empty /run, and every other file as old as they get. */
  reboot(names: readonly string[]): void {
    for (const name of [...this.names]) this.netnsDel(name);
    rmSync(join(this.root, 'run'), { recursive: true, force: true });
    for (const entry of readdirSync(this.root, { withFileTypes: true, recursive: true })) {
      if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), 1, 1);
    }
    for (const name of names) this.netnsAdd(name);
  }
  close(): void {
    for (const name of this.names) {
      if (existsSync(`/run/netns/${this.prefix}${name}`)) {
        execFileSync('ip', ['netns', 'del', this.prefix + name]);
      }
    }
    for (const path of this.strays) rmSync(path, { force: true });
    rmSync(this.root, { recursive: true, force: true });
  }
}

/**
 * A real world whose calls can die before their n-th operation; `alive` when they ended earlier.
 */
export function mortalWorld(before: string) {
  const ground = new Ground(before);
  const world = realWorldOn(ground);
  const script = fileURLToPath(new URL('./killed.ts', import.meta.url));
  return {
    ...world,
    die: (step: Step, stdin: string, n: number): 'alive' | 'dead' => {
      const orders = {
        hostNetns: `/run/netns/${ground.prefix}host`,
        root: ground.root,
        type: step.type,
        env: ground.env(step),
        stdin: ground.there(stdin),
        n,
      };
      const args = ['--no-warnings', script, JSON.stringify(orders)];
      const done = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (done.signal === null && done.status !== 0) throw new Error(done.stdout + done.stderr);
      return done.signal === 'SIGKILL' ? 'dead' : 'alive';
    },
  };
}

/** Opens what serves one call. */
export type Open = (options: RealOptions) => Driver & { close(): unknown };

/** A real world whose namespaces come and go, and that can be started anew. */
export function unsteadyWorld(before: string, open: Open = realDriver) {
  const ground = new Ground(before);
  return {
    ...realWorldOn(ground),
    /** As run, but the state is not read. */
    call: (step: Step, stdin: string, wrap: Wrap) => answerOn(ground, step, stdin, wrap, open),
    netnsAdd: (name: string) => ground.netnsAdd(name),
    netnsDel: (name: string) => ground.netnsDel(name),
    reboot: (names: readonly string[]) => ground.reboot(names),
  };
}

/** The real kernel through the Node host's own driver, in namespaces of the test. */
export function realWorld(before: string): World {
  return realWorldOn(new Ground(before));
}

function answerOn(
  ground: Ground,
  step: Step,
  stdin: string,
  wrap: Wrap,
  open: Open = realDriver,
): Answer {
  const hostNetns = `/run/netns/${ground.prefix}host`;
  const driver = open({ hostNetns, root: ground.root });
  try {
    const answer = serveOn(wrap(driver), step, ground.env(step), ground.there(stdin));
    return { ...answer, stdout: ground.back(answer.stdout) };
  } finally {
    driver.close();
  }
}

/** A real world that a test reaches into by the `ip netns` name of a namespace. */
export interface NamedWorld extends World {
  netns(name: string): string;
}

/** And by tasks of the core. */
export function openWorld(before: string) {
  const ground = new Ground(before);
  return {
    ...realWorldOn(ground),
    netns: (name: string): string => ground.prefix + name,
    task: (name: string, request: unknown): Answer => {
      const hostNetns = `/run/netns/${ground.prefix}host`;
      const driver = realDriver({ hostNetns, root: ground.root });
      const around = { stdin: () => Buffer.alloc(0), log: () => {}, sleep };
      try {
        return performTask(wasmModule('core'), driver, name, request, around);
      } finally {
        driver.close();
      }
    },
  };
}

function realWorldOn(ground: Ground): World {
  return {
    run: (step, stdin, wrap = asIs) => {
      const answer = answerOn(ground, step, stdin, wrap);
      return { ...answer, state: ground.dump() };
    },
    dump: () => ground.dump(),
    store: fileDriver({ root: ground.root }),
    close: () => ground.close(),
  };
}

/** Shell words that put the ground's /var/lib and /run, /etc and /opt if any, in place. */
function mountsOf(root: string): string {
  mkdirSync(join(root, 'run/netns'), { recursive: true });
  const mounts = [
    `mount --bind "${root}/var/lib" /var/lib`,
    `mount --rbind /run/netns "${root}/run/netns"`,
    `mount --rbind "${root}/run" /run`,
  ];
  for (const folder of ['etc', 'opt']) {
    if (existsSync(join(root, folder))) mounts.push(`mount --bind "${root}/${folder}" /${folder}`);
  }
  return mounts.join(' && ');
}

/**
 * The real kernel through the executables of a folder, which is their CNI_PATH as well. A call of
 * one that is not there throws: as a failure it would be taken for an answer.
 */
export function executableWorld(before: string, dir: string): NamedWorld {
  const start = (type: string): string => {
    const path = join(dir, type);
    if (type === '' || !existsSync(path)) throw new Error(`there is no plugin ${path}`);
    return `exec "${path}"`;
  };
  return programWorld(before, start, { CNI_PATH: dir });
}

/** The real kernel through the native host, called by the name of the type. */
export function nativeWorld(before: string): NamedWorld {
  return programWorld(before, nativeStart('fairlead-native'), {});
}

/** The same host with all powers given up that it does not need. */
export function confinedWorld(before: string): NamedWorld {
  return programWorld(before, nativeStart('fairlead-native'), { FAIRLEAD_CONFINE: '1' });
}

/** The same host under AddressSanitizer and UndefinedBehaviorSanitizer, whose finding ends it. */
export function sanitizedWorld(before: string): World {
  // It gives nothing back by design: it ends.
  const env = { ASAN_OPTIONS: 'detect_leaks=0' };
  return programWorld(before, nativeStart('fairlead-native-asan'), env);
}

/** The same host for arm64, under an emulator. */
export function arm64World(before: string): World {
  const program = distPath('fairlead-native-arm64');
  return programWorld(before, (type) => `exec qemu-aarch64-static -0 "${type}" "${program}"`, {});
}

/** The name is all that says which type it is. */
const nativeStart = (program: string) => (type: string) =>
  `exec -a "${type}" "${distPath(program)}"`;

/** The real kernel through a program, with the ground's folders in place of the machine's. */
function programWorld(
  before: string,
  start: (type: string) => string,
  env: Readonly<Record<string, string>>,
): NamedWorld {
  const ground = new Ground(before);
  return {
    run: (step, stdin) => {
      const script = `${mountsOf(ground.root)} && ${start(step.type)}`;
      const host = `--net=/run/netns/${ground.prefix}host`;
      const inside = [host, 'unshare', '-m', 'bash', '--norc', '-c', script];
      const done = spawnSync('nsenter', inside, {
        input: ground.there(stdin),
        env: { PATH: process.env['PATH'], ...ground.env(step), ...env },
        encoding: 'utf8',
      });
      const [stdout, stderr] = [ground.back(done.stdout), ground.back(done.stderr)];
      return { exit_code: done.status === 0 ? 0 : 1, stdout, stderr, state: ground.dump() };
    },
    netns: (name) => ground.prefix + name,
    dump: () => ground.dump(),
    store: fileDriver({ root: ground.root }),
    close: () => ground.close(),
  };
}
