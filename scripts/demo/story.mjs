// SPDX-License-Identifier: Apache-2.0
// What the demo shows, in order: a chain attached beside the reference, traffic, an ADD that
// fails, one that is killed, a ruleset that somebody flushed, DEL, times. Started by
// scripts/demo.mjs under Node 26 in namespaces of its own. Exit code 1 when anything shown did not
// hold.
import {
  answers,
  fairlead,
  flush,
  hasNft,
  hasReference,
  killed,
  listen,
  makeNode,
  pings,
  reference,
  repair,
  state,
} from './node.mjs';
import * as paint from './paint.mjs';
import { block, bold, box, dim, heading, holds, jsonLines, milliseconds, say } from './paint.mjs';

const [program = 'fairlead'] = process.argv.slice(2);
const PODS = ['a', 'b', 'c'];
const GATEWAY = '10.88.7.1';
const [HOST_PORT, POD_PORT] = [8080, 80];
const ROUNDS = 10;
/** Of some 45 operations of this ADD: the pair is made, and nothing is finished. */
const KILLED_AT = 34;
const nft = hasNft();

const bridge = (name, subnet) => ({
  type: 'bridge',
  bridge: name,
  isGateway: true,
  ipMasq: nft,
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet }]],
    routes: [{ dst: '0.0.0.0/0' }],
  },
});
const PORTMAP = { type: 'portmap', capabilities: { portMappings: true } };
const FIREWALL = { type: 'firewall' };
const chain = (name, subnet, ...more) => [
  bridge(name, subnet),
  ...(nft ? [PORTMAP, FIREWALL] : []),
  ...more,
];
const mapping = (hostPort) => [{ hostPort, containerPort: POD_PORT, protocol: 'tcp' }];

/** A list as one plugin of the type `fairlead`, as `fairlead fuse` makes it. */
const fused = (plugins, ports = []) => ({
  cniVersion: '1.0.0',
  name: 'demo',
  plugins: [{ type: 'fairlead', capabilities: PORTMAP.capabilities, plugins, ports }],
});
const LIST = fused(chain('fl0', '10.88.7.0/24'));
const withPort = (list, hostPort) => ({
  ...list,
  plugins: list.plugins.map((plugin) =>
    'capabilities' in plugin ? { ...plugin, ports: mapping(hostPort) } : plugin,
  ),
});
const PUBLISHED = withPort(LIST, HOST_PORT);

/** The result of an ADD that must succeed. */
function resultOf(answer) {
  if (answer.exit_code !== 0) throw new Error(`ADD failed: ${answer.stdout}`);
  return JSON.parse(answer.stdout);
}

const ipOf = (result) => result.ips[0].address.split('/')[0];
const errorOf = ({ stdout }) => (stdout === '' ? {} : JSON.parse(stdout));

function sayError(answer) {
  const { code, msg, details } = errorOf(answer);
  const text = [`CNI error ${code}: ${msg}`, details].filter(Boolean).join('; ');
  for (const line of paint.wrapped(text, paint.WIDTH - 8)) say(`      ${line}`);
}

