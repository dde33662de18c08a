// SPDX-License-Identifier: Apache-2.0
// The text of the simulated kernel: what is written can be read, what is wrong is refused with its
// line, and what an author may leave out is filled in.
import { describe, expect, test } from 'vitest';
import { DRIVER_OPERATIONS } from '../../host-node/abi/index.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { addr, play, route, unroute, up, veth } from '../support/script.ts';
import { wasmModule } from '../support/wasm.ts';
import { randomCalls } from './random.ts';
import {
  DUMMY_SEQUENCES,
  IPVLAN_SEQUENCES,
  MACVLAN_SEQUENCES,
  SEQUENCES,
  TAKEN_SEQUENCES,
  VLAN_SEQUENCES,
  VRF_SEQUENCES,
} from './sequences.ts';

const sim = wasmModule('sim');
const dumpOf = (text: string): string => simulatedDriver(sim, text).dump();

const RULE_SHAPE = 'rule takes a priority, from with a prefix, and table with a number';
const PORT = 'master cni0 peer pod/eth0 hairpin isolated';
const FULL = `netns host
link cni0 kind bridge up address 02:00:00:00:00:02 mtu 1500 vlan_filtering promisc operstate up
link ens3 up address 02:00:00:00:00:03 mtu 9000 operstate up
link lo up address 00:00:00:00:00:00 mtu 65536
link tun0 kind wireguard down address 02:00:00:00:00:04 mtu 1420 operstate down
link veth1 kind veth up address 02:00:00:00:00:05 mtu 1500 operstate up ${PORT}
addr 10.1.2.1/24 dev cni0
addr 127.0.0.1/8 dev lo
addr ::1/128 dev lo
addr fd00::1/64 dev cni0
vlan 1 dev veth1 untagged
vlan 100 dev veth1 pvid untagged
vlan 200 dev veth1
route 0.0.0.0/0 via 10.1.2.9 dev cni0 proto static metric 100 table 200 mtu 1400 advmss 1360
route 10.1.2.0/24 dev cni0 proto kernel scope link src 10.1.2.1
route 10.9.0.0/16 via 10.1.2.9 dev cni0 proto 99
route ::/0 via fd00::9 dev cni0 proto ra metric 10
route fd00::/64 dev cni0 proto kernel metric 256
route fd09::/64 dev cni0 proto boot
rule 32765 from 10.1.2.3/32 table 200
rule 7 from fd00::/64 table 100000
sysctl net/ipv4/conf/cni0/arp_notify 1
sysctl net/ipv4/ip_forward 1
sysctl net/ipv6/conf/all/forwarding 1
sysctl net/ipv6/conf/cni0/accept_ra 0
sysctl net/ipv6/conf/lo/accept_dad 1
filter bpf dev veth1 pref 9
filter u32 dev veth1 pref 3 redirect tun0
qdisc clsact ffff: dev veth1
qdisc htb 1f: dev ens3
qdisc tbf 1: dev veth1 rate 5000000000 limit 13125 buffer 4294967295
netns alone
link lo down address 00:00:00:00:00:00 mtu 65536
netns pod
link eth0 kind veth up address 02:00:00:00:01:02 mtu 1500 operstate up peer host/veth1
link eth1 kind veth up address 02:00:00:00:01:04 mtu 1500 operstate down master red peer pod/eth2
link eth2 kind veth down address 02:00:00:00:01:05 mtu 1500 operstate down peer pod/eth1
link lo down address 00:00:00:00:00:00 mtu 65536
link red kind vrf up address 02:00:00:00:01:03 mtu 65575 operstate up table 10
addr 10.4.0.3/24 dev eth1
route 10.4.0.0/24 dev eth1 proto kernel scope link src 10.4.0.3 table 10
file /run/netns/stray ""
file /var/lib/cni/networks/n/10.1.2.3 "c1\\r\\neth0"
`;

