// SPDX-License-Identifier: Apache-2.0
// Real packets of a device that is moved into a pod and back, and a pod that changes hands between
// the reference plugin and ours while it has one.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Attached, addChain, chain } from '../support/chain.ts';
import { needsMacvlan, needsNative, needsReference, needsRoot } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';
import { executableWorld, type NamedWorld, openWorld, REFERENCE_DIR } from '../support/world.ts';
import { inNetns } from './packets.ts';

/** The wire of dev0 ends at a machine. */
const BEFORE = `netns host
link dev0 kind veth up address 02:00:00:00:01:01 peer lan/far0
addr 10.1.2.9/24 dev dev0
netns lan
link far0 kind veth up address 02:00:00:00:01:02
addr 10.1.2.1/24 dev far0
addr fd00::1/64 dev far0
netns pod
`;
const OUTSIDE = '10.1.2.1';
const PATIENCE_S = '10';

const attached = (device: string): Attached => {
  const addresses = [{ address: '10.1.2.3/24' }, { address: 'fd00::3/64' }];
  const ipam = { type: 'static', addresses };
  return { pod: 'pod', ifname: 'eth0', plugins: [{ type: 'host-device', device, ipam }] };
};

let world: NamedWorld;
let folder = '';
afterEach(() => {
  world?.close();
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
  folder = '';
});

const reaches = (from: string, address: string): boolean => {
  const words = ['ping', '-c', '1', '-w', PATIENCE_S, address];
  return spawnSync('ip', inNetns(world, from, ...words)).status === 0;
};
const linksOf = (netns: string): string[] => {
  const said = execFileSync('ip', ['-n', world.netns(netns), '-j', 'link', 'show']);
  return JSON.parse(said.toString()).map((link: { ifname: string }) => link.ifname);
};

describe.skipIf(needsRoot !== '')(`packets of a device ${needsRoot}`.trimEnd(), () => {
  test('the pod has the wire while it lives, and then the host again', () => {
    world = openWorld(BEFORE);
    expect(reaches('host', OUTSIDE)).toBe(true);
    const at = attached('dev0');
    const result = addChain(world, 'one by one', at);
    expect(linksOf('host')).toEqual(['lo']);
    expect(reaches('pod', OUTSIDE)).toBe(true);
    expect(reaches('pod', 'fd00::1')).toBe(true);
    chain(world, 'CHECK', 'one by one', at, result);
    chain(world, 'DEL', 'one by one', at, result);
    expect(linksOf('pod')).toEqual(['lo']);
    expect(reaches('host', OUTSIDE)).toBe(true);
  });

  test.skipIf(needsMacvlan !== '')(`a macvlan as the device ${needsMacvlan}`.trimEnd(), () => {
    world = openWorld(BEFORE);
    const words = [
      'link',
      'add',
      'link',
      'dev0',
      'name',
      'mv0',
      'type',
      'macvlan',
      'mode',
      'bridge',
    ];
    execFileSync('ip', ['-n', world.netns('host'), ...words]);
    const at = attached('mv0');
    const result = addChain(world, 'fused', at);
    expect(reaches('pod', OUTSIDE)).toBe(true);
    expect(reaches('host', OUTSIDE)).toBe(true);
    chain(world, 'DEL', 'fused', at, result);
    expect(linksOf('host').sort()).toEqual(['dev0', 'lo', 'mv0']);
  });

  const needs = needsReference || needsNative;
  for (const [first, then] of [
    ['reference', 'ours'],
    ['ours', 'reference'],
  ]) {
    test.skipIf(needs !== '')(`ADD by ${first}, DEL by ${then} ${needs}`.trimEnd(), () => {
      folder = mkdtempSync(join(tmpdir(), 'fairlead-device-'));
      world = executableWorld(BEFORE, folder);
      const use = (whose: string | undefined) => {
        for (const type of ['host-device', 'static']) {
          rmSync(join(folder, type), { force: true });
          const reference = `${REFERENCE_DIR}/${type}`;
          const program = whose === 'ours' ? distPath('fairlead-native') : reference;
          symlinkSync(program, join(folder, type));
        }
      };
      use(first);
      const at = attached('dev0');
      const result = addChain(world, 'one by one', at);
      expect(linksOf('host')).toEqual(['lo']);
      use(then);
      chain(world, 'DEL', 'one by one', at, result);
      expect(linksOf('host').sort()).toEqual(['dev0', 'lo']);
      expect(linksOf('pod')).toEqual(['lo']);
    });
  }
});
