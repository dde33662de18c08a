// SPDX-License-Identifier: Apache-2.0
// What calls use, outside the timed rounds: peak memory by time(1), which is small enough itself
// not to show; programs started and system calls by strace; the files that one opens.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../scripts/setup.mjs';

const MEMORY_RUNS = 3;
const TIME = '/usr/bin/time';
/** `PID name(…` of strace -f; what begins otherwise is the end of such a line, or a signal. */
const SYSTEM_CALL = /^\d+ +\w+\(/;
const STARTED = /^\d+ +(execve\(|<\.\.\. execve resumed>).* = 0$/;

/** Runs a call under a tool, with the call's own output. */
export function runUnder(tool, args, call) {
  const { program, stdin, env, output } = call;
  const input = stdin === undefined ? '' : readFileSync(stdin);
  const line = [...args, program, ...(call.args ?? [])].map(String);
  const ended = spawnSync(tool, line, { input, env: env ?? {}, encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(`${tool} ${program}: ${ended.stdout}${ended.stderr}`);
  writeFileSync(output, ended.stdout);
}

/** strace, when it is here and may trace. */
const straceWorks =
  findProgram('strace') !== undefined &&
  spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0;

/** Lines of strace, one a system call, of a call and all it starts. */
function linesOf(call, folder, ...args) {
  const file = join(folder, 'strace');
  runUnder('strace', ['-f', '-qq', ...args, '-o', file], call);
  return readFileSync(file, 'utf8').split('\n');
}

/** By command: programs that were started and system calls of all of them. */
export function traced(chain, commands, folder) {
  if (!straceWorks) return {};
  const counts = (command) => {
    const lines = chain.run(command, (call) => linesOf(call, folder)).flat();
    return {
      programs: lines.filter((line) => STARTED.test(line)).length,
      system_calls: lines.filter((line) => SYSTEM_CALL.test(line)).length,
    };
  };
  return Object.fromEntries(commands.map((command) => [command, counts(command)]));
}

/** Without what is told apart by a number in its name only. */
function filesOpened(lines, folder) {
  const opened = lines.flatMap((line) => /"([^"]*)".* = \d+$/.exec(line)?.[1] ?? []);
  const named = opened.map((path) =>
    path
      .replace(folder, '<folder>')
      .replace(/^\/run\/netns\/.*/, '/run/netns/<pod>')
      .replace(/\.fairlead-[\d-]+$/, '.fairlead-*')
      .replace(/^(\/run\/fairlead\/(?:leases|locks)\/)[0-9a-f]+/, '$1<hash>')
      .replace(/\/veth\w+/, '/<veth>'),
  );
  return new Set(named.filter((path) => !path.startsWith('/proc/self/')));
}

const OPENS = ['-e', 'trace=openat,open'];

/** Files that one ADD opens; without those that `base`, when it is given, opens too. */
export function filesOf(chain, folder, base) {
  if (!straceWorks) return;
  const known = base ? filesOpened(linesOf(base, folder, ...OPENS), folder) : new Set();
  const opened = chain.run('ADD', (call) => {
    // As the empty one does, the executable opens itself.
    known.add(realpathSync(call.program));
    return [...filesOpened(linesOf(call, folder, ...OPENS), folder)];
  });
  chain.run('DEL', (call) => runUnder('env', [], call));
  return opened.flat().filter((path) => !known.has(path));
}

function peakKb(call, folder) {
  const file = join(folder, 'time');
  runUnder(TIME, ['-f', '%M', '-o', file], call);
  return Number(readFileSync(file, 'utf8').trim());
}

/**
 * Peak memory of the largest process, by command, in MB, the largest of a few runs; null without
 * time(1).
 */
export function peakMemory(chain, commands, folder) {
  const peaks_kb = Object.fromEntries(commands.map((command) => [command, 0]));
  for (let run = 0; existsSync(TIME) && run < MEMORY_RUNS; run++) {
    for (const command of commands) {
      const kb = chain.run(command, (call) => peakKb(call, folder));
      peaks_kb[command] = Math.max(peaks_kb[command], ...kb);
    }
  }
  const megabytes = (kb) => (kb === 0 ? null : kb / 1024);
  return Object.fromEntries(commands.map((command) => [command, megabytes(peaks_kb[command])]));
}
