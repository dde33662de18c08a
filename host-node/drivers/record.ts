// SPDX-License-Identifier: Apache-2.0
// Wrappers around any driver: a trace for reading, a recording for replaying, a fault on demand.
// They add nothing to what an operation does.
import { DRIVER_OPERATIONS, type Driver, type Operation, OsError } from '../abi/index.ts';
import { Halt } from '../bind.ts';

type Args = Record<string, unknown>;
type Methods = Record<string, (args: Args) => unknown>;

/** One operation as it happened. `value` is what it gave; a failure has errno and text instead. */
export interface Recorded {
  readonly op: string;
  readonly args: Args;
  readonly value?: unknown;
  readonly errno?: number;
  readonly text?: string;
}

/** Bytes do not survive JSON: they become {"base64": …} in a recording. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? { base64: value.toBase64() } : value;
}

function unplain(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'base64' in value) {
    return Uint8Array.fromBase64(String(value.base64));
  }
  return value;
}

/** As a person reads them. */
const textOf = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

function plainArgs(args: Args): Args {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, plain(value)]));
}

/** A driver that has `around` run each operation of another. */
export function wrap(
  driver: Driver,
  around: (op: Operation, args: Args, run: () => unknown) => unknown,
): Driver {
  const inner = driver as unknown as Methods;
  const outer: Methods = {};
  for (const op of DRIVER_OPERATIONS) {
    outer[op.name] = (args) => around(op, args, () => inner[op.name]?.(args));
  }
  return outer as unknown as Driver;
}

/** Reports every operation once it has ended. */
export function recording(driver: Driver, report: (entry: Recorded) => void): Driver {
  return wrap(driver, (op, args, run) => {
    const name = `${op.module}.${op.name}`;
    // Taken before the call: bytes are a view into memory that moves on.
    const given = plainArgs(args);
    try {
      const value = run();
      report(
        value === undefined
          ? { op: name, args: given }
          : { op: name, args: given, value: plain(value) },
      );
      return value;
    } catch (error) {
      if (error instanceof OsError) {
        report({ op: name, args: given, errno: error.errno, text: error.text });
      }
      throw error;
    }
  });
}

/**
 * Gives back what was recorded, without a kernel. The core must ask the very same questions in the
 * same order: the first that differs ends the run, by a Halt naming both. `before` hears of each
 * operation, from 1.
 */
export function replaying(
  entries: readonly Recorded[],
  before: (n: number) => void = () => {},
): Driver & { count(): number } {
  let next = 0;
  const driver = wrap({} as Driver, (op, args) => {
    before(next + 1);
    const entry = entries[next];
    const asked = JSON.stringify({ op: `${op.module}.${op.name}`, args: plainArgs(args) });
    const recorded = entry && JSON.stringify({ op: entry.op, args: entry.args });
    if (entry === undefined || asked !== recorded) {
      const then = recorded ?? 'the end';
      throw new Halt(`replay: operation ${next + 1} is ${asked}, recorded was ${then}`);
    }
    next++;
    if (entry.errno !== undefined) throw new OsError(entry.errno, entry.text ?? '');
    return unplain(entry.value);
  });
  return Object.assign(driver, { count: () => next });
}

/** Lets the n-th operation (from 1) fail, before it does anything; all others pass. */
export function failing(driver: Driver, n: number, errno: number): Driver & { count(): number } {
  let count = 0;
  const wrapped = wrap(driver, (_op, _args, run) => {
    count++;
    if (count === n) throw new OsError(errno, 'a fault put there on purpose');
    return run();
  });
  return Object.assign(wrapped, { count: () => count });
}

/** An entry as a line to read: kernel.link_set_up(ns=0, ifindex=3) = 0. */
export function traceLine(entry: Recorded): string {
  const args = Object.entries(entry.args).map(([name, value]) => {
    const bytes = typeof value === 'object' && value !== null && 'base64' in value;
    const shown = bytes ? textOf(Uint8Array.fromBase64(String(value.base64))) : value;
    return `${name}=${JSON.stringify(shown)}`;
  });
  const given = entry.value === undefined ? 0 : JSON.stringify(unplainShown(entry.value));
  const outcome =
    entry.errno === undefined ? given : `-${entry.errno} ${entry.text ?? ''}`.trimEnd();
  return `${entry.op}(${args.join(', ')}) = ${outcome}`;
}

function unplainShown(value: unknown): unknown {
  const bytes = unplain(value);
  return bytes instanceof Uint8Array ? textOf(bytes) : value;
}
