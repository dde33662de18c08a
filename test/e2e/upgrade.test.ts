// SPDX-License-Identifier: Apache-2.0
// Upgrade in place and back, with the real reference plugins: pods that these wired are deleted by
// ours, and the other way round. Nothing of them may be left that leads to who comes after. All of
// it happens in a machine within the machine.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { needsIptables, needsNft, needsReference, needsVrf } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';
import { REFERENCE_DIR } from '../support/world.ts';
import { Cell } from './cell.ts';
import { askPort, CELL_ADDRESS, makeBeyond, SERVER } from './packets.ts';

const needs = needsReference || needsNft || needsIptables;
const SLOW = { timeout: 120_000 };
const PORT = 8080;
const portMappings = [{ hostPort: PORT, containerPort: 80, protocol: 'tcp' }];

type Plugin = Readonly<Record<string, unknown>> & { readonly type: string };

/** One address of each family: the next pod gets that of the last. */
const ipam = {
  type: 'host-local',
  ranges: [
    [{ subnet: '10.9.1.0/24', rangeStart: '10.9.1.2', rangeEnd: '10.9.1.2' }],
    [{ subnet: 'fd00:9::/64', rangeStart: 'fd00:9::2', rangeEnd: 'fd00:9::2' }],
  ],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
};
const bridge: Plugin = { type: 'bridge', bridge: 'cni0', isGateway: true, ipam };
const ports: Plugin = { type: 'portmap', capabilities: { portMappings: true } };

const CHAINS: Readonly<Record<string, readonly Plugin[]>> = {
  'bridge, ipMasq': [{ ...bridge, ipMasq: true }],
  'ptp, ipMasq': [{ type: 'ptp', ipMasq: true, ipam }],
  macspoofchk: [{ ...bridge, macspoofchk: true }],
  portmap: [bridge, ports],
  firewall: [bridge, { type: 'firewall', backend: 'iptables' }],
  'all that is in iptables': [
    { ...bridge, ipMasq: true, macspoofchk: true },
    ports,
    { type: 'firewall', backend: 'iptables' },
  ],
  bandwidth: [
    bridge,
    { type: 'bandwidth', ingressRate: 1e6, ingressBurst: 1e6, egressRate: 1e6, egressBurst: 1e6 },
  ],
  tuning: [bridge, { type: 'tuning', mtu: 1400, sysctl: { 'net.ipv4.ip_default_ttl': '70' } }],
  sbr: [bridge, { type: 'sbr' }],
  ...(needsVrf === '' ? { vrf: [bridge, { type: 'vrf', vrfname: 'blue' }] } : {}),
};

let cell: Cell;
const bin = () => join(cell.folder, 'bin');
const sh = (script: string): Promise<string> => cell.run(['sh', '-ec', script]);

/** Calls the plugin of a type, whosever it is now. */
function call(command: string, pod: string, plugin: Plugin, prevResult?: unknown) {
  const asked = plugin.type === 'portmap' ? { runtimeConfig: { portMappings } } : {};
  const previous = prevResult === undefined ? {} : { prevResult };
  const config = { cniVersion: '1.0.0', name: 'net', ...plugin, ...asked, ...previous };
  const env = {
    PATH: process.env['PATH'] ?? '',
    CNI_COMMAND: command,
    CNI_CONTAINERID: pod,
    CNI_NETNS: `/run/netns/${pod}`,
    CNI_IFNAME: 'eth0',
    CNI_PATH: bin(),
  };
  return cell.call([join(bin(), plugin.type)], env, JSON.stringify(config));
}

/** ADD of a chain, as a runtime does it; gives the result. */
async function add(pod: string, chain: readonly Plugin[]): Promise<unknown> {
  let result: unknown;
  for (const plugin of chain) {
    const { code, stdout, stderr } = await call('ADD', pod, plugin, result);
    expect(code, stdout + stderr).toBe(0);
    result = JSON.parse(stdout);
  }
  return result;
}

/** DEL of a chain against its order; gives what failed, and what was said on standard error. */
async function del(pod: string, chain: readonly Plugin[], result?: unknown) {
  const failed: string[] = [];
  let said = '';
  for (const plugin of chain.toReversed()) {
    const { code, stdout, stderr } = await call('DEL', pod, plugin, result);
    said += stderr;
    if (code !== 0) failed.push(`${plugin.type}: ${stdout}`);
  }
  return { failed, said };
}

/** 1.1.1 fails the first DEL of an ipMasq that it did not make; a runtime tries again. */
async function delByReference(chain: readonly Plugin[], result: unknown): Promise<void> {
  const { failed } = await del('a', chain, result);
  if (failed.length > 0) expect((await del('a', chain, result)).failed).toEqual([]);
}

const fairlead = (...words: string[]): Promise<string> =>
  cell.run([join(bin(), 'fairlead'), ...words, '--bin-dir', bin()]);
const install = (...words: string[]) =>
  cell.run([distPath('fairlead'), 'install', '--bin-dir', bin(), ...words]);

