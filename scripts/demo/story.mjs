// What the demo shows, in order: a network, two pods wired, what the core asked for, traffic,
// CHECK, DEL and its traces, times. Started by scripts/demo.mjs under Node 26, inside the namespace
// that stands for the host. Exit code 1 when anything shown did not hold.
import { showOperations } from './operations.mjs';
import * as paint from './paint.mjs';
import { block, bold, box, dim, heading, holds, jsonLines, milliseconds, say } from './paint.mjs';
import { openWorld } from './worlds.mjs';

const SUBNET = '10.88.7.0/24';
const GATEWAY = '10.88.7.1';
const BRIDGE = 'fl0';
const NETWORK = 'demo';
const ROUNDS = 10;

const [kind = '', detail = ''] = process.argv.slice(2);
const world = openWorld(kind, detail);

const conflist = {
  cniVersion: '1.1.0',
  name: NETWORK,
  plugins: [
    {
      type: 'bridge',
      bridge: BRIDGE,
      isGateway: true,
      ipam: {
        type: 'host-local',
        dataDir: world.leases_dir,
        ranges: [[{ subnet: SUBNET }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
};

/** What a runtime passes to the plugin on stdin; CHECK and DEL get the result of ADD with it. */
function stdinOf(prevResult) {
  const { cniVersion, name, plugins } = conflist;
  return JSON.stringify({ cniVersion, name, ...plugins[0], prevResult });
}

const shorten = (text) =>
  text
    .replaceAll(`${world.leases_dir}/${NETWORK}`, '<leases>')
    .replaceAll(/\/run\/netns\/\S*?(\w+)(?=\s)/g, '<netns of pod $1>');

const ipOf = (result) => result.ips[0].address.split('/')[0];

function showHead() {
  say();
  say(`  ${bold('Fairlead')}: two pods on one bridge, ${world.title}`);
  if (world.real) {
    say(dim('  The host is a network namespace of its own here: nothing outside is touched.'));
    return;
  }
  say();
  say(`  Not on the real kernel: ${detail}.`);
  say('  The same core, built from the same source, runs on a kernel in memory instead. For the');
  say(`  real one: ${bold('sudo npm run demo')}`);
}

/** Checks the answer of an ADD and gives its result. */
function resultOf(answer, pod) {
  if (answer.exit_code !== 0) throw new Error(`ADD of pod ${pod} failed: ${answer.stdout}`);
  return JSON.parse(answer.stdout);
}

function showPod(pod, result) {
  say();
  block('The result, as the runtime gets it:', jsonLines(result));
  say();
  block(world.real ? `ip in pod ${pod} says:` : `Pod ${pod} now:`, world.state(pod));
}

function showExecuted(pod) {
  heading(`Pod ${pod}: ADD, by the executable dist/fairlead under the name bridge`);
  const env = Object.entries(world.env('ADD', pod)).map(([name, value]) => `${name}=${value}`);
  for (const line of [...env, 'bridge < demo.json']) say(`    ${line}`);
  const answer = world.execute('ADD', pod, stdinOf());
  const result = resultOf(answer, pod);
  say();
  holds(true, `ADD took ${milliseconds(answer.duration_ms)}, one process from start to end`);
  showPod(pod, result);
  return result;
}

function showServed(pod) {
  heading(`Pod ${pod}: ADD, with every operation the core asks its host for`);
  const answer = world.serve('ADD', pod, stdinOf());
  showOperations(answer.operations, shorten);
  const result = resultOf(answer, pod);
  const asked_ms = answer.operations.reduce((sum, entry) => sum + entry.duration_ms, 0);
  say();
  const counted = `${answer.operations.length} operations, ${milliseconds(asked_ms)} in them`;
  holds(true, `${counted}, ${milliseconds(answer.duration_ms)} in all, core started anew`);
  showPod(pod, result);
  return result;
}

function showPing(from, to, label) {
  const ping = world.ping(from, to);
  if (ping === undefined)
    say(`  - pod ${from} → ${label}: not tried, the program ping is not here`);
  else holds(ping.met, `pod ${from} → ${label} ${to}: ${ping.replies.join(', ') || 'no reply'}`);
}

function showTraffic(results) {
  heading('Traffic');
  showPing('a', GATEWAY, 'gateway');
  showPing('a', ipOf(results.b), 'pod b');
  showPing('b', ipOf(results.a), 'pod a');
}

function showCheck(results) {
  heading('CHECK: is all as ADD left it?');
  for (const [pod, result] of Object.entries(results)) {
    const answer = world.serve('CHECK', pod, stdinOf(result));
    const asked = `${answer.operations.length} operations`;
    holds(answer.exit_code === 0 && answer.stdout === '', `pod ${pod}: nothing to say, ${asked}`);
  }
  if (!world.real) return;
  const check = () => world.execute('CHECK', 'b', stdinOf(results.b));
  const broken = world.withoutRoute('b', GATEWAY, check);
  const error = broken.stdout === '' ? {} : JSON.parse(broken.stdout);
  holds(broken.exit_code === 1, `pod b without its default route: CNI error ${error.code}`);
  for (const line of paint.wrapped([error.msg, error.details].filter(Boolean).join('; '), 90)) {
    say(`      ${line}`);
  }
  holds(check().exit_code === 0, 'pod b with the route put back: nothing to say');
}

function showDel(results, before) {
  heading('DEL, and what is left');
  const call = world.real ? world.execute : world.serve;
  for (const [pod, result] of Object.entries(results)) {
    const answer = call.call(world, 'DEL', pod, stdinOf(result));
    holds(answer.exit_code === 0, `pod ${pod}: DEL took ${milliseconds(answer.duration_ms)}`);
  }
  showNothingLeft(before);
  const again = call.call(world, 'DEL', 'a', stdinOf(results.a));
  holds(again.exit_code === 0, 'a second DEL of pod a succeeds, as the CNI spec wants it');
}

function showNothingLeft(before) {
  for (const pod of ['a', 'b']) {
    const state = world.state(pod);
    const same = state.join('\n') === before[pod].join('\n');
    holds(same, `pod ${pod} is as before ADD: ${state.join('; ') || 'empty'}`);
  }
  const ports = world.state().filter((line) => /\bveth/.test(line));
  holds(ports.length === 0, `veth ends left on the host: ${ports.length}`);
  const leases = world.leases();
  holds(leases.length === 0, `leases left: ${leases.length}`);
  say(dim(`  ${BRIDGE} stays for the next pod, as with the reference plugin.`));
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function showTimes() {
  heading('Times');
  const times = { ADD: [], DEL: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const added = world.execute('ADD', 'a', stdinOf());
    times.ADD.push(added.duration_ms);
    const deleted = world.execute('DEL', 'a', stdinOf(resultOf(added, 'a')));
    times.DEL.push(deleted.duration_ms);
  }
  for (const [command, taken] of Object.entries(times)) {
    const spread = `${milliseconds(Math.min(...taken))} to ${milliseconds(Math.max(...taken))}`;
    say(`  ${command}  median ${milliseconds(median(taken)).padStart(8)}  ${dim(`(${spread})`)}`);
  }
  say();
  say(dim(`  ${ROUNDS} rounds of the executable, most of it the start of Node.`));
  say(dim('  Beside the reference plugins and an empty executable: npm run bench'));
}

function story() {
  showHead();
  heading('The network, a configuration as any CNI runtime reads it');
  box(`${NETWORK}.conflist`, jsonLines(conflist));
  const before = { a: world.state('a'), b: world.state('b') };
  const results = {
    a: world.real ? showExecuted('a') : showServed('a'),
    b: showServed('b'),
  };
  say();
  holds(ipOf(results.a) !== ipOf(results.b), 'each pod has an address of its own');
  if (world.real) showTraffic(results);
  showCheck(results);
  showDel(results, before);
  if (world.real) showTimes();
  say();
}

try {
  story();
} catch (error) {
  say();
  holds(false, error.message);
}
process.exitCode = paint.exitCode();
