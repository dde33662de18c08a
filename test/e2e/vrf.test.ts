// SPDX-License-Identifier: Apache-2.0
// Real packets to a pod whose two interfaces have the same address, each in a VRF of its own: who
// asks on one network is answered there. The reference plugins are seen to do the same, but for the
// routes, which the packaged release loses.
import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { type Attached, addChain, chain, type Plugin, type Style } from '../support/chain.ts';
import { needsReference, needsRoot, needsVrf } from '../support/needs.ts';
import { executableWorld, type NamedWorld, openWorld, REFERENCE_DIR } from '../support/world.ts';
import { inNetns } from './packets.ts';

const BEFORE = `netns host
link br1 kind bridge up
link br2 kind bridge up
link pa kind veth up master br1 peer a/eth0
link pb kind veth up master br2 peer b/eth0
netns a
link eth0 kind veth up
addr 10.1.2.9/24 dev eth0
addr fd00::9/64 dev eth0
netns b
link eth0 kind veth up
addr 10.1.2.9/24 dev eth0
addr fd00::9/64 dev eth0
netns pod
`;
const ADDRESSES = [
  { address: '10.1.2.3/24', gateway: '10.1.2.9' },
  { address: 'fd00::3/64', gateway: 'fd00::9' },
];
const ROUTES = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];

function attached(ifname: string, bridge: string, vrfname: string): Attached {
  const ipam = { type: 'static', addresses: ADDRESSES, routes: ROUTES };
  const plugins: Plugin[] = [
    { type: 'bridge', bridge, ipam },
    { type: 'vrf', vrfname },
  ];
  return { pod: 'pod', ifname, plugins };
}
const RED = attached('eth0', 'br1', 'red');
const BLUE = attached('eth1', 'br2', 'blue');

let world: NamedWorld;
afterEach(() => world?.close());

/** How long to wait for an answer: in a kernel that is a process the first one takes its time. */
const PATIENCE_S = 20;
/** For one that must not come, where others are answered already. */
const BRIEF_S = 5;

const reaches = (from: string, address: string, wait_s = PATIENCE_S): boolean => {
  const words = ['ping', '-c', '1', '-w', String(wait_s), address];
  return spawnSync('ip', inNetns(world, from, ...words)).status === 0;
};
const pod = (...words: string[]): string =>
  execFileSync('ip', ['-n', world.netns('pod'), ...words], { encoding: 'utf8' });

function expectBoth(): void {
  for (const address of ['10.1.2.3', 'fd00::3']) {
    expect(reaches('a', address)).toBe(true);
    expect(reaches('b', address)).toBe(true);
  }
  expect(pod('-4', 'route')).toBe('');
  // Who is answered is so by his own interface.
  pod('link', 'set', 'eth1', 'down');
  expect(reaches('a', '10.1.2.3')).toBe(true);
  expect(reaches('b', '10.1.2.3', BRIEF_S)).toBe(false);
}

describe.skipIf(needsVrf !== '')(`packets in VRFs ${needsVrf}`.trimEnd(), () => {
  test.each<Style>(['one by one', 'fused'])('one address in two of them, %s', (style) => {
    world = openWorld(BEFORE);
    const red = addChain(world, style, RED);
    const blue = addChain(world, style, BLUE);
    chain(world, 'CHECK', style, RED, red);
    chain(world, 'CHECK', style, BLUE, blue);
    expect(pod('route', 'show', 'vrf', 'red')).toMatch(/^default via 10\.1\.2\.9 dev eth0/m);
    expect(pod('route', 'show', 'vrf', 'blue')).toMatch(/^default via 10\.1\.2\.9 dev eth1/m);
    expect(pod('-6', 'route', 'show', 'vrf', 'red')).toMatch(/^default via fd00::9 dev eth0/m);
    expectBoth();
    chain(world, 'DEL', style, BLUE, blue);
    expect(pod('link')).not.toContain('blue');
    expect(reaches('a', '10.1.2.3')).toBe(true);
    chain(world, 'DEL', style, RED, red);
    expect(pod('link')).not.toMatch(/red|eth/);
  });

  test.skipIf(needsReference !== '')(`the reference ${needsReference}`.trimEnd(), () => {
    world = executableWorld(BEFORE, REFERENCE_DIR);
    addChain(world, 'one by one', RED);
    const blue = addChain(world, 'one by one', BLUE);
    expectBoth();
    chain(world, 'DEL', 'one by one', BLUE, blue);
    expect(pod('link')).not.toContain('blue');
  });
});

describe.skipIf(needsVrf === '' || needsRoot !== '')('a kernel without VRFs', () => {
  test('ADD says what it lacks and leaves all as it was', () => {
    world = openWorld(BEFORE);
    const [bridge, vrf] = RED.plugins as [Plugin, Plugin];
    const prevResult = addChain(world, 'one by one', { ...RED, plugins: [bridge] });
    // A bridge follows its ports a second later.
    const dump = () => world.dump().replace(/^(link \S+ kind bridge .*) operstate \w+$/gm, '$1');
    const before = dump();
    const plugins = [{ ...vrf, prevResult }];
    expect(() => addChain(world, 'one by one', { ...RED, plugins })).toThrow('CONFIG_NET_VRF');
    expect(dump()).toBe(before);
    chain(world, 'DEL', 'one by one', RED, prevResult);
  });

  test('STATUS is error 50', () => {
    world = openWorld(BEFORE);
    const stdin = JSON.stringify({ cniVersion: '1.1.0', name: 'n', type: 'vrf', vrfname: 'red' });
    const env = { CNI_COMMAND: 'STATUS', CNI_PATH: '/opt/cni/bin' };
    const step = { number: 1, command: 'STATUS', type: 'vrf', stdin, env, prev: 0 };
    const { exit_code, stdout } = world.run(step, stdin);
    expect(exit_code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 50, details: 'EOPNOTSUPP' });
    expect(JSON.parse(stdout).msg).toContain('CONFIG_NET_VRF');
  });
});
