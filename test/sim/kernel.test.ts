// SPDX-License-Identifier: Apache-2.0
// The simulated kernel against the real one: the same operations must give the same answers, errnos
// and words, and leave the same state. The real one works in namespaces made for each test.
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { Driver } from '../../host-node/abi/index.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { makeFlow } from '../support/conntrack.ts';
import { underTest } from '../support/kernel-driver.ts';
import {
  needsDummy,
  needsIpvlan,
  needsMacvlan,
  needsTap,
  needsVlan,
  needsVrf,
} from '../support/needs.ts';
import { netnsAdd, netnsDel } from '../support/netns.ts';
import { kernelText } from '../support/oracle.ts';
import { type Call, play } from '../support/script.ts';
import { wasmModule } from '../support/wasm.ts';
import { randomCalls } from './random.ts';
import {
  DUMMY_SEQUENCES,
  IPVLAN_SEQUENCES,
  MACVLAN_SEQUENCES,
  MOVE_SEQUENCES,
  SEQUENCES,
  TAKEN_SEQUENCES,
  TAP_SEQUENCES,
  VLAN_SEQUENCES,
  VRF_SEQUENCES,
} from './sequences.ts';

const root = process.getuid?.() === 0;
const EMPTY = 'netns host\nnetns pod\n';
const RANDOM_RUNS = 25;
/** Longer than the kernel takes to report a carrier (net/core/link_watch.c: up to a second). */
const SETTLE_MS = 4000;

const made: string[] = [];
function addNetns(): string {
  const name = `fl-sim-${randomBytes(4).toString('hex')}`;
  netnsAdd(name);
  made.push(name);
  return name;
}
afterEach(() => {
  netnsDel(...made.splice(0));
});

/** Addresses that nobody chose are random on the real kernel. */
const unchosen = (text: string): string =>
  text.replace(/address (?!02:fa:|00:00:00:00:00:00)\S+/g, 'address ?');

async function compare(calls: readonly Call[]): Promise<void> {
  const simulated = simulatedDriver(wasmModule('sim'), EMPTY);
  const pod = simulated.netns_open({ path: '/run/netns/pod' });
  const answers = play(simulated, { host: 0, pod }, calls);

  const names = { host: addNetns(), pod: addNetns() };
  const real = underTest.open({ hostNetns: `/run/netns/${names.host}` });
  try {
    const realPod = real.netns_open({ path: `/run/netns/${names.pod}` });
    const realAnswers = play(real as unknown as Driver, { host: 0, pod: realPod }, calls);
    expect(answers).toEqual(realAnswers);
    const wanted = unchosen(simulated.dump());
    await expect
      .poll(() => unchosen(kernelText(names)), { timeout: SETTLE_MS, interval: 50 })
      .toBe(wanted);
  } finally {
    real.close();
  }
}

/** Flows through ports of two addresses, of both families and two protocols. */
const FLOWS = [
  'conntrack sctp src 198.51.100.7 sport 4000 dst 192.0.2.1 dport 53 reply src 10.1.2.2 sport 53',
  'conntrack udp src 198.51.100.7 sport 4001 dst 192.0.2.1 dport 53 reply src 10.1.2.2 sport 53',
  'conntrack udp src 198.51.100.7 sport 4002 dst 192.0.2.1 dport 54 reply src 10.1.2.2 sport 53',
  'conntrack udp src 198.51.100.7 sport 4003 dst 192.0.2.1 dport 55 reply src 10.1.2.3 sport 53',
  'conntrack udp src 198.51.100.7 sport 4004 dst 192.0.2.2 dport 53 reply src 10.1.2.3 sport 53',
  'conntrack udp src 2001:db8::7 sport 4005 dst 2001:db8::1 dport 53 reply src fd00:1::2 sport 53',
];
const [IPV4, IPV6, UDP] = [2, 10, 17];

