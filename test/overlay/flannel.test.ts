// SPDX-License-Identifier: Apache-2.0
// Nodes of Flannel's among ours: what the configuration takes, what of their annotations counts,
// how the machine wires them, and when flanneld is held for running here. Packets are
// test/e2e/overlay-flannel's.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configOf } from '../../agent/overlay/config.ts';
import { Flanneld, flanneldHere } from '../../agent/overlay/flannel.ts';
import { flannelWords, reduced } from '../../agent/overlay/sources/kubernetes/node.ts';
import type { ModelLink } from './model.ts';
import { NETWORK, nodeOf, Station } from './station.ts';

const FLANNEL = 'flannel.alpha.coreos.com';
const [V4, V6] = ['02:00:00:00:00:04', '02:00:00:00:00:06'];

describe('the configuration', () => {
  const config = (source: object, backend: object = {}) =>
    configOf(
      JSON.stringify({
        ...{ name: 'pods', flannel: true, source },
        'net-conf': { Network: '10.244.0.0/16', Backend: { Type: 'vxlan', ...backend } },
      }),
    );
  test('is that of a network with a source that Flannel has', () => {
    expect(config({ type: 'kubernetes' }).network).toMatchObject({ flannel: true, port: 8472 });
  });
  test.each([
    [{ type: 'file', path: '/x' }, {}, 'needs a source that flanneld reads'],
    [{ type: 'kubernetes' }, { Type: 'geneve' }, 'vxlan alone, and "Type" is "geneve"'],
    [{ type: 'kubernetes' }, { GBP: true }, '"GBP" marks packets'],
  ])('%j with %j is refused', (source, backend, said) => {
    expect(() => config(source, backend)).toThrow(said);
  });
});

describe('annotations', () => {
  const joined = { vni: 1 };
  const flannel = {
    [`${FLANNEL}/kube-subnet-manager`]: 'true',
    [`${FLANNEL}/backend-type`]: 'vxlan',
    [`${FLANNEL}/public-ip`]: '198.51.100.1',
    [`${FLANNEL}/backend-data`]: JSON.stringify({ VNI: 1, VtepMAC: V4 }),
  };
  const node = (annotations: object) => ({
    metadata: { name: 'n1', annotations },
    spec: { podCIDRs: ['10.244.1.0/24'] },
    status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
  });

  test.each([
    [
      'a node of Flannel’s: its word, then what the object says, by which it may send',
      {},
      { addresses: ['198.51.100.1', '192.0.2.1'], macs: { v4: V4 } },
    ],
    [
      'one whose address an operator overwrote, and its MTU said',
      { 'fairlead/mtu-bytes': '1400', [`${FLANNEL}/public-ip-overwrite`]: '203.0.113.7' },
      { addresses: ['203.0.113.7', '192.0.2.1'], mtu_bytes: 1400 },
    ],
    [
      'one of ours: its own word, then what the object says',
      { 'fairlead/mtu-bytes': '1400' },
      { addresses: ['198.51.100.1', '192.0.2.1'], mtu_bytes: 1400 },
    ],
    [
      'one that went back to Flannel: what flanneld wrote last',
      { 'fairlead/mac': '02:00:00:00:00:09' },
      { macs: { v4: V4 } },
    ],
    [
      'another backend',
      { [`${FLANNEL}/backend-type`]: 'host-gw' },
      { unfit: 'its backend is Flannel\'s "host-gw", and that of this network "vxlan"' },
    ],
    [
      'another VNI',
      { [`${FLANNEL}/backend-data`]: JSON.stringify({ VNI: 2, VtepMAC: V4 }) },
      { unfit: 'its VNI is 2, and that of this network 1' },
    ],
    [
      'another VNI in IPv6 alone',
      { [`${FLANNEL}/backend-v6-data`]: JSON.stringify({ VNI: 3, VtepMAC: V6 }) },
      { unfit: 'its VNI is 3, and that of this network 1' },
    ],
    [
      'a VNI that is no number, nor anything that has a text',
      { [`${FLANNEL}/backend-data`]: `{"VNI":{"toString":null},"VtepMAC":"${V4}"}` },
      { unfit: 'its backend-data has no number as VNI' },
    ],
    [
      'a text as VNI that a terminal would obey',
      { [`${FLANNEL}/backend-data`]: JSON.stringify({ VNI: '\u001b[2J', VtepMAC: V4 }) },
      { unfit: 'its backend-data has no number as VNI' },
    ],
    [
      'a long backend that a terminal would obey',
      { [`${FLANNEL}/backend-type`]: `\u001b[2J\u009b2J${'x'.repeat(99)}` },
      {
        unfit:
          `its backend is Flannel's "\\u001b[2J?2J${'x'.repeat(33)}…", ` +
          'and that of this network "vxlan"',
      },
    ],
    // Of former releases.
    [
      'no VNI',
      { [`${FLANNEL}/backend-data`]: JSON.stringify({ VtepMAC: V4 }) },
      { macs: { v4: V4 } },
    ],
  ])('%s', (_, more, said) => {
    const found = reduced(node({ ...flannel, ...more }), joined);
    expect(found).toMatchObject(said);
    if (!('unfit' in said)) expect(found).not.toHaveProperty('unfit');
  });

  test('what we write is what we read of others', () => {
    const own = { ready: true, mtu_bytes: 1500, macs: { v4: V4, v6: V6 } };
    const words = flannelWords({ ...own, addresses: ['192.0.2.9', '2001:db8::9'] }, joined, {});
    expect(words).toEqual({
      [`${FLANNEL}/kube-subnet-manager`]: 'true',
      [`${FLANNEL}/backend-type`]: 'vxlan',
      [`${FLANNEL}/public-ip`]: '192.0.2.9',
      [`${FLANNEL}/public-ipv6`]: '2001:db8::9',
      [`${FLANNEL}/backend-data`]: JSON.stringify({ VNI: 1, VtepMAC: V4 }),
      [`${FLANNEL}/backend-v6-data`]: JSON.stringify({ VNI: 1, VtepMAC: V6 }),
    });
    expect(reduced(node(words), joined)).toMatchObject({
      addresses: ['192.0.2.9', '192.0.2.1', '2001:db8::9'],
      macs: { v4: V4, v6: V6 },
    });
    // A device that is not there yet is no place to send to.
    expect(flannelWords({ ...own, macs: {}, addresses: ['192.0.2.9'] }, joined, {})).toEqual({});
  });

  test('an address that an operator overwrote stays what others are told', () => {
    const own = { ready: true, mtu_bytes: 1500, macs: { v4: V4 }, addresses: ['192.0.2.1'] };
    const has = { [`${FLANNEL}/public-ip-overwrite`]: '203.0.113.7' };
    expect(flannelWords(own, joined, has)[`${FLANNEL}/public-ip`]).toBe('203.0.113.7');
  });
});

