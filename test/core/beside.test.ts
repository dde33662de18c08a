// SPDX-License-Identifier: Apache-2.0
// Calls at the same time, one of them stopped before each of its operations in turn while others
// run from beginning to end: whatever the moment, the outcome is that of one after the other. On
// the simulated kernel, so that each moment is met.
import { describe, expect, test } from 'vitest';
import type { Driver } from '../../host-node/abi/index.ts';
import { serve } from '../../host-node/core.ts';
import { podEnv } from '../support/pod-call.ts';
import { lendSimulated } from '../support/simulated.ts';
import { wasmInstances } from '../support/wasm.ts';

const PODS = ['pod1', 'pod2', 'pod3'];
const BEFORE = [
  'netns host',
  ...PODS.map((pod) => `link v${pod} kind veth peer ${pod}/eth0`),
  ...PODS.map((pod) => `netns ${pod}\nlink eth0 kind veth peer host/v${pod}`),
  '',
].join('\n');
/** Whose record is gone, as that of a container is after a reboot, has its elements in vain. */
const RECORD = '/run/fairlead/attachments/pod1:eth0';

interface Call {
  readonly command: string;
  readonly pod: string;
  readonly type: string;
  readonly config: object;
}

/** Of the machines of this attempt. */
const lent: (() => void)[] = [];

/** Ends the machines that were: the next ones are as these were at first. */
function endMachines(): void {
  for (const giveBack of lent.splice(0)) giveBack();
}

/** A machine of its own, and calls on it; `before` is told of each operation. */
function machine(before = BEFORE) {
  const { driver, giveBack } = lendSimulated(before);
  lent.push(giveBack);
  const run = ({ command, pod, type, config }: Call, before: (n: number) => void = () => {}) => {
    let n = 0;
    const stopping = new Proxy(driver, {
      get(target, name) {
        const operation = Reflect.get(target, name);
        if (typeof operation !== 'function') return operation;
        return (...args: unknown[]) => {
          before(++n);
          return Reflect.apply(operation, target, args);
        };
      },
    }) as Driver;
    const env = podEnv(command, pod);
    const stdin = Buffer.from(
      JSON.stringify({ cniVersion: '1.1.0', name: 'net', type, ...config }),
    );
    const around = { stdin: () => stdin, log: () => {}, sleep: () => {} };
    const { exit_code, stdout } = serve(wasmInstances('core'), stopping, { type, env }, around);
    return { exit_code, stdout, operations: n };
  };
  return { run, dump: () => driver.dump(), forget: () => driver.file_remove({ path: RECORD }) };
}

function portmap(command: string, pod: string, hostIP?: string, hostPort = 8080): Call {
  const address = `10.1.2.${PODS.indexOf(pod) + 2}/24`;
  const interfaces = [{ name: 'eth0', sandbox: `/run/netns/${pod}` }];
  const prevResult = { cniVersion: '1.1.0', interfaces, ips: [{ address, interface: 0 }] };
  const named = hostIP === undefined ? {} : { hostIP };
  const mapping = { hostPort, containerPort: 80, protocol: 'udp', ...named };
  const runtimeConfig = { portMappings: [mapping] };
  return { command, pod, type: 'portmap', config: { snat: false, prevResult, runtimeConfig } };
}

const ANY = portmap('ADD', 'pod2');
const ONE = portmap('ADD', 'pod3', '192.0.2.1');
const OTHER = portmap('ADD', 'pod3');
const OLD = portmap('ADD', 'pod1');
const OLD_ONE = portmap('ADD', 'pod1', '192.0.2.1');

/** Outcomes and state after all, where `others` run when `first` comes to its n-th operation. */
function beside(earlier: Call | null, first: Call, others: readonly Call[], moment: number) {
  endMachines();
  const { run, dump, forget } = machine();
  if (earlier !== null) {
    expect(run(earlier).exit_code).toBe(0);
    if (first.pod !== earlier.pod) forget();
  }
  let outcomes: ReturnType<typeof run>[] = [];
  const one = run(first, (n) => {
    if (n === moment) outcomes = others.map((other) => run(other));
  });
  outcomes.push(one);
  return {
    met: one.operations >= moment,
    codes: outcomes.map(({ exit_code }) => exit_code),
    said: outcomes.map(({ stdout }) => stdout).join(''),
    state: dump(),
  };
}

function everyMoment(
  earlier: Call | null,
  first: Call,
  others: readonly Call[],
  judge: (outcome: ReturnType<typeof beside>, at: string) => void,
): void {
  for (let moment = 1; ; moment++) {
    const outcome = beside(earlier, first, others, moment);
    if (!outcome.met) break;
    judge(outcome, `operation ${moment}`);
  }
}

/** Who has an element of any of the sets, each once. */
const holders = (state: string): string[] => [
  ...new Set(
    [...state.matchAll(/^nft element hostports\w+ .* "net (\w+) eth0"$/gm)].map(
      ([, pod]) => `${pod}`,
    ),
  ),
];

