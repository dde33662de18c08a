// SPDX-License-Identifier: Apache-2.0
// Opens the test build of core-as/lib through AssemblyScript's loader: strings and bytes in and out
// of its exports. It owns the marshalling; what the functions do is core-as/test/lib.ts.
import { readFileSync } from 'node:fs';
import { instantiateSync } from '@assemblyscript/loader';
import { distPath } from './wasm.ts';

type Exported = (...args: (number | bigint)[]) => number;
type Argument = string | Uint8Array | number | bigint | boolean;

const BUILD = readFileSync(distPath('test-lib.wasm'));
const wasm = instantiateSync<Record<string, unknown>>(BUILD).exports;

function lower(value: Argument): number | bigint {
  if (typeof value === 'string') return wasm.__newString(value);
  if (value instanceof Uint8Array) return wasm.__newArrayBuffer(Uint8Array.from(value).buffer);
  return typeof value === 'boolean' ? Number(value) : value;
}

/** Calls an export. Its arguments are pinned: making the second may collect the first. */
function call(name: string, args: Argument[]): number {
  const lowered: (number | bigint)[] = [];
  const pinned: number[] = [];
  for (const value of args) {
    const low = lower(value);
    lowered.push(low);
    if (typeof value === 'string' || value instanceof Uint8Array) {
      pinned.push(wasm.__pin(Number(low)));
    }
  }
  const result = (wasm[name] as Exported)(...lowered);
  for (const pointer of pinned) wasm.__unpin(pointer);
  return result;
}

export const callNumber = call;

export const callBoolean = (name: string, args: Argument[]): boolean => call(name, args) !== 0;

export const callString = (name: string, args: Argument[]): string =>
  wasm.__getString(call(name, args));

export const callBytes = (name: string, args: Argument[]): Uint8Array =>
  new Uint8Array(wasm.__getArrayBuffer(call(name, args)));

/** A text as UTF-8. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** mulberry32: numbers in [0, 1) that a seed fixes, so that a failure can be seen again. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
