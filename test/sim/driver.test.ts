// SPDX-License-Identifier: Apache-2.0
// What the simulated kernel does where no real one can be asked on every machine: files, VLANs,
// namespaces by path, and the passing of time.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Driver, OsError, type PortVlan } from '../../host-node/abi/index.ts';
import { fileDriver } from '../../host-node/drivers/files.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { type Call, play } from '../support/script.ts';
import { wasmModule } from '../support/wasm.ts';

const [ENOENT, EBADF, EINVAL, EOPNOTSUPP] = [2, 9, 22, 95];
const sim = wasmModule('sim');

function errnoOf(action: () => unknown): number {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(OsError);
    return (error as OsError).errno;
  }
  return 0;
}

const DIR = '/var/lib/cni/networks/n';
const FILE_CALLS: readonly Call[] = [
  ['file_create', { path: `${DIR}/10.1.2.3`, content: 'c1', replace_empty: 0 }],
  ['file_write', { path: `${DIR}/10.1.2.3`, content: 'c1' }],
  ['file_remove', { path: `${DIR}/10.1.2.3` }],
  ['file_read', { path: `${DIR}/10.1.2.3`, limit_bytes: 10 }],
  ['dir_lock', { dir: DIR, create: 1, timeout_ms: 0 }],
  ['dir_unlock', { lock: 1 }],
  ['dir_unlock', { lock: 1 }],
  ['dir_lock', { dir: `${DIR}/`, create: 0, timeout_ms: 0 }],
  ['file_create', { path: `${DIR}/10.1.2.3`, content: 'c1\r\neth0', replace_empty: 0 }],
  ['file_create', { path: `${DIR}/10.1.2.3`, content: 'c2', replace_empty: 0 }],
  ['file_create', { path: `${DIR}/10.1.2.3`, content: 'c2', replace_empty: 1 }],
  ['file_create', { path: `${DIR}/10.1.2.4`, content: '', replace_empty: 0 }],
  ['file_create', { path: `${DIR}/10.1.2.4`, content: 'c1', replace_empty: 0 }],
  ['file_create', { path: `${DIR}/10.1.2.4`, content: ' c1\n', replace_empty: 1 }],
  ['file_create', { path: `${DIR}/10.1.2.10`, content: 'c1', replace_empty: 0 }],
  ['file_create', { path: DIR, content: 'c1', replace_empty: 0 }],
  ['file_read', { path: `${DIR}/10.1.2.3`, limit_bytes: 100 }],
  ['file_read', { path: `${DIR}/10.1.2.3`, limit_bytes: 8 }],
  ['file_read', { path: `${DIR}/10.1.2.3`, limit_bytes: 7 }],
  ['file_read', { path: DIR, limit_bytes: 100 }],
  ['file_write', { path: `${DIR}/10.1.2.3`, content: 'new' }],
  ['file_read', { path: `${DIR}/10.1.2.3`, limit_bytes: 100 }],
  ['file_rewrite', { path: `${DIR}/10.1.2.3`, content: 'a longer one' }],
  ['file_read', { path: `${DIR}/10.1.2.3`, limit_bytes: 100 }],
  ['file_rewrite', { path: `${DIR}/10.1.2.3`, content: 'less' }],
  ['file_read', { path: `${DIR}/10.1.2.3`, limit_bytes: 100 }],
  ['file_rewrite', { path: DIR, content: 'c1' }],
  ['file_rewrite', { path: `${DIR}/none/a`, content: 'c1' }],
  ['file_remove', { path: `${DIR}/10.1.2.3` }],
  ['file_rewrite', { path: `${DIR}/10.1.2.3`, content: 'made' }],
  ['file_remove', { path: `${DIR}/10.1.2.3` }],
  ['file_remove', { path: `${DIR}/10.1.2.3` }],
  ['file_set_mtime', { path: DIR, mtime: '1700000000.000000001' }],
  ['file_mtime', { path: DIR }],
  ['file_read', { path: `${DIR}/10.1.2.10`, limit_bytes: 100 }],
  ['file_remove', { path: `${DIR}/10.1.2.99` }],
  ['dir_unlock', { lock: 2 }],
  ['dir_lock', { dir: DIR, create: 1, timeout_ms: 0 }],
  ['file_mtime', { path: `${DIR}/` }],
  ['file_set_mtime', { path: `${DIR}/10.1.2.10`, mtime: '1234567890.123456789' }],
  ['file_mtime', { path: `${DIR}/10.1.2.10` }],
  ['file_before_boot', { path: `${DIR}/10.1.2.10` }],
  ['file_mtime', { path: DIR }],
  ['file_set_mtime', { path: DIR, mtime: '1.5' }],
  ['file_set_mtime', { path: DIR, mtime: '' }],
  ['file_set_mtime', { path: DIR, mtime: '-1.000000000' }],
  ['file_set_mtime', { path: `${DIR}/nobody`, mtime: '1.000000000' }],
  ['file_mtime', { path: `${DIR}/nobody` }],
  ['file_read', { path: 'relative', limit_bytes: 100 }],
  ['file_read', { path: `${DIR}/../n`, limit_bytes: 100 }],
  ['dir_lock', { dir: 'relative', create: 1, timeout_ms: 0 }],
  ['dir_lock', { dir: '/var/lib/nobody', create: 0, timeout_ms: 0 }],
];

