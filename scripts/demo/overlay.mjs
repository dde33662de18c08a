// SPDX-License-Identifier: Apache-2.0
// What the overlay's demo shows, in order: machines and agents, pods that reach each other, the MTU
// of each way, a link that takes less and more again, a tunnel that somebody deletes, and that
// nothing is left. Started by scripts/demo-overlay.mjs in namespaces of its own. Exit code 1 when
// anything shown did not hold; a signal ends it at once, with all that runs.
import { constants } from 'node:os';
import * as machines from './machines.mjs';
import { MACHINES, NAMES, podOf } from './machines.mjs';
import * as paint from './paint.mjs';
import { block, bold, dim, heading, holds, milliseconds, say } from './paint.mjs';

const [program = 'fairlead'] = process.argv.slice(2);
const PAIRS = NAMES.flatMap((from) => NAMES.filter((to) => to !== from).map((to) => [from, to]));
/** VXLAN over IPv4: outer IP, UDP and VXLAN headers, the inner Ethernet header. */
const OVERHEAD_BYTES = 50;
const DROPPED_BYTES = 1350;

/** What a pod's packets to another may have. */
const limitOf = (from, to, way_bytes = {}) => {
  const takes = (name) => way_bytes[name] ?? MACHINES[name].way_bytes;
  return Math.min(takes(from), takes(to)) - OVERHEAD_BYTES;
};

async function timed(action) {
  const start_ms = performance.now();
  const result = await action();
  return { result, duration_ms: performance.now() - start_ms };
}

async function showMachines() {
  say();
  say(`  ${bold('Fairlead')}: pods of three machines, on the real kernel`);
  say(dim('  The machines are namespaces of this demo: nothing outside is touched.'));
  heading('Three machines: a and b on one link, c behind a router');
  for (const [name, { lan, addresses, own_bytes }] of Object.entries(MACHINES)) {
    say(`    ${name}  ${lan.name}  ${addresses.join('  ')}  a link of ${own_bytes} bytes`);
  }
  await machines.makeMachines(program);
  say();
  const started = NAMES.map(async (name) => {
    const { duration_ms } = await timed(() => machines.startAgent(name));
    holds(true, `the agent of ${name} serves pods: ${milliseconds(duration_ms)} from its start`);
  });
  await Promise.all(started);
  block(
    'What that of a says of itself:',
    (await machines.agent('a', 'status')).stdout.trimEnd().split('\n'),
  );
}

async function showPods() {
  heading('A pod on each: the plugin asks nobody but a file of the agent');
  for (const name of NAMES) {
    const { result, duration_ms } = await timed(() => machines.plugin(name, 'ADD'));
    const addresses = result.ips.map(({ address }) => address).join(', ');
    const mtu_bytes = await machines.podMtu(name);
    holds(true, `pod ${name}: ${addresses}, MTU ${mtu_bytes}, in ${milliseconds(duration_ms)}`);
  }
  for (const [from, to] of PAIRS) {
    const reached = [];
    for (const address of podOf(to)) {
      const waited = machines.until(() => machines.fits(from, address));
      reached.push(await waited.then(() => address).catch(() => undefined));
    }
    holds(!reached.includes(undefined), `pod ${from} → pod ${to}: ${podOf(to).join(', ')}`);
  }
}

/** The largest packet that fits gets there, one byte more does not. */
async function exact(way_bytes) {
  for (const [from, to] of PAIRS) {
    const limit_bytes = limitOf(from, to, way_bytes);
    const [address] = podOf(to);
    // The first that is too large teaches the pod's kernel.
    await machines.fits(from, address, limit_bytes + 1);
    const fit = await machines.fits(from, address, limit_bytes);
    const more = await machines.fits(from, address, limit_bytes + 1);
    holds(fit && !more, `pod ${from} → pod ${to}: ${limit_bytes} bytes get there, one more not`);
  }
}

/** The lines of the table, and what is said below it. */
async function table(name, honest) {
  const { exit_code, stdout } = await machines.probe(name);
  const lines = stdout.trimEnd().split('\n').slice(2);
  block(`machine ${name}: fairlead mtu --probe`, lines);
  holds((exit_code === 0) === honest, honest ? 'all of it is true' : 'it says where less fits');
}

async function showMtu() {
  heading('Packets that nobody may cut, at the exact size');
  await exact({});
  say();
  await table('a', true);
}

async function showDrop() {
  heading(`The link of b takes ${DROPPED_BYTES} bytes from now on`);
  await machines.setMtu('b', DROPPED_BYTES);
  const pod_bytes = DROPPED_BYTES - OVERHEAD_BYTES;
  const followed = async () => (await machines.podMtu('b')) === pod_bytes;
  holds(
    true,
    `pod b, which runs, has ${pod_bytes} after ${milliseconds(await machines.until(followed))}`,
  );
  await table('a', false);
  say();
  say('  Machine b tells the others, as Kubernetes and etcd have it do by itself:');
  const way_bytes = { b: DROPPED_BYTES };
  machines.tell(way_bytes);
  const honest = async () => (await machines.probe('a')).exit_code === 0;
  holds(true, `the routes of a follow after ${milliseconds(await machines.until(honest))}`);
  await exact(way_bytes);
}

async function showRecovery() {
  heading('The link of b takes what it took; somebody deletes the tunnel of c');
  await machines.setMtu('b', MACHINES.b.own_bytes);
  machines.tell({});
  const own_bytes = MACHINES.b.own_bytes - OVERHEAD_BYTES;
  const followed = async () => (await machines.podMtu('b')) === own_bytes;
  holds(true, `pod b has ${own_bytes} again after ${milliseconds(await machines.until(followed))}`);
  // By its number: a look whether packets get lost would race the agent, which is often faster.
  const deleted = await machines.tunnelOf('c');
  await machines.deleteTunnel('c');
  const another = async () => ![undefined, deleted].includes(await machines.tunnelOf('c'));
  const repaired = milliseconds(await machines.until(another));
  const number = await machines.tunnelOf('c');
  holds(true, `c has one again after ${repaired}: interface ${number}, not ${deleted}`);
  const back = () => machines.fits('a', podOf('c')[0]);
  holds(true, `pod a → pod c: packets come back after ${milliseconds(await machines.until(back))}`);
  await machines.forget();
  await exact({});
}

async function showEnd() {
  heading('DEL of each pod, and fairlead agent leave');
  machines.endAll();
  for (const name of NAMES) {
    await machines.plugin(name, 'DEL');
    await machines.agent(name, 'leave');
    const left = (await machines.linksOf(name)).match(/^(fl6?\.|veth)\S*/gm) ?? [];
    holds(left.length === 0, `left on ${name}: ${left.join(', ') || 'nothing'}`);
  }
  say();
  say(dim('  How it works, and what else there is: docs/overlay.md'));
  say();
}

// Ctrl-C comes from the terminal, and once more from the program that started this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    say();
    say(`  ${signal}: all that was made is gone with this demo`);
    machines.endAll();
    process.exit(128 + constants.signals[signal]);
  });
}
try {
  await showMachines();
  await showPods();
  await showMtu();
  await showDrop();
  await showRecovery();
  await showEnd();
} catch (error) {
  say();
  holds(false, error.message);
}
machines.endAll();
process.exitCode = paint.exitCode();
