// SPDX-License-Identifier: Apache-2.0
// Network namespaces and their sysctls.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const NETNS = {
  netns_open: {
    params: { path: 'str' },
    reply: 'value',
    gives: 'a netns handle, >= 1',
    errors: ['ENOENT', 'EINVAL', 'EACCES'],
    like: 'ip netns attach',
    about: 'Opens a network namespace; EINVAL when the path is there but is not one.',
  },
  netns_same: {
    params: { a: 'ns', b: 'ns' },
    reply: 'value',
    gives: '1 when both are one namespace (device and inode equal), else 0',
    like: '[ $a -ef $b ]',
    about: 'Compares two namespaces.',
  },
  netns_id: {
    params: { ns: 'ns' },
    reply: 'text',
    gives: 'cookie:NUMBER (SO_NETNS_COOKIE), before Linux 5.14 DEVICE:INODE of its file',
    like: 'stat -Lc %d:%i $ns',
    about:
      'Tells a namespace from every other of this boot, also from a later one at the same path. ' +
      'A number of an inode may be given again.',
  },
  netns_close: {
    params: { ns: 'ns' },
    like: 'exec {ns}<&-',
    about:
      'Gives a namespace back, with the sockets in it; netns_open may give its handle again. The ' +
      "host's own stays.",
  },
  sysctl_read: {
    params: { ns: 'ns', key: 'str' },
    reply: 'text',
    gives: 'the value without its newline',
    errors: ['ENOENT', 'EACCES'],
    like: 'cat /proc/sys/$key',
    about: 'Reads a sysctl of the namespace; the key is the path below /proc/sys/ and starts net/.',
  },
  sysctl_write: {
    params: { ns: 'ns', key: 'str', value: 'str' },
    errors: ['ENOENT', 'EACCES', 'EROFS', 'EINVAL'],
    like: 'echo $value > /proc/sys/$key',
    about: 'Writes a sysctl of the namespace; same keys as sysctl_read.',
  },
} as const satisfies Rows;
