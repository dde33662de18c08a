// SPDX-License-Identifier: Apache-2.0
// What lies in the file tree of the simulated kernel: contents and executables. It refuses to know
// where.
import { BOOT_NS, CLOCK_NS } from "./clock";

/** A file's bytes; never changed in place. */
export class Content {
  /** When it was written. */
  mtime_ns: i64 = CLOCK_NS;
  constructor(
    public ptr: usize,
    public len: i32,
  ) {}
  get before_boot(): bool {
    return this.mtime_ns < BOOT_NS;
  }
}

/** An executable that always says the same. */
export class Program {
  constructor(
    public exit_code: i32,
    public stdout: string,
  ) {}
}

/** The folder that a path lies in. */
export function folder_of(path: string): string {
  return path.substring(0, path.lastIndexOf("/"));
}
