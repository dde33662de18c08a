// SPDX-License-Identifier: Apache-2.0
// Addresses in replies of rtnetlink. It refuses to trust one (see reply.ts).
import type { Address } from '../../abi/index.ts';
import {
  AF_INET,
  AF_INET6,
  IFA_ADDRESS,
  IFA_F_DADFAILED,
  IFA_F_TENTATIVE,
  IFA_FLAGS,
  IFA_LOCAL,
  IFADDRMSG_LEN,
} from './constants.ts';
import { formatIp } from './ip.ts';
import { eachAttr, type Message, truncated } from './reply.ts';

/** The ifindex of an RTM_NEWADDR. */
export function addressIndex(message: Message): number {
  return message.i32(4);
}

/** Adds the address of an RTM_NEWADDR to `into` when it is IP and on `ifindex`. */
export function parseAddress(message: Message, ifindex: number, into: Address[]): void {
  const family = message.u8(0);
  if ((family !== AF_INET && family !== AF_INET6) || addressIndex(message) !== ifindex) return;
  let own: Uint8Array | undefined;
  let far: Uint8Array | undefined;
  let flags = message.u8(2);
  eachAttr(message.from(IFADDRMSG_LEN), (type, value) => {
    if (type === IFA_LOCAL) own = value.raw();
    else if (type === IFA_ADDRESS) far = value.raw();
    else if (type === IFA_FLAGS) flags = value.u32();
  });
  // With a point-to-point peer IFA_ADDRESS is the peer's, IFA_LOCAL our own.
  const bytes = own ?? far;
  if (bytes === undefined) throw truncated();
  into.push({
    address: `${formatIp(bytes)}/${message.u8(1)}`,
    scope: message.u8(3),
    tentative: (flags & IFA_F_TENTATIVE) !== 0,
    dadfailed: (flags & IFA_F_DADFAILED) !== 0,
  });
}
