// SPDX-License-Identifier: Apache-2.0
// The few calls of the C library that node:fs has no word for, bound through node:ffi. Everything
// with a file descriptor that node:fs can do (open, read, write, close, fstat) is left to it: a
// symbol costs about 0.06 ms to bind and 0.1 ms at its first call, and a command is timed whole.
// It refuses to be general: no varargs, no callbacks, no memory of its own. Nothing is bound before
// its first use, so a command that takes no lock never pays for flock.

import { constants, writeSync } from 'node:fs';
import { OsError } from '../abi/index.ts';

type Ffi = typeof import('node:ffi');
type Library = InstanceType<Ffi['DynamicLibrary']>;

/** Errnos these drivers raise or tell apart themselves (asm-generic/errno*.h). */
export const EPERM = 1;
export const ENOENT = 2;
export const EOPNOTSUPP = 95;
export const EINTR = 4;
export const EBADF = 9;
export const EAGAIN = 11;
export const EEXIST = 17;
export const ENODEV = 19;
export const EISDIR = 21;
export const EBUSY = 16;
export const EINVAL = 22;
export const ERANGE = 34;
export const EFBIG = 27;
export const ENOSYS = 38;
export const EBADMSG = 74;
export const EMSGSIZE = 90;
export const ENETUNREACH = 101;
export const ENOBUFS = 105;
export const ETIMEDOUT = 110;

/** Exit code when the thread cannot leave a namespace it entered. */
export const EXIT_WRONG_NETNS = 70;

const CLONE_NEWNET = 0x40000000; // linux/sched.h
const LOCK_EX = 2; // asm-generic/fcntl.h
const LOCK_NB = 4;
const AT_FDCWD = -100; // linux/fcntl.h
const SIG_DFL = 0n;
const SIG_IGN = 1n; // asm-generic/signal-defs.h
const SIGHUP = 1; // asm-generic/signal.h
const SIGINT = 2;
const SIGTERM = 15;
const UTIME_OMIT = 0x3ffffffen; // linux/stat.h

const F_SETOWN = 8; // asm-generic/fcntl.h
const F_SETFL = 4;
const O_ASYNC = 0o20000;
const CLOCK_BOOTTIME = 7; // linux/time.h

const INT = 'i32' as const;
const CALLS = {
  socket: { arguments: [INT, INT, INT], return: INT },
  bind: { arguments: [INT, 'buffer', 'u32'], return: INT },
  connect: { arguments: [INT, 'buffer', 'u32'], return: INT },
  shutdown: { arguments: [INT, INT], return: INT },
  sendto: { arguments: [INT, 'buffer', 'u64', INT, 'buffer', 'u32'], return: 'i64' },
  recvfrom: { arguments: [INT, 'buffer', 'u64', INT, 'buffer', 'buffer'], return: 'i64' },
  // Its third argument is one of a list without types, which these machines pass alike.
  fcntl: { arguments: [INT, INT, 'i64'], return: INT },
  clock_gettime: { arguments: [INT, 'buffer'], return: INT },
  setsockopt: { arguments: [INT, INT, INT, 'buffer', 'u32'], return: INT },
  getsockopt: { arguments: [INT, INT, INT, 'buffer', 'buffer'], return: INT },
  setns: { arguments: [INT, INT], return: INT },
  ioctl: { arguments: [INT, 'u64', 'pointer'], return: INT },
  flock: { arguments: [INT, INT], return: INT },
  utimensat: { arguments: [INT, 'buffer', 'buffer', INT], return: INT },
  signal: { arguments: [INT, 'pointer'], return: 'pointer' },
  _exit: { arguments: [INT], return: 'void' },
  // The same name in glibc and musl.
  __errno_location: { arguments: [], return: 'pointer' },
} as const;

let ffi: Ffi | undefined;
let library: Library | undefined;

function bind<K extends keyof typeof CALLS>(name: K) {
  if (library === undefined) {
    ffi = process.getBuiltinModule('node:ffi') as Ffi | undefined;
    if (ffi === undefined) throw new OsError(ENOSYS, 'this Node has no node:ffi: 26 or newer');
    // null: symbols of this process, so there is no library name to guess.
    library = new ffi.DynamicLibrary(null);
  }
  return library.getFunction<(typeof CALLS)[K]>(name, CALLS[name]);
}

