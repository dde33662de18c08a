// SPDX-License-Identifier: Apache-2.0
// What the kernel tells of its own accord (rtnetlink groups): that a link, an address, a
// neighbour or a route changed. It owns the socket, and says only whether a change is about
// links of interest: the kernel is then looked at anew. It refuses to interpret a change.
import { closeSync, readSync, writeSync } from 'node:fs';
import { setsockopt, socket } from '../../host-node/sys/libc.ts';
import { command } from '../../host-node/sys/netlink.ts';
import * as rt from '../../host-node/sys/rtnetlink/index.ts';

// linux/netlink.h, linux/rtnetlink.h, asm-generic/fcntl.h
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
/** Links, neighbours, IPv4 and IPv6 addresses. */
const GROUPS = [1, 3, 5, 9];
const BUFFER_BYTES = 1 << 16;
const NEIGHBOUR_TYPES = new Set([28, 29]);

export class KernelEvents {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

  constructor() {
    this.#fd = socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, 0);
    for (const group of GROUPS) {
      setsockopt(this.#fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Uint8Array.of(group, 0, 0, 0));
    }
    // The first message gives the socket its address; a link that is not there is an answer too.
    writeSync(this.#fd, command(rt.RTM_GETLINK).ifinfomsg(rt.AF_UNSPEC, 0x7fffffff, 0, 0).seal(1));
  }

  /**
   * Takes what came since the last time. Whether something of it is about one of the links, or a
   * link of one of the names, or something was lost.
   */
  about(ifindices: ReadonlySet<number>, names: ReadonlySet<string>): boolean {
    let found = false;
    for (;;) {
      let length: number;
      try {
        length = readSync(this.#fd, this.#buffer);
      } catch (error) {
        // EAGAIN: that was all. ENOBUFS: more came than was kept.
        return found || (error as NodeJS.ErrnoException).code !== 'EAGAIN';
      }
      rt.eachMessage(this.#buffer, length, (message) => {
        found ||= this.#concerns(message, ifindices, names);
      });
    }
  }

  #concerns(
    message: rt.Message,
    ifindices: ReadonlySet<number>,
    names: ReadonlySet<string>,
  ): boolean {
    const link = message.type === rt.RTM_NEWLINK || message.type === rt.RTM_DELLINK;
    const address = message.type === rt.RTM_NEWADDR || message.type === rt.RTM_DELADDR;
    if (!link && !address && !NEIGHBOUR_TYPES.has(message.type)) return false;
    // ifinfomsg, ifaddrmsg and ndmsg have the index in one place.
    if (ifindices.has(message.i32(4))) return true;
    return link && names.has(rt.parseLink(message).name);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
