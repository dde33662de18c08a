// SPDX-License-Identifier: Apache-2.0
// `fairlead mtu` on machines whose links do not take what is said: b is behind a router that tells,
// c (IPv6 alone) behind one that drops without a word, d on the link itself. What is asserted is
// what the command says of each way, and that it is what packets meet.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Verdict } from '../../agent/overlay/probe.ts';
import { NODE } from '../support/hosts.ts';
import { within } from '../support/listener.ts';
import { needsRoot } from '../support/needs.ts';
import { Cell } from './cell.ts';

const NAMES = ['a', 'b', 'c', 'd'] as const;
type Name = (typeof NAMES)[number];
const READY_MS = 15_000;

/** Links: a, d, and the near sides of both routers on one; b and c alone behind theirs. */
const WIRES = `
netns add lan
-n lan link add br0 type bridge
-n lan link set br0 up
netns add r
netns add q
${NAMES.map((name) => `netns add ${name}\n-n ${name} link set lo up`).join('\n')}
${['a', 'd', 'r', 'q']
  .map(
    (name) => `-n lan link add to-${name} type veth peer eth0 netns ${name}
-n lan link set to-${name} master br0 up
-n ${name} link set eth0 up`,
  )
  .join('\n')}
-n r link add eth1 mtu 1400 type veth peer eth0 netns b
-n q link add eth1 mtu 1400 type veth peer eth0 netns c
-n r link set eth1 up
-n q link set eth1 up
-n b link set eth0 mtu 1500 up
-n c link set eth0 mtu 1500 up
-n a addr add 192.0.2.1/24 dev eth0
-n a addr add 2001:db8:1::1/64 dev eth0 nodad
-n d addr add 192.0.2.4/24 dev eth0
-n r addr add 192.0.2.254/24 dev eth0
-n r addr add 198.51.100.254/24 dev eth1
-n b addr add 198.51.100.2/24 dev eth0
-n b route add default via 198.51.100.254
-n q addr add 2001:db8:1::fe/64 dev eth0 nodad
-n q addr add 2001:db8:2::fe/64 dev eth1 nodad
-n c addr add 2001:db8:2::3/64 dev eth0 nodad
-n c route add default via 2001:db8:2::fe
-n a route add 198.51.100.0/24 via 192.0.2.254
-n a route add 2001:db8:2::/64 via 2001:db8:1::fe
-n d route add default via 192.0.2.254`;
const NODES = [
  {
    name: 'a',
    subnets: ['10.244.1.0/24', 'fd00:244:0:1::/64'],
    addresses: ['192.0.2.1', '2001:db8:1::1'],
  },
  { name: 'b', subnets: ['10.244.2.0/24'], addresses: ['198.51.100.2'], mtu_bytes: 1500 },
  { name: 'c', subnets: ['fd00:244:0:3::/64'], addresses: ['2001:db8:2::3'], mtu_bytes: 1500 },
  { name: 'd', subnets: ['10.244.4.0/24'], addresses: ['192.0.2.4'], mtu_bytes: 1500 },
];

interface Row {
  readonly node: string;
  readonly truth: string;
  readonly mtu_bytes: number;
  readonly route_bytes: number;
  readonly why: readonly string[];
  readonly probe?: { readonly outside: Verdict; readonly inside: Verdict };
}
interface Report {
  readonly mtu_bytes: number;
  readonly paths: readonly Row[];
}

