// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

/**
 * What needs the machine for itself: it measures rates, memory or how long a lock is waited for,
 * starts engines or a browser, or looks at what is the machine's own. All else has namespaces and
 * folders of its own and goes side by side. portmap has calls that race: beside others, an ADD that
 * is refused now and then leaves its port behind, when a third restored it meanwhile.
 */
const ALONE = [
  ...['bandwidth', 'containerd', 'crowd', 'podman', 'portmap', 'program', 'replay', 'runner'].map(
    (name) => `test/e2e/${name}.test.ts`,
  ),
  'test/e2e/overlay-crowd.test.ts',
  'test/e2e/overlay-flannel.test.ts',
  ...['confine', 'linger', 'lock', 'program'].map((name) => `test/native/${name}.test.ts`),
  'test/cli/install.test.ts',
  'test/tools/*.test.ts',
  'test/web/page.test.ts',
];

/** It keeps one processor busy for as long as those take, which seldom need both. */
const BESIDE = 'test/uml/uml.test.ts';

/** What takes longest, so that no processor waits for it in the end. */
const LONGEST = [
  ...['uml/uml', 'fixtures/faults-real', 'fixtures/referee', 'e2e/heal', 'fixtures/native'],
  ...['fixtures/node', 'fixtures/native-variants', 'sequences/real', 'e2e/firewall'],
  ...['sequences/native', 'fuzz/fuzz', 'fixtures/faults', 'leases/scale', 'native/kernel'],
  ...['core/wasi', 'fixtures/versions'],
].map((name) => `test/${name}.test.ts`);

/** It has a race of ours that others' work makes likelier (above): when most of that is done. */
const LAST = '/test/e2e/portmap.test.ts';

/** Those first, in that order. */
class LongestFirst extends BaseSequencer {
  async sort(files) {
    const rank = ({ moduleId }) => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(path));
      if (moduleId.endsWith(LAST)) return LONGEST.length + 1;
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    // Namespaces are entered by the thread that a process starts with: a worker thread has none.
    pool: 'forks',
    setupFiles: ['test/support/built.ts'],
    testTimeout: 60000,
    hookTimeout: 120000,
    // A second is nothing unusual where programs are started.
    slowTestThreshold: 30000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, BESIDE],
          // More than processors: most files wait for the kernel half of the time.
          maxWorkers: availableParallelism() + 2,
          // The reference plugins start hundreds of programs for one of the fixtures.
          testTimeout: 240000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'one by one',
          include: [...ALONE, BESIDE],
          setupFiles: ['test/support/alone.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
