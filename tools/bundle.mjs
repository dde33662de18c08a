// SPDX-License-Identifier: Apache-2.0
// Bundles what a step of the build makes: bundle.mjs STEP, as rollup.config.mjs says. It
// refuses what tools/build-steps.mjs does not list for this step, since a change of that would
// not be noticed.
import { chmodSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rollup } from 'rollup';
import configs from '../rollup.config.mjs';
import { STEPS } from './build-steps.mjs';
import { isListed } from './files.mjs';

const ROOT = process.cwd();

const [name] = process.argv.slice(2);
const { inputs, outputs } = STEPS[name];

for (const config of configs.filter(({ output }) => outputs.includes(output.file))) {
  const made = await rollup({ ...config, input: join(ROOT, config.input) });
  await made.write({ ...config.output, file: join(ROOT, config.output.file) });
  await made.close();
  // npm's are told by the step's list of packages.
  const files = made.watchFiles
    .filter((path) => path.startsWith(ROOT))
    .map((path) => relative(ROOT, path))
    .filter((path) => !path.startsWith('node_modules/'));
  const strangers = files.filter((path) => !isListed(inputs, path));
  if (strangers.length > 0) {
    const list = strangers.join(', ');
    throw new Error(`the bundle is made of ${list} too: say so in tools/build-steps.mjs`);
  }
}
if (name === 'bundle') chmodSync(join(ROOT, 'dist/fairlead.mjs'), 0o755);
