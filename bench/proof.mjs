// What strace sees of one ADD: how many programs it starts, and which files it opens that the empty
// executable does not. And the peak memory, by time(1), which is small enough itself not to show.
// All of it outside the timed rounds.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../scripts/setup.mjs';

const MEMORY_RUNS = 5;
const TIME = '/usr/bin/time';

function runUnder(tool, args, call, command) {
  const { program, stdin, env } = call;
  const input = stdin === undefined ? '' : readFileSync(stdin);
  const line = [...args, program, ...(call.args?.(command) ?? [])];
  const ended = spawnSync(tool, line, { input, env: env(command), encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(`${tool} ${program}: ${ended.stdout}${ended.stderr}`);
}

/** env(1) only starts the program. */
const runPlain = (call, command) => runUnder('env', [], call, command);

/** Lines of strace, one a system call, of a call and all it starts. */
function traced(calls, call, command, folder) {
  const file = join(folder, 'strace');
  runUnder('strace', ['-f', '-qq', '-e', `trace=${calls}`, '-o', file], call, command);
  return readFileSync(file, 'utf8').split('\n');
}

const programsStarted = (lines) => lines.filter((line) => /execve\(.* = 0$/.test(line)).length;

/** Without what is told apart by a number in its name only. */
function filesOpened(lines, folder) {
  const opened = lines.flatMap((line) => /"([^"]*)".* = \d+$/.exec(line)?.[1] ?? []);
  const named = opened.map((path) =>
    path
      .replace(folder, '<folder>')
      .replace(/fairlead-bench-\d+-\w+$/, '<pod>')
      .replace(/\.fairlead-[\d-]+$/, '.fairlead-*')
      .replace(/\/veth\w+/, '/<veth>'),
  );
  return new Set(named.filter((path) => !path.startsWith('/proc/self/')));
}

/** Undefined when strace is not here or may not trace. */
export function strace(scenario, empty, folder) {
  const tool = findProgram('strace');
  if (tool === undefined || spawnSync(tool, ['-qq', '-o', '/dev/null', 'true']).status !== 0)
    return;
  const started = {};
  for (const [side, call] of Object.entries(scenario.sides)) {
    started[side] = programsStarted(traced('execve', call, 'ADD', folder));
    runPlain(call, 'DEL');
  }
  const ours = scenario.sides.fairlead;
  const base = filesOpened(traced('openat,open', empty, '', folder), folder);
  // As the empty one does, the executable opens itself.
  base.add(realpathSync(ours.program));
  const opened = [...filesOpened(traced('openat,open', ours, 'ADD', folder), folder)];
  runPlain(ours, 'DEL');
  const files = opened.filter((path) => !base.has(path));
  return { scenario: scenario.name, programs_started: started, files_opened: files };
}

function peakKb(call, command, folder) {
  const file = join(folder, 'time');
  runUnder(TIME, ['-f', '%M', '-o', file], call, command);
  return Number(readFileSync(file, 'utf8').trim());
}

/** Peak memory of `commands`, in MB, each the largest of a few runs; null without time(1). */
export function peakMemory(call, commands, folder) {
  const peaks_kb = Object.fromEntries(commands.map((command) => [command, 0]));
  for (let run = 0; existsSync(TIME) && run < MEMORY_RUNS; run++) {
    for (const command of commands) {
      peaks_kb[command] = Math.max(peaks_kb[command], peakKb(call, command, folder));
    }
  }
  const megabytes = (kb) => (kb === 0 ? null : kb / 1024);
  return Object.fromEntries(commands.map((command) => [command, megabytes(peaks_kb[command])]));
}
