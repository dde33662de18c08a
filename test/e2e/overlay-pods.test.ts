// SPDX-License-Identifier: Apache-2.0
// Running pods after the MTU of a link changed, with real packets: on a, whose agent has them
// follow, and on b, where somebody asks for it. What is asserted is both ends of the pairs, and
// that packets of exactly the new size get there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { within } from '../support/listener.ts';
import { needsRoot } from '../support/needs.ts';
import { Cluster, clusterNode, type Name, PODS, RECOVERY_MS } from './cluster.ts';

describe.skipIf(needsRoot !== '')(`running pods ${needsRoot}`, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.open(async (made) => {
      made.moreOf = (name) => (name === 'a' ? { podMtu: 'follow' } : {});
    });
    for (const name of ['a', 'b', 'c'] as const) await cluster.plugin(name, 'ADD');
    // Of somebody else: a pair between b and its pod, and one that only looks like a pod's.
    const { cell } = cluster;
    for (const line of [
      '-n b link add more mtu 1500 type veth peer net1 netns pod-b',
      '-n pod-b link set net1 mtu 1500 up',
      '-n b link set more up',
      'netns add stray',
      '-n b link add veth12345678 type veth peer eth0 netns stray',
    ])
      await cell.run(['ip', ...line.split(' ')]);
  });
  afterAll(() => cluster?.cell.close());

  const mtuOf = async (netns: string, dev: string): Promise<number> =>
    Number(await cluster.on(netns, 'cat', `/sys/class/net/${dev}/mtu`));
  /** Of a pod's interface, and of its host's end. */
  async function ends(name: Name): Promise<number[]> {
    const peer = await cluster.on(`pod-${name}`, 'cat', '/sys/class/net/eth0/iflink');
    const links = JSON.parse(await cluster.on(name, 'ip', '-j', 'link')) as {
      ifindex: number;
      mtu: number;
    }[];
    const host = links.find(({ ifindex }) => ifindex === Number(peer));
    return [await mtuOf(`pod-${name}`, 'eth0'), host?.mtu ?? 0];
  }
  const link = (name: Name, mtu_bytes: number): Promise<string> =>
    cluster.cell.run(['ip', '-n', name, 'link', 'set', 'eth0', 'mtu', String(mtu_bytes)]);

  /** Packets of that size get through both ways, and none that is larger. */
  async function expectExactly(from: Name, to: Name, limit_bytes: number): Promise<void> {
    for (const [pod, other] of [
      [from, to],
      [to, from],
    ] as const) {
      for (const address of PODS[other]) {
        await within(RECOVERY_MS, `${limit_bytes} bytes from ${pod} to ${address}`, async () => {
          return cluster.fits(`pod-${pod}`, address, limit_bytes);
        });
        expect([pod, await cluster.fits(`pod-${pod}`, address, limit_bytes + 1)]).toEqual([
          pod,
          false,
        ]);
      }
    }
  }

  test.each([
    ['drops', 1420, 1370],
    ['comes back', 1500, 1450],
  ])('a link’s MTU %s: pods follow, and traffic at the exact size', async (_, link_bytes, pods) => {
    await link('a', link_bytes);
    const told = clusterNode('a', { mtu_bytes: link_bytes });
    cluster.source([told, clusterNode('b'), clusterNode('c')]);
    await within(RECOVERY_MS, 'the pod follows', async () => (await ends('a')).includes(pods));
    expect(await ends('a')).toEqual([pods, pods]);
    // What the kernel of another pod learnt while less was taken, it knows for ten minutes.
    for (const family of ['-4', '-6']) {
      await cluster.on('pod-c', 'ip', family, 'route', 'flush', 'cache');
    }
    await expectExactly('a', 'c', pods);
    expect(await cluster.moves('a', 'c', PODS.c[0], 20)).toMatchObject({ bytes: 20 << 20 });
    expect(await cluster.moves('c', 'a', PODS.a[1], 20)).toMatchObject({ bytes: 20 << 20 });
    expect(cluster.log('a')).toMatch(new RegExp(`link set eth0 and veth\\w+ of pod-a mtu ${pods}`));
    const { code, stdout } = await cluster.mtu('a');
    expect([code, stdout]).toEqual([0, expect.not.stringContaining('pods with another MTU')]);
  });

  test('without a policy pods keep their MTU, and that is told, until somebody asks', async () => {
    await link('b', 1340);
    const told = clusterNode('b', { mtu_bytes: 1340 });
    cluster.source([clusterNode('a'), told, clusterNode('c')]);
    await within(
      RECOVERY_MS,
      'the tunnel follows',
      async () => (await mtuOf('b', 'fl.1')) === 1290,
    );
    const looked = await cluster.mtu('b');
    expect(looked.code).toBe(1);
    expect(looked.stdout).toMatch(/^pod-b +eth0 +1350 +veth\w+ +1350 +differs$/m);
    expect(await ends('b')).toEqual([1350, 1350]);

    const applied = await cluster.mtu('b', '--apply');
    expect(applied.stdout).toMatch(/^pod-b +eth0 +1350 +veth\w+ +1350 +set$/m);
    expect([applied.code, await ends('b')]).toEqual([0, [1290, 1290]]);
    await expectExactly('b', 'a', 1290);
    expect((await cluster.mtu('b', '--probe')).code).toBe(0);
  });

  test('a link that leaves less than IPv6 needs: an error, and nothing changes', async () => {
    await link('b', 1320);
    const applied = await cluster.mtu('b', '--apply', '--output', 'json');
    expect(applied.code).toBe(1);
    expect(JSON.parse(applied.stdout)).toMatchObject({
      msg: 'pods of network "pods" need 1280 bytes, and 1270 are left',
    });
    expect(await ends('b')).toEqual([1290, 1290]);
    expect(await mtuOf('b', 'fl.1')).toBe(1290);
    await link('b', 1400);
    await within(
      RECOVERY_MS,
      'the tunnel follows',
      async () => (await mtuOf('b', 'fl.1')) === 1350,
    );
    // Less may be somebody's choice: what --apply set, it does not raise.
    expect((await cluster.mtu('b', '--apply')).code).toBe(0);
    expect(await ends('b')).toEqual([1290, 1290]);
  });

  test('what is somebody else’s has the MTU that it had', async () => {
    expect(await mtuOf('pod-b', 'net1')).toBe(1500);
    expect(await mtuOf('b', 'more')).toBe(1500);
    expect([await mtuOf('stray', 'eth0'), await mtuOf('b', 'veth12345678')]).toEqual([1500, 1500]);
  });
});
