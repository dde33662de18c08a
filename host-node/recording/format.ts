// SPDX-License-Identifier: Apache-2.0
// A recording as it is read (docs/recording.md): its lines, each held against the table of the host
// ABI, since a file may be cut off, of another version or edited. It knows no file and nothing of
// Node, so that a page can read recordings too. It refuses to perform anything.
import { DRIVER_OPERATIONS, limits, OPERATIONS, type ParamType } from '../abi/index.ts';
import { SHAPES, type Shape } from '../abi/shapes.ts';
import type { Recorded } from '../drivers/record.ts';

/** Why a text is no recording, or none that this version reads; with the line, and what to do. */
export class RecordingError extends Error {}

/** The first line. */
export interface Head {
  readonly version: string;
  readonly module_sha256: string;
  readonly host: string;
  readonly started_ms: number;
  /** The CNI type the program was called as; "" for a task of the command line. */
  readonly type: string;
  readonly env: Readonly<Record<string, string>>;
  readonly task?: { readonly name: string; readonly request: Readonly<Record<string, unknown>> };
}

/** An operation with its time. */
export interface Timed extends Recorded {
  readonly us: number;
}

/** The last line. */
export interface End {
  readonly exit_code: number;
  readonly stdout: string;
  /** Nobody took the answer: what an ADD had made was taken back. */
  readonly received?: false;
  readonly us: number;
  readonly redacted: readonly string[];
}

export interface Recording {
  readonly head: Head;
  /** All lines between head and end, those of the module `host` too. */
  readonly lines: readonly Timed[];
  /** The operations of drivers, which are counted from 1. */
  readonly operations: readonly Timed[];
  /** Undefined when the recording ends before the call did. */
  readonly end?: End;
  /** The call did more than a recording takes. */
  readonly cut: boolean;
}

/** A longer file is none that a call wrote. */
export const FILE_MAX_BYTES = 2 * limits.RECORDING_MAX_BYTES;

const ERRNO_MAX = 4095;
/** ECMA-262, time values: a later one has no date. */
const DATE_MAX_MS = 8.64e15;
const BY_NAME = new Map(OPERATIONS.map((op) => [`${op.module}.${op.name}`, op]));
const OF_DRIVERS = new Set(DRIVER_OPERATIONS.map((op) => `${op.module}.${op.name}`));

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

function isBytes(value: unknown): boolean {
  if (!isObject(value) || typeof value['base64'] !== 'string') return false;
  try {
    Uint8Array.fromBase64(value['base64']);
    return true;
  } catch {
    return false;
  }
}

function fits(type: ParamType, value: unknown): boolean {
  if (type === 'str') return typeof value === 'string';
  return type === 'bytes' ? isBytes(value) : Number.isInteger(value);
}

/** Whether a reply in JSON is of a type of the table, with every member that a shape has. */
function isOf(type: string, value: unknown): boolean {
  if (type.endsWith('[]')) {
    return Array.isArray(value) && value.every((one) => isOf(type.slice(0, -2), one));
  }
  if (type === 'str?') return value === null || typeof value === 'string';
  if (type === 'str') return typeof value === 'string';
  if (type === 'bool') return typeof value === 'boolean';
  const shape = (SHAPES as Readonly<Record<string, Shape>>)[type];
  if (shape === undefined) return Number.isInteger(value);
  if (!isObject(value) || (shape.extends !== undefined && !isOf(shape.extends, value)))
    return false;
  return Object.entries(shape.fields).every(([name, [of]]) => isOf(of, value[name]));
}

