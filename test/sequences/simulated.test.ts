// SPDX-License-Identifier: Apache-2.0
// Random sequences of ADD, CHECK, DEL, GC and STATUS over many containers and networks, with
// operations that fail, namespaces that go and reboots, against the model: on the simulated kernel.
// A failure prints its seed and the shrunk sequence as a fixture.
import { describe, test } from 'vitest';
import { countFrom, SEQUENCES } from '../support/tries.ts';
import { chosen, expectSound, HAPPENS, LONG_MS, tryMany } from './attempts.ts';
import { EXAMPLES } from './examples.ts';
import { BEFORE } from './networks.ts';
import { playSequence } from './play.ts';
import { simulatedStage } from './stage.ts';

/** What needs more than the real kernel has time for. */
const HAPPENS_SIMULATED = [
  ...['ADD lost', 'ADD dies', 'CHECK 7', 'DEL fails', 'DEL lost', 'DEL dies', 'GC 1', 'GC 7'],
  ...['GC fails', 'STATUS 50', 'healed', 'reclaimed', 'namespaces made'],
];

describe('simulated kernel', () => {
  const count = countFrom('SEQUENCES', SEQUENCES.simulated);
  test(
    `${count} random sequences`,
    () => {
      const tried = tryMany(
        () => simulatedStage(BEFORE),
        SEQUENCES.simulated_events_max,
        count,
        chosen,
      );
      const all = [...HAPPENS, ...HAPPENS_SIMULATED];
      expectSound(tried, 'simulated', count < SEQUENCES.simulated ? [] : all);
    },
    LONG_MS,
  );

  test.each(Object.entries(EXAMPLES))('once wrong: %s', (_, sequence) => {
    playSequence(simulatedStage(BEFORE), sequence, new Map());
  });
});
