// SPDX-License-Identifier: Apache-2.0
// The kernel operations on real network namespaces that each test makes and removes, with iproute2
// as the judge of what the kernel holds. The machine's own links are never touched: handle 0 is a
// made namespace here too.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Address,
  type FibRule,
  type Link,
  OsError,
  type Route,
  type RouteTo,
} from '../../host-node/abi/index.ts';
import { netlinkDriver } from '../../host-node/drivers/netlink.ts';
import { type KernelDriver, underTest } from '../support/kernel-driver.ts';
import { needsVrf } from '../support/needs.ts';

const [ENOENT, ESRCH, EBADF, EACCES, EEXIST] = [2, 3, 9, 13, 17];
const [ENODEV, EINVAL, EOPNOTSUPP, EADDRNOTAVAIL, ENETUNREACH] = [19, 22, 95, 99, 101];
const EHOSTUNREACH = 113;
const LINK_SCOPE = 253;

const root = process.getuid?.() === 0;
if (!root) console.warn('skipped: network namespaces need root');

const made = new Set<string>();
function addNetns(): string {
  const name = `fl-${randomBytes(5).toString('hex')}`;
  execFileSync('ip', ['netns', 'add', name]);
  made.add(name);
  return name;
}
function removeAll(): void {
  for (const name of made) {
    spawnSync('ip', ['netns', 'del', name]);
    made.delete(name);
  }
}
const pathOf = (name: string) => `/var/run/netns/${name}`;
const sh = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8' });

// biome-ignore lint/suspicious/noExplicitAny: what iproute2 prints has no type
type Json = any;
/** What `ip` of that namespace prints, as JSON. */
function ip(ns: string, ...args: string[]): Json {
  const text = sh('ip', '-j', '-d', '-n', ns, ...args);
  return text.trim() === '' ? [] : JSON.parse(text);
}
const bridge = (ns: string, ...args: string[]): Json =>
  JSON.parse(sh('bridge', '-j', '-n', ns, ...args));
const linkOf = (ns: string, name: string): Json => ip(ns, 'link', 'show', 'dev', name)[0];
const routesOf = (ns: string, ...args: string[]): Json => ip(ns, 'route', 'show', ...args);

/** Not every kernel is built with VLANs on bridges. */
function kernelHasBridgeVlans(): boolean {
  const name = addNetns();
  const args = ['-n', name, 'link', 'add', 'br0', 'type', 'bridge', 'vlan_filtering', '1'];
  const result = spawnSync('ip', args);
  removeAll();
  return result.status === 0;
}
const vlans = root && kernelHasBridgeVlans();
if (!vlans) console.warn('skipped: this kernel has no CONFIG_BRIDGE_VLAN_FILTERING');

let host: string;
let pod: string;
let kernel: KernelDriver;
let ns: number;
const home = fs.readlinkSync('/proc/thread-self/ns/net');

beforeEach(() => {
  if (!root) return;
  host = addNetns();
  pod = addNetns();
  kernel = underTest.open({ hostNetns: pathOf(host) });
  ns = kernel.netns_open({ path: pathOf(pod) });
});

afterEach(async () => {
  if (!root) return;
  await kernel.close();
  removeAll();
  // Whatever a test did, every thread of this process is where it was.
  for (const task of fs.readdirSync('/proc/self/task')) {
    try {
      expect(fs.readlinkSync(`/proc/self/task/${task}/ns/net`)).toBe(home);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
});
afterAll(removeAll);

function failure(action: () => unknown): OsError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(OsError);
    return error as OsError;
  }
  throw new Error('it did not fail');
}

const get = (handle: number, name: string) => kernel.link_get({ ns: handle, name }) as Link;

/** A veth pair: `name` in the host's namespace, `peer` in the pod's. Returns both. */
function pair(name = 'veth0', peer = 'eth0', changes: Partial<Parameters<typeof veth>[0]> = {}) {
  veth({ name, peer_name: peer, ...changes });
  return { outer: get(0, name), inner: get(ns, peer) };
}
const VETH = { ns: 0, name: 'veth0', address: '', mtu_bytes: 0, master: 0 };
const PEER = { peer_name: 'eth0', peer_address: '' };
function veth(changes: Partial<Parameters<typeof kernel.link_add_veth>[0]>): void {
  kernel.link_add_veth({ ...VETH, ...PEER, peer_ns: ns, ...changes });
}

/** Waits for the link-local address of a pod link; the kernel adds it within a second or so. */
function settle(ifindex: number): void {
  const words = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 500; tries++) {
    if (addrList(ifindex).some((one) => one.address.startsWith('fe80::'))) return;
    Atomics.wait(words, 0, 0, 10);
  }
  throw new Error('no link-local address');
}

/** A pair whose inner end is up and has 10.1.2.3/24 and fd00::3/64. Returns its ifindex. */
function ready(): number {
  const ifindex = pair().inner.ifindex;
  kernel.link_set_up({ ns, ifindex });
  kernel.addr_add({ ns, ifindex, address: '10.1.2.3/24', nodad: 0 });
  kernel.addr_add({ ns, ifindex, address: 'fd00::3/64', nodad: 1 });
  return ifindex;
}

const NO_ROUTE = { gw: '', src: '', scope: 0, table: 0, priority: 0 };
const ROUTE = { ...NO_ROUTE, mtu_bytes: 0, advmss: 0, protocol: 0 };
const addRoute = (ifindex: number, dst: string, changes: Partial<typeof ROUTE> = {}) =>
  kernel.route_add({ ns, ifindex, dst, ...ROUTE, ...changes });
const routeList = (ifindex: number) => kernel.route_list({ ns, ifindex }) as Route[];
const addrList = (ifindex: number) => kernel.addr_list({ ns, ifindex }) as Address[];

