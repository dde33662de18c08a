// SPDX-License-Identifier: Apache-2.0
// Ten nodes on one link, told of each other by a server of the Kubernetes API: how long it takes
// until a new one's pods are reached from all others, and what an agent tells and takes back of
// pods that ended without a DEL. Times are printed; what is asserted is the state.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NATIVE, NODE } from '../support/hosts.ts';
import { within } from '../support/listener.ts';
import { needsRoot } from '../support/needs.ts';
import { Cell } from './cell.ts';
import { kubeconfigOf, serverScript } from './kubernetes.ts';

const COUNT = 10;
const LIMIT_MS = 30_000;
const HOST = '192.0.2.254';
const API = `http://${HOST}:2379`;
const NUMBERS = Array.from({ length: COUNT }, (_, at) => at + 1);
const OTHERS = NUMBERS.slice(0, -1);

const objectOf = (number: number) => ({
  metadata: { name: `n${number}`, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { podCIDRs: [`10.244.${number}.0/24`] },
  status: { addresses: [{ type: 'InternalIP', address: `192.0.2.${number}` }] },
});

describe.skipIf(needsRoot !== '')(`ten nodes ${needsRoot}`, () => {
  let cell: Cell;
  const path = (name: string): string => join(cell.folder, name);
  const on = (name: string, ...command: string[]): string[] => {
    return ['ip', 'netns', 'exec', name, ...command];
  };

  async function machine(name: string, address: string): Promise<void> {
    const lines = [
      `netns add ${name}`,
      `-n lan link add ${name} type veth peer eth0 netns ${name}`,
      `-n lan link set ${name} master br0 up`,
      `-n ${name} link set lo up`,
      `-n ${name} link set eth0 up`,
      `-n ${name} addr add ${address}/24 dev eth0`,
    ];
    for (const line of lines) await cell.run(['ip', ...line.split(' ')]);
  }

  async function startAgent(number: number): Promise<void> {
    const config = {
      ...{ name: 'pods', node: `n${number}`, gc: '1s' },
      'net-conf': { Network: '10.244.0.0/16' },
      source: { type: 'kubernetes', kubeconfig: path('kubeconfig') },
      conflist: { path: path(`${number}.net.d/10-pods.conflist`) },
    };
    writeFileSync(path(`${number}.json`), JSON.stringify(config));
    await cell.start(on(`n${number}`, ...agent(number, 'run')), path(`${number}.log`));
  }
  const agent = (number: number, verb: string): string[] => [
    ...[NODE.program, 'agent', verb, '--config', path(`${number}.json`)],
    ...['--state-dir', path(`${number}.state`), '--disk-dir', path(`${number}.disk`)],
  ];
  const ready = (number: number): Promise<number> =>
    within(LIMIT_MS, `${number} is ready`, async () => {
      return (await cell.call(on(`n${number}`, ...agent(number, 'status')), {}, '')).code === 0;
    });

  async function addPod(number: number, pod: string): Promise<void> {
    await cell.run(['ip', 'netns', 'add', pod]);
    const { program } = NATIVE.why === '' ? NATIVE : NODE;
    const link = path('fairlead-overlay');
    await cell.run(['ln', '-sf', program, link]);
    const config = {
      ...{ cniVersion: '1.0.0', name: 'pods', type: 'fairlead-overlay' },
      ipam: { dataDir: path(`${number}.leases`) },
    };
    const env = {
      ...{ CNI_COMMAND: 'ADD', CNI_CONTAINERID: pod, CNI_IFNAME: 'eth0' },
      ...{ CNI_NETNS: `/run/netns/${pod}`, CNI_PATH: cell.folder },
      CNI_FAIRLEAD_STATE_DIR: path(`${number}.state`),
    };
    const { code, stdout } = await cell.call(on(`n${number}`, link), env, JSON.stringify(config));
    expect([code, stdout]).toEqual([0, expect.stringContaining('10.244')]);
  }

  beforeAll(async () => {
    cell = await Cell.open();
    for (const line of [
      'netns add lan',
      '-n lan link add br0 type bridge',
      '-n lan link set br0 up',
    ])
      await cell.run(['ip', ...line.split(' ')]);
    await machine('api', HOST);
    writeFileSync(path('kubeconfig'), kubeconfigOf(API));
    const script = serverScript(HOST, OTHERS.map(objectOf), path('api'));
    await cell.start(on('api', process.execPath, '--no-warnings', ...script), path('api.log'));
    for (const number of NUMBERS) await machine(`n${number}`, `192.0.2.${number}`);
    for (const number of NUMBERS) await startAgent(number);
    for (const number of OTHERS) await ready(number);
    for (const number of OTHERS) await addPod(number, `pod-${number}`);
  });
  afterAll(() => cell?.close());

  test('a new node’s pods are reached from all others', async () => {
    // What a router says of it ends a ping, whatever its options.
    const once = `ping -q -c 1 -W 0.2 10.244.${COUNT}.1 >/dev/null`;
    const ping = ['timeout', '25', 'sh', '-c', `until ${once}; do sleep 0.02; done`];
    const waiting = OTHERS.map((number) => cell.call(on(`pod-${number}`, ...ping), {}, ''));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const post = `fetch(${JSON.stringify(`${API}/api/v1/nodes`)}, { method: 'POST', body:
      ${JSON.stringify(JSON.stringify(objectOf(COUNT)))} }).then(() => console.log(Date.now()))`;
    const since_ms = Number(await cell.run(on('api', process.execPath, '-e', post)));
    const done = await Promise.all(waiting);
    const took_ms = Date.now() - since_ms;
    console.log(`the new node is reached from ${OTHERS.length} pods after ${took_ms} ms`);
    expect(done.map(({ code }) => code)).toEqual(OTHERS.map(() => 0));
    await ready(COUNT);
    await addPod(COUNT, `pod-${COUNT}`);
    for (const number of OTHERS) {
      const probe = ['ping', '-q', '-c', '1', '-W', '2', `10.244.${COUNT}.2`];
      expect((await cell.call(on(`pod-${number}`, ...probe), {}, '')).code).toBe(0);
    }
  });

  test('leases are told; a pod that ended without a DEL is taken back', async () => {
    const script = `fetch('http://127.0.0.1:9473/metrics').then((r) => r.text()).then(console.log)`;
    const metric = async (name: string): Promise<string> => {
      const said = await cell.run(on('n1', process.execPath, '-e', script));
      return (
        new RegExp(`^fairlead_${name}(?:\\{network="pods"\\})? (\\S+)$`, 'm').exec(said)?.[1] ??
        said
      );
    };
    await addPod(1, 'gone');
    await within(LIMIT_MS, 'both are told', async () => (await metric('leases_used')) === '2');
    expect(await metric('collected_total')).toBe('0');
    await cell.run(['ip', 'netns', 'del', 'gone']);
    await within(
      LIMIT_MS,
      'it is taken back',
      async () => (await metric('collected_total')) === '1',
    );
    await within(LIMIT_MS, 'its lease is free', async () => (await metric('leases_used')) === '1');
    expect(await metric('leases_leaked')).toBe('0');
    // 256 but for the first, the last, the gateway, and the pod that lives.
    expect(await metric('leases_free')).toBe('252');
    const given = await cell.run(['ls', path('1.leases/pods')]);
    expect(given.split('\n').filter((name) => name.startsWith('10.'))).toEqual(['10.244.1.2']);
    const ping = ['ping', '-q', '-c', '1', '-W', '2', '10.244.1.2'];
    expect((await cell.call(on('pod-2', ...ping), {}, '')).code).toBe(0);
  });
});
