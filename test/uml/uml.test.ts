// SPDX-License-Identifier: Apache-2.0
// What needs VLANs on bridges, VRFs or dummies, on a kernel that has them when this has not: the
// fixtures on the real kernel and through the referee, the driver's tests and dry runs, packets. It
// owns which tests that are and that every one of them ran; what they expect is their own.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { allFixtures } from '../support/fixture.ts';
import { kernelLacks, needsReference } from '../support/needs.ts';
import { byStatus } from '../support/report.ts';
import { needsUml, runInUml, type UmlOutcome } from './uml.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIMIT_S = 3600;
/** A program takes ten times as long to start in there. */
const INNER_LIMIT_MS = 300_000;

/** What is tried in a kernel of its own, as this machine's has not what it needs. */
interface Round {
  readonly says: string;
  /** One of the `needs:` of the fixtures. */
  readonly needs: string;
  /** Titles of tests beside the fixtures, each of which must run; parts divided by " > ". */
  readonly named: readonly string[];
  /** Groups of tests of which some must run. */
  readonly groups: readonly string[];
  readonly files: readonly string[];
}

const ROUNDS: readonly Round[] = [
  {
    says: 'VLANs in a kernel that filters them',
    needs: 'link bridge vlan_filtering 1',
    named: [
      'namespaces > VLANs of ports',
      'a dry run > says bridge in a VLAN in lines that a shell can execute',
    ],
    groups: ['VLANs of bridge ports'],
    files: ['drivers/netlink', 'cli/snapshot', 'cli/dry-run'],
  },
  {
    says: 'ipvlans in a kernel that has them',
    needs: 'link ipvlan',
    named: ['namespaces > ipvlans'],
    groups: ['simulated ipvlans', 'simulated takers of frames', 'packets of ipvlans'],
    files: ['cli/snapshot', 'sim/kernel', 'e2e/ipvlan'],
  },
  {
    says: 'VLAN interfaces in a kernel that has them',
    needs: 'link vlan id 5',
    named: ['namespaces > VLAN interfaces'],
    groups: ['simulated vlans', 'packets in VLANs'],
    files: ['cli/snapshot', 'sim/kernel', 'e2e/vlan'],
  },
  {
    says: 'dummies in a kernel that has them',
    needs: 'link dummy',
    named: [],
    groups: ['simulated dummies'],
    files: ['sim/kernel'],
  },
  {
    says: 'VRFs in a kernel that has them',
    needs: 'link vrf table 10',
    named: ['namespaces > VRFs and what is in them'],
    groups: ['VRFs', 'simulated VRFs', 'packets in VRFs'],
    files: ['drivers/netlink', 'cli/snapshot', 'sim/kernel', 'e2e/vrf'],
  },
];

/** The fixtures of a round, on the real kernel and through the referee. */
function fixturesOf({ needs }: Round): string[] {
  const fixtures = allFixtures().filter((fixture) => fixture.needs.includes(needs));
  const judged =
    needsReference === '' ? fixtures.filter((one) => !one.referee.startsWith('skip')) : [];
  return [
    ...fixtures.map((fixture) => `real kernel > ${fixture.name}`),
    ...judged.map((fixture) => `reference plugins > ${fixture.name}`),
  ];
}

function patternOf(round: Round): string {
  const names = [...new Set(fixturesOf(round).map((name) => name.split(' > ')[1]))].join('|');
  const named = round.named.map((name) => name.replaceAll(' > ', '[ >]*'));
  const groups = round.groups.map((name) => `^${name}[ >]`);
  return [`^(real kernel|reference plugins)[ >]*(${names})( |$)`, ...groups, ...named].join('|');
}

/** Why a round is not for this machine, "" when it is. */
const whyNot = ({ needs }: Round): string =>
  kernelLacks([needs]) === '' ? "not needed: this machine's kernel can" : needsUml;

interface Ran extends UmlOutcome {
  readonly tests: ReadonlyMap<string, string[]>;
}

/** All rounds in one kernel, as vitest and the files of tests take their time to start in there. */
async function runRounds(rounds: readonly Round[]): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-uml-'));
  const files = ['fixtures/node', 'fixtures/referee', ...rounds.flatMap((round) => round.files)];
  try {
    const report = join(folder, 'report.json');
    const vitest = ['run', '--no-cache', '--no-color', '--hideSkippedTests'];
    const outcome = await runInUml({
      argv: [
        ...[process.execPath, '--no-warnings', 'node_modules/vitest/vitest.mjs'],
        ...[...vitest, `--testTimeout=${INNER_LIMIT_MS}`],
        // The other loaders write the configuration, bundled, into node_modules.
        ...['--configLoader=native', '--maxWorkers=1', '--reporter=default', '--reporter=json'],
        ...[`--outputFile.json=${report}`, '-t', rounds.map(patternOf).join('|')],
        ...[...new Set(files)].map((file) => `test/${file}.test.ts`),
      ],
      env: { PATH: `${ROOT}node_modules/.bin:${process.env['PATH']}`, HOME: '/tmp' },
      cwd: ROOT,
      folder,
      limit_s: LIMIT_S,
    });
    return { ...outcome, tests: existsSync(report) ? byStatus(report) : new Map() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const ran: { promise?: Promise<Ran> } = {};

for (const round of ROUNDS) {
  const why = whyNot(round);
  test.skipIf(why !== '')(
    `${round.says} ${why}`.trimEnd(),
    { timeout: (LIMIT_S + 10) * 1000 },
    async () => {
      ran.promise ??= runRounds(ROUNDS.filter((one) => whyNot(one) === ''));
      expectRound(round, await ran.promise);
    },
  );
}

function expectRound(round: Round, { exit_code, output, tests }: Ran): void {
  const passed = tests.get('passed') ?? [];
  expect(tests.get('failed') ?? [], output).toEqual([]);
  expect(exit_code, output).toBe(0);
  expect(passed, output).toEqual(expect.arrayContaining([...fixturesOf(round), ...round.named]));
  for (const group of round.groups) {
    expect(passed.filter((name) => name.startsWith(`${group} >`)).length).toBeGreaterThan(0);
  }
}
