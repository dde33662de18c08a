// SPDX-License-Identifier: Apache-2.0
// Real packets through the firewall: who reaches whom under each ingressPolicy, beside a chain of
// iptables whose policy is drop, and under rules of an administrator; the same through the
// reference plugins. And what becomes of it when somebody flushes a part.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Outcome } from '../support/fixture.ts';
import { Lab } from '../support/lab.ts';
import { needsIptables, needsNft, needsReference } from '../support/needs.ts';
import { nft, nftLines } from '../support/nft.ts';
import { callFor } from '../support/pod-call.ts';
import { distPath } from '../support/wasm.ts';
import { executableWorld, openWorld, REFERENCE_DIR } from '../support/world.ts';
import { inNetns } from './packets.ts';

/** Two bridges with containers, and a machine beyond an uplink that knows the way to them. */
const PODS = { a1: 'br0', a2: 'br0', b1: 'br1' } as const;
type Pod = keyof typeof PODS;
const BEFORE = `netns host
link up0 kind veth up peer out/eth0
addr 192.0.2.1/24 dev up0
addr 2001:db8::1/64 dev up0
netns out
link eth0 kind veth up
addr 192.0.2.2/24 dev eth0
addr 2001:db8::2/64 dev eth0
route 10.0.0.0/8 via 192.0.2.1 dev eth0
route fd00::/16 via 2001:db8::1 dev eth0
${Object.keys(PODS)
  .map((pod) => `netns ${pod}\n`)
  .join('')}`;
const ADDRESSES: Readonly<Record<string, readonly [string, string]>> = {
  a1: ['10.1.2.11', 'fd00:1::11'],
  a2: ['10.1.2.12', 'fd00:1::12'],
  b1: ['10.1.3.11', 'fd00:2::11'],
  host: ['10.1.2.1', 'fd00:1::1'],
  out: ['192.0.2.2', '2001:db8::2'],
};
const PORT = 8080;

type World = Pick<ReturnType<typeof openWorld>, 'run' | 'netns' | 'close'>;
const worlds: World[] = [];
const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const world of worlds.splice(0)) world.close();
});
function ours() {
  const world = openWorld(BEFORE);
  worlds.push(world);
  return world;
}
function theirs(): World {
  const world = executableWorld(BEFORE, REFERENCE_DIR);
  worlds.push(world);
  return world;
}

const say = (world: World, netns: string, ...words: string[]): string =>
  execFileSync('ip', inNetns(world, netns, ...words), { encoding: 'utf8' });

function call(world: World, command: string, pod: string, config: object): Outcome {
  return callFor(world, command, pod, config as { type: string });
}

function bridgeOf(pod: Pod): object {
  const [v4 = '', v6 = ''] = ADDRESSES[pod] ?? [];
  const gateway = (address: string): string => address.replace(/1\d$/, '1');
  const addresses = [
    { address: `${v4}/24`, gateway: gateway(v4) },
    { address: `${v6}/64`, gateway: gateway(v6) },
  ];
  const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];
  const ipam = { type: 'static', addresses, routes };
  const name = `net-${PODS[pod]}`;
  return { cniVersion: '1.0.0', name, type: 'bridge', bridge: PODS[pod], isGateway: true, ipam };
}
const firewallOf = (pod: Pod, keys: object): object => ({
  cniVersion: '1.0.0',
  name: `net-${PODS[pod]}`,
  type: 'firewall',
  ...keys,
});

/** Attaches a container, as a runtime does it: one call after the other. Gives the last result. */
function attach(world: World, pod: Pod, keys: object): object {
  let prevResult: object | undefined;
  for (const config of [bridgeOf(pod), firewallOf(pod, keys)]) {
    const { exit_code, stdout } = call(world, 'ADD', pod, { ...config, prevResult });
    expect(exit_code, stdout).toBe(0);
    prevResult = JSON.parse(stdout) as object;
  }
  return prevResult ?? {};
}

async function answers(world: World, from: string, address: string): Promise<boolean> {
  const words = ['ping', '-c', '3', '-i', '0.2', '-W', '1', '-w', '1', address];
  const ping = spawn('ip', inNetns(world, from, ...words), { stdio: 'ignore' });
  const [code] = await once(ping, 'close');
  return code === 0;
}

