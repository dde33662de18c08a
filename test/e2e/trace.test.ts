// SPDX-License-Identifier: Apache-2.0
// `fairlead trace` beside real packets: what it says arrives is answered, what it says is lost is
// not. Two networks in a namespace of the test's own stand for a host.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NODE } from '../support/hosts.ts';
import { needsNft } from '../support/needs.ts';
import { hostLines, writeNetworks } from './two-networks.ts';

/** Answers every connection with a line. */
const SERVE = `require('node:net').createServer((s) => s.end('here\\n')).listen(80)`;
/** Exit code 0 when somebody answers within a second. */
const ASK = `const [h, p] = process.argv.slice(1);
require('node:net').connect({ host: h, port: Number(p), timeout: 1000 })
  .on('data', () => process.exit(0)).on('error', () => process.exit(1))
  .on('timeout', () => process.exit(1)).on('end', () => process.exit(1));`;

/** FROM, TO of trace, and the address and port that are asked in that namespace. */
const WAYS: readonly (readonly [string, string, string, string])[] = [
  ['blue', 'green:80', 'p2-address', '80'],
  ['blue', 'green:81', 'p2-address', '81'],
  ['blue', '10.61.3.2:80', '10.61.3.2', '80'],
  ['blue', '10.61.2.99:80', '10.61.2.99', '80'],
  ['red', '10.61.2.1:8080', '10.61.2.1', '8080'],
  ['red', '10.61.2.1:8081', '10.61.2.1', '8081'],
];

describe.skipIf(needsNft !== '' || NODE.why !== '')(
  `trace and packets ${needsNft || NODE.why}`.trimEnd(),
  () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'fairlead-trace-'));
      writeNetworks(folder);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('agree', { timeout: 90_000 }, () => {
      const tries = WAYS.map(([from, to, address, at]) => {
        const netns = from === 'red' ? 'p3' : 'p1';
        const where = address === 'p2-address' ? '10.61.2.3' : address;
        return `"${NODE.program}" trace ${from} ${to} >/dev/null; said=$?
        ip netns exec ${netns} "${process.execPath}" -e "$ASK" ${where} ${at}; got=$?
        echo "${from} ${to} $said $got"`;
      });
      const script = `${hostLines(folder)}
        set +e
        ${tries.join('\n')}`;
      const env = { ...process.env, SERVE, ASK };
      const out = execFileSync('unshare', ['--net', '--mount', 'sh', '-ec', script], {
        encoding: 'utf8',
        env,
        timeout: 60_000,
      });
      const seen = out.trimEnd().split('\n');
      expect(seen).toEqual(
        ['0 0', '1 1', '0 0', '1 1', '0 0', '1 1'].map(
          (codes, index) => `${WAYS[index]?.slice(0, 2).join(' ')} ${codes}`,
        ),
      );
    });
  },
);