describe.skipIf(!root)('namespaces', () => {
  test('a missing path is ENOENT, one that is no network namespace EINVAL', () => {
    const open = (path: string) => failure(() => kernel.netns_open({ path }));
    expect(open('/var/run/netns/fl-none').errno).toBe(ENOENT);
    for (const path of ['/etc/passwd', '/etc', '/proc', '/proc/self/status', '/proc/self/ns/uts']) {
      expect([path, open(path).errno]).toEqual([path, EINVAL]);
    }
    expect(open('/etc/passwd\0').errno).toBe(EINVAL);
    // `ip netns add` first makes an empty file, on which it mounts.
    const bare = `/var/run/netns/fl-${randomBytes(5).toString('hex')}`;
    fs.writeFileSync(bare, '');
    try {
      expect(open(bare).errno).toBe(EINVAL);
    } finally {
      fs.unlinkSync(bare);
    }
  });

  test('handles count from 1, and one namespace opened twice is the same', () => {
    const again = kernel.netns_open({ path: pathOf(pod) });
    const outer = kernel.netns_open({ path: pathOf(host) });
    expect([ns, again, outer]).toEqual([1, 2, 3]);
    expect(kernel.netns_same({ a: ns, b: again })).toBe(1);
    expect(kernel.netns_same({ a: ns, b: outer })).toBe(0);
    expect(kernel.netns_same({ a: 0, b: outer })).toBe(1);
    expect(failure(() => kernel.netns_same({ a: 0, b: 9 })).errno).toBe(EBADF);
    expect(failure(() => get(9, 'lo')).errno).toBe(EBADF);
    kernel.netns_close({ ns: again });
    expect(failure(() => get(again, 'lo')).errno).toBe(EBADF);
    expect(failure(() => kernel.netns_close({ ns: again })).errno).toBe(EBADF);
    expect(kernel.netns_open({ path: pathOf(host) })).toBe(again);
    expect(kernel.netns_same({ a: outer, b: again })).toBe(1);
    kernel.netns_close({ ns: 0 });
    expect(kernel.netns_same({ a: 0, b: again })).toBe(1);
  });

  test('handle 0 without hostNetns is where the process is', async () => {
    const own = underTest.open();
    try {
      const handle = own.netns_open({ path: '/proc/self/ns/net' });
      expect(own.netns_same({ a: 0, b: handle })).toBe(1);
      expect(own.link_get({ ns: 0, name: 'lo' })).toMatchObject({ ifindex: 1, name: 'lo' });
    } finally {
      await own.close();
    }
  });
});

if (underTest.here) {
  describe.skipIf(!root)('this process in other namespaces', () => {
    test('no socket is opened before it is needed, and close leaves no descriptor', () => {
      const sockets = () =>
        fs.readdirSync('/proc/self/fd').filter((fd) => {
          try {
            return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
          } catch {
            return false;
          }
        }).length;
      const before = [fs.readdirSync('/proc/self/fd').length, sockets()];
      const other = netlinkDriver({ hostNetns: pathOf(host) });
      const handle = other.netns_open({ path: pathOf(pod) });
      expect(sockets()).toBe(before[1]);
      other.link_get({ ns: handle, name: 'lo' });
      other.link_get({ ns: 0, name: 'lo' });
      expect(sockets()).toBe(before[1]! + 2);
      other.close();
      expect([fs.readdirSync('/proc/self/fd').length, sockets()]).toEqual(before);
    });

    test('a thread that cannot come home ends the process with 70', () => {
      const libc = new URL('../../host-node/sys/libc.ts', import.meta.url).href;
      const script = `
        import * as fs from 'node:fs';
        import { insideNetns } from '${libc}';
        process.on('exit', () => fs.writeSync(1, 'handlers ran'));
        insideNetns(fs.openSync('${pathOf(pod)}'), fs.openSync('/etc/passwd'), () => {});
        fs.writeSync(1, 'went on');`;
      const args = ['--no-warnings', '--input-type=module', '-e', script];
      const result = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect([result.status, result.stdout]).toEqual([70, '']);
      expect(result.stderr).toContain("cannot return to the host's network namespace");
    });
  });
}

