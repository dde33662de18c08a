import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * What takes longest and measures no time: side by side. The rest follows, one file after another,
 * since packets, limits and races of theirs would feel each other.
 */
const SIDE_BY_SIDE = ['test/fixtures/*.test.ts', 'test/sequences/*.test.ts', 'test/uml/*.test.ts'];

export default defineConfig({
  test: {
    // Namespaces are entered by the thread that a process starts with: a worker thread has none.
    pool: 'forks',
    setupFiles: ['test/support/built.ts'],
    testTimeout: 60000,
    hookTimeout: 120000,
    // A second is nothing unusual where programs are started.
    slowTestThreshold: 30000,
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: SIDE_BY_SIDE,
          // One more than processors: a file that waits for its carriers leaves its own idle.
          maxWorkers: availableParallelism() + 1,
          // The reference plugins start hundreds of programs for one of the fixtures.
          testTimeout: 240000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'one by one',
          include: ['test/**/*.test.ts'],
          exclude: SIDE_BY_SIDE,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
