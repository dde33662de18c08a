// SPDX-License-Identifier: Apache-2.0
// What the core asks of the program around it: standard input, a line for a human, time, and the
// slot that replies lie in.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const HOST = {
  reply_len: {
    reply: 'value',
    gives: 'the byte length of the reply slot',
    about: 'Length of what the last operation left in the reply slot.',
  },
  reply_read: {
    params: { into: 'out' },
    reply: 'value',
    gives: 'the number of bytes copied',
    about: "Copies the reply slot into the core's own buffer, as much as fits.",
  },
  stdin_read: {
    params: { limit_bytes: 'i32' },
    reply: 'bytes',
    gives: 'everything on standard input',
    errors: ['EFBIG', 'EIO'],
    like: 'cat',
    about: 'Reads standard input to its end; EFBIG when there is more than the limit.',
  },
  log: {
    params: { text: 'str' },
    like: 'echo $text >&2',
    about: 'Writes one line for a human to standard error.',
  },
  sleep: {
    waits: true,
    params: { duration_ms: 'i32' },
    like: 'sleep',
    about: 'Waits, for the bounded polls of a link or an address becoming ready.',
  },
  confine: {
    params: { folders: 'str', programs: 'str', make: 'bool' },
    about:
      'Says how far the call reaches, before it changes anything but its locks: ' +
      'it writes below these folders, a line each, and executes these programs, a line each: a ' +
      'name is that of a file in a folder of CNI_PATH, all else a path, of a socket to ' +
      'call too. The folder / is all of ' +
      'them. With `make` those that are missing are made. A host may hold the call to it, or do ' +
      'nothing; that of a second call in one process may count for nothing.',
  },
  panic: {
    params: { msg: 'str', file: 'str', line: 'i32', col: 'i32' },
    about: 'A failed assertion of the core: a bug. The core traps right after.',
  },
} as const satisfies Rows;
