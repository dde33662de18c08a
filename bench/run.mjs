// SPDX-License-Identifier: Apache-2.0
// The measuring itself. Runs under Node 26 in namespaces of its own, started by scripts/bench.mjs.
// Writes the measurements as JSON, which report.mjs and chart.mjs show.
import { statSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { measureCalls } from './calls.mjs';
import { measureLeases, SIZES } from './leases.mjs';
import { measureOverlay, OVERLAY_ROWS } from './overlay.mjs';
import { ATTACHMENTS, measurePackets } from './packets.mjs';
import { measurePath, ROWS } from './path.mjs';
import { adoptOrphans } from './process.mjs';
import { profile } from './profile.mjs';
import { compile, findSides, OURS } from './programs.mjs';
import { say } from './progress.mjs';
import { emptyCall, filesOfOne, OURS_ALONE, scenarios, TYPES } from './scenarios.mjs';
import { COUNTS, measureAtOnce, TOGETHER } from './together.mjs';
import { coverNode, makeMachine, makePods } from './world.mjs';

const { folder, rounds, only, file, node, profiled } = JSON.parse(process.argv[2]);

/** Whether a row is wanted: by default all are, else those whose name holds one of the words. */
const wanted = (name) => only.length === 0 || only.some((word) => name.includes(word));

const kilobytes = (path) => Math.ceil(statSync(path).size / 1024);

function machine() {
  const [cpu] = cpus();
  const model = cpu?.model ?? 'unknown';
  return { cpu: model, cores: cpus().length, kernel: release(), node: process.version };
}

/** Programs, machines and pods: all that the groups share. */
function makeWorld() {
  coverNode(folder, node);
  adoptOrphans();
  const found = findSides(folder, TYPES, OURS_ALONE);
  const [floor, probe] = ['floor', 'probe'].map((name) => compile(name, folder));
  if (floor === undefined) found.left_out.push('no C compiler: the floor and packets are left out');
  for (const sentence of found.left_out) say(sentence);
  const names = [...Object.keys(found.sides), 'floor'];
  const machines = Object.fromEntries(names.map((name) => [name, makeMachine(name)]));
  return { ...found, folder, floor, probe, machines, pods: makePods(Math.max(...COUNTS)) };
}

function bench() {
  const world = makeWorld();
  const rows = scenarios(world).filter(({ name }) => wanted(`calls: ${name}`));
  if (profiled) return profile(rows, world.sides, folder);
  const result = {
    date: new Date().toISOString(),
    machine: machine(),
    rounds,
    left_out: world.left_out,
    sides: Object.keys(world.sides),
    native_kb: world.sides.native === undefined ? null : kilobytes(OURS.native),
  };
  if (rows.length > 0) {
    Object.assign(result, measureCalls(rows, emptyCall(), rounds, folder));
    result.files = filesOfOne(rows, folder);
  }
  const sizes = SIZES.filter((size) => wanted(`leases: ${size} in the network`));
  result.leases = measureLeases(sizes, world, rounds);
  const together = TOGETHER.filter(({ name, count }) => wanted(`at once: ${count} × ${name}`));
  result.at_once = measureAtOnce(together, world);
  const counts = ATTACHMENTS.filter((count) => wanted(`packets: ${count} others`));
  result.packets = world.probe === undefined ? [] : measurePackets(counts, world);
  const path = ROWS.filter((row) => wanted(`established: ${row}`));
  result.path = world.probe === undefined ? [] : measurePath(path, world);
  const between = OVERLAY_ROWS.filter((row) => wanted(`overlay: ${row}`));
  result.overlay = world.probe === undefined ? [] : measureOverlay(between, world);
  say('done');
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}

bench();
