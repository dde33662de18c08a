// SPDX-License-Identifier: Apache-2.0
// The random sequences on the real kernel, through the native host's operations.
import { describe, test } from 'vitest';
import { fileDriver } from '../../host-node/drivers/files.ts';
import { pluginDriver } from '../../host-node/drivers/plugin.ts';
import { buildNativeDriver, nativeDriver } from '../support/native-driver.ts';
import { needsNative } from '../support/needs.ts';
import { countFrom, SEQUENCES } from '../support/tries.ts';
import type { Open } from '../support/world.ts';
import { chosen, expectSound, LONG_MS, tryMany } from './attempts.ts';
import { BEFORE } from './networks.ts';
import { realStage } from './stage.ts';

/** The operations of the kernel in C, under sanitizers; files lie where the test has them. */
const openNative =
  (program: string): Open =>
  (options) => {
    const kernel = nativeDriver(program, { hostNetns: options.hostNetns ?? '' });
    const store = fileDriver(options);
    const close = (): void => {
      store.close();
      void kernel.close();
    };
    return { ...kernel, ...store, ...pluginDriver(options), close };
  };

describe.skipIf(needsNative !== '')(`native host's operations, real kernel ${needsNative}`, () => {
  const count = countFrom('REAL_SEQUENCES', SEQUENCES.native);
  test(
    `${count} random sequences`,
    async () => {
      const open = openNative(await buildNativeDriver());
      const make = () => realStage(BEFORE, open);
      expectSound(tryMany(make, SEQUENCES.real_events_max, count, chosen), 'real', []);
    },
    LONG_MS,
  );
});
