// SPDX-License-Identifier: Apache-2.0
// The overlay of a node by WireGuard: a device with this node's key, a peer for each other node,
// and whose key is not served. What is judged beside keys is as with VXLAN (machine.test.ts).
import { describe, expect, test } from 'vitest';
import { nodeOf as nodeAt, textOf } from '../../agent/overlay/sources/etcd/layout.ts';
import { publishedOf, reduced } from '../../agent/overlay/sources/kubernetes/node.ts';
import { NETWORK, type NetworkEvent, nodeOf, Station } from './station.ts';

const keyOf = (i: number): string => Buffer.alloc(32, i).toString('base64');
const [OWN, THEIRS] = [keyOf(1), keyOf(2)];
const WIREGUARD: NetworkEvent = {
  ...{ ...NETWORK, type: 'wireguard', vni: 7, public_key: OWN, keepalive_s: 25 },
};
const a = nodeOf(1, { name: 'a', public_key: OWN });
const b = nodeOf(2, { name: 'b', public_key: THEIRS });
/** A node that has IPv6 alone. */
const c = nodeOf(3, { name: 'c', addresses: ['2001:db8::3'], public_key: keyOf(3) });

function started(nodes = [a, b], network = WIREGUARD): Station {
  const station = new Station(a, network);
  station.kernel.public_key = network.public_key ?? '';
  station.nodes(nodes);
  station.look();
  return station;
}
const held = (station: Station): string[] => [...station.kernel.entries.values()].sort();

const ENTRIES_OF_TWO = [
  'addr 10.244.1.1/32 dev fl.7',
  'addr fd00:244:0:1::1/128 dev fl.7',
  `peer ${THEIRS} endpoint 192.0.2.2:51820 allowed-ips 10.244.2.0/24,fd00:244:0:2::/64 ` +
    'keepalive 25 dev fl.7',
  'route 10.244.2.0/24 dev fl.7 src 10.244.1.1',
  'route fd00:244:0:2::/64 dev fl.7 src fd00:244:0:1::1',
  'route unreachable 10.244.0.0/16 metric 4278198272',
  'route unreachable fd00:244::/48 metric 4278198272',
];

describe('two nodes', () => {
  test('a device, its key, peers, and routes last', () => {
    const station = new Station(a, WIREGUARD);
    station.kernel.public_key = OWN;
    station.nodes([a, b]);
    const plan = station.look();
    expect(plan.changes.filter((change) => /^(link|wg) /.test(change))).toEqual([
      'link add fl.7 type wireguard mtu 1440',
      'wg set fl.7 listen-port 51820 private-key own',
      'link set fl.7 alias fairlead overlay pods',
      'link set fl.7 up',
    ]);
    expect(plan).toMatchObject({ ready: true, refused: [], mtu_bytes: 1440, problems: [] });
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
    expect(station.look().changes).toEqual([]);
  });

  test('a node that appears costs three changes, one that goes as many', () => {
    const station = started([a]);
    const before = held(station);
    expect(station.nodes([b], { full: false }).changes).toHaveLength(3);
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
    expect(station.nodes([], { full: false, gone: ['b'] }).changes).toHaveLength(3);
    expect(held(station)).toEqual(before);
  });

  test('another key of theirs takes the addresses along, and the old one goes', () => {
    const station = started();
    const moved = { ...b, public_key: keyOf(9) };
    const { changes } = station.nodes([moved], { full: false });
    expect(changes.map((change) => change.split(' ').slice(0, 3).join(' '))).toEqual([
      `peer replace ${keyOf(9)}`,
      `peer del ${THEIRS}`,
    ]);
    expect(held(station)).toEqual(ENTRIES_OF_TWO.map((one) => one.replace(THEIRS, keyOf(9))));
    expect(station.look().changes).toEqual([]);
  });

  test('another key of ours is one change, and no peer is touched', () => {
    const station = started();
    const network = { ...WIREGUARD, public_key: keyOf(8) };
    station.kernel.public_key = keyOf(8);
    station.tell({ event: 'network', network, self: 'a' });
    const plan = station.look();
    expect(plan.changes).toEqual(['wg set fl.7 listen-port 51820 private-key own']);
    expect(station.kernel.link('fl.7')).toMatchObject({ public_key: keyOf(8), port: 51820 });
    expect(plan.problems.map(({ msg }) => msg)).toEqual([
      expect.stringContaining(`another public key of this node: until it has ${keyOf(8)}`),
    ]);
    station.nodes([{ ...a, public_key: keyOf(8) }], { full: false });
    expect(station.look().problems).toEqual([]);
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
  });
});

