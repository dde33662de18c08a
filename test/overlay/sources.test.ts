// SPDX-License-Identifier: Apache-2.0
// What the sources have in common: their configuration, what is remembered on disk, by which
// addresses a node is reached, and how a network is cut into subnets. It needs no root.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { RememberingSource } from '../../agent/overlay/cache.ts';
import { configOf } from '../../agent/overlay/config.ts';
import type { NodesUpdate, Source, SourceListener } from '../../agent/overlay/source.ts';
import { Backoff } from '../../agent/overlay/sources/backoff.ts';
import {
  addressOf,
  fits,
  freeSubnets,
  integerOf,
  keyOf,
  overlap,
  subnetsOf,
} from '../../agent/overlay/sources/etcd/layout.ts';
import { defaultOf4, defaultOf6, ownAddresses } from '../../agent/overlay/sources/own-address.ts';
import { Ear } from '../support/listener.ts';

describe('configuration', () => {
  const read = (source: unknown) => configOf(JSON.stringify({ name: 'pods', source })).source;

  test('what is left out', () => {
    expect(read({ type: 'kubernetes' })).toEqual({ type: 'kubernetes', kubeconfig: '' });
    expect(read({ type: 'etcd', endpoints: ['http://192.0.2.1:2379/'] })).toMatchObject({
      ...{ endpoints: ['http://192.0.2.1:2379'], prefix: '/coreos.com/network' },
      ...{ lease_ttl_s: 86_400, addresses: [], interface: '', user: '' },
    });
  });

  test.each([
    ['vxlan', 8472],
    ['geneve', 6081],
    ['wireguard', 51_820],
  ])('the port of %s is %i when none is said', (type, port) => {
    const network = (more: object) => {
      const conf = { Network: '10.244.0.0/16', Backend: { Type: type, ...more } };
      return configOf(JSON.stringify({ name: 'pods', 'net-conf': conf, source: { type: 'file' } }))
        .network;
    };
    expect(network({})).toMatchObject({ type, port, keepalive_s: 25 });
    const said = { Port: 7, PersistentKeepaliveInterval: 0 };
    expect(network(said)).toMatchObject({ port: 7, keepalive_s: 0 });
  });

  test.each([
    [{ type: 'consul' }, 'there is no source "consul": file, kubernetes, etcd'],
    [{ type: 'kubernetes', path: 'x' }, 'has no key "path"'],
    [{ type: 'kubernetes', kubeconfig: 7 }, '"kubeconfig" must be a string'],
    [{ type: 'etcd' }, '"endpoints" must be a list such as'],
    [{ type: 'etcd', endpoints: ['192.0.2.1:2379'] }, '"endpoints" must be a list such as'],
    [{ type: 'etcd', endpoints: 'http://x' }, '"endpoints" must be a list of strings'],
    [{ type: 'etcd', endpoints: ['http://x'], leaseTTL: 1 }, '"leaseTTL" is in seconds, from 5'],
  ])('%j', (source, why) => {
    expect(() => read(source)).toThrow(why);
  });
});

describe('what is remembered', () => {
  let folder = '';
  let count = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-cache-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (): string => join(folder, 'overlay', `${count++}.json`);

  class Told implements Source {
    listener: SourceListener | undefined;
    start(listener: SourceListener): void {
      this.listener = listener;
    }
    say(update: Partial<NodesUpdate>): void {
      this.listener!.update({ full: false, trusted: true, nodes: [], gone: [], ...update });
    }
    publish(): void {}
    stop(): void {}
  }
  const open = (inner: Source | undefined, path: string, of = 'etcd pods') =>
    new Ear((log) => new RememberingSource(inner, { path, of, log, write_after_ms: 10 }));

  test('nothing at first; then what was said, not trusted, with all changes', () => {
    const path = file();
    const told = new Told();
    const ear = open(told, path);
    expect(ear.updates).toEqual([]);
    told.say({ full: true, nodes: [{ name: 'a', mtu_bytes: 1400 }, { name: 'b' }] });
    // The first list is on the disk at once: power may go.
    expect(open(undefined, path).names).toEqual(['a', 'b']);
    told.say({ nodes: [{ name: 'c' }], gone: ['b'] });
    ear.source.stop();
    const again = open(undefined, path);
    expect(again.updates).toEqual([
      {
        full: true,
        trusted: false,
        nodes: [{ name: 'a', mtu_bytes: 1400 }, { name: 'c' }],
        gone: [],
      },
    ]);
    expect(again.log[0]).toContain('begins with 2 nodes');
  });

  test('it is written by itself, too', async () => {
    const path = file();
    const told = new Told();
    const ear = open(told, path);
    told.say({ full: true, nodes: [{ name: 'a' }] });
    told.say({ nodes: [{ name: 'b' }] });
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toContain('"b"'));
    ear.source.stop();
  });

  test('of another source or network it says nothing', () => {
    const path = file();
    const told = new Told();
    const ear = open(told, path);
    told.say({ full: true, nodes: [{ name: 'a' }] });
    ear.source.stop();
    expect(open(undefined, path, 'etcd others').updates).toEqual([]);
  });

  test('an empty list is not remembered', () => {
    const path = file();
    const told = new Told();
    const ear = open(told, path);
    told.say({ full: true });
    ear.source.stop();
    expect(existsSync(path)).toBe(false);
  });

  test.each(['', '{', 'null', '[]', '{"nodes":7}', '{"nodes":[{"name":1}]}', '\0'])(
    'a file of no use is said and passed over: %j',
    (text) => {
      const path = join(folder, `${count++}.json`);
      writeFileSync(path, text);
      const ear = open(new Told(), path);
      expect(ear.updates).toEqual([]);
      expect(ear.log[0]).toContain('is of no use');
    },
  );

  test('a disk that takes nothing is said; nodes are told all the same', () => {
    writeFileSync(join(folder, 'no-folder'), '');
    const told = new Told();
    const ear = open(told, join(folder, 'no-folder', 'x.json'));
    told.say({ full: true, nodes: [{ name: 'a' }] });
    expect(ear.names).toEqual(['a']);
    expect(ear.log.at(-1)).toContain('cannot write');
  });
});

