// SPDX-License-Identifier: Apache-2.0
// Starts programs and waits for them with almost no cost of its own: posix_spawn(3) and wait4(2) by
// FFI, since node:child_process takes milliseconds and cannot tell the CPU time of one child.
// It refuses to pass on this process's environment: a call has exactly the one it names.
import * as ffi from 'node:ffi';
import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';

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
const setns = bind('setns', [INT, INT]);
const prctl = bind('prctl', [INT, 'u64', 'u64', 'u64', 'u64']);

// glibc and musl need 80 bytes for posix_spawn_file_actions_t; struct rusage has 144 on 64 bits.
const ACTIONS_BYTES = 256;
const RUSAGE_BYTES = 256;
const OUTPUT_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
const ANY = -1;
const WNOHANG = 1;
const CLONE_NEWNET = 0x40000000; // linux/sched.h
const PR_SET_CHILD_SUBREAPER = 36; // linux/prctl.h
const POLL_MS = 0.2;

/** Programs that go on while calls are measured. */
const servers = new Set();

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
function prepare({ program, args = [], env = {}, stdin = '/dev/null', output }) {
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
  return { actions, keep, argv, envp: stringArray(pairs, keep) };
}

function start(call) {
  call.prepared ??= prepare(call);
  const pid = new Int32Array(1);
  const { actions, argv, envp } = call.prepared;
  const pid_bytes = new Uint8Array(pid.buffer);
  const errno = posix_spawn(pid_bytes, call.program, actions, 0n, argv, envp);
  if (errno !== 0) throw new Error(`${call.program} does not start: errno ${errno}`);
  return pid[0];
}

/** Waits for a child; `pid` in the answer is 0 when none has ended and -1 when there is none. */
function wait(pid, flags = 0) {
  const status = new Int32Array(1);
  const usage = new Uint8Array(RUSAGE_BYTES);
  const ended = wait4(pid, new Uint8Array(status.buffer), flags, usage);
  const [user_s, user_us, system_s, system_us] = new BigInt64Array(usage.buffer, 0, 4);
  const cpu_ms = Number(user_s + system_s) * 1000 + Number(user_us + system_us) / 1000;
  return { pid: ended, status: status[0], cpu_ms };
}

/** Processes whose parent is this one. */
function children() {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid;
    } catch {
      return false;
    }
  });
}

function pause(duration_ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
}

/**
 * Waits until what calls left running has ended, so that the next call is not measured together
 * with it. Gives the CPU time of that.
 */
function settle() {
  let cpu_ms = 0;
  for (;;) {
    const ended = wait(ANY, servers.size === 0 ? 0 : WNOHANG);
    if (ended.pid < 0) return cpu_ms;
    if (ended.pid > 0) cpu_ms += ended.cpu_ms;
    else if (children().every((pid) => servers.has(Number(pid)))) return cpu_ms;
    else pause(POLL_MS);
  }
}

/** Makes this process the parent of children that outlive theirs. */
export function adoptOrphans() {
  prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n);
}

/** Enters a network namespace: what is started afterwards starts there. */
export function enter(netns) {
  const fd = openSync(netns, constants.O_RDONLY);
  const failed = setns(fd, CLONE_NEWNET) !== 0;
  closeSync(fd);
  if (failed) throw new Error(`cannot enter ${netns}`);
}

/** What a call printed, on both outputs. */
export function said({ output }) {
  return readFileSync(output, 'utf8') + readFileSync(`${output}.err`, 'utf8');
}

/**
 * Runs a call. Gives its wall time, how much longer children that it left went on, and the CPU time
 * of all of them.
 */
export function measure(call) {
  call.prepared ??= prepare(call);
  const start_ms = performance.now();
  const pid = start(call);
  const { pid: ended, status, cpu_ms } = wait(pid);
  const wall_ms = performance.now() - start_ms;
  if (ended !== pid) throw new Error(`waiting for ${call.program} failed`);
  if (status !== 0) {
    const { CNI_COMMAND = '' } = call.env ?? {};
    throw new Error(`${call.program} ${CNI_COMMAND} failed:\n${said(call)}`);
  }
  const left_cpu_ms = settle();
  const left_ms = performance.now() - start_ms - wall_ms;
  return { wall_ms, cpu_ms: cpu_ms + left_cpu_ms, left_ms };
}

/**
 * Runs calls at the same time: all are started, then all awaited. Gives the wall time of all and,
 * in their order, of each, with its exit status,
 * and how much longer children that they left went on.
 */
export function measureTogether(calls) {
  for (const call of calls) call.prepared ??= prepare(call);
  const running = new Map();
  const each = new Array(calls.length);
  const start_ms = performance.now();
  calls.forEach((call, index) => {
    const one = { index, start_ms: performance.now() };
    running.set(start(call), one);
  });
  while (running.size > 0) {
    const { pid, status } = wait(ANY);
    const end_ms = performance.now();
    const one = running.get(pid);
    if (pid < 0) throw new Error('a call is lost');
    // Else it is a child that some call left.
    if (one === undefined) continue;
    running.delete(pid);
    each[one.index] = { wall_ms: end_ms - one.start_ms, status };
  }
  const wall_ms = performance.now() - start_ms;
  settle();
  const left_ms = performance.now() - start_ms - wall_ms;
  return { wall_ms, left_ms, each };
}

/** Starts a program that goes on until stopServers(). */
export function startServer(call) {
  servers.add(start(call));
}

export function stopServers() {
  for (const pid of servers) {
    process.kill(pid, 'SIGKILL');
    wait(pid);
  }
  servers.clear();
}
