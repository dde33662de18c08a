// SPDX-License-Identifier: Apache-2.0
// What a JSON report of vitest says of each test. It says not which tests must have run.
import { readFileSync } from 'node:fs';

interface Tested {
  ancestorTitles: string[];
  title: string;
  status: string;
}

/**
 * Names of the tests by status, their parts divided by " > ". Those that the pattern leaves out are
 * "skipped" as well.
 */
export function byStatus(report: string): Map<string, string[]> {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: Tested[] }[];
  };
  const found = new Map<string, string[]>();
  for (const { ancestorTitles, title, status } of testResults.flatMap((f) => f.assertionResults)) {
    const name = [...ancestorTitles, title].map((part) => part.trim()).join(' > ');
    found.set(status, [...(found.get(status) ?? []), name]);
  }
  return found;
}
