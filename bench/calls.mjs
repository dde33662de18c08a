// SPDX-License-Identifier: Apache-2.0
// Measures chains call by call, interleaved: in every round each side has its turn with ADD and
// DEL, and who goes first changes, so that a slow spell of the machine hits all alike.
import { measure } from './process.mjs';
import { progress } from './progress.mjs';
import { peakMemory, traced } from './proof.mjs';
import { Series, total } from './series.mjs';

export const COMMANDS = ['ADD', 'DEL'];
const WARM_UP_ROUNDS = 2;

/** The list, beginning with another entry. */
export const rotated = (list, by) => [
  ...list.slice(by % list.length),
  ...list.slice(0, by % list.length),
];

/** Runs rounds of rows `{ name, runners: [{ side, mode, chain }] }`; gives each runner's series. */
export function interleave(rows, rounds, { warm_up = WARM_UP_ROUNDS, between = () => {} } = {}) {
  for (const { runners } of rows) {
    for (const runner of runners) {
      runner.series = Object.fromEntries(COMMANDS.map((command) => [command, new Series()]));
    }
  }
  for (let round = -warm_up; round < rounds; round++) {
    for (const row of rows) {
      progress(
        round < 0 ? `warming up: ${row.name}` : `round ${round + 1} of ${rounds}: ${row.name}`,
      );
      between(round);
      for (const { chain, series } of rotated(row.runners, round + warm_up)) {
        for (const command of COMMANDS) {
          const sample = total(chain.run(command, measure));
          if (round >= 0) series[command].add(sample);
        }
      }
    }
  }
}

/** One line per mode and command; a side without modes stands in all of them. */
export function rowsOf({ name, runners, ...more }) {
  const modes = new Set(runners.flatMap(({ mode }) => mode ?? []));
  const lines = modes.size > 0 ? [...modes] : [undefined];
  return lines.flatMap((mode) =>
    COMMANDS.map((command) => {
      const of_mode = runners.filter((runner) => runner.mode === undefined || runner.mode === mode);
      const sides = of_mode.map(({ side, series, used }) => [
        side,
        { ...series[command].summary(), ...used?.[command] },
      ]);
      return { ...more, name, mode, command, sides: Object.fromEntries(sides) };
    }),
  );
}

/** What each runner uses, outside the timed rounds: memory, processes, system calls. */
function use(runner, folder) {
  const peaks = peakMemory(runner.chain, COMMANDS, folder);
  const traces = traced(runner.chain, COMMANDS, folder);
  const one = (command) => ({ peak_mb: peaks[command], ...traces[command] });
  runner.used = Object.fromEntries(COMMANDS.map((command) => [command, one(command)]));
}

/** Measures the rows and the empty executable between them. */
export function measureCalls(rows, empty_call, rounds, folder) {
  const empty = new Series();
  const between = (round) => {
    const sample = measure(empty_call);
    if (round >= 0) empty.add(sample);
  };
  interleave(rows, rounds, { between });
  for (const row of rows) {
    progress(`memory and system calls: ${row.name}`);
    for (const runner of row.runners) use(runner, folder);
  }
  return { empty: empty.summary(), calls: rows.flatMap(rowsOf) };
}
