// SPDX-License-Identifier: Apache-2.0
// Runs tests: `run-tests.mjs`, then words of vitest's own command line. It builds what they need
// and ends with our report of them. It runs under Node 26.
import { parseCLI, startVitest } from 'vitest/node';
import { ROOT } from '../scripts/setup.mjs';
import { build } from './build.mjs';
import { TestReport } from './test-report.mjs';
import { stepsFor, TRIED } from './test-steps.mjs';

const EXIT_FAILED = 1;

async function main(args) {
  const { filter, options } = parseCLI(['vitest', 'run', ...args]);
  // Tests that lie elsewhere are not ours.
  const tried = process.env['FAIRLEAD_TRY'] === '1';
  if (options.root === undefined) await build(tried ? TRIED : stepsFor(ROOT, filter));
  // As words they are `reporter`, which would come before those that are given here.
  const { reporter: named = ['default'], ...rest } = options;
  const report = new TestReport({ beat: named.includes('default') && !process.stdout.isTTY });
  const reporters = [named, report].flat();
  const vitest = await startVitest(filter, { ...rest, run: true, watch: false, reporters });
  await vitest.close();
  for (const line of report.lines()) console.log(line);
  return report.good && (process.exitCode ?? 0) === 0 ? 0 : EXIT_FAILED;
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  console.log('0 passed, 1 failed, 0 skipped');
  return EXIT_FAILED;
});
