// SPDX-License-Identifier: Apache-2.0
// A card, which goes back to the host by itself when its namespace ends: in a kernel that has one
// to give away. The native program moves it there and back, after a DEL, without a DEL in time, and
// without a record. It is a kernel of before 6.2, which renames no link that is up.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { needsNative } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';
import { needsUml, runInUml } from './uml.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIMIT_S = 120;
const CONFIG = JSON.stringify({
  ...{ cniVersion: '1.0.0', name: 'net', type: 'host-device', device: 'eth0' },
  ipam: { type: 'static', addresses: [{ address: '10.1.2.3/24' }] },
});

/** What is said after each step: the links by name, alias, up and MTU, and addresses and routes. */
const SCRIPT = `
cp "$PROGRAM" /tmp/host-device
call() { echo "$CONFIG" | CNI_COMMAND=$1 CNI_NETNS=$2 /tmp/host-device >/dev/null; }
state() {
  ip -d link show | awk '/^[0-9]/ { if (name) print name; name = $2 " " ($3 ~ /[<,]UP[,>]/) " " $5 }
    /alias/ { name = name " " $0 } END { print name }' | grep -E '^(eth0|net1)' || true
  ip -o -4 addr show | awk '$2 != "lo" { print $2, $4 }'; ip route; echo .
}
ip link set eth0 mtu 1400; ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up
ip route add 198.51.100.0/24 via 192.0.2.9
ip netns add a; call ADD /run/netns/a; state
call DEL /run/netns/a; state
ip netns add b; call ADD /run/netns/b; ip netns del b; call DEL ""; state
ip netns add c; call ADD /run/netns/c; rm -r /run/fairlead; ip netns del c
until ip link show net1 >/dev/null 2>&1; do sleep 0.1; done; call DEL ""; state
ip netns add d; call ADD /run/netns/d; ip -n d -o -4 addr show net1 | awk '{ print $2, $4 }'
call DEL /run/netns/d; state
`;

const AS_BEFORE = [
  'eth0: 1 1400',
  'eth0 192.0.2.1/24',
  '192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1 ',
  '198.51.100.0/24 via 192.0.2.9 dev eth0 ',
  '.',
];

test.skipIf(needsUml !== '' || needsNative !== '')(
  `a card of the host ${needsUml || needsNative}`.trimEnd(),
  { timeout: (LIMIT_S + 10) * 1000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-uml-'));
    try {
      const env = { CNI_CONTAINERID: 'c1', CNI_IFNAME: 'net1', CNI_PATH: '/tmp', CONFIG };
      const { output } = await runInUml({
        argv: ['sh', '-ec', SCRIPT],
        env: { ...env, PROGRAM: distPath('fairlead-native') },
        cwd: ROOT,
        folder,
        limit_s: LIMIT_S,
        devices: ['eth0=mcast'],
      });
      const lost = ['net1: 0 1400     alias eth0', '.'];
      const taken = ['net1 10.1.2.3/24', 'eth0: 0 1400', '.'];
      const said = ['.', ...AS_BEFORE, ...AS_BEFORE, ...lost, ...taken];
      expect(output.trimEnd().split('\n')).toEqual(said);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
