// The simulated kernel against the real one: the same operations must give the same answers, errnos
// and words, and leave the same state. The real one works in namespaces made for each test.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { Driver } from '../../host-node/abi.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { underTest } from '../support/kernel-driver.ts';
import { needsVrf } from '../support/needs.ts';
import { kernelText } from '../support/oracle.ts';
import { type Call, play } from '../support/script.ts';
import { wasmModule } from '../support/wasm.ts';
import { randomCalls } from './random.ts';
import { SEQUENCES, VRF_SEQUENCES } from './sequences.ts';

const root = process.getuid?.() === 0;
const EMPTY = 'netns host\nnetns pod\n';
const RANDOM_RUNS = 25;
/** Longer than the kernel takes to report a carrier (net/core/link_watch.c: up to a second). */
const SETTLE_MS = 4000;

const made: string[] = [];
function addNetns(): string {
  const name = `fl-sim-${randomBytes(4).toString('hex')}`;
  execFileSync('ip', ['netns', 'add', name]);
  made.push(name);
  return name;
}
afterEach(() => {
  for (const name of made.splice(0)) spawnSync('ip', ['netns', 'del', name]);
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

describe.skipIf(!root)('the simulated kernel does as the real one', () => {
  for (const [name, calls] of Object.entries(SEQUENCES)) {
    test(name, () => compare(calls));
  }
  for (let seed = 1; seed <= RANDOM_RUNS; seed++) {
    test(`random calls, seed ${seed}`, () => compare(randomCalls(seed)));
  }
});

describe.skipIf(needsVrf !== '')(`simulated VRFs ${needsVrf}`.trimEnd(), () => {
  for (const [name, calls] of Object.entries(VRF_SEQUENCES)) {
    test(name, () => compare(calls));
  }
});
