// SPDX-License-Identifier: Apache-2.0
// The real machine as a driver: rtnetlink and sysctls for the kernel, plain files for the store,
// processes for foreign plugins.
import type { Driver } from '../abi/index.ts';
import { fileDriver } from './files.ts';
import { netlinkDriver } from './netlink.ts';
import { pluginDriver } from './plugin.ts';

export interface RealOptions {
  /** Path of the namespace that handle 0 means; the process's own when absent. */
  readonly hostNetns?: string;
  /** Put before every path of the store operations. */
  readonly root?: string;
}

/** A driver on this machine. `close` gives back sockets, namespaces and locks. */
export function realDriver(options: RealOptions = {}): Driver & { close(): void } {
  const kernel = netlinkDriver(options);
  const store = fileDriver(options);
  const close = (): void => {
    kernel.close();
    store.close();
  };
  return { ...kernel, ...store, ...pluginDriver(options), close };
}
