// SPDX-License-Identifier: Apache-2.0
// A cluster of three machines with real packets, told of one another by a file: what is asserted
// is what reaches whom, and at which size. The machines are those of cluster.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NODE } from '../support/hosts.ts';
import { within } from '../support/listener.ts';
import { needsRoot } from '../support/needs.ts';
import {
  Cluster,
  clusterNode,
  FACTS,
  NAMES,
  type Name,
  PAIRS,
  PODS,
  published,
  RECOVERY_MS,
} from './cluster.ts';

/** What a packet from one node's pod to another's may have: the least of both links less 50. */
const limitOf = (from: Name, to: Name): number => Math.min(published(from), published(to)) - 50;

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
      await cluster.on('a', 'nft', 'delete', 'table', 'inet', 'fairlead_overlay_pods');
      await cluster.cell.run(['ip', '-n', 'a', 'link', 'set', 'fl.1', 'mtu', '1449']);
      await within(RECOVERY_MS, 'the table is back', async () =>
        (await cluster.on('a', 'nft', 'list', 'tables')).includes('fairlead_overlay_pods'),
      );
      await within(RECOVERY_MS, 'the MTU is right', async () =>
        (await cluster.on('a', 'cat', '/sys/class/net/fl.1/mtu')).startsWith('1450'),
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

  test('in a container, which may only read /proc/sys: sysctls are written elsewhere', async () => {
    await cluster.stopAgent('a');
    await cluster.cell.run(['ip', '-n', 'a', 'link', 'del', 'fl.1']);
    const elsewhere = cluster.path('proc-sys');
    await cluster.cell.run(['mkdir', '-p', `${elsewhere}/net`]);
    const script = `mount --bind /proc/sys/net ${elsewhere}/net &&
      mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"`;
    const by = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
    await cluster.startAgent('a', { by, options: ['--proc-sys', elsewhere] });
    expect(await cluster.on('a', 'cat', '/proc/sys/net/ipv4/conf/fl.1/rp_filter')).toBe('2');
    await expectAllReached();
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
    // Nor does one that knows no node all of a sudden.
    cluster.source([]);
    await within(RECOVERY_MS, 'a says so', async () =>
      cluster.log('a').includes('no node any more'),
    );
    await expectAllReached();
    await cluster.plugin('a', 'DEL');
    await cluster.plugin('a', 'ADD');
    const moved = clusterNode('b', { addresses: ['192.0.2.77', FACTS.b.own6] });
    cluster.source([clusterNode('a'), moved, clusterNode('c')]);
  });

  test('the subnet of a node changes while it has pods: it is said, until it is back', async () => {
    const all = [clusterNode('a'), clusterNode('b'), clusterNode('c')];
    const subnets = ['10.244.9.0/24', ...(clusterNode('c').subnets ?? []).slice(1)];
    cluster.source([...all.slice(0, 2), clusterNode('c', { subnets })]);
    const said = async () => (await cluster.agent('c', 'status')).stdout;
    await within(RECOVERY_MS, 'it is said', async () =>
      (await said()).includes('pods of before are not reached'),
    );
    expect(cluster.log('c')).toMatch(/warn the subnets of this node were 10\.244\.3\.0\/24/);
    cluster.source(all);
    await within(RECOVERY_MS, 'it is over', async () => !(await said()).includes('pods of before'));
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
