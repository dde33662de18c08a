// SPDX-License-Identifier: Apache-2.0
// What `fairlead mtu` says and sets, on the simulated kernel: ways to other nodes are those of
// test/e2e/overlay-mtu.test.ts, here there are none.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import type { Looked } from '../../agent/overlay/paths.ts';
import { OsError } from '../../host-node/abi/index.ts';
import { type MtuHost, runMtu } from '../../host-node/cli/mtu.ts';
import { Machine, type Said } from './machine.ts';

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