describe.skipIf(!root)('links', () => {
  test('lo, as it is in a new namespace', () => {
    expect(get(0, 'lo')).toEqual({
      ifindex: 1,
      name: 'lo',
      kind: '',
      address: '00:00:00:00:00:00',
      mtu_bytes: 65536,
      up: false,
      promisc: false,
      allmulti: false,
      txqlen: 1000,
      operstate: 'down',
      master: 0,
      peer: 0,
      vlan_filtering: false,
      table: 0,
      lower: 0,
      mode: '',
      vid: 0,
      alias: '',
      permaddr: '',
    });
    expect(kernel.link_get_index({ ns: 0, ifindex: 1 })).toEqual(get(0, 'lo'));
  });

  test('a link that is not there is ENODEV', () => {
    expect(failure(() => get(0, 'none')).errno).toBe(ENODEV);
    expect(failure(() => get(0, '')).errno).toBe(ENODEV);
    for (const ifindex of [99, 0, -1]) {
      const at = { ns: 0, ifindex };
      const all = [
        () => kernel.link_get_index(at),
        () => kernel.link_set_up(at),
        () => kernel.link_set_down(at),
        () => kernel.link_set_promisc({ ...at, on: 1 }),
        () => kernel.link_set_allmulti({ ...at, on: 1 }),
        () => kernel.link_set_mtu({ ...at, mtu_bytes: 1400 }),
        () => kernel.link_set_txqlen({ ...at, txqlen: 5 }),
        () => kernel.link_set_address({ ...at, address: '02:00:00:00:00:01' }),
        () => kernel.link_set_bridge_port({ ...at, hairpin: 1, isolated: 0 }),
        () => kernel.link_del(at),
        () => kernel.bridge_port_list(at),
        () => kernel.bridge_vlan_add({ ...at, vid: 1, vid_end: 1, pvid: 0, untagged: 0 }),
        () => kernel.bridge_vlan_del({ ...at, vid: 1, vid_end: 1 }),
        () => kernel.bridge_vlan_list(at),
        () => kernel.addr_add({ ...at, address: '10.0.0.1/8', nodad: 0 }),
        () => kernel.addr_add({ ...at, address: 'fd00::1/64', nodad: 0 }),
        () => kernel.addr_del({ ...at, address: '10.0.0.1/8' }),
        () => kernel.addr_list(at),
        () => kernel.route_add({ ...at, dst: '10.0.0.0/8', ...ROUTE }),
        () => kernel.route_list(at),
      ];
      for (const action of all)
        expect([String(action), failure(action).errno]).toEqual([String(action), ENODEV]);
    }
  });

  test('a bridge is made down, with its MTU', () => {
    kernel.link_add_bridge({ ns: 0, name: 'br0', mtu_bytes: 1400, vlan_filtering: 0 });
    kernel.link_add_bridge({ ns: 0, name: 'br1', mtu_bytes: 0, vlan_filtering: 0 });
    const br0 = linkOf(host, 'br0');
    expect(br0).toMatchObject({ mtu: 1400, operstate: 'DOWN', linkinfo: { info_kind: 'bridge' } });
    expect(br0.flags).not.toContain('UP');
    expect(linkOf(host, 'br1').mtu).toBe(1500);
    expect(get(0, 'br0')).toMatchObject({
      ifindex: br0.ifindex,
      kind: 'bridge',
      address: br0.address,
      mtu_bytes: 1400,
      up: false,
      operstate: 'down',
    });
    const again = { ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 0 };
    expect(failure(() => kernel.link_add_bridge(again)).errno).toBe(EEXIST);
  });

  test.skipIf(vlans)('vlan_filtering is EOPNOTSUPP where the kernel has none', () => {
    const args = { ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 1 };
    expect(failure(() => kernel.link_add_bridge(args)).errno).toBe(EOPNOTSUPP);
    expect(failure(() => get(0, 'br0')).errno).toBe(ENODEV);
  });

  test('a veth pair: one end up in the bridge, the other down in its namespace', async () => {
    kernel.link_add_bridge({ ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 0 });
    const br0 = get(0, 'br0');
    const address = '0a:58:0a:01:02:01';
    const peer_address = '0a:58:0a:01:02:03';
    const changes = { address, peer_address, mtu_bytes: 1410, master: br0.ifindex };
    const { outer, inner } = pair('veth0', 'eth0', changes);
    const veth0 = linkOf(host, 'veth0');
    const eth0 = linkOf(pod, 'eth0');
    expect(veth0).toMatchObject({ mtu: 1410, master: 'br0', address, link_index: inner.ifindex });
    expect(veth0.flags).toContain('UP');
    expect(eth0).toMatchObject({ mtu: 1410, address: peer_address, link_index: outer.ifindex });
    expect(eth0.flags).not.toContain('UP');
    expect(spawnSync('ip', ['-n', host, 'link', 'show', 'eth0']).status).not.toBe(0);
    expect(outer).toMatchObject({
      kind: 'veth',
      up: true,
      master: br0.ifindex,
      peer: inner.ifindex,
    });
    expect(inner).toMatchObject({ kind: 'veth', up: false, master: 0, peer: outer.ifindex });
    expect(outer.operstate).toBe('lowerlayerdown');
    kernel.link_set_up({ ns, ifindex: inner.ifindex });
    // The kernel tells the other end a moment later.
    await expect.poll(() => get(0, 'veth0').operstate, { timeout: 5000 }).toBe('up');
  });

  test('a pair within the host, and one from the pod to the host', () => {
    veth({ name: 'a', peer_name: 'b', peer_ns: 0 });
    veth({ ns, name: 'c', peer_name: 'd', peer_ns: 0 });
    expect(
      ip(host, 'link')
        .map((link: Json) => link.ifname)
        .sort(),
    ).toEqual(['a', 'b', 'd', 'lo']);
    expect(linkOf(pod, 'c').flags).toContain('UP');
  });

  test('a name taken on either side is EEXIST and leaves nothing', () => {
    pair();
    expect(failure(() => veth({ name: 'veth0', peer_name: 'other' })).errno).toBe(EEXIST);
    expect(failure(() => veth({ name: 'other', peer_name: 'eth0' })).errno).toBe(EEXIST);
    expect(ip(host, 'link')).toHaveLength(2);
    expect(ip(pod, 'link')).toHaveLength(2);
  });

  test('a malformed address or name is refused', () => {
    expect(failure(() => veth({ address: '0a:58' })).errno).toBe(EINVAL);
    expect(failure(() => veth({ name: 'a\0b' })).errno).toBe(EINVAL);
    expect(failure(() => veth({ name: 'a/b' })).errno).toBe(EINVAL);
    const long = failure(() => veth({ name: 'a'.repeat(16) }));
    expect(long).toMatchObject({ errno: 34, text: 'Attribute failed policy validation' });
    expect(ip(host, 'link')).toHaveLength(1);
  });

  test('up, down, promiscuous', () => {
    const { ifindex } = pair().inner;
    const flags = () => linkOf(pod, 'eth0').flags;
    kernel.link_set_up({ ns, ifindex });
    expect(flags()).toContain('UP');
    kernel.link_set_promisc({ ns, ifindex, on: 1 });
    expect(flags()).toEqual(expect.arrayContaining(['UP', 'PROMISC']));
    expect(get(ns, 'eth0')).toMatchObject({ up: true, promisc: true });
    kernel.link_set_promisc({ ns, ifindex, on: 0 });
    kernel.link_set_allmulti({ ns, ifindex, on: 1 });
    expect(flags()).toContain('ALLMULTI');
    expect(get(ns, 'eth0')).toMatchObject({ promisc: false, allmulti: true });
    kernel.link_set_allmulti({ ns, ifindex, on: 0 });
    expect(flags()).not.toContain('ALLMULTI');
    expect(flags()).not.toContain('PROMISC');
    kernel.link_set_down({ ns, ifindex });
    expect(flags()).not.toContain('UP');
  });

  test('MTU and length of the transmit queue', () => {
    const { ifindex } = pair().inner;
    kernel.link_set_mtu({ ns, ifindex, mtu_bytes: 1400 });
    kernel.link_set_txqlen({ ns, ifindex, txqlen: 0 });
    expect(linkOf(pod, 'eth0')).toMatchObject({ mtu: 1400 });
    expect(linkOf(pod, 'eth0').txqlen ?? 0).toBe(0);
    expect(get(ns, 'eth0')).toMatchObject({ mtu_bytes: 1400, txqlen: 0 });
    const small = failure(() => kernel.link_set_mtu({ ns, ifindex, mtu_bytes: 10 }));
    expect([small.errno, small.text]).toEqual([EINVAL, 'mtu less than device minimum']);
    expect(get(ns, 'eth0')).toMatchObject({ mtu_bytes: 1400 });
  });

  test('a bridge with an address of its own no longer follows its ports', () => {
    kernel.link_add_bridge({ ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 0 });
    const { ifindex } = get(0, 'br0');
    const address = 'fe:58:0a:01:02:03';
    kernel.link_set_address({ ns: 0, ifindex, address });
    veth({ address: '02:00:00:00:00:01', master: ifindex });
    expect(linkOf(host, 'br0').address).toBe(address);
    const multicast = { ns: 0, ifindex, address: '01:00:00:00:00:01' };
    expect(failure(() => kernel.link_set_address(multicast)).errno).toBe(EADDRNOTAVAIL);
    expect(failure(() => kernel.link_set_address({ ...multicast, address: '' })).errno).toBe(
      EINVAL,
    );
  });

  test('hairpin and isolated of a port', () => {
    kernel.link_add_bridge({ ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 0 });
    const { outer, inner } = pair('veth0', 'eth0', { master: get(0, 'br0').ifindex });
    const flags = () => bridge(host, '-d', 'link', 'show', 'dev', 'veth0')[0];
    for (const [hairpin, isolated] of [
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 0],
    ] as const) {
      kernel.link_set_bridge_port({ ns: 0, ifindex: outer.ifindex, hairpin, isolated });
      expect(flags()).toMatchObject({ hairpin: hairpin === 1, isolated: isolated === 1 });
    }
    const stray = { ns, ifindex: inner.ifindex, hairpin: 1, isolated: 0 };
    expect(failure(() => kernel.link_set_bridge_port(stray)).errno).toBe(EOPNOTSUPP);
  });

  test('removing one end removes both', () => {
    const { outer } = pair();
    kernel.link_del({ ns: 0, ifindex: outer.ifindex });
    expect(failure(() => get(ns, 'eth0')).errno).toBe(ENODEV);
    expect(ip(pod, 'link')).toHaveLength(1);
    expect(failure(() => kernel.link_del({ ns: 0, ifindex: outer.ifindex })).errno).toBe(ENODEV);
  });

  test('the ports of a bridge, more than 200 of them, and none', () => {
    kernel.link_add_bridge({ ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 0 });
    kernel.link_add_bridge({ ns: 0, name: 'br1', mtu_bytes: 0, vlan_filtering: 0 });
    const [br0, br1] = [get(0, 'br0').ifindex, get(0, 'br1').ifindex];
    const count = 210;
    for (let i = 0; i < count; i++) veth({ name: `v${i}`, peer_name: `e${i}`, master: br0 });
    veth({ name: 'w', peer_name: 'x', master: br1 });
    const expected = ip(host, 'link', 'show', 'master', 'br0').map((link: Json) => link.ifindex);
    expect(expected).toHaveLength(count);
    expect(kernel.bridge_port_list({ ns: 0, ifindex: br0 })).toEqual(
      expected.sort((a: number, b: number) => a - b),
    );
    expect(kernel.bridge_port_list({ ns: 0, ifindex: br1 })).toEqual([get(0, 'w').ifindex]);
    expect(kernel.bridge_port_list({ ns: 0, ifindex: 1 })).toEqual([]);
    // The list of VLANs goes through all the ports too.
    const last = get(0, `v${count - 1}`).ifindex;
    const first = vlans ? [{ vid: 1, pvid: true, untagged: true }] : [];
    expect(kernel.bridge_vlan_list({ ns: 0, ifindex: last })).toEqual(first);
  });
});

