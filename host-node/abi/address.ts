// SPDX-License-Identifier: Apache-2.0
// Addresses of links.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const ADDRESS = {
  addr_add: {
    params: { ns: 'ns', ifindex: 'i32', address: 'str', nodad: 'bool' },
    errors: ['EEXIST', 'ENODEV', 'EACCES'],
    like: 'ip addr add $address dev $ifindex nodad',
    about:
      'Adds an address with its prefix length, global scope; IPv4 with prefix < 31 gets the ' +
      'broadcast address. nodad (IPv6) skips duplicate address detection.',
  },
  addr_del: {
    params: { ns: 'ns', ifindex: 'i32', address: 'str' },
    errors: ['EADDRNOTAVAIL', 'ENODEV'],
    like: 'ip addr del $address dev $ifindex',
    about: 'Removes an address.',
  },
  addr_list: {
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'Address[]',
    gives: 'IPv4 first',
    errors: ['ENODEV'],
    like: 'ip addr show dev $ifindex',
    about: 'Addresses of a link, link-local ones included.',
  },
} as const satisfies Rows;
