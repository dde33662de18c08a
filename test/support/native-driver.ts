// SPDX-License-Identifier: Apache-2.0
// The operations of the native host as a Driver: a program made of host-native/ without a core,
// under AddressSanitizer and UndefinedBehaviorSanitizer, asked over two fifos. It refuses to
// interpret.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DRIVER_OPERATIONS,
  type Driver,
  isWide,
  type Operation,
  OsError,
} from '../../host-node/abi/index.ts';
import { buildTestProgram } from '../../scripts/native.mjs';

const EINVAL = 22;

/** The C of one operation: arguments in the order of the table. */
function branch(op: Operation): string {
  const params = Object.entries(op.params);
  const names = ['host', ...params.map(([name]) => name)].join(', ');
  return [
    `    if (strcmp(name, "${op.name}") == 0) {`,
    ...params.map(([name, type]) =>
      isWide(type)
        ? `        struct span ${name} = argument_span(arguments);`
        : `        int32_t ${name} = argument_i32(arguments);`,
    ),
    `        return ${op.module}_${op.name}(${names});`,
    '    }',
  ].join('\n');
}

function performInC(): string {
  return [
    '#include <errno.h>',
    '#include <string.h>',
    '#include "abi.gen.h"',
    '#include "driver.h"',
    'int32_t perform(struct host *host, const char *name, struct arguments *arguments)',
    '{',
    ...DRIVER_OPERATIONS.map(branch),
    '    return -ENOSYS;',
    '}',
    '',
  ].join('\n');
}

/** Builds the program. Gives its path. */
export function buildNativeDriver(): Promise<string> {
  const texts = { 'perform.c': performInC() };
  const link = ['-Wl,--wrap=send', '-Wl,--wrap=recvfrom'];
  return buildTestProgram('driver', ['test/native/driver.c'], texts, { link });
}

export interface NativeDriver extends Driver {
  /** From now on the process cannot return to its own namespace. */
  loseHome(): void;
  /** From now on children die before they send anything. */
  doomChildren(): void;
  /** The kernel answers no more, but these datagrams do, or a failure of receiving (an errno). */
  script(datagrams: readonly (Uint8Array | number)[]): void;
  /** The kernel answers again. */
  real(): void;
  /** What was sent and received since the last call of script or real. */
  sent(): Buffer[];
  received(): Buffer[];
  /** Ends the process. Gives what it ended with, an exit code or a signal. */
  close(): Promise<number | string>;
  readonly pid: number;
}

function request(name: string, args: readonly (number | string | Uint8Array)[]): Buffer {
  const parts = [Buffer.from(`${name}\0`)];
  for (const arg of args) {
    const number = Buffer.alloc(4);
    const bytes = typeof arg === 'number' ? undefined : Buffer.from(arg as string);
    if (typeof arg === 'string' && arg.includes('\0')) throw new OsError(EINVAL, 'a NUL in a text');
    number.writeInt32LE(bytes === undefined ? (arg as number) | 0 : bytes.length);
    parts.push(number, bytes ?? Buffer.alloc(0));
  }
  const whole = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(whole.length);
  return Buffer.concat([length, whole]);
}

/** Datagrams, each after its length; a number is a failure. */
function tape(datagrams: readonly (Uint8Array | number)[]): Buffer {
  const parts = datagrams.flatMap((one) => {
    const length = Buffer.alloc(4);
    length.writeInt32LE(typeof one === 'number' ? -one : one.length);
    return typeof one === 'number' ? [length] : [length, one];
  });
  return Buffer.concat(parts);
}

function untape(bytes: Buffer): Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    all.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return all;
}

/** The value of a reply, by the kind that the table names. */
function given(op: Operation, status: number, reply: Buffer): unknown {
  if (op.reply === 'value') return status;
  if (op.reply === 'json') return JSON.parse(reply.toString('utf8'));
  return op.reply === 'bytes' ? new Uint8Array(reply) : undefined;
}

/**
 * The program at `path`, in the network namespace at `hostNetns` or where this process is;
 * `before` is put before the program.
 */
export function nativeDriver(
  path: string,
  { hostNetns = '/proc/thread-self/ns/net', before = [] as readonly string[] } = {},
): NativeDriver {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-driver-'));
  const fifos = [join(folder, 'requests'), join(folder, 'answers')] as const;
  execFileSync('mkfifo', fifos);
  const child = spawn('nsenter', [`--net=${hostNetns}`, ...before, path, ...fifos], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? ''));
  });
  const requests = openSync(fifos[0], 'w');
  const answers = openSync(fifos[1], 'r');
  rmSync(folder, { recursive: true });

  const read = (length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const count = readSync(answers, bytes, at, length - at, null);
      if (count === 0) throw new Error('the native driver is gone: see its standard error');
      at += count;
    }
    return bytes;
  };
  const ask = (name: string, args: readonly (number | string | Uint8Array)[]) => {
    writeSync(requests, request(name, args));
    const status = read(4).readInt32LE();
    return { status, reply: read(read(4).readUInt32LE()) };
  };
  const perform = (op: Operation) => (args: Record<string, number | string | Uint8Array>) => {
    const { status, reply } = ask(
      op.name,
      Object.keys(op.params).map((name) => args[name]!),
    );
    if (status < 0) throw new OsError(-status, reply.toString('utf8'));
    return given(op, status, reply);
  };
  const methods = DRIVER_OPERATIONS.map((op) => [op.name, perform(op)]);
  return {
    ...(Object.fromEntries(methods) as Driver),
    loseHome: () => void ask('lose_home', []),
    doomChildren: () => void ask('doom_children', []),
    script: (datagrams) => void ask('script', [tape(datagrams)]),
    real: () => void ask('real', []),
    sent: () => untape(ask('sent', []).reply),
    received: () => untape(ask('received', []).reply),
    pid: child.pid ?? 0,
    close: () => {
      closeSync(requests);
      closeSync(answers);
      return ended;
    },
  };
}
