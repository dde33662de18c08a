// SPDX-License-Identifier: Apache-2.0
// Measures what the kernel does for a packet of an established flow: CPU time of a round trip by
// UDP between a container and a server beyond the uplink, with both sockets in one process on one
// CPU, so that no waking of a process and nothing of the bench's own is in it. One container, under
// more and more plugins, beside a node that tracks connections and has no other rule, one that
// masquerades and does nothing else, and one that masquerades and filters by as few rules as can be
// written by hand. It refuses to judge.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Chain, fused } from './chain.mjs';
import { enter, measure } from './process.mjs';
import { say } from './progress.mjs';
import { bridge, runtimeOf, wholeChain } from './scenarios.mjs';
import { makeMachine, makePods, OUTSIDE, removeNetns, UPLINK } from './world.mjs';

/** The last row: what others' rules make necessary, see core-as/nft/passage.ts. */
const FORWARD = 'FORWARD of iptables';
/** Each row has the types of the row before. */
export const ROWS = ['masquerade', 'portmap', 'firewall', FORWARD];
const SUBNET_NUMBER = 131;
const PORT = 7778;
const FIRST_PORT = 9000;
const RUNS = 20;
const TURNS = 8000;
/** Conntrack starts with the first rule that asks for it. */
const TRACKING = `add table inet tracking
add chain inet tracking forward { type filter hook forward priority filter; }
add rule inet tracking forward ct state invalid drop
`;

const nameOf = (path) => path.slice(path.lastIndexOf('/') + 1);

/** What the kernel takes for another address in each packet. */
const MASQUERADED = `add table inet rewriting
add chain inet rewriting postrouting { type nat hook postrouting priority srcnat; }
add rule inet rewriting postrouting oifname up0 masquerade
`;
const ESTABLISHED = 'add rule inet tracking forward ct state established,related accept\n';
const BY_HAND = `${TRACKING}${ESTABLISHED}${MASQUERADED}`;

/** CPU time of one round trip, in microseconds, the mean of many in a row. */
export function turn_us({ probe, folder }, machine, pod) {
  const output = join(folder, 'probe.out');
  const words = ['turns', pod, machine.out, OUTSIDE, PORT, PORT, TURNS].map(String);
  enter(machine.host);
  measure({ program: probe, args: words, output });
  return Number(readFileSync(output, 'utf8')) / 1000;
}

let count = 0;

/** A machine with one container; without types it has just the rules that are given. */
function place(side, types, world, rules) {
  const name = `path-${++count}`;
  const machine = makeMachine(name);
  const [pod] = makePods(1, `${name}-`);
  const inHost = (...words) => ['netns', 'exec', nameOf(machine.host), ...words];
  if (types?.includes(FORWARD)) {
    // A rule that no packet meets: the chain is there, and somebody may drop in it.
    const rule = ['-A', 'FORWARD', '-s', '198.51.100.1', '-j', 'DROP'];
    execFileSync('ip', inHost('iptables-nft', ...rule));
  }
  const leases = join(world.folder, `leases-${name}`);
  const bare = types === undefined;
  const plugins = bare
    ? [bridge(SUBNET_NUMBER, leases)]
    : wholeChain(
        SUBNET_NUMBER,
        leases,
        types.slice(1).filter((type) => type !== FORWARD),
      );
  const chain = new Chain({
    ...{ bin: world.sides[side], network: name, folder: world.folder, id: name, pod },
    ...{ host: machine.host, runtime: runtimeOf(FIRST_PORT + count, 'udp') },
    plugins: side === 'reference' ? plugins : fused(plugins),
  });
  chain.run('ADD', measure);
  if (bare) {
    const back = ['route', 'add', `10.${SUBNET_NUMBER}.0.0/16`, 'via', UPLINK];
    if (rules === TRACKING) execFileSync('ip', ['-n', nameOf(machine.out), ...back]);
    execFileSync('ip', inHost('nft', '-f', '-'), { input: rules });
  }
  return { machine, pod, turns: [] };
}

const best = ({ turns }) => Math.min(...turns);

/** Rows by the last of their types. All places take turns, run by run. */
export function measurePath(rows, world) {
  if (rows.length === 0) return [];
  const ours = world.sides.native ? 'native' : 'node';
  const sides = [ours, 'reference'].filter((side) => world.sides[side] !== undefined);
  const none = place(ours, undefined, world, TRACKING);
  const rewriting = place(ours, undefined, world, MASQUERADED);
  const hand = place(ours, undefined, world, BY_HAND);
  const places = rows.map((row) => {
    const types = ROWS.slice(0, ROWS.indexOf(row) + 1);
    return [row, sides.map((side) => [side, place(side, types, world)])];
  });
  const all = [none, rewriting, hand, ...places.flatMap(([, list]) => list.map(([, one]) => one))];
  say(`packets of established flows: ${all.length} machines, ${RUNS} runs each`);
  for (let run = 0; run < RUNS; run++) {
    for (const one of all) one.turns.push(turn_us(world, one.machine, one.pod));
  }
  for (const { machine, pod } of all) {
    removeNetns([machine.host, machine.out, pod].map(nameOf));
  }
  return places.map(([row, list]) => ({
    name: row,
    none_us: best(none),
    rewriting_us: best(rewriting),
    hand_us: best(hand),
    sides: Object.fromEntries(list.map(([side, one]) => [side, best(one)])),
  }));
}
