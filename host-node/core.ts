// SPDX-License-Identifier: Apache-2.0
// One command served by an instance of core.wasm in its first state, and what happens when the core
// itself breaks. It never looks inside a configuration.
import { ABI_MARKER, type Driver, limits } from './abi/index.ts';
import { bind, Halt, type Surroundings } from './bind.ts';

/** A call of a plugin, as a container runtime makes it. */
export interface Call {
  /** The CNI type: the base name the program was called by. */
  readonly type: string;
  /** Environment; only variables whose name starts with CNI_ are passed on. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Answer {
  /** 0, or 1 with a CNI error on stdout. */
  readonly exit_code: number;
  readonly stdout: string;
}

/** What an instance of core.wasm, or of tools.wasm, exports (docs/host-abi.md). */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  readonly alloc: (len: number) => number;
  readonly run: (type: number, type_len: number, env: number, env_len: number) => number;
  /** Of tools.wasm alone. */
  readonly task: (name: number, name_len: number, request: number, len: number) => number;
  readonly result_ptr: () => number;
  readonly result_len: () => number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Copies bytes into the core's memory: pointer and length. */
export function put(core: CoreExports, bytes: Uint8Array): readonly [number, number] {
  const ptr = core.alloc(bytes.length);
  new Uint8Array(core.memory.buffer, ptr, bytes.length).set(bytes);
  return [ptr, bytes.length];
}

/** Who lends instances of a core, each in its first state, such as Instances (instances.ts). */
export interface Lender {
  use<T>(imports: WebAssembly.Imports, action: (exports: WebAssembly.Exports) => T): T;
}

/** A module, of which each call gets a new instance, or who lends instances that serve again. */
export type CoreCode = WebAssembly.Module | Lender;

/** Does something with an instance in its first state. */
export function inInstance<T>(
  code: CoreCode,
  imports: WebAssembly.Imports,
  action: (exports: WebAssembly.Exports) => T,
): T {
  if (!(code instanceof WebAssembly.Module)) return code.use(imports, action);
  return action(new WebAssembly.Instance(code, imports).exports);
}

/** One call of one export, in an instance in its first state. */
function run(
  code: CoreCode,
  driver: Driver,
  around: Surroundings,
  entry: 'run' | 'task',
  texts: readonly [string, string],
): Answer {
  const binding = bind(driver, around);
  return inInstance(code, binding.imports, (exports) => {
    if (!(ABI_MARKER in exports)) {
      throw new Error(`core.wasm does not export ${ABI_MARKER}: it speaks another host ABI`);
    }
    const core = exports as unknown as CoreExports;
    binding.attach(core.memory);
    const exit_code = core[entry](
      ...put(core, encoder.encode(texts[0])),
      ...put(core, encoder.encode(texts[1])),
    );
    const result = new Uint8Array(core.memory.buffer, core.result_ptr(), core.result_len());
    return { exit_code, stdout: decoder.decode(result) };
  });
}

function environmentOf(env: Call['env']): string {
  let text = '';
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('CNI_') && value !== undefined) text += `${name}=${value}\0`;
  }
  return text;
}

/** What a panic or trap said, as CNI error 999. */
function internalError(error: unknown, cleanup: string): Answer {
  const place = error instanceof Error ? error.message : String(error);
  const details = JSON.stringify(cleanup === '' ? place : place + limits.BROKEN_SAID + cleanup);
  return { exit_code: 1, stdout: limits.BROKEN_BEGIN + details + limits.BROKEN_END };
}

/**
 * Performs a task of the command line: `request` is a value for the shapes in
 * core-as/tasks/tasks.ts. A core that panics gives error 999; what an ADD may have made then, a DEL
 * of the same task takes away.
 */
export function performTask(
  code: CoreCode,
  driver: Driver,
  name: string,
  request: unknown,
  around: Surroundings,
): Answer {
  const text = JSON.stringify(request);
  // The tasks have the names of the commands.
  const cleanup = limits.BROKEN_CLEANUP.toLowerCase();
  try {
    return run(code, driver, around, 'task', [name, text]);
  } catch (error) {
    if (error instanceof Halt) throw error;
    if (name !== limits.BROKEN_COMMAND.toLowerCase()) return internalError(error, '');
    try {
      return internalError(error, run(code, driver, around, 'task', [cleanup, text]).stdout);
    } catch (again) {
      if (again instanceof Halt) throw again;
      return internalError(error, again instanceof Error ? again.message : String(again));
    }
  }
}

/** Reads standard input once, for as many instances as ask. */
function remembering(around: Surroundings): Surroundings {
  let stdin: Uint8Array | undefined;
  return {
    ...around,
    stdin: (limit_bytes) => {
      stdin ??= around.stdin(limit_bytes);
      return stdin;
    },
  };
}

/**
 * Serves one command and hands its answer over. A core that panics or traps is a bug: what it may
 * have made is taken away by a DEL in a fresh instance, and the answer is CNI error 999 with the
 * place. An ADD whose result `handOver` could not give away is none: what it made is taken away in
 * the same way, and exit_code is 1 then, as of any command whose answer reached nobody.
 */
export function serve(
  code: CoreCode,
  driver: Driver,
  call: Call,
  around: Surroundings,
  handOver: (stdout: string) => boolean = () => true,
): Answer {
  const once = remembering(around);
  const perform = (env: Call['env']) =>
    run(code, driver, once, 'run', [call.type, environmentOf(env)]);
  const cleanUp = (): string => {
    if (call.env['CNI_COMMAND'] !== limits.BROKEN_COMMAND) return '';
    try {
      return perform({ ...call.env, CNI_COMMAND: limits.BROKEN_CLEANUP }).stdout;
    } catch (again) {
      if (again instanceof Halt) throw again;
      return again instanceof Error ? again.message : String(again);
    }
  };
  let answer: Answer;
  try {
    answer = perform(call.env);
  } catch (error) {
    if (error instanceof Halt) throw error;
    answer = internalError(error, cleanUp());
  }
  if (handOver(answer.stdout)) return answer;
  const said = answer.exit_code === 0 ? cleanUp() : '';
  if (said !== '') once.log(`fairlead: taking the attachment back failed: ${said}`);
  return { ...answer, exit_code: 1 };
}
