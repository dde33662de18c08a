// SPDX-License-Identifier: Apache-2.0
// Connection tracking.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const CONNTRACK = {
  conntrack_del: {
    params: {
      ns: 'ns',
      family: 'i32',
      protocol: 'i32',
      dst: 'str',
      dport: 'i32',
      dport_end: 'i32',
      reply_src: 'str',
    },
    reply: 'value',
    gives: 'how many there were',
    errors: ['EINVAL'],
    like:
      'conntrack -D -f $family -p $protocol --orig-dst $dst --orig-port-dst $dport-$dport_end ' +
      '--reply-src $reply_src',
    about:
      'Forgets tracked flows: of a family (linux/netfilter.h: 2 IPv4, 10 IPv6) and a protocol ' +
      '(IPPROTO_*), whose first packet went to a port in dport..dport_end and, unless empty, the ' +
      'address dst, and whose answers come, unless empty, from the address reply_src. EINVAL: a ' +
      'kernel without ctnetlink.',
  },
} as const satisfies Rows;
