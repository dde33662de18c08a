import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Namespaces are entered by the thread that a process starts with: a worker thread has none.
    pool: 'forks',
    testTimeout: 60000,
    hookTimeout: 120000,
  },
});
