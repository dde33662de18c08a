// SPDX-License-Identifier: Apache-2.0
// A cluster of three machines with real packets: a and b on one link with MTUs of 1500 and
// 1400, c with 9000 behind a router whose links take 1500. An agent in each, pods by the
// plugin. It owns the machines, which are namespaces of a cell, and asserts nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterNode } from '../../agent/overlay/source.ts';
import { NATIVE, NODE } from '../support/hosts.ts';
import { within } from '../support/listener.ts';
import { Cell } from './cell.ts';

export const NAMES = ['a', 'b', 'c'] as const;
export type Name = (typeof NAMES)[number];

export const FACTS: Readonly<
  Record<Name, { own: string; own6: string; mtu: number; via: string[] }>
> = {
  a: { own: '192.0.2.1', own6: '2001:db8:1::1', mtu: 1500, via: ['192.0.2.254', '2001:db8:1::fe'] },
  b: { own: '192.0.2.2', own6: '2001:db8:1::2', mtu: 1400, via: ['192.0.2.254', '2001:db8:1::fe'] },
  c: {
    own: '198.51.100.3',
    own6: '2001:db8:2::3',
    mtu: 9000,
    via: ['198.51.100.254', '2001:db8:2::fe'],
  },
};
const PREFIX = { a: ['24', '64'], b: ['24', '64'], c: ['24', '64'] } as const;
export const PODS: Readonly<Record<Name, [string, string]>> = {
  a: ['10.244.1.2', 'fd00:244:0:1::2'],
  b: ['10.244.2.2', 'fd00:244:0:2::2'],
  c: ['10.244.3.2', 'fd00:244:0:3::2'],
};
export const PAIRS = NAMES.flatMap((from) =>
  NAMES.filter((to) => to !== from).map((to): [Name, Name] => [from, to]),
);
/** How long traffic may take to come back, whatever happened. */
export const RECOVERY_MS = 15_000;
const IPV4_ICMP_BYTES = 28;
const IPV6_ICMP_BYTES = 48;

/** c is reached over a link of 1500 bytes, and says so: a source tells the path, not the NIC. */
export const published = (name: Name): number => Math.min(FACTS[name].mtu, 1500);

export const clusterNode = (name: Name, more: Partial<ClusterNode> = {}): ClusterNode => {
  const number = NAMES.indexOf(name) + 1;
  return {
    name,
    subnets: [`10.244.${number}.0/24`, `fd00:244:0:${number}::/64`],
    addresses: [FACTS[name].own, FACTS[name].own6],
    mtu_bytes: published(name),
    ...more,
  };
};

/** A program that starts an agent, and options that it gets for that. */
export interface Wrapped {
  readonly by: readonly string[];
  readonly options: readonly string[];
}

export class Cluster {
  readonly cell: Cell;
  readonly #pids = new Map<Name, string>();
  /** What an agent has as its source. */
  sourceOf: (name: Name) => object = () => ({ type: 'file', path: this.path('nodes.json') });

  /** Which agents are started when the cluster is opened. */
  starts: readonly Name[] = NAMES;

  /** More keys of an agent's configuration. */
  moreOf: (name: Name) => object = () => ({});

  private constructor(cell: Cell) {
    this.cell = cell;
  }

  /** `prepare` may name another source than a file of all nodes. */
  static async open(prepare?: (cluster: Cluster) => Promise<void>): Promise<Cluster> {
    const cluster = new Cluster(await Cell.open());
    try {
      await cluster.#wire();
      cluster.source(NAMES.map((name) => clusterNode(name)));
      await prepare?.(cluster);
      for (const name of cluster.starts) await cluster.startAgent(name);
      return cluster;
    } catch (error) {
      await cluster.cell.close();
      throw error;
    }
  }

  path(name: string): string {
    return join(this.cell.folder, name);
  }
  on(name: string, ...command: string[]): Promise<string> {
    return this.cell.run(['ip', 'netns', 'exec', name, ...command]);
  }

