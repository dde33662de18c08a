// Runs vitest with the words of its own command line, and ends with our report of it. It runs under
// Node 26, from the root of the clone, and finds everything built.
import { parseCLI, startVitest } from 'vitest/node';
import { TestReport } from './test-report.mjs';

const EXIT_FAILED = 1;

async function main(args) {
  const { filter, options } = parseCLI(['vitest', 'run', ...args]);
  // As words they are `reporter`, which would come before those that are given here.
  const { reporter: named = ['default'], ...rest } = options;
  const report = new TestReport();
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
