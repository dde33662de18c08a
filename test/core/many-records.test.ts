// SPDX-License-Identifier: Apache-2.0
// A node with many attachments whose elements in nftables somebody flushed: the ADD that restores
// them looks into every namespace, and gives each back before it opens the next.
import { expect, test } from 'vitest';
import { serve } from '../../host-node/core.ts';
import { type Recorded, recording } from '../../host-node/drivers/record.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmModule } from '../support/wasm.ts';

const COUNT = 1500;
/** The pod of the call, and one namespace that is being looked into. */
const OPEN_MAX = 2;

function recordOf(n: number): string {
  const element = `masq4 10.1.${n >> 8}.${n & 255} : goto masq-10.1.0.0/16`;
  const [network, containerID, ifname] = ['net', `old${n}`, 'eth0'];
  const record = { network, containerID, ifname, netns: '/run/netns/old', dataDir: '' };
  const text = JSON.stringify({ ...record, nft: [element] });
  return `file /run/fairlead/attachments/${containerID}:${ifname} ${JSON.stringify(text)}`;
}

test(`restoring ${COUNT} attachments keeps ${OPEN_MAX} namespaces open at the most`, () => {
  const records = Array.from({ length: COUNT }, (_, n) => recordOf(n + 2));
  const pods = 'netns old\nlink eth0 kind dummy up\nnetns pod\n';
  const driver = simulatedDriver(wasmModule('sim'), `netns host\n${pods}${records.join('\n')}\n`);
  const ipam = { type: 'static', addresses: [{ address: '10.1.200.1/16' }] };
  const config = { cniVersion: '1.0.0', name: 'net', type: 'bridge', ipMasq: true, ipam };
  let highest = 0;
  const report = (entry: Recorded) => {
    if (entry.op === 'kernel.netns_open' && 'value' in entry) {
      highest = Math.max(highest, Number(entry.value));
    }
  };
  const env = {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'new',
    CNI_NETNS: '/run/netns/pod',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
  };
  const stdin = () => Buffer.from(JSON.stringify(config));
  const around = { stdin, log: () => {}, sleep: () => {} };
  const on = recording(driver, report);
  const { exit_code, stdout } = serve(wasmModule('core'), on, { type: 'bridge', env }, around);
  expect(exit_code, stdout).toBe(0);
  const restored = driver.dump().match(/^nft element masq4 /gm) ?? [];
  expect(restored.length).toBe(COUNT + 1);
  expect(highest).toBe(OPEN_MAX);
});
