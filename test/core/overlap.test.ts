// SPDX-License-Identifier: Apache-2.0
// Calls that overlap, one of them stopped before each of its operations in turn while another runs
// from beginning to end. What pods share is never taken from one that lives by an ADD that fails,
// and two ADDs of one container never give its address twice. Locks are those of two processes.
import { describe, expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi/index.ts';
import { serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { podEnv } from '../support/pod-call.ts';
import { wasmInstances, wasmModule } from '../support/wasm.ts';

const ETIMEDOUT = 110;
const CODE_TRY_AGAIN = 11;
const CODE_EXISTS = 102;

const FAILING = JSON.stringify({ cniVersion: '1.1.0', code: 123, msg: 'not today' });
const BEFORE = `netns host
netns pod1
netns pod2
plugin /opt/cni/bin/fails 1 ${JSON.stringify(FAILING)}
`;

const BRIDGE = {
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  promiscMode: true,
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd01::/64' }]] },
};
const VLAN = { ...BRIDGE, bridge: 'br1', promiscMode: false, vlan: 7 };
const FORCED = { ...BRIDGE, forceAddress: true };
const PORTS = { type: 'portmap', capabilities: { portMappings: true } };

interface Call {
  readonly command: string;
  readonly pod: string;
  readonly plugins: readonly object[];
  readonly hostPort?: number;
}

/** A machine, and calls on it as processes of their own: a lock that one holds is not another's. */
function machine(before = BEFORE) {
  const driver = simulatedDriver(wasmModule('sim'), before);
  const holders = new Map<string, number>();
  let processes = 0;
  const run = (call: Call, before: (n: number) => void = () => {}) => {
    const pid = ++processes;
    const handles = new Map<number, string>();
    let n = 0;
    const operations = {
      dir_lock: (args: { dir: string; create: number; timeout_ms: number }) => {
        if (holders.has(args.dir)) throw new OsError(ETIMEDOUT, 'held by another process');
        const handle = driver.dir_lock(args);
        holders.set(args.dir, pid);
        handles.set(handle, args.dir);
        return handle;
      },
      dir_unlock: (args: { lock: number }) => {
        holders.delete(handles.get(args.lock) ?? '');
        driver.dir_unlock(args);
      },
    };
    const stopping = new Proxy(driver, {
      get(target, name) {
        const operation = Reflect.get(name in operations ? operations : target, name);
        if (typeof operation !== 'function') return operation;
        return (...args: unknown[]) => {
          before(++n);
          return Reflect.apply(operation, target, args);
        };
      },
    }) as Driver;
    const { command, pod, plugins, hostPort } = call;
    const mapping = { hostPort, containerPort: 80, protocol: 'tcp' };
    const runtimeConfig = hostPort === undefined ? {} : { portMappings: [mapping] };
    const config = { cniVersion: '1.1.0', name: 'net', type: 'fairlead', plugins, runtimeConfig };
    const capabilities = { portMappings: true };
    const stdin = (more: object) =>
      Buffer.from(JSON.stringify({ ...config, capabilities, ...more }));
    const env = podEnv(command, pod);
    const around = (more: object) => ({ stdin: () => stdin(more), log: () => {}, sleep: () => {} });
    const more = 'prevResult' in call ? { prevResult: call.prevResult } : {};
    const answer = serve(wasmInstances('core'), stopping, { type: 'fairlead', env }, around(more));
    for (const [dir, holder] of holders) if (holder === pid) holders.delete(dir);
    const said = answer.stdout === '' ? {} : JSON.parse(answer.stdout);
    return { code: answer.exit_code === 0 ? 0 : Number(said.code), said, operations: n };
  };
  return { run, dump: () => driver.dump() };
}

/** `first`, and `other` when it comes to its n-th operation, for every n. */
function everyMoment(
  first: Call,
  other: Call,
  judge: (outcome: {
    readonly first: ReturnType<ReturnType<typeof machine>['run']>;
    readonly other: ReturnType<ReturnType<typeof machine>['run']>;
    readonly on: ReturnType<typeof machine>;
    readonly at: string;
  }) => void,
): void {
  for (let moment = 1; ; moment++) {
    const on = machine();
    let second: ReturnType<typeof on.run> | undefined;
    const one = on.run(first, (n) => {
      if (n === moment) second = on.run(other);
    });
    if (second === undefined) break;
    judge({ first: one, other: second, on, at: `operation ${moment}` });
  }
}

describe('an ADD that fails takes nothing from a pod that lives', () => {
  test.each([
    ['a gateway, promiscuous mode, ports', BRIDGE],
    ['an interface in a VLAN', VLAN],
    ['an address put in the place of another', FORCED],
  ])('%s', (_, bridge) => {
    const failing: Call = {
      command: 'ADD',
      pod: 'pod1',
      plugins: [bridge, PORTS, { type: 'fails' }],
      hostPort: 8080,
    };
    const living: Call = { command: 'ADD', pod: 'pod2', plugins: [bridge, PORTS], hostPort: 9090 };
    const codes = new Set<number>();
    everyMoment(failing, living, ({ first, other, on, at }) => {
      codes.add(other.code);
      expect(first.code === 123 || first.code === CODE_TRY_AGAIN, at).toBe(true);
      if (other.code !== 0) {
        expect(other.code, at).toBe(CODE_TRY_AGAIN);
        return;
      }
      const check = { ...living, command: 'CHECK', prevResult: other.said };
      expect(on.run(check).said, at).toEqual({});
      const name = bridge === VLAN ? 'br1.7' : 'cni0';
      expect(on.dump(), at).toContain(`\naddr 10.1.2.1/24 dev ${name}\n`);
      expect(on.dump(), at).toContain(`\naddr fd01::1/64 dev ${name}\n`);
      expect(on.dump(), at).toContain('\nsysctl net/ipv4/ip_forward 1\n');
      expect(on.dump(), at).toContain('\nsysctl net/ipv6/conf/all/forwarding 1\n');
      expect(on.dump(), at).toContain(`\nsysctl net/ipv4/conf/${name}/route_localnet 1\n`);
      expect(on.dump(), at).not.toMatch(/ "pod1\\r/);
    });
    expect(codes.has(0)).toBe(true);
  });

  test('alone it leaves the node as it was', () => {
    const on = machine();
    const before = on.dump();
    const plugins = [BRIDGE, PORTS, { type: 'fails' }];
    expect(on.run({ command: 'ADD', pod: 'pod1', plugins, hostPort: 8080 }).code).toBe(123);
    const left = on.dump().replace(/^file \S+last_reserved_ip\.\d .*\n/gm, '');
    expect(left).toBe(before);
  });
});

test('of two ADDs for one container and interface one has it, with its address', () => {
  const call: Call = { command: 'ADD', pod: 'pod1', plugins: [BRIDGE, PORTS], hostPort: 8080 };
  everyMoment(call, call, ({ first, other, on, at }) => {
    const codes = [first.code, other.code].toSorted((a, b) => a - b);
    expect(codes[0], at).toBe(0);
    expect([CODE_TRY_AGAIN, CODE_EXISTS], at).toContain(codes[1]);
    const winner = first.code === 0 ? first : other;
    const [address] = (winner.said.ips as { address: string }[]).map((ip) => ip.address);
    const leases = [...on.dump().matchAll(/^file \S+\/net\/([\da-f.:]+) "pod1\\r\\neth0"$/gm)];
    expect(
      leases.map(([, ip]) => ip),
      at,
    ).toEqual([`${address}`.split('/')[0], 'fd01::2']);
    expect(on.dump(), at).toMatch(/^file \/run\/fairlead\/attachments\/pod1:eth0 /m);
    const check = { ...call, command: 'CHECK', prevResult: winner.said };
    expect(on.run(check).said, at).toEqual({});
  });
});