describe('the text', () => {
  test('comes back as it was', () => {
    expect(dumpOf(FULL)).toBe(FULL);
  });

  test('of an empty machine is the host alone', () => {
    const empty = 'netns host\nlink lo down address 00:00:00:00:00:00 mtu 65536\n';
    expect(dumpOf('')).toBe(empty);
    expect(dumpOf('# nothing\n\nnetns host\n')).toBe(empty);
  });

  for (const [name, calls] of Object.entries({
    ...SEQUENCES,
    ...DUMMY_SEQUENCES,
    ...IPVLAN_SEQUENCES,
    ...MACVLAN_SEQUENCES,
    ...TAKEN_SEQUENCES,
    ...VLAN_SEQUENCES,
    ...VRF_SEQUENCES,
  })) {
    test(`comes back after: ${name}`, () => {
      const driver = simulatedDriver(sim, 'netns host\nnetns pod\n');
      play(driver, { host: 0, pod: driver.netns_open({ path: '/run/netns/pod' }) }, calls);
      const text = driver.dump();
      expect(dumpOf(text)).toBe(text);
    });
  }

  test('comes back without the route of an address that was replaced by another', () => {
    const driver = simulatedDriver(sim, 'netns host\nnetns pod\n');
    const calls = [veth('v0', 'e0'), up('pod', 'e0'), addr('pod', 'e0', '10.1.2.3/24')];
    calls.push(addr('pod', 'e0', 'fd00::3/64'), unroute('pod', 'e0', '10.1.2.0/24'));
    calls.push(route('pod', 'e0', '10.1.2.1/32', { scope: 253 }));
    calls.push(route('pod', 'e0', '10.1.2.0/24', { gw: '10.1.2.1' }));
    play(driver, { host: 0, pod: driver.netns_open({ path: '/run/netns/pod' }) }, calls);
    const text = driver.dump();
    expect(text).toContain('route 10.1.2.0/24 via 10.1.2.1 dev e0 proto boot');
    expect(text).not.toContain('route 10.1.2.0/24 dev e0');
    expect(text).toContain('route fd00::/64 dev e0 proto kernel');
    expect(dumpOf(text)).toBe(text);
  });

  test('may leave out what has a default', () => {
    const lines = ['netns host', 'link br0 kind bridge up', 'link v0 kind veth up master br0'];
    lines.push('netns pod', 'link e0 kind veth up peer host/v0', 'addr 10.0.0.2/24 dev e0');
    lines.push('route 0.0.0.0/0 via 10.0.0.1 dev e0');
    expect(dumpOf(lines.join('\n'))).toBe(`netns host
link br0 kind bridge up address 02:00:5e:00:00:03 mtu 1500 operstate up
link lo down address 00:00:00:00:00:00 mtu 65536
link v0 kind veth up address 02:00:5e:00:00:03 mtu 1500 operstate up master br0 peer pod/e0
netns pod
link e0 kind veth up address 02:00:5e:00:01:02 mtu 1500 operstate up peer host/v0
link lo down address 00:00:00:00:00:00 mtu 65536
addr 10.0.0.2/24 dev e0
route 0.0.0.0/0 via 10.0.0.1 dev e0 proto boot
route 10.0.0.0/24 dev e0 proto kernel scope link src 10.0.0.2
`);
  });

  const WRONG: readonly [string, string][] = [
    ['link eth0', 'line 1: a line before the first netns line'],
    ['netns', 'line 1: netns takes a name, and path with a path'],
    ['netns a path', 'line 1: netns takes a name, and path with a path'],
    ['netns a path run/x', 'line 1: netns takes a name, and path with a path'],
    ['netns a /run/x', 'line 1: netns takes a name, and path with a path'],
    ['netns host\naddr', 'line 2: "addr" alone'],
    ['netns host\n\n# c\nrules 1', 'line 4: unknown word "rules"'],
    ['netns host\nrule 1', `line 2: ${RULE_SHAPE}`],
    ['netns host\nrule 1 from 0.0.0.0/0 table 7', `line 2: ${RULE_SHAPE}`],
    ['netns host\nrule 1 from 10.0.0.1/32 table x', `line 2: ${RULE_SHAPE}`],
    ['netns host\nlink a table 7', "line 2: not a VRF's table: 7"],
    ['netns host\nlink a kind vrf table 0', "line 2: not a VRF's table: 0"],
    ['netns host\nlink a colour red', 'line 2: unknown word "colour"'],
    ['netns host\nlink a mtu', 'line 2: "mtu" is unknown or lacks its value'],
    ['netns host\nlink a mtu much', 'line 2: not an MTU: much'],
    ['netns host\nlink a mtu 3000000000', 'line 2: not an MTU: 3000000000'],
    ['netns host\nlink a address 02:', 'line 2: not a hardware address: 02:'],
    ['netns host\nlink a address 0g:00', 'line 2: not a hardware address: 0g:00'],
    ['netns host\nlink a\nlink a', 'line 3: a second link a'],
    ['netns host\nqdisc tbf 1: dev b', 'line 2: no link b'],
    ['netns host\nqdisc dev lo', 'line 2: not a handle: lo'],
    ['netns host\nqdisc tbf 0: dev lo', 'line 2: not a handle: 0:'],
    ['netns host\nqdisc tbf 1: dev lo rate 1', 'line 2: a tbf takes rate, limit and buffer'],
    ['netns host\nqdisc pfifo 1: dev lo\nqdisc pfifo 2: dev lo', 'line 3: lo has a qdisc there'],
    [
      'netns host\nqdisc clsact ffff: dev lo\nqdisc ingress ffff: dev lo',
      'line 3: lo has a qdisc there',
    ],
    ['netns host\nfilter u32 dev lo pref 1', 'line 2: lo has no qdisc for filters'],
    ['netns host\nfilter u32 dev lo', 'line 2: a filter takes a pref'],
    ['netns host\nfilter u32 dev lo pref 65536', 'line 2: a filter takes a pref'],
    [
      'netns host\nqdisc clsact ffff: dev lo\nfilter u32 dev lo pref 1\nfilter bpf dev lo pref 1',
      'line 4: lo has a filter of another kind there',
    ],
    [
      'netns host\nqdisc clsact ffff: dev lo\nfilter u32 dev lo pref 1 redirect x',
      'line 3: no link x',
    ],
    ['netns host\nlink a kind veth', 'line 2: a has no peer'],
    ['netns host\nlink a kind veth peer pod/b', 'line 2: no link pod/b'],
    ['netns host\nlink a\nlink b kind veth peer host/a', 'line 3: host/a cannot be the peer'],
    ['netns host\nlink a peer ?', 'line 2: no link ?'],
    ['netns host\nlink a master b', 'line 2: no link b'],
    ['netns host\naddr 10.0.0.1 dev lo', 'line 2: not an address with a prefix length: 10.0.0.1'],
    ['netns host\naddr 10.0.0.1/8', 'line 2: dev is missing'],
    ['netns host\naddr 10.0.0.1/8 dev lo up', 'line 2: addr takes an address and dev'],
    ['netns host\naddr 10.0.0.1/8 dev x', 'line 2: no link x'],
    [
      'netns host\nlink a mtu 1000\naddr fd00::1/64 dev a',
      'line 3: the MTU of a is too small for IPv6',
    ],
    ['netns host\nvlan 0 dev lo', 'line 2: not a VLAN: 0'],
    ['netns host\nvlan 5 dev lo', 'line 2: lo is not a port of a bridge'],
    [
      'netns host\nlink b kind bond\nlink a master b\nvlan 5 dev a',
      'line 4: a is not a port of a bridge',
    ],
    ['netns host\nroute default dev lo', 'line 2: not an address with a prefix length: default'],
    ['netns host\nroute 10.0.0.0/8 dev lo via x', 'line 2: not an IP address: x'],
    ['netns host\nroute 10.0.0.0/8 dev lo metric x', 'line 2: not a metric: x'],
    ['netns host\nroute 10.0.0.0/8 dev lo weight 1', 'line 2: unknown word "weight"'],
    ['netns host\nsysctl net/ipv4/ip_forward', 'line 2: sysctl takes a key and a number'],
    ['netns host\nsysctl net/ipv4/nope 1', 'line 2: no sysctl net/ipv4/nope'],
    ['file relative "x"', 'line 1: file takes an absolute path and a text'],
    ['file /a b', 'line 1: file takes an absolute path and a text'],
    ['file /a "b', 'line 1: not a JSON string'],
    ['folder a', 'line 1: a line before the first netns line'],
    ['plugin a 0 ""', 'line 1: plugin takes a path, an exit code and a text'],
    ['plugin /a b ""', 'line 1: plugin takes a path, an exit code and a text'],
    ['plugin /a 0', 'line 1: plugin takes a path, an exit code and a text'],
    ['plugin /a 0 "', 'line 1: not a JSON string'],
  ];
  test.each(WRONG)('refuses %j', (text, message) => {
    expect(() => simulatedDriver(sim, text)).toThrow(new Error(message));
  });
});