/** Asks both to forget some flows; both must forget as many, and the same. */
function compareForgetting(family: number, dst: string, ports: [number, number], from: string) {
  const names = { host: addNetns(), pod: addNetns() };
  const simulated = simulatedDriver(wasmModule('sim'), `${EMPTY}${FLOWS.join('\n')}\n`);
  const pod = simulated.netns_open({ path: '/run/netns/pod' });
  for (const line of FLOWS) makeFlow(names.pod, line);
  const real = underTest.open({ hostNetns: `/run/netns/${names.host}` });
  try {
    const [dport, dport_end] = ports;
    const which = { family, protocol: UDP, dst, dport, dport_end, reply_src: from };
    const ns = real.netns_open({ path: `/run/netns/${names.pod}` });
    const gone = real.conntrack_del({ ns, ...which });
    expect(simulated.conntrack_del({ ns: pod, ...which })).toBe(gone);
    expect(kernelText(names)).toBe(simulated.dump());
    return gone;
  } finally {
    real.close();
  }
}

describe.skipIf(!root)('the simulated kernel does as the real one', () => {
  test('flows are forgotten by family, address, port and who answers', () => {
    expect(compareForgetting(IPV4, '', [53, 53], '')).toBe(2);
    expect(compareForgetting(IPV4, '192.0.2.1', [53, 55], '')).toBe(3);
    expect(compareForgetting(IPV4, '', [53, 55], '10.1.2.3')).toBe(2);
    expect(compareForgetting(IPV4, '192.0.2.2', [54, 65535], '')).toBe(0);
    expect(compareForgetting(IPV6, '2001:db8::1', [1, 53], 'fd00:1::2')).toBe(1);
    expect(compareForgetting(IPV6, '', [1, 65535], 'fd00:1::3')).toBe(0);
  });
  for (const [name, calls] of Object.entries(SEQUENCES)) {
    test(name, () => compare(calls));
  }
  for (let seed = 1; seed <= RANDOM_RUNS; seed++) {
    test(`random calls, seed ${seed}`, () => compare(randomCalls(seed)));
  }
});

describe.skipIf(needsDummy !== '')(`simulated dummies ${needsDummy}`.trimEnd(), () => {
  for (const [name, calls] of Object.entries(DUMMY_SEQUENCES)) {
    test(name, () => compare(calls));
  }
});

describe.skipIf(needsMacvlan !== '')(`simulated macvlans ${needsMacvlan}`.trimEnd(), () => {
  for (const [name, calls] of Object.entries(MACVLAN_SEQUENCES)) {
    test(name, () => compare(calls));
  }
});

const needsBoth = needsMacvlan || needsIpvlan;
describe.skipIf(needsBoth !== '')(`simulated takers of frames ${needsBoth}`.trimEnd(), () => {
  for (const [name, calls] of Object.entries(TAKEN_SEQUENCES)) {
    test(name, () => compare(calls));
  }
});

describe('simulated moves', () => {
  for (const [name, calls] of Object.entries(MOVE_SEQUENCES)) {
    test(name, () => compare(calls));
  }
});

describe.skipIf(needsIpvlan !== '')(`simulated ipvlans ${needsIpvlan}`.trimEnd(), () => {
  for (const [name, calls] of Object.entries(IPVLAN_SEQUENCES)) {
    test(name, () => compare(calls));
  }
});

describe.skipIf(needsVlan !== '')(`simulated vlans ${needsVlan}`.trimEnd(), () => {
  for (const [name, calls] of Object.entries(VLAN_SEQUENCES)) {
    test(name, () => compare(calls));
  }
});

describe.skipIf(needsTap !== '')(`simulated taps ${needsTap}`.trimEnd(), () => {
  for (const [name, calls] of Object.entries(TAP_SEQUENCES)) {
    test(name, () => compare(calls));
  }
});

describe.skipIf(needsVrf !== '')(`simulated VRFs ${needsVrf}`.trimEnd(), () => {
  for (const [name, calls] of Object.entries(VRF_SEQUENCES)) {
    test(name, () => compare(calls));
  }
});