describe.skipIf(needsRoot !== '')(`fairlead mtu ${needsRoot}`, () => {
  let cell: Cell;
  const pids = new Map<Name, string>();
  const signal = (name: Name, word: string) =>
    cell.run(['sh', '-c', `kill -${word} ${pids.get(name)}`]);
  const path = (name: string): string => join(cell.folder, name);
  const mtu = (...args: string[]) => {
    const command = ['ip', 'netns', 'exec', 'a', NODE.program, 'mtu'];
    const named = args.includes('--config') ? [] : ['--config', path('a.json')];
    const env = { CNI_FAIRLEAD_STATE_DIR: path('a.state') };
    return cell.call([...command, ...named, ...args], env, '');
  };
  /** The report, by node. */
  async function report(...args: string[]) {
    const { code, stdout, stderr } = await mtu('--output', 'json', ...args);
    expect(stderr).toBe('');
    const { paths, mtu_bytes } = JSON.parse(stdout) as Report;
    const rows = Object.fromEntries(paths.map((row) => [row.node, row])) as Record<Name, Row>;
    return { code, mtu_bytes, rows };
  }

  async function startAgent(name: Name): Promise<void> {
    const config = {
      ...{ name: 'pods', node: name },
      'net-conf': { Network: '10.244.0.0/16', IPv6Network: 'fd00:244::/48' },
      source: { type: 'file', path: path('nodes.json') },
    };
    writeFileSync(path(`${name}.json`), JSON.stringify(config));
    const at = ['--config', path(`${name}.json`)];
    const folders = ['--state-dir', path(`${name}.state`), '--disk-dir', path(`${name}.disk`)];
    const command = ['ip', 'netns', 'exec', name, NODE.program, 'agent'];
    pids.set(name, await cell.start([...command, ...at, ...folders], path(`${name}.log`)));
    await within(READY_MS, `${name} is ready`, async () => {
      return (await cell.call([...command, 'status', ...at], {}, '')).code === 0;
    });
  }

  beforeAll(async () => {
    cell = await Cell.open();
    for (const line of WIRES.trim().split('\n')) await cell.run(['ip', ...line.split(' ')]);
    for (const router of ['r', 'q']) {
      const keys = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
      await cell.run(['ip', 'netns', 'exec', router, 'sysctl', '-qw', ...keys]);
    }
    const silence =
      'add table ip6 t; add chain ip6 t o { type filter hook output priority 0; }; ' +
      'add rule ip6 t o icmpv6 type packet-too-big drop';
    await cell.run(['ip', 'netns', 'exec', 'q', 'nft', silence]);
    writeFileSync(path('nodes.json'), JSON.stringify({ nodes: NODES }));
    for (const name of NAMES) await startAgent(name);
  });
  afterAll(() => cell?.close());

  test('without --probe: each way with what it is made of, all as the sums have it', async () => {
    const { code, mtu_bytes, rows } = await report();
    expect(mtu_bytes).toBe(1450);
    expect(code).toBe(0);
    expect(rows.b).toMatchObject({
      ...{ dev: 'fl.1', address: '198.51.100.2', underlay: 'eth0', underlay_bytes: 1500 },
      ...{ node_bytes: 1500, overhead_bytes: 50, mtu_bytes: 1450, route_bytes: 1450 },
    });
    expect(rows.c).toMatchObject({
      ...{ dev: 'fl6.1', overhead_bytes: 70, mtu_bytes: 1430, route_bytes: 1430, truth: 'true' },
    });
  });

  test('--probe names the hop that says so, and measures where none does', async () => {
    const { code, rows } = await report('--probe');
    expect(code).toBe(1);
    expect(rows.b.probe!.outside).toMatchObject({
      ...{ truth: 'lie', carried_bytes: 1400, hop: '192.0.2.254', hop_bytes: 1400 },
    });
    expect(rows.c.probe!.outside).toMatchObject({ truth: 'lie', carried_bytes: 1400, hop: '' });
    expect(rows.c.why.join()).toContain('silently dropped above 1400 on the way to 2001:db8:2::3');
    expect(rows.d).toMatchObject({ truth: 'true', why: [] });
    expect(rows.d.probe!.inside).toMatchObject({ carried_bytes: 1450, more: false });
  });

  test('a table for people: that of docs/overlay.md', async () => {
    const { stdout } = await mtu('--probe');
    const document = new URL('../../docs/overlay.md', import.meta.url);
    expect(readFileSync(document, 'utf8')).toContain(stdout);
  });

  test('what is said becomes true: so does the verdict', async () => {
    const nodes = NODES.map((node) => ('mtu_bytes' in node ? { ...node, mtu_bytes: 1400 } : node));
    writeFileSync(path('nodes.json'), JSON.stringify({ nodes }));
    await within(READY_MS, 'the routes follow', async () => (await report()).code === 0);
    const { code, rows } = await report('--probe');
    expect([rows.b.truth, rows.c.truth, code]).toEqual(['true', 'true', 0]);
    expect([rows.b.route_bytes, rows.c.route_bytes]).toEqual([1350, 1330]);
    expect([rows.b.probe!.outside.more, rows.c.probe!.outside.more]).toEqual([false, false]);
    // d says less than its link takes, which harms nobody and is told.
    expect(rows.d.probe!.outside.more).toBe(true);
  });

  test('a route that somebody changed, and a node that does not answer', async () => {
    const before = (await cell.run(['ip', '-n', 'a', 'route', 'show', '10.244.2.0/24'])).trim();
    const changed = before.replace(/ mtu \d+/, '').split(' ');
    await signal('a', 'STOP');
    try {
      await cell.run(['ip', '-n', 'a', 'route', 'replace', ...changed]);
      await cell.run(['ip', '-n', 'd', 'link', 'set', 'eth0', 'down']);
      const { code, rows } = await report('--probe');
      expect([code, rows.b.truth, rows.d.truth]).toEqual([1, 'lie', 'unknown']);
      expect(rows.b.why[0]).toBe('the route carries 1450, not 1350: is the agent running?');
      expect(rows.d.why.join()).toContain('192.0.2.4 does not answer at all');
    } finally {
      await signal('a', 'CONT');
    }
  });

  test('without the right to send such packets it says so', async () => {
    const without = ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'];
    const mtu = [NODE.program, 'mtu', '--config', path('a.json'), '--probe'];
    const command = ['ip', 'netns', 'exec', 'a', ...without, ...mtu];
    const { code, stderr } = await cell.call(command, {}, '');
    expect([code, stderr]).toEqual([1, expect.stringContaining('run it as root')]);
  });

  test('wrong usage, and what is not there', async () => {
    expect((await mtu('--prob')).code).toBe(2);
    const gone = await mtu('--node', 'z');
    expect([gone.code, gone.stdout]).toEqual([1, expect.stringContaining('no node "z" is known')]);
    const none = await mtu('--config', '/nowhere');
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('does not exist')]);
  });
});