const INFINIBAND = '80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:01';
/** What a real machine may have and the simulated kernel does not model. */
const REAL = `netns host
netns host path /proc/4242/ns/net
link "qx kind macvlan down address 02:00:00:00:00:09 mtu 1500 operstate down
link bond0 kind bond up address 02:00:00:00:00:07 mtu 1500 operstate down
link eth1 up address 02:00:00:00:00:08 mtu 1500 operstate dormant master bond0
link gre0 kind gre down address 0a:00:00:01 mtu 1476 operstate down
link ib0 up address ${INFINIBAND} mtu 65520 operstate up
link kind kind vxlan up address 02:00:00:00:00:06 mtu 0 operstate unknown
link lo up address 00:00:00:00:00:00 mtu 100000
link pvid kind veth up address 02:00:00:00:00:05 mtu 1500 operstate up master up peer ?
link tun0 kind tun up address none mtu 16777216 operstate notpresent
link up kind bridge up address 02:00:00:00:00:05 mtu 1500 vlan_filtering operstate up
vlan 5 dev pvid
netns proc-7 path /proc/7/ns/net
netns proc-7 path /run/user/1000/a pod
link lo down address 00:00:00:00:00:00 mtu 65536
plugin /opt/cni/my bin/other 126 ""
`;

describe('a text that says all', () => {
  test('of a real machine comes back as it was', () => {
    expect(dumpOf(`complete\n${REAL}`)).toBe(REAL);
  });

  test('gets nothing that it does not say', () => {
    const lines = ['netns host', 'link lo up address 00:00:00:00:00:00 mtu 65536'];
    lines.push('link br0 kind bridge up address 02:00:00:00:00:01 mtu 1500 vlan_filtering');
    lines.push('link v0 kind veth up address 02:00:00:00:00:02 mtu 1500 master br0 peer ?');
    lines.push('addr 10.0.0.1/24 dev br0', 'addr fd00::1/64 dev br0');
    const text = lines.join('\n');
    const filled = dumpOf(text);
    expect(filled).toContain('\nvlan 1 dev v0 pvid untagged\n');
    expect(filled).toContain('\nroute 10.0.0.0/24 dev br0 proto kernel scope link src 10.0.0.1\n');
    expect(filled).toContain('\naddr 127.0.0.1/8 dev lo\n');
    expect(dumpOf(`complete\n${text}`)).not.toMatch(/^vlan|^route|127\.0\.0\.1/m);
  });

  test('opens namespaces by the paths it gives, and by no others', () => {
    const driver = simulatedDriver(sim, `complete\n${REAL}netns pod\n`);
    const open = (path: string) => driver.netns_open({ path });
    const same = (a: string, b: string) => driver.netns_same({ a: open(a), b: open(b) });
    expect(same('/proc/7/ns/net', '/run/user/1000/a pod')).toBe(1);
    expect(same('/proc/7/ns/net', '/run/netns/pod')).toBe(0);
    expect(driver.netns_same({ a: 0, b: open('/proc/4242/ns/net') })).toBe(1);
    expect(() => open('/run/netns/proc-7')).toThrow('errno 2');
    expect(() => open('/proc/8/ns/net')).toThrow('errno 2');
  });

  test('has folders, and those above its files', () => {
    const driver = simulatedDriver(sim, 'folder /run/fairlead\nfile /var/lib/cni/x "1"\n');
    const list = (dir: string) => driver.dir_list({ dir });
    expect(list('/run/fairlead')).toEqual([]);
    expect(list('/run')).toEqual([]);
    expect(list('/var/lib/cni')).toEqual(['x']);
    expect(list('/var/lib')).toEqual([]);
    expect(() => list('/var/lib/cni/networks')).toThrow('errno 2');
  });
});

