// SPDX-License-Identifier: Apache-2.0
// What performs the operations of all modules but host: a type derived from the table, so that a
// driver that lacks an operation, or gives another shape than its row says, does not compile.

import type { JsonOf } from './shapes.ts';
import type { MODULES } from './table.ts';

type Modules = typeof MODULES;
type Arg<T> = T extends 'i32' | 'bool' | 'ns' ? number : T extends 'str' ? string : Uint8Array;
type ArgsOf<R> = R extends { params: infer P } ? { -readonly [K in keyof P]: Arg<P[K]> } : object;
type ReplyOf<R> = R extends { reply: infer T }
  ? T extends 'value'
    ? number
    : T extends 'text' | 'bytes'
      ? Uint8Array
      : JsonOf<T>
  : void;
type Methods<M extends keyof Modules> = {
  [K in keyof Modules[M]]: (args: ArgsOf<Modules[M][K]>) => ReplyOf<Modules[M][K]>;
};

/** The operations of a module: arguments come by name, failures are thrown as {@link OsError}. */
export type DriverOf<M extends keyof Modules> = Methods<M>;

/** The operations of the module kernel whose names begin with a word. */
export type KernelPart<Word extends string> = Pick<
  DriverOf<'kernel'>,
  Extract<keyof DriverOf<'kernel'>, `${Word}_${string}`>
>;

/** A host's whole driver. */
export type Driver = DriverOf<'kernel'> & DriverOf<'nft'> & DriverOf<'store'> & DriverOf<'plugin'>;

/** A failed operation: POSIX errno, and the kernel's own words where it gave any. */
export class OsError extends Error {
  readonly errno: number;
  readonly text: string;
  constructor(errno: number, text = '') {
    super(text === '' ? `errno ${errno}` : `errno ${errno}: ${text}`);
    this.errno = errno;
    this.text = text;
  }
}
