// SPDX-License-Identifier: Apache-2.0
// The names of error numbers against those of this machine's Node, which has them from the C
// library.
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { callString } from '../support/lib-wasm.ts';

const name = (errno: number): string => callString('errno_name', [errno]);
/** Two names of one number, of which the kernel's own lists have the other. */
const ALIASES = ['EWOULDBLOCK', 'ENOTSUP', 'EDEADLOCK'];

test('every error number has its name', () => {
  const numbers = Object.entries(constants.errno).filter(([known]) => !ALIASES.includes(known));
  expect(numbers.length).toBeGreaterThan(70);
  expect(numbers.map(([, errno]) => name(errno))).toEqual(numbers.map(([known]) => known));
  // Those that Node does not name: of sockets, keys and memory (asm-generic/errno.h).
  expect([58, 40, 24, 97, 122, 132, 133].map(name)).toEqual([
    '58',
    ...['ELOOP', 'EMFILE', 'EAFNOSUPPORT', 'EDQUOT', 'ERFKILL', 'EHWPOISON'],
  ]);
});

test('a number that is none stays a number', () => {
  expect([0, -1, 41, 58, 134, 4095].map(name)).toEqual(['0', '-1', '41', '58', '134', '4095']);
});
