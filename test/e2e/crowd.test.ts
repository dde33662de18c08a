// SPDX-License-Identifier: Apache-2.0
// Many pods of one network at once: no call fails, no address is given twice, nothing is left, and
// the index of leases is right in the end. On the real kernel, a process for each call.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileDriver } from '../../host-node/drivers/files.ts';
import { forgetLeases } from '../../scripts/sandbox.mjs';
import { NATIVE, NODE } from '../support/hosts.ts';
import { Lab } from '../support/lab.ts';
import { audit } from '../support/leases.ts';
import { needsRoot } from '../support/needs.ts';

/** How many calls at once; of processes that start quickly also a hundred. */
const COUNTS = [1, 10, 30];
const CROWDS = [
  { ...NODE, counts: COUNTS },
  { ...NATIVE, counts: [...COUNTS, 100] },
].filter(({ why }) => why === '');

const folder = mkdtempSync(join(tmpdir(), 'fairlead-crowd-'));
const store = fileDriver();
const bridge = (host: string): string => join(folder, host, 'bridge');

beforeAll(() => {
  for (const { host, program } of CROWDS) {
    mkdirSync(join(folder, host));
    symlinkSync(program, bridge(host));
  }
});
afterAll(() => {
  store.close();
  forgetLeases(folder);
  rmSync(folder, { recursive: true, force: true });
});

const cases = CROWDS.flatMap(({ host, counts }) => counts.map((count) => ({ host, count })));

describe.skipIf(needsRoot !== '')(`on the real kernel ${needsRoot}`, () => {
  test.each(cases)('$host: $count ADDs at once, then as many DELs', async ({ host, count }) => {
    const lab = new Lab(count, 'crowd');
    const network = {
      cniVersion: '1.1.0',
      name: `crowd-${count}`,
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipam: {
        type: 'host-local',
        dataDir: join(folder, host, 'leases'),
        ranges: [[{ subnet: '10.1.0.0/16' }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    };
    const all = (command: string) =>
      Promise.all(lab.pods.map((pod) => lab.call(bridge(host), command, pod, network)));
    const dir = join(folder, host, 'leases', network.name);
    try {
      const added = await all('ADD');
      const addresses = added.map(({ code, stdout }) => {
        expect(code, stdout).toBe(0);
        return JSON.parse(stdout).ips[0].address as string;
      });
      expect(new Set(addresses).size).toBe(count);
      const gateways = added.map(({ stdout }) => JSON.parse(stdout).interfaces[0].mac as string);
      expect(new Set(gateways).size).toBe(1);
      expect(audit(store, dir)).toBe('right');
      const removed = await all('DEL');
      expect(removed.map(({ code, stdout }) => `${code}${stdout}`)).toEqual(Array(count).fill('0'));
      expect(lab.links('veth')).toEqual([]);
      expect(readdirSync(dir).sort()).toEqual(['last_reserved_ip.0', 'lock']);
      expect(audit(store, dir)).toBe('right');
    } finally {
      lab.close();
    }
  });
});