/** Says whether the node is as it was; what differs is shown. */
function sameAs(before, text) {
  const now = state(PODS);
  const differs = [
    ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
  holds(differs.length === 0, text);
  for (const line of differs) say(`      ${line}`);
}

function showHead() {
  say();
  say(`  ${bold('Fairlead')}: pods on one bridge, on the real kernel`);
  say(dim('  The node is a set of namespaces of its own: nothing outside is touched.'));
  if (program !== 'fairlead-native') {
    say(
      '  The native program was not built here (it needs gcc, musl-tools and wabt), so each call',
    );
    say('  waits for Node to start.');
  }
}

function showAdd() {
  heading('A pod gets its network: the whole chain in one process');
  box(
    '10-demo.conflist',
    jsonLines({ cniVersion: '1.0.0', name: 'demo', plugins: LIST.plugins[0].plugins }),
  );
  const added = fairlead('ADD', 'a', PUBLISHED);
  const a = resultOf(added);
  const other = fairlead('ADD', 'b', LIST);
  const b = resultOf(other);
  say();
  holds(true, `ADD of pod a: ${ipOf(a)} in ${milliseconds(added.duration_ms)}`);
  holds(ipOf(a) !== ipOf(b), `ADD of pod b: ${ipOf(b)} in ${milliseconds(other.duration_ms)}`);
  const stop = listen('a', POD_PORT);
  holds(pings('a', GATEWAY), `pod a → gateway ${GATEWAY}`);
  holds(pings('a', ipOf(b)), `pod a → pod b ${ipOf(b)}`);
  const port = `outside → port ${HOST_PORT} of the node → pod a, which listens on ${POD_PORT}`;
  if (nft) holds(answers(HOST_PORT), port);
  else say('  - ports, masquerade and firewall: not shown, this kernel or machine has no nftables');
  return { results: { a, b }, stop };
}

function showFailure() {
  heading('An ADD that fails leaves the node as it was');
  const before = state(PODS);
  const sysctl = { type: 'tuning', sysctl: { 'net.ipv4.no_such_thing': '1' } };
  const plugins = chain('fl1', '10.88.8.0/24', sysctl);
  const failed = fairlead('ADD', 'c', withPort(fused(plugins), HOST_PORT + 1));
  holds(failed.exit_code !== 0, 'a new bridge, then a setting that this kernel does not have:');
  sayError(failed);
  sameAs(before, 'links, addresses, routes, forwarding, nftables, leases: all as before');
}

function showKill() {
  heading('An ADD that is killed: DEL clears what it left');
  const before = state(PODS);
  holds(killed('c', LIST, KILLED_AT), `SIGKILL before operation ${KILLED_AT}`);
  const left = state(PODS).filter((line) => !before.includes(line));
  block('It left:', left);
  const answer = fairlead('DEL', 'c', LIST);
  holds(
    answer.exit_code === 0,
    `DEL, as the runtime sends it: ${milliseconds(answer.duration_ms)}`,
  );
  sameAs(before, 'nothing of it is there any more');
}

function showFlush(results) {
  if (!nft) return;
  heading('Somebody flushes nftables: nft flush ruleset');
  flush();
  holds(!answers(HOST_PORT), `port ${HOST_PORT} answers no more`);
  const check = fairlead('CHECK', 'a', PUBLISHED, results.a);
  holds(check.exit_code !== 0, 'CHECK of pod a says so, and what to do:');
  sayError(check);
  holds(true, `fairlead repair: ${repair().split('\n').at(-1)}`);
  holds(answers(HOST_PORT), `port ${HOST_PORT} answers again`);
}

function showDel(results, start) {
  heading('DEL');
  const { duration_ms, exit_code } = fairlead('DEL', 'a', PUBLISHED, results.a);
  holds(exit_code === 0, `DEL of pod a: ${milliseconds(duration_ms)}`);
  holds(fairlead('DEL', 'b', LIST, results.b).exit_code === 0, 'DEL of pod b');
  holds(
    fairlead('DEL', 'a', PUBLISHED, results.a).exit_code === 0,
    'a second DEL, as the spec wants',
  );
  const kept = /fl0|10\.88\.7\.|forwarding|fe80/;
  const strays = state(PODS).filter((line) => !start.includes(line) && !kept.test(line));
  holds(strays.length === 0, `left of the pods: ${strays.join(', ') || 'nothing'}`);
}

const median = (values) => values.toSorted((one, other) => one - other)[values.length >> 1];

/** Medians of ADD and DEL, the two sides in turns. */
function times(sides) {
  const taken = sides.map(() => ({ ADD: [], DEL: [] }));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [at, { call, list }] of sides.entries()) {
      const added = call('ADD', 'a', list);
      const deleted = call('DEL', 'a', list, resultOf(added));
      if (round < 0) continue; // the first makes bridge and tables
      taken[at].ADD.push(added.duration_ms);
      taken[at].DEL.push(deleted.duration_ms);
    }
  }
  return taken.map(({ ADD, DEL }) => ({ ADD: median(ADD), DEL: median(DEL) }));
}

function showTimes() {
  const ours = withPort(fused(chain('fl0', '10.88.7.0/24')), HOST_PORT);
  const plugins = chain('fl2', '10.88.9.0/24');
  const theirs = withPort({ ...ours, name: 'theirs', plugins }, HOST_PORT + 1);
  const beside = hasReference();
  heading(`The same chain${beside ? ', beside the reference plugins' : ''}: medians of ${ROUNDS}`);
  const sides = [{ call: fairlead, list: ours }];
  if (beside) sides.push({ call: reference, list: theirs });
  const [our, their] = times(sides);
  for (const command of ['ADD', 'DEL']) {
    const words = [`${command}  Fairlead ${milliseconds(our[command]).padStart(8)}`];
    if (their !== undefined) {
      words.push(`reference ${milliseconds(their[command]).padStart(8)}`);
      words.push(bold(`${(their[command] / our[command]).toFixed(1)} times as fast`));
    }
    say(`  ${words.join('    ')}`);
  }
  if (!beside) say('  The reference plugins are not here (Debian: containernetworking-plugins).');
}

function showEnd() {
  say();
  say(
    dim('  Try it: dist/fairlead help, dist/fairlead validate FILE, dist/fairlead add … --dry-run'),
  );
  say(dim('  Measured with care, beside the kernel alone: npm run bench'));
  say();
}

function story() {
  showHead();
  makeNode(program, PODS);
  const start = state(PODS);
  const { results, stop } = showAdd();
  try {
    showFailure();
    showKill();
    showFlush(results);
    showDel(results, start);
  } finally {
    stop();
  }
  showTimes();
  showEnd();
}

try {
  story();
} catch (error) {
  say();
  holds(false, error.message);
}
process.exitCode = paint.exitCode();
