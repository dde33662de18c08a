// Runs before each test file (vitest.config.mjs): says to it which steps of the build it may use,
// by tools/test-steps.mjs. It builds nothing.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { stepsOf } from '../../tools/test-steps.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

process.env['FAIRLEAD_TEST_STEPS'] = stepsOf(relative(ROOT, expect.getState().testPath ?? '')).join(
  ' ',
);
