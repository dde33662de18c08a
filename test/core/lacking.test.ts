// SPDX-License-Identifier: Apache-2.0
// A kernel that was built without what a plugin needs: STATUS says so beforehand, ADD when it comes
// to it, both with the module to load, and nothing is left. The errors are those that the kernel
// gives for a kind that it does not know. And one from which an interface goes during a call.
import { expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi/index.ts';
import { serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmInstances, wasmModule } from '../support/wasm.ts';

const [EPERM, ENOENT, EACCES, ENODEV, EMFILE, EOPNOTSUPP, EAFNOSUPPORT] = [
  1, 2, 13, 19, 24, 95, 97,
];
const ENV = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/pod',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};
const WIRED = `netns host
link vh kind veth up peer pod/eth0
netns pod
link eth0 kind veth up peer host/vh
`;
const CONFIGS = {
  bandwidth: { ingressRate: 8000, ingressBurst: 80000, egressRate: 8000, egressBurst: 80000 },
  sbr: {},
  vrf: { vrfname: 'red' },
};
type Type = keyof typeof CONFIGS;

function call(
  command: string,
  lacking: Partial<Driver>,
  type: Type = 'bandwidth',
  driver = simulatedDriver(wasmModule('sim'), WIRED),
) {
  const before = driver.dump();
  const interfaces = [{ name: 'vh' }, { name: 'eth0', sandbox: '/run/netns/pod' }];
  const ips = [{ address: '10.1.2.3/24', interface: 1 }];
  const stdin = Buffer.from(
    JSON.stringify({
      cniVersion: '1.1.0',
      name: 'net',
      type,
      ...CONFIGS[type],
      prevResult: { cniVersion: '1.1.0', interfaces, ips },
    }),
  );
  const env = { ...ENV, CNI_COMMAND: command };
  const around = { stdin: () => stdin, log: () => {}, sleep: () => {} };
  const on = { ...driver, ...lacking };
  const { exit_code, stdout } = serve(wasmInstances('core'), on, { type, env }, around);
  return {
    exit_code,
    said: stdout === '' ? {} : JSON.parse(stdout),
    changed: driver.dump() !== before,
  };
}

const refuse = (errno: number, text: string) => () => {
  throw new OsError(errno, text);
};
const NO_RULES = { fib_rule_list: refuse(EOPNOTSUPP, '') };
const NO_VRF = { link_add_vrf: refuse(EOPNOTSUPP, 'Unknown device type') };
const KERNELS: readonly [string, Partial<Driver>, string, Type?][] = [
  ['ifb', { link_add_ifb: refuse(EOPNOTSUPP, 'Unknown device type') }, 'modprobe ifb'],
  [
    'sch_tbf',
    { qdisc_add_tbf: refuse(ENOENT, 'Specified qdisc kind is unknown') },
    'modprobe sch_tbf',
  ],
  ['policy routing', NO_RULES, 'CONFIG_IP_MULTIPLE_TABLES', 'sbr'],
  ['VRFs', NO_VRF, 'CONFIG_NET_VRF', 'vrf'],
];

test.each(Object.keys(CONFIGS) as Type[])('a kernel that has all serves %s', (type) => {
  expect(call('STATUS', {}, type)).toEqual({ exit_code: 0, said: {}, changed: false });
  expect(call('ADD', {}, type)).toMatchObject({ exit_code: 0, changed: true });
});

test.each(KERNELS)('STATUS without %s is error 50', (_, lacking, cure, type) => {
  const { exit_code, said, changed } = call('STATUS', lacking, type);
  expect({ exit_code, changed, code: said.code }).toEqual({
    exit_code: 1,
    changed: false,
    code: 50,
  });
  expect(said.msg).toContain(cure);
});

/** A dual-stack bridge on an empty node, where an operation fails. */
function bridged(fails: Fails) {
  const driver = simulatedDriver(wasmModule('sim'), 'netns host\nnetns pod\n');
  // The index of leases stays, as the next address is taken after the last one.
  const state = () => driver.dump().replace(/^file \/var\/lib\/cni\/.*\n/gm, '');
  const before = state();
  const ranges = [[{ subnet: '10.85.0.0/16' }], [{ subnet: 'fd00:85::/64' }]];
  const ipam = { type: 'host-local', ranges };
  const head = { cniVersion: '1.0.0', name: 'net', type: 'bridge', isGateway: true };
  const stdin = Buffer.from(JSON.stringify({ ...head, ipam }));
  const around = { stdin: () => stdin, log: () => {}, sleep: () => {} };
  const on = { ...driver, ...fails(driver) };
  const call = { type: 'bridge', env: ENV };
  const { exit_code, stdout } = serve(wasmInstances('core'), on, call, around);
  expect([exit_code, state()]).toEqual([1, before]);
  return JSON.parse(stdout) as { msg: string; details: string };
}

type Fails = (driver: Driver) => Partial<Driver>;
const NO_IPV6: readonly [string, Fails][] = [
  [
    'its sysctls',
    (driver) => ({
      sysctl_read: (args) => {
        if (args.key.startsWith('net/ipv6/')) throw new OsError(ENOENT, '');
        return driver.sysctl_read(args);
      },
    }),
  ],
  ...[EOPNOTSUPP, EAFNOSUPPORT].map((errno): [string, Fails] => [
    `its addresses (errno ${errno})`,
    (driver) => ({
      addr_add: (args) => {
        if (args.address.includes(':')) throw new OsError(errno, '');
        return driver.addr_add(args);
      },
    }),
  ]),
];

test.each(NO_IPV6)('a kernel that lacks IPv6, told by %s', (_, fails) => {
  expect(bridged(fails).details).toMatch(/: this kernel has no IPv6: take IPv6 ranges, /);
});

test.each([
  [EPERM, 'EPERM: run it as root'],
  [EMFILE, 'EMFILE: the process has too many open files: raise its limit'],
  [EACCES, 'EACCES'],
])('what to do is told by the number: %s', (errno, words) => {
  const said = bridged(() => ({ link_add_bridge: refuse(errno, '') }));
  expect(said.details.startsWith(words)).toBe(true);
});

test('DEL without policy routing finds no rule of ours', () => {
  expect(call('DEL', NO_RULES, 'sbr')).toEqual({ exit_code: 0, said: {}, changed: false });
});

test('DEL of vrf while the interface goes', () => {
  const driver = simulatedDriver(wasmModule('sim'), WIRED);
  expect(call('ADD', {}, 'vrf', driver)).toMatchObject({ exit_code: 0, changed: true });
  const pod = driver.netns_open({ path: '/run/netns/pod' });
  const link_set_master: Driver['link_set_master'] = ({ ifindex }) => {
    driver.link_del({ ns: pod, ifindex });
    throw new OsError(ENODEV, '');
  };
  const done = call('DEL', { link_set_master }, 'vrf', driver);
  expect(done).toMatchObject({ exit_code: 0, said: {} });
  expect(driver.dump()).not.toMatch(/ eth0 | red |file/);
});

test.each([
  ...KERNELS,
  ['sch_ingress', { qdisc_add_ingress: refuse(ENOENT, 'Specified qdisc kind is unknown') }, ''],
  ['cls_u32', { filter_add_redirect: refuse(ENOENT, 'TC classifier not found') }, ''],
] as typeof KERNELS)('ADD without %s', (module, lacking, cure, type = 'bandwidth') => {
  const { exit_code, said, changed } = call('ADD', lacking, type);
  expect({ exit_code, changed, code: said.code }).toEqual({
    exit_code: 1,
    changed: false,
    code: 100,
  });
  expect(said.msg).toContain(type === 'bandwidth' ? `this kernel may lack ${module}` : cure);
});
