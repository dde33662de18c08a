// SPDX-License-Identifier: Apache-2.0
// The demo shows what it says: run as a person runs it, on what is built, and where no namespaces
// can be made.
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { needsNative, needsRoot } from '../support/needs.ts';

const run = (...args: string[]) =>
  spawnSync(process.execPath, ['--no-warnings', ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });

/** The state of this machine that the demo must leave alone. */
const links = (): string => execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' });

describe.skipIf(needsNative !== '')(`npm run demo ${needsNative}`, () => {
  test('holds all that it shows, and leaves the machine alone', () => {
    const before = links();
    const { status, stdout, stderr } = run('scripts/demo.mjs');
    expect(stdout + stderr).not.toContain('✗');
    expect(status).toBe(0);
    for (const shown of [
      /✓ ADD of pod a: 10\.88\.7\.2 in \d/,
      /✓ outside → port 8080 of the node → pod a/,
      /no_such_thing/,
      /It left:\n[\s\S]*eth0@/,
      /✓ fairlead repair: 2 attachments restored/,
      /ADD {2}Fairlead .* reference .* times as fast/,
    ]) {
      expect(stdout).toMatch(shown);
    }
    const wide = stdout.split('\n').filter((line) => line.length > 100);
    expect(wide).toEqual([]);
    expect(links()).toBe(before);
  });
});

test('without namespaces it shows the same core on the simulated kernel, and says why', () => {
  const { status, stdout } = run('scripts/demo/simulated.mjs', 'there is a reason');
  expect(status).toBe(0);
  expect(stdout).not.toContain('✗');
  expect(stdout).toContain('on the simulated kernel: there is a reason.');
  expect(stdout).toContain('ip link add fl0 type bridge');
});

test.skipIf(needsRoot !== '')(
  `a clone that lies where a demo covers all is there all the same ${needsRoot}`.trimEnd(),
  () => {
    const show = `
      const { show } = await import('/tmp/clone/scripts/demo/room.mjs');
      process.exitCode = await show('scripts/demo/paint.mjs');`;
    const place = 'mount -t tmpfs tmpfs /tmp && mkdir /tmp/clone && mount -c --rbind . /tmp/clone';
    const script = `${place} && cd /tmp/clone && exec "$0" --input-type=module -e "$1"`;
    const args = ['--mount', 'sh', '-c', script, process.execPath, show];
    const { status, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  },
);
