// SPDX-License-Identifier: Apache-2.0
// Snapshots of namespaces and folders that the test makes, held against what iproute2 and the disk
// say of them: the text, loaded into the simulated kernel and dumped again, must be the same.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { KNOBS, type SnapshotOptions, snapshot } from '../../host-node/cli/snapshot.ts';
import { notesOf } from '../../host-node/cli/snapshot-notes.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import {
  needsIpvlan,
  needsRoot,
  needsVlan,
  needsVlanFiltering,
  needsVrf,
} from '../support/needs.ts';
import { kernelText } from '../support/oracle.ts';
import { wasmModule } from '../support/wasm.ts';

const PREFIX = `fl${process.pid}snap-`;
const SETTLE_MS = 4000;
const made: string[] = [];
const roots: string[] = [];

function addNetns(name: string): string {
  execFileSync('ip', ['netns', 'add', PREFIX + name]);
  made.push(PREFIX + name);
  return PREFIX + name;
}

function batch(netns: string, lines: string): void {
  execFileSync('ip', ['-n', netns, '-batch', '-'], { input: lines });
}

function newRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-snapshot-'));
  roots.push(root);
  return root;
}

afterEach(() => {
  for (const name of made.splice(0)) spawnSync('ip', ['netns', 'del', name]);
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

const take = (options: Partial<SnapshotOptions>): string =>
  snapshot({ netns: [], folders: [], files: [], programs: [], ...options });
const dumped = (text: string): string => simulatedDriver(wasmModule('sim'), text).dump();

describe.skipIf(needsRoot !== '')(`namespaces ${needsRoot}`, () => {
  /** The snapshot of two namespaces, when iproute2 says the same. */
  async function agree(host: string, pod: string): Promise<string> {
    const options = { hostNetns: `/run/netns/${host}`, netns: [`/run/netns/${pod}`] };
    // Both are asked each time: operational states settle meanwhile.
    const differing = () => {
      const [ours, theirs] = [dumped(take(options)), kernelText({ host, [pod]: pod })];
      return ours === theirs ? '' : `ours:\n${ours}\niproute2:\n${theirs}`;
    };
    await expect.poll(differing, { timeout: SETTLE_MS, interval: 100 }).toBe('');
    return take(options);
  }

  test('links of many kinds, with names as odd as the kernel takes', async () => {
    const [host, pod, elsewhere] = [addNetns('host'), addNetns('pod'), addNetns('elsewhere')];
    batch(
      host,
      `link set lo up mtu 100000
      tuntap add t0 mode tun
      tuntap add t1 mode tap
      link add i0 type ifb
      link set i0 up promisc on
      link add vx mtu 65535 type vxlan id 5 dstport 4789
      link add br0 type bridge
      link add br1 address 02:00:00:00:00:10 type bridge
      link add p0 type veth peer name eth0 netns ${pod}
      link add p1 type veth peer name eth1 netns ${pod}
      link add x0 type veth peer name x1 netns ${elsewhere}
      link add kind type veth peer name pvid
      link set p0 up master br0
      link set x0 up master br0
      link set p1 up
      link set br0 up
      link set br1 up
      link set kind up master br1
      link set pvid up mtu 1000`,
    );
    const odd = ['link', 'add', 'a"b\\c', 'type', 'veth', 'peer', 'name', 'ü{}~'];
    execFileSync('ip', ['-n', host, ...odd]);
    batch(pod, 'link set eth0 up');
    batch(elsewhere, 'link set x1 up');
    const flags = ['dev', 'p0', 'hairpin', 'on', 'isolated', 'on'];
    execFileSync('bridge', ['-n', host, 'link', 'set', ...flags]);
    const text = await agree(host, pod);
    expect(text).toMatch(/^link x0 kind veth up .* master br0 peer \?$/m);
    expect(text).toMatch(new RegExp(`^link p0 .* peer ${pod}/eth0 hairpin isolated$`, 'm'));
    expect(text).toMatch(/^link t0 kind tun down address none mtu 1500/m);
    expect(notesOf(text)).toEqual([]);
  });

  test('traffic control: our buckets and filters, and those of others', async () => {
    const [host, pod] = [addNetns('host'), addNetns('pod')];
    batch(
      host,
      `link add i0 txqueuelen 0 up type ifb
      link add v0 up type veth peer name eth0 netns ${pod}
      link add v1 up type veth peer name eth1 netns ${pod}
      link add v2 type veth peer name eth2 netns ${pod}`,
    );
    const match = 'u32 match u32 0 0 flowid 1:1';
    const commands = [
      'qdisc add dev v0 root handle 1: tbf rate 1234567bit burst 20000b limit 30000b',
      'qdisc add dev i0 root handle 1: tbf rate 80gbit burst 1000000b limit 20000000b',
      'qdisc add dev v0 ingress',
      `filter add dev v0 ingress protocol all pref 1 ${match} action mirred egress redirect dev i0`,
      'qdisc add dev v1 root handle a7: pfifo',
      'qdisc add dev v1 clsact',
      `filter add dev v1 ingress protocol ip pref 5 ${match}`,
      `filter add dev v1 ingress protocol all pref 7 ${match}`,
      `filter add dev v1 ingress protocol all pref 7 ${match}`,
      'qdisc add dev v2 ingress',
    ];
    for (const line of commands) execFileSync('tc', ['-n', host, ...line.split(' ')]);
    const text = await agree(host, pod);
    expect(text).toContain('filter u32 dev v0 pref 1 redirect i0');
    expect(text).toContain('qdisc pfifo a7: dev v1');
    expect(text.match(/^filter u32 dev v1 pref 7$/gm)).toHaveLength(2);
    expect(notesOf(text)).toEqual([]);
  });

  test('addresses and routes, without those that their addresses would bring', async () => {
    const [host, pod] = [addNetns('host'), addNetns('pod')];
    batch(
      host,
      `link add v0 type veth peer name eth0 netns ${pod}
      link set lo up
      link set v0 up
      addr add 10.5.0.1/32 dev lo
      addr add 10.1.0.9/24 dev v0
      addr add 10.1.0.2/24 dev v0
      addr add 10.2.0.1/24 dev v0 noprefixroute
      addr add 10.7.0.1 peer 10.7.0.2/32 dev v0
      addr add fd00::1/64 dev v0 nodad
      addr add fd00::2/64 dev v0 nodad
      addr add fd01::1/64 dev v0 nodad noprefixroute
      route add default via 10.1.0.100 dev v0 metric 100 proto static
      route add default via 10.1.0.101 dev v0 metric 100 proto static table 1000
      route add 10.8.0.0/16 nexthop via 10.1.0.3 dev v0 nexthop via 10.1.0.4 dev v0 weight 2
      route add 10.9.0.0/16 dev v0 src 10.1.0.9 proto 99 mtu 1400 advmss 1360
      route add 10.10.0.0/16 dev v0 scope global
      route add 10.11.0.0/16 via inet6 fd00::9 dev v0
      route add blackhole 10.12.0.0/16
      route add prohibit 10.13.0.0/16 table 1000
      route add 10.14.0.0/16 dev v0 tos 0x10
      route add fd08::/64 nexthop via fd00::3 dev v0 nexthop via fd00::4 dev v0
      route add fd09::/64 via fd00::9 dev v0 metric 7 mtu 1300
      route add unreachable fd10::/64 metric 5`,
    );
    batch(
      pod,
      `link set eth0 up
      addr add 10.1.0.5/24 dev eth0
      route del 10.1.0.0/24 dev eth0
      route add 10.1.0.9 dev eth0`,
    );
    const text = take({ hostNetns: `/run/netns/${host}`, netns: [`/run/netns/${pod}`] });
    // The judge tells a route for some packets like any other.
    const left_out = `route 10.14.0.0/16 dev v0 proto boot scope link\n`;
    expect(kernelText({ host, [pod]: pod })).toContain(left_out);
    expect(dumped(text)).toBe(kernelText({ host, [pod]: pod }).replace(left_out, ''));
    expect(dumped(text)).not.toContain('route 10.1.0.0/24 dev eth0');
    expect(notesOf(text).sort()).toEqual([
      'left out: blackhole route 10.12.0.0/16 of host',
      'left out: prohibit route 10.13.0.0/16 of host',
      'left out: route 10.14.0.0/16 for some packets only of host',
      'left out: unreachable route fd10::/64 of host',
    ]);
    // A primary address goes with its secondaries, so which is which must survive.
    const driver = simulatedDriver(wasmModule('sim'), text);
    const { ifindex } = driver.link_get({ ns: 0, name: 'v0' }) as { ifindex: number };
    driver.addr_del({ ns: 0, ifindex, address: '10.1.0.9/24' });
    expect(driver.dump()).not.toContain('addr 10.1.0.2/24');
  });

  test('rules for packets from somewhere, and not the others', () => {
    const [host, pod] = [addNetns('host'), addNetns('pod')];
    batch(pod, 'rule add from 10.1.2.3 table 100');
    batch(pod, 'rule add from 10.1.0.0/16 table 1000 priority 9');
    const six = ['-6', 'rule', 'add', 'from', 'fd00::3', 'table', '100'];
    execFileSync('ip', ['-n', pod, ...six]);
    batch(host, 'rule add from 10.1.2.3 fwmark 7 table 100');
    batch(host, 'rule add from all table 100 priority 8');
    const text = take({ hostNetns: `/run/netns/${host}`, netns: [`/run/netns/${pod}`] });
    // The judge tells a rule for marked packets like any other.
    const left_out = 'rule 32765 from 10.1.2.3/32 fwmark 7 table 100\n';
    expect(kernelText({ host, [pod]: pod })).toContain(left_out);
    expect(dumped(text)).toBe(kernelText({ host, [pod]: pod }).replace(left_out, ''));
    expect(text).toMatch(/^rule 9 from 10\.1\.0\.0\/16 table 1000$/m);
    expect(text).toMatch(/^rule 32765 from fd00::3\/128 table 100$/m);
    expect(notesOf(text).sort()).toEqual([
      'left out: the rule 32765 of host',
      'left out: the rule 8 of host',
    ]);
  });

  test.skipIf(needsVrf !== '')(`VRFs and what is in them ${needsVrf}`.trimEnd(), () => {
    const [host, pod] = [addNetns('host'), addNetns('pod')];
    batch(
      pod,
      `link add vrf0 type vrf table 10
      link set vrf0 up
      link add eth0 type veth peer name eth1
      link set eth0 up master vrf0
      addr add 10.1.2.3/24 dev eth0
      route add 10.9.0.0/16 via 10.1.2.1 table 10`,
    );
    const text = take({ hostNetns: `/run/netns/${host}`, netns: [`/run/netns/${pod}`] });
    expect(dumped(text)).toBe(kernelText({ host, [pod]: pod }));
    expect(text).toMatch(/^link vrf0 kind vrf up .* table 10$/m);
    expect(notesOf(text)).toEqual([]);
  });

  test.skipIf(needsIpvlan !== '')(`ipvlans ${needsIpvlan}`.trimEnd(), () => {
    const [host, pod] = [addNetns('host'), addNetns('pod')];
    batch(
      host,
      `link add up0 type veth peer name up1
      link set up0 up
      link add link up0 name ipv0 type ipvlan mode l3
      link add link up0 name eth0 netns ${pod} type ipvlan mode l3
      link set ipv0 up`,
    );
    const text = take({ hostNetns: `/run/netns/${host}`, netns: [`/run/netns/${pod}`] });
    expect(dumped(text)).toBe(kernelText({ host, [pod]: pod }));
    expect(text).toMatch(/^link ipv0 kind ipvlan up .* mode l3 lower host\/up0$/m);
    expect(notesOf(text)).toEqual([]);
  });

  test.skipIf(needsVlan !== '')(`VLAN interfaces ${needsVlan}`.trimEnd(), () => {
    const [host, pod] = [addNetns('host'), addNetns('pod')];
    batch(
      host,
      `link add up0 type veth peer name up1
      link set up1 up
      link set up0 up
      link add link up0 name up0.5 type vlan id 5
      link add link up0 name eth0 netns ${pod} type vlan id 0
      link set up0.5 up`,
    );
    const text = take({ hostNetns: `/run/netns/${host}`, netns: [`/run/netns/${pod}`] });
    // What it knows of the link below comes up to a second later.
    const settled = (state: string): string =>
      state.replaceAll(/( kind vlan .*) operstate \S+/g, '$1');
    expect(settled(dumped(text))).toBe(settled(kernelText({ host, [pod]: pod })));
    expect(text).toMatch(/^link eth0 kind vlan down .* id 0 lower host\/up0$/m);
    expect(notesOf(text)).toEqual([]);
  });

  test('sysctls, also those that new links will take', () => {
    const [host, pod] = [addNetns('host'), addNetns('pod')];
    batch(host, 'link add br0 type bridge');
    const keys = [
      'net/ipv6/conf/all/forwarding=1',
      'net/ipv4/ip_forward=1',
      'net/ipv6/conf/br0/accept_ra=0',
      'net/ipv4/conf/br0/arp_notify=1',
      'net/ipv6/conf/lo/disable_ipv6=1',
      'net/ipv6/conf/default/accept_dad=0',
    ];
    execFileSync('ip', ['netns', 'exec', host, 'sysctl', '-qw', ...keys]);
    const text = take({ hostNetns: `/run/netns/${host}`, netns: [`/run/netns/${pod}`] });
    expect(dumped(text)).toBe(kernelText({ host, [pod]: pod }));
    const driver = simulatedDriver(wasmModule('sim'), text);
    driver.link_add_bridge({ ns: 0, name: 'br1', mtu_bytes: 0, vlan_filtering: 0 });
    batch(host, 'link add br1 type bridge');
    const sysctls = (dump: string) => dump.split('\n').filter((line) => line.includes('/br1/'));
    expect(sysctls(driver.dump())).toEqual(['sysctl net/ipv6/conf/br1/accept_dad 0']);
    expect(sysctls(kernelText({ host }))).toEqual(sysctls(driver.dump()));
  });

  test.skipIf(needsVlanFiltering !== '')(`VLANs of ports ${needsVlanFiltering}`, () => {
    const [host, pod] = [addNetns('host'), addNetns('pod')];
    batch(
      host,
      `link add br0 type bridge vlan_filtering 1
      link add p0 master br0 type veth peer name eth0 netns ${pod}
      link add p1 master br0 type veth peer name eth1 netns ${pod}`,
    );
    const vlans = ['add dev p0 vid 5 pvid untagged', 'add dev p0 vid 10-13', 'del dev p1 vid 1'];
    for (const vlan of vlans) execFileSync('bridge', ['-n', host, 'vlan', ...vlan.split(' ')]);
    const text = take({ hostNetns: `/run/netns/${host}`, netns: [`/run/netns/${pod}`] });
    expect(dumped(text)).toBe(kernelText({ host, [pod]: pod }));
    expect(text).not.toMatch(/^vlan .* dev p1/m);
  });

  test('are known by every path that leads there', () => {
    const [host, pod] = [addNetns('host'), addNetns('pod')];
    const sleeper = spawn('ip', ['netns', 'exec', pod, 'sleep', '600']);
    const pid = sleeper.pid;
    try {
      const there = `/proc/${pid}/ns/net`;
      const root = newRoot();
      writeFileSync(join(root, 'file'), 'x');
      const netns = [there, `/run/netns/${pod}`, `/run/netns/${host}`, join(root, 'file')];
      netns.push(`/proc/${pid}/ns/mnt`, '/run/netns/nobody', root);
      const run = () => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      while (run() !== 'sleep') spawnSync('sleep', ['0.01']);
      const text = take({ hostNetns: `/run/netns/${host}`, netns });
      const name = `proc-${pid}-ns-net`;
      expect(text).toContain(`\nnetns ${name} path ${there}\n`);
      const driver = simulatedDriver(wasmModule('sim'), text);
      const open = (path: string) => driver.netns_open({ path });
      expect(driver.netns_same({ a: open(there), b: open(`/run/netns/${pod}`) })).toBe(1);
      expect(driver.netns_same({ a: 0, b: open(`/run/netns/${host}`) })).toBe(1);
      expect(driver.netns_same({ a: 0, b: open(there) })).toBe(0);
      expect(() => open('/run/netns/nobody')).toThrow('errno 2');
      for (const path of [join(root, 'file'), `/proc/${pid}/ns/mnt`, root]) {
        expect(() => open(path)).toThrow('errno 22');
      }
    } finally {
      sleeper.kill();
    }
  });
});

describe('files', () => {
  const fileLines = (text: string): string[] =>
    text.split('\n').filter((line) => /^(file|folder|plugin) /.test(line));
  function put(root: string, path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(root + path), { recursive: true });
    writeFileSync(root + path, content);
  }

  test('of a folder are there as they are, without locks and what is being written', () => {
    const root = newRoot();
    put(root, '/n/10.1.2.3', 'c1\r\neth0');
    put(root, '/n/10.1.2.4', '');
    put(root, '/n/old', 'c2');
    put(root, '/n/lock', '');
    put(root, '/n/.fairlead-1-2-3', 'half');
    put(root, '/n/below/x', 'not asked for');
    put(root, '/elsewhere', 'ü\u0000"\n');
    symlinkSync(`${root}/elsewhere`, `${root}/n/link`);
    symlinkSync('/nowhere', `${root}/n/broken`);
    utimesSync(`${root}/n/old`, 1, 1);
    expect(fileLines(take({ root, folders: ['//n/', '/missing'] }))).toEqual([
      'folder /n',
      'file /n/10.1.2.3 "c1\\r\\neth0"',
      'file /n/10.1.2.4 ""',
      'file /n/link "ü\\u0000\\"\\n"',
      'file /n/old "c2" before-boot',
    ]);
  });

  test('alone tell whether their folder is there', () => {
    const root = newRoot();
    put(root, '/etc/resolv.conf', 'nameserver 10.1.2.53\n');
    mkdirSync(`${root}/run/empty`, { recursive: true });
    const files = ['/etc/resolv.conf', '/run/empty/x', '/run/empty', '/gone/x', '/etc/../x', 'x'];
    expect(fileLines(take({ root, files }))).toEqual([
      'file /etc/resolv.conf "nameserver 10.1.2.53\\n"',
      'folder /run/empty',
    ]);
  });

  test('that cannot be told are left out with a note', () => {
    const root = newRoot();
    put(root, '/n/large', new Uint8Array((8 << 20) + 1));
    put(root, '/n/latin1', Uint8Array.of(0x61, 0xff));
    put(root, '/n/a "b', 'x');
    put(root, '/n/fine', 'x');
    const text = take({ root, folders: ['/n'] });
    expect(fileLines(text)).toEqual(['folder /n', 'file /n/fine "x"', 'file /n/latin1 "a\uFFFD"']);
    expect(notesOf(text)).toEqual([
      'left out: "/n/a \\"b", whose name cannot be written',
      'left out: /n/large is larger than 8 MiB',
      '/n/latin1 is not UTF-8: what is wrong in it is replaced',
    ]);
    expect(dumped(text)).toContain('file /n/fine "x"');
  });

  test('to be executed are told from those that cannot be', () => {
    const root = newRoot();
    put(root, '/bin/plugin', '#!/bin/sh\n');
    put(root, '/bin/data', 'x');
    chmodSync(`${root}/bin/plugin`, 0o755);
    const programs = ['/bin/plugin', '/bin/data', '/bin', '/bin/missing', 'relative'];
    const text = take({ root, programs });
    expect(fileLines(text)).toEqual([
      'plugin /bin/plugin 0 ""',
      'plugin /bin/data 126 ""',
      'plugin /bin 126 ""',
    ]);
    expect(notesOf(text)).toEqual(['left out: the program relative, whose path is not absolute']);
  });
});

test('the sysctls are those of the simulated kernel', () => {
  const source = readFileSync(new URL('../../core-as/sim/knobs.ts', import.meta.url), 'utf8');
  const list = /KNOBS: string\[\] = \[([^\]]*)\]/.exec(source)?.[1] ?? '';
  expect([...list.matchAll(/"(.+?)"/g)].map((match) => match[1])).toEqual(KNOBS);
});

test('this machine itself can be simulated, and nothing stays open', () => {
  const open = () => readdirSync('/proc/self/fd').length;
  take({});
  const before = open();
  const text = take({});
  expect(open()).toBe(before);
  expect(dumped(text)).toMatch(/^netns host\n/);
});
