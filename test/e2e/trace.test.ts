// SPDX-License-Identifier: Apache-2.0
// `fairlead trace` beside real packets: what it says arrives is answered, what it says is lost is
// not. Two networks in a namespace of the test's own stand for a host.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NODE } from '../support/hosts.ts';
import { needsNft } from '../support/needs.ts';

const network = (name: string, main: object) =>
  JSON.stringify({
    cniVersion: '1.0.0',
    name,
    plugins: [
      { ipMasq: true, ...main },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
const ipam = (subnet: string) => ({
  type: 'host-local',
  subnet,
  routes: [{ dst: '0.0.0.0/0' }],
});
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
      const bridged = { type: 'bridge', bridge: 'br0', isGateway: true };
      const nets = [
        ['bridged', { ...bridged, ipam: ipam('10.61.2.0/24') }],
        ['routed', { type: 'ptp', ipam: ipam('10.61.3.0/24') }],
      ] as const;
      for (const [name, main] of nets) {
        writeFileSync(join(folder, `${name}.conflist`), network(name, main));
      }
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('agree', { timeout: 90_000 }, () => {
      const port = '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}';
      const tries = WAYS.map(([from, to, address, at]) => {
        const netns = from === 'red' ? 'p3' : 'p1';
        const where = address === 'p2-address' ? '10.61.2.3' : address;
        return `"${NODE.program}" trace ${from} ${to} >/dev/null; said=$?
        ip netns exec ${netns} "${process.execPath}" -e "$ASK" ${where} ${at}; got=$?
        echo "${from} ${to} $said $got"`;
      });
      const script = `mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/lib
        ip link set lo up; for ns in p1 p2 p3; do ip netns add $ns; done
        add() { "${NODE.program}" add "$@" --conf-dir "${folder}" >/dev/null; }
        add bridged p1 --container-id blue --capabilities '${port}'
        add bridged p2 --container-id green; add routed p3 --container-id red
        pids=; trap 'kill $pids' EXIT
        for ns in p1 p2 p3; do
          ip netns exec $ns "${process.execPath}" -e "$SERVE" >/dev/null 2>&1 & pids="$pids $!"
        done
        for ns in p1 p2 p3; do
          until ip netns exec $ns ss -ltn | grep -q :80; do sleep 0.05; done
        done
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
