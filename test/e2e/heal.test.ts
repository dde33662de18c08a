// SPDX-License-Identifier: Apache-2.0
// State that heals: a process killed at any operation, calls at the same time, and a lease folder
// shared with the reference host-local.
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgetLeases } from '../../scripts/sandbox.mjs';
import { allFixtures, type Step } from '../support/fixture.ts';
import { Lab } from '../support/lab.ts';
import { needsReference, needsRoot } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';
import { mortalWorld, REFERENCE_DIR } from '../support/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-heal-'));
const ours = (type: string): string => join(folder, type);
beforeAll(() => {
  for (const type of ['bridge', 'host-local']) symlinkSync(distPath('fairlead'), ours(type));
});
afterAll(() => {
  // The record of attachments is the machine's: every test here deletes its own by DEL or GC.
  forgetLeases(folder);
  rmSync(folder, { recursive: true, force: true });
});

function ipam(name: string) {
  const ranges = [[{ subnet: '10.1.0.0/16' }]];
  return { type: 'host-local', dataDir: join(folder, name), ranges };
}
const network = (name: string) => ({
  cniVersion: '1.0.0',
  name,
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  ipam: ipam(name),
});

/** Files of a network's lease folder that are leases or left-overs. */
function leases(name: string): string[] {
  const files = readdirSync(join(folder, name, name));
  return files.filter((file) => !/^(lock|last_reserved_ip\.\d+)$/.test(file)).sort();
}

const KILLED = [
  'bridge/dual-stack',
  'ptp/dual-stack',
  'bridge/ipmasq-host-prefix',
  'bandwidth/fused',
];
/** A process and some more for each of fifty operations. */
const SLOW = { timeout: 240_000 };
const killed = KILLED.flatMap((name) => {
  const fixture = allFixtures().find((item) => item.name === name);
  const step = fixture?.steps[0];
  return fixture === undefined || step === undefined ? [] : [{ name, fixture, step }];
});

describe.skipIf(needsRoot !== '')(`killed before each operation ${needsRoot}`, () => {
  test.each(killed)('$name: ADD killed, then DEL: nothing is left', SLOW, ({ fixture, step }) => {
    const world = mortalWorld(fixture.before);
    try {
      const del: Step = { ...step, command: 'DEL', env: { ...step.env, CNI_COMMAND: 'DEL' } };
      let died = 0;
      for (let n = 1; world.die(step, step.stdin, n) === 'dead'; n++) {
        died++;
        const answer = world.run(del, step.stdin);
        expect(answer, `killed before operation ${n}`).toMatchObject({ exit_code: 0, stdout: '' });
        expect(answer.state, `killed before operation ${n}`).not.toMatch(/veth|bwp|eth0|"c1/);
      }
      expect(died).toBeGreaterThan(20);
      world.call(del, step.stdin);
    } finally {
      world.close();
    }
  });

  test.each(killed)('$name: ADD killed, then ADD again: it heals', SLOW, ({ fixture, step }) => {
    const world = mortalWorld(fixture.before);
    try {
      const del: Step = { ...step, command: 'DEL', env: { ...step.env, CNI_COMMAND: 'DEL' } };
      for (let n = 1; world.die(step, step.stdin, n) === 'dead'; n++) {
        const again = world.call(step, step.stdin);
        const inside =
          again.stdout.includes('already exists') || again.stdout.includes('already has');
        // Once the interface stands in the container the attachment counts as one that lives.
        expect(again.exit_code === 0 || inside, again.stdout).toBe(true);
        expect(world.run(del, step.stdin).state).not.toMatch(/veth|bwp|eth0|"c1/);
      }
    } finally {
      world.close();
    }
  });
});

describe.skipIf(needsRoot !== '')(`at the same time ${needsRoot}`, () => {
  test('two DELs of each of ten containers: all succeed, nothing is left', async () => {
    const lab = new Lab(10);
    try {
      const config = network('twice');
      await Promise.all(lab.pods.map((pod) => lab.call(ours('bridge'), 'ADD', pod, config)));
      const both = [...lab.pods, ...lab.pods];
      const done = await Promise.all(
        both.map((pod) => lab.call(ours('bridge'), 'DEL', pod, config)),
      );
      expect(done.map(({ code, stdout }) => `${code}${stdout}`)).toEqual(Array(20).fill('0'));
      expect({ links: lab.links('veth'), leases: leases('twice') }).toEqual({
        links: [],
        leases: [],
      });
    } finally {
      lab.close();
    }
  });

  test('ADDs racing GC that knows them: every container keeps its address', async () => {
    const lab = new Lab(10);
    try {
      const config = { ...network('race'), cniVersion: '1.1.0' };
      const valid = lab.pods.map((pod) => ({ containerID: pod, ifname: 'eth0' }));
      const gc = { ...config, 'cni.dev/valid-attachments': valid };
      const adds = lab.pods.map((pod) => lab.call(ours('bridge'), 'ADD', pod, config));
      const gcs = [1, 2, 3].map(() => lab.call(ours('bridge'), 'GC', 'pod0', gc));
      for (const { code, stdout } of await Promise.all([...adds, ...gcs])) {
        expect(code, stdout).toBe(0);
      }
      expect(leases('race').length).toBe(10);
      const none = { ...config, 'cni.dev/valid-attachments': [] };
      expect(await lab.call(ours('bridge'), 'GC', 'pod0', none)).toEqual({ code: 0, stdout: '' });
      expect({ links: lab.links('veth'), leases: leases('race') }).toEqual({
        links: [],
        leases: [],
      });
    } finally {
      lab.close();
    }
  });
});

describe.skipIf(needsReference !== '')(`one lease folder for both ${needsReference}`, () => {
  const theirs = join(REFERENCE_DIR, 'host-local');

  test('in turn: each sees and releases the leases of the other', async () => {
    const lab = new Lab(4);
    try {
      const config = { cniVersion: '1.0.0', name: 'turn', type: 'host-local', ipam: ipam('turn') };
      const given: string[] = [];
      for (const [index, pod] of lab.pods.entries()) {
        const program = index % 2 === 0 ? ours('host-local') : theirs;
        const { code, stdout } = await lab.call(program, 'ADD', pod, config);
        expect(code, stdout).toBe(0);
        given.push(JSON.parse(stdout).ips[0].address);
      }
      expect(given).toEqual(['10.1.0.2/16', '10.1.0.3/16', '10.1.0.4/16', '10.1.0.5/16']);
      for (const [index, pod] of lab.pods.entries()) {
        const program = index % 2 === 0 ? theirs : ours('host-local');
        expect(await lab.call(program, 'DEL', pod, config)).toEqual({ code: 0, stdout: '' });
      }
      expect(leases('turn')).toEqual([]);
    } finally {
      lab.close();
    }
  });

  test('at the same time: forty containers, forty addresses', async () => {
    const lab = new Lab(40);
    try {
      const config = { cniVersion: '1.0.0', name: 'both', type: 'host-local', ipam: ipam('both') };
      const program = (index: number): string => (index % 2 === 0 ? ours('host-local') : theirs);
      const added = await Promise.all(
        lab.pods.map((pod, index) => lab.call(program(index), 'ADD', pod, config)),
      );
      const given = added.map(({ code, stdout }) => {
        expect(code, stdout).toBe(0);
        return JSON.parse(stdout).ips[0].address as string;
      });
      expect(new Set(given).size).toBe(40);
      await Promise.all(
        lab.pods.map((pod, index) => lab.call(program(index + 1), 'DEL', pod, config)),
      );
      expect(leases('both')).toEqual([]);
    } finally {
      lab.close();
    }
  });
});
