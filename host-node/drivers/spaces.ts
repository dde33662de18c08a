// SPDX-License-Identifier: Apache-2.0
// The network namespaces a driver has open, and one netlink socket per namespace and protocol. A
// namespace is entered only to open a socket in it or to run one synchronous action.
// It refuses to know what is said on a socket.
import { closeSync, openSync, statfsSync } from 'node:fs';
import { OsError } from '../abi/index.ts';
import { EBADF, EINVAL, ENODEV, insideNetns, OPEN_TO_READ, osError } from '../sys/libc.ts';
import { NETLINK_ROUTE, type NetlinkSocket, openHere, openInside } from '../sys/netlink.ts';

const NSFS_MAGIC = 0x6e736673; // linux/magic.h
const PROC_SUPER_MAGIC = 0x9fa0;
// Not /proc/self: a thread may be elsewhere than its process.
const OWN_NETNS = '/proc/thread-self/ns/net';

interface Space {
  fd: number;
  /** By protocol (NETLINK_*): opened when first needed, so who asks nothing of one pays nothing. */
  readonly sockets: Map<number, NetlinkSocket>;
}

/** An ifindex that may be sent: 0 would mean "any" in a dump and "by name" in a change. */
export function dev(ifindex: number): number {
  if (ifindex <= 0) throw new OsError(ENODEV, `no link has the index ${ifindex}`);
  return ifindex;
}

/** Runs an operation; what it throws leaves as an OsError. */
export type Call = <T>(action: () => T) => T;

/** The open namespaces, their sockets, and the way home. */
export class Spaces {
  readonly #open = new Map<number, Space>();
  readonly #hostNetns: string | undefined;
  #home_fd = -1;

  constructor(hostNetns: string | undefined) {
    this.#hostNetns = hostNetns;
  }

  /** The descriptor of the namespace this thread lives in. */
  home(): number {
    if (this.#home_fd < 0) this.#home_fd = openSync(OWN_NETNS, OPEN_TO_READ);
    return this.#home_fd;
  }

  add(path: string): number {
    const fd = this.#openPath(path);
    let ns = 1;
    while (this.#open.has(ns)) ns++;
    this.#open.set(ns, { fd, sockets: new Map() });
    return ns;
  }

  /** Gives a namespace back; the host's own stays. */
  drop(ns: number): void {
    if (ns === 0) return;
    this.#closeSpace(this.#space(ns));
    this.#open.delete(ns);
  }

  /** The descriptor behind a handle; EBADF when it was never given out. */
  fd(ns: number): number {
    return ns === 0 && this.#hostNetns === undefined ? this.home() : this.#space(ns).fd;
  }

  /** The socket of a namespace, opened at its first use and again after a broken exchange. */
  socket(ns: number, protocol = NETLINK_ROUTE): NetlinkSocket {
    const { fd, sockets } = this.#space(ns);
    let socket = sockets.get(protocol);
    if (socket !== undefined && !socket.broken) return socket;
    socket?.close();
    sockets.delete(protocol);
    socket = this.#isOwn(ns) ? openHere(protocol) : openInside(fd, this.home(), protocol);
    sockets.set(protocol, socket);
    return socket;
  }

  /** Runs a synchronous action with this thread in the namespace. */
  inside<T>(ns: number, action: () => T): T {
    return this.#isOwn(ns) ? action() : insideNetns(this.fd(ns), this.home(), action);
  }

  close(): void {
    for (const space of this.#open.values()) this.#closeSpace(space);
    this.#open.clear();
    if (this.#home_fd >= 0) closeSync(this.#home_fd);
    this.#home_fd = -1;
  }

  #closeSpace({ fd, sockets }: Space): void {
    for (const socket of sockets.values()) socket.close();
    if (fd >= 0) closeSync(fd);
  }

  #isOwn(ns: number): boolean {
    return ns === 0 && this.#hostNetns === undefined;
  }

  #space(ns: number): Space {
    const known = this.#open.get(ns);
    if (known !== undefined) return known;
    if (ns !== 0) throw new OsError(EBADF, `no netns handle ${ns}`);
    const fd = this.#hostNetns === undefined ? -1 : this.#openPath(this.#hostNetns);
    const space: Space = { fd, sockets: new Map() };
    this.#open.set(0, space);
    return space;
  }

  /** Opens a namespace and enters it once: only so is one of another kind told from a network's. */
  #openPath(path: string): number {
    const type = statfsSync(path).type;
    if (type !== NSFS_MAGIC && type !== PROC_SUPER_MAGIC) {
      throw new OsError(EINVAL, `not a namespace: ${path}`);
    }
    const home_fd = this.home();
    const fd = openSync(path, OPEN_TO_READ);
    try {
      insideNetns(fd, home_fd, () => {});
    } catch (error) {
      closeSync(fd);
      const failure = osError(error);
      if (failure.errno !== EINVAL) throw failure;
      throw new OsError(EINVAL, `not a network namespace: ${path}`);
    }
    return fd;
  }
}