describe.skipIf(needsVrf !== '')(`VRFs ${needsVrf}`.trimEnd(), () => {
  test('one is made down over its table, and iproute2 agrees', () => {
    kernel.link_add_vrf({ ns, name: 'vrf0', table: 100000 });
    expect(ip(pod, '-d', 'link', 'show', 'vrf0')[0]).toMatchObject({
      operstate: 'DOWN',
      linkinfo: { info_kind: 'vrf', info_data: { table: 100000 } },
    });
    expect(get(ns, 'vrf0')).toMatchObject({ kind: 'vrf', table: 100000, up: false });
    expect(failure(() => kernel.link_add_vrf({ ns, name: 'vrf0', table: 1 })).errno).toBe(EEXIST);
    expect(failure(() => kernel.link_add_vrf({ ns, name: 'vrf1', table: 0 })).errno).toBe(EINVAL);
    expect(failure(() => get(ns, 'vrf1')).errno).toBe(ENODEV);
  });

  test('a link goes in with its routes in the table, and out', () => {
    kernel.link_add_vrf({ ns, name: 'vrf0', table: 10 });
    const ifindex = ready();
    kernel.link_set_master({ ns, ifindex, master: get(ns, 'vrf0').ifindex });
    expect(get(ns, 'eth0').master).toBe(get(ns, 'vrf0').ifindex);
    const table = () => routeList(ifindex).find((route) => route.dst === '10.1.2.0/24')?.table;
    expect(table()).toBe(10);
    kernel.link_set_master({ ns, ifindex, master: 0 });
    expect(get(ns, 'eth0').master).toBe(0);
    expect(table()).toBe(254);
  });

  test('the rule that the kernel adds asks for more than a source', () => {
    kernel.link_add_vrf({ ns, name: 'vrf0', table: 10 });
    const rules = kernel.fib_rule_list({ ns }) as FibRule[];
    expect(rules).toContainEqual({ src: '', table: 0, priority: 1000, more: true });
  });
});

test.skipIf(needsVrf === '' || !root)('a VRF is EOPNOTSUPP where the kernel has none', () => {
  for (const table of [0, 10]) {
    expect(failure(() => kernel.link_add_vrf({ ns, name: 'vrf0', table })).errno).toBe(EOPNOTSUPP);
  }
  expect(failure(() => get(ns, 'vrf0')).errno).toBe(ENODEV);
});

describe.skipIf(!root)('policy routing rules', () => {
  const list = () => kernel.fib_rule_list({ ns }) as FibRule[];
  const own = () => list().filter((rule) => rule.src !== '' || rule.more);

  test('made and removed, and iproute2 agrees', () => {
    kernel.fib_rule_add({ ns, src: '10.1.2.3/32', table: 100, priority: 0 });
    kernel.fib_rule_add({ ns, src: 'fd00::/64', table: 100000, priority: 7 });
    const four = { priority: 32765, src: '10.1.2.3', table: '100' };
    expect(ip(pod, 'rule')).toContainEqual(expect.objectContaining(four));
    const six = { priority: 7, src: 'fd00::', srclen: 64, table: '100000' };
    expect(ip(pod, '-6', 'rule')).toContainEqual(expect.objectContaining(six));
    expect(own()).toEqual([
      { src: '10.1.2.3/32', table: 100, priority: 32765, more: false },
      { src: 'fd00::/64', table: 100000, priority: 7, more: false },
    ]);
    kernel.fib_rule_del({ ns, src: '10.1.2.3/32', table: 100, priority: 0 });
    kernel.fib_rule_del({ ns, src: 'fd00::/64', table: 100000, priority: 7 });
    expect(own()).toEqual([]);
    const gone = { ns, src: '10.1.2.3/32', table: 100, priority: 0 };
    expect(failure(() => kernel.fib_rule_del(gone)).errno).toBe(ENOENT);
  });

  test('what asks for more than a source says so', () => {
    const more = [
      ['from', '10.1.2.3', 'to', '10.9.0.0/16', 'table', '7'],
      ['from', '10.1.2.3', 'fwmark', '5', 'table', '7'],
      ['from', '10.1.2.3', 'iif', 'lo', 'table', '7'],
      ['from', '10.1.2.3', 'prohibit'],
      ['not', 'from', '10.1.2.3', 'table', '7'],
      ['from', '10.1.2.3', 'table', '7', 'suppress_prefixlength', '0'],
      ['from', '10.1.2.3', 'ipproto', 'tcp', 'table', '7'],
    ];
    for (const words of more) ip(pod, 'rule', 'add', ...words);
    expect(own().map((rule) => rule.more)).toEqual(more.map(() => true));
    ip(pod, 'rule', 'add', 'from', '10.1.2.4', 'table', '7', 'protocol', '99');
    expect(own().filter((rule) => !rule.more)).toMatchObject([{ src: '10.1.2.4/32', table: 7 }]);
  });

  test('tables in use, those with nothing but a dead end too', () => {
    const ifindex = ready();
    addRoute(ifindex, '10.9.0.0/16', { table: 100000 });
    addRoute(ifindex, 'fd09::/16', { table: 300, protocol: 4 });
    ip(pod, 'route', 'add', 'blackhole', '10.8.0.0/16', 'table', '77');
    expect(ip(pod, '-6', 'route', 'show', 'table', '300')[0]).toMatchObject({ protocol: 'static' });
    expect(kernel.route_table_list({ ns })).toEqual([77, 254, 255, 300, 100000]);
  });

  test('all links of a namespace, by ifindex', () => {
    pair();
    const links = kernel.link_list({ ns }) as Link[];
    expect(links.map((link) => link.name)).toEqual(['lo', 'eth0']);
    expect(links[1]).toEqual(get(ns, 'eth0'));
  });
});

