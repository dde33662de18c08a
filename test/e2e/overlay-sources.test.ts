// SPDX-License-Identifier: Apache-2.0
// The cluster of cluster.ts, told of its nodes by a real etcd on machine a, then by a server of
// the Kubernetes API there: what reaches whom while those are away, are back, and at a start
// without them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { etcdArguments } from '../support/etcd.ts';
import { within } from '../support/listener.ts';
import { needsEtcd, needsRoot } from '../support/needs.ts';
import { Cluster, clusterNode, FACTS, NAMES, PAIRS, PODS, RECOVERY_MS } from './cluster.ts';
import { type OBJECTS, serveKubernetes } from './kubernetes.ts';

const PORT = 2379;

async function expectAllReached(cluster: Cluster): Promise<void> {
  for (const [from, to] of PAIRS) {
    for (const address of PODS[to]) {
      await within(RECOVERY_MS, `${from} reaches ${address}`, () =>
        cluster.reaches(`pod-${from}`, address),
      );
    }
  }
}

/** Pings for some seconds beside what else is done; how many of its packets were lost. */
async function lossOf(cluster: Cluster, seconds: number): Promise<string> {
  const ping = ['ping', '-q', '-i', '0.2', '-w', String(seconds), PODS.c[0]];
  const { stdout } = await cluster.cell.call(['ip', 'netns', 'exec', 'pod-b', ...ping], {}, '');
  return /(\d+)% packet loss/.exec(stdout)?.[1] ?? stdout;
}

/** Its pod goes, and comes again with the address that it had. */
async function renewPod(cluster: Cluster, name: 'a' | 'b'): Promise<void> {
  await cluster.plugin(name, 'DEL');
  await cluster.cell.run(['rm', '-rf', cluster.path(`${name}.leases`)]);
  await cluster.plugin(name, 'ADD');
}

/** As a machine that starts anew: no agent, nothing in the kernel or in /run. */
async function reboot(cluster: Cluster, name: 'b'): Promise<void> {
  await cluster.plugin(name, 'DEL');
  await cluster.stopAgent(name, 'KILL');
  await cluster.cell.run(['ip', '-n', name, 'link', 'del', 'fl.1']);
  await cluster.cell.call(['ip', '-n', name, 'route', 'flush', 'proto', '157'], {}, '');
  await cluster.cell.run(['rm', '-rf', cluster.path(`${name}.state`)]);
  await cluster.cell.run(['rm', '-rf', cluster.path(`${name}.leases`)]);
}

describe.skipIf(needsRoot !== '' || needsEtcd !== '')(
  `three machines and etcd ${needsRoot || needsEtcd}`,
  () => {
    let cluster: Cluster;
    let etcd = '';

    async function startEtcd(): Promise<void> {
      const words = etcdArguments(cluster.path('etcd'), FACTS.a.own, PORT);
      const command = ['ip', 'netns', 'exec', 'a', 'etcd', ...words];
      etcd = await cluster.cell.start(command, cluster.path('etcd.log'));
    }
    const kill = (): Promise<string> => cluster.cell.run(['sh', '-c', `kill -KILL ${etcd}`]);

    beforeAll(async () => {
      cluster = await Cluster.open(async (made) => {
        cluster = made;
        const endpoints = [`http://${FACTS.a.own}:${PORT}`];
        made.sourceOf = () => ({ type: 'etcd', endpoints, leaseTTL: 60 });
        for (const name of NAMES) {
          // What a node had before it asks for again: so tests know the addresses.
          const folder = join(made.path(`${name}.disk`), 'overlay');
          mkdirSync(folder, { recursive: true });
          const { subnets } = clusterNode(name);
          writeFileSync(join(folder, 'pods.claim.json'), JSON.stringify({ subnets }));
        }
        await startEtcd();
      });
      for (const name of NAMES) await cluster.plugin(name, 'ADD');
    });
    afterAll(() => cluster?.cell.close());

    test('every pod reaches every other one', async () => {
      await expectAllReached(cluster);
    });

    test('etcd is away for ten seconds: no packet is lost, and pods come and go', async () => {
      await kill();
      const loss = lossOf(cluster, 10);
      await within(RECOVERY_MS, 'it is said', async () =>
        cluster.log('b').includes('etcd does not answer'),
      );
      await renewPod(cluster, 'a');
      expect(await cluster.ready('a')).toBe(true);
      expect(await loss).toBe('0');
      await startEtcd();
      await within(RECOVERY_MS * 3, 'it answers', async () =>
        cluster.log('b').includes('the source answers again'),
      );
      await expectAllReached(cluster);
      for (const name of NAMES) expect(cluster.log(name)).not.toMatch(/ (link|route) del /);
    });

    test('a machine starts while etcd is away: it is wired as before', async () => {
      await kill();
      await reboot(cluster, 'b');
      expect(await cluster.reaches('a', PODS.b[0])).toBe(false);
      await cluster.startAgent('b');
      await cluster.plugin('b', 'ADD');
      await expectAllReached(cluster);
      await startEtcd();
      await within(RECOVERY_MS * 3, 'it answers', async () =>
        cluster.log('b').endsWith('the source answers again\n'),
      );
      await expectAllReached(cluster);
    });

    test('leaving takes all away, without asking etcd', async () => {
      await cluster.plugin('c', 'DEL');
      await cluster.stopAgent('c');
      await kill();
      const { code } = await cluster.agent('c', 'leave');
      expect(code).toBe(0);
      expect(await cluster.on('c', 'ip', '-br', 'link')).not.toContain('fl.1');
    });
  },
);

describe.skipIf(needsRoot !== '')(`three machines of Kubernetes ${needsRoot}`, () => {
  let cluster: Cluster;
  let server = '';
  beforeAll(async () => {
    cluster = await Cluster.open(async (made) => {
      cluster = made;
      server = await serveKubernetes(made);
    });
    for (const name of NAMES) await cluster.plugin(name, 'ADD');
  });
  afterAll(() => cluster?.cell.close());

  test('every pod reaches every other one, and the nodes say so', async () => {
    await expectAllReached(cluster);
    const said = async () => (await cluster.cell.call(['cat', cluster.path('api')], {}, '')).stdout;
    await within(RECOVERY_MS, 'all say it', async () => {
      const nodes = JSON.parse(await said()) as [string, (typeof OBJECTS)[number]][];
      return nodes.every(([, node]) => JSON.stringify(node).includes('"NetworkUnavailable"'));
    });
    // The MTU of b's link is known on a, which so holds its packets to it.
    const routes = async () => cluster.on('a', 'ip', 'route', 'show', '10.244.2.0/24');
    await within(RECOVERY_MS, 'the MTU', async () => (await routes()).includes('mtu 1350'));
  });

  test('the API is away, and a machine starts: no packet is lost, and it is wired', async () => {
    await cluster.cell.run(['sh', '-c', `kill -KILL ${server}`]);
    expect(await lossOf(cluster, 3)).toBe('0');
    await reboot(cluster, 'b');
    await cluster.startAgent('b');
    await cluster.plugin('b', 'ADD');
    await expectAllReached(cluster);
    expect(cluster.log('b')).toContain('cannot list the nodes');
  });
});
