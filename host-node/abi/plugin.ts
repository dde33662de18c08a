// SPDX-License-Identifier: Apache-2.0
// Programs of others.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const PLUGIN = {
  exec: {
    waits: true,
    params: { path: 'str', env: 'bytes', stdin: 'bytes', timeout_ms: 'i32' },
    reply: 'Ended',
    errors: ['ENOENT', 'EACCES', 'ETIMEDOUT', 'EFBIG'],
    like: 'env $env timeout $timeout_ms $path <<< "$stdin"',
    about:
      "Runs a program to its end: the host's environment with $env (NAME=value, each ended by a " +
      'NUL byte) over it, at most 1 MiB of output. What it says on standard error is passed on.',
  },
  socket_call: {
    waits: true,
    params: { path: 'str', opening: 'bytes', request: 'bytes', timeout_ms: 'i32' },
    reply: 'bytes',
    gives: 'all that is answered',
    errors: ['ENOENT', 'ECONNREFUSED', 'EACCES', 'ETIMEDOUT', 'EFBIG'],
    like: 'timeout $timeout_ms socat - UNIX-CONNECT:$path <<< "$request"',
    about:
      'Calls a process that listens on a socket of the file system: says $opening, waits for a ' +
      'first word, says $request and no more, and hears the other out, at most 1 MiB. An empty ' +
      '$opening only finds out whether somebody listens.',
  },
} as const satisfies Rows;