describe.skipIf(!vlans)('VLANs of bridge ports', () => {
  const show = (name: string) => bridge(host, 'vlan', 'show', 'dev', name)[0]?.vlans ?? [];
  const list = (ifindex: number) => kernel.bridge_vlan_list({ ns: 0, ifindex });
  let br0: number;
  let port: number;
  beforeEach(() => {
    kernel.link_add_bridge({ ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 1 });
    br0 = get(0, 'br0').ifindex;
    port = pair('veth0', 'eth0', { master: br0 }).outer.ifindex;
  });

  test('a bridge says whether it filters', () => {
    expect(linkOf(host, 'br0').linkinfo.info_data.vlan_filtering).toBe(1);
    expect(get(0, 'br0').vlan_filtering).toBe(true);
    kernel.link_add_bridge({ ns: 0, name: 'br1', mtu_bytes: 0, vlan_filtering: 0 });
    expect(get(0, 'br1').vlan_filtering).toBe(false);
  });

  test('one, a range, flags', () => {
    const add = { ns: 0, ifindex: port, pvid: 0, untagged: 0 };
    kernel.bridge_vlan_add({ ...add, vid: 100, vid_end: 100, pvid: 1, untagged: 1 });
    kernel.bridge_vlan_add({ ...add, vid: 10, vid_end: 13 });
    kernel.bridge_vlan_add({ ...add, vid: 20, vid_end: 21, untagged: 1 });
    const untagged = { flags: ['Egress Untagged'] };
    expect(show('veth0')).toEqual([
      { vlan: 1, ...untagged },
      ...[10, 11, 12, 13].map((vlan) => ({ vlan })),
      ...[20, 21].map((vlan) => ({ vlan, ...untagged })),
      { vlan: 100, flags: ['PVID', 'Egress Untagged'] },
    ]);
    expect(list(port)).toEqual([
      { vid: 1, pvid: false, untagged: true },
      ...[10, 11, 12, 13].map((vid) => ({ vid, pvid: false, untagged: false })),
      ...[20, 21].map((vid) => ({ vid, pvid: false, untagged: true })),
      { vid: 100, pvid: true, untagged: true },
    ]);
    kernel.bridge_vlan_del({ ns: 0, ifindex: port, vid: 11, vid_end: 12 });
    kernel.bridge_vlan_del({ ns: 0, ifindex: port, vid: 1, vid_end: 1 });
    expect(show('veth0').map((one: Json) => one.vlan)).toEqual([10, 13, 20, 21, 100]);
  });

  test('the bridge itself', () => {
    const add = { ns: 0, ifindex: br0, pvid: 0, untagged: 0 };
    kernel.bridge_vlan_add({ ...add, vid: 30, vid_end: 32 });
    expect(show('br0').slice(1)).toEqual([{ vlan: 30 }, { vlan: 31 }, { vlan: 32 }]);
    expect(list(br0)).toHaveLength(4);
    kernel.bridge_vlan_del({ ns: 0, ifindex: br0, vid: 1, vid_end: 32 });
    expect(show('br0')).toEqual([]);
  });

  test('one that is not there is removed in silence, as the kernel has it', () => {
    kernel.bridge_vlan_del({ ns: 0, ifindex: port, vid: 77, vid_end: 78 });
    kernel.bridge_vlan_del({ ns: 0, ifindex: br0, vid: 77, vid_end: 77 });
    expect(show('veth0')).toHaveLength(1);
  });

  test('all 4094 at once', () => {
    const all = { ns: 0, ifindex: port, vid: 1, vid_end: 4094 };
    kernel.bridge_vlan_add({ ...all, pvid: 0, untagged: 0 });
    expect(list(port)).toHaveLength(4094);
  });

  test('ranges that are none', () => {
    const add = { ns: 0, ifindex: port, pvid: 0, untagged: 0 };
    for (const [vid, vid_end] of [
      [0, 0],
      [4095, 4095],
      [1, 4095],
      [5, 4],
      [65537, 65537],
    ] as const) {
      expect(failure(() => kernel.bridge_vlan_add({ ...add, vid, vid_end })).errno).toBe(EINVAL);
    }
    const stray = { ...add, ns, ifindex: get(ns, 'eth0').ifindex, vid: 5, vid_end: 5 };
    expect(failure(() => kernel.bridge_vlan_add(stray)).errno).toBe(EOPNOTSUPP);
  });
});

