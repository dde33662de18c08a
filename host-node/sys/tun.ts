// SPDX-License-Identifier: Apache-2.0
// Making taps by /dev/net/tun (linux/if_tun.h): no message of rtnetlink does. It refuses to open
// one that is there, and to read or write packets.
import { closeSync, constants, openSync } from 'node:fs';
import { endianness } from 'node:os';
import { OsError } from '../abi/index.ts';
import { EBUSY, EEXIST, EINVAL, ioctl } from './libc.ts';

const TUN = '/dev/net/tun';
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOWNER = 0x400454cc;
const TUNSETGROUP = 0x400454ce;
const IFF_TAP = 0x2;
const IFF_MULTI_QUEUE = 0x100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const IFF_TUN_EXCL = 0x8000;
/** struct ifreq, linux/if.h: a name, and what is asked of it. */
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;
const ANYBODY = -1;

/** Makes a tap that stays in the namespace of this thread; `who` may open it, -1 for nobody. */
export function addTap(
  name: string,
  multi_queue: boolean,
  who: { readonly user: number; readonly group: number },
): void {
  const text = Buffer.from(name);
  // Without a name the kernel would choose one.
  if (text.length === 0 || text.length >= IFNAMSIZ) throw new OsError(EINVAL);
  const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL;
  const request = Buffer.alloc(IFREQ_BYTES);
  text.copy(request);
  const wanted = multi_queue ? flags | IFF_MULTI_QUEUE : flags;
  if (endianness() === 'LE') request.writeUInt16LE(wanted, IFNAMSIZ);
  else request.writeUInt16BE(wanted, IFNAMSIZ);
  const fd = openSync(TUN, constants.O_RDWR);
  try {
    setInterface(fd, request);
    // What fails from here on takes the tap along, when it is closed.
    if (who.user !== ANYBODY) ioctl(fd, TUNSETOWNER, BigInt(who.user >>> 0));
    if (who.group !== ANYBODY) ioctl(fd, TUNSETGROUP, BigInt(who.group >>> 0));
    ioctl(fd, TUNSETPERSIST, 1n);
  } finally {
    closeSync(fd);
  }
}

function setInterface(fd: number, request: Buffer): void {
  try {
    ioctl(fd, TUNSETIFF, request);
  } catch (error) {
    // Only a name that is taken is busy for who asks for one of his own.
    if (error instanceof OsError && error.errno === EBUSY) throw new OsError(EEXIST);
    throw error;
  }
}