describe('files', () => {
  test('are as on a disk', () => {
    const root = mkdtempSync(join(tmpdir(), 'fairlead-sim-'));
    const files = fileDriver({ root });
    try {
      const errnos = (lines: string[]) =>
        lines.map((line) => line.replace(/(failed: \d+).*/, '$1'));
      const real = errnos(play(files as unknown as Driver, {}, FILE_CALLS));
      expect(errnos(play(simulatedDriver(sim, ''), {}, FILE_CALLS))).toEqual(real);
    } finally {
      files.close();
      rmSync(root, { recursive: true, force: true });
    }
  });

  test.each<[string, Call[]]>([
    ['made', [['file_create', { path: `${DIR}/c`, content: '', replace_empty: 0 }]]],
    ['not made', [['file_create', { path: `${DIR}/b`, content: '', replace_empty: 0 }]]],
    ['replaced', [['file_write', { path: `${DIR}/b`, content: 'b' }]]],
    ['made by that', [['file_rewrite', { path: `${DIR}/c`, content: 'b' }]]],
    ['removed', [['file_remove', { path: `${DIR}/b` }]]],
    ['a lock', [['dir_lock', { dir: DIR, create: 0, timeout_ms: 0 }]]],
    ['a folder', [['dir_make', { dir: `${DIR}/d` }]]],
  ])('make their folder forget a time that was set: %s', (_, calls) => {
    const root = mkdtempSync(join(tmpdir(), 'fairlead-sim-'));
    mkdirSync(root + DIR, { recursive: true });
    writeFileSync(`${root}${DIR}/b`, 'b');
    const real = fileDriver({ root });
    try {
      for (const driver of [real, simulatedDriver(sim, `file ${DIR}/b "b"\n`)]) {
        const mtime = '1700000000.000000001';
        driver.file_set_mtime({ path: DIR, mtime });
        play(driver as unknown as Driver, {}, calls);
        expect(Buffer.from(driver.file_mtime({ path: DIR })).toString()).not.toBe(mtime);
      }
    } finally {
      real.close();
      rmSync(root, { recursive: true, force: true });
    }
  });

  test('are dumped without locks', () => {
    const driver = simulatedDriver(sim, `file ${DIR}/a "1"\n`);
    driver.dir_lock({ dir: DIR, create: 0, timeout_ms: 0 });
    expect(driver.dump()).toMatch(/\nfile \/var\/lib\/cni\/networks\/n\/a "1"\n$/);
  });

  test('are dumped without the index of leases', () => {
    const driver = simulatedDriver(sim, 'file /run/fairlead/leases/1/index "1"\n');
    expect(driver.dump()).not.toContain('file ');
    const index = driver.file_read({ path: '/run/fairlead/leases/1/index', limit_bytes: 1 });
    expect(index).toEqual(Uint8Array.of(49));
  });

  test('keep bytes that are no text', () => {
    const driver = simulatedDriver(sim, `file ${DIR}/a ""\n`);
    const content = Uint8Array.of(0, 255, 10);
    driver.file_write({ path: `${DIR}/a`, content });
    expect(driver.file_read({ path: `${DIR}/a`, limit_bytes: 3 })).toEqual(content);
  });
});

