// SPDX-License-Identifier: Apache-2.0
// What is somebody else's: tunnel devices with another alias, whatever is on them, and those of
// another network of ours on the same machine.
import { describe, expect, test } from 'vitest';
import { networkOf as configured } from '../../agent/overlay/config.ts';
import { ownKey, ownNode } from '../../agent/overlay/own.ts';
import { aliasOf, type SeenLink, unveiled } from '../../agent/overlay/see.ts';
import { OsError } from '../../host-node/abi/index.ts';
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

describe('a link of WireGuard', () => {
  const linkOf = (name: string, alias: string): SeenLink => ({
    ...{ name, alias, ifindex: 5, kind: 'wireguard', mtu_bytes: 1420, address: '', up: true },
    ...{ parent: '', port: 0, vni: 0, local: '', learning: false, external: false },
    public_key: '',
  });
  const alias = aliasOf('pods');
  const known = { public_key: OWN, port: 51_820, peers: [] };
  const asked: string[] = [];
  const device = (name: string) => {
    asked.push(name);
    return known;
  };

  test('of somebody else is asked for its port only where that may be ours', () => {
    const [ours, theirs] = [linkOf('fl.7', alias), linkOf('wg0', 'office')];
    for (const link of [ours, theirs])
      unveiled({ device }, link, { alias, type: 'vxlan' }, new Map());
    expect(asked).toEqual(['fl.7']);
    const seen = unveiled({ device }, theirs, { alias, type: 'wireguard' }, new Map());
    expect(seen).toMatchObject({ port: 51_820, public_key: OWN });
  });

  test('of somebody else makes no look fail; ours does', () => {
    const fails = () => {
      throw new OsError(19, 'no such device');
    };
    const look = (link: SeenLink) =>
      unveiled({ device: fails }, link, { alias, type: 'wireguard' }, new Map());
    expect(look(linkOf('wg0', 'office'))).toEqual(linkOf('wg0', 'office'));
    expect(() => look(linkOf('fl.7', alias))).toThrow('no such device');
  });

  test('says the key that others get: none before the kernel took it', () => {
    const network = configured('pods', {
      Network: '10.244.0.0/16',
      Backend: { Type: 'wireguard' },
    });
    const links = [{ ...linkOf('wg0', 'office'), public_key: keyOf(9) }, linkOf('fl.1', alias)];
    const underlay = [{ v6: false, address: '192.0.2.1', dev: 'eth0', mtu_bytes: 1500 }];
    const seen = { event: 'seen', links, entries: [], foreign: [], underlay, paths: [] } as const;
    expect(ownKey(seen, network)).toBe('');
    expect(ownNode(false, seen, network)).not.toHaveProperty('public_key');
    const taken = { ...seen, links: [links[0]!, { ...linkOf('fl.1', alias), public_key: OWN }] };
    expect(ownNode(true, taken, network)).toMatchObject({ public_key: OWN, mtu_bytes: 1500 });
  });
});
