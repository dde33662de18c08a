// SPDX-License-Identifier: Apache-2.0
// etcd as the source of nodes, against the real one: claims, leases, the watch, and what becomes
// of them when etcd is killed, forgets, or is another one. It needs no root.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { configOf, type EtcdSourceConfig } from '../../agent/overlay/config.ts';
import { Memory } from '../../agent/overlay/sources/etcd/memory.ts';
import { EtcdSource } from '../../agent/overlay/sources/etcd/source.ts';
import { Etcd } from '../support/etcd.ts';
import { Ear, within } from '../support/listener.ts';
import { needsEtcd } from '../support/needs.ts';

const WITHIN_MS = 15_000;
const OWN = { ready: true, mtu_bytes: 1400, macs: { v4: '02:00:00:00:00:01' } };

describe.skipIf(needsEtcd !== '')(`etcd ${needsEtcd}`, () => {
  let etcd: Etcd;
  let folder = '';
  let prefix = '';
  let count = 0;
  const ears: Ear[] = [];

  beforeAll(async () => {
    etcd = await Etcd.open();
    folder = mkdtempSync(join(tmpdir(), 'fairlead-claims-'));
  });
  afterAll(async () => {
    await etcd?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(() => {
    for (const ear of ears.splice(0)) ear.source.stop();
    prefix = '';
  });

  interface Wanted {
    readonly conf?: object;
    readonly more?: object;
    readonly boot?: string;
    readonly flannel?: boolean;
  }

  /** An agent's source; those of one test share a network that no other has. */
  function start(node: string, number: number, wanted: Wanted = {}): Ear {
    const { conf, more, boot = 'boot', flannel = false } = wanted;
    prefix ||= `/net${count++}`;
    const net_conf = conf ?? { Network: '10.244.0.0/16', Backend: { Type: 'vxlan' } };
    const source = {
      ...{ type: 'etcd', endpoints: [etcd.url], prefix, addresses: [`192.0.2.${number}`] },
      ...more,
    };
    const config = configOf(
      JSON.stringify({ name: 'pods', node, flannel, 'net-conf': net_conf, source }),
    );
    const memory = new Memory(claimOf(node), boot);
    const ear = new Ear((log) => {
      return new EtcdSource({ config, source: config.source as EtcdSourceConfig, memory, log });
    });
    ears.push(ear);
    return ear;
  }
  const claimOf = (node: string): string => join(folder, `${prefix.slice(1)}-${node}.json`);
  const keys = async (): Promise<string[]> => [...(await etcd.all(`${prefix}/subnets/`)).keys()];
  const said = async (key: string) => (await etcd.all(`${prefix}/subnets/`)).get(key)!;
  const subnetOf = (ear: Ear, node: string): string | undefined =>
    ear.nodes.get(node)?.subnets?.join('&').replaceAll('/', '-');
  async function claimed(ear: Ear, node: string): Promise<string> {
    await within(WITHIN_MS, `${node} has a subnet`, () => subnetOf(ear, node) !== undefined);
    return subnetOf(ear, node)!;
  }
  const knows = (ear: Ear, names: readonly string[]): Promise<number> =>
    within(WITHIN_MS, `it knows ${names}`, () => ear.names.join() === [...names].sort().join());

  test('claims a subnet in the layout of Flannel, and says what others need', async () => {
    const a = start('a', 1);
    const key = await claimed(a, 'a');
    expect(key).toMatch(/^10\.244\.\d+\.0-24$/);
    expect(key).not.toBe('10.244.0.0-24');
    a.source.publish(OWN);
    await within(WITHIN_MS, 'it is said', async () => (await said(key)).value.includes('1400'));
    const { value, lease } = await said(key);
    expect(JSON.parse(value)).toEqual({
      PublicIP: '192.0.2.1',
      PublicIPv6: null,
      BackendType: 'vxlan',
      BackendData: { VNI: 1, VtepMAC: '02:00:00:00:00:01' },
      BackendV6Data: null,
      Fairlead: { node: 'a', mtu_bytes: 1400 },
    });
    expect(lease).not.toBe('0');
    const b = start('b', 2);
    await knows(b, ['a', 'b']);
    expect(b.nodes.get('a')).toMatchObject({
      ...{ addresses: ['192.0.2.1'], mtu_bytes: 1400, macs: { v4: '02:00:00:00:00:01' } },
      subnets: [key.replace('-', '/')],
    });
    await knows(a, ['a', 'b']);
    expect(a.updates.filter(({ full }) => full)).toHaveLength(1);
  });

  test('two families, cut as the key "config" says', async () => {
    prefix = `/net${count++}`;
    const conf = { Network: '10.244.0.0/16', IPv6Network: 'fd00:244::/48', SubnetLen: 26 };
    await etcd.put(`${prefix}/config`, JSON.stringify({ ...conf, SubnetMin: '10.244.9.0' }));
    const a = start('a', 1, { conf: { Network: '10.244.0.0/16', IPv6Network: 'fd00:244::/48' } });
    const key = await claimed(a, 'a');
    const [, octet] = /^10\.244\.(\d+)\.\d+-26&fd00:244:0:[0-9a-f]+::-64$/.exec(key) ?? [];
    expect(Number(octet)).toBeGreaterThanOrEqual(9);
    expect(await keys()).toEqual([key]);
  });

  test('another network in etcd than the agent’s is trouble: nothing is claimed', async () => {
    prefix = `/net${count++}`;
    await etcd.put(`${prefix}/config`, JSON.stringify({ Network: '10.99.0.0/16' }));
    const a = start('a', 1);
    await within(WITHIN_MS, 'it says so', () => a.now.includes('10.99.0.0/16'));
    expect(await keys()).toEqual([]);
  });

  test('ten agents that start at once in a network of ten subnets: one each', async () => {
    const conf = { Network: '10.9.0.0/24', SubnetLen: 28, SubnetMin: '10.9.0.16' };
    // Of the second family there are plenty: keys that differ may still overlap in the first.
    const max = { SubnetMax: '10.9.0.160', IPv6Network: 'fd00:9::/48' };
    const v4 = (key: string): string => key.split('&')[0]!;
    const nodes = Array.from({ length: 10 }, (_, at) => `n${at}`);
    const all = nodes.map((node, at) => start(node, at + 1, { conf: { ...conf, ...max } }));
    const subnets = await Promise.all(all.map((ear, at) => claimed(ear, nodes[at]!)));
    expect(new Set(subnets.map(v4)).size).toBe(10);
    expect((await keys()).sort()).toEqual([...subnets].sort());
    for (const ear of all) await knows(ear, nodes);
    // No room for one more, and it says so; then there is.
    const late = start('late', 20, { conf: { ...conf, ...max } });
    await within(WITHIN_MS, 'it says so', () => late.now.includes('every subnet'));
    all[3]!.source.stop();
    await etcd.remove(`${prefix}/subnets/${subnets[3]}`);
    expect(v4(await claimed(late, 'late'))).toBe(v4(subnets[3]!));
    await within(WITHIN_MS, 'the trouble is over', () => late.now === '');
  });

  test('a start anew takes over key and lease, and takes back nothing that was said', async () => {
    const first = start('a', 1);
    const key = await claimed(first, 'a');
    first.source.publish(OWN);
    await within(WITHIN_MS, 'it is said', async () => (await said(key)).value.includes('1400'));
    const before = await said(key);
    first.source.stop();
    const again = start('a', 1);
    expect(await claimed(again, 'a')).toBe(key);
    expect(await said(key)).toEqual(before);
    // Also without what it remembered: by its address.
    again.source.stop();
    rmSync(claimOf('a'));
    expect(await claimed(start('a', 1), 'a')).toBe(key);
  });

  test('the subnet of before is asked for first, also in another boot', async () => {
    const first = start('a', 1);
    const key = await claimed(first, 'a');
    first.source.stop();
    await etcd.remove(`${prefix}/subnets/${key}`);
    expect(await claimed(start('a', 1, { boot: 'next' }), 'a')).toBe(key);
  });

  test('a subnet that another took is kept in this boot, in the next another claimed', async () => {
    const first = start('a', 1);
    const key = await claimed(first, 'a');
    first.source.stop();
    const theirs = JSON.stringify({ PublicIP: '192.0.2.77', BackendType: 'vxlan' });
    await etcd.put(`${prefix}/subnets/${key}`, theirs);
    const bound = start('a', 1);
    await within(WITHIN_MS, 'it says so', () => bound.now.includes("is 192.0.2.77's"));
    expect(await keys()).toEqual([key]);
    bound.source.stop();
    const next = await claimed(start('a', 1, { boot: 'next' }), 'a');
    expect(next).not.toBe(key);
  });

  test('one name for two machines: the second takes nothing, and is no node', async () => {
    const first = start('a', 1);
    const key = await claimed(first, 'a');
    rmSync(claimOf('a'));
    const second = start('a', 9);
    await within(WITHIN_MS, 'it says so', () => second.now.includes('another name'));
    expect(await keys()).toEqual([key]);
    expect(second.names).toEqual([`a (${key})`]);
  });

  test('a key that somebody deletes is claimed again, with the same subnet', async () => {
    const a = start('a', 1);
    const b = start('b', 2);
    const key = await claimed(a, 'a');
    await knows(b, ['a', 'b']);
    await etcd.remove(`${prefix}/subnets/${key}`);
    await within(WITHIN_MS, 'it is back', async () => (await keys()).includes(key));
    await knows(b, ['a', 'b']);
    // Its own pods were never told that it is gone.
    expect(a.updates.flatMap(({ gone }) => gone)).not.toContain('a');
    expect(a.updates.every(({ full, nodes }) => !full || nodes[0]?.name === 'a')).toBe(true);
  });

  test('a lease that ends: the same subnet, and a lease that lives', async () => {
    const a = start('a', 1, { more: { leaseTTL: 5 } });
    const key = await claimed(a, 'a');
    const { lease } = await said(key);
    await etcd.call('/v3/lease/revoke', { ID: lease });
    await within(WITHIN_MS, 'it is back', async () => (await keys()).includes(key));
    const after = await said(key);
    expect(after.lease).not.toBe(lease);
    // Longer than a lease lasts by itself.
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    expect(await said(key)).toEqual(after);
  });

  test('keys of Flannel’s agents are nodes; what is none is passed over', async () => {
    prefix = `/net${count++}`;
    await etcd.put(
      `${prefix}/subnets/10.244.7.0-24`,
      JSON.stringify({
        ...{ PublicIP: '192.0.2.7', PublicIPv6: null, BackendType: 'vxlan' },
        BackendData: { VNI: 1, VtepMAC: '02:00:00:00:00:07' },
      }),
    );
    for (const [key, value] of [
      ['10.244.8.0-24', '{"PublicIP":'],
      ['10.244.9.0-24', '[1]'],
      ['10.244.10.0-24', '{"PublicIP":"no address"}'],
      ['what', '{"PublicIP":"192.0.2.8"}'],
    ] as const) {
      await etcd.put(`${prefix}/subnets/${key}`, value);
    }
    const a = start('a', 1);
    await knows(a, ['192.0.2.7', 'a']);
    expect(a.nodes.get('192.0.2.7')).toMatchObject({
      ...{ subnets: ['10.244.7.0/24'], addresses: ['192.0.2.7'] },
      macs: { v4: '02:00:00:00:00:07' },
    });
    expect(a.log.filter((line) => line.includes('is no node'))).toHaveLength(4);
  });

  test('the key that flanneld of this node left becomes its own, and says the same', async () => {
    prefix = `/net${count++}`;
    const key = '10.244.7.0-24';
    const theirs = {
      ...{ PublicIP: '192.0.2.1', PublicIPv6: null, BackendType: 'vxlan' },
      BackendData: { VNI: 1, VtepMAC: '02:00:00:00:00:07' },
    };
    await etcd.put(`${prefix}/subnets/${key}`, JSON.stringify(theirs));
    await etcd.put(
      `${prefix}/subnets/10.244.8.0-24`,
      JSON.stringify({ ...theirs, PublicIP: '192.0.2.8' }),
    );
    const a = start('a', 1, { flannel: true });
    expect(await claimed(a, 'a')).toBe(key);
    await knows(a, ['192.0.2.8', 'a']);
    expect(a.nodes.get('a')).toMatchObject({ macs: { v4: '02:00:00:00:00:07' } });
    // Before the agent has said anything of its devices.
    expect(JSON.parse((await said(key)).value)).toMatchObject({
      ...theirs,
      Fairlead: { node: 'a' },
    });
    expect(await keys()).toEqual([key, '10.244.8.0-24']);
    // As while the kernel has no device of ours yet: others send to the MAC that is there.
    a.source.publish({ ...OWN, ready: false, mtu_bytes: 1300, macs: {} });
    await within(WITHIN_MS, 'it says its MTU', async () =>
      (await said(key)).value.includes('1300'),
    );
    expect(JSON.parse((await said(key)).value)).toMatchObject(theirs);
    a.source.publish({ ...OWN, macs: { v4: '02:00:00:00:00:07' } });
    await within(WITHIN_MS, 'it says its MTU', async () =>
      (await said(key)).value.includes('1400'),
    );
    expect(JSON.parse((await said(key)).value)).toMatchObject(theirs);
  });

  const strangers: [string, object, string][] = [
    ['another backend', { BackendType: 'host-gw', BackendData: null }, '"host-gw"'],
    ['another VNI', { BackendData: { VNI: 2, VtepMAC: '02:00:00:00:00:07' } }, 'its VNI is 2'],
  ];
  test.each(strangers)('a node of %s is left out with its word', async (_, more, word) => {
    const a = start('a', 1, { flannel: true });
    await claimed(a, 'a');
    const theirs = { PublicIP: '192.0.2.7', BackendType: 'vxlan', ...more };
    await etcd.put(`${prefix}/subnets/10.244.7.0-24`, JSON.stringify(theirs));
    await knows(a, ['192.0.2.7', 'a']);
    expect(a.nodes.get('192.0.2.7')?.unfit).toContain(word);
    expect(a.nodes.get('a')).not.toHaveProperty('unfit');
  });

  test.each(strangers)('the key of this node with %s stays flanneld’s', async (_, more, word) => {
    prefix = `/net${count++}`;
    const key = `${prefix}/subnets/10.244.7.0-24`;
    const value = JSON.stringify({ PublicIP: '192.0.2.1', BackendType: 'vxlan', ...more });
    await etcd.put(key, value);
    const a = start('a', 1, { flannel: true });
    await within(WITHIN_MS, 'it says so', () => a.now.includes(word));
    expect(a.now).toContain('is what flanneld said of this node');
    expect([await keys(), (await said('10.244.7.0-24')).value]).toEqual([['10.244.7.0-24'], value]);
  });

  test('changes are told as such, and a node that leaves is gone', async () => {
    const a = start('a', 1);
    await claimed(a, 'a');
    const value = (ip: string, node: string) =>
      JSON.stringify({ PublicIP: ip, Fairlead: { node } });
    await etcd.put(`${prefix}/subnets/10.244.7.0-24`, value('192.0.2.7', 'x'));
    await knows(a, ['a', 'x']);
    await etcd.put(`${prefix}/subnets/10.244.7.0-24`, value('192.0.2.8', 'x'));
    await within(WITHIN_MS, 'it has moved', () => a.nodes.get('x')?.addresses?.[0] === '192.0.2.8');
    await etcd.put(`${prefix}/subnets/10.244.7.0-24`, value('192.0.2.8', 'y'));
    await knows(a, ['a', 'y']);
    // Another one of that name: which is served is not decided by the name.
    await etcd.put(`${prefix}/subnets/10.244.6.0-24`, value('192.0.2.6', 'y'));
    await knows(a, ['a', 'y', 'y (10.244.6.0-24)']);
    await etcd.remove(`${prefix}/subnets/10.244.7.0-24`);
    await etcd.remove(`${prefix}/subnets/10.244.6.0-24`);
    await knows(a, ['a']);
    expect(a.updates.filter(({ full }) => full)).toHaveLength(1);
  });

  test('killed and started again: trouble, then all that happened, and one line each', async () => {
    const a = start('a', 1);
    const key = await claimed(a, 'a');
    const before = a.updates.length;
    await etcd.kill();
    await within(WITHIN_MS, 'it says so', () => a.now.includes('etcd does not answer'));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(a.updates).toHaveLength(before);
    await etcd.start();
    await etcd.put(`${prefix}/subnets/10.244.7.0-24`, JSON.stringify({ PublicIP: '192.0.2.7' }));
    await knows(a, ['192.0.2.7', 'a']);
    await within(WITHIN_MS, 'it answers', () => a.now === '');
    expect(await claimed(a, 'a')).toBe(key);
    // It went on from where it stood, and did not say "it answers" to fail again.
    expect(a.updates.filter(({ full }) => full)).toHaveLength(1);
    expect(a.troubles.filter((msg) => msg === '')).toHaveLength(1);
  });

  test('compacted meanwhile: all is listed anew', async () => {
    const a = start('a', 1);
    await claimed(a, 'a');
    await etcd.put(`${prefix}/subnets/10.244.7.0-24`, JSON.stringify({ PublicIP: '192.0.2.7' }));
    await knows(a, ['192.0.2.7', 'a']);
    await etcd.kill();
    await within(WITHIN_MS, 'it says so', () => a.now !== '');
    await etcd.apart(async () => {
      await etcd.remove(`${prefix}/subnets/10.244.7.0-24`);
      await etcd.put(`${prefix}/subnets/10.244.8.0-24`, JSON.stringify({ PublicIP: '192.0.2.8' }));
      await etcd.call('/v3/kv/compaction', { revision: String(await etcd.revision()) });
    });
    await etcd.start();
    await knows(a, ['192.0.2.8', 'a']);
    expect(a.updates.filter(({ full }) => full)).toHaveLength(2);
  });

  test('an etcd that lost its data: the same subnet, and nobody is forgotten at once', async () => {
    const a = start('a', 1);
    const key = await claimed(a, 'a');
    await etcd.put(`${prefix}/subnets/10.244.7.0-24`, JSON.stringify({ PublicIP: '192.0.2.7' }));
    await knows(a, ['192.0.2.7', 'a']);
    await etcd.kill();
    await within(WITHIN_MS, 'it says so', () => a.now !== '');
    await etcd.start(true);
    await within(WITHIN_MS, 'it is claimed', async () => (await keys()).includes(key));
    await within(WITHIN_MS, 'it answers', () => a.now === '');
    expect(a.names).toEqual(['192.0.2.7', 'a']);
  });

  test('the first of two endpoints is away: the second is asked', async () => {
    const a = start('a', 1, { more: { endpoints: ['http://127.0.0.1:9', etcd.url] } });
    await claimed(a, 'a');
    await within(WITHIN_MS, 'it answers', () => a.now === '');
    expect(a.troubles.filter((msg) => msg !== '')).toEqual([]);
  });

  test('a user with a password, whose token ends; without a right it says so', async () => {
    const root = await Etcd.open();
    try {
      const password = join(folder, 'password');
      writeFileSync(password, 'secret\n');
      await root.call('/v3/auth/user/add', { name: 'root', password: 'secret' });
      await root.call('/v3/auth/role/add', { name: 'root' });
      await root.call('/v3/auth/user/grant', { user: 'root', role: 'root' });
      await root.call('/v3/auth/user/add', { name: 'weak', password: 'secret' });
      await root.call('/v3/auth/enable', {});
      const more = { endpoints: [root.url], user: 'root', passwordFile: password };
      const a = start('a', 1, { more });
      const key = await claimed(a, 'a');
      // Simple tokens are in the memory of a member: none is valid any more.
      await root.kill();
      await root.start();
      a.source.publish(OWN);
      await within(WITHIN_MS, 'it is said', () => a.nodes.get('a')?.mtu_bytes === 1400);
      expect(await claimed(a, 'a')).toBe(key);
      const weak = start('b', 2, { more: { ...more, user: 'weak' } });
      await within(WITHIN_MS, 'it says so', () => weak.now.includes('permission denied'));
    } finally {
      await root.close();
    }
  });

  test('what it remembers is its subnet, and the boot', async () => {
    const key = await claimed(start('a', 1), 'a');
    expect(JSON.parse(readFileSync(claimOf('a'), 'utf8'))).toEqual({
      subnets: [key.replace('-', '/')],
      boot_id: 'boot',
    });
    for (const text of ['', '{', 'null', '{"subnets":[1]}']) {
      writeFileSync(claimOf('a'), text);
      expect(new Memory(claimOf('a'), 'boot').read()).toBeUndefined();
    }
  });
});
