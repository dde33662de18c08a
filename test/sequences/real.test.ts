// SPDX-License-Identifier: Apache-2.0
// The random sequences on the real kernel, through the Node host's drivers.
import { describe, test } from 'vitest';
import { needsRoot } from '../support/needs.ts';
import { countFrom, SEQUENCES } from '../support/tries.ts';
import { chosen, expectSound, HAPPENS, LONG_MS, tryMany } from './attempts.ts';
import { BEFORE } from './networks.ts';
import { realStage } from './stage.ts';

describe.skipIf(needsRoot !== '')(`real kernel ${needsRoot}`, () => {
  const count = countFrom('REAL_SEQUENCES', SEQUENCES.real);
  test(
    `${count} random sequences`,
    () => {
      const tried = tryMany(() => realStage(BEFORE), SEQUENCES.real_events_max, count, chosen);
      expectSound(tried, 'real', count < SEQUENCES.real ? [] : HAPPENS);
    },
    LONG_MS,
  );
});
