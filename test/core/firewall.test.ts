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

/** Standard error of an ADD, and of the CHECK after it. */
function said(before: readonly string[], keys: object = {}): { add: string[]; check: string[] } {
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
    expect(answer.exit_code, answer.stdout).toBe(0);
    return lines;
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

test('a chain behind ours whose policy is drop: the mark lets through', () => {
  const { add, check } = said(['nft table inet mine', 'nft forward inet mine fw 7 drop']);
  expect(add).toEqual([
    'firewall: the policy of chain inet mine fw is drop, and what it drops stays dropped: let ' +
      "the container's packets pass there (nft 'insert rule inet mine fw " +
      "meta mark & 0x1000 == 0x1000 accept')",
  ]);
  expect(check).toEqual(add);
});

test('a chain before ours sees no mark', () => {
  const { add } = said(['nft table ip mine', 'nft forward ip mine fw -150 drop']);
  expect(add.length).toBe(1);
  expect(add[0]).toContain('ip saddr SUBNET accept');
});

test('firewalld is named, with the zone that helps', () => {
  const { add } = said([
    'nft table inet firewalld',
    'nft forward inet firewalld filter_FORWARD 10 accept',
  ]);
  expect(add.length).toBe(1);
  expect(add[0]).toContain('firewall-cmd --permanent --zone=trusted --add-source=SUBNET');
});

test('iptables-legacy is named', () => {
  const { add } = said(['file /proc/net/ip_tables_names "filter\\nnat\\n"']);
  expect(add.length).toBe(1);
  expect(add[0]).toContain('iptables-legacy -I FORWARD -m mark --mark 0x1000/0x1000 -j ACCEPT');
  expect(said(['file /proc/net/ip6_tables_names "filter\\n"']).add[0]).toContain(
    'ip6tables-legacy',
  );
});

test('what becomes of a backend is said by ADD', () => {
  expect(said([], { backend: 'iptables' }).add[0]).toContain('nftables, in a table of its own');
  const firewalld = said([], { backend: 'firewalld', firewalldZone: 'pods' });
  expect(firewalld.add[0]).toContain('--zone=pods --add-source=SUBNET');
  expect(firewalld.check).toEqual([]);
  expect(said([], { backend: 'nftables' }).add).toEqual([]);
});
