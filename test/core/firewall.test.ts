// SPDX-License-Identifier: Apache-2.0
// What the firewall says of other firewalls on the node: each that may drop what ours accepts, by
// name and with the command that helps, and nothing of others.
import { expect, test } from 'vitest';
import { serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmModule } from '../support/wasm.ts';

const CONFIG = {
  cniVersion: '1.0.0',
  name: 'net',
  type: 'firewall',
  prevResult: { cniVersion: '1.0.0', ips: [{ address: '10.1.2.3/24' }] },
};

/** Standard error of an ADD, and of the CHECK after it, or the error of that. */
function said(before: readonly string[], keys: object = {}, exit_code = 0) {
  const host = before.filter((line) => line.startsWith('nft ')).sort();
  const files = before.filter((line) => line.startsWith('file '));
  const text = ['netns host', ...host, 'netns pod', ...files, ''].join('\n');
  const driver = simulatedDriver(wasmModule('sim'), text);
  const told = ['ADD', 'CHECK'].map((command) => {
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/run/netns/pod',
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/opt/cni/bin',
    };
    const lines: string[] = [];
    const stdin = () => Buffer.from(JSON.stringify({ ...CONFIG, ...keys }));
    const around = { stdin, log: (line: string) => lines.push(line), sleep: () => {} };
    const answer = serve(wasmModule('core'), driver, { type: 'firewall', env }, around);
    expect(answer.exit_code, answer.stdout).toBe(command === 'ADD' ? 0 : exit_code);
    const failed = command === 'CHECK' && exit_code !== 0;
    return failed ? [(JSON.parse(answer.stdout) as { msg: string }).msg] : lines;
  });
  return { add: told[0] ?? [], check: told[1] ?? [] };
}

test('nothing where nobody else drops, nor of a FORWARD that has our rule', () => {
  expect(said([])).toEqual({ add: [], check: [] });
  expect(
    said([
      'nft table ip filter',
      'nft forward ip filter FORWARD 0 drop',
      'nft table inet mine',
      'nft forward inet mine fw 0 accept',
      'nft table bridge mine',
      'nft forward bridge mine fw -200 drop',
      'file /proc/net/ip_tables_names "nat\\n"',
    ]),
  ).toEqual({ add: [], check: [] });
});

const MINE = ['nft table inet mine', 'nft forward inet mine fw 7 drop'];
const ADVICE =
  "let the containers' packets pass there (nft 'insert rule inet mine fw " +
  "meta mark & 0x1800 != 0 accept')";

test('a chain behind ours whose policy is drop: the mark lets through', () => {
  const { add, check } = said(MINE, {}, 1);
  const how = 'the policy of chain inet mine fw is drop, and what it drops stays dropped';
  const text = `${how}: ${ADVICE}`;
  expect(add).toEqual([`firewall: ${text}`]);
  expect(check).toEqual([text]);
});

/** Rules of the chain that drops, and whether it is certain that nothing of ours passes. */
const RULES: readonly (readonly [string[], boolean])[] = [
  [['ct state established,related accept'], true],
  [['counter', 'log'], true],
  [['drop', 'accept'], true],
  [['ip saddr 10.1.2.0/24 drop'], true],
  [['ip saddr 10.1.2.0/24 accept'], false],
  [['ct state new ip saddr 10.1.2.0/24 accept'], false],
  [['jump site'], false],
  [['meta mark & 0x00001800 != 0x00000000 accept'], false],
];
test.each(RULES)('%s before it: CHECK fails: %s', (rules, certain) => {
  const lines = rules.map((rule, at) => `nft in inet mine fw ${at + 1} ${rule}`);
  const others = ['nft chain inet mine site', ...lines];
  const { add, check } = said([...MINE, ...others], {}, certain ? 1 : 0);
  expect(add[0]).toContain(ADVICE);
  expect(check[0]).toContain(ADVICE);
});

test('a reject or a drop at the end is as good as the policy', () => {
  for (const last of ['reject', 'counter drop', 'log counter reject with icmpx admin-prohibited']) {
    const before = ['nft table ip mine', 'nft forward ip mine fw 0 accept'];
    const { add } = said([...before, `nft in ip mine fw 1 ${last}`], {}, 1);
    expect(add[0]).toContain('the last rule of chain ip mine fw drops or rejects the rest');
  }
});

test('a last rule that leads to a chain that drops is as good', () => {
  const before = ['nft table inet mine', 'nft forward inet mine fw 0 accept'];
  const shut = ['nft chain inet mine shut', 'nft in inet mine shut 1 log drop'];
  for (const last of ['jump shut', 'counter goto shut']) {
    const { add, check } = said([...before, ...shut, `nft in inet mine fw 1 ${last}`], {}, 1);
    expect(add[0]).toContain('the last rule of chain inet mine fw drops or rejects the rest');
    expect(check[0]).toContain('the last rule of chain inet mine fw');
  }
  // One that lets something pass before it drops may let ours pass.
  const door = 'nft in inet mine shut 1 ip saddr 10.1.2.0/24 accept';
  const open = [shut[0]!, door, 'nft in inet mine shut 2 drop', 'nft in inet mine fw 1 jump shut'];
  expect(said([...before, ...open]).add.length).toBe(1);
  const empty = ['nft chain inet mine shut', 'nft in inet mine fw 1 jump shut'];
  expect(said([...before, ...empty]).add).toEqual([]);
});

test('a chain for IPv6 alone is nothing to a container without it', () => {
  const { add, check } = said(['nft table ip6 mine', 'nft forward ip6 mine fw 1 drop']);
  expect(add).toEqual([]);
  expect(check).toEqual([]);
});

test('a chain before ours sees no mark', () => {
  const { add } = said(['nft table ip mine', 'nft forward ip mine fw -150 drop'], {}, 1);
  expect(add.length).toBe(1);
  expect(add[0]).toContain('ip saddr SUBNET accept');
});

test('firewalld is named, with the zone that helps', () => {
  const { add } = said([
    'nft table inet firewalld',
    'nft chain inet firewalld filter_FORWARD_POLICIES',
    'nft forward inet firewalld filter_FORWARD 10 accept',
    'nft in inet firewalld filter_FORWARD 1 ct state established,related accept',
    'nft in inet firewalld filter_FORWARD 2 jump filter_FORWARD_POLICIES',
    'nft in inet firewalld filter_FORWARD 3 reject with icmpx admin-prohibited',
  ]);
  expect(add.length).toBe(1);
  expect(add[0]).toContain('firewall-cmd --permanent --zone=trusted --add-source=SUBNET');
});

test('iptables-legacy that cannot be executed is named, and CHECK fails', () => {
  const { add, check } = said(['file /proc/net/ip_tables_names "filter\\nnat\\n"'], {}, 1);
  expect(add.length).toBe(1);
  expect(add[0]).toContain(
    'firewall: iptables-legacy has a table filter, and it cannot be executed',
  );
  expect(check[0]).toContain('FORWARD of iptables-legacy cannot be listed');
  // No address of that family is let pass.
  expect(said(['file /proc/net/ip6_tables_names "filter\\n"']).add).toEqual([]);
});

test('what becomes of a backend is said by ADD', () => {
  expect(said([], { backend: 'iptables' }).add[0]).toContain('nftables, in a table of its own');
  const firewalld = said([], { backend: 'firewalld', firewalldZone: 'pods' });
  expect(firewalld.add[0]).toContain('--zone=pods --add-source=SUBNET');
  expect(firewalld.check).toEqual([]);
  expect(said([], { backend: 'nftables' }).add).toEqual([]);
});