const PAIRS = [
  'a1 a2',
  'a1 b1',
  'b1 a1',
  'a1 out',
  'out a1',
  'host a1',
  'a1 host',
  'out b1',
] as const;

/** Who reaches whom, of both families: '4', '6', '46' or '-'. */
async function reach(world: World): Promise<Record<string, string>> {
  const told = await Promise.all(
    PAIRS.map(async (pair) => {
      const [from = '', to = ''] = pair.split(' ');
      const [v4 = '', v6 = ''] = ADDRESSES[to] ?? [];
      const [four, six] = await Promise.all([answers(world, from, v4), answers(world, from, v6)]);
      return [pair, `${four ? '4' : ''}${six ? '6' : ''}` || '-'] as const;
    }),
  );
  return Object.fromEntries(told);
}

/** Waits until no address is tentative: the reference lets the kernel look for duplicates. */
async function settled(world: World): Promise<void> {
  for (const netns of ['host', ...Object.keys(PODS)]) {
    while (say(world, netns, 'ip', '-6', 'addr', 'show', 'tentative') !== '') await sleep(100);
  }
}

/** All reach each other but these. */
const allBut = (...pairs: string[]): Record<string, string> =>
  Object.fromEntries(PAIRS.map((pair) => [pair, pairs.includes(pair) ? '-' : '46']));

/** Policies by container, and who then does not reach whom. */
const POLICIES: readonly (readonly [string, Readonly<Record<Pod, object>>, string[]])[] = [
  ['open', { a1: {}, a2: {}, b1: {} }, []],
  [
    'same-bridge on both',
    {
      a1: { ingressPolicy: 'same-bridge' },
      a2: { ingressPolicy: 'same-bridge' },
      b1: { ingressPolicy: 'same-bridge' },
    },
    ['a1 b1', 'b1 a1'],
  ],
  [
    'isolated on both',
    {
      a1: { ingressPolicy: 'isolated' },
      a2: { ingressPolicy: 'isolated' },
      b1: { ingressPolicy: 'isolated' },
    },
    ['a1 a2', 'a1 b1', 'b1 a1'],
  ],
  [
    'isolated and same-bridge',
    {
      a1: { ingressPolicy: 'isolated' },
      a2: { ingressPolicy: 'isolated' },
      b1: { ingressPolicy: 'same-bridge' },
    },
    ['a1 a2', 'a1 b1', 'b1 a1'],
  ],
  [
    'same-bridge and open',
    { a1: { ingressPolicy: 'same-bridge' }, a2: { ingressPolicy: 'same-bridge' }, b1: {} },
    [],
  ],
];

/** The policies of FORWARD in both families. */
function forwardPolicy(world: World, policy: 'ACCEPT' | 'DROP'): void {
  for (const program of ['iptables-nft', 'ip6tables-nft']) {
    say(world, 'host', program, '-P', 'FORWARD', policy);
  }
}

describe.skipIf(needsNft !== '')(`policies ${needsNft}`, () => {
  for (const [name, keys, blocked] of POLICIES) {
    test(`${name}: the rest reaches each other`, async () => {
      const world = ours();
      for (const pod of ['a1', 'a2', 'b1'] as const) attach(world, pod, keys[pod]);
      expect(await reach(world)).toEqual(allBut(...blocked));
    });
  }

  test('isolated containers of one bridge, be its frames shown to iptables or not', async () => {
    const world = ours();
    for (const pod of ['a1', 'a2'] as const) attach(world, pod, { ingressPolicy: 'isolated' });
    spawnSync('ip', inNetns(world, 'host', 'sysctl', '-w', 'net.bridge.bridge-nf-call-iptables=0'));
    spawnSync(
      'ip',
      inNetns(world, 'host', 'sysctl', '-w', 'net.bridge.bridge-nf-call-ip6tables=0'),
    );
    expect(await answers(world, 'a1', '10.1.2.12')).toBe(false);
    expect(await answers(world, 'a1', 'fd00:1::12')).toBe(false);
    expect(await answers(world, 'a1', '10.1.2.1')).toBe(true);
    expect(await answers(world, 'a1', '192.0.2.2')).toBe(true);
  });

  test('a policy ends with the last container that wants it', async () => {
    const world = ours();
    const policy = { ingressPolicy: 'same-bridge' };
    for (const pod of ['a1', 'a2', 'b1'] as const) attach(world, pod, policy);
    expect(call(world, 'DEL', 'a2', firewallOf('a2', policy)).exit_code).toBe(0);
    expect(await answers(world, 'a1', '10.1.3.11')).toBe(false);
    expect(call(world, 'DEL', 'a1', firewallOf('a1', {})).exit_code).toBe(0);
    expect(await answers(world, 'a1', '10.1.3.11')).toBe(true);
    expect(await answers(world, 'b1', '10.1.2.11')).toBe(true);
  });
});

