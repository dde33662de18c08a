// SPDX-License-Identifier: Apache-2.0
// The overlay of a node by Geneve: one device for both underlays, whose routes say where their
// tunnels lead. What is judged and how entries heal is as with VXLAN (machine.test.ts).
import { describe, expect, test } from 'vitest';
import { NETWORK, type NetworkEvent, nodeOf, Station } from './station.ts';

const GENEVE: NetworkEvent = { ...NETWORK, type: 'geneve', vni: 7 };
const a = nodeOf(1, { name: 'a' });
const b = nodeOf(2, { name: 'b' });
/** A node that has IPv6 alone. */
const c = nodeOf(3, { name: 'c', addresses: ['2001:db8::3'] });

function started(nodes = [a, b], network = GENEVE): Station {
  const station = new Station(a, network);
  station.nodes(nodes);
  station.look();
  return station;
}
const held = (station: Station): string[] => [...station.kernel.entries.values()].sort();
const routesTo = (station: Station, subnet: string): string[] =>
  held(station).filter((entry) => entry.startsWith(`route ${subnet}`));

const ENTRIES_OF_TWO = [
  'addr 10.244.1.1/32 dev fl.7',
  'addr fd00:244:0:1::1/128 dev fl.7',
  'neigh 10.244.2.0 lladdr 8a:c4:5f:31:84:7c dev fl.7',
  'neigh fe80::88c4:5fff:fe31:847c lladdr 8a:c4:5f:31:84:7c dev fl.7',
  'route 10.244.2.0/24 encap ip id 7 src 192.0.2.1 dst 192.0.2.2 ttl 64 via 10.244.2.0 dev fl.7 ' +
    'src 10.244.1.1 onlink',
  'route fd00:244:0:2::/64 encap ip id 7 src 192.0.2.1 dst 192.0.2.2 ttl 64 ' +
    'via fe80::88c4:5fff:fe31:847c dev fl.7 src fd00:244:0:1::1',
  'route unreachable 10.244.0.0/16 metric 4278198272',
  'route unreachable fd00:244::/48 metric 4278198272',
];

describe('two nodes', () => {
  test('a device without ends, neighbours, and routes that say where the tunnel leads', () => {
    const station = new Station(a, GENEVE);
    station.nodes([a, b]);
    const plan = station.look();
    expect(plan.changes[0]).toBe(
      'link add fl.7 type geneve external dstport 6081 address ae:77:0f:1f:73:50 mtu 1450',
    );
    expect(plan).toMatchObject({ ready: true, refused: [], mtu_bytes: 1450, problems: [] });
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
    expect(station.look().changes).toEqual([]);
  });

  test('a node that appears costs four changes, one that goes as many', () => {
    const station = started([a]);
    const before = held(station);
    expect(station.nodes([b], { full: false }).changes).toHaveLength(4);
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
    expect(station.nodes([], { full: false, gone: ['b'] }).changes).toHaveLength(4);
    expect(held(station)).toEqual(before);
  });

  test('an address that changes, theirs or ours, changes routes and nothing else', () => {
    const station = started();
    const moved = { ...b, addresses: ['192.0.2.77', '2001:db8::2'] };
    const { changes } = station.nodes([moved], { full: false });
    expect(changes.map((change) => change.split(' ').slice(0, 3).join(' '))).toEqual([
      'route replace 10.244.2.0/24',
      'route replace fd00:244:0:2::/64',
    ]);
    expect(routesTo(station, '10.244.2.0/24')[0]).toContain('dst 192.0.2.77 ');
    station.kernel.underlay[0]!.address = '192.0.2.41';
    const own = station.look();
    expect(own.changes.every((change) => change.startsWith('route replace'))).toBe(true);
    expect(routesTo(station, '10.244.2.0/24')[0]).toContain('src 192.0.2.41 dst 192.0.2.77 ');
  });
});

describe('underlays', () => {
  test('a node that has IPv6 alone is reached by the same device, with 20 bytes less', () => {
    const station = started([a, b, c]);
    expect(station.kernel.links.map(({ name }) => name)).toEqual(['fl.7']);
    expect(station.look()).toMatchObject({ ready: true, mtu_bytes: 1450, changes: [] });
    const inside = 'encap ip6 id 7 src 2001:db8::1 dst 2001:db8::3 hoplimit 64 csum';
    expect(routesTo(station, '10.244.3.0/24')).toEqual([
      `route 10.244.3.0/24 ${inside} via 10.244.3.0 dev fl.7 src 10.244.1.1 onlink mtu 1430`,
    ]);
    expect(routesTo(station, 'fd00:244:0:3::/64')[0]).toMatch(/ csum .* mtu lock 1430$/);
  });

  test('such a node whose link is not known has them too, and one whose link takes less', () => {
    const { mtu_bytes: _, ...unknown } = c;
    expect(routesTo(started([a, unknown]), '10.244.3.0/24')[0]).toMatch(/ mtu 1430$/);
    const less = started([a, { ...c, mtu_bytes: 1400 }]);
    expect(routesTo(less, '10.244.3.0/24')[0]).toMatch(/ mtu 1330$/);
  });

  test('IPv6 alone: the device has 1430 bytes, and its routes need no MTU', () => {
    const [self, peer] = [a, b].map((node) => ({ ...node, addresses: [node.addresses![1]!] }));
    const station = new Station(self!, GENEVE);
    station.nodes([self!, peer!]);
    expect(station.look()).toMatchObject({ ready: true, mtu_bytes: 1430 });
    expect(station.kernel.link('fl.7')?.mtu_bytes).toBe(1430);
    expect(held(station).join()).not.toContain(' mtu ');
  });

  test('direct: plain where no router is between', () => {
    const station = started([a, b], { ...GENEVE, direct: true });
    expect(routesTo(station, '10.244.2.0/24')).toEqual([
      'route 10.244.2.0/24 via 192.0.2.2 dev eth0 src 10.244.1.1',
    ]);
  });
});

