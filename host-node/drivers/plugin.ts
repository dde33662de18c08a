// SPDX-License-Identifier: Apache-2.0
// Executing foreign plugins: the module `plugin` of the ABI on this machine. It refuses to read
// what a plugin says. node:child_process is loaded at the first use: it costs more than an ADD of
// our own.
import { writeSync } from 'node:fs';
import { type DriverOf, limits, OsError } from '../abi/index.ts';

const EACCES = 13;
const EIO = 5;
const EFBIG = 27;
const ENOENT = 2;
const ETIMEDOUT = 110;
const { OUTPUT_MAX_BYTES, BUSY_TRIES, BUSY_PAUSE_MS } = limits;

export interface PluginOptions {
  /** Put before every path. */
  readonly root?: string;
}

type PluginDriver = DriverOf<'plugin'>;
type Result = ReturnType<typeof import('node:child_process')['spawnSync']>;

const ERRNOS: Readonly<Record<string, number>> = { ENOENT, EACCES, ETIMEDOUT, ENOBUFS: EFBIG };

/** NAME=value texts, each ended by a NUL byte. */
function environment(block: Uint8Array): Record<string, string> {
  const texts = new TextDecoder().decode(block).split('\0');
  const entries = texts.flatMap((text) => {
    const at = text.indexOf('=');
    return at < 0 ? [] : [[text.slice(0, at), text.slice(at + 1)] as const];
  });
  return Object.fromEntries(entries);
}

function codeOf(result: Result): string {
  return (result.error as NodeJS.ErrnoException | undefined)?.code ?? '';
}

/** A plugin's words for humans go where ours go. A standard error that is gone is no failure. */
function passOn(words: string): void {
  try {
    if (words !== '') writeSync(2, words);
  } catch {
    // Nobody listens.
  }
}

/** The driver's part for foreign plugins. */
export function pluginDriver(options: PluginOptions = {}): PluginDriver {
  return {
    exec: ({ path, env, stdin, timeout_ms }) => {
      const { spawnSync } = process.getBuiltinModule('node:child_process');
      const run = (): Result =>
        spawnSync((options.root ?? '') + path, [], {
          env: { ...process.env, ...environment(env) },
          input: stdin,
          timeout: timeout_ms,
          killSignal: 'SIGKILL',
          maxBuffer: OUTPUT_MAX_BYTES,
          encoding: 'utf8',
        });
      let result = run();
      for (let tries = 1; codeOf(result) === 'ETXTBSY' && tries < BUSY_TRIES; tries++) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
        result = run();
      }
      const code = codeOf(result);
      // A plugin need not read its stdin: EPIPE says no more than that.
      if (code !== '' && code !== 'EPIPE') throw new OsError(ERRNOS[code] ?? EIO, code);
      passOn(String(result.stderr));
      return {
        exit_code: result.status ?? -1,
        signal: result.signal ?? '',
        stdout: String(result.stdout),
        stderr: String(result.stderr),
      };
    },
  };
}
