// SPDX-License-Identifier: Apache-2.0
// Sockets of processes.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const SOCKET = {
  socket_listens: {
    params: { ns: 'ns', protocol: 'i32', address: 'str', port: 'i32' },
    reply: 'value',
    gives: '1 when a process would get what comes there first, else 0',
    errors: ['EINVAL', 'EOPNOTSUPP'],
    like: 'ss -H -ltun src $address:$port',
    about:
      'Looks for a socket that takes new flows (IPPROTO_* 6: listening, 17: bound) to an address ' +
      'and port, as the kernel does for a packet; 0.0.0.0 and :: find those for any address. ' +
      'EOPNOTSUPP: a kernel without sock_diag, or another protocol.',
  },
} as const satisfies Rows;