const both = needsNft || needsIptables || needsReference;
describe.skipIf(both !== '')(`beside iptables, and as the reference ${both}`, () => {
  for (const policy of ['ACCEPT', 'DROP'] as const) {
    for (const [name, keys] of POLICIES) {
      // Debian's reference is of before there was this policy.
      if (name.startsWith('isolated')) continue;
      test(`${name}, FORWARD ${policy}: as with the reference plugins`, async () => {
        const told: Record<string, string>[] = [];
        for (const world of [ours(), theirs()]) {
          forwardPolicy(world, policy);
          for (const pod of ['a1', 'a2', 'b1'] as const) attach(world, pod, keys[pod]);
          await settled(world);
          told.push(await reach(world));
        }
        expect(told[0]).toEqual(told[1]);
        // What comes from outside is a new connection, which only FORWARD decides.
        expect(told[0]?.['out a1']).toBe(policy === 'ACCEPT' ? '46' : '-');
        expect(told[0]?.['a1 out']).toBe('46');
      });
    }
  }

  test('isolated, FORWARD DROP: outside is reached, and nobody inside', async () => {
    const world = ours();
    forwardPolicy(world, 'DROP');
    for (const pod of ['a1', 'a2', 'b1'] as const) {
      attach(world, pod, { ingressPolicy: 'isolated' });
    }
    expect(await reach(world)).toEqual(allBut('a1 a2', 'a1 b1', 'b1 a1', 'out a1', 'out b1'));
  });

  test('FORWARD drops what no container asked for, and lets answers in', async () => {
    const world = ours();
    forwardPolicy(world, 'DROP');
    attach(world, 'a1', {});
    const listed = say(world, 'host', 'iptables-nft', '-S', 'FORWARD').trim().split('\n');
    expect(listed).toEqual([
      '-P FORWARD DROP',
      '-A FORWARD -m comment --comment "fairlead admin CNI-ADMIN" -j CNI-ADMIN',
      '-A FORWARD -m mark --mark 0x1000/0x1000 ' +
        '-m comment --comment "fairlead firewall 2" -j ACCEPT',
    ]);
    expect(say(world, 'host', 'iptables-nft-save')).toContain('"fairlead firewall 2"');
    // A packet that comes with our bits set gains nothing by it.
    nft(world.netns('host'), ['-f', '-'], MARKING);
    expect(await answers(world, 'out', '10.1.2.11')).toBe(false);
    expect(await answers(world, 'a1', '192.0.2.2')).toBe(true);
    expect(nft(world.netns('host'), ['list', 'counter', 'inet', 'marking', 'left'])).toContain(
      'packets 0',
    );
  });

  test('a FORWARD that comes later: CHECK tells, repair restores', async () => {
    const world = ours();
    const prevResult = attach(world, 'a1', {});
    forwardPolicy(world, 'DROP');
    expect(await answers(world, 'a1', '192.0.2.2')).toBe(false);
    const check = () => call(world, 'CHECK', 'a1', { ...firewallOf('a1', {}), prevResult });
    expect(check().stdout).toContain('chain FORWARD of table ip filter lacks our rules');
    const { repaired } = JSON.parse(world.task('repair', {}).stdout) as { repaired: unknown[] };
    expect(repaired.length).toBe(1);
    expect(check()).toMatchObject({ exit_code: 0, stdout: '' });
    expect(await answers(world, 'a1', '192.0.2.2')).toBe(true);
    say(world, 'host', 'iptables-nft', '-F', 'FORWARD');
    expect(await answers(world, 'a1', '192.0.2.2')).toBe(false);
    attach(world, 'a2', {});
    expect(await answers(world, 'a1', '192.0.2.2')).toBe(true);
  });
});

