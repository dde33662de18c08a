// SPDX-License-Identifier: Apache-2.0
// Replies of the kernel and files changed at random, under the parsers of the native host and
// sanitizers (fuzz.c). The replies are those of a namespace of the test's own.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildTestProgram } from '../../scripts/native.mjs';
import { needsNative, needsNft } from '../support/needs.ts';
import { choiceFromEnvironment, countFrom } from '../support/tries.ts';

const ROUNDS = 4000;
const LONG_MS = 24 * 3600 * 1000;
/** Something for every list to tell. */
const LINKS = `
link set lo up
link add one type bridge
link add two type veth peer name three
link set two master one up
link set three up
link add four type veth peer name five
link set five up
link set four up
addr add 10.9.0.1/24 dev four
addr add fd09::1/64 dev four nodad
route add 10.8.0.0/16 via 10.9.0.9 dev four src 10.9.0.1 mtu 1400 advmss 1300
route add 10.7.0.0/16 nexthop via 10.9.0.8 dev four nexthop via 10.9.0.9 dev four
route add fd08::/64 via fd09::9 dev four metric 7
route add 10.6.0.0/16 via inet6 fd09::9 dev four
`;
const RULES = `
table inet fuzzed {
  set words { type ipv4_addr; elements = { 10.9.0.1 comment "a word", 10.9.0.2 } }
  map ways { type ipv4_addr : verdict; elements = { 10.9.0.1 comment "away" : goto end } }
  chain end { counter accept comment "the end"; }
  chain start { type filter hook input priority 0; ip saddr vmap @ways comment "the start"; }
}
`;
const { seed } = choiceFromEnvironment();
const count = countFrom('FUZZ', ROUNDS);

test.skipIf(needsNative !== '' || needsNft !== '')(
  `${count} rounds from ${seed} ${needsNative}`,
  async () => {
    const program = await buildTestProgram(
      'fuzz',
      ['test/native/fuzz.c'],
      {},
      {
        link: ['-Wl,--wrap=send', '-Wl,--wrap=recvfrom'],
      },
    );
    const ns = `fl${process.pid}fuzz`;
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-fuzz-'));
    execFileSync('ip', ['netns', 'add', ns]);
    try {
      execFileSync('ip', ['-n', ns, '-batch', '-'], { input: LINKS });
      execFileSync('ip', ['netns', 'exec', ns, 'nft', '-f', '-'], { input: RULES });
      const args = ['netns', 'exec', ns, program, String(seed), String(count), folder];
      const done = spawnSync('ip', args, { encoding: 'utf8' });
      expect(done.stderr).toBe('');
      expect(done.status).toBe(0);
      // Each list gave something to change.
      expect(Number.parseInt(done.stdout, 10)).toBeGreaterThan(30);
    } finally {
      execFileSync('ip', ['netns', 'del', ns]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
  LONG_MS,
);
