// SPDX-License-Identifier: Apache-2.0
// Programs of others.
// Rows of the host ABI (index.ts); it refuses to know what they are for.
import type { Rows } from './row.ts';

export const PLUGIN = {
  exec: {
    params: { path: 'str', env: 'bytes', stdin: 'bytes', timeout_ms: 'i32' },
    reply: 'Ended',
    errors: ['ENOENT', 'EACCES', 'ETIMEDOUT', 'EFBIG'],
    like: 'env $env timeout $timeout_ms $path <<< "$stdin"',
    about:
      "Runs a program to its end: the host's environment with $env (NAME=value, each ended by a " +
      'NUL byte) over it, at most 1 MiB of output. What it says on standard error is passed on.',
  },
} as const satisfies Rows;
