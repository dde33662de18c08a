// SPDX-License-Identifier: Apache-2.0
// `fairlead logs`: what the calls did that this node has recordings of, the failed ones too. It
// needs no daemon, and changes nothing.
import { join } from 'node:path';
import { type End, type Recording, RecordingError, type Timed } from '../recording/format.ts';
import { keptBy, recordingsIn, ringOf } from '../recording/ring.ts';
import { parseArgs, UsageError } from './args.ts';
import {
  type CniError,
  EXIT_FAILED,
  formOf,
  guarded,
  type Io,
  paint,
  table,
  whyNot,
} from './io.ts';
import { age, ID_SHOWN } from './ls.ts';
import { readRecording, type Subject, subjectOf } from './recording-file.ts';

const LINES = 20;
const HELP = `fairlead logs: what the recorded calls on this node did

Usage:
  fairlead logs [-n N] [--output wide|json]

  -n N, --lines N   the last N calls (${LINES}); the newest stands last
  --output wide     whole container ids, the slowest operation, the file of the recording
  --output json     {"recording": bool, "calls": […]}

There are calls to show while recording is on, or was: see "fairlead help record". OUTCOME is done,
the error that the call answered with, unfinished (at work, or killed), or unreadable.
Exit codes: 0 done; 1 the recordings cannot be read; 2 wrong usage.
`;

/** A call as it is told. */
interface Called extends Subject {
  readonly started_ms: number;
  readonly duration_us: number | null;
  readonly outcome: 'done' | 'failed' | 'unfinished' | 'unreadable';
  readonly exit_code: number | null;
  /** What it answered; why the file cannot be read. */
  readonly error?: CniError | { readonly msg: string };
  readonly operations: number;
  readonly slowest: { readonly op: string; readonly us: number } | null;
  readonly host: string;
  readonly file: string;
}

function slowestOf(operations: readonly Timed[]): Called['slowest'] {
  const [slowest] = operations.toSorted((a, b) => b.us - a.us);
  return slowest === undefined ? null : { op: slowest.op, us: slowest.us };
}

function parsed(stdout: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

const isError = (said: unknown): said is CniError =>
  typeof said === 'object' && said !== null && 'msg' in said && typeof said.msg === 'string';

/** The error of a call that failed: its answer may be a result that nobody took, or none. */
function errorOf({ stdout, received }: End): CniError | { readonly msg: string } {
  const said = parsed(stdout);
  if (isError(said)) return said;
  if (received === false) return { msg: 'nobody took the answer' };
  return { msg: stdout === '' ? 'no answer' : stdout };
}

function calledOf(recording: Recording, file: string): Called {
  const { head, end, operations } = recording;
  const failed = end !== undefined && end.exit_code !== 0;
  const ended = failed ? 'failed' : 'done';
  return {
    started_ms: head.started_ms,
    ...subjectOf(recording),
    duration_us: end?.us ?? null,
    outcome: end === undefined ? 'unfinished' : ended,
    exit_code: end?.exit_code ?? null,
    ...(failed ? { error: errorOf(end) } : {}),
    operations: operations.length,
    slowest: slowestOf(operations),
    host: head.host,
    file,
  };
}

function unreadable(file: string, msg: string): Called {
  const nothing = { command: '', type: '', network: '', containerID: '', ifname: '', netns: '' };
  return {
    ...{ started_ms: 0, ...nothing, duration_us: null, outcome: 'unreadable', exit_code: null },
    ...{ error: { msg }, operations: 0, slowest: null, host: '', file },
  };
}

/** A recording of the ring; undefined when it went meanwhile. */
function read(file: string): Called | undefined {
  try {
    return calledOf(readRecording(file), file);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    return error.message.startsWith('ENOENT') ? undefined : unreadable(file, error.message);
  }
}

const milliseconds = (us: number): string => `${(us / 1000).toFixed(us < 100_000 ? 1 : 0)}ms`;

function outcomeOf({ outcome, error }: Called): string {
  if (outcome === 'done') return paint('green', outcome);
  if (error === undefined) return paint('yellow', outcome);
  const [said = ''] = error.msg.split('\n');
  return paint('red', 'code' in error ? `error ${error.code}: ${said}` : `${outcome}: ${said}`);
}

function rowOf(call: Called, wide: boolean): string[] {
  const since =
    call.started_ms === 0 ? '-' : age(String(call.started_ms / 1000), Date.now() / 1000);
  const cells = [
    since,
    call.command || '-',
    call.type || '-',
    call.network || '-',
    (wide ? call.containerID : call.containerID.slice(0, ID_SHOWN)) || '-',
    call.ifname || '-',
    call.duration_us === null ? '-' : milliseconds(call.duration_us),
  ];
  const slow = call.slowest === null ? '-' : `${call.slowest.op} ${milliseconds(call.slowest.us)}`;
  return [...cells, ...(wide ? [slow, call.file] : []), outcomeOf(call)];
}

const HEAD = ['SINCE', 'COMMAND', 'TYPE', 'NETWORK', 'CONTAINER', 'IFNAME', 'TIME'];

function print(calls: readonly Called[], on: boolean, wide: boolean, io: Io): void {
  const head = [...HEAD, ...(wide ? ['SLOWEST', 'FILE'] : []), 'OUTCOME'];
  if (calls.length > 0) io.write(1, table([head, ...calls.map((call) => rowOf(call, wide))]));
  else if (on) io.write(1, 'recording is on, and no call was recorded yet\n');
  if (!on) io.write(2, 'recording is off: switch it on by "fairlead record on"\n');
}

function linesOf(given: string | undefined): number {
  const lines = given === undefined ? LINES : Number(given);
  if (!Number.isInteger(lines) || lines < 1) {
    throw new UsageError(`--lines is "${given}": write a number, 1 or more`);
  }
  return lines;
}

/** Runs `logs` and gives the exit code. */
export function runLogs(args: readonly string[], io: Io): number {
  return guarded('logs', args, io, () => {
    const { help, options } = parseArgs(args, { lines: 'value', output: 'value' });
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    const output = formOf(options.output);
    const lines = linesOf(options.lines);
    const ring = ringOf(io.env);
    if (ring === undefined) {
      throw new UsageError('CNI_FAIRLEAD_STATE_DIR must be an absolute path without ".."');
    }
    try {
      const files = recordingsIn(ring).slice(-lines);
      const calls = files.map((name) => read(join(ring, name))).filter((one) => one !== undefined);
      const recording = keptBy(ring) > 0;
      if (output === 'json') io.write(1, `${JSON.stringify({ recording, calls })}\n`);
      else print(calls, recording, output === 'wide', io);
      return 0;
    } catch (error) {
      const said = `cannot read ${ring}: ${whyNot(error)}`;
      if (output === 'json') io.write(1, `${JSON.stringify({ command: 'logs', error: said })}\n`);
      else io.write(2, `fairlead logs: ${said}\n`);
      return EXIT_FAILED;
    }
  });
}
