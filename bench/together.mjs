// SPDX-License-Identifier: Apache-2.0
// Measures many ADDs at once, then their DELs: distinct pods of one network. Counts calls that
// failed and addresses that were given twice.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS, rotated } from './calls.mjs';
import { Chain } from './chain.mjs';
import { enter, measureTogether, said } from './process.mjs';
import { progress, say } from './progress.mjs';
import { bridge } from './scenarios.mjs';
import { quantile } from './series.mjs';

export const COUNTS = [1, 10, 30, 100];
const REPEATS = 3;

const KINDS = [
  { name: 'bridge + host-local', number: 120, more: {} },
  { name: 'bridge + masquerade', number: 121, more: { ipMasq: true } },
];

/** What is run: a kind of network and how many at once. */
export const TOGETHER = KINDS.flatMap((kind) => COUNTS.map((count) => ({ ...kind, count })));

function chainsOf({ name, number, more, count }, side, world) {
  const { sides, machines, pods, folder } = world;
  const leases = join(folder, `together-${side}`);
  const network = name.replaceAll(/[^a-z]+/g, '-');
  return pods.slice(0, count).map((pod, index) => {
    const id = `bench-${side}-${index}`;
    const plugins = [bridge(number, leases, more)];
    const host = machines[side].host;
    return new Chain({ ...{ bin: sides[side], plugins, network, host, pod, id, folder } });
  });
}

/** Addresses that more than one of the results have. */
function duplicates(calls) {
  const addresses = calls.map(
    ({ output }) => JSON.parse(readFileSync(output, 'utf8')).ips[0].address,
  );
  return addresses.length - new Set(addresses).size;
}

function once(chains, command, machine) {
  enter(machine.host);
  const calls = chains.map((chain) => chain.call(command));
  const { wall_ms, left_ms, each } = measureTogether(calls);
  const failed = calls.filter((_, index) => each[index].status !== 0);
  if (failed.length > 0) say(`${failed.length} of ${calls.length} failed: ${said(failed[0])}`);
  return {
    wall_ms,
    left_ms,
    each_ms: each.map((one) => one.wall_ms),
    failed: failed.length,
    duplicates: command === 'ADD' && failed.length === 0 ? duplicates(calls) : 0,
  };
}

function summary(samples) {
  const each_ms = samples.flatMap((sample) => sample.each_ms);
  const sum = (name) => samples.reduce((added, sample) => added + sample[name], 0);
  const wall_ms = quantile(
    samples.map((sample) => sample.wall_ms),
    0.5,
  );
  const [p50_ms, p95_ms, p99_ms] = [0.5, 0.95, 0.99].map((share) => quantile(each_ms, share));
  const left_ms = Math.max(...samples.map((sample) => sample.left_ms));
  const mishaps = { failed: sum('failed'), duplicates: sum('duplicates') };
  return { wall_ms, left_ms, p50_ms, p95_ms, p99_ms, ...mishaps };
}

/** Rows by kind, count and command. */
export function measureAtOnce(wanted, world) {
  return wanted.flatMap((kind) => {
    say(`at once: ${kind.count} × ${kind.name}`);
    const sides = Object.keys(world.sides);
    const chains = Object.fromEntries(sides.map((side) => [side, chainsOf(kind, side, world)]));
    const samples = COMMANDS.map(() => Object.fromEntries(sides.map((side) => [side, []])));
    // The first warms up: it makes the bridge and the tables.
    for (let repeat = -1; repeat < REPEATS; repeat++) {
      for (const side of rotated(sides, repeat + 1)) {
        COMMANDS.forEach((command, at) => {
          progress(`${kind.count} × ${kind.name} ${command}: ${side}`);
          const sample = once(chains[side], command, world.machines[side]);
          if (repeat >= 0) samples[at][side].push(sample);
        });
      }
    }
    return COMMANDS.map((command, at) => ({
      ...{ name: kind.name, count: kind.count, command },
      sides: Object.fromEntries(sides.map((side) => [side, summary(samples[at][side])])),
    }));
  });
}