let socketCall: ReturnType<typeof bind<'socket'>> | undefined;
let bindCall: ReturnType<typeof bind<'bind'>> | undefined;
let sendtoCall: ReturnType<typeof bind<'sendto'>> | undefined;
let recvfromCall: ReturnType<typeof bind<'recvfrom'>> | undefined;
let clockCall: ReturnType<typeof bind<'clock_gettime'>> | undefined;
let setsockoptCall: ReturnType<typeof bind<'setsockopt'>> | undefined;
let getsockoptCall: ReturnType<typeof bind<'getsockopt'>> | undefined;
let setnsCall: ReturnType<typeof bind<'setns'>> | undefined;
let utimensatCall: ReturnType<typeof bind<'utimensat'>> | undefined;
let ioctlCall: ReturnType<typeof bind<'ioctl'>> | undefined;
let flockCall: ReturnType<typeof bind<'flock'>> | undefined;
let errnoLocation: ReturnType<typeof bind<'__errno_location'>> | undefined;

/** errno of the call just made: nothing may come between. */
function errno(): number {
  // Bound before the call it is asked about (see below): binding may itself set errno.
  return ffi!.getInt32(errnoLocation!(), 0);
}

/** socket(2), close-on-exec by the caller's type flags. Returns the descriptor; OsError else. */
export function socket(domain: number, type: number, protocol: number): number {
  errnoLocation ??= bind('__errno_location');
  socketCall ??= bind('socket');
  const fd = socketCall(domain, type, protocol);
  if (fd < 0) throw new OsError(errno(), 'socket');
  return fd;
}

/** ioctl(2) with a number, or with bytes that the kernel reads and may change. */
export function ioctl(fd: number, request: number, argument: bigint | Buffer): void {
  errnoLocation ??= bind('__errno_location');
  ioctlCall ??= bind('ioctl');
  const pointer = typeof argument === 'bigint' ? argument : addressOf(argument);
  if (ioctlCall(fd, BigInt(request), pointer) < 0) throw new OsError(errno());
}

/** bind(2) to an address as the kernel has it; OsError else. */
export function bindSocket(fd: number, address: Uint8Array): void {
  errnoLocation ??= bind('__errno_location');
  bindCall ??= bind('bind');
  if (bindCall(fd, address, address.length) < 0) throw new OsError(errno(), 'bind');
}

/** connect(2); OsError else. */
export function connectSocket(fd: number, address: Uint8Array): void {
  errnoLocation ??= bind('__errno_location');
  const connect = bind('connect');
  if (connect(fd, address, address.length) < 0) throw new OsError(errno(), 'connect');
}

/** sendto(2) to an address as the kernel has it; OsError else. */
export function sendTo(fd: number, bytes: Uint8Array, address: Uint8Array): void {
  errnoLocation ??= bind('__errno_location');
  sendtoCall ??= bind('sendto');
  const sent = sendtoCall(fd, bytes, BigInt(bytes.length), 0, address, address.length);
  if (sent < 0n) throw new OsError(errno(), 'sendto');
}

/**
 * recvfrom(2): how many bytes came, and who sent them is written into `address`; undefined when
 * nothing came in the socket's time (SO_RCVTIMEO), OsError else.
 */
export function receiveFrom(fd: number, into: Uint8Array, address: Uint8Array): number | undefined {
  errnoLocation ??= bind('__errno_location');
  recvfromCall ??= bind('recvfrom');
  const length = Uint8Array.of(address.length, 0, 0, 0);
  const received = recvfromCall(fd, into, BigInt(into.length), 0, address, length);
  if (received >= 0n) return Number(received);
  const code = errno();
  if (code === EAGAIN || code === EINTR) return undefined;
  throw new OsError(code, 'recvfrom');
}

/** Nothing more is sent (SHUT_WR of shutdown(2)): the other side reads an end. */
export function shutdownWrite(fd: number): void {
  bind('shutdown')(fd, 1);
}

/**
 * Has the kernel send SIGIO to this process whenever the descriptor can be read (O_ASYNC,
 * fcntl(2)), and keeps it from blocking: Node has no event for such a socket. OsError else.
 */
export function signalReadable(fd: number): void {
  errnoLocation ??= bind('__errno_location');
  const fcntl = bind('fcntl');
  if (fcntl(fd, F_SETOWN, BigInt(process.pid)) < 0) throw new OsError(errno(), 'fcntl');
  const flags = BigInt(O_ASYNC | constants.O_NONBLOCK);
  if (fcntl(fd, F_SETFL, flags) < 0) throw new OsError(errno(), 'fcntl');
}

/** Milliseconds since the machine was started, also while it slept (CLOCK_BOOTTIME). */
export function sinceBoot_ms(): number {
  clockCall ??= bind('clock_gettime');
  const time = Buffer.alloc(16);
  clockCall(CLOCK_BOOTTIME, time);
  return Number(time.readBigInt64LE(0)) * 1000 + Math.floor(Number(time.readBigInt64LE(8)) / 1e6);
}