describe('one port of the host', () => {
  test.each([
    ['any address beside one', null, ANY, ONE],
    ['one address beside any', null, ONE, ANY],
    ['any address, twice', null, ANY, OTHER],
    ['any address beside one, and a dead owner', OLD, ANY, ONE],
    ['one address beside any, and a dead owner', OLD_ONE, ONE, ANY],
    ['any address, twice, and a dead owner', OLD, ANY, OTHER],
  ])('%s: exactly one ADD has it', (_, earlier, first, second) => {
    everyMoment(earlier, first, [second], ({ codes, said, state }, at) => {
      expect([...codes].sort(), at).toEqual([0, 1]);
      const winner = codes[0] === 0 ? second.pod : first.pod;
      expect(holders(state), at).toEqual([winner]);
      expect(said, at).toContain(`is taken by container ${winner} (\\"eth0\\")`);
      expect([...state.matchAll(/^file \/run\/fairlead\/attachments\//gm)].length, at).toBe(1);
    });
  });

  const THIRD = portmap('ADD', 'pod1', undefined, 9090);
  const pods = (...names: string[]) => names.toSorted();

  // The third finds a node without our tables, and restores what the records say.
  test.each([
    ['any address, and one', ANY, ONE],
    ['one address, and any', ONE, ANY],
    ['any address, twice', ANY, OTHER],
  ])('%s, both restored by a third: one has it', (_, first, second) => {
    for (let moment = 1, met = true; met; moment++) {
      for (let inner = 1, inner_met = true; inner_met; inner++) {
        const at = `operation ${moment}, and ${inner} of the second`;
        endMachines();
        const { run, dump } = machine();
        let other: ReturnType<typeof run> | undefined;
        let third: ReturnType<typeof run> | undefined;
        const one = run(first, (n) => {
          if (n !== moment) return;
          other = run(second, (m) => {
            if (m === inner) third = run(THIRD);
          });
        });
        met = other !== undefined;
        inner_met = third !== undefined;
        if (other === undefined || third === undefined) break;
        expect(third.exit_code, at).toBe(0);
        expect([one.exit_code, other.exit_code].sort(), at).toEqual([0, 1]);
        const had = one.exit_code === 0 ? first.pod : second.pod;
        expect(holders(dump()).sort(), at).toEqual(pods('pod1', had));
      }
    }
  });

  /** A machine on which a container has a port, and somebody has flushed the tables. */
  function flushed(has: Call) {
    endMachines();
    const { run, dump } = machine();
    expect(run(has).exit_code).toBe(0);
    return machine(dump().replaceAll(/^nft .*\n/gm, ''));
  }

  test.each([
    ['one address', ONE, ANY],
    ['any address', OTHER, ANY],
    ['any address, of a name that comes first', ANY, OTHER],
  ])('%s, flushed, is not lost to one who is restored with it', (_, has, wants) => {
    for (let moment = 1; ; moment++) {
      const { run, dump } = flushed(has);
      let third: ReturnType<typeof run> | undefined;
      const refused = run(wants, (n) => {
        if (n === moment) third = run(THIRD);
      });
      if (third === undefined) break;
      const at = `operation ${moment}`;
      expect([refused.exit_code, third.exit_code], at).toEqual([1, 0]);
      expect(holders(dump()).sort(), at).toEqual(pods('pod1', has.pod));
    }
  });

  test('a DEL beside the restoring leaves nothing', () => {
    for (let moment = 1; ; moment++) {
      const { run, dump } = flushed(ONE);
      let gone: ReturnType<typeof run> | undefined;
      const third = run(THIRD, (n) => {
        if (n === moment) gone = run({ ...ONE, command: 'DEL' });
      });
      if (gone === undefined) break;
      const at = `operation ${moment}`;
      expect([third.exit_code, gone.exit_code], at).toEqual([0, 0]);
      expect(holders(dump()), at).toEqual(['pod1']);
    }
  });

  const gc = (valid: string[]): Call => {
    const list = valid.map((containerID) => ({ containerID, ifname: 'eth0' }));
    return {
      command: 'GC',
      pod: 'gc',
      type: 'portmap',
      config: { 'cni.dev/valid-attachments': list },
    };
  };
  test.each([
    ['DEL', portmap('DEL', 'pod1'), gc(['pod2'])],
    ['GC', { ...gc(['pod2']), pod: 'pod1' }, portmap('DEL', 'pod1')],
  ])('a %s that comes late takes nothing of who has it since', (_, first, quicker) => {
    everyMoment(OLD, first, [quicker, ANY], ({ codes, state }, at) => {
      // The ADD is refused as long as the old one has it, and never loses what it was given.
      expect([codes[0], codes[2]], at).toEqual([0, 0]);
      expect(holders(state), at).toEqual(codes[1] === 0 ? ['pod2'] : []);
    });
  });

  test.each([
    ['any address, asked for one', OLD, ONE],
    ['one address, asked for any', OLD_ONE, ANY],
    ['any address, asked for any', OLD, ANY],
  ])('that was flushed is still of its container: %s', (_, earlier, asking) => {
    const first = machine();
    expect(first.run(earlier).exit_code).toBe(0);
    const flushed = first.dump().replace(/^nft .*\n/gm, '');
    const { run, dump } = machine(flushed);
    const { exit_code, stdout } = run(asking);
    expect(exit_code).toBe(1);
    expect(stdout).toContain('is taken by container pod1');
    expect(dump()).toBe(flushed);
  });
});
