// Measures. Started by scripts/bench.mjs under Node 26, inside the namespace that stands for the
// host: warm-up, then rounds in which every program has its turn, so that a slow spell of the
// machine hits all alike. Writes the measurements as JSON; report.mjs shows them.
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { measure, prepare } from './process.mjs';
import { peakMemory, strace } from './proof.mjs';
import { EMPTY, scenarios } from './scenarios.mjs';

const WARM_UP_ROUNDS = 2;
const REPORT_EVERY = 10;
const COMMANDS = ['ADD', 'DEL'];

const { folder, pods, rounds, file } = JSON.parse(process.argv[2]);

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** Calls that are measured again and again. */
class Series {
  #samples = [];
  #call;

  constructor(call) {
    this.#call = prepare(call);
  }

  run(keep) {
    const sample = measure(this.#call);
    if (keep) this.#samples.push(sample);
  }

  summary() {
    const of = (name) => this.#samples.map((sample) => sample[name]);
    const both = (values) => ({ median: quantile(values, 0.5), p95: quantile(values, 0.95) });
    return { wall_ms: both(of('wall_ms')), cpu_ms: both(of('cpu_ms')) };
  }
}

const seriesOfCall = (call, command) =>
  new Series({ ...call, args: call.args?.(command), env: call.env(command) });

function seriesOf(scenario) {
  const sides = Object.entries(scenario.sides).map(([side, call]) => ({
    side,
    series: COMMANDS.map((command) => seriesOfCall(call, command)),
  }));
  return { scenario, sides };
}

/** One round: every scenario on both sides, whose order changes, with the empty program between. */
function runRound(all, empty, round) {
  const keep = round >= 0;
  for (const { sides } of all) {
    empty.run(keep);
    const order = round % 2 === 0 ? sides : sides.toReversed();
    for (const { series } of order) {
      for (const one of series) one.run(keep);
    }
  }
}

function rowsOf({ scenario, sides }) {
  const peaks = sides.map(({ side }) => peakMemory(scenario.sides[side], COMMANDS, folder));
  return COMMANDS.map((command, at) => {
    const row = { scenario: scenario.name, command };
    sides.forEach(({ side, series }, index) => {
      row[side] = { ...series[at].summary(), peak_mb: peaks[index][command] };
    });
    return row;
  });
}

function bench() {
  const emptyCall = { program: EMPTY, env: () => ({}), output: join(folder, 'output') };
  const empty = new Series({ ...emptyCall, env: {} });
  const all = scenarios(folder, pods).map(seriesOf);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    runRound(all, empty, round);
    const done = round + 1;
    if (done > 0 && done % REPORT_EVERY === 0) console.log(`bench: round ${done} of ${rounds}`);
  }
  const [cpu] = cpus();
  const machine = { cpu: cpu?.model ?? 'unknown', cores: cpus().length, kernel: release() };
  const result = {
    date: new Date().toISOString(),
    machine: { ...machine, node: process.version },
    rounds,
    empty: { ...empty.summary(), peak_mb: peakMemory(emptyCall, ['ADD'], folder).ADD },
    rows: all.flatMap(rowsOf),
    strace: strace(all[0].scenario, emptyCall, folder),
  };
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}

bench();