describe('the machine', () => {
  const a = nodeOf(1, { name: 'a', macs: { v4: '02:00:00:00:01:04', v6: '02:00:00:00:01:06' } });
  const b = nodeOf(2, { name: 'b', macs: { v4: V4, v6: V6 } });
  const joined = { ...NETWORK, flannel: true };
  const theirs = (name: string, local: string): ModelLink => ({
    ...{ name, ifindex: 5, kind: 'vxlan', mtu_bytes: 1450, address: '02:00:00:00:00:ff' },
    ...{ up: true, alias: '', vni: 1, port: 8472, local, parent: 'eth0', learning: false },
  });
  function beside(): Station {
    const station = new Station(a, joined);
    const { links } = station.kernel;
    links.push(theirs('flannel.1', '192.0.2.1'), theirs('flannel-v6.1', '2001:db8::1'));
    station.nodes([a, b]);
    return station;
  }

  test('pods of each family travel by their own underlay, as flanneld expects it', () => {
    const station = new Station(a, joined);
    station.nodes([a, b]);
    expect(station.look()).toMatchObject({ ready: true, problems: [], refused: [] });
    const entries = [...station.kernel.entries.values()];
    expect(entries).toEqual(
      expect.arrayContaining([
        `fdb ${V4} dst 192.0.2.2 dev fl.1`,
        `fdb ${V6} dst 2001:db8::2 dev fl6.1`,
        'route 10.244.2.0/24 via 10.244.2.0 dev fl.1 src 10.244.1.1 onlink',
        'route fd00:244:0:2::/64 via fe80::6 dev fl6.1 src fd00:244:0:1::1'.replace(
          'fe80::6',
          'fe80::ff:fe00:6',
        ),
      ]),
    );
    expect(entries.filter((entry) => entry.startsWith('fdb '))).toHaveLength(2);
  });

  test('IPv6 alone goes over IPv6, though both nodes have IPv4', () => {
    const only = (node: typeof a) => ({ ...node, subnets: node.subnets!.slice(1) });
    const station = new Station(a, { ...joined, cidrs: ['fd00:244::/48'] });
    station.nodes([only(a), only(b)]);
    expect(station.look()).toMatchObject({ ready: true, mtu_bytes: 1430 });
    expect(station.kernel.links.map(({ name }) => name)).toEqual(['fl6.1']);
  });

  test('a device that flanneld left gives way, and others see no change', () => {
    const station = beside();
    const { changes, ready } = station.look();
    expect(ready).toBe(true);
    expect(changes.slice(0, 2)).toEqual([
      'link del flannel.1',
      expect.stringMatching(/^link add fl\.1 .* address 02:00:00:00:01:04 /),
    ]);
    expect(station.kernel.links.map(({ name }) => name).sort()).toEqual(['fl.1', 'fl6.1']);
    expect(station.look().changes).toEqual([]);
  });

  test('where ours cannot be made, what flanneld left stays', () => {
    const station = beside();
    // Somebody's device has the name of ours over IPv6.
    station.kernel.links.push({ ...theirs('fl6.1', ''), kind: 'dummy', vni: 0, port: 0 });
    const { changes, problems } = station.look();
    expect(changes).toContain('link del flannel.1');
    expect(changes.join()).not.toContain('flannel-v6.1');
    expect(problems[0]?.msg).toContain('"fl6.1" is somebody else\'s');
    expect(station.kernel.link('flannel-v6.1')).toBeDefined();
  });

  test('while flanneld runs, it is left alone', () => {
    const station = beside();
    const plan = station.tell({ ...station.kernel.seen(b.addresses!), flanneld: true });
    expect(plan).toMatchObject({ changes: [], ready: false });
    expect(plan.problems[0]?.msg).toContain('VNI 1 on port 8472 is that of "flannel.1"');
  });

  test('without the key, and with another VNI, it is somebody else’s', () => {
    const plain = new Station(a);
    plain.kernel.links.push(theirs('flannel.1', '192.0.2.1'));
    plain.nodes([a, b]);
    expect(plain.look()).toMatchObject({ changes: [], ready: false });
    const other = new Station(a, { ...joined, vni: 2 });
    other.kernel.links.push(theirs('flannel.1', '192.0.2.1'));
    other.nodes([a, b]);
    expect(other.look().ready).toBe(true);
    expect(other.kernel.link('flannel.1')).toBeDefined();
  });

  test('what a source holds for unfit is left out with its word', () => {
    const station = new Station(a, joined);
    station.nodes([a, { ...b, unfit: 'its VNI is 2' }]);
    expect(station.look().problems).toEqual([{ node: 'b', msg: 'its VNI is 2' }]);
    expect([...station.kernel.entries.values()].join()).not.toContain('10.244.2.0');
  });
});