/** The address of bytes in memory, for a structure that points to them; they must be kept. */
export function addressOf(bytes: Uint8Array): bigint {
  bind('__errno_location');
  return ffi!.getRawPointer(bytes);
}

/** setsockopt(2). Returns whether the kernel took it: older ones lack some options. */
export function setsockopt(fd: number, level: number, option: number, value: Uint8Array): boolean {
  setsockoptCall ??= bind('setsockopt');
  return setsockoptCall(fd, level, option, value, value.length) === 0;
}

/** getsockopt(2) of an option of 64 bits; undefined when the kernel does not know it. */
export function getsockopt64(fd: number, level: number, option: number): bigint | undefined {
  getsockoptCall ??= bind('getsockopt');
  const value = new Uint8Array(8);
  const length = Uint8Array.of(8, 0, 0, 0);
  if (getsockoptCall(fd, level, option, value, length) !== 0) return undefined;
  return new DataView(value.buffer).getBigUint64(0, true);
}

/** Moves this thread into a network namespace; OsError (EINVAL: not one). setns(2). */
function setns(fd: number): void {
  errnoLocation ??= bind('__errno_location');
  setnsCall ??= bind('setns');
  if (setnsCall(fd, CLONE_NEWNET) < 0) throw new OsError(errno(), 'setns');
}

/**
 * Runs `action` with this thread inside the namespace behind `fd`, then returns to `home_fd`.
 * `action` must be synchronous to the bottom: no await, no async API, no child process, since a
 * thread or child born inside stays inside. When the way back fails, the process ends at once with
 * code 70: whatever it did next would be done to the wrong namespace.
 */
export function insideNetns<T>(fd: number, home_fd: number, action: () => T): T {
  setns(fd);
  try {
    return action();
  } finally {
    returnHome(home_fd);
  }
}

function returnHome(home_fd: number): void {
  try {
    setns(home_fd);
  } catch (error) {
    try {
      writeSync(2, `fairlead: cannot return to the host's network namespace: ${error}\n`);
    } finally {
      exitNow(EXIT_WRONG_NETNS);
    }
  }
}

/**
 * Ends the process at once (_exit(2)). Nothing buffered is written and no handler runs: for a wrong
 * namespace, and for a plugin that has said all it had to say, whose V8 would take milliseconds to
 * take itself apart.
 */
export function exitNow(exit_code: number): void {
  bind('_exit')(exit_code);
}

/**
 * Ignores SIGTERM, SIGINT and SIGHUP until the process ends by itself. Blocked they would only go
 * to another thread; programs that are executed get them as ever. signal(2).
 */
export function holdSignals(): void {
  const signal = bind('signal');
  for (const number of [SIGHUP, SIGINT, SIGTERM]) {
    signal(number, SIG_IGN);
  }
}

/** Lets them end the process again (see holdSignals): of a wait that changes nothing. */
export function releaseSignals(): void {
  const signal = bind('signal');
  for (const number of [SIGHUP, SIGINT, SIGTERM]) {
    signal(number, SIG_DFL);
  }
}

/** One try at the exclusive flock(2). Returns false when another holds it; OsError else. */
export function tryFlock(fd: number): boolean {
  errnoLocation ??= bind('__errno_location');
  flockCall ??= bind('flock');
  for (;;) {
    if (flockCall(fd, LOCK_EX | LOCK_NB) === 0) return true;
    const code = errno();
    if (code === EAGAIN) return false;
    if (code !== EINTR) throw new OsError(code, 'flock');
  }
}

/**
 * Sets when a file or folder was last written, to the nanosecond (utimensat(2)): utimesSync counts
 * in floating point and misses by a few hundred.
 */
export function setMtime(path: string, seconds: bigint, nanoseconds: bigint): void {
  errnoLocation ??= bind('__errno_location');
  utimensatCall ??= bind('utimensat');
  const times = Buffer.alloc(32);
  times.writeBigInt64LE(UTIME_OMIT, 8);
  times.writeBigInt64LE(seconds, 16);
  times.writeBigInt64LE(nanoseconds, 24);
  const failed = utimensatCall(AT_FDCWD, Buffer.from(`${path}\0`), times, 0) < 0;
  if (failed) throw new OsError(errno(), 'utimensat');
}

/** What node:fs threw, as an OsError. An argument it refused (a NUL in a path) is EINVAL. */
export function osError(error: unknown): OsError {
  if (error instanceof OsError) return error;
  if (!(error instanceof Error)) return new OsError(EINVAL, String(error));
  const code = (error as NodeJS.ErrnoException).errno;
  return typeof code === 'number' && code < 0
    ? new OsError(-code)
    : new OsError(EINVAL, error.message);
}

/** Flags for a descriptor to look at: never waits for a fifo's writer, never takes a terminal. */
export const OPEN_TO_READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
