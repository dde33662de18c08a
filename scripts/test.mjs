// `npm test`: sets up what is missing, builds, runs every test, and ends with one plain line of
// counts. Arguments are handed to vitest (`npm test -- test/fixtures`). It runs under the Node that
// npm found and starts everything else under Node 26.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, runNode26, setup } from './setup.mjs';

const EXIT_FAILED = 1;

/**
 * Counts of a vitest JSON report; undefined when it was not written, because vitest itself broke.
 */
function counts(path) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + report.numFailedTestSuites - failedFiles(report),
      skipped: report.numPendingTests + report.numTodoTests,
      why: reasons(report),
    };
  } catch {
    return undefined;
  }
}

/**
 * What was skipped and why, a line each: the reason stands in the title of the test or its group.
 */
function reasons(report) {
  const counted = new Map();
  for (const file of report.testResults) {
    for (const { status, ancestorTitles, title } of file.assertionResults) {
      if (status === 'passed' || status === 'failed') continue;
      const name = [...ancestorTitles, title].join(': ');
      const key = /needs .*$/.exec(ancestorTitles.join(' '))?.[0] ?? name;
      counted.set(key, (counted.get(key) ?? 0) + 1);
    }
  }
  return [...counted].map(([why, count]) => `skipped ${count}: ${why}`);
}

/**
 * vitest counts the groups around a failed test as failed suites; only a file that broke is news.
 */
function failedFiles(report) {
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
  );
  return report.numFailedTestSuites - broken.length;
}

async function main(args) {
  await setup('test');
  await build([]);
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  const report = join(folder, 'report.json');
  const code = await runNode26('node_modules/vitest/vitest.mjs', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args,
  ]);
  const seen = counts(report) ?? { passed: 0, failed: 1, skipped: 0 };
  rmSync(folder, { recursive: true, force: true });
  for (const line of seen.why ?? []) console.log(line);
  console.log(`${seen.passed} passed, ${seen.failed} failed, ${seen.skipped} skipped`);
  return code === 0 && seen.failed === 0 && seen.passed > 0 ? 0 : EXIT_FAILED;
}

process.exitCode = await main(process.argv.slice(2));
