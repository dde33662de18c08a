// SPDX-License-Identifier: Apache-2.0
// `fairlead replay`: a recorded call again, anywhere and without privileges. It touches nothing of
// the machine that it runs on: the recording answers in its place.
import { constants } from 'node:os';
import { traceLine } from '../drivers/record.ts';
import { fixtureOf } from '../recording/fixture.ts';
import type { Recording } from '../recording/format.ts';
import { RecordingError } from '../recording/format.ts';
import { rehearse, rehearseFailure } from '../recording/rehearse.ts';
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
const ERRNO_MAX = 4095;

/** EIO, or the errno by its number or name. */
function errnoOf(given: string | undefined): number {
  if (given === undefined) return constants.errno.EIO;
  const named = constants.errno[given as keyof typeof constants.errno] as number | undefined;
  const number = named ?? Number(given);
  if (!Number.isInteger(number) || number < 1 || number > ERRNO_MAX) {
    throw new UsageError(`--fail has "${given}": write an errno, as EBUSY or 16`);
  }
  return number;
}

interface Fault {
  readonly n: number;
  readonly errno: number;
}

function faultOf(given: string): Fault {
  const [operation = '', name] = given.split('=', 2);
  return { n: numberOf('--fail', operation), errno: errnoOf(name) };
}

/** Tells how the call goes on when an operation fails. */
function tellFailing(recording: Recording, fault: Fault, json: boolean, about: Replaying): number {
  const { n, errno } = fault;
  const modules = { core: about.core(), sim: about.sim() };
  const { operations, answer, at, missing, parts } = rehearseFailure(modules, recording, n, errno);
  const after = operations.slice(at - 1);
  if (json) {
    about.write(1, `${JSON.stringify({ answer, operations: after, missing, parts })}\n`);
    return 0;
  }
  const notes = [
    ...missing.map((what) => `note: not known is ${what}`),
    ...(parts === '' ? [] : [`note: without the fault, too, the simulation differs: ${parts}`]),
  ];
  const lines = [
    ...headline(recording, about),
    `on the simulated kernel, operation ${n} failing, it goes on so:`,
    ...after.map((one) => `  ${shown(one)}`),
    `and exits with ${answer.exit_code}:`,
    answer.stdout.trimEnd(),
    ...notes,
  ];
  about.write(1, `${lines.join('\n')}\n`);
  return 0;
}

function tellFixture(recording: Recording, json: boolean, about: Replaying): number {
  const rehearsed = rehearse({ core: about.core(), sim: about.sim() }, recording);
  const [first = ''] = headline(recording, about);
  const fixture = fixtureOf(recording, first.replace(/:.*/, ''), rehearsed);
  const { missing, parts } = rehearsed;
  about.write(1, json ? `${JSON.stringify({ fixture, missing, parts })}\n` : fixture);
  return 0;
}

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
  const { until, fail } = options;
  const ways = [until !== undefined, fail !== undefined, options['to-fixture']];
  if (ways.filter(Boolean).length > 1) {
    throw new UsageError('--until, --fail and --to-fixture exclude each other');
  }
  const before = until === undefined ? undefined : numberOf('--until', until);
  const fault = fail === undefined ? undefined : faultOf(fail);
  try {
    const recording = readRecording(path);
    if (before !== undefined) return tellUntil(recording, before, json, about);
    if (fault !== undefined) return tellFailing(recording, fault, json, about);
    if (options['to-fixture']) return tellFixture(recording, json, about);
    return tell(recording, json, about);
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
