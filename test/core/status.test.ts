// SPDX-License-Identifier: Apache-2.0
// STATUS where the kernel lacks something that nftables needs: what a driver says then, and the
// answer. That a kernel which has all of it is left as it is, is the fixtures' to show.
import { expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi/index.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmModule } from '../support/wasm.ts';
import { serveOn } from '../support/world.ts';

const [ENOENT, EINVAL, EOPNOTSUPP] = [2, 22, 95];
const BRIDGE = { type: 'bridge', ipMasq: true };

function statusOf(
  config: { type: string },
  lacking: Partial<Driver>,
): { code: number; msg: string } {
  const stdin = JSON.stringify({ cniVersion: '1.1.0', name: 'net', ...config });
  const env = { CNI_COMMAND: 'STATUS', CNI_PATH: '/opt/cni/bin' };
  const step = { number: 1, command: 'STATUS', type: config.type, stdin, env, prev: 0 };
  const driver = { ...simulatedDriver(wasmModule('sim'), 'netns host\n'), ...lacking };
  const { exit_code, stdout } = serveOn(driver as Driver, step, env, stdin);
  return exit_code === 0 ? { code: 0, msg: '' } : JSON.parse(stdout);
}
const refused = (errno: number) => () => {
  throw new OsError(errno);
};

test.each([BRIDGE, { type: 'portmap' }])('$type: no nf_tables, no nat, no expression', (config) => {
  expect(statusOf(config, {})).toEqual({ code: 0, msg: '' });
  const cure = expect.stringContaining('modprobe nf_tables nft_chain_nat');
  expect(statusOf(config, { rule_list: refused(EINVAL) })).toMatchObject({ code: 50, msg: cure });
  for (const errno of [ENOENT, EOPNOTSUPP]) {
    expect(statusOf(config, { batch: refused(errno) })).toMatchObject({ code: 50, msg: cure });
  }
});
