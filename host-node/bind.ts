// SPDX-License-Identifier: Apache-2.0
// The import object of core.wasm over a driver: pointers checked, text decoded, replies kept in the
// slot, failures turned into -errno. The only file that touches the core's memory.
// It refuses to know what an operation means; the table of abi/ drives everything.
import {
  type Driver,
  isWide,
  OPERATIONS,
  type Operation,
  OsError,
  type ParamType,
} from './abi/index.ts';

const EIO = 5;
const EFAULT = 14;
const EFBIG = 27;
const EILSEQ = 84;

/** What the host module needs from around it. */
export interface Surroundings {
  /** Standard input to its end; called at most once, and not at all for VERSION. */
  readonly stdin: (limit_bytes: number) => Uint8Array;
  readonly log: (line: string) => void;
  readonly sleep: (duration_ms: number) => void;
  /** Hears how far the call reaches; it is held to nothing. */
  readonly confine?: (folders: string, programs: string, make: number) => void;
}

/** Ends the run: what the core asked has no answer. Nothing is cleaned up. */
export class Halt extends Error {}

/** A failed assertion of the core: a bug in it. */
export class CorePanic extends Error {}

export interface Binding {
  readonly imports: WebAssembly.Imports;
  /** Must be called with the instance's memory before the core runs. */
  readonly attach: (memory: WebAssembly.Memory) => void;
}

type Method = (args: Record<string, unknown>) => unknown;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);

/** What the imports of one instance share. */
interface Border {
  memory: WebAssembly.Memory | undefined;
  /** The last reply, or the words of the last failure. */
  slot: Uint8Array;
}

/** A checked view of the core's memory; taken anew each time because memory may have grown. */
function viewOf(border: Border, ptr: number, len: number): Uint8Array {
  const buffer = border.memory === undefined ? new ArrayBuffer(0) : border.memory.buffer;
  const start = ptr >>> 0;
  const length = len >>> 0;
  if (start + length > buffer.byteLength) {
    throw new OsError(EFAULT, 'a pointer outside the memory of the core');
  }
  return new Uint8Array(buffer, start, length);
}

function textOf(border: Border, ptr: number, len: number): string {
  const bytes = viewOf(border, ptr, len);
  if (bytes.includes(0)) throw new OsError(EILSEQ, 'a NUL byte in a text');
  try {
    return decoder.decode(bytes);
  } catch {
    throw new OsError(EILSEQ, 'a text that is not UTF-8');
  }
}

function hostMethods(border: Border, around: Surroundings): Record<string, Method> {
  return {
    reply_len: () => border.slot.length,
    reply_read: ({ into }) => {
      const target = into as Uint8Array;
      const count = Math.min(target.length, border.slot.length);
      target.set(border.slot.subarray(0, count));
      return count;
    },
    stdin_read: ({ limit_bytes }) => {
      const bytes = around.stdin(limit_bytes as number);
      if (bytes.length > (limit_bytes as number)) throw new OsError(EFBIG);
      return bytes;
    },
    log: ({ text }) => around.log(text as string),
    // Node cannot give up powers: it needs the system calls of its engine.
    confine: ({ folders, programs, make }) =>
      around.confine?.(folders as string, programs as string, make as number),
    sleep: ({ duration_ms }) => around.sleep(duration_ms as number),
    panic: ({ msg, file, line, col }) => {
      throw new CorePanic(`${msg} at ${file}:${line}:${col}`);
    },
  };
}

/** Flat wasm arguments as named ones. */
function readArgs(border: Border, params: readonly [string, ParamType][], raw: readonly number[]) {
  const args: Record<string, unknown> = {};
  let at = 0;
  for (const [name, type] of params) {
    if (!isWide(type)) {
      args[name] = raw[at++];
    } else {
      const ptr = raw[at++] ?? 0;
      const len = raw[at++] ?? 0;
      args[name] = type === 'str' ? textOf(border, ptr, len) : viewOf(border, ptr, len);
    }
  }
  return args;
}

function importOf(border: Border, op: Operation, methods: Record<string, Method>) {
  const params = Object.entries(op.params);
  return (...raw: number[]): number => {
    try {
      const given = (methods[op.name] as Method)(readArgs(border, params, raw));
      if (op.reply === 'value') return given as number;
      if (op.reply === 'bytes') border.slot = given as Uint8Array;
      if (op.reply === 'json') border.slot = encoder.encode(JSON.stringify(given));
      return 0;
    } catch (error) {
      if (error instanceof CorePanic || error instanceof Halt) throw error;
      border.slot = encoder.encode(error instanceof OsError ? error.text : String(error));
      return -(error instanceof OsError && error.errno > 0 ? error.errno : EIO);
    }
  };
}

/** Makes the imports for one instance. */
export function bind(driver: Driver, around: Surroundings): Binding {
  const border: Border = { memory: undefined, slot: NOTHING };
  const host = hostMethods(border, around);
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const op of OPERATIONS) {
    const methods = op.module === 'host' ? host : (driver as unknown as Record<string, Method>);
    const functions = imports[op.module] ?? {};
    functions[op.name] = importOf(border, op, methods);
    imports[op.module] = functions;
  }
  return {
    imports,
    attach: (memory) => {
      border.memory = memory;
    },
  };
}