describe('MTU', () => {
  test.each([
    [1500, ['192.0.2.1'], 1440],
    [1500, ['2001:db8::1'], 1408],
    [1499, ['192.0.2.1'], 1424],
    [9000, ['192.0.2.1'], 8928],
  ])('in %i bytes by %j there are %i, which padding to 16 leaves whole', (link, own, inside) => {
    const self = { ...a, addresses: own };
    const station = new Station(self, WIREGUARD);
    station.kernel.public_key = OWN;
    station.kernel.underlay[0]!.mtu_bytes = link;
    station.nodes([self]);
    expect(station.look()).toMatchObject({ ready: true, mtu_bytes: inside });
    const overhead_bytes = own[0]!.includes(':') ? 80 : 60;
    expect(Math.ceil(inside / 16) * 16 + overhead_bytes).toBeLessThanOrEqual(link);
  });

  test('a node that has IPv6 alone is reached by the same device, with less', () => {
    const station = started([a, b, c]);
    expect(station.kernel.links.map(({ name }) => name)).toEqual(['fl.7']);
    expect(held(station).join('\n')).toContain(`peer ${keyOf(3)} endpoint [2001:db8::3]:51820 `);
    expect(held(station)).toContain('route 10.244.3.0/24 dev fl.7 src 10.244.1.1 mtu 1408');
  });

  test('the ways that are surveyed have the MTU of their routes', () => {
    const station = started([a, { ...b, mtu_bytes: 1405 }, c]);
    const { paths } = station.tell({ event: 'paths' }) as unknown as { paths: object[] };
    const of = (node: string, overhead_bytes: number, mtu_bytes: number) => [
      expect.objectContaining({ node, dev: 'fl.7', overhead_bytes, mtu_bytes }),
      expect.objectContaining({ node, dev: 'fl.7', overhead_bytes, mtu_bytes }),
    ];
    expect(paths).toEqual([...of('b', 60, 1344), ...of('c', 80, 1408)]);
    expect(held(station)).toContain('route 10.244.2.0/24 dev fl.7 src 10.244.1.1 mtu 1344');
  });

  test('a link that leaves no 1280 is named with what it needs', () => {
    const station = started([a]);
    const plan = station.nodes([{ ...b, mtu_bytes: 1300 }], { full: false });
    expect(plan).toMatchObject({ ready: true });
    expect(plan.problems).toEqual([
      { node: 'b', msg: 'its link takes 1300 bytes, and IPv6 pods need 1340' },
    ]);
  });
});

describe('keys of others', () => {
  test.each([
    ['none', '', 'no public key yet'],
    ['what is no key', 'secret', '"secret" is no public key'],
    ['what is too short', keyOf(1).slice(4), 'is no public key'],
    ['what is written otherwise', keyOf(3).replace(/.=$/, 'N='), 'is no public key'],
    ['that of this node', OWN, 'that of this node'],
    ['that of another', THEIRS, 'that of b'],
  ])('%s: the node is left out, by name, and others are served', (_, public_key, said) => {
    const station = new Station(a, WIREGUARD);
    station.kernel.public_key = OWN;
    station.nodes([a, b, { ...c, public_key }]);
    const plan = station.look();
    expect(plan.problems.map(({ node }) => node)).toEqual(['c']);
    expect(plan.problems[0]?.msg).toContain(said);
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
  });

  test('a source that does not know ours says so, and so does a network without one', () => {
    const { public_key: _, ...unknown } = a;
    const plan = started([unknown, b]).look();
    expect(plan).toMatchObject({ ready: true });
    expect(plan.problems[0]?.msg).toContain('the source has no public key of this node');
    const { problems } = new Station(a).tell({
      ...{ event: 'network', self: 'a', network: { ...WIREGUARD, public_key: '' } },
    });
    expect(problems[0]?.msg).toContain('no key');
  });
});

test('a device that was left without its alias is known by its key', () => {
  const station = new Station(a, WIREGUARD);
  station.kernel.public_key = OWN;
  station.nodes([a, b]);
  // As an agent that ends in the middle leaves it.
  expect(station.look((change) => / (alias|up)/.test(change)).refused).not.toEqual([]);
  expect(station.kernel.link('fl.7')).toMatchObject({ alias: '', public_key: OWN });
  expect(station.look()).toMatchObject({ ready: true, problems: [], refused: [] });
  expect(station.kernel.link('fl.7')?.alias).toBe('fairlead overlay pods');
  expect(held(station)).toEqual(ENTRIES_OF_TWO);
});

test('DirectRouting, which would send what is to be encrypted as it is, is refused', () => {
  const station = new Station(a, { ...WIREGUARD, direct: true });
  const plan = station.tell({
    ...{ event: 'network', self: 'a', network: { ...WIREGUARD, direct: true } },
  });
  expect(plan).toMatchObject({ ready: false });
  station.nodes([a, b]);
  const look = station.look();
  expect(look).toMatchObject({ ready: false, changes: [] });
  for (const { problems } of [plan, look]) expect(problems[0]?.msg).toContain('DirectRouting');
  expect(held(station)).toEqual([]);
});

