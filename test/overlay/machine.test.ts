// SPDX-License-Identifier: Apache-2.0
// The overlay of a node, event by event: what is made for peers and in which order, what is judged,
// what heals, and what is left alone.
import { describe, expect, test } from 'vitest';
import { NETWORK, nodeOf, Station } from './station.ts';

const ENTRIES_OF_TWO = [
  'addr 10.244.1.1/32 dev fl.1',
  'addr fd00:244:0:1::1/128 dev fl.1',
  'fdb 8a:c4:5f:31:84:7c dst 192.0.2.2 dev fl.1',
  'neigh 10.244.2.0 lladdr 8a:c4:5f:31:84:7c dev fl.1',
  'neigh fe80::88c4:5fff:fe31:847c lladdr 8a:c4:5f:31:84:7c dev fl.1',
  'route 10.244.2.0/24 via 10.244.2.0 dev fl.1 src 10.244.1.1 onlink',
  'route fd00:244:0:2::/64 via fe80::88c4:5fff:fe31:847c dev fl.1 src fd00:244:0:1::1',
  'route unreachable 10.244.0.0/16 metric 4278198272',
  'route unreachable fd00:244::/48 metric 4278198272',
];
const MAC_B = '8a:c4:5f:31:84:7c';

/** Nodes a and b, whose names are those of the hardware address above. */
const a = nodeOf(1, { name: 'a' });
const b = nodeOf(2, { name: 'b' });

function started(nodes = [a, b], network = NETWORK): Station {
  const station = new Station(a, network);
  station.nodes(nodes);
  station.look();
  return station;
}
const held = (station: Station): string[] => [...station.kernel.entries.values()].sort();

describe('two nodes', () => {
  test('a device first, then addresses, forwarding, neighbours, and routes last', () => {
    const station = new Station(a);
    station.nodes([a, b]);
    const first = station.tell(station.kernel.seen(b.addresses!));
    expect(first).toMatchObject({ again: true, ready: false });
    expect(first.changes[0]).toBe(
      'link add fl.1 type vxlan id 1 local 192.0.2.1 dev eth0 dstport 8472 nolearning ' +
        'address ae:77:0f:1f:73:50 mtu 1450',
    );
    station.apply(first.changes);
    const second = station.look();
    const kinds = second.changes.map((change) => change.split(' ')[0]);
    expect(kinds).toEqual([...kinds].sort((x, y) => x!.localeCompare(y!)));
    expect(second).toMatchObject({ ready: true, refused: [], mtu_bytes: 1450, problems: [] });
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
  });

  test('a second look changes nothing', () => {
    expect(started().look().changes).toEqual([]);
  });

  test('a node that appears costs five changes, one that goes as many', () => {
    const station = started([a]);
    const before = held(station);
    expect(station.nodes([b], { full: false }).changes).toHaveLength(5);
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
    expect(station.nodes([], { full: false, gone: ['b'] }).changes).toHaveLength(5);
    expect(held(station)).toEqual(before);
    expect(station.look().changes).toEqual([]);
  });

  test('a hardware address that changes leaves nothing of the old one', () => {
    const station = started();
    station.nodes([{ ...b, macs: { v4: '02:00:00:00:00:0b' } }], { full: false });
    expect(held(station).join()).not.toContain(MAC_B);
    expect(station.look().changes).toEqual([]);
  });

  test('an address that changes is one replacement', () => {
    const station = started();
    const moved = { ...b, addresses: ['192.0.2.77', '2001:db8::2'] };
    expect(station.nodes([moved], { full: false }).changes).toEqual([
      `fdb replace ${MAC_B} dst 192.0.2.77 dev fl.1`,
    ]);
  });

  test('a node whose link takes less has its MTU on the routes, locked for IPv6', () => {
    const station = started([a, { ...b, mtu_bytes: 1400 }]);
    expect(held(station).filter((entry) => entry.includes(' mtu '))).toEqual([
      'route 10.244.2.0/24 via 10.244.2.0 dev fl.1 src 10.244.1.1 onlink mtu 1350',
      expect.stringMatching(/^route fd00:244:0:2::\/64 .* mtu lock 1350$/),
    ]);
  });
});

