// SPDX-License-Identifier: Apache-2.0
// Random operations on two links and a bridge, with few enough names that they meet. A seed gives
// the same calls each time.
import { seeded } from '../support/lib-wasm.ts';
import type { Call } from '../support/script.ts';
import * as say from '../support/script.ts';

const COUNT = 60;
const LINKS = [
  ['host', 'br0'],
  ['host', 'a0'],
  ['host', 'b0'],
  ['pod', 'a1'],
  ['pod', 'b1'],
  ['pod', 'lo'],
] as const;
const CIDRS4 = ['10.1.1.1/24', '10.1.1.2/24', '10.2.0.1/16', '10.3.0.1/32'];
const CIDRS6 = ['fd00::1/64', 'fd00::2/64', 'fd02::1/48', 'fd03::1/128'];
const TARGETS = ['0.0.0.0/0', '10.9.0.0/16', '10.1.1.0/24', '10.8.0.1/32', '::/0', 'fd09::/64'];
const SOURCES = ['10.1.1.1/32', 'fd00::1/128', '10.0.0.0/8'];
const GATEWAYS4 = ['', '', '10.1.1.9', '10.2.7.7'];
const GATEWAYS6 = ['', '', 'fd00::9', 'fd02::9'];

const DESTINATIONS4 = ['10.9.0.1', '10.1.1.7', '10.2.9.9', '10.8.0.1', '192.0.2.1', '10.1.1.1'];

export function randomCalls(seed: number): Call[] {
  const random = seeded(seed);
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const cidr = () => one([...CIDRS4, ...CIDRS6]);

  const route = (ns: string, dev: string): Call => {
    const dst = one(TARGETS);
    const v6 = dst.includes(':');
    const gw = one(v6 ? GATEWAYS6 : GATEWAYS4);
    const src = one(['', '', '', v6 ? 'fd00::1' : '10.1.1.1']);
    const [scope, priority, table] = [one([0, 0, 253]), one([0, 0, 7]), one([0, 0, 100])];
    return say.route(ns, dev, dst, { gw, src, scope, priority, table });
  };
  const unroute = (ns: string, dev: string): Call => {
    // What stands for "no default route" leaves by lo, and that alone is ENOENT: not modelled.
    const dst = one(TARGETS.filter((target) => dev !== 'lo' || target !== '::/0'));
    return say.unroute(ns, dev, dst, one(dst.includes(':') ? GATEWAYS6 : GATEWAYS4));
  };
  const sysctl = (ns: string, dev: string): Call => {
    const knob = one(['disable_ipv6', 'keep_addr_on_down', 'ndisc_notify']);
    return say.write(ns, `net/ipv6/conf/${one([dev, 'all'])}/${knob}`, one(['0', '1']));
  };
  const tune = (ns: string, dev: string): Call => {
    // lo has no bounds of its own, and goes without IPv4 below 68: not modelled.
    const mtu = say.on('link_set_mtu', ns, dev, { mtu_bytes: one([60, 1200, 1400, 1500, 65536]) });
    const txqlen = say.on('link_set_txqlen', ns, dev, { txqlen: one([0, 500, 1000]) });
    const flag = one(['link_set_allmulti', 'link_set_promisc'] as const);
    return one([dev === 'lo' ? txqlen : mtu, txqlen, say.on(flag, ns, dev, { on: one([0, 1]) })]);
  };
  /** What may happen, as often as its weight says. */
  const kinds: readonly [number, (ns: string, dev: string) => Call][] = [
    [12, say.up],
    [5, say.down],
    [23, (ns, dev) => say.addr(ns, dev, cidr())],
    [10, (ns, dev) => say.unaddr(ns, dev, cidr())],
    [22, route],
    [8, unroute],
    [4, (ns) => say.rule(ns, one(SOURCES), one([100, 101]), one([0, 0, 7]))],
    [2, (ns) => say.unrule(ns, one(SOURCES), one([100, 101]), one([0, 7]))],
    [2, (ns) => ['fib_rule_list', { ns }]],
    [4, () => say.veth('b0', 'b1', { master: one(['', 'br0']) })],
    [2, (ns, dev) => say.on('link_del', ns, dev)],
    [2, () => say.bridge('br0')],
    [4, sysctl],
    [8, tune],
    [4, (ns, dev) => say.on('addr_list', ns, dev)],
    // Not IPv6: which of two equal routes it takes depends on neighbours and hashes.
    [6, (ns) => say.toward(ns, one(DESTINATIONS4))],
    [4, (ns, dev) => say.on('link_get_index', ns, dev)],
  ];
  const bag = kinds.flatMap(([weight, make]) => new Array(weight).fill(make) as (typeof make)[]);

  const calls: Call[] = [say.bridge('br0'), say.veth('a0', 'a1', { master: 'br0' })];
  calls.push(say.veth('b0', 'b1'), say.up('pod', 'a1'), say.up('host', 'br0'));
  while (calls.length < COUNT) {
    const [ns, dev] = one(LINKS);
    calls.push(one(bag)(ns, dev));
  }
  return calls;
}
