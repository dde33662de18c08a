// SPDX-License-Identifier: Apache-2.0
// A recording of a call (docs/recording.md) as text, read and replayed over core.wasm. It is taken
// for hostile: its size and its lines are bounded, and what is wrong is said with its line. It
// shows what was recorded; it touches no simulated kernel.
import { type Answer, serve } from '../host-node/core.ts';
import { type Recorded, replaying, wrap } from '../host-node/drivers/record.ts';

const VERSION = 1;
export const RECORDING_LIMIT = 16 * 1024 * 1024;
const LINES_LIMIT = 100_000;

/** Why a text is no recording. */
export class RecordingError extends Error {}

/** An operation as it was recorded, with how long it took. */
export interface Entry extends Recorded {
  readonly us?: number;
}

export interface Recording {
  readonly type: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array;
  readonly entries: readonly Entry[];
  /** How it ended; undefined where the recording was cut off. */
  readonly end: { readonly exit_code: number; readonly stdout: string } | undefined;
}

type Json = Readonly<Record<string, unknown>>;

function objectOf(line: string, number: number): Json {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new RecordingError(`line ${number} is not JSON: the file was cut off or changed`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RecordingError(`line ${number} is no JSON object: this is no recording`);
  }
  return value as Json;
}

function headOf(line: string): Json {
  const head = objectOf(line, 1);
  const version = head['fairlead_recording'];
  if (version === undefined) {
    throw new RecordingError('this is no recording: its first line has no "fairlead_recording"');
  }
  if (version !== VERSION) {
    throw new RecordingError(
      `a recording of version ${JSON.stringify(version)}: this page reads version ${VERSION}`,
    );
  }
  if (typeof head['type'] !== 'string' || typeof head['env'] !== 'object' || head['env'] === null) {
    throw new RecordingError('line 1 does not say which plugin was called, and how');
  }
  return head;
}

function entryOf(value: Json, number: number): Entry {
  const { op, args } = value;
  if (typeof op !== 'string' || typeof args !== 'object' || args === null) {
    throw new RecordingError(`line ${number} is no operation`);
  }
  return value as unknown as Entry;
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') return new TextEncoder().encode(value);
  const base64 = (value as { readonly base64?: unknown } | undefined)?.base64;
  return typeof base64 === 'string' ? Uint8Array.fromBase64(base64) : undefined;
}

/** Reads the text of a recording. Throws RecordingError. */
export function readRecording(text: string): Recording {
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines.length > LINES_LIMIT) throw new RecordingError(`more than ${LINES_LIMIT} lines`);
  const head = headOf(lines[0] ?? '');
  const entries: Entry[] = [];
  let end: Recording['end'];
  for (const [at, line] of lines.entries()) {
    if (at === 0 || end !== undefined) continue;
    let value: Json;
    try {
      value = objectOf(line, at + 1);
    } catch (error) {
      // A line that was cut off is the end of what there is.
      if (at === lines.length - 1) break;
      throw error;
    }
    if (typeof value['exit_code'] === 'number') {
      end = { exit_code: value['exit_code'], stdout: String(value['stdout'] ?? '') };
    } else if (value['cut'] !== true) entries.push(entryOf(value, at + 1));
  }
  const asked = entries.find(({ op }) => op === 'host.stdin_read');
  const stdin = bytesOf(head['stdin']) ?? bytesOf(asked?.value) ?? new Uint8Array(0);
  const env = head['env'] as Readonly<Record<string, string>>;
  return { type: String(head['type']), env, stdin, entries, end };
}

export interface Replayed {
  /** How many of the operations the core asked for again. */
  readonly same: number;
  readonly answer: Answer | undefined;
  /** Where the core asked something else than was recorded, and what. */
  readonly parted: string;
}

/** Runs the core on the recorded answers. */
export function replay(core: WebAssembly.Module, recording: Recording): Replayed {
  const { type, env, stdin, entries } = recording;
  const asked = entries.filter(({ op }) => !op.startsWith('host.'));
  let same = 0;
  let parted = '';
  const driver = wrap(replaying(asked), (_op, _args, run) => {
    try {
      if (parted !== '') throw new Error(parted);
      const value = run();
      same++;
      return value;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      if (words.startsWith('replay: ')) parted ||= words.slice('replay: '.length);
      else same++;
      throw error;
    }
  });
  const around = { stdin: () => stdin, log: () => {}, sleep: () => {} };
  try {
    const answer = serve(core, driver, { type, env }, around);
    return { same, answer: parted === '' ? answer : undefined, parted };
  } catch (error) {
    return { same, answer: undefined, parted: parted || String(error) };
  }
}
