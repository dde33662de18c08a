// SPDX-License-Identifier: Apache-2.0
// Bundles the Node host, as rollup.config.mjs says. It refuses what tools/build-steps.mjs does not
// list for this step, since a change of that would not be noticed.
import { chmodSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rollup } from 'rollup';
import configs from '../rollup.config.mjs';
import { STEPS } from './build-steps.mjs';
import { isListed } from './files.mjs';

const ROOT = process.cwd();

for (const config of configs) {
  const made = await rollup({ ...config, input: join(ROOT, config.input) });
  await made.write({ ...config.output, file: join(ROOT, config.output.file) });
  await made.close();
  const files = made.watchFiles.map((path) => relative(ROOT, path));
  const strangers = files.filter((path) => !isListed(STEPS.bundle.inputs, path));
  if (strangers.length > 0) {
    const list = strangers.join(', ');
    throw new Error(`the bundle is made of ${list} too: say so in tools/build-steps.mjs`);
  }
}
chmodSync(join(ROOT, 'dist/fairlead.mjs'), 0o755);
