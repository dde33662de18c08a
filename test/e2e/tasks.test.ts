// SPDX-License-Identifier: Apache-2.0
// docs/tasks.md, done: its files are written and its commands run, in its order, on a machine of
// the test's own. It owns no expectation but that every command succeeds and that nothing is left.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NATIVE, NODE } from '../support/hosts.ts';
import { needsNft } from '../support/needs.ts';

const page = readFileSync(new URL('../../docs/tasks.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'fairlead-tasks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The page as shell commands: each file with its caption, each block of commands. */
function script(): string {
  const parts = page.matchAll(/^`(\/[^`]+)`\n\n```json\n(.*?)^```$|^```sh\n(.*?)^```$/gms);
  return [...parts]
    .map(([, path = '', json = '', commands]) =>
      commands === undefined ? `printf %s ${quoted(json)} > ${path}` : commands,
    )
    .join('\n');
}

/** A machine whose folders are empty, with an uplink; what it has at the end is printed last. */
const around = (commands: string): string => `set -eu
for dir in /run /var/lib /opt; do mount -t tmpfs tmpfs $dir; done
cp -a /etc /run/etc; mount --bind /run/etc /etc; rm -rf /etc/cni
mkdir -p /etc/cni/net.d /opt/cni/bin; ip link set lo up; mkdir -p /run/netns
ip link add up0 type veth peer name far0; ip link set up0 up; ip link set far0 up
ip addr add 192.0.2.2/24 dev up0; ip route add default via 192.0.2.1
PATH=${folder}:$PATH
{
${commands}
} >&2
fairlead ls; ls -A /opt/cni/bin; ip -br link show type veth | wc -l`;

const why = needsNft || NODE.why || NATIVE.why;
test.skipIf(why !== '')(
  `every command of docs/tasks.md succeeds ${why}`.trimEnd(),
  () => {
    for (const [name, path] of [
      ['fairlead', NODE.program],
      ['fairlead-native', NATIVE.program],
    ] as const) {
      symlinkSync(path, join(folder, name));
    }
    const commands = script();
    expect(commands.match(/^fairlead /gm)?.length).toBeGreaterThan(30);
    const file = join(folder, 'tasks.sh');
    writeFileSync(file, around(commands));
    const left = execFileSync('unshare', ['--net', '--mount', 'bash', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // The uplink is a pair.
    expect(left).toBe('nothing is attached\n2\n');
  },
  120_000,
);
