// SPDX-License-Identifier: Apache-2.0
// Real packets to a pod with two interfaces, on a host that drops what comes in by another
// interface than it would answer by: each address is reachable only when its replies leave by its
// own. The reference plugins under the same configurations are seen to do the same.
import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { type Attached, addChain, chain, type Plugin, type Style } from '../support/chain.ts';
import { needsReference, needsRoot } from '../support/needs.ts';
import { executableWorld, type NamedWorld, openWorld, REFERENCE_DIR } from '../support/world.ts';
import { inNetns } from './packets.ts';

const BEFORE = `netns host
link up0 kind veth up peer out/eth0
addr 192.0.2.1/24 dev up0
addr 2001:db8::1/64 dev up0
netns out
link eth0 kind veth up
addr 192.0.2.2/24 dev eth0
addr 2001:db8::2/64 dev eth0
route 10.0.0.0/8 via 192.0.2.1 dev eth0 proto boot
route fd00::/8 via 2001:db8::1 dev eth0 proto boot
netns pod
`;
const OUTSIDE = { 4: '192.0.2.2', 6: '2001:db8::2' };

function bridge(number: number, routes: object[]): Plugin {
  const addresses = [
    { address: `10.${number}.2.3/24`, gateway: `10.${number}.2.1` },
    { address: `fd0${number}::3/64`, gateway: `fd0${number}::1` },
  ];
  const ipam = { type: 'static', addresses, routes };
  return { type: 'bridge', bridge: `br${number}`, isGateway: true, ipam };
}
const SBR: Plugin = { type: 'sbr' };
const FIRST = bridge(1, [{ dst: '0.0.0.0/0' }, { dst: '::/0' }]);
const SECOND = bridge(2, []);
const at = (ifname: string, ...plugins: Plugin[]): Attached => ({ pod: 'pod', ifname, plugins });

let world: NamedWorld;
afterEach(() => world?.close());

const inside = (netns: string, ...words: string[]): string[] => inNetns(world, netns, ...words);
const strict = () =>
  execFileSync('ip', inside('host', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1'));
/** Until there is an answer: IPv6 may take its time to begin. */
const reaches = (address: string): boolean =>
  spawnSync('ip', inside('out', 'ping', '-c', '1', '-w', '5', address)).status === 0;
const pod = (...words: string[]): string =>
  execFileSync('ip', ['-n', world.netns('pod'), ...words], { encoding: 'utf8' });
/** The interface by which the pod answers from an address. */
const leavesBy = (source: string): string | undefined =>
  / dev (\S+)/.exec(
    pod('route', 'get', OUTSIDE[source.includes(':') ? 6 : 4], 'from', source),
  )?.[1];

function expectBoth(): void {
  expect(['10.1.2.3', '10.2.2.3', 'fd01::3', 'fd02::3'].filter((ip) => !reaches(ip))).toEqual([]);
  expect(leavesBy('10.1.2.3')).toBe('eth0');
  expect(leavesBy('10.2.2.3')).toBe('eth1');
  expect(leavesBy('fd01::3')).toBe('eth0');
  expect(leavesBy('fd02::3')).toBe('eth1');
}

describe.skipIf(needsRoot !== '')(`replies of a pod with two interfaces ${needsRoot}`, () => {
  test('without sbr those from the second leave by the first, and are lost', () => {
    world = openWorld(BEFORE);
    addChain(world, 'one by one', at('eth0', FIRST));
    addChain(world, 'one by one', at('eth1', SECOND));
    strict();
    expect(reaches('10.1.2.3')).toBe(true);
    expect(reaches('10.2.2.3')).toBe(false);
    expect(leavesBy('10.2.2.3')).toBe('eth0');
  });

  test.each<Style>(['one by one', 'fused'])('with sbr, %s, each leaves by its own', (style) => {
    world = openWorld(BEFORE);
    const [one, two] = [at('eth0', FIRST, SBR), at('eth1', SECOND, SBR)];
    const first = addChain(world, style, one);
    const second = addChain(world, style, two);
    strict();
    expectBoth();
    chain(world, 'CHECK', style, one, first);
    chain(world, 'CHECK', style, two, second);
    chain(world, 'DEL', style, two, second);
    expect(reaches('10.1.2.3')).toBe(true);
    expect(pod('rule')).not.toContain('10.2.2.3');
    chain(world, 'DEL', style, one, first);
    expect(pod('rule')).not.toContain('10.1.2.3');
    expect(pod('route', 'show', 'table', 'all')).toBe('');
  });

  test('DEL of sbr alone gives the interface its routes back', () => {
    world = openWorld(BEFORE);
    const first = addChain(world, 'one by one', at('eth0', FIRST, SBR));
    expect(pod('route')).toBe('');
    chain(world, 'DEL', 'one by one', at('eth0', SBR), first);
    expect(pod('route')).toContain('default via 10.1.2.1 dev eth0');
    expect(reaches('10.1.2.3')).toBe(true);
    expect(reaches('fd01::3')).toBe(true);
  });

  test.skipIf(needsReference !== '')(`the reference ${needsReference}`.trimEnd(), () => {
    world = executableWorld(BEFORE, REFERENCE_DIR);
    addChain(world, 'one by one', at('eth0', FIRST, SBR));
    const second = addChain(world, 'one by one', at('eth1', SECOND, SBR));
    strict();
    expectBoth();
    chain(world, 'DEL', 'one by one', at('eth1', SECOND, SBR), second);
    expect(pod('rule')).not.toContain('10.2.2.3');
    expect(reaches('10.1.2.3')).toBe(true);
  });
});
