// SPDX-License-Identifier: Apache-2.0
// The folder of what is known until the next boot: records, locks, the index of leases. It is named
// once, before any of it is used, and refuses to know what lies there.

/** Where it is unless somebody says otherwise. */
const USUAL = "/run/fairlead";

let dir: string = USUAL;

/** The folder, as an absolute path. */
export function state_dir(): string {
  return dir;
}

/** Names another folder, "" for the usual one. All calls of a node must name the same. */
export function state_dir_move(to: string): void {
  dir = to.length > 0 ? to : USUAL;
}
