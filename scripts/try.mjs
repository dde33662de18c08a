// SPDX-License-Identifier: Apache-2.0
// `npm run try -- PATTERN [--update]`: the loop while one works on the core: fixtures whose name
// has the pattern in it, on the simulated kernel and with every operation failing in turn, with a
// core that is built without optimisation. It proves less than `npm test`, and is quick.
import { runNode26, setup } from './setup.mjs';

const SIMULATED = 'test/fixtures/simulated.test.ts';
const FAULTS = 'test/fixtures/faults.test.ts';

const args = process.argv.slice(2);
const update = args.includes('--update');
const [pattern = '', ...more] = args.filter((word) => word !== '--update');
if (more.length > 0 || pattern.startsWith('-')) {
  console.error('try: npm run try -- PATTERN [--update], such as: npm run try -- portmap/');
  process.exit(1);
}

/** A regular expression as vitest takes it; a path of a fixture is one too. */
const name = pattern.replace(/^(\.\/)?fixtures\//, '').replace(/\.txtar$/, '');
const run = (...files) =>
  runNode26('tools/run-tests.mjs', [...files, '--hideSkippedTests', ...(name ? ['-t', name] : [])]);

await setup('check');
process.env['FAIRLEAD_TRY'] = '1';
if (update) {
  process.env['FIXTURE_UPDATE'] = '1';
  const code = await run(SIMULATED);
  delete process.env['FIXTURE_UPDATE'];
  if (code !== 0) process.exit(code);
}
process.exitCode = await run(SIMULATED, FAULTS);
