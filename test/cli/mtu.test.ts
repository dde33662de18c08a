// SPDX-License-Identifier: Apache-2.0
// What `fairlead mtu` says and sets, on the simulated kernel: ways to other nodes are those of
// test/e2e/overlay-mtu.test.ts, here there are none.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import type { Looked } from '../../agent/overlay/paths.ts';
import { OsError } from '../../host-node/abi/index.ts';
import { type MtuHost, runMtu } from '../../host-node/cli/mtu.ts';
import { fileLine, Machine, type Said } from './machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'mtu-'));
afterAll(() => rmSync(folder, { recursive: true }));
const CONFIG = {
  ...{ name: 'pods', node: 'a', 'net-conf': { Network: '10.244.0.0/16' } },
  source: { type: 'file', path: join(folder, 'nodes.json') },
};
writeFileSync(join(folder, 'agent.json'), JSON.stringify(CONFIG));

const found = vi.hoisted(() => ({ look: (): unknown => undefined }));
vi.mock('../../agent/overlay/paths.ts', () => ({ lookAtPaths: () => found.look() }));
vi.mock('../../agent/core.ts', () => ({ AgentCore: class {} }));
beforeEach(() => {
  const looked: Looked = { mtu_bytes: 1400, v6: false, paths: [], problems: [] };
  found.look = () => looked;
});

function mtu(on: Machine, ...args: string[]): Said {
  on.env = { CNI_FAIRLEAD_STATE_DIR: folder };
  const host = { agent: () => {}, kubernetes: () => {} } as unknown as MtuHost;
  return on.run((io) => runMtu(['--config', join(folder, 'agent.json'), ...args], io, host));
}

test('a right that something else needs is not told as that to send packets', () => {
  found.look = () => {
    throw new OsError(1, 'setns');
  };
  const { code, stderr } = mtu(new Machine('netns host\n'));
  expect([code, stderr]).toEqual([1, 'fairlead mtu: errno 1: setns\n']);
});

/** A pod of the network whose delegate has an MTU of its own. */
function withPod(mtu: number): Machine {
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.244.1.0/24' }]] };
  const list = { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'ptp', mtu, ipam }] };
  const [confDir, cacheDir] = ['/etc/cni/net.d', '/var/lib/cni'];
  const conflist = fileLine(`${confDir}/pods.conflist`, JSON.stringify(list));
  const on = new Machine(`netns host\nnetns one\n${conflist}`);
  const request = {
    ...{ network: 'pods', confDir, cacheDir, path: '/opt/cni/bin', args: '', capabilities: {} },
    ...{ containerID: 'one', netns: '/run/netns/one', ifname: 'eth0' },
  };
  expect(on.task('add', request)).toMatchObject({ exit_code: 0 });
  return on;
}

/** What all veth ends have. */
const ends = (on: Machine): number[] =>
  [...on.dump().matchAll(/^link \S+ kind veth .*\bmtu (\d+)/gm)].map((match) => Number(match[1]));

test.each([
  ['more than the sum: they get the sum', 1450, [1400, 1400]],
  ['less than the sum: they keep it', 1300, [1300, 1300]],
])('--apply for pods that were made with %s', (_, made_bytes, expected) => {
  const on = withPod(made_bytes);
  expect(mtu(on, '--apply').code).toBe(0);
  expect(ends(on)).toEqual(expected);
});

test('what plugins are told is compared with the sum', () => {
  const told = (mtu_bytes: number): void => {
    mkdirSync(join(folder, 'overlay'), { recursive: true });
    writeFileSync(join(folder, 'overlay', 'pods.json'), JSON.stringify({ mtu_bytes }));
  };
  const on = new Machine('netns host\n');
  expect(mtu(on).code).toBe(0);
  told(1450);
  const msg = 'plugins give new pods 1450, not 1400: is the agent running?';
  expect(mtu(on)).toMatchObject({ code: 1, stdout: expect.stringContaining(`here: ${msg}`) });
  const { code, stdout } = mtu(on, '--output', 'json');
  expect([code, JSON.parse(stdout).problems]).toEqual([1, [{ node: '', msg }]]);
  told(1400);
  expect(mtu(on).code).toBe(0);
});