describe('VLANs', () => {
  const text = `netns host
link br0 kind bridge up vlan_filtering
link v0 kind veth up master br0
link v1 kind veth
netns pod
link e0 kind veth peer host/v0
link e1 kind veth peer host/v1
`;
  const place = (driver: Driver, name: string) => {
    const { ifindex } = driver.link_get({ ns: 0, name }) as { ifindex: number };
    return { ns: 0, ifindex };
  };
  const list = (driver: Driver, name: string) =>
    (driver.bridge_vlan_list(place(driver, name)) as PortVlan[]).map(
      (vlan) => `${vlan.vid}${vlan.pvid ? ' pvid' : ''}${vlan.untagged ? ' untagged' : ''}`,
    );
  const add = (driver: Driver, name: string, vid: number, more = {}) =>
    driver.bridge_vlan_add({
      ...place(driver, name),
      vid,
      vid_end: vid,
      pvid: 0,
      untagged: 0,
      ...more,
    });

  test('a port begins with VLAN 1, and a new pvid takes the flag off the old', () => {
    const driver = simulatedDriver(sim, text);
    expect(list(driver, 'v0')).toEqual(['1 pvid untagged']);
    expect(list(driver, 'br0')).toEqual(['1 pvid untagged']);
    expect(list(driver, 'v1')).toEqual([]);
    add(driver, 'v0', 100, { pvid: 1, untagged: 1 });
    expect(list(driver, 'v0')).toEqual(['1 untagged', '100 pvid untagged']);
    add(driver, 'v0', 100);
    expect(list(driver, 'v0')).toEqual(['1 untagged', '100']);
    add(driver, 'v0', 5, { vid_end: 7 });
    driver.bridge_vlan_del({ ...place(driver, 'v0'), vid: 1, vid_end: 6 });
    driver.bridge_vlan_del({ ...place(driver, 'v0'), vid: 9, vid_end: 9 });
    expect(list(driver, 'v0')).toEqual(['7', '100']);
    expect(driver.dump()).toContain('vlan 100 dev v0\nvlan 7 dev v0\n');
  });

  test('what is refused', () => {
    const driver = simulatedDriver(sim, text);
    expect(errnoOf(() => add(driver, 'v1', 5))).toBe(EOPNOTSUPP);
    expect(errnoOf(() => add(driver, 'v0', 0))).toBe(EINVAL);
    expect(errnoOf(() => add(driver, 'v0', 4095))).toBe(EINVAL);
    expect(errnoOf(() => add(driver, 'v0', 5, { vid_end: 6, pvid: 1 }))).toBe(EINVAL);
    expect(errnoOf(() => add(driver, 'v0', 5, { vid_end: 4 }))).toBe(EINVAL);
  });
});

describe('namespaces', () => {
  test('are opened by path', () => {
    const driver = simulatedDriver(sim, 'netns pod\nfile /run/netns/stray ""\n');
    const open = (path: string) => driver.netns_open({ path });
    expect(driver.netns_same({ a: open('/var/run/netns/pod'), b: open('/run/netns/pod') })).toBe(1);
    for (const path of ['/proc/self/ns/net', '/proc/1/ns/net', '/run/netns/host']) {
      expect(driver.netns_same({ a: 0, b: open(path) })).toBe(1);
    }
    expect(driver.netns_same({ a: 0, b: open('/run/netns/pod') })).toBe(0);
    driver.netns_close({ ns: 2 });
    expect(errnoOf(() => driver.link_get({ ns: 2, name: 'lo' }))).toBe(EBADF);
    expect(errnoOf(() => driver.netns_close({ ns: 2 }))).toBe(EBADF);
    expect(open('/run/netns/host')).toBe(2);
    expect(errnoOf(() => open('/run/netns/stray'))).toBe(EINVAL);
    expect(errnoOf(() => open('/run/netns/nobody'))).toBe(ENOENT);
  });
});

describe('duplicate address detection', () => {
  const text = 'netns host\nlink a kind veth up peer host/b\nlink b kind veth up\n';
  const add = (driver: Driver, nodad: number) =>
    driver.addr_add({ ns: 0, ifindex: 2, address: 'fd00::1/64', nodad });
  const tentative = (driver: Driver) =>
    driver.addr_list({ ns: 0, ifindex: 2 }).map((a) => a.tentative);

  test('is over at the second look', () => {
    const driver = simulatedDriver(sim, text);
    add(driver, 0);
    expect(tentative(driver)).toEqual([true]);
    expect(tentative(driver)).toEqual([false]);
  });

  test('waits for the link', () => {
    const driver = simulatedDriver(sim, text);
    driver.link_set_down({ ns: 0, ifindex: 3 });
    add(driver, 0);
    expect(tentative(driver)).toEqual([true]);
    expect(tentative(driver)).toEqual([true]);
    driver.link_set_up({ ns: 0, ifindex: 3 });
    expect(tentative(driver)).toEqual([true]);
    expect(tentative(driver)).toEqual([false]);
  });

  test('is not done when switched off', () => {
    const driver = simulatedDriver(sim, text);
    add(driver, 1);
    expect(tentative(driver)).toEqual([false]);
    const other = simulatedDriver(sim, text);
    other.sysctl_write({ ns: 0, key: 'net/ipv6/conf/a/accept_dad', value: '0' });
    add(other, 0);
    expect(tentative(other)).toEqual([false]);
  });
});
