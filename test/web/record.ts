// SPDX-License-Identifier: Apache-2.0
// A recording of an ADD of the plugin bridge on the simulated kernel, for the page to replay.
import { serve } from '../../host-node/core.ts';
import { recording } from '../../host-node/drivers/record.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { plainNode } from '../../host-node/story/node.ts';
import type { Modules } from '../../web/engine.ts';

const CONF = {
  cniVersion: '1.1.0',
  name: 'pods',
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  ipam: { type: 'host-local', subnet: '10.1.2.0/24' },
};

/** The lines that `fairlead record` would write. */
export function recordingOf({ core, sim }: Pick<Modules, 'core' | 'sim'>): string {
  const env = {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/run/netns/pod1',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
  };
  const stdin = JSON.stringify(CONF);
  const lines: unknown[] = [{ fairlead_recording: 1, version: '0', type: 'bridge', env, stdin }];
  const driver = recording(simulatedDriver(sim, plainNode(['pod1'])), (entry) =>
    lines.push({ ...entry, us: 7 }),
  );
  const around = { stdin: () => new TextEncoder().encode(stdin), log: () => {}, sleep: () => {} };
  const { exit_code, stdout } = serve(core, driver, { type: 'bridge', env }, around);
  lines.push({ exit_code, stdout, us: 900 });
  return `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
}
