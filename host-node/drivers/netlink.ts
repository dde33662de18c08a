// SPDX-License-Identifier: Apache-2.0
// The kernel operations of the host ABI, put together; here are those on namespaces and sysctls.
// The namespace is entered only to open a socket or a sysctl. It refuses to decide anything.

import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type DriverOf, OsError } from '../abi/index.ts';
import { EINVAL, osError } from '../sys/libc.ts';
import { conntrackDel } from './conntrack.ts';
import { linkOperations } from './link.ts';
import { linkAddOperations } from './link-add.ts';
import { type NftDriver, nftOperations } from './nft.ts';
import { routeOperations } from './route.ts';
import { socketListens } from './socket.ts';
import { Spaces } from './spaces.ts';
import { tcOperations } from './tc.ts';

/** The operations of the module `kernel`. */
export type KernelDriver = DriverOf<'kernel'>;
export type NetlinkDriver = KernelDriver & NftDriver & { close(): void };
type Args<K extends keyof KernelDriver> = Parameters<KernelDriver[K]>[0];

export interface NetlinkOptions {
  /** Path of the namespace that handle 0 means, instead of the process's own. */
  readonly hostNetns?: string;
}

function netnsSame(spaces: Spaces, { a, b }: Args<'netns_same'>): number {
  const left = fstatSync(spaces.fd(a));
  const right = fstatSync(spaces.fd(b));
  return left.dev === right.dev && left.ino === right.ino ? 1 : 0;
}

/** As the operation netns_id. */
export function netnsId(spaces: Spaces, ns: number): Uint8Array {
  const cookie = spaces.socket(ns).netnsCookie;
  if (cookie !== undefined) return Buffer.from(`cookie:${cookie}`);
  const { dev, ino } = fstatSync(spaces.fd(ns), { bigint: true });
  return Buffer.from(`${dev}:${ino}`);
}

/** The file of a sysctl; EINVAL unless the key is a plain path below net/. */
function sysctlPath(key: string): string {
  const segments = key.split('/');
  const plain = segments.every((part) => part !== '' && part !== '.' && part !== '..');
  if (segments[0] !== 'net' || segments.length < 2 || !plain || key.includes('\0')) {
    throw new OsError(EINVAL, `not a sysctl of a network namespace: ${key}`);
  }
  return `/proc/sys/${key}`;
}

function sysctlRead(spaces: Spaces, { ns, key }: Args<'sysctl_read'>): Uint8Array {
  const path = sysctlPath(key);
  // The file shows the namespace of the thread that opens it.
  const value = spaces.inside(ns, () => readFileSync(path));
  return value.at(-1) === 0x0a ? value.subarray(0, -1) : value;
}

function sysctlWrite(spaces: Spaces, { ns, key, value }: Args<'sysctl_write'>): void {
  const path = sysctlPath(key);
  spaces.inside(ns, () => {
    const fd = openSync(path, constants.O_WRONLY);
    try {
      writeSync(fd, `${value}\n`);
    } finally {
      closeSync(fd);
    }
  });
}

/** Runs an operation; what node:fs throws leaves as an OsError. */
function call<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw osError(error);
  }
}

/**
 * The operations of the modules kernel and nft on this machine. Nothing is opened before it is
 * needed. Every method throws OsError with the kernel's errno and, where it gave one, its text; an
 * operation on a handle that is not open is EBADF, a malformed address, range or key EINVAL. Not
 * for two threads at once.
 */
export function netlinkDriver(
  options: NetlinkOptions = {},
  s = new Spaces(options.hostNetns),
): NetlinkDriver {
  return {
    netns_open: ({ path }) => call(() => s.add(path)),
    netns_same: (args) => call(() => netnsSame(s, args)),
    netns_id: ({ ns }) => call(() => netnsId(s, ns)),
    netns_close: ({ ns }) => call(() => s.drop(ns)),
    ...linkOperations(s, call),
    ...linkAddOperations(s, call),
    ...routeOperations(s, call),
    socket_listens: (args) => call(() => socketListens(s, args)),
    conntrack_del: (args) => call(() => conntrackDel(s, args)),
    sysctl_read: (args) => call(() => sysctlRead(s, args)),
    sysctl_write: (args) => call(() => sysctlWrite(s, args)),
    ...tcOperations(s, call),
    ...nftOperations(s, call),
    close: () => s.close(),
  };
}
