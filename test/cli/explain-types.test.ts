// SPDX-License-Identifier: Apache-2.0
// The reasons that each CNI type gives for what it decides, on the simulated kernel: what
// `fairlead explain` and the page tell. Every type has a row, and what it says must be what is.
import { expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi/index.ts';
import { performTask } from '../../host-node/core.ts';
import { CACHE_DIR, CONF_DIR, plainNode } from '../../host-node/story/node.ts';
import { type Why, whyOf } from '../../host-node/story/why.ts';
import { ownTypes } from '../support/types.ts';
import { wasmModule } from '../support/wasm.ts';
import { fileLine, Machine } from './machine.ts';

const ranges = { type: 'host-local', subnet: '10.1.2.0/24' };
const still = { type: 'static', addresses: [{ address: '10.9.0.2/24', gateway: '10.9.0.1' }] };
const pair = { type: 'ptp', ipam: { ...ranges, routes: [{ dst: '0.0.0.0/0' }] } };
const overlay = {
  ready: true,
  networks: ['10.244.0.0/16'],
  subnets: ['10.244.1.0/24'],
  mtu_bytes: 1450,
  masquerade: true,
};
const env = 'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1400\n';

/** A type, the chain that has it, what the node has besides, and some of what it says. */
const ROWS: readonly (readonly [string, object[], string, readonly string[]])[] = [
  [
    'bridge',
    [{ type: 'bridge', ipam: ranges }],
    '',
    ['bridge: cni0, there was none', 'name: eth0, the runtime names it'],
  ],
  [
    'ptp',
    [{ ...pair, mtu: 1400 }],
    '',
    ['MTU: 1400, "mtu" says so', 'gateway: 10.1.2.1, the ipam names it', 'MAC: '],
  ],
  [
    'macvlan',
    [{ type: 'macvlan' }],
    '',
    [
      'master: eth0, no "master": the interface of the default route on the host',
      'mode: bridge, no "mode"',
      'MTU: 1500, no "mtu": that of its master "eth0"',
      'MAC: 8e:c2:0a:f4:1e:a5, a hash of network, container and interface',
      'name at first: fl',
      'addresses: none, no "ipam"',
    ],
  ],
  [
    'ipvlan',
    [{ type: 'ipvlan', master: 'eth0', mode: 'l3', ipam: still }],
    '',
    [
      'master: eth0, "master" names it',
      'mode: l3, "mode" says so',
      'MAC: 02:00:5e:10:00:01, that of its master "eth0"',
    ],
  ],
  [
    'vlan',
    [{ type: 'vlan', master: 'eth0', vlanId: 7, mtu: 1400, ipam: still }],
    '',
    [
      'VLAN: 7, "vlanId" says so',
      'MTU: 1400, "mtu" says so',
      'MAC: 02:00:5e:10:00:01, that of its master',
    ],
  ],
  [
    'host-device',
    [{ type: 'host-device', hwaddr: '02:00:00:00:01:01' }],
    'link dev0 kind dummy up address 02:00:00:00:01:01 mtu 9000\n',
    [
      'device: dev0, "hwaddr": it has the address 02:00:00:00:01:01',
      'MTU: 9000, a device keeps its own',
      'MAC: 02:00:00:00:01:01, a device keeps its own',
    ],
  ],
  [
    'dummy',
    [{ type: 'dummy', ipam: still }],
    '',
    ['MAC: 96:ab:27:31:1b:d7, a hash of', 'MTU: 1500, no "mtu": what the'],
  ],
  [
    'tap',
    [{ type: 'tap', mac: '02:00:00:00:00:07' }],
    '',
    ['MAC: 02:00:00:00:00:07, it was asked for', 'MTU: 1500, no "mtu"'],
  ],
  [
    'loopback',
    [{ type: 'loopback' }],
    '',
    [
      'interface: lo is up, a new namespace has it down; CNI_IFNAME is not looked at',
      'address: 127.0.0.1/8, the kernel gives it',
    ],
  ],
  ['host-local', [pair], '', ['address: 10.1.2.2, the next free one of 10.1.2.1-10.1.2.254']],
  [
    'static',
    [{ ...pair, ipam: still }],
    '',
    ['address: 10.9.0.2/24, "addresses" has it', 'gateway: 10.9.0.1, it stands beside'],
  ],
  [
    'static, in another spelling',
    [
      {
        ...pair,
        ipam: { type: 'static', addresses: [{ address: 'FD00::5/64', gateway: 'fd00::1' }] },
      },
    ],
    '',
    ['address: fd00::5/64, "addresses" has it'],
  ],
  [
    'dhcp',
    [{ type: 'macvlan', ipam: { type: 'dhcp' } }],
    'dhcp /run/cni/dhcp.sock {"address":"10.1.2.3/24","gateway":"10.1.2.1"}\n',
    ['address: 10.1.2.3/24, a DHCP server leased it to the daemon at /run/cni/dhcp.sock'],
  ],
  [
    'tuning',
    [
      pair,
      { type: 'tuning', sysctl: { 'net.ipv4.conf.all.arp_notify': '1' }, mtu: 1300, promisc: true },
    ],
    '',
    [
      'sysctl: net.ipv4.conf.all.arp_notify = 1, it was asked for, and DEL puts back',
      `MTU: 1300, it was asked for, and DEL puts back what it was; the node's end has the same`,
      'promiscuous mode: on, ',
    ],
  ],
  [
    'sbr',
    [pair, { type: 'sbr' }],
    '',
    ['table: 100, the first from 100 on', 'rule: from 10.1.2.2/32 lookup 100, what it sends'],
  ],
  [
    'bandwidth',
    [
      pair,
      {
        type: 'bandwidth',
        ingressRate: 8000,
        ingressBurst: 8e6,
        egressRate: 80_000,
        egressBurst: 8e6,
      },
    ],
    '',
    [
      `receives at most: 1000 bytes a second, "ingressRate": at the node's end "veth`,
      `sends at most: 10000 bytes a second, "egressRate": at the node's end "veth`,
    ],
  ],
  [
    'vrf',
    [pair, { type: 'vrf', vrfname: 'blue' }],
    '',
    [
      'VRF: blue, "vrfname" names it: the container had none of that name',
      'table: 1, no "table": the lowest that nothing has',
    ],
  ],
  [
    'portmap',
    [pair, { type: 'portmap', capabilities: { portMappings: true } }],
    '',
    ['port: 8080/tcp to 10.1.2.2 . 80, portMappings'],
  ],
  ['firewall', [pair, { type: 'firewall' }], '', ['forwarding accepted: 10.1.2.2, ']],
  [
    'fairlead-overlay',
    [{ type: 'fairlead-overlay' }],
    fileLine('/run/fairlead/overlay/told.json', JSON.stringify(overlay)),
    [
      'delegate: ptp, what is usual for it',
      'subnet: 10.244.1.0/24, that of this node: the agent (fairlead agent) says so',
      'MTU asked for: 1450, every path takes it',
      'MTU: 1450, "mtu" says so',
      'masquerading asked for: on, the agent',
    ],
  ],
  [
    'flannel',
    [{ type: 'flannel', delegate: { mtu: 1350 } }],
    fileLine('/run/flannel/subnet.env', env),
    [
      'delegate: bridge, what is usual',
      'subnet: 10.244.1.0/24, that of this node: flanneld says so',
      'MTU asked for: 1350, "delegate" says so',
    ],
  ],
];

/** What an ADD of a chain says of its decisions. */
function decisions(
  plugins: readonly object[],
  more: string,
  wrap = (driver: Driver): Driver => driver,
): Why[] {
  const list = JSON.stringify({ cniVersion: '1.0.0', name: 'told', plugins });
  const [uplink = '', pods = ''] = plainNode(['pod']).split('netns pod');
  const links = more.startsWith('link ') ? more : '';
  const files = (links === '' ? more : '') + fileLine(`${CONF_DIR}/10.conflist`, list);
  const on = new Machine(`${uplink}${links}netns pod${pods}${files}`);
  const said: Why[] = [];
  const around = {
    stdin: () => new Uint8Array(0),
    sleep: () => {},
    log: (line: string) => said.push(...[whyOf(line) ?? []].flat()),
  };
  const request = {
    ...{ network: 'told', netns: '/run/netns/pod', containerID: 'told', ifname: 'eth0' },
    ...{ confDir: CONF_DIR, cacheDir: CACHE_DIR, path: '/opt/cni/bin', args: '', why: true },
    capabilities: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
  };
  const answer = performTask(wasmModule('tools'), wrap(on.driver), 'add', request, around);
  expect(answer.exit_code, answer.stdout).toBe(0);
  return said;
}

test.each(ROWS)('%s says why', (_, plugins, more, expected) => {
  const said = decisions(plugins, more).map(
    ({ what, is, because }) => `${what}: ${is}, ${because}`,
  );
  for (const words of expected) {
    expect(
      said.filter((one) => one.startsWith(words)),
      `${words}\n${said.join('\n')}`,
    ).not.toEqual([]);
  }
});

test('of a sysctl that cannot be read it says that DEL leaves it', () => {
  const unread = (driver: Driver): Driver =>
    new Proxy(driver, {
      get: (target, key) => {
        if (key !== 'sysctl_read') return Reflect.get(target, key);
        return (args: Parameters<Driver['sysctl_read']>[0]) => {
          if (args.key.endsWith('/arp_notify')) throw new OsError(13, 'on purpose');
          return target.sysctl_read(args);
        };
      },
    });
  const tuning = { type: 'tuning', sysctl: { 'net.ipv4.conf.all.arp_notify': '1' } };
  expect(decisions([pair, tuning], '', unread)).toContainEqual({
    what: 'sysctl',
    is: 'net.ipv4.conf.all.arp_notify = 1',
    because: 'it was asked for; it cannot be read, so that DEL leaves it',
  });
});

test('every type has a row', () => {
  const told = new Set(ROWS.map(([type]) => type));
  expect(ownTypes().filter((type) => type !== 'fairlead' && !told.has(type))).toEqual([]);
});
