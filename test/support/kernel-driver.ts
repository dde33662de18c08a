// SPDX-License-Identifier: Apache-2.0
// Which driver of the kernel operations the tests of test/drivers/netlink.test.ts try: the Node
// host's, unless test/native/ put another here before it loads them.
import {
  type NetlinkDriver,
  type NetlinkOptions,
  netlinkDriver,
} from '../../host-node/drivers/netlink.ts';

/** `close` may have to wait for a process to end. */
export type KernelDriver = Omit<NetlinkDriver, 'close'> & { close(): unknown };

export const underTest: {
  open: (options?: NetlinkOptions) => KernelDriver;
  /** Whether it is this process that enters namespaces. */
  here: boolean;
} = { open: netlinkDriver, here: true };
