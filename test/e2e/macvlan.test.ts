// SPDX-License-Identifier: Apache-2.0
// Real packets of macvlans: between two pods of one master and to a machine on its wire, in every
// mode, with a switch outside that sends frames back or does not. The reference plugin is seen to
// do the same.
import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { type Attached, addChain, chain } from '../support/chain.ts';
import { needsMacvlan, needsReference } from '../support/needs.ts';
import { executableWorld, type NamedWorld, openWorld, REFERENCE_DIR } from '../support/world.ts';
import { inNetns } from './packets.ts';

/** The wire of up0 ends in a switch, on which a machine is. */
const BEFORE = `netns host
link up0 kind veth up peer lan/port0
netns lan
link sw0 kind bridge up
link port0 kind veth up master sw0
addr 10.1.2.1/24 dev sw0
addr fd00::1/64 dev sw0
netns a
netns b
`;
const OUTSIDE = ['10.1.2.1', 'fd00::1'];
const IN_B = ['10.1.2.4', 'fd00::4'];

function attached(pod: string, number: number, mode: string): Attached {
  const addresses = [{ address: `10.1.2.${number}/24` }, { address: `fd00::${number}/64` }];
  const ipam = { type: 'static', addresses };
  return { pod, ifname: 'eth0', plugins: [{ type: 'macvlan', master: 'up0', mode, ipam }] };
}

let world: NamedWorld;
afterEach(() => world?.close());

/** How long to wait for an answer, and for one that must not come where others do. */
const PATIENCE_S = 10;
const BRIEF_S = 2;

function reaches(from: string, addresses: readonly string[], wait_s = PATIENCE_S): boolean[] {
  return addresses.map((address) => {
    const words = ['ping', '-c', '1', '-w', String(wait_s), address];
    return spawnSync('ip', inNetns(world, from, ...words)).status === 0;
  });
}
const BOTH = [true, true];
const NEITHER = [false, false];

function add(pod: string, number: number, mode: string): void {
  const at = attached(pod, number, mode);
  chain(world, 'CHECK', 'one by one', at, addChain(world, 'one by one', at));
}
const hairpin = (state: string): void => {
  const words = ['-n', world.netns('lan'), 'link', 'set', 'port0', 'type', 'bridge_slave'];
  execFileSync('ip', [...words, 'hairpin', state]);
};
const macOf = (netns: string, link: string): string => {
  const said = execFileSync('ip', ['-n', world.netns(netns), '-j', 'link', 'show', link]);
  return JSON.parse(said.toString())[0].address;
};

describe.skipIf(needsMacvlan !== '')(`packets of macvlans ${needsMacvlan}`.trimEnd(), () => {
  test('bridge: each other and the wire', () => {
    world = openWorld(BEFORE);
    add('a', 3, 'bridge');
    add('b', 4, 'bridge');
    expect(reaches('a', OUTSIDE)).toEqual(BOTH);
    expect(reaches('b', OUTSIDE)).toEqual(BOTH);
    expect(reaches('a', IN_B)).toEqual(BOTH);
    expect(macOf('a', 'eth0')).not.toBe(macOf('b', 'eth0'));
    chain(world, 'DEL', 'one by one', attached('b', 4, 'bridge'), undefined);
    expect(reaches('a', IN_B, BRIEF_S)).toEqual(NEITHER);
    expect(reaches('a', OUTSIDE)).toEqual(BOTH);
  });

  test('private: the wire alone, also when the switch sends frames back', () => {
    world = openWorld(BEFORE);
    add('a', 3, 'private');
    add('b', 4, 'private');
    hairpin('on');
    expect(reaches('a', OUTSIDE)).toEqual(BOTH);
    expect(reaches('b', OUTSIDE)).toEqual(BOTH);
    expect(reaches('a', IN_B, BRIEF_S)).toEqual(NEITHER);
  });

  test('vepa: each other only by way of the switch', () => {
    world = openWorld(BEFORE);
    add('a', 3, 'vepa');
    add('b', 4, 'vepa');
    expect(reaches('a', OUTSIDE)).toEqual(BOTH);
    expect(reaches('a', IN_B, BRIEF_S)).toEqual(NEITHER);
    hairpin('on');
    expect(reaches('a', IN_B)).toEqual(BOTH);
  });

  test('passthru: the wire, with the address of the master', () => {
    world = openWorld(BEFORE);
    add('a', 3, 'passthru');
    expect(reaches('a', OUTSIDE)).toEqual(BOTH);
    expect(macOf('a', 'eth0')).toBe(macOf('host', 'up0'));
    expect(() => add('b', 4, 'bridge')).toThrow('one in mode passthru has it');
    expect(reaches('a', OUTSIDE)).toEqual(BOTH);
  });

  test.skipIf(needsReference !== '')(`the reference ${needsReference}`.trimEnd(), () => {
    // IPv4: it does not wait for IPv6 addresses without a gateway.
    world = executableWorld(BEFORE, REFERENCE_DIR);
    add('a', 3, 'vepa');
    add('b', 4, 'vepa');
    expect(reaches('a', OUTSIDE.slice(0, 1))).toEqual([true]);
    expect(reaches('a', IN_B, BRIEF_S)).toEqual(NEITHER);
    hairpin('on');
    expect(reaches('a', IN_B.slice(0, 1))).toEqual([true]);
  });
});