describe('underlays', () => {
  test('IPv6 alone: its own device, and 70 bytes of overhead', () => {
    const [self, peer] = [a, b].map((node) => ({ ...node, addresses: [node.addresses![1]!] }));
    const station = new Station(self!);
    station.nodes([self!, peer!]);
    expect(station.look()).toMatchObject({ ready: true, mtu_bytes: 1430 });
    expect(station.kernel.links.map(({ name }) => name)).toEqual(['fl6.1']);
  });

  test('a node that has IPv6 alone is reached by a second device', () => {
    const station = started([a, b, nodeOf(3, { addresses: ['2001:db8::3'] })]);
    expect(station.kernel.links.map(({ name }) => name)).toEqual(['fl.1', 'fl6.1']);
    expect(held(station).join('\n')).toMatch(/route 10.244.3.0\/24 via 10.244.3.0 dev fl6.1/);
    expect(station.look().mtu_bytes).toBe(1450);
  });

  test('no family in common is said', () => {
    const self = { ...a, addresses: ['192.0.2.1'] };
    const station = new Station(self);
    const plan = station.nodes([self, { ...b, addresses: ['2001:db8::2'] }]);
    expect(plan.problems).toEqual([{ node: 'b', msg: expect.stringContaining('one family') }]);
  });

  test('a link below 1330 bytes carries no IPv6 pods, and the device is not touched', () => {
    const station = started();
    for (const one of station.kernel.underlay) one.mtu_bytes = 1300;
    const plan = station.look();
    expect(plan).toMatchObject({ ready: false, changes: [] });
    expect(plan.problems[0]?.msg).toContain('1280');
    expect(station.kernel.link('fl.1')?.mtu_bytes).toBe(1450);
  });

  test('a peer that says so of itself is left out, and this node stays ready', () => {
    const station = started([a, { ...b, mtu_bytes: 1300 }]);
    const plan = station.look();
    expect(plan.ready).toBe(true);
    expect(held(station).filter((entry) => entry.includes('fd00:244:0:2::'))).toEqual([]);
  });

  test('host-gw: plain routes and no device', () => {
    const station = started([a, b], { ...NETWORK, type: 'host-gw' });
    expect(station.kernel.links).toEqual([]);
    expect(held(station)).toContain('route 10.244.2.0/24 via 192.0.2.2 dev eth0 src 10.244.1.1');
    expect(station.look()).toMatchObject({ ready: true, mtu_bytes: 1500 });
  });

  test('direct: plain where no router is between, else the tunnel', () => {
    const station = new Station(a, { ...NETWORK, direct: true });
    const far = nodeOf(3, { addresses: ['198.51.100.3'] });
    station.nodes([a, b, far]);
    station.look();
    const paths = [
      { address: '198.51.100.3', dev: 'eth0', gateway: '192.0.2.254', mtu_bytes: 1500 },
    ];
    station.apply(
      station.tell({ event: 'nodes', full: false, nodes: [], gone: [], paths }).changes,
    );
    const seen = station.kernel.seen(b.addresses!);
    station.apply(station.tell({ ...seen, paths: [...seen.paths, ...paths] }).changes);
    expect(held(station)).toContain('route 10.244.2.0/24 via 192.0.2.2 dev eth0 src 10.244.1.1');
    expect(held(station).join('\n')).toContain('route 10.244.3.0/24 via 10.244.3.0 dev fl.1');
  });
});