describe('what others do', () => {
  const route = 'route replace 10.244.2.0/24 encap ip id 7 src 192.0.2.1 dst 192.0.2.66 ttl 64';
  test.each<[string, (station: Station) => void]>([
    ['deletes the device', ({ kernel }) => kernel.delLink('fl.7')],
    ['sets it down', ({ kernel }) => kernel.down('fl.7')],
    ['changes its MTU', ({ kernel }) => void kernel.apply('link set fl.7 mtu 1300')],
    [
      'turns a tunnel elsewhere',
      ({ kernel }) => void kernel.apply(`${route} via 10.244.2.0 dev fl.7`),
    ],
    [
      'makes it one with an end',
      ({ kernel }) => Object.assign(kernel.link('fl.7')!, { external: false, vni: 7 }),
    ],
    ['moves its port', ({ kernel }) => Object.assign(kernel.link('fl.7')!, { port: 6082 })],
  ])('somebody %s: a look makes it right', (_, act) => {
    const station = started();
    act(station);
    expect(station.look()).toMatchObject({ ready: true, refused: [] });
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
    expect(station.kernel.link('fl.7')).toMatchObject({ up: true, external: true, port: 6081 });
    expect(station.look().changes).toEqual([]);
  });

  const other = {
    ...{ name: 'gnv0', ifindex: 5, kind: 'geneve', mtu_bytes: 1450, up: true, alias: '' },
    ...{ address: '02:00:00:00:00:01', vni: 9, port: 6081, local: '', parent: '', learning: false },
  };
  test('a device of somebody else on our port, of whatever VNI, is left alone and named', () => {
    const station = new Station(a, GENEVE);
    station.kernel.links.push({ ...other });
    station.nodes([a, b]);
    const plan = station.look();
    expect(plan).toMatchObject({ ready: false, changes: [] });
    expect(plan.problems[0]?.msg).toBe(
      'port 6081 is that of "gnv0": remove it, or use another port',
    );
    const elsewhere = new Station(a, { ...GENEVE, port: 6082 });
    elsewhere.kernel.links.push({ ...other });
    elsewhere.nodes([a, b]);
    expect(elsewhere.look()).toMatchObject({ ready: true, refused: [] });
  });

  test('a device of somebody else under our name is left alone and named', () => {
    const station = new Station(a, GENEVE);
    station.kernel.links.push({ ...other, name: 'fl.7', port: 6082 });
    station.nodes([a, b]);
    const plan = station.look();
    expect(plan).toMatchObject({ ready: false, changes: [] });
    expect(plan.problems[0]?.msg).toContain('"fl.7" is somebody else');
  });

  test('a kernel that has no such links takes nothing, and the node is not ready', () => {
    const station = new Station(a, GENEVE);
    station.kernel.kinds = ['vxlan'];
    station.nodes([a, b]);
    const plan = station.look();
    expect(plan.refused[0]).toMatch(/^link add fl.7 type geneve/);
    expect(plan.ready).toBe(false);
    expect(held(station).join()).not.toContain('fl.7');
  });
});

test('a node that is moved from VXLAN and back keeps nothing of the other', () => {
  const vxlan: NetworkEvent = { ...NETWORK, vni: 7 };
  const station = started([a, b, c], vxlan);
  const before = held(station);
  expect(station.kernel.links.map(({ name }) => name)).toEqual(['fl.7', 'fl6.7']);
  const again = (network: NetworkEvent): void => {
    station.tell({ event: 'network', network, self: 'a' });
    station.nodes([a, b, c]);
    expect(station.look()).toMatchObject({ ready: true, refused: [] });
  };
  again(GENEVE);
  expect(station.kernel.links.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['fl.7 geneve']);
  expect(held(station).filter((entry) => entry.startsWith('fdb '))).toEqual([]);
  again(vxlan);
  expect(held(station)).toEqual(before);
});

test('leaving takes all away', () => {
  const station = started([a, b, c]);
  station.apply(station.tell({ event: 'leave' }).changes);
  expect(held(station)).toEqual([]);
  expect(station.kernel.links).toEqual([]);
});
