// SPDX-License-Identifier: Apache-2.0
// Rules of policy routing.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const RULE = {
  fib_rule_add: {
    params: { ns: 'ns', src: 'str', table: 'i32', priority: 'i32' },
    errors: ['EEXIST', 'EOPNOTSUPP'],
    like: 'ip rule add from $src table $table priority $priority',
    about:
      'Has packets from a prefix, at least one bit long, looked up in a table. priority 0 puts ' +
      'the rule before all but the first. EOPNOTSUPP: a kernel without policy routing.',
  },
  fib_rule_del: {
    params: { ns: 'ns', src: 'str', table: 'i32', priority: 'i32' },
    errors: ['ENOENT', 'EOPNOTSUPP'],
    like: 'ip rule del from $src table $table priority $priority',
    about: 'Removes the first rule that matches, of whatever priority when it is 0.',
  },
  fib_rule_list: {
    params: { ns: 'ns' },
    reply: 'FibRule[]',
    gives: 'IPv4 first, in the order in which they are asked',
    errors: ['EOPNOTSUPP'],
    like: 'ip rule show',
    about:
      'Policy routing rules of both families; src "" is any, table 0 none. more: the rule asks ' +
      'for more than the source, or does something else than look into its table.',
  },
} as const satisfies Rows;