describe('what others do', () => {
  test.each([
    ['deletes the device', (station: Station) => station.kernel.delLink('fl.1')],
    ['sets it down', (station: Station) => station.kernel.down('fl.1')],
    ['changes its MTU', (station: Station) => void station.kernel.apply('link set fl.1 mtu 1300')],
    [
      'changes its hardware address',
      (station: Station) => void station.kernel.apply('link set fl.1 address 02:00:00:00:00:99'),
    ],
    [
      'takes a route',
      (station: Station) => void station.kernel.entries.delete('route 10.244.2.0/24 '),
    ],
    [
      'adds a neighbour',
      (station: Station) =>
        void station.kernel.apply('neigh replace 10.244.9.0 lladdr 02:00:00:00:00:09 dev fl.1'),
    ],
    [
      'moves the address below',
      (station: Station) => {
        station.kernel.underlay = station.kernel.underlay.map((one) => ({ ...one, dev: 'eth1' }));
      },
    ],
  ])('somebody %s: a look makes it right', (_, act) => {
    const station = started();
    act(station);
    const plan = station.look();
    expect(plan).toMatchObject({ ready: true, refused: [] });
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
    expect(station.kernel.link('fl.1')).toMatchObject({ up: true, mtu_bytes: 1450 });
    expect(station.look().changes).toEqual([]);
  });

  test('a device of somebody else with our VNI and port is left alone', () => {
    const station = new Station(a);
    const other = {
      ...{ name: 'flannel.1', ifindex: 5, kind: 'vxlan', mtu_bytes: 1450, up: true, alias: '' },
      ...{ address: '02:00:00:00:00:01', vni: 1, port: 8472, local: '192.0.2.1', parent: 'eth0' },
      learning: false,
    };
    station.kernel.links.push(other);
    station.nodes([a, b]);
    const plan = station.look();
    expect(plan.changes.filter((change) => change.startsWith('link'))).toEqual([]);
    expect(plan).toMatchObject({ ready: false });
    expect(plan.problems[0]?.msg).toContain('"flannel.1"');
  });

  test('a device of somebody else under our name is left alone', () => {
    const station = new Station(a);
    station.kernel.links.push({
      ...{ name: 'fl.1', ifindex: 5, kind: 'bridge', mtu_bytes: 1500, up: true, alias: '' },
      ...{ address: '02:00:00:00:00:01', vni: 0, port: 0, local: '', parent: '', learning: false },
    });
    station.nodes([a, b]);
    expect(station.look()).toMatchObject({ ready: false });
    expect(station.kernel.link('fl.1')?.kind).toBe('bridge');
  });

  test('a route of somebody else to a node stays, and is named', () => {
    const station = new Station(a);
    station.kernel.foreign.push('route 10.244.2.0/24 via 192.0.2.9 dev eth0');
    station.nodes([a, b]);
    const plan = station.look();
    expect(plan.problems).toEqual([{ node: '', msg: expect.stringContaining('192.0.2.9') }]);
    expect(held(station).filter((entry) => entry.startsWith('route 10.244.2'))).toEqual([]);
  });
});