/** All that an attachment can leave: rules, links, leases, records, what is kept to restore. */
function state(): Promise<string> {
  return sh(`
    (iptables-save; ip6tables-save; nft list ruleset) 2>/dev/null |
      sed -E '/^#/d; s/counter packets [0-9]+ bytes [0-9]+/counter/; s/\\[[0-9]+:[0-9]+\\]/[]/'
    ip -br link show type veth; ip -br link show type ifb
    tc qdisc show; find /var/lib/cni/networks -name '*.*.*.*' -o -name '*:*'
    find /run/cni /run/fairlead/attachments -type f 2>/dev/null || true`);
}

beforeAll(async () => {
  if (needs) return;
  cell = await Cell.open();
  mkdirSync(bin());
  await makeBeyond(cell);
  await sh(`cp ${REFERENCE_DIR}/* ${bin()}/
    echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
    iptables -P FORWARD ACCEPT; ip6tables -P FORWARD ACCEPT`);
}, 60_000);
afterAll(() => cell?.close());

/** Pods anew, and the reference plugins under their names. */
beforeEach(async () => {
  if (needs) return;
  await sh(`for pod in a c; do
      ip netns pids $pod 2>/dev/null | xargs -r kill -9
      ip netns del $pod 2>/dev/null || true
      ip netns add $pod; ip -n $pod link set lo up
    done
    ip link del cni0 2>/dev/null || true
    rm -rf /var/lib/cni/networks`);
  await sh(`[ ! -e ${bin()}/fairlead ] || ${bin()}/fairlead uninstall --drain --bin-dir ${bin()}`);
});

/** Starts a server in a pod, which says its name. */
async function serve(pod: string): Promise<void> {
  const log = `${cell.folder}/server-${pod}-${Date.now()}`;
  const words = ['ip', 'netns', 'exec', pod, process.execPath, '-e', SERVER, pod];
  await cell.start(words, log);
  await sh(`i=0; until grep -q ready ${log}; do [ $((i+=1)) -lt 100 ]; sleep 0.1; done`);
}
const askBeyond = () => askPort(cell, 'beyond', 'tcp', CELL_ADDRESS, PORT);

