// A kernel that was built without what a plugin needs: STATUS says so beforehand, ADD when it comes
// to it, both with the module to load, and nothing is left. The errors are those that the kernel
// gives for a kind that it does not know.
import { expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi.ts';
import { serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmModule } from '../support/wasm.ts';

const [ENOENT, EOPNOTSUPP] = [2, 95];
const WIRED = `netns host
link vh kind veth up peer pod/eth0
netns pod
link eth0 kind veth up peer host/vh
`;
const LIMITS = { ingressRate: 8000, ingressBurst: 80000, egressRate: 8000, egressBurst: 80000 };

function call(command: string, lacking: Partial<Driver>) {
  const driver = simulatedDriver(wasmModule('sim'), WIRED);
  const before = driver.dump();
  const interfaces = [{ name: 'vh' }, { name: 'eth0', sandbox: '/run/netns/pod' }];
  const stdin = Buffer.from(
    JSON.stringify({
      cniVersion: '1.1.0',
      name: 'net',
      type: 'bandwidth',
      ...LIMITS,
      prevResult: { cniVersion: '1.1.0', interfaces },
    }),
  );
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/run/netns/pod',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
  };
  const around = { stdin: () => stdin, log: () => {}, sleep: () => {} };
  const on = { ...driver, ...lacking };
  const { exit_code, stdout } = serve(wasmModule('core'), on, { type: 'bandwidth', env }, around);
  return {
    exit_code,
    said: stdout === '' ? {} : JSON.parse(stdout),
    changed: driver.dump() !== before,
  };
}

const refuse = (errno: number, text: string) => () => {
  throw new OsError(errno, text);
};
const KERNELS: readonly [string, Partial<Driver>, string][] = [
  ['ifb', { link_add_ifb: refuse(EOPNOTSUPP, 'Unknown device type') }, 'modprobe ifb'],
  [
    'sch_tbf',
    { qdisc_add_tbf: refuse(ENOENT, 'Specified qdisc kind is unknown') },
    'modprobe sch_tbf',
  ],
];

test('a kernel that has all serves', () => {
  expect(call('STATUS', {})).toEqual({ exit_code: 0, said: {}, changed: false });
  expect(call('ADD', {})).toMatchObject({ exit_code: 0, changed: true });
});

test.each(KERNELS)('STATUS without %s is error 50', (_, lacking, cure) => {
  const { exit_code, said, changed } = call('STATUS', lacking);
  expect({ exit_code, changed, code: said.code }).toEqual({
    exit_code: 1,
    changed: false,
    code: 50,
  });
  expect(said.msg).toContain(cure);
});

test.each([
  ...KERNELS,
  ['sch_ingress', { qdisc_add_ingress: refuse(ENOENT, 'Specified qdisc kind is unknown') }, ''],
  ['cls_u32', { filter_add_redirect: refuse(ENOENT, 'TC classifier not found') }, ''],
] as readonly [string, Partial<Driver>, string][])('ADD without %s', (module, lacking) => {
  const { exit_code, said, changed } = call('ADD', lacking);
  expect({ exit_code, changed, code: said.code }).toEqual({
    exit_code: 1,
    changed: false,
    code: 100,
  });
  expect(said.msg).toContain(`this kernel may lack ${module}`);
});
