// SPDX-License-Identifier: Apache-2.0
// Runs before each test file (vitest.config.mjs): says to it which steps of the build it may use,
// by tools/test-steps.mjs. It builds nothing.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { stepsOf, TRIED } from '../../tools/test-steps.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const path = relative(ROOT, expect.getState().testPath ?? '');
const steps = process.env['FAIRLEAD_TRY'] === '1' ? TRIED : stepsOf(path);
process.env['FAIRLEAD_TEST_STEPS'] = steps.join(' ');