describe.skipIf(!root)('addresses', () => {
  const show = (family: string) =>
    ip(pod, family, 'addr', 'show', 'dev', 'eth0')[0]?.addr_info ?? [];

  test('IPv4, with a broadcast address where the prefix has room', () => {
    const { ifindex } = pair().inner;
    for (const address of ['10.1.2.3/24', '10.2.0.1/30', '10.3.0.0/31', '10.4.0.1/32']) {
      kernel.addr_add({ ns, ifindex, address, nodad: 0 });
    }
    expect(
      show('-4').map((one: Json) => [one.local, one.prefixlen, one.broadcast, one.scope]),
    ).toEqual([
      ['10.1.2.3', 24, '10.1.2.255', 'global'],
      ['10.2.0.1', 30, '10.2.0.3', 'global'],
      ['10.3.0.0', 31, undefined, 'global'],
      ['10.4.0.1', 32, undefined, 'global'],
    ]);
  });

  test('IPv6 without duplicate address detection is there at once, with it it is tentative', () => {
    kernel.link_add_bridge({ ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 0 });
    const { ifindex } = pair('veth0', 'eth0', { master: get(0, 'br0').ifindex }).inner;
    kernel.link_set_up({ ns, ifindex });
    kernel.addr_add({ ns, ifindex, address: 'fd00::3/64', nodad: 1 });
    kernel.addr_add({ ns, ifindex, address: 'fd00::4/64', nodad: 0 });
    const told = Object.fromEntries(show('-6').map((one: Json) => [one.local, one]));
    expect(told['fd00::3']).toMatchObject({ nodad: true, prefixlen: 64 });
    expect(told['fd00::3'].tentative).toBeUndefined();
    expect(told['fd00::4'].tentative).toBe(true);
    const listed = Object.fromEntries(addrList(ifindex).map((one) => [one.address, one.tentative]));
    expect(listed).toMatchObject({ 'fd00::3/64': false, 'fd00::4/64': true });
  });

  test('the list: IPv4 first, link-local too, other links not', () => {
    const ifindex = ready();
    pair('veth1', 'eth1');
    kernel.addr_add({ ns, ifindex: get(ns, 'eth1').ifindex, address: '10.9.9.9/24', nodad: 0 });
    settle(ifindex);
    const list = addrList(ifindex);
    const settled = { scope: 0, tentative: false, dadfailed: false };
    expect(list[0]).toEqual({ address: '10.1.2.3/24', ...settled });
    expect(list).toContainEqual({ address: 'fd00::3/64', ...settled });
    expect(list).toHaveLength(3);
    const local = list.find((one) => one.address.startsWith('fe80::'));
    expect(local).toMatchObject({ scope: LINK_SCOPE });
    expect(addrList(1)).toEqual([]);
  });

  test('a duplicate that another host defends is dadfailed', async () => {
    const { outer, inner } = pair();
    kernel.link_set_up({ ns, ifindex: inner.ifindex });
    kernel.addr_add({ ns: 0, ifindex: outer.ifindex, address: 'fd00::9/64', nodad: 1 });
    kernel.addr_add({ ns, ifindex: inner.ifindex, address: 'fd00::9/64', nodad: 0 });
    const failed = () => addrList(inner.ifindex).some((one) => one.dadfailed);
    await expect.poll(failed, { timeout: 5000 }).toBe(true);
  });

  test('a point-to-point address is our end of it', () => {
    const { ifindex } = pair().inner;
    sh('ip', '-n', pod, 'addr', 'add', '10.5.0.1', 'peer', '10.5.0.2/32', 'dev', 'eth0');
    expect(addrList(ifindex).map((one) => one.address)).toEqual(['10.5.0.1/32']);
  });

  test('errors, with the words of the kernel', () => {
    const ifindex = ready();
    const add = (address: string) =>
      failure(() => kernel.addr_add({ ns, ifindex, address, nodad: 0 }));
    // Older kernels give no words here.
    const [four, six] = [add('10.1.2.3/24'), add('fd00::3/64')];
    expect([four.errno, six.errno]).toEqual([EEXIST, EEXIST]);
    expect(['', 'ipv4: Address already assigned']).toContain(four.text);
    expect(['', 'ipv6: address already assigned']).toContain(six.text);
    expect(add('10.1.2.3').errno).toBe(EINVAL);
    kernel.sysctl_write({ ns, key: 'net/ipv6/conf/eth0/disable_ipv6', value: '1' });
    expect(add('fd00::7/64').errno).toBe(EACCES);
  });

  test('removal', () => {
    const ifindex = ready();
    const del = (address: string) => kernel.addr_del({ ns, ifindex, address });
    del('10.1.2.3/24');
    del('fd00::3/64');
    expect(show('-4')).toEqual([]);
    expect(show('-6').map((one: Json) => one.scope)).toEqual(['link']);
    expect(failure(() => del('10.1.2.3/24')).errno).toBe(EADDRNOTAVAIL);
    expect(failure(() => del('fd00::3/64')).errno).toBe(EADDRNOTAVAIL);
  });

  test('more than 200 of them', () => {
    const { ifindex } = pair().inner;
    const expected: string[] = [];
    for (let i = 0; i < 250; i++) {
      const address = `10.${i}.0.1/24`;
      kernel.addr_add({ ns, ifindex, address, nodad: 0 });
      expected.push(address);
    }
    for (let i = 0; i < 250; i++) {
      const address = `fd00:${(i + 1).toString(16)}::1/64`;
      kernel.addr_add({ ns, ifindex, address, nodad: 1 });
      expected.push(address);
    }
    expect(
      addrList(ifindex)
        .map((one) => one.address)
        .sort(),
    ).toEqual(expected.sort());
  });
});

