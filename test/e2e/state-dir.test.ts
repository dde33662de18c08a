// SPDX-License-Identifier: Apache-2.0
// The state folder, /run/fairlead, where it cannot be written: moved by CNI_FAIRLEAD_STATE_DIR for
// an ordinary user, and read-only for a DEL that has nothing to remove.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needsNative } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';

const CONFIG = JSON.stringify({
  cniVersion: '1.0.0',
  name: 'net',
  type: 'bridge',
  bridge: 'b0',
  isGateway: true,
  ipam: { type: 'host-local', dataDir: '/run/leases', ranges: [[{ subnet: '10.60.0.0/24' }]] },
});
const TYPES = ['bridge', 'portmap', 'firewall', 'tuning', 'bandwidth', 'sbr', 'vrf', 'ptp'];

describe.skipIf(needsNative !== '')(`the state folder ${needsNative}`, () => {
  let bin: string;
  beforeAll(() => {
    bin = mkdtempSync(join(tmpdir(), 'fairlead-state-'));
    for (const host of ['native', 'node']) {
      mkdirSync(join(bin, host));
      const program = distPath(host === 'native' ? 'fairlead-native' : 'fairlead');
      for (const type of TYPES) symlinkSync(program, join(bin, host, type));
    }
    writeFileSync(join(bin, 'net.json'), CONFIG);
  });
  afterAll(() => rmSync(bin, { recursive: true, force: true }));

  /** Runs a script in namespaces of its own, with an empty /run that has a pod. */
  const inside = (host: string, script: string): string =>
    execFileSync(
      'unshare',
      [
        '--net',
        '--mount',
        'sh',
        '-ec',
        `mount -t tmpfs tmpfs /run; ip netns add pod
        export CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/pod CNI_IFNAME=eth0 CNI_PATH=${bin}/${host}
        call() { CNI_COMMAND=$1 ${bin}/${host}/$2 < ${bin}/net.json; }
        ${script}`,
      ],
      { encoding: 'utf8' },
    );

  test.each(['native', 'node'])('is where CNI_FAIRLEAD_STATE_DIR says: %s', (host) => {
    const said = inside(
      host,
      `mkdir /run/mine; export CNI_FAIRLEAD_STATE_DIR=/run/mine/state
      call ADD bridge > /dev/null
      ls /run/mine/state/attachments; test ! -e /run/fairlead
      call DEL bridge; ls /run/mine/state/attachments; echo done`,
    );
    expect(said.split('\n').filter((line) => !line.startsWith('{') && !/^[ }]/.test(line))).toEqual(
      ['c1:eth0', 'done', ''],
    );
  });

  test('is refused when it is no absolute path', () => {
    const said = inside(
      'native',
      'export CNI_FAIRLEAD_STATE_DIR=run/../x; call ADD bridge || echo refused',
    );
    expect(said).toMatch(/"code": 4[\s\S]*CNI_FAIRLEAD_STATE_DIR must be[\s\S]*refused/);
  });

  test.each(['native', 'node'])('may be read-only for a DEL without anything there: %s', (host) => {
    const said = inside(
      host,
      `call ADD bridge > /dev/null; call DEL bridge
      mount --bind /run/fairlead /run/fairlead; mount -o remount,ro,bind /run/fairlead
      for type in ${TYPES.join(' ')}; do
        sed "s/\\"bridge\\",/\\"$type\\",/" ${bin}/net.json > /run/$type.json
        CNI_CONTAINERID=never CNI_COMMAND=DEL ${bin}/${host}/$type < /run/$type.json || echo $type
      done; echo done`,
    );
    expect(said).toBe('done\n');
  });
});