describe.skipIf(both !== '')(`what ADD advises ${both}`, () => {
  const marks = '0x1800';
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'a chain of another table',
      `nft 'add table inet mine; add chain inet mine fw {
        type filter hook forward priority 7; policy drop; }'`,
      `nft 'insert rule inet mine fw meta mark & ${marks} != 0 accept'`,
    ],
  ];
  for (const [name, drops, cure] of cases) {
    test(`${name}: its drop stays, and the command lets the container through`, async () => {
      const world = ours();
      say(world, 'host', 'sh', '-c', drops);
      attach(world, 'a1', {});
      expect(await answers(world, 'a1', '192.0.2.2')).toBe(false);
      say(world, 'host', 'sh', '-c', cure);
      expect(await answers(world, 'a1', '192.0.2.2')).toBe(true);
      expect(await answers(world, 'out', '10.1.2.11')).toBe(false);
    });
  }
});

/** Sets our bits on all that comes in, and counts what leaves with it. */
const MARKING = `table inet marking {
	counter left {
	}
	chain in {
		type filter hook prerouting priority mangle;
		meta mark set 0x1800
	}
	chain out {
		type filter hook forward priority 30;
		meta mark & 0x1800 != 0 counter name left
	}
}
`;

/** Waits for connections, and says when it does. */
const SERVER = `require('node:net').createServer((one) => one.end('hello'))
  .listen({ port: ${PORT}, host: '::' }, () => console.log('ready'));`;
/** Connects and prints what it is told, or why not. */
const CLIENT = `
const socket = require('node:net').connect(${PORT}, process.argv[1]);
socket.setTimeout(1000, () => { console.log('timeout'); process.exit(); });
socket.on('data', (text) => { console.log(String(text)); process.exit(); });
socket.on('error', (error) => { console.log(error.code); process.exit(); });
`;

async function serveIn(world: World, netns: string): Promise<void> {
  const words = inNetns(world, netns, process.execPath, '-e', SERVER);
  const server = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(server);
  await once(server.stdout, 'data');
}
const connectFrom = (world: World, netns: string, address: string): string =>
  say(world, netns, process.execPath, '-e', CLIENT, address).trim();

describe.skipIf(needsNft !== '')(`rules of an administrator ${needsNft}`, () => {
  test('an accept opens what a policy closes, a drop closes what is open', async () => {
    const world = ours();
    const policy = { ingressPolicy: 'isolated' };
    attach(world, 'a1', policy);
    attach(world, 'b1', policy);
    await serveIn(world, 'b1');
    expect(connectFrom(world, 'a1', '10.1.3.11')).toBe('timeout');
    const rule = (...words: string[]) =>
      nft(world.netns('host'), ['add', 'rule', 'inet', 'fairlead', 'CNI-ADMIN', ...words]);
    rule('iifname', 'br0', 'ip', 'daddr', '10.1.3.11', 'tcp', 'dport', String(PORT), 'accept');
    rule('iifname', 'br1', 'ct', 'state', 'established', 'accept');
    expect(connectFrom(world, 'a1', '10.1.3.11')).toBe('hello');
    expect(await answers(world, 'a1', '192.0.2.2')).toBe(true);
    rule('ip', 'saddr', '10.1.2.11', 'ip', 'daddr', '192.0.2.2', 'drop');
    expect(await answers(world, 'a1', '192.0.2.2')).toBe(false);
    expect(await answers(world, 'a1', '2001:db8::2')).toBe(true);
  });

  test('stay whatever Fairlead does', () => {
    const world = ours();
    attach(world, 'a1', {});
    const host = world.netns('host');
    nft(host, ['add', 'rule', 'inet', 'fairlead', 'CNI-ADMIN', 'ip', 'saddr', '10.9.9.9', 'drop']);
    const rule = 'nft rule CNI-ADMIN ip saddr 10.9.9.9 drop';
    expect(nftLines(host)).toContain(rule);
    attach(world, 'a2', {});
    // As a new version of the rules would: all of the part is loaded anew.
    nft(host, ['flush', 'chain', 'inet', 'fairlead', 'forward']);
    attach(world, 'b1', {});
    expect(nftLines(host)).toEqual(expect.arrayContaining([rule, 'nft firewall 2']));
    nft(host, ['flush', 'chain', 'inet', 'fairlead', 'firewall-accept4']);
    world.task('repair', {});
    for (const pod of ['a1', 'a2', 'b1'] as const) call(world, 'DEL', pod, firewallOf(pod, {}));
    const gc = { ...firewallOf('a1', {}), cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] };
    expect(call(world, 'GC', 'a1', gc).exit_code).toBe(0);
    expect(nftLines(host).sort()).toEqual(['nft admin CNI-ADMIN', 'nft firewall 2', rule]);
  });
});

