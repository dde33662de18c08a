// SPDX-License-Identifier: Apache-2.0
// `npm run check`: what every commit passes, in some minutes and without root: lint and format,
// types, AssemblyScript, and the tests that need no real kernel.
import { build } from '../tools/build.mjs';
import { run, runNode26, setup } from './setup.mjs';

/** Tests that need root, packages or a long time are `npm test`'s. */
const QUICK = [
  ...['test/abi', 'test/core', 'test/lib', 'test/sim', 'test/tidy', 'test/fixtures'],
  ...['test/sequences', 'test/fuzz', 'test/dhcp', 'test/recording', 'test/web/plain'],
];
/** So much at random: `npm test` tries more. */
process.env['SEQUENCES'] ??= '100';
process.env['FUZZ'] ??= '50';

const STEPS = [
  ['lint and format', () => run('node_modules/.bin/biome', ['check', '--error-on-warnings'])],
  ['types', () => run('node_modules/.bin/tsc', ['-p', '.'])],
  // Without Node's: what runs in a browser must not so much as name them.
  ['types of the page', () => run('node_modules/.bin/tsc', ['-p', 'web'])],
  [
    'AssemblyScript',
    () => build(['core', 'tools', 'sim', 'agent', 'wasi', 'test-lib']).then(() => 0),
  ],
  [
    'tests',
    () =>
      runNode26('node_modules/vitest/vitest.mjs', [
        'run',
        '--reporter=dot',
        '--testNamePattern=^(?!(real kernel|reference plugins|.*, real)).*$',
        ...QUICK,
      ]),
  ],
];

await setup('check');
for (const [name, step] of STEPS) {
  if ((await step()) !== 0) {
    console.error(`check: ${name} failed`);
    process.exit(1);
  }
  console.log(`check: ${name} is fine`);
}
