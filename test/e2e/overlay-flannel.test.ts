// SPDX-License-Identifier: Apache-2.0
// From Flannel node by node: machine a of cluster.ts is ours, b and c are flanneld's, then b is
// ours, then c, while their pods live; and one goes back. What is asserted is what reaches whom.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { within } from '../support/listener.ts';
import { needsRoot } from '../support/needs.ts';
import { Cluster, FACTS, NAMES, type Name, PAIRS, PODS, RECOVERY_MS } from './cluster.ts';
import type { FlanneldOptions } from './flanneld.ts';
import { API, serveKubernetes } from './kubernetes.ts';

const FLANNELD = fileURLToPath(new URL('./flanneld.ts', import.meta.url));
const DATA = 'flannel.alpha.coreos.com/backend-data';
/** Until flanneld is held for gone and ours is in its place. */
const TAKEOVER_MS = 30_000 + RECOVERY_MS;
const PATIENCE_MS = 180_000;
/** Longer than a look takes, and less than a restart may. */
const LOOKS_MS = 3_000;
/** For how long pods may be out of reach while their node changes hands. */
const GAP_MS = 1_000;
type Theirs = 'b' | 'c';

describe.skipIf(needsRoot !== '')(`from Flannel, node by node ${needsRoot}`, () => {
  let cluster: Cluster;
  const daemons = new Map<Name, string>();

  async function startFlanneld(name: Theirs): Promise<void> {
    const options: FlanneldOptions = {
      ...{ api: API, node: name, dev: 'eth0', mtu_bytes: FACTS[name].mtu },
      addresses: [FACTS[name].own, FACTS[name].own6],
      subnetEnv: cluster.path(`${name}.subnet.env`),
    };
    const words = [process.execPath, '--no-warnings', FLANNELD, JSON.stringify(options)];
    const command = ['ip', 'netns', 'exec', name, ...words];
    daemons.set(name, await cluster.cell.start(command, cluster.path(`${name}.flanneld.log`)));
  }
  const killFlanneld = (name: Theirs) =>
    cluster.cell.run(['sh', '-c', `kill -TERM ${daemons.get(name)}`]);

  /** A pod as Flannel's own conflist makes it. */
  function flannelPod(name: Name, pod: string): Promise<string> {
    const conf = {
      ...{ type: 'flannel', subnetFile: cluster.path(`${name}.subnet.env`) },
      dataDir: cluster.path(`${name}.flannel`),
      delegate: { bridge: 'cni0', isDefaultGateway: true },
    };
    return cluster.attach(name, 'ADD', conf, pod);
  }

  async function expectAllReached(): Promise<void> {
    for (const [from, to] of PAIRS) {
      for (const address of PODS[to]) {
        await within(RECOVERY_MS, `${from} reaches ${address}`, () =>
          cluster.reaches(`pod-${from}`, address),
        );
        expect([from, address, await cluster.reaches(from, address)]).toEqual([
          ...[from, address, true],
        ]);
      }
    }
  }
  const linkOf = async (name: Name, dev: string) =>
    (await cluster.cell.call(['ip', '-n', name, '-o', 'link', 'show', dev], {}, '')).stdout;
  const macOf = async (name: Name, dev: string): Promise<string> =>
    (await cluster.on(name, 'cat', `/sys/class/net/${dev}/address`)).trim();
  async function annotationsOf(name: Name): Promise<Record<string, string>> {
    const nodes = JSON.parse(readFileSync(cluster.path('api'), 'utf8')) as [
      string,
      { metadata: { annotations?: Record<string, string> } },
    ][];
    return new Map(nodes).get(name)?.metadata.annotations ?? {};
  }

  /** Flanneld's node becomes ours: beside flanneld the agent waits, and then takes over. */
  async function switchOver(name: Theirs): Promise<void> {
    const [device, mac] = [await linkOf(name, 'flannel.1'), await macOf(name, 'flannel.1')];
    const [mac6, said] = [await macOf(name, 'flannel-v6.1'), await annotationsOf(name)];
    const expectTheirs = async (): Promise<void> => {
      expect(await cluster.ready(name)).toBe(false);
      expect(await linkOf(name, 'flannel.1')).toBe(device);
      expect(await linkOf(name, 'fl.1')).toBe('');
      await within(RECOVERY_MS, 'others are told the same', async () =>
        isDeepStrictEqual(await annotationsOf(name), said),
      );
    };
    await cluster.spawnAgent(name);
    await within(RECOVERY_MS, 'it says why it waits', async () =>
      cluster.log(name).includes('flanneld runs on this node (process '),
    );
    const pause = () => new Promise((resolve) => setTimeout(resolve, LOOKS_MS));
    await pause();
    await expectTheirs();
    expect(await cluster.on(name, 'nft', 'list', 'tables')).not.toContain('overlay');
    // As an update of its DaemonSet does it.
    await killFlanneld(name);
    await pause();
    await expectTheirs();
    await startFlanneld(name);
    await pause();
    await expectTheirs();
    await expectAllReached();

    const ping = ['ip', 'netns', 'exec', 'pod-a', 'ping', '-q', '-i', '0.02', PODS[name][0]];
    const said_by_ping = cluster.path(`${name}.ping`);
    const pinging = await cluster.cell.start(ping, said_by_ping);
    await killFlanneld(name);
    await within(TAKEOVER_MS, 'it takes over', () => cluster.ready(name));
    await pause();
    await cluster.cell.run(['kill', '-INT', pinging]);
    const counts = /(\d+) packets transmitted, (\d+)/;
    await within(RECOVERY_MS, 'ping has counted', async () =>
      counts.test(readFileSync(said_by_ping, 'utf8')),
    );
    const [, sent, back] = counts.exec(readFileSync(said_by_ping, 'utf8')) ?? [];
    const lost_ms = (Number(sent) - Number(back)) * 20;
    console.log(`${name} is ours: its pods were not reached for ${lost_ms} ms`);
    expect(lost_ms).toBeLessThan(GAP_MS);
    expect(cluster.log(name)).toMatch(/link del flannel\.1: flanneld is gone, and ours takes/);
    for (const dev of ['flannel.1', 'flannel-v6.1']) expect(await linkOf(name, dev)).toBe('');
    // Others' entries stay right.
    expect([await macOf(name, 'fl.1'), await macOf(name, 'fl6.1')]).toEqual([mac, mac6]);
    await within(RECOVERY_MS, 'others are told its MAC', async () =>
      isDeepStrictEqual(JSON.parse((await annotationsOf(name))[DATA] ?? '{}'), {
        ...{ VNI: 1, VtepMAC: mac },
      }),
    );
    await expectAllReached();
  }

  beforeAll(async () => {
    cluster = await Cluster.open(async (made) => {
      cluster = made;
      await serveKubernetes(made);
      made.starts = [];
      made.moreOf = (name) => ({ flannel: true, subnetEnv: made.path(`${name}.subnet.env`) });
      await within(RECOVERY_MS, 'the API is there', async () => {
        const ask = `fetch(${JSON.stringify(`${API}/api/v1/nodes`)}).catch(() => process.exit(1))`;
        const words = ['ip', 'netns', 'exec', 'b', process.execPath, '-e', ask];
        return (await made.cell.call(words, {}, '')).code === 0;
      });
      await startFlanneld('b');
      await startFlanneld('c');
    });
    await cluster.spawnAgent('a');
    await within(TAKEOVER_MS, 'a is ready', () => cluster.ready('a'));
    await cluster.plugin('a', 'ADD');
    for (const name of ['b', 'c'] as const) {
      await within(RECOVERY_MS, 'subnet.env', async () => {
        return (
          (await cluster.cell.call(['cat', cluster.path(`${name}.subnet.env`)], {}, '')).code === 0
        );
      });
      await flannelPod(name, `pod-${name}`);
    }
  });
  afterAll(() => cluster?.cell.close());

  test('ours and theirs reach each other’s pods in both families', async () => {
    await expectAllReached();
    expect(await cluster.on('b', 'bridge', 'fdb', 'show', 'dev', 'flannel.1')).toContain(
      `${await macOf('a', 'fl.1')} dst ${FACTS.a.own}`,
    );
    // Others are Flannel’s: it takes c’s 9000 bytes for all of the way, and 50 off for IPv6.
    for (const [from, to] of [
      ['a', 'c'],
      ['b', 'a'],
    ] as const) {
      for (const [family, address] of PODS[to].entries()) {
        expect(await cluster.moves(from, to, address, 2)).toEqual({
          ...{ bytes: 2 * 2 ** 20, from: PODS[from][family] },
        });
      }
    }
  });

  test(
    'b becomes ours while its pods live; a new pod has an address of its own',
    async () => {
      await switchOver('b');
      await cluster.cell.run(['ip', 'netns', 'add', 'late-b']);
      const result = JSON.parse(await flannelPod('b', 'late-b')) as { ips: { address: string }[] };
      const [v4 = ''] = result.ips.map(({ address }) => address.replace(/\/.*/, ''));
      expect(v4).toBe('10.244.2.3');
      for (const from of ['pod-b', 'pod-a', 'pod-c']) {
        expect([from, await cluster.reaches(from, v4)]).toEqual([from, true]);
      }
    },
    PATIENCE_MS,
  );

  test(
    'c becomes ours: nothing of Flannel’s is left on any node',
    async () => {
      await switchOver('c');
      for (const name of NAMES) {
        expect(await cluster.on(name, 'ip', 'route')).not.toContain('flannel');
      }
    },
    PATIENCE_MS,
  );

  test('one goes back: it leaves, flanneld starts, and its pods are reached', async () => {
    await cluster.stopAgent('c');
    expect((await cluster.agent('c', 'leave')).code).toBe(0);
    await startFlanneld('c');
    await within(RECOVERY_MS, 'flannel.1', async () => (await linkOf('c', 'flannel.1')) !== '');
    await expectAllReached();
  });
});
