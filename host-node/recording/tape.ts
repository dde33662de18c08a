// SPDX-License-Identifier: Apache-2.0
// A recording of one call, as it is written (docs/recording.md): a head, a line for each operation
// with its outcome and time, an end. host-native/tape.c writes the same. It refuses to know where
// the lines go, and to read them: ring.ts and format.ts do.
import {
  ABI_MARKER,
  type Driver,
  limits,
  OPERATIONS,
  type Operation,
  OsError,
} from '../abi/index.ts';
import type { Surroundings } from '../bind.ts';
import type { Answer, Call } from '../core.ts';
import { wrap } from '../drivers/record.ts';
import { Secrets } from './secrets.ts';

/** What is known of a call before it begins. */
export interface Begun extends Call {
  readonly version: string;
  /** Of the module that serves it, in hexadecimal. */
  readonly module_sha256: string;
  /** What the command line asks of the core; `type` is "" then. */
  readonly task?: { readonly name: string; readonly request: object };
}

/** Where the lines go. */
export interface Sink {
  readonly write: (text: string) => void;
  /** Of all operations together. */
  readonly most_bytes: number;
}

type Args = Readonly<Record<string, unknown>>;
type Asked = Pick<Operation, 'module' | 'name' | 'waits'>;

/** What the border makes of what is no OsError (bind.ts). */
const EIO = 5;
const EFBIG = 27;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whether what passes may hold a secret: what is said to the kernel and nftables has none. */
const mayTell = ({ module, name }: Asked): boolean =>
  !['kernel', 'nft'].includes(module) || name === 'socket_call';

const micros = (duration_ms: number): number => Math.round(duration_ms * 1000);

/** One recording. It never fails the call: what cannot be written is missing. */
export class Tape {
  readonly #sink: Sink;
  readonly #began_ms = performance.now();
  readonly #secrets = new Secrets();
  /** Whether results are kept, as libcni does it: a runtime does that, and no plugin. */
  readonly #caches: boolean;
  #lines = '';
  #length = 0;
  #full = false;

  constructor({ version, module_sha256, type, env, task }: Begun, sink: Sink) {
    this.#sink = sink;
    this.#caches = task !== undefined;
    const head = {
      fairlead_recording: limits.RECORDING_VERSION,
      version,
      abi: ABI_MARKER,
      module_sha256,
      host: 'node',
      started_ms: Date.now(),
      type,
      env: this.#variables(env),
      ...(task === undefined ? {} : { task: this.#task(task) }),
    };
    this.#write(`${JSON.stringify(head)}\n`);
    this.#flush();
  }

  /** The driver, recorded. */
  driver(driver: Driver): Driver {
    return wrap(driver, (op, args, run) => this.#timed(op, args, run));
  }

  /** What is around the core, recorded. */
  around({ stdin, log, sleep }: Surroundings): Surroundings {
    const tell = <T>(name: string, args: Args, run: () => T): T => {
      const op = OPERATIONS.find((one) => one.module === 'host' && one.name === name)!;
      return this.#timed(op, args, run) as T;
    };
    return {
      stdin: (limit_bytes) =>
        tell('stdin_read', { limit_bytes }, () => {
          const bytes = stdin(limit_bytes);
          if (bytes.length > limit_bytes) throw new OsError(EFBIG);
          return bytes;
        }),
      log: (text) => tell('log', { text }, () => log(text)),
      sleep: (duration_ms) => tell('sleep', { duration_ms }, () => sleep(duration_ms)),
      confine: (folders, programs, make) => tell('confine', { folders, programs, make }, () => {}),
    };
  }

  /** The last line. `received`: somebody has the answer. */
  end({ exit_code, stdout }: Answer, received: boolean): void {
    const lost = received ? {} : { received: false };
    const said = this.#starred(JSON.stringify({ exit_code, stdout, ...lost }));
    const us = micros(performance.now() - this.#began_ms);
    const redacted = JSON.stringify(this.#secrets.names);
    this.#write(`${said.slice(0, -1)},"us":${us},"redacted":${redacted}}\n`);
    this.#flush();
  }

  #timed(op: Asked, args: Args, run: () => unknown): unknown {
    // Before an operation that waits: it is there that calls are killed.
    if (op.waits) this.#flush();
    // Taken before the call: bytes are a view into memory that moves on.
    const given = Object.entries(args).map(([name, value]) => `"${name}":${this.#json(value)}`);
    const start_ms = performance.now();
    const note = (outcome: string): void => {
      const us = micros(performance.now() - start_ms);
      const line = `{"op":"${op.module}.${op.name}","args":{${given}}${outcome}}`;
      const starred = mayTell(op) ? this.#starred(line) : line;
      this.#operation(`${starred.slice(0, -1)},"us":${us}}\n`);
    };
    try {
      const value = run();
      const told = op.name === 'stdin_read' ? this.#input(value) : this.#json(value);
      note(value === undefined ? '' : `,"value":${told}`);
      return value;
    } catch (error) {
      const { errno, text } = error instanceof OsError ? error : new OsError(EIO, String(error));
      note(`,"errno":${errno},"text":${JSON.stringify(text)}`);
      throw error;
    }
  }

  /** Bytes lose their secrets here, all else with its line. */
  #json(value: unknown): string {
    if (!(value instanceof Uint8Array)) return JSON.stringify(value);
    const copy = Buffer.from(value);
    if (this.#caches) this.#secrets.cached(copy);
    this.#secrets.json(copy);
    this.#secrets.pairs(copy);
    this.#secrets.again(copy);
    return `{"base64":"${copy.toString('base64')}"}`;
  }

  /** Standard input: a text, when it is one. */
  #input(stdin: unknown): string {
    try {
      decoder.decode(stdin as Uint8Array);
    } catch {
      return this.#json(stdin);
    }
    return JSON.stringify(this.#starred(Buffer.from(stdin as Uint8Array)));
  }

  #starred(text: string | Buffer): string {
    const bytes = Buffer.from(text);
    this.#secrets.json(bytes);
    return bytes.toString();
  }

  #operation(line: string): void {
    if (this.#full) return;
    this.#length += Buffer.byteLength(line);
    this.#full = this.#length > this.#sink.most_bytes;
    this.#write(this.#full ? '{"cut":true}\n' : line);
  }

  #variables(env: Call['env']): Record<string, string> {
    const passed = Object.entries(env).filter(([name]) => name.startsWith('CNI_'));
    const pairs = passed.map(([name, value = '']): [string, string] => {
      const bytes = Buffer.from(`${name}=${value}`);
      this.#secrets.pairs(bytes);
      return [name, bytes.toString('utf8', Buffer.byteLength(name) + 1)];
    });
    return Object.fromEntries(pairs);
  }

  /** A request, whose `args` are pairs as those of CNI_ARGS. */
  #task({ name, request }: NonNullable<Begun['task']>): object {
    const { args, ...rest } = request as { args?: string };
    const { CNI_ARGS } = this.#variables(args === undefined ? {} : { CNI_ARGS: args });
    const starred = JSON.parse(this.#starred(JSON.stringify(rest))) as object;
    return { name, request: { ...starred, ...(CNI_ARGS === undefined ? {} : { args: CNI_ARGS }) } };
  }

  #write(line: string): void {
    const bytes = Buffer.from(line);
    this.#secrets.again(bytes);
    this.#lines += bytes.toString();
  }

  #flush(): void {
    if (this.#lines !== '') this.#sink.write(this.#lines);
    this.#lines = '';
  }
}
