// SPDX-License-Identifier: Apache-2.0
// The demo where no namespaces can be made: the same core on the simulated kernel. It shows what
// an ADD would do, one that fails, and DEL, and says why it is not on the real kernel. Exit code 1
// when anything shown did not hold.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { likeOf } from '../../host-node/cli/like.ts';
import { serve } from '../../host-node/core.ts';
import { failing, wrap } from '../../host-node/drivers/record.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { ROOT } from '../setup.mjs';
import * as paint from './paint.mjs';
import { block, bold, box, heading, holds, jsonLines, say } from './paint.mjs';

const [why = ''] = process.argv.slice(2);
const EMPTY = 'netns host\nlink lo up address 00:00:00:00:00:00 mtu 65536\nnetns pod\n';
const [FAILS_AT, EIO] = [42, 5];
/** Operations that only look are not shown. */
const READS = /_(get|get_index|list|read|same|id|open|close|before_boot|mtime)$/;
const CONFIG = {
  cniVersion: '1.1.0',
  name: 'demo',
  type: 'bridge',
  bridge: 'fl0',
  isGateway: true,
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet: '10.88.7.0/24' }]],
    routes: [{ dst: '0.0.0.0/0' }],
  },
};

const wasm = (file) => new WebAssembly.Module(readFileSync(join(ROOT, 'dist', file)));
const core = wasm('core.wasm');
const simulated = simulatedDriver(wasm('sim.wasm'), EMPTY);
const names = {
  netns: (handle) => (handle === 0 ? '' : '/run/netns/pod'),
  link: (ns, ifindex) => simulated.link_get_index({ ns, ifindex }).name,
};

/** Serves one call on a driver. */
function call(command, driver, prevResult) {
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: 'demo',
    CNI_NETNS: '/run/netns/pod',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
  };
  const stdin = () => Buffer.from(JSON.stringify({ ...CONFIG, prevResult }));
  return serve(core, driver, { type: 'bridge', env }, { stdin, log: () => {}, sleep: () => {} });
}

/** The driver, and what it is asked for in words for a shell. */
function told(into) {
  return wrap(simulated, (op, args, run) => {
    const shown = op.module === 'kernel' && !READS.test(op.name);
    // Before it runs: what is removed has its name until then.
    if (shown) into.push(likeOf(op, args, names));
    return run();
  });
}

function story() {
  say();
  say(`  ${bold('Fairlead')} on the simulated kernel: ${why}.`);
  say('  The same core runs on a kernel in memory. On the real one: npm run demo, where it can');
  say('  make namespaces (as root, or as a user who may have user namespaces).');
  heading('The configuration of a network');
  box('10-demo.conf', jsonLines(CONFIG));
  const before = simulated.dump();

  heading(`An ADD that fails at its operation ${FAILS_AT}`);
  const broken = call('ADD', failing(simulated, FAILS_AT, EIO));
  holds(broken.exit_code !== 0, JSON.parse(broken.stdout).msg);
  const kept = (text) => text.replace(/^file .*last_reserved.*\n/gm, '');
  holds(kept(simulated.dump()) === before, 'and leaves the node as it was');

  heading('ADD: what it does, in the words of ip');
  const lines = [];
  const added = call('ADD', told(lines));
  if (added.exit_code !== 0) throw new Error(added.stdout);
  for (const line of lines) say(`    ${line}`);
  const result = JSON.parse(added.stdout);
  say();
  holds(true, `the pod has ${result.ips[0].address}`);
  block(
    'State of the pod:',
    simulated.dump().split('netns pod\n')[1].split('\nfile ')[0].split('\n'),
  );

  heading('DEL');
  holds(call('DEL', simulated, result).exit_code === 0, 'DEL succeeds');
  holds(!/veth|10\.88\.7\.2/.test(kept(simulated.dump())), 'neither pair nor lease is left');
  say();
}

try {
  story();
} catch (error) {
  say();
  holds(false, error.message);
}
process.exitCode = paint.exitCode();