describe.skipIf(!root)('routes', () => {
  test('the default routes and a subnet, as iproute2 shows them', () => {
    const ifindex = ready();
    addRoute(ifindex, '0.0.0.0/0', { gw: '10.1.2.1' });
    addRoute(ifindex, '10.7.0.0/16', { scope: LINK_SCOPE });
    addRoute(ifindex, '::/0', { gw: 'fd00::1' });
    expect(routesOf(pod, 'default')[0]).toMatchObject({
      gateway: '10.1.2.1',
      protocol: 'boot',
      scope: 'global',
    });
    expect(routesOf(pod, '10.7.0.0/16')[0]).toMatchObject({ dev: 'eth0', scope: 'link' });
    const six = ip(pod, '-6', 'route', 'show', 'default')[0];
    expect(six).toMatchObject({ gateway: 'fd00::1', protocol: 'boot', metric: 1024 });
  });

  test('every attribute, in both families', () => {
    const ifindex = ready();
    const rest = { table: 1000, priority: 50, mtu_bytes: 1300, advmss: 1200 };
    addRoute(ifindex, '10.7.0.0/16', { gw: '10.1.2.1', src: '10.1.2.3', ...rest });
    addRoute(ifindex, 'fd07::/32', { gw: 'fd00::1', src: 'fd00::3', ...rest });
    const metrics = [{ mtu: 1300, advmss: 1200 }];
    expect(routesOf(pod, 'table', '1000')).toEqual([
      expect.objectContaining({
        dst: '10.7.0.0/16',
        gateway: '10.1.2.1',
        prefsrc: '10.1.2.3',
        metric: 50,
        metrics,
      }),
    ]);
    expect(ip(pod, '-6', 'route', 'show', 'table', '1000')).toEqual([
      expect.objectContaining({
        dst: 'fd07::/32',
        gateway: 'fd00::1',
        prefsrc: 'fd00::3',
        metric: 50,
        metrics,
      }),
    ]);
    const common = { scope: 0, protocol: 3, ...rest };
    expect(routeList(ifindex).filter((route) => route.table === 1000)).toEqual([
      { dst: '10.7.0.0/16', gw: '10.1.2.1', src: '10.1.2.3', ...common },
      { dst: 'fd07::/32', gw: 'fd00::1', src: 'fd00::3', ...common },
    ]);
  });

  test('numbers beyond an i32 come as negative ones', () => {
    const ifindex = ready();
    addRoute(ifindex, '10.7.0.0/16', { gw: '10.1.2.1', table: -2, priority: -5 });
    expect(routesOf(pod, 'table', '4294967294')).toEqual([
      expect.objectContaining({ dst: '10.7.0.0/16', metric: 4294967291 }),
    ]);
    expect(routeList(ifindex)).toContainEqual(
      expect.objectContaining({ table: 4294967294, priority: 4294967291 }),
    );
    kernel.route_del({ ns, ifindex, dst: '10.7.0.0/16', gw: '10.1.2.1', table: -2 });
    expect(routeList(ifindex).some((route) => route.table === 4294967294)).toBe(false);
  });

  test('a duplicate is EEXIST, another next hop comes first', () => {
    const ifindex = ready();
    addRoute(ifindex, '10.7.0.0/16', { gw: '10.1.2.1' });
    addRoute(ifindex, '10.7.0.0/16', { gw: '10.1.2.2' });
    const again = failure(() => addRoute(ifindex, '10.7.0.0/16', { gw: '10.1.2.1' }));
    expect(again.errno).toBe(EEXIST);
    const gateways = routesOf(pod, '10.7.0.0/16').map((route: Json) => route.gateway);
    expect(gateways).toEqual(['10.1.2.2', '10.1.2.1']);
    addRoute(ifindex, 'fd07::/32', { gw: 'fd00::1' });
    addRoute(ifindex, 'fd07::/32', { gw: 'fd00::2' });
    expect(failure(() => addRoute(ifindex, 'fd07::/32', { gw: 'fd00::1' })).errno).toBe(EEXIST);
    const six = routeList(ifindex).filter((route) => route.dst === 'fd07::/32');
    expect(six.map((route) => route.gw).sort()).toEqual(['fd00::1', 'fd00::2']);
  });

  test('an IPv4 route by way of an IPv6 neighbour', () => {
    const ifindex = ready();
    addRoute(ifindex, '10.7.0.0/16', { gw: 'fd00::1' });
    const via = { family: 'inet6', host: 'fd00::1' };
    expect(routesOf(pod, '10.7.0.0/16')[0]).toMatchObject({ via });
    expect(routeList(ifindex)).toContainEqual(
      expect.objectContaining({ dst: '10.7.0.0/16', gw: 'fd00::1' }),
    );
    kernel.route_del({ ns, ifindex, dst: '10.7.0.0/16', gw: 'fd00::1', table: 0 });
    expect(routesOf(pod, '10.7.0.0/16')).toEqual([]);
    expect(failure(() => addRoute(ifindex, 'fd07::/32', { gw: '10.1.2.1' })).errno).toBe(EINVAL);
  });

  test('errors, with the words of the kernel', () => {
    const ifindex = ready();
    const far = failure(() => addRoute(ifindex, '10.7.0.0/16', { gw: '192.0.2.1' }));
    expect(far).toMatchObject({ errno: ENETUNREACH, text: 'Nexthop has invalid gateway' });
    const bits = failure(() => addRoute(ifindex, '10.7.0.1/16', { gw: '10.1.2.1' }));
    expect(bits).toMatchObject({ errno: EINVAL, text: 'Invalid prefix for given prefix length' });
    expect(failure(() => addRoute(ifindex, 'default')).errno).toBe(EINVAL);
    expect(failure(() => addRoute(ifindex, '10.7.0.0/16', { gw: 'x' })).errno).toBe(EINVAL);
  });

  test('removal takes the one that matches', () => {
    const ifindex = ready();
    for (const gw of ['10.1.2.1', '10.1.2.2']) addRoute(ifindex, '0.0.0.0/0', { gw });
    addRoute(ifindex, '::/0', { gw: 'fd00::1' });
    addRoute(ifindex, '10.8.0.0/16', { scope: LINK_SCOPE, table: 1000 });
    const del = (dst: string, gw: string, table = 0) =>
      kernel.route_del({ ns, ifindex, dst, gw, table });
    del('0.0.0.0/0', '10.1.2.1');
    expect(routesOf(pod, 'default').map((route: Json) => route.gateway)).toEqual(['10.1.2.2']);
    del('0.0.0.0/0', '');
    del('::/0', 'fd00::1');
    del('10.8.0.0/16', '', 1000);
    expect(routeList(ifindex).every((route) => route.protocol === 2)).toBe(true);
    expect(failure(() => del('0.0.0.0/0', '')).errno).toBe(ESRCH);
    expect(failure(() => del('::/0', '')).errno).toBe(ESRCH);
    expect(
      failure(() => kernel.route_del({ ns, ifindex: 99, dst: '::/0', gw: '', table: 0 })).errno,
    ).toBe(ESRCH);
  });

  test('the list: this link only, no local table, no multicast, hops of multipath routes', () => {
    const ifindex = ready();
    const { inner } = pair('veth1', 'eth1');
    kernel.link_set_up({ ns, ifindex: inner.ifindex });
    settle(ifindex);
    settle(inner.ifindex);
    kernel.addr_add({ ns, ifindex: inner.ifindex, address: '10.9.0.3/24', nodad: 0 });
    const hops = [
      'nexthop',
      'via',
      '10.1.2.1',
      'dev',
      'eth0',
      'nexthop',
      'via',
      '10.9.0.1',
      'dev',
      'eth1',
    ];
    sh('ip', '-n', pod, 'route', 'add', '10.20.0.0/16', ...hops);
    sh('ip', '-n', pod, 'route', 'add', 'blackhole', '10.21.0.0/16');
    const words = (index: number) =>
      routeList(index).map((route) => `${route.dst} ${route.gw}`.trim());
    expect(words(ifindex)).toEqual([
      '10.1.2.0/24',
      '10.20.0.0/16 10.1.2.1',
      'fd00::/64',
      'fe80::/64',
    ]);
    expect(words(inner.ifindex)).toEqual(['10.9.0.0/24', '10.20.0.0/16 10.9.0.1', 'fe80::/64']);
    expect(routeList(ifindex)[0]).toEqual({
      dst: '10.1.2.0/24',
      gw: '',
      src: '10.1.2.3',
      scope: LINK_SCOPE,
      table: 254,
      priority: 0,
      mtu_bytes: 0,
      advmss: 0,
      protocol: 2,
    });
  });

  test('the route to an address, as iproute2 finds it', () => {
    const get = (dst: string) => kernel.route_get({ ns, dst }) as RouteTo;
    expect(failure(() => get('192.0.2.1')).errno).toBe(ENETUNREACH);
    expect(failure(() => get('2001:db8::1')).errno).toBe(ENETUNREACH);
    const ifindex = ready();
    addRoute(ifindex, '0.0.0.0/0', { gw: '10.1.2.1', mtu_bytes: 1300 });
    addRoute(ifindex, '::/0', { gw: 'fd00::1' });
    const shown = (dst: string) => ip(pod, 'route', 'get', 'fibmatch', dst)[0];
    const four = { dst: '0.0.0.0/0', gw: '10.1.2.1', table: 254, mtu_bytes: 1300, ifindex };
    expect(get('192.0.2.1')).toMatchObject(four);
    expect(shown('192.0.2.1')).toMatchObject({ dst: 'default', gateway: '10.1.2.1', dev: 'eth0' });
    const six = { dst: '::/0', gw: 'fd00::1', table: 254, priority: 1024, ifindex };
    expect(get('2001:db8::1')).toMatchObject(six);
    expect(shown('2001:db8::1')).toMatchObject({ dst: 'default', gateway: 'fd00::1' });
    expect(get('10.1.2.9')).toMatchObject({ dst: '10.1.2.0/24', gw: '', src: '10.1.2.3', ifindex });
  });

  test('the route to an address: one hop of several, unreachable, our own', () => {
    const get = (dst: string) => kernel.route_get({ ns, dst }) as RouteTo;
    const ifindex = ready();
    ip(
      pod,
      'route',
      'add',
      '10.7.0.0/16',
      'nexthop',
      'via',
      '10.1.2.1',
      'nexthop',
      'via',
      '10.1.2.2',
    );
    ip(pod, 'route', 'add', 'unreachable', '10.8.0.0/16');
    ip(pod, 'route', 'add', 'blackhole', '10.9.0.0/16');
    expect(get('10.7.0.1')).toMatchObject({ dst: '10.7.0.0/16', ifindex });
    expect(['10.1.2.1', '10.1.2.2']).toContain(get('10.7.0.1').gw);
    expect(failure(() => get('10.8.0.1')).errno).toBe(EHOSTUNREACH);
    expect(failure(() => get('10.9.0.1')).errno).toBe(EINVAL);
    expect(failure(() => get('10.1.2.3')).errno).toBe(ENETUNREACH);
    expect(failure(() => get('nonsense')).errno).toBe(EINVAL);
    expect(failure(() => kernel.route_get({ ns: 9, dst: '10.7.0.1' })).errno).toBe(EBADF);
  });

  test('more than 200 of them', () => {
    const ifindex = ready();
    for (let i = 0; i < 250; i++) {
      addRoute(ifindex, `10.7.${i}.0/24`, { gw: '10.1.2.1' });
      addRoute(ifindex, `fd07:${(i + 1).toString(16)}::/32`, { gw: 'fd00::1' });
    }
    expect(routesOf(pod, 'via', '10.1.2.1')).toHaveLength(250);
    const mine = routeList(ifindex).filter((route) => route.protocol === 3);
    expect(mine).toHaveLength(500);
    expect(new Set(mine.map((route) => route.dst)).size).toBe(500);
  });
});

