// SPDX-License-Identifier: Apache-2.0
// Real packets of interfaces in VLANs: they leave the master with the tag of theirs, which the
// other end of its wire tells by having an interface for each. The reference plugin is seen to do
// the same.
import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { type Attached, addChain, chain, type Style } from '../support/chain.ts';
import { needsReference, needsVlan } from '../support/needs.ts';
import { executableWorld, type NamedWorld, openWorld, REFERENCE_DIR } from '../support/world.ts';
import { inNetns } from './packets.ts';

/** Addresses in VLAN 100 and in VLAN 101, and none without a tag. */
const BEFORE = `netns host
link up0 kind veth up peer lan/far0
netns lan
link far0 kind veth up
link t100 kind vlan up id 100 lower lan/far0
link t101 kind vlan up id 101 lower lan/far0
addr 10.1.2.1/24 dev t100
addr fd00::1/64 dev t100
addr 10.1.3.1/24 dev t101
addr fd01::1/64 dev t101
netns a
netns b
`;

interface Pod {
  readonly pod: string;
  readonly vlanId: number;
  readonly own: readonly [v4: string, v6: string];
  readonly gateway: readonly [v4: string, v6: string];
}
const A: Pod = {
  ...{ pod: 'a', vlanId: 100 },
  ...{ own: ['10.1.2.3', 'fd00::3'], gateway: ['10.1.2.1', 'fd00::1'] },
};
const B: Pod = {
  ...{ pod: 'b', vlanId: 101 },
  ...{ own: ['10.1.3.3', 'fd01::3'], gateway: ['10.1.3.1', 'fd01::1'] },
};

function attached({ pod, vlanId, own, gateway }: Pod): Attached {
  const lengths = [24, 64];
  const addresses = own.map((ip, at) => ({
    address: `${ip}/${lengths[at]}`,
    gateway: gateway[at],
  }));
  const ipam = { type: 'static', addresses };
  return { pod, ifname: 'eth0', plugins: [{ type: 'vlan', master: 'up0', vlanId, ipam }] };
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

function add(style: Style, pod: Pod): void {
  const at = attached(pod);
  chain(world, 'CHECK', style, at, addChain(world, style, at));
}

describe.skipIf(needsVlan !== '')(`packets in VLANs ${needsVlan}`.trimEnd(), () => {
  test.each<Style>(['one by one', 'fused'])('each its own, %s', (style) => {
    world = openWorld(BEFORE);
    add(style, A);
    add(style, B);
    expect(reaches('a', A.gateway)).toEqual(BOTH);
    expect(reaches('b', B.gateway)).toEqual(BOTH);
    expect(reaches('lan', A.own)).toEqual(BOTH);
    // What comes without that tag, or with another, is nobody's there.
    execFileSync('ip', ['-n', world.netns('lan'), 'link', 'set', 't100', 'down']);
    expect(reaches('a', A.gateway, BRIEF_S)).toEqual(NEITHER);
    expect(reaches('b', B.gateway)).toEqual(BOTH);
    chain(world, 'DEL', style, attached(B), undefined);
    expect(reaches('lan', B.own, BRIEF_S)).toEqual(NEITHER);
  });

  test.skipIf(needsReference !== '')(`the reference ${needsReference}`.trimEnd(), () => {
    world = executableWorld(BEFORE, REFERENCE_DIR);
    add('one by one', A);
    add('one by one', B);
    expect(reaches('a', A.gateway)).toEqual(BOTH);
    expect(reaches('lan', B.own)).toEqual(BOTH);
  });
});
