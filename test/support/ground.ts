// SPDX-License-Identifier: Apache-2.0
// A piece of this machine that stands for a node of a fixture: namespaces and a folder, made from a
// fixture's text, read back as text, and taken away again. It makes no calls of plugins.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { BlockList } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { netlinkDriver } from '../../host-node/drivers/netlink.ts';
import { makeFlow } from './conntrack.ts';
import type { Step } from './fixture.ts';
import { type Inside, Insides } from './inside.ts';
import { netnsAdd, netnsDel } from './netns.ts';
import { loadNft } from './nft.ts';
import { textOf } from './oracle.ts';
import { outputOf, run } from './shell.ts';
import { rowOf } from './words.ts';

export function sleep(duration_ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
}

/** Veths whose both ends are up and that are not operational yet, as NETNS/LINK. */
function lagging(text: string): string[] {
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
  return peers.filter(([, peer]) => up.get(peer) === true).map(([link]) => link);
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

/** Words of ip-tuntap(8) for those of a tap's line. */
function tapWords(rest: readonly string[]): string {
  const words = ['vnet_hdr', ...(rest.includes('multi_queue') ? ['multi_queue'] : [])];
  if (rest.includes('owner')) words.push('user', after(rest, 'owner'));
  if (rest.includes('group')) words.push('group', after(rest, 'group'));
  return ` ${words.join(' ')}`;
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

/**
 * The place of a command in a batch, behind those that it needs; `laid` tells the links that lie on
 * others.
 */
function rankOf(command: string, laid: (link: string) => boolean): number {
  const [object, verb, link = ''] = command.split(' ');
  // A gateway must be reachable before a route leads by it.
  if (/^route .* via /.test(command)) return 5;
  if (object === 'tuntap') return 0;
  if (object !== 'link') return 4;
  if (command.includes(' master ')) return 3;
  if (verb === 'set' && laid(link)) return 2;
  return link === 'link' ? 1 : 0;
}

/** The path of a `file` line. */
const path = (line: string): string => line.split(' ')[1] ?? '';

let worlds = 0;

const NETNS_DIR = '/run/netns';
const DAEMON_WAIT_MS = 10_000;
const SETTLE_MS = 10_000;
const SETTLE_PAUSE_MS = 20;

/** Namespaces and files on this machine, under names of their own. */
export class Ground {
  readonly root = mkdtempSync(join(tmpdir(), 'fairlead-'));
  readonly prefix = `fl${process.pid}x${++worlds}-`;
  readonly names: string[] = [];
  private readonly strays: string[] = [];
  private readonly insides = new Insides();
  /** Identities of namespaces, and their names. */
  private ids = new Map<string, string>();
  private readonly programs: string[] = [];
  private kept: string | undefined;

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
    this.netnsAdd(...lines.flatMap((line) => /^netns (\S+)/.exec(line)?.[1] ?? []));
    let ns = '';
    const made = new Set<string>();
    const commands = new Map<string, string[]>();
    for (const line of lines) {
      const [word = '', ...rest] = line.split(' ');
      if (word === 'netns') ns = rest[0] ?? '';
      else if (word === 'file') this.file(line);
      else if (word === 'plugin') this.program(line);
      else if (word === 'folder') mkdirSync(this.root + (rest[0] ?? ''), { recursive: true });
      else if (word === 'dhcp') this.daemon(line);
      else if (word === 'conntrack') this.flows.push([ns, line]);
      else if (word === 'nft') this.rules.set(ns, [...(this.rules.get(ns) ?? []), line]);
      else this.say(commands, ns, word, rest, made);
    }
    for (const [name, batch] of commands) {
      const laid = (link: string): boolean => this.laid.has(`${name}/${link}`);
      batch.sort((a, b) => rankOf(a, laid) - rankOf(b, laid));
      const lines = batch.map((line) => withoutRoute(line, batch));
      this.inside(name).do('ip', lines);
    }
    for (const line of this.later) line();
    for (const [name, nft] of this.rules) loadNft(this.prefix + name, nft);
    for (const [name, line] of this.flows) makeFlow(this.prefix + name, line);
  }
  private inside(name: string): Inside {
    return this.insides.of(this.prefix + name);
  }
  private readonly flows: [ns: string, line: string][] = [];
  private readonly later: (() => void)[] = [];
  /** Links that lie on others, as NETNS/LINK. */
  private readonly laid = new Set<string>();
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
      const family = (rest[1] ?? '').includes(':') ? 'ip6' : 'ip';
      const args = ['rule', 'add', ...rest, 'priority', name].filter((_, at) => at !== 2);
      this.later.push(() => this.inside(ns).do(family, [args.join(' ')]));
    } else if (word === 'route') {
      const kernel = value('proto') === 'kernel';
      batch.push(`${kernel ? '# ' : ''}route add ${rest.join(' ')}`);
    } else if (word === 'vlan') {
      const args = ['vlan', 'add', 'vid', name, ...rest.slice(1)];
      this.later.push(() => outputOf(['bridge', '-n', this.prefix + ns, ...args]));
    } else if (word === 'qdisc' || word === 'filter') {
      const args = word === 'qdisc' ? qdiscWords(rest) : filterWords(rest);
      this.later.push(() => this.inside(ns).do('tc', [`${word} add ${args.join(' ')}`]));
    } else if (word === 'sysctl') {
      const words = ['sysctl', '-qw', `${name}=${rest[1]}`];
      this.later.push(() => outputOf(['ip', 'netns', 'exec', this.prefix + ns, ...words]));
    } else if (word === 'link') {
      const kind = rowOf(value('kind') ?? 'bridge');
      const peer = value('peer');
      const [peerNs = '', peerName = ''] = (peer ?? '').split('/');
      if (kind.stacked) this.lay(commands, ns, rest);
      else if (name !== 'lo' && !made.has(`${ns}/${name}`)) {
        const own = kind.fixed_address && value('address');
        const address = own ? `address ${own} ` : '';
        let add = `link add ${name} ${address}type ${value('kind') ?? 'bridge'}`;
        if (kind.tap) add = `tuntap add ${name} mode tap${tapWords(rest)}`;
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
      if (rest.includes('alias')) batch.push(`link set ${name} alias ${value('alias')}`);
      if (rest.includes('promisc')) batch.push(`link set ${name} promisc on`);
      if (rest.includes('allmulti')) batch.push(`link set ${name} allmulticast on`);
      if (rest.includes('up')) batch.push(`link set ${name} up`);
    }
  }
  /** A link on another, made from the namespace of that. */
  private lay(commands: Map<string, string[]>, ns: string, rest: readonly string[]): void {
    const [name = ''] = rest;
    const kind = after(rest, 'kind');
    const [home = '', lower = ''] = after(rest, 'lower').split('/');
    const add = ['link add link', lower, 'name', name];
    if (home !== ns) add.push('netns', this.prefix + ns);
    add.push('type', kind);
    for (const option of rowOf(kind).options ?? []) {
      if (rest.includes(option)) add.push(option, after(rest, option));
    }
    const batch = commands.get(home) ?? [];
    commands.set(home, batch);
    batch.push(add.join(' '));
    this.laid.add(`${ns}/${name}`);
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
  /** A daemon that says what the line says. */
  private daemon(line: string): void {
    const target = this.root + path(line);
    const file = `${this.root}.dhcp${this.daemons.length}`;
    mkdirSync(dirname(target), { recursive: true });
    const script = fileURLToPath(new URL('./dhcp-daemon.ts', import.meta.url));
    const args = ['--no-warnings', script, target, line, file];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.daemons.push({ child, file });
    for (let waited_ms = 0; !existsSync(target); waited_ms += SETTLE_PAUSE_MS) {
      if (waited_ms > DAEMON_WAIT_MS) throw new Error(`no daemon listens on ${target}`);
      sleep(SETTLE_PAUSE_MS);
    }
  }
  private readonly daemons: { child: ChildProcess; file: string }[] = [];
  private file(line: string): void {
    const [, path = '', content = '""', old] = /^file (\S+) (.*?)( before-boot)?$/.exec(line) ?? [];
    const target = path.startsWith('/run/netns/') ? this.there(path) : this.root + path;
    if (path.startsWith('/run/netns/')) this.strays.push(target);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, this.there(JSON.parse(content)), { mode: 0o600 });
    if (old !== undefined) utimesSync(target, 1, 1);
  }

  /** A text of the fixture in this machine's names. */
  there(text: string): string {
    return this.renamed(text.replaceAll('/run/netns/', `/run/netns/${this.prefix}`), (id, name) => [
      name,
      id,
    ]);
  }
  /**
   * A text with the identities of namespaces, which the simulated kernel calls netns:NAME; also of
   * those that had the name before.
   */
  private renamed(text: string, order: (id: string, name: string) => [string, string]): string {
    if (!/netns:|cookie:|"\d+:\d{5}/.test(text)) return text;
    for (const name of this.names) this.identify(name);
    let renamed = text;
    for (const [id, name] of this.ids) {
      const [from, to] = order(id, `netns:${name}`);
      renamed = renamed.replaceAll(new RegExp(`(?<=\\\\*")${from}(?=\\\\*")`, 'g'), to);
    }
    return renamed;
  }
  private identify(name: string): void {
    const path = `/run/netns/${this.prefix}${name}`;
    if (!existsSync(path)) return;
    const driver = netlinkDriver();
    try {
      const ns = driver.netns_open({ path });
      const id = Buffer.from(driver.netns_id({ ns })).toString();
      // The newest comes first: that is what a name stands for.
      if (this.ids.get(id) === name) return;
      // An emulated host is told no cookie.
      const { dev, ino } = statSync(path, { bigint: true });
      this.ids = new Map([[id, name], [`${dev}:${ino}`, name], ...this.ids]);
    } finally {
      driver.close();
    }
  }
  /** A text of this machine in the fixture's names. */
  back(text: string): string {
    const named = text.replaceAll(`/run/netns/${this.prefix}`, '/run/netns/');
    const plain = named.replaceAll(`netns:${this.prefix}`, 'netns:').replaceAll(this.root, '');
    return this.renamed(plain, (id, name) => [id, name]);
  }
  env(step: Step): Record<string, string> {
    const entries = Object.entries(step.env).map(([key, value]) => [key, this.there(value)]);
    return Object.fromEntries(entries);
  }
  /** The state once links have settled: a carrier is told to the other end up to a second later. */
  dump(): string {
    const until_ms = Date.now() + SETTLE_MS;
    let text = this.dumpNow();
    for (let slow = lagging(text); slow.length > 0 && Date.now() < until_ms; slow = lagging(text)) {
      for (const link of slow) this.settle(link, until_ms);
      text = this.dumpNow();
    }
    return text;
  }
  /** Waits until a link is operational or gone: to ask for it alone takes much less than a dump. */
  private settle(link: string, until_ms: number): void {
    const [ns = '', name = ''] = link.split('/');
    const words = ['ip', '-n', this.prefix + ns, '-br', 'link', 'show', 'dev', name];
    const lags = () => {
      const { status, stdout } = run(words);
      return status === 0 && !/^\S+ +UP /.test(stdout);
    };
    while (lags() && Date.now() < until_ms) sleep(SETTLE_PAUSE_MS);
  }
  private dumpNow(): string {
    const names = Object.fromEntries(this.names.map((name) => [name, this.prefix + name]));
    const strays = this.strays.map((path) => `file ${path} ""\n`).join('');
    const text = textOf(this.insides, names, this.root);
    const at = text.search(/^file /m);
    const files = this.back(strays + (at < 0 ? '' : text.slice(at)));
    const paths = new Set(this.programs.map(path));
    const lines = files.split(/(?<=\n)/).filter((line) => !paths.has(path(line)));
    const sorted = lines.sort((a, b) => (path(a) < path(b) ? -1 : 1));
    const programs = this.programs.map((line) => `${line}\n`).sort();
    const daemons = this.daemons.map(({ file }) => `${readFileSync(file, 'utf8')}\n`).sort();
    const kernel = this.back(at < 0 ? text : text.slice(0, at));
    return [kernel, ...programs, ...daemons, ...sorted].join('');
  }
  netnsAdd(...names: string[]): void {
    this.insides.close();
    this.names.push(...names);
    netnsAdd(...names.map((name) => this.prefix + name));
  }
  netnsDel(...names: string[]): void {
    this.insides.close();
    const kept = this.names.filter((name) => !names.includes(name));
    this.names.splice(0, this.names.length, ...kept);
    netnsDel(...names.map((name) => this.prefix + name));
  }
  /** New namespaces, an empty /run, and every other file as old as they get. */
  reboot(names: readonly string[]): void {
    this.netnsDel(...this.names);
    rmSync(join(this.root, 'run'), { recursive: true, force: true });
    for (const entry of readdirSync(this.root, { withFileTypes: true, recursive: true })) {
      if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), 1, 1);
    }
    this.netnsAdd(...names);
  }
  /** Copies the files, with their times. Gives what puts them back. */
  keepFiles(): () => void {
    if (this.kept === undefined) this.kept = mkdtempSync(join(tmpdir(), 'fairlead-'));
    const kept = this.kept;
    const copy = (from: string, to: string) => {
      rmSync(to, { recursive: true, force: true });
      outputOf(['cp', '-a', from, to]);
    };
    copy(this.root, kept);
    return () => copy(kept, this.root);
  }
  close(): void {
    this.insides.close();
    const there = this.names.filter((name) => existsSync(`/run/netns/${this.prefix}${name}`));
    this.netnsDel(...there);
    for (const path of this.strays) rmSync(path, { force: true });
    // A plugin of others has left files there in place of namespaces.
    const left = existsSync(NETNS_DIR) ? readdirSync(NETNS_DIR) : [];
    for (const name of left.filter((one) => one.startsWith(this.prefix))) {
      rmSync(`${NETNS_DIR}/${name}`, { force: true });
    }
    for (const { child, file } of this.daemons) {
      child.kill('SIGKILL');
      rmSync(file, { force: true });
    }
    rmSync(this.root, { recursive: true, force: true });
    if (this.kept !== undefined) rmSync(this.kept, { recursive: true, force: true });
  }
}