describe('a bridge of the text', () => {
  const ports = (bridge: string) => `netns host
link br0 kind bridge up ${bridge}
link v0 kind veth up address 02:00:00:00:00:05 mtu 9000 master br0 peer host/v1
link v1 kind veth up address 02:00:00:00:00:06 mtu 9000
`;
  const withPort = (bridge: string): string => {
    const driver = simulatedDriver(sim, ports(bridge));
    const { ifindex } = driver.link_get({ ns: 0, name: 'br0' }) as { ifindex: number };
    const [address, peer_address] = ['02:00:00:00:00:03', '02:00:00:00:00:04'];
    const names = { name: 'n0', peer_ns: 0, peer_name: 'n1', address, peer_address };
    driver.link_add_veth({ ns: 0, master: ifindex, mtu_bytes: 1500, ...names });
    return /^link br0 kind bridge up (.*) operstate/m.exec(driver.dump())?.[1] ?? '';
  };

  test('follows its ports when it is as they have it', () => {
    const follower = 'address 02:00:00:00:00:05 mtu 9000';
    expect(withPort(follower)).toBe('address 02:00:00:00:00:03 mtu 1500');
  });

  test('keeps what it has when that is its own', () => {
    const own = 'address 02:00:00:00:00:01 mtu 4000';
    expect(withPort(own)).toBe(own);
  });

  test('does not work when no port does', () => {
    const text = 'netns host\nlink br0 kind bridge up\nlink e0 up operstate down master br0\n';
    expect(dumpOf(text)).toMatch(/^link br0 .* operstate down$/m);
  });
});

describe('sim.wasm', () => {
  test('imports nothing', () => {
    expect(WebAssembly.Module.imports(sim)).toEqual([]);
  });

  test('exports every operation', () => {
    const exported = WebAssembly.Module.exports(sim).map((entry) => entry.name);
    for (const op of DRIVER_OPERATIONS) expect(exported).toContain(`${op.module}_${op.name}`);
  });

  test('keeps nothing from one kernel to the next', () => {
    const first = simulatedDriver(sim, '');
    first.link_add_bridge({ ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 0 });
    expect(dumpOf('')).not.toContain('br0');
    expect(first.dump()).toContain('br0');
  });

  test('does the same twice', () => {
    const run = (seed: number) => {
      const driver = simulatedDriver(sim, 'netns host\nnetns pod\n');
      const pod = driver.netns_open({ path: '/run/netns/pod' });
      return [...play(driver, { host: 0, pod }, randomCalls(seed)), driver.dump()];
    };
    for (let seed = 1; seed <= 10; seed++) expect(run(seed)).toEqual(run(seed));
  });
});
