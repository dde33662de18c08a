// SPDX-License-Identifier: Apache-2.0
// What a dry run tells of an operation in the words of iproute2 and coreutils. That the words do
// what the operation does is dry-run.test.ts's to show, where a shell executes them.
import { expect, test } from 'vitest';
import { DRIVER_OPERATIONS } from '../../host-node/abi/index.ts';
import { likeOf, type Names, quote } from '../../host-node/cli/like.ts';

const PATHS = ['', '/run/netns/pod', '/proc/42/ns/net', '/var/run/netns/other'];
const names: Names = {
  netns: (handle) => PATHS[handle] ?? '',
  link: (ns, ifindex) => `if${ns}.${ifindex}`,
};

function like(name: string, args: Record<string, unknown>): string {
  const op = DRIVER_OPERATIONS.find((operation) => operation.name === name);
  if (op === undefined) throw new Error(`no operation ${name}`);
  return likeOf(op, args, names);
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const VETH = {
  ns: 0,
  name: 'v0',
  address: '',
  mtu_bytes: 0,
  master: 0,
  peer_ns: 1,
  peer_name: 'eth0',
  peer_address: '',
};
const MACVLAN = { address: '', mtu_bytes: 0, mode: 'vepa', bcqueuelen: 0 };
const ROUTE = { dst: '10.9.0.0/16', gw: '', src: '', scope: 0, table: 0, priority: 0 };
const LIMITS = { mtu_bytes: 0, advmss: 0, protocol: 0 };
const RULE = { ns: 1, src: 'fd00::3/128', table: 100, priority: 0 };
const MAC = '02:00:00:00:00:01';
const BUCKET = { rate_low: 125000, rate_high: 0, limit_bytes: 13125, buffer_ticks: 1250000 };

const TOLD: readonly [string, Record<string, unknown>, string][] = [
  ['link_get', { ns: 1, name: 'eth0' }, 'ip -n pod -d link show dev eth0'],
  [
    'link_get_index',
    { ns: 2, ifindex: 3 },
    'nsenter --net=/proc/42/ns/net ip -d link show dev if2.3',
  ],
  ['netns_same', { a: 1, b: 0 }, '[ /run/netns/pod -ef /proc/self/ns/net ]'],
  [
    'link_add_bridge',
    { ns: 0, name: 'br0', mtu_bytes: 0, vlan_filtering: 0 },
    'ip link add br0 type bridge',
  ],
  [
    'link_add_bridge',
    { ns: 3, name: 'br0', mtu_bytes: 1400, vlan_filtering: 1 },
    'ip -n other link add br0 mtu 1400 type bridge vlan_filtering 1',
  ],
  ['link_add_veth', VETH, 'ip link add v0 up type veth peer name eth0 netns pod'],
  [
    'link_add_veth',
    { ...VETH, address: MAC, mtu_bytes: 1400, master: 7, peer_ns: 2, peer_address: MAC },
    `ip link add v0 address ${MAC} mtu 1400 master if0.7 up type veth ` +
      `peer name eth0 address ${MAC} mtu 1400 netns /proc/42/ns/net`,
  ],
  ['link_add_veth', { ...VETH, peer_ns: 0 }, 'ip link add v0 up type veth peer name eth0'],
  [
    'link_add_veth',
    { ...VETH, ns: 1, peer_ns: 0 },
    'ip -n pod link add v0 up type veth peer name eth0 netns 1',
  ],
  [
    'link_add_dummy',
    { ns: 1, name: 'd0', address: MAC },
    `ip -n pod link add d0 address ${MAC} type dummy`,
  ],
  [
    'link_add_macvlan',
    { ns: 0, lower: 2, netns: 1, name: 'eth0', ...MACVLAN, address: MAC, mtu_bytes: 1400 },
    `ip link add link if0.2 name eth0 netns pod address ${MAC} mtu 1400 type macvlan mode vepa`,
  ],
  [
    'link_add_macvlan',
    { ns: 1, lower: 2, netns: 1, name: 'm0', ...MACVLAN, bcqueuelen: 2000 },
    'ip -n pod link add link if1.2 name m0 type macvlan mode vepa bcqueuelen 2000',
  ],
  [
    'link_add_ipvlan',
    { ns: 0, lower: 2, netns: 1, name: 'eth0', mtu_bytes: 0, mode: 'l3' },
    'ip link add link if0.2 name eth0 netns pod type ipvlan mode l3',
  ],
  [
    'link_add_vlan',
    { ns: 0, lower: 2, netns: 1, name: 'eth0', mtu_bytes: 1400, vid: 0 },
    'ip link add link if0.2 name eth0 netns pod mtu 1400 type vlan id 0',
  ],
  [
    'link_set_netns',
    { ns: 0, ifindex: 2, netns: 1, name: 'eth0' },
    'ip link set dev if0.2 netns pod name eth0',
  ],
  [
    'link_set_netns',
    { ns: 1, ifindex: 2, netns: 0, name: 'e1' },
    'ip -n pod link set dev if1.2 netns 1 name e1',
  ],
  [
    'link_set_alias',
    { ns: 1, ifindex: 2, alias: 'a b' },
    "ip -n pod link set dev if1.2 alias 'a b'",
  ],
  ['link_set_alias', { ns: 1, ifindex: 2, alias: '' }, "ip -n pod link set dev if1.2 alias ''"],
  [
    'link_add_tap',
    { ns: 1, name: 't0', multi_queue: 0, owner: -1, group: -1 },
    'ip -n pod tuntap add dev t0 mode tap vnet_hdr',
  ],
  [
    'link_add_tap',
    { ns: 1, name: 't0', multi_queue: 1, owner: 0, group: -2 },
    'ip -n pod tuntap add dev t0 mode tap vnet_hdr multi_queue user 0 group 4294967294',
  ],
  ['link_set_name', { ns: 1, ifindex: 2, name: 'n0' }, 'ip -n pod link set dev if1.2 name n0'],
  [
    'link_add_ifb',
    { ns: 1, name: 'i0', address: MAC, mtu_bytes: 1400 },
    `ip -n pod link add i0 address ${MAC} mtu 1400 txqueuelen 0 up type ifb`,
  ],
  ['qdisc_get', { ns: 1, ifindex: 4, parent: -1 }, 'tc -n pod qdisc show dev if1.4 root'],
  ['qdisc_get', { ns: 0, ifindex: 4, parent: -15 }, 'tc qdisc show dev if0.4 ingress'],
  ['qdisc_add_ingress', { ns: 0, ifindex: 4 }, 'tc qdisc add dev if0.4 handle ffff: ingress'],
  [
    'qdisc_add_tbf',
    { ns: 0, ifindex: 4, handle: 0x10000, ...BUCKET },
    'tc qdisc add dev if0.4 root handle 1: tbf rate 1000000bit limit 13125b burst 10000b',
  ],
  [
    'qdisc_add_tbf',
    { ns: 0, ifindex: 4, handle: 0x10000, ...BUCKET, rate_high: 1, limit_bytes: -1 },
    'tc qdisc add dev if0.4 root handle 1: tbf rate 34360738368bit limit 4294967295b ' +
      'burst 343607384b',
  ],
  [
    'qdisc_del',
    { ns: 0, ifindex: 4, parent: -15, handle: -65536 },
    'tc qdisc del dev if0.4 ingress handle ffff:',
  ],
  [
    'filter_list',
    { ns: 2, ifindex: 4 },
    'nsenter --net=/proc/42/ns/net tc filter show dev if2.4 ingress',
  ],
  [
    'filter_add_redirect',
    { ns: 0, ifindex: 4, pref: 7, to: 9 },
    'tc filter add dev if0.4 ingress protocol all pref 7 u32 match u32 0 0 flowid 1:1 ' +
      'action mirred egress redirect dev if0.9',
  ],
  [
    'filter_del',
    { ns: 0, ifindex: 4, pref: 7, handle: 0x80000800 | 0 },
    'tc filter del dev if0.4 ingress protocol all pref 7 handle 800::800 u32',
  ],
  [
    'filter_del',
    { ns: 0, ifindex: 4, pref: 7, handle: 0 },
    'tc filter del dev if0.4 ingress protocol all pref 7 u32',
  ],
  ['link_set_up', { ns: 0, ifindex: 4 }, 'ip link set dev if0.4 up'],
  ['link_set_promisc', { ns: 0, ifindex: 4, on: 1 }, 'ip link set dev if0.4 promisc on'],
  ['link_set_promisc', { ns: 0, ifindex: 4, on: 0 }, 'ip link set dev if0.4 promisc off'],
  [
    'link_set_bridge_port',
    { ns: 1, ifindex: 4, hairpin: 1, isolated: 0 },
    'bridge -n pod link set dev if1.4 hairpin on isolated off',
  ],
  [
    'bridge_vlan_add',
    { ns: 0, ifindex: 4, vid: 5, vid_end: 5, pvid: 1, untagged: 1 },
    'bridge vlan add dev if0.4 vid 5 pvid untagged',
  ],
  [
    'bridge_vlan_add',
    { ns: 0, ifindex: 4, vid: 5, vid_end: 9, pvid: 0, untagged: 0 },
    'bridge vlan add dev if0.4 vid 5-9',
  ],
  [
    'addr_add',
    { ns: 1, ifindex: 4, address: '10.1.2.3/24', nodad: 1 },
    'ip -n pod addr add 10.1.2.3/24 dev if1.4',
  ],
  [
    'addr_add',
    { ns: 1, ifindex: 4, address: 'fd00::1/64', nodad: 1 },
    'ip -n pod addr add fd00::1/64 dev if1.4 nodad',
  ],
  [
    'addr_add',
    { ns: 1, ifindex: 4, address: 'fd00::1/64', nodad: 0 },
    'ip -n pod addr add fd00::1/64 dev if1.4',
  ],
  [
    'route_add',
    { ns: 1, ifindex: 4, ...ROUTE, ...LIMITS },
    'ip -n pod route prepend 10.9.0.0/16 dev if1.4 scope global proto boot',
  ],
  [
    'route_add',
    { ns: 0, ifindex: 4, ...ROUTE, dst: '::/0', gw: 'fe80::1', ...LIMITS },
    'ip route prepend ::/0 via fe80::1 dev if0.4 proto boot',
  ],
  [
    'route_add',
    { ns: 0, ifindex: 4, ...ROUTE, gw: 'fd00::1', table: 254, ...LIMITS },
    'ip route prepend 10.9.0.0/16 via inet6 fd00::1 dev if0.4 proto boot',
  ],
  [
    'route_add',
    {
      ...{ ns: 0, ifindex: 4, dst: '10.9.0.0/16', gw: '10.1.2.1', src: '10.1.2.3', scope: 253 },
      ...{ table: -1, priority: 7, mtu_bytes: 1400, advmss: 1360, protocol: 2 },
    },
    'ip route prepend 10.9.0.0/16 via 10.1.2.1 dev if0.4 src 10.1.2.3 scope link ' +
      'table 4294967295 metric 7 mtu 1400 advmss 1360 proto kernel',
  ],
  ['fib_rule_add', RULE, 'ip -n pod -6 rule add from fd00::3/128 table 100'],
  [
    'fib_rule_del',
    { ...RULE, src: '10.1.2.3/32', table: -1, priority: -1 },
    'ip -n pod rule del from 10.1.2.3/32 table 4294967295 priority 4294967295',
  ],
  [
    'link_add_vrf',
    { ns: 1, name: 'red', table: 1000 },
    'ip -n pod link add red type vrf table 1000',
  ],
  [
    'link_set_master',
    { ns: 1, ifindex: 4, master: 5 },
    'ip -n pod link set dev if1.4 master if1.5',
  ],
  ['link_set_master', { ns: 1, ifindex: 4, master: 0 }, 'ip -n pod link set dev if1.4 nomaster'],
  [
    'route_del',
    { ns: 0, ifindex: 4, dst: '10.9.0.0/16', gw: '', table: 0 },
    'ip route del 10.9.0.0/16 dev if0.4',
  ],
  [
    'sysctl_write',
    { ns: 0, key: 'net/ipv4/ip_forward', value: '1' },
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
  ],
  [
    'sysctl_write',
    { ns: 1, key: 'net/ipv4/ip_forward', value: '0' },
    `nsenter --net=/run/netns/pod sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'`,
  ],
  [
    'dir_lock',
    { dir: '/var/lib/my net', create: 1, timeout_ms: 15000 },
    `mkdir -p '/var/lib/my net'; flock -x -w 15 '/var/lib/my net'/lock`,
  ],
  [
    'file_create',
    { path: '/n/10.1.2.3', content: bytes("c'1\r\neth0"), replace_empty: 1 },
    `printf %s $'c\\'1\\r\\neth0' | (set -C; cat > /n/10.1.2.3)`,
  ],
  [
    'file_write',
    { path: '/n/x', content: bytes('ä'.repeat(300)) },
    'cat > /n/x.new; mv /n/x.new /n/x # 600 bytes',
  ],
  ['file_remove', { path: '/n/x' }, 'rm /n/x'],
  [
    'file_set_mtime',
    { path: '/n', mtime: '1764248932.123456789' },
    'touch -c -m -d @1764248932.123456789 /n',
  ],
  [
    'exec',
    { path: '/bin/p', env: bytes('A=1\0B=x y\0'), stdin: bytes('{"a":1}'), timeout_ms: 90000 },
    `env A=1 'B=x y' timeout 90 /bin/p <<< '{"a":1}'`,
  ],
];

test.each(TOLD)('%s %j', (name, args, line) => {
  expect(like(name, args)).toBe(line);
});

test.each([
  ['plain-1.2:3/4@x', 'plain-1.2:3/4@x'],
  ['', "''"],
  ['a b', "'a b'"],
  ["it's", `'it'\\''s'`],
  ['$(x) `y` "z" \\', `'$(x) \`y\` "z" \\'`],
  ['a\nb\u0001\\', `$'a\\nb\\u0001\\\\'`],
])('%j is quoted for a shell', (word, quoted) => {
  expect(quote(word)).toBe(quoted);
});
