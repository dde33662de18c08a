// SPDX-License-Identifier: Apache-2.0
// Runs before each test file that needs the machine for itself (vitest.config.mjs): it waits until
// no other of them runs, in this run of tests or in another. Beside them goes one file that keeps
// to a processor of its own.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { withLock } from '../../tools/lock.mjs';

const BESIDE = '/test/uml/uml.test.ts';
const LOCK = join(tmpdir(), 'fairlead-tests-alone.lock');

if (!expect.getState().testPath?.endsWith(BESIDE)) {
  const over = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const ended = withLock(
    LOCK,
    () => {},
    () => {
      held.resolve();
      return over.promise;
    },
  );
  await Promise.race([held.promise, ended]);
  afterAll(async () => {
    over.resolve();
    await ended;
  });
}