/** What somebody may do to our rules. */
const DAMAGE: readonly string[] = [
  'flush ruleset',
  'flush table inet fairlead',
  'flush chain inet fairlead forward',
  'flush chain inet fairlead firewall-admins',
  'flush chain inet fairlead firewall-accept4',
  'delete element inet fairlead firewall_pairs { br0 . br0 }',
  'delete element inet fairlead firewall_same { br0 }',
  'delete element inet fairlead firewall4 { 10.1.2.11 }',
];

describe.skipIf(needsNft !== '')(`damage ${needsNft}`, () => {
  for (const words of DAMAGE) {
    test(`${words}: CHECK tells, repair restores`, () => {
      const world = ours();
      const keys = { ingressPolicy: 'same-bridge' };
      const prevResult = attach(world, 'a1', keys);
      const host = world.netns('host');
      const whole = nftLines(host).sort();
      const check = () => call(world, 'CHECK', 'a1', { ...firewallOf('a1', keys), prevResult });
      expect(check()).toMatchObject({ exit_code: 0, stdout: '' });
      nft(host, words.split(' '));
      expect(check().stdout).toContain('fairlead repair');
      expect(JSON.parse(world.task('repair', {}).stdout)).toMatchObject({
        repaired: [{ containerID: 'a1' }],
        errors: [],
      });
      expect(nftLines(host).sort()).toEqual(whole);
      expect(check()).toMatchObject({ exit_code: 0, stdout: '' });
    });
  }
});

/** What iptables-nft makes for a FORWARD whose policy is DROP. */
const DROPPING = `table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
`;

describe.skipIf(both !== '')(`at the same time ${both}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-firewall-'));
  const program = join(folder, 'fairlead');
  beforeAll(() => symlinkSync(distPath('fairlead'), program));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('eight ADDs beside a GC, then eight DELs: no policy too few, none too many', async () => {
    const lab = new Lab(8, 'guarded');
    try {
      const host = `${lab.prefix}host`;
      nft(host, ['-f', '-'], DROPPING);
      const ranges = [[{ subnet: '10.1.2.0/24' }]];
      const ipam = { type: 'host-local', ranges, dataDir: folder };
      const plugins = [
        { type: 'bridge', bridge: 'br0', isGateway: true, ipam },
        { type: 'firewall', ingressPolicy: 'same-bridge' },
      ];
      const config = { cniVersion: '1.1.0', name: 'guarded', type: 'fairlead', plugins };
      const other = { ...config, name: 'unguarded', 'cni.dev/valid-attachments': [] };
      const call = async (command: string, pod: string, what: object): Promise<string> => {
        const { code, stdout } = await lab.call(program, command, pod, what);
        return code === 0 ? '' : stdout;
      };
      const lines = () =>
        nftLines(host).filter((line) => !line.startsWith('nft element firewall4'));
      const added = await Promise.all([
        ...lab.pods.map((pod) => call('ADD', pod, config)),
        ...[1, 2, 3].map(() => call('GC', 'guarded0', other)),
      ]);
      expect(added.join('')).toBe('');
      const count = (word: string) => lines().filter((line) => line.startsWith(word)).length;
      expect(count('nft in ip filter FORWARD')).toBe(2);
      expect(count('nft element firewall_policies')).toBe(8);
      expect(count('nft element firewall_same')).toBe(1);
      expect((await Promise.all(lab.pods.map((pod) => call('DEL', pod, config)))).join('')).toBe(
        '',
      );
      expect(count('nft element')).toBe(0);
      expect(count('nft chain firewall-same')).toBe(0);
      expect(await call('GC', 'guarded0', { ...config, 'cni.dev/valid-attachments': [] })).toBe('');
      expect(lines().sort()).toEqual([
        'nft admin CNI-ADMIN',
        'nft chain ip filter CNI-ADMIN',
        'nft forward ip filter FORWARD 0 drop',
        'nft marks 1',
        'nft table ip filter',
      ]);
    } finally {
      lab.close();
    }
  });
});