  async #wire(): Promise<void> {
    const lines = ['netns add lan1', 'netns add lan2', 'netns add r'];
    for (const lan of ['lan1', 'lan2']) {
      lines.push(`-n ${lan} link add br0 mtu 9000 type bridge`, `-n ${lan} link set br0 up`);
    }
    const joined = (name: string, lan: string, dev: string, mtu: number): void => {
      lines.push(
        `-n ${lan} link add ${name}-${dev} mtu ${mtu} type veth peer ${dev} netns ${name}`,
      );
      lines.push(`-n ${lan} link set ${name}-${dev} master br0 up`);
      lines.push(`-n ${name} link set ${dev} mtu ${mtu} up`);
    };
    joined('r', 'lan1', 'eth0', 1500);
    joined('r', 'lan2', 'eth1', 9000);
    lines.push('-n r addr add 192.0.2.254/24 dev eth0', '-n r addr add 198.51.100.254/24 dev eth1');
    lines.push('-n r addr add 2001:db8:1::fe/64 dev eth0 nodad');
    lines.push('-n r addr add 2001:db8:2::fe/64 dev eth1 nodad');
    for (const name of NAMES) {
      const { own, own6, mtu, via } = FACTS[name];
      lines.push(`netns add ${name}`, `netns add pod-${name}`, `-n ${name} link set lo up`);
      joined(name, name === 'c' ? 'lan2' : 'lan1', 'eth0', mtu);
      lines.push(`-n ${name} addr add ${own}/${PREFIX[name][0]} dev eth0`);
      lines.push(`-n ${name} addr add ${own6}/${PREFIX[name][1]} dev eth0 nodad`);
      for (const gateway of via) {
        lines.push(
          `-n ${name} route add default via ${gateway}`.replace(/-n (\w+)/, (all) =>
            gateway.includes(':') ? `-6 ${all}` : all,
          ),
        );
      }
    }
    for (const line of lines) await this.cell.run(['ip', ...line.split(' ')]);
    for (const key of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
      await this.on('r', 'sysctl', '-qw', `${key}=1`);
    }
  }

  source(nodes: readonly ClusterNode[]): void {
    writeFileSync(this.path('nodes.json'), JSON.stringify({ nodes }));
  }

  /** Starts an agent and waits until it is ready. */
  async startAgent(name: Name, wrapped: Wrapped = { by: [], options: [] }): Promise<void> {
    await this.spawnAgent(name, wrapped);
    try {
      await within(RECOVERY_MS, `${name} is ready`, () => this.ready(name));
    } catch (error) {
      throw new Error(this.log(name).slice(-4_000), { cause: error });
    }
  }

  async spawnAgent(name: Name, { by, options }: Wrapped = { by: [], options: [] }): Promise<void> {
    const config = {
      ...{ name: 'pods', node: name, listen: '127.0.0.1:9473' },
      'net-conf': { Network: '10.244.0.0/16', IPv6Network: 'fd00:244::/48' },
      source: this.sourceOf(name),
      conflist: { path: this.path(`${name}.conflist`) },
      ...this.moreOf(name),
    };
    writeFileSync(this.path(`${name}.json`), JSON.stringify(config));
    const agent = [NODE.program, 'agent', '--config', this.path(`${name}.json`)];
    const folders = ['--state-dir', this.path(`${name}.state`)];
    folders.push('--disk-dir', this.path(`${name}.disk`));
    const command = ['ip', 'netns', 'exec', name, ...by, ...agent, ...folders, ...options];
    this.#pids.set(name, await this.cell.start(command, this.path(`${name}.log`)));
  }

  async stopAgent(name: Name, signal = 'TERM'): Promise<void> {
    await this.cell.run(['sh', '-c', `kill -${signal} ${this.#pids.get(name)}`]);
    await within(RECOVERY_MS, 'the agent has ended', async () => !(await this.ready(name)));
  }

  /** Another verb of the agent, to its end. */
  agent(name: Name, verb: string) {
    const words = ['agent', verb, '--config', this.path(`${name}.json`)];
    const folders = ['--state-dir', this.path(`${name}.state`)];
    folders.push('--disk-dir', this.path(`${name}.disk`));
    const command = ['ip', 'netns', 'exec', name, NODE.program, ...words, ...folders];
    return this.cell.call(command, {}, '');
  }

  /** `fairlead mtu` on a node. */
  mtu(name: Name, ...args: string[]) {
    const words = ['mtu', '--config', this.path(`${name}.json`), ...args];
    words.push('--state-dir', this.path(`${name}.state`));
    return this.cell.call(['ip', 'netns', 'exec', name, NODE.program, ...words], {}, '');
  }

  async ready(name: Name): Promise<boolean> {
    return (await this.agent(name, 'status')).code === 0;
  }

  log(name: Name): string {
    return readFileSync(this.path(`${name}.log`), 'utf8');
  }

  /** Calls the plugin of a pod on its node; its standard output. */
  plugin(name: Name, command: 'ADD' | 'DEL'): Promise<string> {
    return this.attach(name, command, { type: 'fairlead-overlay' }, `pod-${name}`);
  }

  /** Calls a plugin for a pod of that name on a node; its standard output. */
  async attach(name: Name, command: string, conf: { type: string }, pod: string): Promise<string> {
    const { program } = NATIVE.why === '' ? NATIVE : NODE;
    const link = this.path(conf.type);
    await this.cell.run(['ln', '-sf', program, link]);
    const ipam = { dataDir: this.path(`${name}.leases`) };
    const config = { cniVersion: '1.0.0', name: 'pods', ...conf, ipam };
    const env = {
      ...{ CNI_COMMAND: command, CNI_CONTAINERID: pod, CNI_IFNAME: 'eth0' },
      ...{ CNI_NETNS: `/run/netns/${pod}`, CNI_PATH: this.cell.folder },
      CNI_FAIRLEAD_STATE_DIR: this.path(`${name}.state`),
    };
    const call = ['ip', 'netns', 'exec', name, link];
    const { code, stdout, stderr } = await this.cell.call(call, env, JSON.stringify(config));
    if (code !== 0) throw new Error(`${command} on ${name}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Whether a packet of so many bytes, which may not be cut, gets from a pod to an address. */
  async fits(from: string, to: string, size_bytes: number): Promise<boolean> {
    const headers_bytes = to.includes(':') ? IPV6_ICMP_BYTES : IPV4_ICMP_BYTES;
    const size = String(size_bytes - headers_bytes);
    const ping = ['ping', '-c1', '-W1', '-M', 'do', '-s', size, to];
    return (await this.cell.call(['ip', 'netns', 'exec', from, ...ping], {}, '')).code === 0;
  }

  async reaches(from: string, to: string): Promise<boolean> {
    return this.fits(from, to, 100);
  }

  /** Moves bytes over TCP from one pod to another; how many arrived, and from which address. */
  async moves(
    from: Name,
    to: Name,
    address: string,
    megabytes: number,
  ): Promise<{ bytes: number; from: string }> {
    const port = 5201;
    const out = this.path('received');
    const listen = `
      const { createServer } = require('net');
      createServer((socket) => {
        let bytes = 0;
        const from = socket.remoteAddress;
        socket.on('data', (data) => { bytes += data.length; });
        socket.on('end', () => {
          require('fs').writeFileSync(${JSON.stringify(out)}, bytes + ' ' + from);
          process.exit();
        });
      }).listen(${port}, ${JSON.stringify(address)})`;
    const send = `
      const socket = require('net').connect(${port}, ${JSON.stringify(address)});
      const piece = Buffer.alloc(1 << 20);
      let left = ${megabytes};
      const more = () => {
        while (left > 0) { left--; if (!socket.write(piece)) return; }
        socket.end();
      };
      socket.on('drain', more).on('connect', more);
      socket.on('error', () => process.exit(1)).on('close', () => process.exit());`;
    const node = (pod: Name, script: string): string[] => {
      return ['ip', 'netns', 'exec', `pod-${pod}`, process.execPath, '-e', script];
    };
    await this.cell.run(['rm', '-f', out]);
    await this.cell.start(node(to, listen), this.path('listener.log'));
    await within(RECOVERY_MS, 'somebody listens', async () =>
      (await this.on(`pod-${to}`, 'ss', '-Hltn')).includes(`:${port}`),
    );
    await this.cell.run(node(from, send));
    let arrived = '';
    await within(RECOVERY_MS, 'all has arrived', async () => {
      arrived = (await this.cell.call(['cat', out], {}, '')).stdout;
      return arrived !== '';
    });
    const [bytes, source = ''] = arrived.split(' ');
    return { bytes: Number(bytes), from: source };
  }
}