describe('what a source says', () => {
  test('before it has said all, nothing is taken away', () => {
    const station = started();
    const after = new Station(a);
    for (const link of station.kernel.links) after.kernel.links.push(link);
    for (const [key, entry] of station.kernel.entries) after.kernel.entries.set(key, entry);
    after.nodes([a], { trusted: false });
    after.look();
    expect(held(after)).toEqual(ENTRIES_OF_TWO);
    after.nodes([a]);
    after.look();
    expect(held(after).join()).not.toContain('10.244.2.0');
  });

  test('no nodes at all after some is believed the second time', () => {
    const station = started();
    const plan = station.nodes([]);
    expect(plan).toMatchObject({ taken: false, changes: [] });
    expect(plan.problems[0]?.msg).toContain('no node');
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
    expect(station.nodes([])).toMatchObject({ taken: true });
  });

  test('the gateway of pods is the second address of each subnet', () => {
    const station = new Station(a, { ...NETWORK, cidrs: ['10.244.0.0/16', 'fd00::/16'] });
    const plan = station.nodes([{ ...a, subnets: ['10.244.1.128/25', 'fd00::100/120'] }]);
    expect(plan).toMatchObject({ gateways: ['10.244.1.129/25', 'fd00::101/120'] });
  });

  test.each([
    ['no subnet', { subnets: [] }, 'no subnet'],
    ['no address', { addresses: [] }, 'no address'],
    ['a subnet that is not the network’s', { subnets: ['10.99.0.0/24'] }, 'not the network'],
    ['the subnet of this node', { subnets: ['10.244.1.0/25'] }, 'this node'],
    ['the address of this node', { addresses: ['192.0.2.1'] }, 'this node'],
    ['an address of pods', { addresses: ['10.244.7.7'] }, 'into itself'],
    ['the subnet of another', { subnets: ['10.244.2.128/25'] }, 'overlaps'],
    ['the address of another', { addresses: ['192.0.2.2'] }, 'that of b'],
    ['the hardware address of another', { macs: { v4: MAC_B } }, 'that of b'],
    ['what is no address', { addresses: ['192.0.2'] }, 'no address'],
  ])('a node with %s is left out, by name, and others are served', (_, wrong, said) => {
    const station = new Station(a);
    const plan = station.nodes([a, b, nodeOf(3, { name: 'c', ...wrong })]);
    expect(plan.problems.map(({ node }) => node)).toContain('c');
    expect(plan.problems.map(({ msg }) => msg).join()).toContain(said);
    station.look();
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
  });

  test('of two with one address the living stays, then the newer', () => {
    const twice = { addresses: ['192.0.2.2'] };
    const served = (nodes: Parameters<Station['nodes']>[0]): string => {
      const station = new Station(a);
      station.nodes([a, ...nodes]);
      station.look();
      return held(station)
        .filter((entry) => /^route 10.244.[0-9]+.0\/24/.test(entry))
        .map((entry) => entry.split('.')[2])
        .join();
    };
    expect(served([nodeOf(2, { ...twice, dead: true }), nodeOf(3, twice)])).toBe('3');
    expect(
      served([nodeOf(2, { ...twice, created: '1' }), nodeOf(3, { ...twice, created: '2' })]),
    ).toBe('3');
    expect(served([nodeOf(2, twice), nodeOf(3, twice)])).toBe('2');
  });

  test('when the one goes, the other is served', () => {
    const station = new Station(a);
    const twice = nodeOf(3, { addresses: ['192.0.2.2'] });
    station.nodes([a, b, twice]);
    station.look();
    station.nodes([], { full: false, gone: ['b'] });
    expect(held(station).join()).toContain('route 10.244.3.0/24');
    expect(station.look().changes).toEqual([]);
  });

  test('this node without a subnet is not ready, and nothing is taken away', () => {
    const station = started();
    const plan = station.nodes([{ ...a, subnets: [] }], { full: false });
    expect(plan).toMatchObject({ ready: false, changes: [] });
    expect(station.look()).toMatchObject({ ready: false, changes: [] });
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
  });
});

test.each([
  [{ vni: 0 }, 'VNI'],
  [{ vni: 16_777_216 }, 'VNI'],
  [{ port: 70_000 }, 'port'],
  [{ type: 'udp' }, 'backend'],
  [{ cidrs: [] }, 'no subnets'],
  [{ cidrs: ['10.244.0.0'] }, 'no network'],
])('a network with %j is refused', (wrong, said) => {
  const plan = new Station(a).tell({
    ...{ event: 'network', self: 'a' },
    network: { ...NETWORK, ...wrong },
  });
  expect(plan.ready).toBe(false);
  expect(plan.problems[0]?.msg).toContain(said);
});

test('leaving takes all away', () => {
  const station = started();
  station.apply(station.tell({ event: 'leave' }).changes);
  expect(held(station)).toEqual([]);
  expect(station.kernel.links).toEqual([]);
});

test('the largest VNI has a name that a link can have', () => {
  const station = started([a, b], { ...NETWORK, vni: 16_777_215 });
  for (const { name } of station.kernel.links) expect(name.length).toBeLessThanOrEqual(15);
});
