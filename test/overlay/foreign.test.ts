// SPDX-License-Identifier: Apache-2.0
// What is somebody else's: tunnel devices with another alias, whatever is on them, and those of
// another network of ours on the same machine.
import { describe, expect, test } from 'vitest';
import { NETWORK, type NetworkEvent, nodeOf, Station } from './station.ts';

const keyOf = (i: number): string => Buffer.alloc(32, i).toString('base64');
const OWN = keyOf(1);
const a = nodeOf(1, { name: 'a', public_key: OWN });
const b = nodeOf(2, { name: 'b', public_key: keyOf(2) });
const TYPES = ['vxlan', 'geneve', 'wireguard'];

const networkOf = (type: string, more: NetworkEvent = {}): NetworkEvent => ({
  ...{ ...NETWORK, type, vni: 7, public_key: OWN, keepalive_s: 25, ...more },
});

/** A device of somebody else, with what he put on it. */
const THEIRS = [
  'addr 10.8.0.1/24 dev wg0',
  'fdb 02:00:00:00:00:09 dst 192.0.2.9 dev wg0',
  'neigh 10.8.0.9 lladdr 02:00:00:00:00:09 dev wg0',
  `peer ${keyOf(66)} endpoint 192.0.2.66:1 allowed-ips 10.8.0.2/32 keepalive 0 dev wg0`,
];

function withForeign(type: string, alias: string): Station {
  const station = new Station(a, networkOf(type));
  station.kernel.public_key = OWN;
  station.kernel.links.push({
    ...{ name: 'wg0', ifindex: 5, kind: 'wireguard', mtu_bytes: 1420, up: true, alias },
    ...{ vni: 0, port: 1, address: '', local: '', parent: '', learning: false },
  });
  for (const entry of THEIRS) station.kernel.apply(entry.replace(' ', ' replace '));
  station.nodes([a, b]);
  return station;
}
const onForeign = (station: Station): string[] =>
  [...station.kernel.entries.values()].filter((entry) => entry.endsWith('dev wg0')).sort();

describe.each(TYPES)('beside a network of type %s', (type) => {
  test.each(['office', 'fairlead overlay others', ''])(
    'a device with the alias "%s" keeps what is on it',
    (alias) => {
      const station = withForeign(type, alias);
      expect(station.look()).toMatchObject({ ready: true, problems: [], refused: [] });
      expect(onForeign(station)).toEqual(THEIRS);
      expect(station.look().changes).toEqual([]);
      station.apply(station.tell({ event: 'leave' }).changes);
      expect([...station.kernel.entries.values()]).toEqual(THEIRS);
      expect(station.kernel.links.map(({ name }) => name)).toEqual(['wg0']);
    },
  );
});

test.each(TYPES)(
  'another VNI of a network of type %s is a device in the place of its own',
  (type) => {
    const station = new Station(a, networkOf(type));
    station.kernel.public_key = OWN;
    station.nodes([a, b]);
    station.look();
    station.tell({ event: 'network', network: networkOf(type, { vni: 8 }), self: 'a' });
    station.nodes([a, b]);
    expect(station.look()).toMatchObject({ ready: true, problems: [], refused: [] });
    expect(station.kernel.links.map(({ name }) => name)).toEqual(['fl.8']);
    expect([...station.kernel.entries.values()].join('\n')).not.toContain('fl.7');
    expect(station.look().changes).toEqual([]);
  },
);
