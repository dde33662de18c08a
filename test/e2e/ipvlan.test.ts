// SPDX-License-Identifier: Apache-2.0
// Real packets of ipvlans: between two pods of one master and to a machine on its wire, in every
// mode, and what the host cannot reach. The reference plugin is seen to do the same.
import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { type Attached, addChain, chain, type Style } from '../support/chain.ts';
import { needsIpvlan, needsReference } from '../support/needs.ts';
import { executableWorld, type NamedWorld, openWorld, REFERENCE_DIR } from '../support/world.ts';
import { inNetns } from './packets.ts';

/** A machine at the other end of the wire, which knows the way to the pods that are routed. */
const BEFORE = `netns host
link up0 kind veth up peer lan/far0
addr 10.1.2.2/24 dev up0
addr fd00::2/64 dev up0
netns lan
link far0 kind veth up
addr 10.1.2.1/24 dev far0
addr fd00::1/64 dev far0
route 10.5.0.0/24 via 10.1.2.2 dev far0 proto boot
route fd05::/64 via fd00::2 dev far0 proto boot
netns a
netns b
`;
const OUTSIDE = ['10.1.2.1', 'fd00::1'];
/** On the wire's own subnets in mode l2, beyond the host where it routes. */
const NETS: Readonly<Record<string, readonly [v4: string, v6: string]>> = {
  l2: ['10.1.2', 'fd00:'],
  l3: ['10.5.0', 'fd05:'],
  l3s: ['10.5.0', 'fd05:'],
};
const addressesOf = (mode: string, number: number): string[] => {
  const [v4, v6] = NETS[mode]!;
  return [`${v4}.${number}`, `${v6}:${number}`];
};

function attached(pod: string, number: number, mode: string): Attached {
  const [v4, v6] = addressesOf(mode, number);
  const addresses = [{ address: `${v4}/24` }, { address: `${v6}/64` }];
  const routes = mode === 'l2' ? [] : [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];
  const ipam = { type: 'static', addresses, routes };
  return { pod, ifname: 'eth0', plugins: [{ type: 'ipvlan', master: 'up0', mode, ipam }] };
}

let world: NamedWorld;
afterEach(() => world?.close());

/** How long to wait for an answer: in a kernel that is a process the first one takes its time. */
const PATIENCE_S = 20;
/** For one that must not come, where others are answered already. */
const BRIEF_S = 3;

function reaches(from: string, addresses: readonly string[], wait_s = PATIENCE_S): boolean[] {
  return addresses.map((address) => {
    const words = ['ping', '-c', '1', '-w', String(wait_s), address];
    return spawnSync('ip', inNetns(world, from, ...words)).status === 0;
  });
}
const BOTH = [true, true];
const NEITHER = [false, false];

function add(style: Style, pod: string, number: number, mode: string): void {
  const at = attached(pod, number, mode);
  chain(world, 'CHECK', style, at, addChain(world, style, at));
}
const macOf = (netns: string, link: string): string => {
  const said = execFileSync('ip', ['-n', world.netns(netns), '-j', 'link', 'show', link]);
  return JSON.parse(said.toString())[0].address;
};

describe.skipIf(needsIpvlan !== '')(`packets of ipvlans ${needsIpvlan}`.trimEnd(), () => {
  test.each(['l2', 'l3', 'l3s'])('mode %s: each other and the wire, and not the host', (mode) => {
    world = openWorld(BEFORE);
    add('one by one', 'a', 3, mode);
    add('fused', 'b', 4, mode);
    const [inA, inB] = [addressesOf(mode, 3), addressesOf(mode, 4)];
    expect(reaches('a', OUTSIDE)).toEqual(BOTH);
    expect(reaches('lan', inB)).toEqual(BOTH);
    expect(reaches('a', inB)).toEqual(BOTH);
    expect(macOf('a', 'eth0')).toBe(macOf('host', 'up0'));
    expect(macOf('b', 'eth0')).toBe(macOf('host', 'up0'));
    // By the master, which is its only way there: what portmap leads on is lost likewise.
    expect(reaches('host', inA, BRIEF_S)).toEqual(NEITHER);
    chain(world, 'DEL', 'fused', attached('b', 4, mode), undefined);
    expect(reaches('a', inB, BRIEF_S)).toEqual(NEITHER);
    expect(reaches('a', OUTSIDE)).toEqual(BOTH);
  });

  test('another mode is refused, and the pods that are there go on', () => {
    world = openWorld(BEFORE);
    add('one by one', 'a', 3, 'l2');
    expect(() => add('one by one', 'b', 4, 'l3')).toThrow('all on an interface have one');
    expect(reaches('lan', addressesOf('l2', 3))).toEqual(BOTH);
  });

  test.skipIf(needsReference !== '')(`the reference ${needsReference}`.trimEnd(), () => {
    // IPv4: it does not wait for IPv6 addresses without a gateway.
    world = executableWorld(BEFORE, REFERENCE_DIR);
    add('one by one', 'a', 3, 'l2');
    expect(reaches('lan', addressesOf('l2', 3).slice(0, 1))).toEqual([true]);
    expect(reaches('host', addressesOf('l2', 3), BRIEF_S)).toEqual(NEITHER);
    // The newest decides for all: the first no longer answers who asks for its hardware address.
    add('one by one', 'b', 5, 'l3');
    const mode = execFileSync('ip', ['-n', world.netns('a'), '-d', 'link', 'show', 'eth0']);
    expect(mode.toString()).toContain('ipvlan  mode l3 ');
  });
});
