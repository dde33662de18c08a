// SPDX-License-Identifier: Apache-2.0
// The executable as a runtime, in a machine of its own: a namespace attached, checked, pinged and
// taken away again by the command line; foreign plugins in the chain; how many programs it starts.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { needsReference } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';
import { REFERENCE_DIR } from '../support/world.ts';
import { Cell } from './cell.ts';

const bridge = {
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet: '10.93.0.0/24' }], [{ subnet: 'fd93::/64' }]],
    routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
  },
};
const somaxconn = { type: 'foreign-tuning', sysctl: { 'net.core.somaxconn': '517' } };

describe.skipIf(needsReference !== '')(`fairlead on the command line ${needsReference}`, () => {
  let cell: Cell;
  const at = (name: string): string => join(cell.folder, name);

  beforeAll(async () => {
    cell = await Cell.open();
    mkdirSync(at('net.d'));
    mkdirSync(at('bin'));
    symlinkSync(`${REFERENCE_DIR}/tuning`, at('bin/foreign-tuning'));
    const place = (name: string, plugins: object[]) =>
      writeFileSync(
        at(`net.d/${name}.conflist`),
        JSON.stringify({ cniVersion: '1.0.0', name, plugins }),
      );
    place('own', [bridge]);
    place('chain', [bridge, somaxconn]);
    place('masq', [{ ...bridge, ipMasq: true }]);
    place('broken', [bridge, { type: 'foreign-tuning', sysctl: { 'net.no.such': '1' } }]);
  });
  afterAll(() => cell?.close());
  beforeEach(async () => {
    for (const name of await cell.files('/run/netns')) await cell.run(['ip', 'netns', 'del', name]);
    for (const name of ['one', 'two']) await cell.run(['ip', 'netns', 'add', name]);
  });

  const env = (): Record<string, string> => ({
    NETCONFPATH: at('net.d'),
    CNI_PATH: at('bin'),
    PATH: process.env['PATH'] ?? '',
  });
  const fairlead = (...args: string[]) => cell.run([distPath('fairlead'), ...args], env());
  const inside = (ns: string, ...words: string[]) =>
    cell.run(['ip', 'netns', 'exec', ns, ...words]);
  async function left(): Promise<string[]> {
    const links = JSON.parse(await cell.run(['ip', '-json', 'link', 'show', 'type', 'veth']));
    const leases = await cell.files('/var/lib/cni/networks');
    return [
      ...links.map((link: { ifname: string }) => link.ifname),
      ...leases.filter((path) => !/\/(lock|last_reserved_ip\.\d)$/.test(path)),
      ...(await cell.files('/var/lib/cni/results')),
      ...(await cell.files('/run/fairlead/attachments')),
    ];
  }

  test('two namespaces reach each other, are checked, and leave nothing', async () => {
    const one = JSON.parse(await fairlead('add', 'own', 'one', '--output', 'json'));
    expect(one.ips.map((ip: { address: string }) => ip.address)).toEqual([
      '10.93.0.2/24',
      'fd93::2/64',
    ]);
    await fairlead('add', 'own', '/var/run/netns/two', '--ifname', 'net7');
    for (const address of ['10.93.0.1', '10.93.0.3', 'fd93::1', 'fd93::3']) {
      await inside('one', 'ping', '-c', '1', '-W', '3', address);
    }
    expect(await cell.files('/var/lib/cni/results')).toHaveLength(2);
    await fairlead('check', 'own', 'one');
    await inside('one', 'ip', 'addr', 'del', '10.93.0.2/24', 'dev', 'eth0');
    await expect(fairlead('check', 'own', 'one')).rejects.toThrow('10.93.0.2');
    await fairlead('del', 'own', 'one');
    await fairlead('del', 'own', 'two', '--ifname', 'net7');
    expect(await left()).toEqual([]);
  });

  test('a foreign plugin of the chain takes part in ADD, CHECK and DEL', async () => {
    await fairlead('add', 'chain', 'one');
    expect(await inside('one', 'cat', '/proc/sys/net/core/somaxconn')).toBe('517');
    await fairlead('check', 'chain', 'one');
    await inside('one', 'sysctl', '-qw', 'net.core.somaxconn=99');
    await expect(fairlead('check', 'chain', 'one')).rejects.toThrow('tuning');
    await fairlead('del', 'chain', 'one');
    expect(await left()).toEqual([]);
  });

  test('a foreign plugin that fails takes the whole ADD back', async () => {
    await expect(fairlead('add', 'broken', 'one')).rejects.toThrow('type="foreign-tuning" failed');
    expect(await left()).toEqual([]);
    expect(await inside('one', 'ip', '-o', 'link', 'show')).not.toContain('eth0');
  });

  test('repair puts back what somebody flushed', async () => {
    await fairlead('add', 'masq', 'one');
    await fairlead('check', 'masq', 'one');
    await cell.run(['nft', 'flush', 'ruleset']);
    await expect(fairlead('check', 'masq', 'one')).rejects.toThrow('fairlead repair');
    expect(await fairlead('repair')).toMatch(/^restored eth0 of .*\n1 attachment restored$/);
    await fairlead('check', 'masq', 'one');
    expect(await fairlead('repair')).toBe('0 attachments restored');
    await fairlead('del', 'masq', 'one');
    expect(await left()).toEqual([]);
  });

  test('gc collects what a namespace left that went without a DEL', async () => {
    await fairlead('add', 'own', 'one');
    await fairlead('add', 'own', 'two');
    await cell.run(['ip', 'netns', 'del', 'one']);
    const said = await fairlead('gc', 'own');
    expect(said).toBe('network own: 1 attachment removed, 1 valid');
    expect((await cell.files('/var/lib/cni/results')).length).toBe(1);
    await inside('two', 'ping', '-c', '1', '-W', '3', '10.93.0.1');
    await fairlead('gc', 'own', '--all');
    expect(await left()).toEqual([]);
  });

  test('who may not look is told so, and never that there is nothing', async () => {
    await fairlead('add', 'own', 'one');
    // A copy that anybody may execute: the build may lie where others do not get.
    await cell.run(['cp', distPath('fairlead'), '/run/fairlead-copy']);
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const said = (...args: string[]) =>
      cell.run([...nobody, '/run/fairlead-copy', ...args], env()).then(
        (out) => `succeeded: ${out}`,
        (error: unknown) => String(error),
      );
    await cell.run(['chmod', '755', cell.folder, at('net.d'), at('bin')]);
    for (const args of [
      ['gc', 'own'],
      ['repair'],
      ['check', 'own', 'one'],
      ['del', 'own', 'one'],
    ]) {
      expect(await said(...args)).toMatch(/cannot (read|lock|list) \S+[\s\S]*run it as root/);
    }
    await fairlead('check', 'own', 'one');
    await fairlead('del', 'own', 'one');
  });

  test('a dry run shows what an ADD does then, and changes nothing', async () => {
    const state = async (): Promise<string[]> => [
      await inside('one', 'ip', '-brief', 'address'),
      ...(await left()),
      ...(await cell.files('/var/lib')),
      ...(await cell.files('/run')),
    ];
    const before = await state();
    const said = await fairlead('add', 'own', 'one', '--dry-run');
    expect(said).toContain('nothing was changed');
    expect(said).toMatch(/ip link add veth.* type veth/);
    expect(await state()).toEqual(before);
    const json = JSON.parse(await fairlead('add', 'own', 'one', '--dry-run', '--output', 'json'));
    expect(await state()).toEqual(before);
    const real = JSON.parse(await fairlead('add', 'own', 'one', '--output', 'json'));
    expect(json).toMatchObject({ dry_run: true, exit_code: 0, answer: { ips: real.ips } });
    const del = await fairlead('del', 'own', 'one', '--dry-run');
    expect(del).toMatch(/ip link del dev veth/);
    await fairlead('check', 'own', 'one');
    await fairlead('del', 'own', 'one');
    expect(await left()).toEqual([]);
  });

  test('it is one process for our own plugins, and one more for each foreign', async () => {
    const log = at('execve');
    const trace = ['strace', '-f', '-e', 'trace=execve', '-o', log, distPath('fairlead')];
    const programs = async (...args: string[]): Promise<number> => {
      await cell.run([...trace, ...args], env());
      return readFileSync(log, 'utf8').match(/execve\(.* = 0$/gm)?.length ?? 0;
    };
    expect(await programs('add', 'own', 'one')).toBe(1);
    expect(await programs('del', 'own', 'one')).toBe(1);
    expect(await programs('add', 'chain', 'one')).toBe(2);
    expect(await programs('del', 'chain', 'one')).toBe(2);
    expect(await left()).toEqual([]);
  });

  test('the bundle under a Node of its own does the same', async () => {
    expect(existsSync(distPath('fairlead-cli.js'))).toBe(true);
    const bundle = [process.execPath, distPath('fairlead.mjs')];
    await cell.run([...bundle, 'add', 'own', 'one'], env());
    await inside('one', 'ping', '-c', '1', '-W', '3', '10.93.0.1');
    await cell.run([...bundle, 'del', 'own', 'one'], env());
    expect(await left()).toEqual([]);
  });
});
