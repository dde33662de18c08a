// SPDX-License-Identifier: Apache-2.0
// A cluster of three machines with real packets: a and b on one link with MTUs of 1500 and
// 1400, c with 9000 behind a router whose links take 1500. An agent in each, pods by the
// plugin. It owns the machines, which are namespaces of a cell; what is asserted is what
// reaches whom, and at which size.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterNode } from '../../agent/overlay/source.ts';
import { NATIVE, NODE } from '../support/hosts.ts';
import { needsRoot } from '../support/needs.ts';
import { Cell } from './cell.ts';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

const FACTS: Readonly<Record<Name, { own: string; own6: string; mtu: number; via: string[] }>> = {
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
const PODS: Readonly<Record<Name, [string, string]>> = {
  a: ['10.244.1.2', 'fd00:244:0:1::2'],
  b: ['10.244.2.2', 'fd00:244:0:2::2'],
  c: ['10.244.3.2', 'fd00:244:0:3::2'],
};
/** How long traffic may take to come back, whatever happened. */
const RECOVERY_MS = 15_000;
const IPV4_ICMP_BYTES = 28;
const IPV6_ICMP_BYTES = 48;

/** c is reached over a link of 1500 bytes, and says so: a source tells the path, not the NIC. */
const published = (name: Name): number => Math.min(FACTS[name].mtu, 1500);

const clusterNode = (name: Name, more: Partial<ClusterNode> = {}): ClusterNode => {
  const number = NAMES.indexOf(name) + 1;
  return {
    name,
    subnets: [`10.244.${number}.0/24`, `fd00:244:0:${number}::/64`],
    addresses: [FACTS[name].own, FACTS[name].own6],
    mtu_bytes: published(name),
    ...more,
  };
};

class Cluster {
  readonly cell: Cell;
  readonly #pids = new Map<Name, string>();

  private constructor(cell: Cell) {
    this.cell = cell;
  }

  static async open(): Promise<Cluster> {
    const cluster = new Cluster(await Cell.open());
    try {
      await cluster.#wire();
      cluster.source(NAMES.map((name) => clusterNode(name)));
      for (const name of NAMES) await cluster.startAgent(name);
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

  async startAgent(name: Name): Promise<void> {
    const config = {
      ...{ name: 'pods', node: name, listen: '127.0.0.1:9473' },
      'net-conf': { Network: '10.244.0.0/16', IPv6Network: 'fd00:244::/48' },
      source: { type: 'file', path: this.path('nodes.json') },
      conflist: { path: this.path(`${name}.conflist`) },
    };
    writeFileSync(this.path(`${name}.json`), JSON.stringify(config));
    const agent = [NODE.program, 'agent', '--config', this.path(`${name}.json`)];
    const command = [
      'ip',
      'netns',
      'exec',
      name,
      ...agent,
      '--state-dir',
      this.path(`${name}.state`),
    ];
    this.#pids.set(name, await this.cell.start(command, this.path(`${name}.log`)));
    await within(RECOVERY_MS, `${name} is ready`, () => this.ready(name));
  }

  async stopAgent(name: Name, signal = 'TERM'): Promise<void> {
    await this.cell.run(['sh', '-c', `kill -${signal} ${this.#pids.get(name)}`]);
    await within(RECOVERY_MS, 'the agent has ended', async () => !(await this.ready(name)));
  }

  async ready(name: Name): Promise<boolean> {
    const status = [NODE.program, 'agent', 'status', '--config', this.path(`${name}.json`)];
    const command = ['ip', 'netns', 'exec', name, ...status];
    return (await this.cell.call(command, {}, '')).code === 0;
  }

  log(name: Name): string {
    return readFileSync(this.path(`${name}.log`), 'utf8');
  }

  /** Calls the plugin of a pod on its node; its standard output. */
  async plugin(name: Name, command: 'ADD' | 'DEL'): Promise<string> {
    const { program } = NATIVE.why === '' ? NATIVE : NODE;
    const link = this.path('fairlead-overlay');
    await this.cell.run(['ln', '-sf', program, link]);
    const config = {
      ...{ cniVersion: '1.0.0', name: 'pods', type: 'fairlead-overlay' },
      ipam: { dataDir: this.path(`${name}.leases`) },
    };
    const env = {
      ...{ CNI_COMMAND: command, CNI_CONTAINERID: `pod-${name}`, CNI_IFNAME: 'eth0' },
      ...{ CNI_NETNS: `/run/netns/pod-${name}`, CNI_PATH: this.cell.folder },
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

/** Waits for something; how long it took, in milliseconds. */
async function within(limit_ms: number, what: string, is: () => Promise<boolean>): Promise<number> {
  const start = performance.now();
  for (;;) {
    if (await is()) return Math.round(performance.now() - start);
    if (performance.now() - start > limit_ms) throw new Error(`not within ${limit_ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What a packet from one node's pod to another's may have: the least of both links less 50. */
const limitOf = (from: Name, to: Name): number => Math.min(published(from), published(to)) - 50;
const PAIRS = NAMES.flatMap((from) =>
  NAMES.filter((to) => to !== from).map((to): [Name, Name] => [from, to]),
);

describe.skipIf(needsRoot !== '')(`three machines ${needsRoot}`, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.open();
    for (const name of NAMES) await cluster.plugin(name, 'ADD');
  });
  afterAll(() => cluster?.cell.close());

  async function expectAllReached(): Promise<void> {
    for (const [from, to] of PAIRS) {
      for (const address of PODS[to]) {
        await within(RECOVERY_MS, `${from} reaches ${address}`, () =>
          cluster.reaches(`pod-${from}`, address),
        );
      }
    }
  }

  test('every pod reaches every other one, and every node the pods of all', async () => {
    await expectAllReached();
    for (const [from, to] of PAIRS) {
      for (const address of PODS[to]) expect(await cluster.reaches(from, address)).toBe(true);
    }
  });

  test.each(PAIRS)(
    '%s to %s: the largest packet that fits gets there, one byte more does not',
    async (from, to) => {
      for (const address of PODS[to]) {
        const limit_bytes = limitOf(from, to);
        // The first one that is too large teaches the pod's kernel.
        await cluster.fits(`pod-${from}`, address, limit_bytes + 1);
        expect([address, await cluster.fits(`pod-${from}`, address, limit_bytes)]).toEqual([
          address,
          true,
        ]);
        expect([address, await cluster.fits(`pod-${from}`, address, limit_bytes + 1)]).toEqual([
          address,
          false,
        ]);
      }
    },
  );

  test.each([
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'a'],
  ] as const)(
    'TCP from %s to %s: 100 MB in both families, from the pod’s own address',
    async (from, to) => {
      for (const [family, address] of PODS[to].entries()) {
        expect(await cluster.moves(from, to, address, 100)).toEqual({
          bytes: 100 * 2 ** 20,
          from: PODS[from][family],
        });
      }
    },
  );

  describe('strangers', () => {
    /** An ICMP echo request from 10.244.2.9 to a's pod, in VXLAN with VNI 1. */
    async function forged(): Promise<string> {
      const mac = (await cluster.on('a', 'cat', '/sys/class/net/fl.1/address')).replaceAll(':', '');
      const icmp = Buffer.from('0800f7ff00000000', 'hex');
      const ip = Buffer.from('4500001c00000000400100000000000000000000', 'hex');
      ip.set([10, 244, 2, 9], 12);
      ip.set(PODS.a[0].split('.').map(Number), 16);
      let sum = 0;
      for (let at = 0; at < 20; at += 2) sum += ip.readUInt16BE(at);
      ip.writeUInt16BE(~((sum & 0xffff) + (sum >> 16)) & 0xffff, 10);
      const ethernet = Buffer.from(`${mac}0200000000990800`, 'hex');
      return Buffer.concat([Buffer.from('0800000000000100', 'hex'), ethernet, ip, icmp]).toString(
        'hex',
      );
    }
    const sent = (payload: string, to: string): string =>
      `const { createSocket } = require('dgram'); const s = createSocket('udp4');
       const payload = Buffer.from(${JSON.stringify(payload)}, 'hex');
       s.send(payload, 8472, ${JSON.stringify(to)}, () => s.close());`;
    const echoes = async (): Promise<number> => {
      const lines = (await cluster.on('pod-a', 'cat', '/proc/net/snmp')).split('\n');
      const [names, values] = lines
        .filter((line) => line.startsWith('Icmp:'))
        .map((l) => l.split(' '));
      return Number(values![names!.indexOf('InEchos')]);
    };
    const settled = () => new Promise((resolve) => setTimeout(resolve, 300));

    test.each(['b', 'x', 'pod-b', 'pod-a'])('a packet for the tunnel from %s', async (from) => {
      if (from === 'x') {
        const { cell } = cluster;
        await cell.run(['ip', 'netns', 'add', 'x']);
        const veth = ['link', 'add', 'x-eth0', 'type', 'veth', 'peer', 'eth0', 'netns', 'x'];
        await cell.run(['ip', '-n', 'lan1', ...veth]);
        await cell.run(['ip', '-n', 'lan1', 'link', 'set', 'x-eth0', 'master', 'br0', 'up']);
        await cell.run(['ip', '-n', 'x', 'link', 'set', 'eth0', 'up']);
        await cell.run(['ip', '-n', 'x', 'addr', 'add', '192.0.2.99/24', 'dev', 'eth0']);
      }
      const before = await echoes();
      await cluster.on(from, process.execPath, '-e', sent(await forged(), FACTS.a.own));
      await settled();
      // That of another node is let in: so it is a packet that would do harm.
      expect((await echoes()) - before).toBe(from === 'b' ? 1 : 0);
    });

    test('rules that somebody flushes are back with the next look', async () => {
      await cluster.on('a', 'nft', 'delete', 'table', 'inet', 'fairlead_overlay_1');
      await cluster.cell.run(['ip', '-n', 'a', 'link', 'set', 'fl.1', 'mtu', '1449']);
      await within(RECOVERY_MS, 'the table is back', async () =>
        (await cluster.on('a', 'nft', 'list', 'tables')).includes('fairlead_overlay_1'),
      );
    });
  });

  test('an agent that is killed harms no traffic, and its successor changes nothing', async () => {
    await cluster.stopAgent('a', 'KILL');
    await expectAllReached();
    const before = cluster.log('a').length;
    await cluster.startAgent('a');
    expect(cluster.log('a').slice(before)).not.toMatch(/ info (link|route|neigh|fdb|addr) /);
  });

  test.each([
    ['deletes the tunnel device', 'link del fl.1'],
    ['sets it down', 'link set fl.1 down'],
    ['changes its hardware address', 'link set fl.1 address 02:00:00:00:00:99'],
    ['sets the link below down and up', 'link set eth0 down'],
  ])('somebody %s: traffic comes back', async (_, words) => {
    await cluster.cell.run(['ip', '-n', 'b', ...words.split(' ')]);
    if (words === 'link set eth0 down') {
      await cluster.cell.run(['ip', '-n', 'b', 'link', 'set', 'eth0', 'up']);
      const { own6, via } = FACTS.b;
      await cluster.cell.call(
        ['ip', '-n', 'b', 'addr', 'add', `${own6}/64`, 'dev', 'eth0', 'nodad'],
        {},
        '',
      );
      for (const gateway of via) {
        const family = gateway.includes(':') ? ['-6'] : [];
        await cluster.cell.call(
          ['ip', ...family, '-n', 'b', 'route', 'add', 'default', 'via', gateway],
          {},
          '',
        );
      }
    }
    await expectAllReached();
  });

  test('a node comes back with another address: traffic comes back', async () => {
    await cluster.cell.run(['ip', '-n', 'b', 'addr', 'del', `${FACTS.b.own}/24`, 'dev', 'eth0']);
    await cluster.cell.run(['ip', '-n', 'b', 'addr', 'add', '192.0.2.77/24', 'dev', 'eth0']);
    await cluster.cell.run(['ip', '-n', 'b', 'route', 'replace', 'default', 'via', '192.0.2.254']);
    const moved = clusterNode('b', { addresses: ['192.0.2.77', FACTS.b.own6] });
    cluster.source([clusterNode('a'), moved, clusterNode('c')]);
    await expectAllReached();
  });

  test('the MTU of a link drops: the tunnel follows, and the plugin gets to know', async () => {
    await cluster.cell.run(['ip', '-n', 'a', 'link', 'set', 'eth0', 'mtu', '1420']);
    const state = () => JSON.parse(readFileSync(cluster.path('a.state/overlay/pods.json'), 'utf8'));
    await within(RECOVERY_MS, 'the MTU is told', async () => state().mtu_bytes === 1370);
    expect(await cluster.on('a', 'ip', '-br', 'link', 'show', 'fl.1')).toContain('fl.1');
    expect(await cluster.on('a', 'cat', '/sys/class/net/fl.1/mtu')).toBe('1370');
    await cluster.cell.run(['ip', '-n', 'a', 'link', 'set', 'eth0', 'mtu', '1500']);
    await within(RECOVERY_MS, 'the MTU is told', async () => state().mtu_bytes === 1450);
  });

  test('a source that is gone harms nobody', async () => {
    writeFileSync(cluster.path('nodes.json'), '{"nodes": [');
    await within(RECOVERY_MS, 'a says so', async () => cluster.log('a').includes('cannot read'));
    await expectAllReached();
    expect(await cluster.ready('a')).toBe(true);
    await cluster.plugin('a', 'DEL');
    await cluster.plugin('a', 'ADD');
    const moved = clusterNode('b', { addresses: ['192.0.2.77', FACTS.b.own6] });
    cluster.source([clusterNode('a'), moved, clusterNode('c')]);
  });

  test('a node that leaves is gone from the others', async () => {
    cluster.source([clusterNode('a'), clusterNode('c')]);
    await within(
      RECOVERY_MS,
      'b is gone',
      async () => !(await cluster.on('a', 'ip', 'route')).includes('10.244.2.0/24'),
    );
    expect(await cluster.reaches('pod-a', PODS.c[0])).toBe(true);
  });

  test('the conflist is placed when pods are served; leaving leaves nothing', async () => {
    expect(JSON.parse(readFileSync(cluster.path('c.conflist'), 'utf8'))).toMatchObject({
      name: 'pods',
    });
    await cluster.plugin('c', 'DEL');
    await cluster.stopAgent('c');
    await cluster.on('c', NODE.program, 'agent', 'leave', '--config', cluster.path('c.json'));
    expect(await cluster.on('c', 'ip', '-br', 'link')).not.toContain('fl.1');
    for (const family of ['-4', '-6']) {
      expect(await cluster.on('c', 'ip', family, 'route')).not.toMatch(/proto 157/);
    }
  });
});
