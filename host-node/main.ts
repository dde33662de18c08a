// SPDX-License-Identifier: Apache-2.0
// The program: a CNI plugin when CNI_COMMAND is set or its base name is a CNI type, else a command
// line, which is a script of its own. The plugin path is on every pod's start: it loads nothing it
// does not need, and avoids process.stdout and console, which cost Node more than a whole ADD.
import { readFileSync, readSync, writeSync } from 'node:fs';
import manifest from '../package.json' with { type: 'json' };
import type { Program } from './cli/main.ts';
import { type Call, serve } from './core.ts';
import { realDriver } from './drivers/index.ts';
import { openRecording } from './recording/ring.ts';
import { Tape } from './recording/tape.ts';
import { exitNow, holdSignals } from './sys/libc.ts';

const CHUNK_BYTES = 65536;
/** The second beside a native host, which has the first. */
const COMMAND_LINES: readonly string[] = ['fairlead', 'fairlead-cli'];

function sleep(duration_ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
}

function busy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}

/**
 * Standard input to its end, but no more than a little over the limit. From then on signals wait:
 * the call changes things, and half of it would leave half an attachment.
 */
function stdin(limit_bytes: number): Uint8Array {
  let bytes = new Uint8Array(CHUNK_BYTES);
  let length = 0;
  while (length <= limit_bytes) {
    if (length === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    try {
      const count = readSync(0, bytes, length, bytes.length - length, null);
      if (count === 0) break;
      length += count;
    } catch (error) {
      // A caller may hand over a pipe that does not block.
      if ((error as NodeJS.ErrnoException).code === 'EOF') break;
      if (!busy(error)) throw error;
      sleep(1);
    }
  }
  holdSignals();
  return bytes.subarray(0, length);
}

/** Writes all of it: "", or why it could not. */
function write(fd: number, text: string): string {
  let rest: Uint8Array = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!busy(error)) return error instanceof Error ? error.message : String(error);
      sleep(1);
    }
  }
  return '';
}

/** Prints an answer; false, and a word on standard error, when nobody has it. */
function handOver(answer: string): boolean {
  const why = write(1, answer);
  if (why !== '') write(2, `fairlead: cannot write the answer to standard output: ${why}\n`);
  return why === '';
}

/** A file of the program: inside the single executable, or beside the bundle. */
function asset(name: string): Uint8Array {
  const sea = process.getBuiltinModule('node:sea');
  if (!sea.isSea()) return readFileSync(new URL(name, import.meta.url));
  return new Uint8Array(sea.getRawAsset(name) as ArrayBuffer);
}

function wasmModule(name: string): WebAssembly.Module {
  return new WebAssembly.Module(asset(name) as BufferSource);
}

/** Runs a script of its own, which is compiled only when somebody asks for it; its exports. */
function script(name: string): unknown {
  const { Script } = process.getBuiltinModule('node:vm');
  const source = new TextDecoder().decode(asset(`${name}.js`));
  // The bytecode is good under the flags of the executable only.
  const cached = isExecutable() ? { cachedData: asset(`${name}.cache`) } : {};
  return new Script(source, { filename: `${name}.js`, ...cached }).runInThisContext();
}

/** Whether this is the single executable, and not the bundle under a Node. */
function isExecutable(): boolean {
  return process.getBuiltinModule('node:sea').isSea();
}

/** What the program was called as: argv[0] of the executable, or the script's name. */
function baseName(): string {
  const path = (isExecutable() ? process.argv0 : process.argv[1]) ?? '';
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.endsWith('.mjs') ? name.slice(0, -4) : name;
}

/** The hash of a module, by which recordings name it: the executable has it beside the module. */
function sha256(name: string): string {
  if (isExecutable()) return new TextDecoder().decode(asset(`${name}.sha256`));
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  return hash.update(asset(name)).digest('hex');
}

/** The recording of a call, when somebody wants it. */
function tapeOf(call: Call): Tape | undefined {
  const sink = openRecording(call.env, (line) => void write(2, `${line}\n`));
  if (sink === undefined) return undefined;
  return new Tape({ ...call, version: manifest.version, module_sha256: sha256('core.wasm') }, sink);
}

/** Serves one call and ends the process: all output is written, and locks go with the process. */
function plugin(type: string): number {
  const call = { type, env: process.env };
  const tape = tapeOf(call);
  const driver = realDriver();
  const around = { stdin, sleep, log: (line: string) => void write(2, `${line}\n`) };
  let received = true;
  const answer = serve(
    wasmModule('core.wasm'),
    tape?.driver(driver) ?? driver,
    call,
    tape?.around(around) ?? around,
    (stdout) => {
      received = handOver(stdout);
      return received;
    },
  );
  tape?.end(answer, received);
  exitNow(answer.exit_code);
  return answer.exit_code;
}

/** Whether standard output is a terminal of which nobody said that it has no colours. */
function colours(): boolean {
  const { NO_COLOR = '', TERM = 'dumb' } = process.env;
  return NO_COLOR === '' && TERM !== 'dumb' && process.getBuiltinModule('node:tty').isatty(1);
}

function main(): number {
  const type = baseName();
  const command = process.env['CNI_COMMAND'] ?? '';
  const first = process.argv[2] ?? '';
  if (command !== '') return plugin(type);
  if (first === '' && !COMMAND_LINES.includes(type)) return plugin(type);
  let unwritten = false;
  // Under that name people start the daemon of the reference plugins, too.
  const daemon = type === 'dhcp' && first === 'daemon' ? ['dhcp'] : [];
  const { runCommand } = script('fairlead-cli') as { runCommand: (program: Program) => number };
  const exit_code = runCommand({
    args: [...daemon, ...process.argv.slice(2)],
    version: manifest.version,
    executable: isExecutable() ? process.execPath : undefined,
    env: process.env,
    write: (fd, text) => {
      if (fd === 1) unwritten = !handOver(text) || unwritten;
      else write(fd, text);
    },
    colours: colours(),
    sleep,
    core: () => wasmModule('tools.wasm'),
    hashOf: sha256,
    sim: () => wasmModule('sim.wasm'),
    agent: () => wasmModule('agent.wasm'),
    kubernetes: () => script('fairlead-kubernetes') as ReturnType<Program['kubernetes']>,
  });
  return exit_code === 0 && unwritten ? 1 : exit_code;
}

process.exitCode = main();