describe('own addresses', () => {
  const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT';
  const row4 = (dev: string, dst: string, flags: string, metric: number, mask: string): string =>
    [dev, dst, '010200C0', flags, 0, 0, metric, mask, 0, 0, 0].join('\t');
  const row6 = (dst: string, bits: string, metric: string, flags: string, dev: string): string =>
    [dst, bits, '0'.repeat(32), '00', '0'.repeat(32), metric, '1', '0', flags, dev].join(' ');

  test('the default route of the least metric', () => {
    const rows = [
      row4('eth0', '0002000A', '0001', 0, '00FFFFFF'),
      row4('eth1', '00000000', '0003', 200, '00000000'),
      row4('eth2', '00000000', '0003', 100, '00000000'),
      row4('eth3', '00000000', '0200', 0, '00000000'),
      row4('eth4', '00000000', '0003', 0, '00000080'),
    ];
    expect(defaultOf4([head, ...rows, ''].join('\n'))).toBe('eth2');
    expect(defaultOf4(head)).toBe('');
    expect(defaultOf4('')).toBe('');
    const zero = '0'.repeat(32);
    const rows6 = [
      row6(zero, '00', '00000400', '00000003', 'eth1'),
      row6(zero, '00', '00000100', '00000003', 'eth2'),
      row6(zero, '00', 'ffffffff', '00200200', 'lo'),
      row6(`20010db8${'0'.repeat(24)}`, '20', '00000001', '00000001', 'eth0'),
    ];
    expect(defaultOf6(rows6.join('\n'))).toBe('eth2');
    expect(defaultOf6('')).toBe('');
  });

  test('an interface that has none is an error that names it', () => {
    expect(() => ownAddresses('lo')).toThrow('"lo" has no address by which others');
    expect(() => ownAddresses('nowhere')).toThrow('"nowhere" has no address');
  });
});

describe('subnets', () => {
  test('keys of Flannel, there and back', () => {
    for (const subnets of [['10.5.52.0/24'], ['10.5.52.0/24', 'fd00:1::/64']]) {
      expect(subnetsOf(keyOf(subnets))).toEqual(subnets);
    }
    for (const key of ['', '10.5.52.0', 'a-24', '10.5.52.0-24&', '10.5.52.0-x']) {
      expect(subnetsOf(key)).toEqual([]);
    }
  });

  test('addresses as numbers, there and back', () => {
    for (const ip of ['0.0.0.0', '10.244.1.0', '255.255.255.255', '::', 'fd00:244:0:1::', '1::2']) {
      expect(addressOf(integerOf(ip), ip.includes(':'))).toBe(ip);
    }
  });

  test('every one of a network is given, and none twice', () => {
    const conf = { SubnetLen: 28, IPv6SubnetLen: 60 };
    const taken: string[] = [];
    // The first, which has the network's own address, is left out.
    for (let round = 1; round < 16; round++) {
      const chosen = freeSubnets(['10.9.0.0/24', 'fd00::/56'], conf, taken);
      expect(fits(chosen, ['10.9.0.0/24', 'fd00::/56'], conf)).toBe(true);
      expect(overlap(chosen, taken)).toBe(false);
      taken.push(...chosen);
    }
    expect(() => freeSubnets(['10.9.0.0/24'], conf, taken)).toThrow('every subnet of 10.9.0.0/24');
    // Also between subnets of another length.
    const others = ['10.9.0.0/25', '10.9.0.128/26', '10.9.0.208/28', '10.9.0.224/27'];
    expect(freeSubnets(['10.9.0.0/24'], conf, others)).toEqual(['10.9.0.192/28']);
  });

  test.each([
    [{ SubnetLen: 8 }, '"SubnetLen" 8 does not cut'],
    [{ SubnetLen: 31 }, 'from 17 to 30'],
    [{ SubnetMin: '10.99.0.0' }, '"SubnetMin" is no address of 10.244.0.0/16'],
    [{ SubnetMin: 'x' }, '"SubnetMin" is no address'],
    [{ SubnetMin: '10.244.9.0', SubnetMax: '10.244.3.0' }, '"SubnetMin" is after'],
  ])('%j', (conf, why) => {
    expect(() => freeSubnets(['10.244.0.0/16'], conf, [])).toThrow(why);
  });

  test('a network that is small is cut in four', () => {
    expect(freeSubnets(['10.9.0.0/26'], {}, [], () => 0)).toEqual(['10.9.0.16/28']);
  });
});

test('waits get longer to half a minute, with chance in them', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 12 }, () => backoff.next());
  expect(waits[0]).toBeGreaterThanOrEqual(500);
  expect(waits[0]).toBeLessThanOrEqual(1_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
  expect(waits.at(-1)).toBeGreaterThanOrEqual(15_000);
  backoff.reset();
  expect(backoff.next()).toBeLessThanOrEqual(1_000);
});
