// SPDX-License-Identifier: Apache-2.0
// nftables: transactions as bytes, and what lies in tables.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const NFT = {
  batch: {
    waits: true,
    params: { ns: 'ns', messages: 'bytes', words: 'str' },
    errors: ['ENOENT', 'EEXIST', 'EBUSY', 'EINVAL', 'ERESTART', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft -f - <<< "$words"',
    about:
      'Sends one nftables transaction; all of it happens or nothing. `messages` are nfnetlink ' +
      'messages from begin to end, numbered from 0, the last before the end asking for an ' +
      'acknowledgement; `words` say the same, a command a line. The error is that of the first ' +
      'message that failed. The begin may name a generation, in the words "# generation N": ' +
      'ERESTART when it is not that of now. What was deleted is out of sight when it answers; ' +
      'the kernel may still be busy freeing it.',
  },
  generation: {
    params: { ns: 'ns' },
    reply: 'i64',
    gives: 'a number that is never 0',
    errors: ['EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft monitor',
    about: 'The generation of all tables: each transaction of anybody that changes them ends one.',
  },
  rule_list: {
    params: { ns: 'ns', family: 'i32', table: 'str' },
    reply: 'NftRule[]',
    gives: 'in the order of the kernel',
    errors: ['EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft list table $family $table',
    about:
      'The comment of every rule of a table, "" for none. A table that is not there has no ' +
      'rules. family is a number of linux/netfilter.h: 1 inet, 7 bridge.',
  },
  chain_get: {
    params: { ns: 'ns', family: 'i32', table: 'str', chain: 'str' },
    reply: 'NftChain',
    gives: 'its rules in the order of the kernel',
    errors: ['ENOENT', 'EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft -a list chain $family $table $chain',
    about:
      'One chain: how many rules it has and rules and elements lead to it, in sum (`use`), and ' +
      'the handle and comment of its rules, and what their expressions are called in the kernel ' +
      '(linux/netfilter/nf_tables.h), a verdict in the words of nft, a match or a target of ' +
      'xtables with its name.',
  },
  chain_list: {
    params: { ns: 'ns', hooknum: 'i32' },
    reply: 'NftBase[]',
    errors: ['EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft list chains',
    about:
      'Base chains of all tables and families at a hook, a number of linux/netfilter.h: 2 ' +
      'forward.',
  },
  element_list: {
    params: { ns: 'ns', family: 'i32', table: 'str', set: 'str' },
    reply: 'NftElement[]',
    errors: ['ENOENT', 'EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft list set $family $table $set',
    about: "All elements of a set or map: bytes in hex, a verdict in nft's words.",
  },
  element_get: {
    params: { ns: 'ns', family: 'i32', table: 'str', set: 'str', key: 'bytes' },
    reply: 'NftElement[]',
    gives: 'one element',
    errors: ['ENOENT', 'EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'],
    like: 'nft get element $family $table $set { $key }',
    about: 'The element of a key; ENOENT when it, its set or its table is not there.',
  },
} as const satisfies Rows;