describe('flanneld here', () => {
  let proc = '';
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'fairlead-proc-'));
    process_of(1, 'systemd', 'net:[1]');
    process_of(50, 'fairlead', 'net:[1]');
  });
  afterEach(() => rmSync(proc, { recursive: true, force: true }));
  function process_of(pid: number, comm: string, network: string): void {
    const folder = join(proc, String(pid));
    mkdirSync(join(folder, 'ns'), { recursive: true });
    writeFileSync(join(folder, 'comm'), `${comm}\n`);
    if (network !== '') symlinkSync(network, join(folder, 'ns', 'net'));
  }

  test('none; one of another network; one in this; one that may not be looked at', () => {
    expect(flanneldHere(proc, 50)).toBe('');
    process_of(60, 'flanneld', 'net:[2]');
    expect(flanneldHere(proc, 50)).toBe('');
    process_of(70, 'flanneld', 'net:[1]');
    expect(flanneldHere(proc, 50)).toContain('flanneld runs on this node (process 70)');
    rmSync(join(proc, '70'), { recursive: true });
    process_of(80, 'flanneld', '');
    expect(flanneldHere(proc, 50)).toContain('(process 80)');
  });

  test('a container that sees itself alone cannot tell', () => {
    expect(flanneldHere(proc, 1)).toContain('hostPID: true');
    for (const first of ['pause', 'tini', 'dumb-init', 'sh']) {
      writeFileSync(join(proc, '1', 'comm'), `${first}\n`);
      expect(flanneldHere(proc, 50), first).toContain('hostPID: true');
    }
    symlinkSync('pid:[4026532000]', join(proc, '50', 'ns', 'pid'));
    expect(flanneldHere(proc, 50)).toContain('hostPID: true');
  });

  test('whatever is the first process of the kernel’s own namespace, all is seen', () => {
    writeFileSync(join(proc, '1', 'comm'), 'sh\n');
    symlinkSync('pid:[4026531836]', join(proc, '50', 'ns', 'pid'));
    expect(flanneldHere(proc, 50)).toBe('');
    // But for a /proc that hides those of others.
    rmSync(join(proc, '1'), { recursive: true });
    expect(flanneldHere(proc, 50)).toContain('a /proc that hides no process');
  });

  test('one that restarts is not gone: it has to be away for 30 s in a row', () => {
    let [said, now_ms] = ['', 1_000];
    const flanneld = new Flanneld(
      () => said,
      () => now_ms,
    );
    expect([flanneld.here, flanneld.keeps]).toEqual(['', expect.stringContaining('30 s')]);
    now_ms += 29_000;
    said = 'it runs';
    expect([flanneld.keeps, flanneld.here]).toEqual(['it runs', 'it runs']);
    said = '';
    now_ms += 29_999;
    expect(flanneld.keeps).toContain('away for 30 s');
    now_ms += 1;
    expect(flanneld.keeps).toBe('');
  });
});