test('a peer that calls from elsewhere stays there until the source has another address', () => {
  const station = started();
  const [, , peer = ''] = ENTRIES_OF_TWO;
  const at = (endpoint: string): string => peer.replace('192.0.2.2:51820', endpoint);
  const roam = (endpoint: string) =>
    station.kernel.apply(at(endpoint).replace('peer', 'peer replace'));
  roam('203.0.113.5:40000');
  expect(station.look()).toMatchObject({ ready: true, changes: [] });
  expect(station.look().changes).toEqual([]);
  expect(held(station)).toContain(at('203.0.113.5:40000'));
  const moved = { ...b, addresses: ['192.0.2.77', '2001:db8::2'] };
  station.nodes([a, moved]);
  station.look();
  expect(held(station)).toContain(at('192.0.2.77:51820'));
  // What the kernel refused is tried again: that peer has not moved.
  const plan = station.tell({ event: 'nodes', full: false, trusted: true, nodes: [b], gone: [] });
  expect(plan.changes).toEqual([at('192.0.2.2:51820').replace('peer', 'peer replace')]);
  expect(station.look().changes).toEqual(plan.changes);
  station.nodes([a, moved]);
  station.look();
  // One that is nowhere is never called: that is no place to stay.
  roam('none');
  station.look();
  expect(held(station)).toContain(at('192.0.2.77:51820'));
  expect(station.look().changes).toEqual([]);
});

describe('what others do', () => {
  const stolen = `peer replace ${keyOf(66)} endpoint 192.0.2.66:1 allowed-ips 10.244.2.0/24`;
  test.each<[string, (station: Station) => void]>([
    ['deletes the device', ({ kernel }) => kernel.delLink('fl.7')],
    ['sets it down', ({ kernel }) => kernel.down('fl.7')],
    [
      'gives it another key',
      ({ kernel }) => Object.assign(kernel.link('fl.7')!, { public_key: '' }),
    ],
    ['moves its port', ({ kernel }) => Object.assign(kernel.link('fl.7')!, { port: 1 })],
    ['adds a peer', ({ kernel }) => void kernel.apply(`${stolen} keepalive 0 dev fl.7`)],
    ['removes one', ({ kernel }) => void kernel.apply(`peer del ${THEIRS} dev fl.7`)],
  ])('somebody %s: a look makes it right', (_, act) => {
    const station = started();
    act(station);
    expect(station.look()).toMatchObject({ ready: true, refused: [] });
    expect(held(station)).toEqual(ENTRIES_OF_TWO);
    expect(station.kernel.link('fl.7')).toMatchObject({ up: true, public_key: OWN, port: 51820 });
    expect(station.look().changes).toEqual([]);
  });

  test.each([
    [{ name: 'wg0', port: 51_820 }, 'port 51820 is that of "wg0"'],
    [{ name: 'fl.7', port: 1 }, '"fl.7" is somebody else'],
  ])('a device of somebody else, %j, is left alone and named', (other, said) => {
    const station = new Station(a, WIREGUARD);
    station.kernel.links.push({
      ...{ ifindex: 5, kind: 'wireguard', mtu_bytes: 1420, up: true, alias: '', address: '' },
      ...{ vni: 0, local: '', parent: '', learning: false, public_key: keyOf(5), ...other },
    });
    station.nodes([a, b]);
    const plan = station.look();
    expect(plan).toMatchObject({ ready: false, changes: [] });
    expect(plan.problems[0]?.msg).toContain(said);
  });
});

test('a node that is moved from VXLAN keeps nothing of it; leaving takes all away', () => {
  const station = started([a, b, c], { ...NETWORK, vni: 7 });
  station.kernel.public_key = OWN;
  station.tell({ event: 'network', network: WIREGUARD, self: 'a' });
  station.nodes([a, b]);
  expect(station.look()).toMatchObject({ ready: true, refused: [] });
  expect(held(station)).toEqual(ENTRIES_OF_TWO);
  station.apply(station.tell({ event: 'leave' }).changes);
  expect([held(station), station.kernel.links]).toEqual([[], []]);
});

describe('what sources say of keys', () => {
  test('an annotation of a Node', () => {
    const metadata = { name: 'a', annotations: { 'fairlead/public-key': OWN } };
    expect(reduced({ metadata })).toMatchObject({ public_key: OWN });
    expect(reduced({ metadata: { name: 'a' } })).not.toHaveProperty('public_key');
    expect(publishedOf({ metadata })).toMatchObject({ public_key: OWN });
  });

  test('a value in etcd, as Flannel has it', () => {
    const self = { node: 'a', addresses: ['192.0.2.1'], type: 'wireguard', vni: 1 };
    const own = { ready: true, mtu_bytes: 1500, macs: {}, public_key: OWN };
    expect(JSON.parse(textOf(self, own))).toMatchObject({
      ...{ BackendType: 'wireguard', BackendData: { PublicKey: OWN } },
    });
    const said = nodeAt('10.244.1.0-24', textOf(self, own), '1');
    expect(said).toMatchObject({ name: 'a', public_key: OWN });
    expect(JSON.parse(textOf(self, undefined))).toMatchObject({ BackendData: null });
    expect(nodeAt('10.244.1.0-24', textOf(self, undefined), '1')).not.toHaveProperty('public_key');
  });
});