describe.skipIf(needs !== '')(`wired by the reference, deleted by ours ${needs}`, () => {
  test.each(Object.keys(CHAINS))('%s: nothing is left', SLOW, async (name) => {
    const chain = CHAINS[name]!;
    // What the reference leaves for all pods together is there from the first one on.
    expect((await del('a', chain, await add('a', chain))).failed).toEqual([]);
    const before = await state();
    const result = await add('a', chain);
    expect(await state()).not.toBe(before);
    await install();
    expect((await del('a', chain, result)).failed).toEqual([]);
    expect(await state()).toBe(before);
    const again = await del('a', chain);
    expect(again).toEqual({ failed: [], said: '' });
    expect(await state()).toBe(before);
  });

  test('the same in one call of the type fairlead', SLOW, async () => {
    const chain = CHAINS['all that is in iptables']!;
    await del('a', chain, await add('a', chain));
    const before = await state();
    const result = await add('a', chain);
    await install();
    const fused = { type: 'fairlead', plugins: chain, runtimeConfig: { portMappings } };
    const { code, stdout } = await call('DEL', 'a', fused, result);
    expect(code, stdout).toBe(0);
    expect(await state()).toBe(before);
  });

  test('a port leads to its pod, and to nobody once that is deleted', SLOW, async () => {
    const chain = CHAINS['all that is in iptables']!;
    const result = await add('a', chain);
    await serve('a');
    expect(await askBeyond()).toMatch(/^a sees /);
    await install();
    expect(await askBeyond()).toMatch(/^a sees /);
    expect((await del('a', chain, result)).failed).toEqual([]);
    // The next pod has the address, and publishes nothing.
    const next = await add('c', [{ ...bridge, ipMasq: true }]);
    expect(JSON.stringify(next)).toContain('10.9.1.2/24');
    await serve('c');
    expect(await askBeyond()).toBe('nobody');
    await del('c', [{ ...bridge, ipMasq: true }], next);
  });

  test('CHECK asks what was kept: it says what it said before', SLOW, async () => {
    const chain = CHAINS['all that is in iptables']!;
    const result = await add('a', chain);
    const check = async () => {
      const codes: (number | undefined)[] = [];
      for (const plugin of chain) codes.push((await call('CHECK', 'a', plugin, result)).code);
      return codes;
    };
    const theirs = await check();
    await install();
    expect(await check()).toEqual(theirs);
    await sh('iptables -F CNI-FORWARD');
    const checked = await call('CHECK', 'a', chain[2]!, result);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      msg: expect.stringContaining('firewall.before-fairlead, which wired "eth0", says: '),
    });
    await del('a', chain, result);
  });

  test('types that became ours one after the other: each asks its own', SLOW, async () => {
    const chain = CHAINS['portmap']!;
    await del('a', chain, await add('a', chain));
    const before = await state();
    await install('--types', 'bridge,host-local');
    const result = await add('a', chain);
    expect(await state()).toContain('CNI-DN-');
    await install();
    expect((await del('a', chain, result)).failed).toEqual([]);
    expect(await state()).toBe(before);
  });

  test('where nothing was kept CHECK and DEL say so, and chains go by name', SLOW, async () => {
    const chain = CHAINS['all that is in iptables']!;
    await del('a', chain, await add('a', chain));
    const before = await state();
    const result = await add('a', chain);
    await install();
    await sh(`mkdir ${bin()}/away; mv ${bin()}/*.before-fairlead ${bin()}/away/`);
    const checked = await call('CHECK', 'a', ports, result);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      code: 103,
      msg: expect.stringContaining('there is no record of "eth0" of container a'),
    });
    const { failed, said } = await del('a', chain, result);
    expect(failed).toEqual([]);
    // What has no name of its own stays: of firewall and macspoofchk.
    expect(said).toMatch(/no firewall.before-fairlead in CNI_PATH/);
    expect(said).toMatch(/no bridge.before-fairlead in CNI_PATH/);
    expect(said).not.toContain('portmap');
    await sh(`mv ${bin()}/away/* ${bin()}/; rmdir ${bin()}/away`);
    const nat = /CNI-(DN-)?[0-9a-f]{20}/;
    expect(await state()).not.toMatch(nat);
    await sh('iptables -F CNI-FORWARD; ip6tables -F CNI-FORWARD; nft delete table bridge nat');
    expect(before).not.toMatch(nat);
  });

  test('a pod whose namespace is gone already: its chains go all the same', SLOW, async () => {
    const chain = CHAINS['all that is in iptables']!;
    const result = await add('a', chain);
    await install();
    await sh('ip netns del a; ip netns add other; ip netns del other');
    const { failed } = await del('a', chain, result);
    expect(failed).toEqual([]);
    expect(await state()).not.toMatch(/CNI-(DN-)?[0-9a-f]{20}|10\.9\.1\.2|fd00:9::2/);
  });

  test('a kept program that is broken holds no DEL up', SLOW, async () => {
    const result = await add('a', CHAINS['portmap']!);
    await install();
    await sh(`mv ${bin()}/portmap.before-fairlead ${bin()}/whole
      printf '#!/bin/sh\\necho no\\nexit 3\\n' > ${bin()}/portmap.before-fairlead
      chmod 755 ${bin()}/portmap.before-fairlead`);
    const { failed, said } = await del('a', CHAINS['portmap']!, result);
    expect(failed).toEqual([]);
    expect(said).toBe('');
    await sh(`mv ${bin()}/whole ${bin()}/portmap.before-fairlead`);
    expect(await state()).not.toContain('CNI-DN-');
  });

  test('GC leaves the lease of a pod that lives', SLOW, async () => {
    const result = await add('a', [bridge]);
    await install();
    const gc = { ...bridge, cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] };
    const { code, stdout, stderr } = await call('GC', 'a', gc);
    expect(code, stdout).toBe(0);
    expect(stderr).toContain('that are not valid and stay');
    expect(await state()).toContain('/10.9.1.2');
    expect((await del('a', [bridge], result)).failed).toEqual([]);
    expect(await state()).not.toContain('/10.9.1.2');
  });
});

describe.skipIf(needs !== '')(`wired by ours, deleted by the reference ${needs}`, () => {
  test.each(Object.keys(CHAINS))('%s: what is left goes as ours come back', SLOW, async (name) => {
    const chain = CHAINS[name]!;
    await del('a', chain, await add('a', chain));
    const before = await state();
    await install();
    const result = await add('a', chain);
    await fairlead('uninstall', '--leave');
    await delByReference(chain, result);
    await install();
    await fairlead('uninstall');
    expect(await state()).toBe(before);
  });

  test('a port leads to nobody once ours are back', SLOW, async () => {
    const chain = CHAINS['all that is in iptables']!;
    await install();
    const result = await add('a', chain);
    await serve('a');
    expect(await askBeyond()).toMatch(/^a sees /);
    await fairlead('uninstall', '--leave');
    await delByReference(chain, result);
    await install();
    const next = await add('c', [bridge]);
    expect(JSON.stringify(next)).toContain('10.9.1.2/24');
    await serve('c');
    expect(await askBeyond()).toBe('nobody');
  });

  test('uninstall --drain takes all of ours away', SLOW, async () => {
    const chain = CHAINS['all that is in iptables']!;
    await del('a', chain, await add('a', chain));
    const before = await state();
    await install();
    await add('a', chain);
    await expect(fairlead('uninstall')).rejects.toThrow('1 attachment of ours live');
    await fairlead('uninstall', '--drain');
    expect(await state()).toBe(before);
    expect(await sh('ls -d /run/fairlead 2>/dev/null || echo none')).toBe('none');
  });
});
