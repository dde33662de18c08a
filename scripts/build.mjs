// SPDX-License-Identifier: Apache-2.0
// `npm run build`: builds dist/. All of it, or the named steps of tools/build-steps.mjs and what
// they are made of: `npm run build -- core sim`. What is built already is not built again.

import { build } from '../tools/build.mjs';
import { ALL } from '../tools/build-steps.mjs';

const names = process.argv.slice(2);
try {
  await build(names.length > 0 ? names : ALL);
} catch (error) {
  console.error(`build: ${error.message}`);
  process.exitCode = 1;
}
