// SPDX-License-Identifier: Apache-2.0
// The table of CNI types for tests, as the core that was built gives it. It knows no type itself.
import { linkNames, readTypes, type TypeTable } from '../../host-node/cli/types.ts';
import { wasmModule } from './wasm.ts';

let table: TypeTable | undefined;

/** Every known type, and the keys that none owns. */
export function typeTable(): TypeTable {
  table ??= readTypes(wasmModule('tools'), wasmModule('sim'));
  return table;
}

/** The types that are ours, but `fairlead`. */
export const ownTypes = (): readonly string[] => linkNames(typeTable());

/** What the types that texts of configurations name need of the kernel. */
export function kernelNeeds(texts: readonly string[]): string[] {
  const named = texts.flatMap((text) =>
    [...text.matchAll(/"type"\s*:\s*"([^"]*)"/gi)].map(([, type]) => type),
  );
  const needs = typeTable().types.filter(({ name, ours }) => ours && named.includes(name));
  return [...new Set(needs.flatMap(({ kernel }) => kernel))];
}