describe.skipIf(!root)('sysctls', () => {
  const key = 'net/ipv4/conf/all/arp_notify';
  const read = (handle: number, name = key) =>
    new TextDecoder().decode(kernel.sysctl_read({ ns: handle, key: name }));
  const cat = (name: string) => sh('ip', 'netns', 'exec', name, 'cat', `/proc/sys/${key}`).trim();

  test('each namespace has its own', () => {
    const own = fs.readFileSync(`/proc/sys/${key}`, 'utf8');
    kernel.sysctl_write({ ns, key, value: '1' });
    expect([cat(pod), cat(host), read(ns), read(0)]).toEqual(['1', '0', '1', '0']);
    kernel.sysctl_write({ ns: 0, key, value: '1' });
    kernel.sysctl_write({ ns, key, value: '0' });
    expect([cat(pod), cat(host)]).toEqual(['0', '1']);
    expect(fs.readFileSync(`/proc/sys/${key}`, 'utf8')).toBe(own);
  });

  test('a link of the namespace has its folder', () => {
    pair('veth.1', 'eth.1');
    expect(read(ns, 'net/ipv6/conf/eth.1/accept_dad')).toBe('1');
    expect(failure(() => read(0, 'net/ipv6/conf/eth.1/accept_dad')).errno).toBe(ENOENT);
  });

  test('errors of the kernel', () => {
    const write = (name: string, value: string) =>
      failure(() => kernel.sysctl_write({ ns, key: name, value }));
    expect(write('net/ipv4/none', '1').errno).toBe(ENOENT);
    expect(write(key, 'yes').errno).toBe(EINVAL);
    expect(write('net/ipv4/tcp_available_congestion_control', 'x').errno).toBe(EACCES);
  });

  test.each([
    '',
    'net',
    'net/',
    '/net/ipv4/ip_forward',
    'kernel/hostname',
    'net/../kernel/hostname',
    'net/./ipv4/ip_forward',
    'net//ipv4',
    'net/ipv4/ip_forward\0',
    'network/x',
  ])('the key %j is EINVAL', (bad) => {
    expect(failure(() => kernel.sysctl_read({ ns, key: bad })).errno).toBe(EINVAL);
    expect(failure(() => kernel.sysctl_write({ ns, key: bad, value: '1' })).errno).toBe(EINVAL);
  });
});

describe.skipIf(!root)('sockets of processes', () => {
  const LISTEN = `
    const net = require('node:net'), dgram = require('node:dgram');
    const up = [
      (done) => net.createServer().listen(7001, '0.0.0.0', done),
      (done) => net.createServer().listen(7002, '127.0.0.1', done),
      (done) => net.createServer().listen(7003, '::', done),
      (done) => dgram.createSocket('udp4').bind(7004, '127.0.0.1', done),
    ];
    let left = up.length;
    for (const start of up) start(() => --left || console.log('up'));`;

  test('who would get a packet is found, and nobody else', async () => {
    sh('ip', '-n', pod, 'link', 'set', 'lo', 'up');
    const child = spawn('ip', ['netns', 'exec', pod, process.execPath, '-e', LISTEN], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      const at = (protocol: number, address: string, port: number) =>
        kernel.socket_listens({ ns, protocol, address, port });
      const [TCP, UDP, SCTP] = [6, 17, 132];
      expect([at(TCP, '0.0.0.0', 7001), at(TCP, '127.0.0.1', 7001), at(TCP, '::', 7001)]).toEqual([
        1, 1, 0,
      ]);
      expect([at(TCP, '0.0.0.0', 7002), at(TCP, '127.0.0.1', 7002)]).toEqual([0, 1]);
      // One for any address of IPv6 has those of IPv4 too.
      expect([at(TCP, '::', 7003), at(TCP, '0.0.0.0', 7003)]).toEqual([1, 1]);
      expect([at(UDP, '127.0.0.1', 7004), at(UDP, '0.0.0.0', 7004)]).toEqual([1, 0]);
      expect([at(UDP, '127.0.0.1', 7001), at(TCP, '127.0.0.1', 7004)]).toEqual([0, 0]);
      expect(kernel.socket_listens({ ns: 0, protocol: TCP, address: '0.0.0.0', port: 7001 })).toBe(
        0,
      );
      expect(failure(() => at(SCTP, '0.0.0.0', 7001)).errno).toBe(EOPNOTSUPP);
      expect(failure(() => at(TCP, 'localhost', 7001)).errno).toBe(EINVAL);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
