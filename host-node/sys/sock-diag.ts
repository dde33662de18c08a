// SPDX-License-Identifier: Apache-2.0
// The words of sock_diag(7) for one socket: asking for the one that a packet to an address and port
// would find. It refuses to list sockets.
import { command } from './netlink.ts';
import { AF_INET, AF_INET6, type Request } from './rtnetlink/index.ts';

// linux/sock_diag.h, linux/inet_diag.h
const SOCK_DIAG_BY_FAMILY = 20;
const ADDRESS_BYTES = 16;
const ANY_STATE = 0xffffffff;
const NO_COOKIE = 0xffffffff;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;

/** What inet_diag has to say of a listener; of datagrams it looks up as if a packet came there. */
export function socketOf(protocol: number, address: Uint8Array, port: number): Request {
  const request = command(SOCK_DIAG_BY_FAMILY)
    .u8(address.length === ADDRESS_BYTES ? AF_INET6 : AF_INET)
    .u8(protocol)
    .u16(0)
    .u32(ANY_STATE);
  const own = Buffer.concat([address, Buffer.alloc(ADDRESS_BYTES - address.length)]);
  const none = Buffer.alloc(ADDRESS_BYTES);
  const bound = protocol === IPPROTO_TCP;
  const [source, destination] = bound ? [port, 0] : [0, port];
  return request
    .raw(Buffer.from([source >> 8, source & 0xff, destination >> 8, destination & 0xff]))
    .raw(bound ? own : none)
    .raw(bound ? none : own)
    .u32(0)
    .u32(NO_COOKIE)
    .u32(NO_COOKIE);
}
