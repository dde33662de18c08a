// SPDX-License-Identifier: Apache-2.0
// The demo of the overlay shows what it says, run as a person runs it, and leaves the machine alone
// also when it is stopped half-way.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { within } from '../support/listener.ts';
import { needsRoot } from '../support/needs.ts';

const DEMO = ['--no-warnings', 'scripts/demo-overlay.mjs'];
const env = { ...process.env, NO_COLOR: '1' };
const STOP_MS = 10_000;
const START_MS = 60_000;

/** What would be here of the demo if it left anything outside its namespaces. */
function strays(): string[] {
  const links = execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' }).split('\n');
  const spaces = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  return [
    ...links.filter((line) => /^(fl6?\.1|br0|to-[abcr]|eth1)[@ ]/.test(line)),
    ...spaces.filter((name) => /^((pod-)?[abc]|r|lan[12])$/.test(name)),
    ...['/run/demo-overlay'].filter((path) => existsSync(path)),
  ];
}

/** Processes that run in the folder of a demo. */
function running(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`).includes('/run/demo-overlay/')
      );
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

describe.skipIf(needsRoot !== '')(`npm run demo:overlay ${needsRoot}`, () => {
  test('holds all that it shows, and leaves the machine alone', () => {
    const before = strays();
    const { status, stdout, stderr } = spawnSync(process.execPath, DEMO, { encoding: 'utf8', env });
    expect(stdout + stderr).not.toContain('✗');
    expect(status).toBe(0);
    for (const shown of [
      /✓ the agent of c serves pods: \d/,
      /✓ pod a: 10\.244\.1\.2\/\d+, .*MTU 1450, in \d/,
      /✓ pod b → pod c: 1350 bytes get there, one more not/,
      /^ +b +10\.244\.2\.0\/24 .* lie$/m,
      /✓ pod b, which runs, has 1300 after \d/,
      /✓ pod b → pod c: 1300 bytes get there, one more not/,
      /✓ c has one again after \d.*: interface \d+, not \d/,
      /✓ pod a → pod c: packets come back after \d/,
      /✓ left on b: nothing/,
    ]) {
      expect(stdout).toMatch(shown);
    }
    expect(stdout.split('\n').filter((line) => line.length > 110)).toEqual([]);
    expect(strays()).toEqual(before);
    expect(running()).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    '%s half-way: nothing is left',
    async (signal) => {
      const before = strays();
      // A group of its own, which a terminal would tell of Ctrl-C.
      const demo = spawn(process.execPath, DEMO, { env, detached: true });
      let said = '';
      demo.stdout.on('data', (data) => {
        said += data;
      });
      const closed = once(demo, 'close') as Promise<[number | null]>;
      await within(START_MS, 'agents run', async () => /the agent of \w serves/.test(said));
      expect(running()).not.toEqual([]);
      // Ctrl-C is told to the whole group; whatever else ends programs knows the outer one alone.
      process.kill(signal === 'SIGINT' ? -(demo.pid ?? 0) : (demo.pid ?? 0), signal);
      const [code] = await closed;
      if (signal !== 'SIGKILL') {
        expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
        expect(said).toContain(`${signal}: all that was made is gone`);
      }
      await within(STOP_MS, 'all has ended', async () => running().length === 0);
      // It was stopped: it did not go on to its end.
      expect(said).not.toContain('fairlead agent leave');
      expect(strays()).toEqual(before);
    },
  );
});
