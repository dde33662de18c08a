// SPDX-License-Identifier: Apache-2.0
// `fairlead replay`: a recorded call again, anywhere and without privileges. It touches nothing of
// the machine that it runs on: the recording answers in its place.
import { traceLine } from '../drivers/record.ts';
import type { Recording } from '../recording/format.ts';
import { RecordingError } from '../recording/format.ts';
import { type Replayed, replay } from '../recording/replay.ts';
import { parseArgs, UsageError } from './args.ts';
import { count, EXIT_FAILED, guarded, type Io, paint, wantsJson } from './io.ts';
import { readRecording, subjectOf } from './recording-file.ts';

const HELP = `fairlead replay: a recorded call again

Usage:
  fairlead replay FILE [--until N | --fail N[=ERRNO] | --to-fixture] [--output json]

  --until N         stop before operation N, and print what was done until then
  --fail N[=ERRNO]  let operation N fail (EIO, say), and print how the call goes on
  --to-fixture      print the call as a fixture, for the corpus of this project
  --output json     JSON on stdout in place of lines

The core of this version asks, the recording answers: nothing on this machine is read or changed,
and no privilege is needed. --fail and --to-fixture take the machine from what the recording says
of it, simulated. Operations are counted from 1, as "--until" prints them.
Exit codes: 0 the same again; 1 something differs, or FILE is no recording; 2 wrong usage.
`;

/** What the command needs of the program. */
export interface Replaying extends Pick<Io, 'write'> {
  readonly core: () => WebAssembly.Module;
  readonly sim: () => WebAssembly.Module;
  readonly hashOf: (name: 'core.wasm' | 'tools.wasm') => string;
  readonly version: string;
}

function numberOf(option: string, given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1) {
    throw new UsageError(`${option} is "${given}": write the number of an operation, 1 or more`);
  }
  return number;
}

/** What the recording is of, and of which version when that is another. */
function headline(recording: Recording, { hashOf, version }: Replaying): string[] {
  const { head, end, operations } = recording;
  const { command, type, network, containerID, ifname } = subjectOf(recording);
  const what = [type, ifname && `for ${ifname} of ${containerID}`, network && `on ${network}`];
  const of = [command || 'a call', ...what].filter((word) => word !== '').join(' ');
  const took = end === undefined ? '' : `, ${(end.us / 1000).toFixed(1)} ms`;
  const when = new Date(head.started_ms).toISOString();
  const now = hashOf(head.task === undefined ? 'core.wasm' : 'tools.wasm');
  const other = `another build: fairlead ${head.version} recorded it, ${version} replays it`;
  return [
    `${of}, ${when}, by the ${head.host} host: ${count(operations.length, 'operation')}${took}`,
    ...(now === head.module_sha256 ? [] : [other]),
    ...(recording.cut ? ['the call did more than a recording takes: its end is missing'] : []),
  ];
}

const SAID: Readonly<Record<Replayed['outcome'], string>> = {
  same: 'the same again: all that was asked, and the answer, byte for byte',
  differs: 'something differs:',
  stopped: 'stopped',
  unfinished: 'the recording ends before the call did; up to there it is the same',
};

function print(replayed: Replayed, head: readonly string[], write: Io['write']): void {
  const { outcome, differences } = replayed;
  const style = { same: 'green', differs: 'red', stopped: 'yellow', unfinished: 'yellow' } as const;
  const lines = [...head, paint(style[outcome], SAID[outcome]), ...differences];
  write(1, `${lines.join('\n')}\n`);
}

/** Tells what was done before an operation. */
function tellUntil(recording: Recording, until: number, json: boolean, about: Replaying): number {
  const replayed = replay(about.core(), recording, { until });
  const { operations } = recording;
  const done = operations.slice(0, replayed.performed);
  const next = operations[replayed.performed];
  const stopped = replayed.outcome === 'stopped';
  if (json) {
    about.write(1, `${JSON.stringify({ ...replayed, done, next: next ?? null })}\n`);
    return stopped ? 0 : EXIT_FAILED;
  }
  const width = String(operations.length).length;
  const numbered = done.map((one, index) => `${String(index + 1).padStart(width)}  ${shown(one)}`);
  about.write(1, [...headline(recording, about), ...numbered, ''].join('\n'));
  const last = next === undefined ? '' : `next is ${until}: ${shown(next)}\n`;
  if (stopped) about.write(1, last);
  else if (replayed.outcome === 'same') {
    about.write(2, `fairlead replay: it has ${count(operations.length, 'operation')}\n`);
  } else print(replayed, [], about.write);
  return stopped ? 0 : EXIT_FAILED;
}

/** An operation as a line, as long as it may be. */
const shown = (operation: Parameters<typeof traceLine>[0]): string => {
  const line = traceLine(operation);
  return line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}…` : line;
};
const LINE_MAX = 300;

function tell(recording: Recording, json: boolean, about: Replaying): number {
  const replayed = replay(about.core(), recording);
  if (json) about.write(1, `${JSON.stringify({ ...subjectOf(recording), ...replayed })}\n`);
  else print(replayed, headline(recording, about), about.write);
  return replayed.outcome === 'same' ? 0 : EXIT_FAILED;
}

function run(args: readonly string[], about: Replaying): number {
  const spec = { until: 'value', fail: 'value', 'to-fixture': 'flag', output: 'value' } as const;
  const { help, options, operands } = parseArgs(args, spec, 1);
  if (help) {
    about.write(1, HELP);
    return 0;
  }
  const json = wantsJson(options.output);
  const [path] = operands;
  if (path === undefined) throw new UsageError('FILE is missing');
  const { until } = options;
  const before = until === undefined ? undefined : numberOf('--until', until);
  try {
    const recording = readRecording(path);
    return before === undefined
      ? tell(recording, json, about)
      : tellUntil(recording, before, json, about);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    const said = `${path}: ${error.message}`;
    if (json) about.write(1, `${JSON.stringify({ command: 'replay', error: said })}\n`);
    else about.write(2, `fairlead replay: ${said}\n`);
    return EXIT_FAILED;
  }
}

/** Runs `replay` and gives the exit code. */
export function runReplay(args: readonly string[], about: Replaying): number {
  return guarded('replay', args, about, () => run(args, about));
}
