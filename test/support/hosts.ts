// SPDX-License-Identifier: Apache-2.0
// The programs that a node may have as its plugins: what holds of one must hold of the other.
import { needsNative } from './needs.ts';
import { distPath } from './wasm.ts';

export interface Host {
  readonly host: string;
  /** The path of the program, which is called by the name of a link to it. */
  readonly program: string;
  /** "" when it is there, else why not. */
  readonly why: string;
}

export const NODE: Host = { host: 'Node host', program: distPath('fairlead'), why: '' };
export const NATIVE: Host = {
  host: 'native host',
  program: distPath('fairlead-native'),
  why: needsNative,
};
export const HOSTS: readonly Host[] = [NODE, NATIVE];
