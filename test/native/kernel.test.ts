// SPDX-License-Identifier: Apache-2.0
// The operations of the kernel in C: everything that the tests of the Node host's say of them, and
// what the simulated kernel is compared with, once more on the native host's driver.

import { underTest } from '../support/kernel-driver.ts';
import { buildNativeDriver, nativeDriver } from '../support/native-driver.ts';

const path = await buildNativeDriver();
underTest.open = (options) => nativeDriver(path, options);
underTest.here = false;

await import('../drivers/netlink.test.ts');
await import('../sim/kernel.test.ts');
await import('../sim/nft.test.ts');
