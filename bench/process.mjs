// Starts a program and waits for it with almost no cost of its own: posix_spawn(3) and wait4(2) by
// FFI, since node:child_process takes milliseconds and cannot tell the CPU time of one child.
// It refuses to pass on this process's environment: a call has exactly the one it names.
import * as ffi from 'node:ffi';
import { constants, readFileSync } from 'node:fs';

const INT = 'i32';
const library = new ffi.DynamicLibrary(null);
const bind = (name, args) => library.getFunction(name, { arguments: args, return: INT });
const posix_spawn = bind('posix_spawn', [
  'buffer',
  'string',
  'buffer',
  'pointer',
  'buffer',
  'buffer',
]);
const wait4 = bind('wait4', [INT, 'buffer', INT, 'buffer']);
const actions_init = bind('posix_spawn_file_actions_init', ['buffer']);
const actions_open = bind('posix_spawn_file_actions_addopen', [
  'buffer',
  INT,
  'string',
  INT,
  'u32',
]);

// glibc and musl need 80 bytes for posix_spawn_file_actions_t; struct rusage has 144 on 64 bits.
const ACTIONS_BYTES = 256;
const RUSAGE_BYTES = 256;
const OUTPUT_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;

/** A NULL-terminated array of C strings. `keep` holds the strings in memory. */
function stringArray(strings, keep) {
  const pointers = new BigUint64Array(strings.length + 1);
  strings.forEach((text, index) => {
    const bytes = Buffer.from(`${text}\0`);
    keep.push(bytes);
    pointers[index] = ffi.getRawPointer(bytes);
  });
  return new Uint8Array(pointers.buffer);
}

/** Makes a call ready, so that only starting and waiting is timed. Output goes to files. */
export function prepare({ program, args = [], env = {}, stdin = '/dev/null', output }) {
  const keep = [];
  const actions = new Uint8Array(ACTIONS_BYTES);
  const files = [
    [0, stdin, constants.O_RDONLY],
    [1, output, OUTPUT_FLAGS],
    [2, `${output}.err`, OUTPUT_FLAGS],
  ];
  actions_init(actions);
  for (const [fd, path, flags] of files) {
    if (actions_open(actions, fd, path, flags, 0o600) !== 0) throw new Error(`cannot open ${path}`);
  }
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const argv = stringArray([program, ...args], keep);
  return { program, output, actions, keep, argv, envp: stringArray(pairs, keep) };
}

/** Runs a prepared call. Gives its wall time and the CPU time of it and what it waited for. */
export function measure(call) {
  const pid = new Int32Array(1);
  const status = new Int32Array(1);
  const usage = new Uint8Array(RUSAGE_BYTES);
  const pid_bytes = new Uint8Array(pid.buffer);
  const status_bytes = new Uint8Array(status.buffer);
  const { program, actions, argv, envp } = call;
  const start_ms = performance.now();
  const errno = posix_spawn(pid_bytes, program, actions, 0n, argv, envp);
  if (errno !== 0) throw new Error(`${program} does not start: errno ${errno}`);
  const ended = wait4(pid[0], status_bytes, 0, usage);
  const wall_ms = performance.now() - start_ms;
  if (ended !== pid[0]) throw new Error(`waiting for ${program} failed`);
  if (status[0] !== 0) throw new Error(`${program} failed:\n${said(call.output)}`);
  const [user_s, user_us, system_s, system_us] = new BigInt64Array(usage.buffer, 0, 4);
  const cpu_ms = Number(user_s + system_s) * 1000 + Number(user_us + system_us) / 1000;
  return { wall_ms, cpu_ms };
}

function said(output) {
  return readFileSync(output, 'utf8') + readFileSync(`${output}.err`, 'utf8');
}
