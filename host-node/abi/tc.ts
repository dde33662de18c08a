// SPDX-License-Identifier: Apache-2.0
// Traffic control: qdiscs, and filters of what comes in.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const TC = {
  qdisc_get: {
    params: { ns: 'ns', ifindex: 'i32', parent: 'i32' },
    reply: 'Qdisc',
    errors: ['ENODEV', 'ENOENT'],
    like: 'tc qdisc show dev $ifindex $parent',
    about:
      'The qdisc at a place of linux/pkt_sched.h: TC_H_ROOT (-1), TC_H_INGRESS (-15). handle 0: ' +
      "the kernel's own default. ENOENT: none, as of a link that was never up.",
  },
  qdisc_add_ingress: {
    params: { ns: 'ns', ifindex: 'i32' },
    errors: ['EEXIST', 'ENODEV', 'ENOENT'],
    like: 'tc qdisc add dev $ifindex handle ffff: ingress',
    about:
      'Adds the qdisc that filters of incoming packets hang on. EEXIST: it or a clsact is there.',
  },
  qdisc_add_tbf: {
    params: {
      ns: 'ns',
      ifindex: 'i32',
      handle: 'i32',
      rate_low: 'i32',
      rate_high: 'i32',
      limit_bytes: 'i32',
      buffer_ticks: 'i32',
    },
    errors: ['EEXIST', 'ENODEV', 'ENOENT', 'EINVAL'],
    like:
      'tc qdisc add dev $ifindex root handle $handle tbf rate $rate_low limit $limit_bytes burst ' +
      '$buffer_ticks',
    about:
      'Puts a token bucket filter (struct tc_tbf_qopt) at the root. The rate is in bytes a ' +
      'second, in two halves of 32 bits; from 2^32 on it goes into TCA_TBF_RATE64. buffer_ticks: ' +
      'the time of a burst, 64 ns each. All are unsigned; no peak rate, no rate table. EEXIST: a ' +
      "root other than the kernel's default; EINVAL: a burst below one byte; ENOENT: a kernel " +
      'without tbf.',
  },
  qdisc_del: {
    params: { ns: 'ns', ifindex: 'i32', parent: 'i32', handle: 'i32' },
    errors: ['ENODEV', 'ENOENT', 'EINVAL'],
    like: 'tc qdisc del dev $ifindex $parent handle $handle',
    about:
      'Removes the qdisc at a place, as qdisc_get has it, with what hangs on it. ENOENT, EINVAL: ' +
      'there is none of this handle.',
  },
  filter_list: {
    params: { ns: 'ns', ifindex: 'i32' },
    reply: 'Filter[]',
    gives: 'by pref',
    errors: ['ENODEV'],
    like: 'tc filter show dev $ifindex ingress',
    about:
      'Filters of incoming packets, heads and hash tables included. `to` is the ifindex of the ' +
      'link that a u32 filter redirects to.',
  },
  filter_add_redirect: {
    params: { ns: 'ns', ifindex: 'i32', pref: 'i32', to: 'i32' },
    errors: ['ENODEV', 'ENOENT', 'EINVAL'],
    like:
      'tc filter add dev $ifindex ingress protocol all pref $pref u32 match u32 0 0 flowid 1:1 ' +
      'action mirred egress redirect dev $to',
    about:
      'Sends all incoming packets out of another link (an ifb gives them back). EINVAL: no qdisc ' +
      'to hang it on, or a filter of another kind has the pref; ENOENT: a kernel without u32 or ' +
      'mirred.',
  },
  filter_del: {
    params: { ns: 'ns', ifindex: 'i32', pref: 'i32', handle: 'i32' },
    errors: ['ENODEV', 'ENOENT', 'EINVAL'],
    like: 'tc filter del dev $ifindex ingress protocol all pref $pref handle $handle u32',
    about:
      'Removes one u32 filter of incoming packets, with handle 0 all of that pref. ENOENT: there ' +
      'is none; EINVAL: nor a qdisc that it could hang on.',
  },
} as const satisfies Rows;
