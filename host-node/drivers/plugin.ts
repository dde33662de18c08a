// SPDX-License-Identifier: Apache-2.0
// Programs of others: the module `plugin` of the ABI on this machine. It refuses to read what they
// say. node:child_process is loaded at the first use: it costs more than an ADD of
// our own.
import { closeSync, readSync, writeSync } from 'node:fs';
import { type DriverOf, limits, OsError } from '../abi/index.ts';
import {
  connectSocket,
  EAGAIN,
  EINTR,
  osError,
  setsockopt,
  shutdownWrite,
  socket,
} from '../sys/libc.ts';

const EACCES = 13;
const EIO = 5;
const EFBIG = 27;
const ENOENT = 2;
const ETIMEDOUT = 110;
const ENAMETOOLONG = 36;
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20; // asm-generic/socket.h
const SO_SNDTIMEO = 21;
/** Of sun_path (unix(7)), with its NUL byte. */
const SOCKET_PATH_BYTES = 108;
const CHUNK_BYTES = 65536;
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

/** One conversation, with the time that is left for it. */
class Conversation {
  readonly #fd: number;
  readonly #deadline_ms: number;

  constructor(path: string, timeout_ms: number) {
    this.#deadline_ms = Date.now() + timeout_ms;
    const name = Buffer.from(path);
    if (name.length >= SOCKET_PATH_BYTES) throw new OsError(ENAMETOOLONG, path);
    const address = Buffer.alloc(2 + SOCKET_PATH_BYTES);
    address.writeUInt16LE(AF_UNIX, 0);
    name.copy(address, 2);
    this.#fd = socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
    try {
      this.#limit();
      connectSocket(this.#fd, address);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Has the kernel end each wait when the time is over. */
  #limit(): void {
    const left_ms = this.#deadline_ms - Date.now();
    if (left_ms <= 0) throw new OsError(ETIMEDOUT);
    const time = Buffer.alloc(16); // struct timeval
    time.writeBigInt64LE(BigInt(Math.floor(left_ms / 1000)), 0);
    time.writeBigInt64LE(BigInt(Math.max((left_ms % 1000) * 1000, 1)), 8);
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, time);
    setsockopt(this.#fd, SOL_SOCKET, SO_SNDTIMEO, time);
  }

  #patiently(action: () => number): number {
    for (;;) {
      this.#limit();
      try {
        return action();
      } catch (error) {
        const failure = osError(error);
        if (failure.errno === EAGAIN) throw new OsError(ETIMEDOUT);
        if (failure.errno !== EINTR) throw failure;
      }
    }
  }

  say(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      at += this.#patiently(() => writeSync(this.#fd, bytes, at));
    }
  }

  /** What comes next, empty at the end. */
  hear(): Uint8Array {
    const bytes = new Uint8Array(CHUNK_BYTES);
    return bytes.subarray(
      0,
      this.#patiently(() => readSync(this.#fd, bytes)),
    );
  }

  sayNoMore(): void {
    shutdownWrite(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** As the operation socket_call. */
function socketCall(
  path: string,
  { opening, request, timeout_ms }: Parameters<PluginDriver['socket_call']>[0],
): Uint8Array {
  const conversation = new Conversation(path, timeout_ms);
  try {
    if (opening.length === 0) return new Uint8Array(0);
    const heard: Uint8Array[] = [];
    let length = 0;
    conversation.say(opening);
    for (let asked = false, more = true; more; ) {
      const bytes = conversation.hear();
      more = bytes.length > 0;
      heard.push(bytes);
      length += bytes.length;
      if (length > OUTPUT_MAX_BYTES) throw new OsError(EFBIG);
      if (asked || !more) continue;
      asked = true;
      conversation.say(request);
      conversation.sayNoMore();
    }
    return Buffer.concat(heard);
  } finally {
    conversation.close();
  }
}

/** The driver's part for programs of others. */
export function pluginDriver(options: PluginOptions = {}): PluginDriver {
  return {
    socket_call: (args) => socketCall((options.root ?? '') + args.path, args),
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
