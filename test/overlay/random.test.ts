// SPDX-License-Identifier: Apache-2.0
// Random lives of a node in a cluster: nodes come, change and go, others meddle with the
// kernel, the kernel refuses changes, the agent starts anew. After each event and a look
// without faults the kernel holds what the nodes that are served need, and nothing else of
// ours.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClusterNode } from '../../agent/overlay/source.ts';
import { NETWORK, nodeOf, Station } from './station.ts';

const RUNS = Number(process.env['SEQUENCES'] ?? 300);
const TYPES = ['vxlan', 'geneve', 'wireguard'] as const;
type Type = (typeof TYPES)[number];
const keyOf = (i: number): string => Buffer.alloc(32, i).toString('base64');

type Event =
  | { readonly do: 'nodes'; readonly full: boolean; readonly which: readonly number[] }
  | { readonly do: 'change'; readonly which: number; readonly mtu: number; readonly mac: boolean }
  | { readonly do: 'gone'; readonly which: number }
  | { readonly do: 'meddle'; readonly how: number }
  | { readonly do: 'refuse'; readonly every: number }
  | { readonly do: 'restart' };

const which = fc.integer({ min: 2, max: 9 });
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    do: fc.constant('nodes' as const),
    full: fc.boolean(),
    which: fc.array(which, { maxLength: 6 }),
  }),
  fc.record({
    do: fc.constant('change' as const),
    ...{ which, mtu: fc.constantFrom(1300, 1350, 1400, 1500, 9000), mac: fc.boolean() },
  }),
  fc.record({ do: fc.constant('gone' as const), which }),
  fc.record({ do: fc.constant('meddle' as const), how: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ do: fc.constant('refuse' as const), every: fc.integer({ min: 1, max: 4 }) }),
  fc.constant({ do: 'restart' as const }),
);

/** A node as the index says, on an underlay of one family or both. */
function peer(i: number): ClusterNode {
  const both = nodeOf(i, { public_key: keyOf(i) });
  if (i % 4 === 3) return { ...both, addresses: [both.addresses![1]!] };
  return i % 4 === 2 ? { ...both, addresses: [both.addresses![0]!] } : both;
}

function meddle({ kernel }: Station, how: number): void {
  const entries = [...kernel.entries.keys()];
  if (how === 0) kernel.delLink('fl.1');
  else if (how === 1) kernel.down('fl.1');
  else if (how === 2) kernel.apply('link set fl.1 mtu 1300');
  else if (how === 3) kernel.apply('link set fl.1 address 02:00:00:00:00:99');
  else if (how === 4) for (const key of entries.slice(0, 3)) kernel.entries.delete(key);
  else kernel.apply('fdb replace 02:00:00:00:00:98 dst 192.0.2.98 dev fl.1');
}

/** For each node that is known: its routes, and the chain of entries behind each, by hand. */
function expectServed(station: Station, known: ReadonlyMap<string, ClusterNode>, type: Type): void {
  const entries = [...station.kernel.entries.values()];
  const routes = entries.filter(
    (entry) => entry.startsWith('route ') && !entry.includes('unreach'),
  );
  const dsts = routes.map((entry) => entry.split(' ')[1]!).sort();
  const wanted = [...known.values()].flatMap(({ subnets = [], mtu_bytes = 0, addresses = [] }) => {
    const overhead = addresses.some((one) => !one.includes(':')) ? 50 : 70;
    const inside = mtu_bytes - overhead - (type === 'wireguard' ? 10 : 0);
    return subnets.filter((one) => !one.includes(':') || inside >= 1280);
  });
  expect(dsts).toEqual(wanted.sort());
  for (const entry of routes) {
    const words = entry.split(' ');
    if (type === 'wireguard') {
      const peers = entries.filter((one) => one.startsWith('peer ') && one.includes(words[1]!));
      const node = [...known.values()].find(({ subnets }) => subnets?.includes(words[1]!));
      expect(peers.map((one) => one.split(' ')[1])).toEqual([node?.public_key]);
      continue;
    }
    const [via, dev] = [words[words.indexOf('via') + 1], words[words.indexOf('dev') + 1]];
    const neighbour = entries.find(
      (one) => one.startsWith(`neigh ${via} `) && one.endsWith(` ${dev}`),
    );
    const mac = neighbour?.split(' ')[3];
    const behind = entries.filter((one) => one.startsWith(`fdb ${mac} `));
    if (type === 'vxlan') {
      expect(behind.filter((one) => one.endsWith(` ${dev}`))).toHaveLength(1);
      continue;
    }
    const node = [...known.values()].find(({ subnets }) => subnets?.includes(words[1]!));
    const end = node?.addresses?.find((one) => !one.includes(':')) ?? node?.addresses?.[0];
    expect([words[2], words[words.indexOf('dst') + 1]]).toEqual(['encap', end]);
  }
  const macs = entries.filter((one) => one.startsWith('fdb ')).map((one) => one.split(' ')[1]);
  expect(new Set(macs).size).toBe(macs.length);
  expect(entries.join()).not.toContain('02:00:00:00:00:98');
}

/** A node with its key, which only WireGuard looks at. */
function stationOf(self: ClusterNode, type: Type): Station {
  const station = new Station(self, { ...NETWORK, type, public_key: keyOf(1) });
  station.kernel.public_key = keyOf(1);
  return station;
}

test.each(TYPES)('random lives by %s', (type) => {
  const self = nodeOf(1);
  const run = (events: readonly Event[]): void => {
    let station = stationOf(self, type);
    const known = new Map<string, ClusterNode>();
    station.nodes([self, peer(2)]);
    known.set('n2', peer(2));
    station.look();
    for (const one of events) {
      if (one.do === 'nodes') {
        if (one.full) known.clear();
        for (const i of one.which) known.set(`n${i}`, peer(i));
        station.nodes([self, ...one.which.map(peer)], { full: one.full });
      } else if (one.do === 'change') {
        const macs = one.mac ? { v4: `02:00:00:00:00:0${one.which}` } : {};
        const public_key = keyOf(one.which + (one.mac ? 100 : 0));
        const node = { ...peer(one.which), mtu_bytes: one.mtu, macs, public_key };
        known.set(node.name, node);
        station.nodes([node], { full: false });
      } else if (one.do === 'gone') {
        known.delete(`n${one.which}`);
        station.nodes([], { full: false, gone: [`n${one.which}`] });
      } else if (one.do === 'meddle') meddle(station, one.how);
      else if (one.do === 'refuse') {
        let count = 0;
        station.look(() => ++count % (one.every + 1) === 0);
      } else {
        const { kernel } = station;
        station = stationOf(self, type);
        Object.assign(station.kernel, { links: kernel.links });
        for (const [key, entry] of kernel.entries) station.kernel.entries.set(key, entry);
        station.nodes([self, ...known.values()]);
      }
      station.look();
      expectServed(station, known, type);
      expect(station.look().changes).toEqual([]);
    }
  };
  fc.assert(fc.property(fc.array(event, { maxLength: 25 }), run), { numRuns: RUNS });
});