/** What is wrong with a line of an operation; "" for nothing. */
function problemOf(line: Json): string {
  const { op, args, value, errno, text, us } = line;
  const known = BY_NAME.get(String(op));
  if (known === undefined) return `this version knows no operation ${JSON.stringify(op)}`;
  const params = Object.entries(known.params);
  if (!isObject(args) || Object.keys(args).join() !== params.map(([name]) => name).join()) {
    return `${op} takes ${params.map(([name]) => name).join(', ') || 'no arguments'}`;
  }
  const wrong = params.find(([name, type]) => !fits(type, args[name]));
  if (wrong !== undefined) return `${op} has another ${wrong[0]} than it can`;
  if (typeof us !== 'number') return `${op} has no time`;
  if (errno !== undefined) {
    const good = Number.isInteger(errno) && Number(errno) > 0 && Number(errno) <= ERRNO_MAX;
    const told = text === undefined || typeof text === 'string';
    return good && told ? '' : `${op} has an errno that is none`;
  }
  const good = {
    none: value === undefined,
    value: Number.isInteger(value) && Number(value) >= 0,
    bytes: isBytes(value) || (known.name === 'stdin_read' && typeof value === 'string'),
    json: isOf(known.type, value),
  };
  return good[known.reply] ? '' : `${op} has another value than it gives`;
}

const OTHER = 'read it with the version that made it, or record the call anew';

function headOf(line: Json): Head {
  const version = line['fairlead_recording'];
  if (version === undefined) {
    throw new RecordingError('line 1 is no head of a recording: name a file of fairlead record');
  }
  if (version !== limits.RECORDING_VERSION) {
    throw new RecordingError(
      `a recording of form ${version}, this version reads ${limits.RECORDING_VERSION}: ${OTHER}`,
    );
  }
  const { env, type, task, started_ms, host, module_sha256 } = line;
  const told = isObject(env)
    ? [type, host, module_sha256, line['version'], ...Object.values(env)]
    : [0];
  const dated = Number.isInteger(started_ms) && Math.abs(Number(started_ms)) <= DATE_MAX_MS;
  const tasked =
    task === undefined ||
    (isObject(task) && typeof task['name'] === 'string' && isObject(task['request']));
  if (!isTexts(told) || !dated || !tasked) {
    throw new RecordingError('line 1: the head of the recording was edited: record the call anew');
  }
  return line as unknown as Head;
}

function endOf(line: Json, number: number): End {
  const { exit_code, stdout, us, received, redacted = [] } = line;
  const numbers = Number.isInteger(exit_code) && typeof us === 'number';
  const taken = received === undefined || received === false;
  if (!numbers || typeof stdout !== 'string' || !taken || !isTexts(redacted)) {
    throw new RecordingError(`line ${number}: the end of the recording was edited`);
  }
  return { ...(line as unknown as End), redacted };
}

/** A line as JSON; undefined for the last one when it was cut off. */
function parsed(text: string, number: number, last: boolean): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    if (last && number > 1) return undefined;
    throw new RecordingError(`line ${number} is not JSON: ${(error as Error).message}`);
  }
  throw new RecordingError(`line ${number} is no object: the recording was edited`);
}

/** Reads a recording. Throws RecordingError for what is none. */
export function parseRecording(text: string): Recording {
  const texts = text.split('\n');
  const whole = texts.at(-1) === '';
  if (whole) texts.pop();
  if (texts.length === 0) throw new RecordingError('an empty file: the call left nothing');
  let head: Head | undefined;
  let end: End | undefined;
  let cut = false;
  const lines: Timed[] = [];
  texts.forEach((one, index) => {
    const number = index + 1;
    if (end !== undefined) throw new RecordingError(`line ${number} stands behind the end`);
    const line = parsed(one, number, !whole && number === texts.length);
    if (line === undefined) return;
    if (head === undefined) head = headOf(line);
    else if ('exit_code' in line) end = endOf(line, number);
    else if (line['cut'] === true) cut = true;
    else {
      const problem = problemOf(line);
      if (problem !== '') throw new RecordingError(`line ${number}: ${problem}: ${OTHER}`);
      lines.push(line as unknown as Timed);
    }
  });
  const operations = lines.filter(({ op }) => OF_DRIVERS.has(op));
  const known = { head: head as unknown as Head, lines, operations, cut };
  return end === undefined ? known : { ...known, end };
}
