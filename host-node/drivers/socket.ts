// SPDX-License-Identifier: Apache-2.0
// The operation on sockets of processes: one is looked up as a packet would find it.
import { type Driver, OsError } from '../abi/index.ts';
import { ENOENT, EOPNOTSUPP } from '../sys/libc.ts';
import { NETLINK_SOCK_DIAG } from '../sys/netlink.ts';
import { parseIp } from '../sys/rtnetlink/index.ts';
import { IPPROTO_TCP, IPPROTO_UDP, socketOf } from '../sys/sock-diag.ts';
import type { Spaces } from './spaces.ts';

/** As the operation socket_listens. */
export function socketListens(
  spaces: Spaces,
  { ns, protocol, address, port }: Parameters<Driver['socket_listens']>[0],
): number {
  if (protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP) {
    throw new OsError(EOPNOTSUPP, 'sockets of this protocol');
  }
  const ip = parseIp(address);
  try {
    const found = spaces
      .socket(ns, NETLINK_SOCK_DIAG)
      .get(socketOf(protocol, ip, port), () => true);
    return found === undefined ? 0 : 1;
  } catch (error) {
    if (error instanceof OsError && error.errno === ENOENT) return 0;
    throw error;
  }
}
