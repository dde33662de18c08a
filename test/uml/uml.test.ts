// What needs VLANs on bridges, on a kernel that has them when this machine's has not: the fixtures
// on the real kernel and through the referee, the driver's tests and dry runs. It owns which tests
// that are and that every one of them ran; what they expect is their own.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { allFixtures } from '../support/fixture.ts';
import { needsReference } from '../support/needs.ts';
import { needsUml, runInUml } from './uml.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIMIT_S = 900;
/** A program takes ten times as long to start in there. */
const INNER_LIMIT_MS = 120_000;
const DRIVER = 'VLANs of bridge ports';
const DRY_RUNS = [
  'namespaces > VLANs of ports',
  'a dry run > says bridge in a VLAN in lines that a shell can execute',
];

const fixtures = allFixtures().filter((fixture) => fixture.needs === 'vlan-filtering');
const judged =
  needsReference === '' ? fixtures.filter((one) => !one.referee.startsWith('skip')) : [];
const expected = [
  ...fixtures.map((fixture) => `real kernel > ${fixture.name}`),
  ...judged.map((fixture) => `reference plugins > ${fixture.name}`),
  ...DRY_RUNS,
];

function pattern(): string {
  const names = fixtures.map((fixture) => fixture.name).join('|');
  const dry = DRY_RUNS.map((name) => name.replaceAll(' > ', '[ >]*')).join('|');
  return `^(real kernel|reference plugins)[ >]*(${names})( |$)|${DRIVER}|${dry}`;
}

interface Tested {
  ancestorTitles: string[];
  title: string;
  status: string;
}

/** Names of the tests by status. Those that the pattern leaves out are "skipped" as well. */
function byStatus(report: string): Map<string, string[]> {
  const { testResults } = JSON.parse(report) as { testResults: { assertionResults: Tested[] }[] };
  const found = new Map<string, string[]>();
  for (const { ancestorTitles, title, status } of testResults.flatMap((f) => f.assertionResults)) {
    const name = [...ancestorTitles, title].map((part) => part.trim()).join(' > ');
    found.set(status, [...(found.get(status) ?? []), name]);
  }
  return found;
}

test.skipIf(needsUml !== '')(
  `VLANs in a kernel that filters them ${needsUml}`.trimEnd(),
  { timeout: (LIMIT_S + 10) * 1000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-uml-'));
    try {
      const report = join(folder, 'report.json');
      const vitest = [
        'node_modules/vitest/vitest.mjs',
        'run',
        '--no-cache',
        '--no-color',
        '--hideSkippedTests',
      ];
      const files = ['fixtures/corpus', 'fixtures/referee', 'drivers/netlink'];
      files.push('cli/snapshot', 'cli/dry-run');
      const { exit_code, output } = await runInUml({
        argv: [
          ...[process.execPath, '--no-warnings', ...vitest, `--testTimeout=${INNER_LIMIT_MS}`],
          // The other loaders write the configuration, bundled, into node_modules.
          ...['--configLoader=native', '--reporter=default', '--reporter=json'],
          ...[`--outputFile.json=${report}`, '-t', pattern()],
          ...files.map((file) => `test/${file}.test.ts`),
        ],
        env: { PATH: `${ROOT}node_modules/.bin:${process.env['PATH']}`, HOME: '/tmp' },
        cwd: ROOT,
        folder,
        limit_s: LIMIT_S,
      });
      expect(exit_code, output).toBe(0);
      const tests = byStatus(readFileSync(report, 'utf8'));
      const passed = tests.get('passed') ?? [];
      expect(tests.get('failed') ?? [], output).toEqual([]);
      expect(passed, output).toEqual(expect.arrayContaining(expected));
      expect(passed.filter((name) => name.startsWith(DRIVER)).length).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
