// SPDX-License-Identifier: Apache-2.0
// Real packets through the forward hook where others have chains too: administrators' of iptables,
// Docker's, an operator's own, iptables-legacy; and what becomes of living containers when an
// earlier version's tables are on the node. Who is let pass is asked by TCP, from both sides.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { needsIptables, needsNft } from '../support/needs.ts';
import { loadNft, nft, nftLines } from '../support/nft.ts';
import { callFor } from '../support/pod-call.ts';
import { confinedWorld, type NamedWorld, nativeWorld, openWorld } from '../support/world.ts';
import { CLIENT, inNetns, SERVER, SERVER_PORT, Servers } from './packets.ts';

const OUT = '192.0.2.2';
const NODE = '192.0.2.1';
const BEFORE = `netns host
link lo up
link up0 kind veth up peer out/eth0
addr ${NODE}/24 dev up0
netns out
link eth0 kind veth up
addr ${OUT}/24 dev eth0
route 10.0.0.0/8 via ${NODE} dev eth0
netns a1
netns a2
`;
const HOST_PORT = 8080;
const ADDRESSES: Readonly<Record<string, string>> = { a1: '10.1.2.11', a2: '10.1.2.12' };

let world: NamedWorld;
const servers = new Servers();
afterEach(() => {
  servers.stop();
  world.close();
});

const say = (netns: string, ...words: string[]): string =>
  execFileSync('ip', inNetns(world, netns, ...words), { encoding: 'utf8' });
const rules = (script: string): string => say('host', 'sh', '-ec', script);
async function ask(from: string, address: string, port: number): Promise<boolean> {
  const words = [process.execPath, '-e', CLIENT, 'tcp', address, String(port)];
  const { stdout } = await promisify(execFile)('ip', inNetns(world, from, ...words));
  return stdout.trim() !== 'nobody';
}

/** A node, with servers at both ends. */
async function open(script = '', made: (before: string) => NamedWorld = openWorld) {
  world = made(BEFORE);
  for (const netns of ['out', 'a1']) {
    await servers.start(world, netns, SERVER.replace('process.argv.slice(1)', `['${netns}']`));
  }
  if (script !== '') rules(script);
}

interface Keys {
  readonly firewall?: object;
  readonly ports?: boolean;
}
function configOf(pod: string, { firewall, ports = true }: Keys): { type: string } {
  const address = `${ADDRESSES[pod]}/24`;
  const routes = [{ dst: '0.0.0.0/0' }];
  const ipam = { type: 'static', addresses: [{ address, gateway: '10.1.2.1' }], routes };
  const plugins: object[] = [{ type: 'bridge', bridge: 'br0', isGateway: true, ipam }];
  if (firewall !== undefined) plugins.push({ type: 'firewall', ...firewall });
  const hostPort = pod === 'a1' ? HOST_PORT : HOST_PORT + 1;
  const portMappings = [{ hostPort, containerPort: SERVER_PORT, protocol: 'tcp' }];
  if (ports) plugins.push({ type: 'portmap', capabilities: { portMappings: true } });
  const runtimeConfig = ports ? { portMappings } : {};
  const more = { plugins, runtimeConfig };
  return { cniVersion: '1.1.0', name: 'net', type: 'fairlead', ...more } as never;
}

function add(pod: string, keys: Keys): object {
  const { exit_code, stdout } = callFor(world, 'ADD', pod, configOf(pod, keys));
  expect(exit_code, stdout).toBe(0);
  return JSON.parse(stdout) as object;
}
/** What CHECK complains about; "" for nothing. */
function check(pod: string, keys: Keys, prevResult: object): string {
  const { stdout } = callFor(world, 'CHECK', pod, { ...configOf(pod, keys), prevResult } as never);
  return stdout === '' ? '' : (JSON.parse(stdout) as { msg: string }).msg;
}
const repair = (): void => {
  (world as ReturnType<typeof openWorld>).task('repair', {});
};

/** Who gets through: the container to the world outside, a new connection to it, its host port. */
async function reach() {
  const [outgoing, incoming, published] = await Promise.all([
    ask('a1', OUT, SERVER_PORT),
    ask('out', ADDRESSES.a1 ?? '', SERVER_PORT),
    ask('out', NODE, HOST_PORT),
  ]);
  return { outgoing, incoming, published };
}

const FULL: Keys = { firewall: {} };
const PORTS_ONLY: Keys = {};
const needs = needsNft || needsIptables;

describe.skipIf(needs !== '')(`chains of administrators in iptables ${needs}`, () => {
  test('a DROP that was there before ADD drops, and one that comes after', async () => {
    await open(`iptables-nft -N CNI-ADMIN
      iptables-nft -A CNI-ADMIN -s 10.1.2.11 -p tcp --dport ${SERVER_PORT} -j DROP`);
    const result = add('a1', FULL);
    expect(await reach()).toEqual({ outgoing: false, incoming: true, published: true });
    rules('iptables-nft -F CNI-ADMIN');
    expect(await reach()).toEqual({ outgoing: true, incoming: true, published: true });
    rules(`iptables-nft -I CNI-ADMIN -d 10.1.2.11 -p tcp --dport ${SERVER_PORT} -j DROP`);
    expect(await reach()).toEqual({ outgoing: true, incoming: false, published: false });
    expect(check('a1', FULL, result)).toBe('');
  });

  test('a DROP drops established flows as well', async () => {
    await open('iptables-nft -P FORWARD DROP');
    add('a1', FULL);
    const ping = ['ping', '-c', '2', '-i', '0.2', '-W', '1', OUT];
    say('a1', ...ping);
    rules('iptables-nft -I CNI-ADMIN -s 10.1.2.11 -j DROP');
    expect(() => say('a1', ...ping)).toThrow();
  });

  test('the chain of a runtime accepts though the policy is DROP, as Nomad has it', async () => {
    await open(`iptables-nft -P FORWARD DROP
      iptables-nft -N NOMAD-ADMIN
      iptables-nft -A NOMAD-ADMIN -o br0 -d 10.1.2.0/24 -j ACCEPT`);
    const keys = { firewall: { backend: 'iptables', iptablesAdminChainName: 'NOMAD-ADMIN' } };
    const result = add('a1', keys);
    expect(await reach()).toEqual({ outgoing: true, incoming: true, published: true });
    expect(check('a1', keys, result)).toBe('');
    rules('iptables-nft -F NOMAD-ADMIN');
    expect(await reach()).toEqual({ outgoing: true, incoming: false, published: true });
  });

  test('iptables reads and restores what stands there', async () => {
    await open('iptables-nft -P FORWARD DROP');
    add('a1', FULL);
    const saved = rules('iptables-nft-save -t filter').replace(/^#.*\n/gm, '');
    expect(saved).toContain(
      '-A FORWARD -m comment --comment "fairlead admin CNI-ADMIN" -j CNI-ADMIN',
    );
    rules('iptables-nft-save -t filter | iptables-nft-restore');
    expect(rules('iptables-nft-save -t filter').replace(/^#.*\n/gm, '')).toBe(saved);
    expect(await reach()).toEqual({ outgoing: true, incoming: false, published: true });
  });

  test('a flush is noticed, and the next ADD leads there again', async () => {
    await open('iptables-nft -N CNI-ADMIN; iptables-nft -A CNI-ADMIN -s 10.1.2.11 -j DROP');
    const result = add('a1', FULL);
    rules('iptables-nft -F FORWARD');
    expect(check('a1', FULL, result)).toContain('lead to CNI-ADMIN');
    expect((await reach()).outgoing).toBe(true);
    add('a2', { ...FULL, ports: false });
    expect((await reach()).outgoing).toBe(false);
    expect(check('a1', FULL, result)).toContain('ports of the host');
    repair();
    expect(check('a1', FULL, result)).toBe('');
  });
});

/** As Docker leaves a node. */
const DOCKER = `iptables-nft -P FORWARD DROP
  for chain in DOCKER-USER DOCKER-FORWARD DOCKER; do iptables-nft -N $chain; done
  iptables-nft -A DOCKER-USER -j RETURN
  iptables-nft -A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  iptables-nft -A DOCKER-FORWARD -o docker0 -j DOCKER
  iptables-nft -A DOCKER ! -i docker0 -o docker0 -j DROP
  iptables-nft -A DOCKER-FORWARD -i docker0 -j ACCEPT
  iptables-nft -A FORWARD -j DOCKER-USER
  iptables-nft -A FORWARD -j DOCKER-FORWARD`;

describe.skipIf(needs !== '')(`a FORWARD that drops the rest ${needs}`, () => {
  test.each([
    ['portmap and firewall', FULL, true],
    ['portmap alone', PORTS_ONLY, false],
  ] as const)('Docker: a published port answers, %s', async (_, keys, outgoing) => {
    await open(DOCKER);
    const result = add('a1', keys);
    expect(await reach()).toEqual({ outgoing, incoming: false, published: true });
    expect(check('a1', keys, result)).toBe('');
    rules(`iptables-nft -I DOCKER-USER -s ${OUT} -p tcp --dport ${SERVER_PORT} -j DROP`);
    expect((await reach()).published).toBe(false);
  });

  test('a port of somebody else that leads to the container is not let through', async () => {
    await open(DOCKER);
    add('a1', PORTS_ONLY);
    rules(
      `iptables-nft -t nat -A PREROUTING -p tcp --dport 9090 -j DNAT --to 10.1.2.11:${SERVER_PORT}`,
    );
    expect(await ask('out', NODE, 9090)).toBe(false);
    expect((await reach()).published).toBe(true);
  });

  test('a reject at the end, also one that comes later', async () => {
    await open('iptables-nft -A FORWARD -j REJECT');
    const result = add('a1', PORTS_ONLY);
    expect(await reach()).toEqual({ outgoing: false, incoming: false, published: true });
    rules('iptables-nft -A FORWARD -j REJECT');
    expect((await reach()).published).toBe(true);
    rules('iptables-nft -I FORWARD -j REJECT');
    expect(check('a1', PORTS_ONLY, result)).toContain('ports of the host');
    repair();
    expect((await reach()).published).toBe(true);
  });
});

const LEGACY_HOSTS = [
  ['native host', nativeWorld],
  ['native host, confined', confinedWorld],
] as const;

describe.skipIf(needs !== '').each(LEGACY_HOSTS)(`iptables-legacy, %s ${needs}`, (_, made) => {
  test('its chain of an administrator is asked, and a policy DROP stops no container', async () => {
    const script = `iptables-legacy -P FORWARD DROP
      iptables-legacy -N CNI-ADMIN
      iptables-legacy -A CNI-ADMIN -s 10.1.2.11 -p tcp --dport ${SERVER_PORT} -j DROP`;
    await open(script, made);
    const result = add('a1', FULL);
    expect(await reach()).toEqual({ outgoing: false, incoming: false, published: true });
    rules('iptables-legacy -F CNI-ADMIN');
    expect(await reach()).toEqual({ outgoing: true, incoming: false, published: true });
    const before = rules('iptables-legacy -S FORWARD');
    add('a2', FULL);
    expect(rules('iptables-legacy -S FORWARD')).toBe(before);
    expect(check('a1', FULL, result)).toBe('');
    rules('iptables-legacy -F FORWARD');
    expect(check('a1', FULL, result)).toContain('FORWARD of iptables-legacy lacks our rules');
  });

  test('rules of it that come after our tables are asked too', async () => {
    await open('', made);
    add('a1', FULL);
    const packets = `-s 10.1.2.11 -p tcp --dport ${SERVER_PORT}`;
    rules(`iptables-legacy -N CNI-ADMIN; iptables-legacy -A CNI-ADMIN ${packets} -j DROP`);
    const result = add('a2', FULL);
    expect((await reach()).outgoing).toBe(false);
    expect(check('a2', FULL, result)).toBe('');
  });

  test('portmap alone passes before a reject at the end; GC takes the rule away', async () => {
    await open('iptables-legacy -A FORWARD -j REJECT', made);
    const before = rules('iptables-legacy -S');
    const result = add('a1', PORTS_ONLY);
    expect(await reach()).toEqual({ outgoing: false, incoming: false, published: true });
    expect(check('a1', PORTS_ONLY, result)).toBe('');
    const gc = { ...configOf('a1', PORTS_ONLY), 'cni.dev/valid-attachments': [] };
    expect(callFor(world, 'GC', 'a1', gc).stdout).toBe('');
    expect(rules('iptables-legacy -S')).toBe(before);
  });
});

/** An operator's own, as many distributions have it. */
const GUARD = `nft -f - <<'END'
table inet guard {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    reject with icmpx type admin-prohibited
  }
}
END`;
const CURE = "nft 'insert rule inet guard forward meta mark & 0x1800 != 0 accept'";

describe.skipIf(needsNft !== '')(
  `a chain of an operator's own that rejects the rest ${needsNft}`,
  () => {
    const nothing = { outgoing: false, incoming: false, published: false };
    test.each([
      ['before ADD', true],
      ['after ADD', false],
    ])('%s: CHECK names it and the command that lets the container through', async (_, before) => {
      await open(before ? GUARD : '');
      const result = add('a1', FULL);
      expect(check('a1', FULL, result) === '').toBe(!before);
      if (!before) rules(GUARD);
      expect(await reach()).toEqual(nothing);
      expect(check('a1', FULL, result)).toContain(`(${CURE})`);
      rules(CURE);
      if (!before) {
        expect(check('a1', FULL, result)).toContain('our tables set no marks');
        repair();
      }
      expect(check('a1', FULL, result)).toBe('');
      expect(await reach()).toEqual({ outgoing: true, incoming: false, published: true });
    });
  },
);

const tables = readFileSync(fileURLToPath(new URL('tables-1.nft', import.meta.url)), 'utf8');

describe.skipIf(needs !== '')(`tables of version 1, with a container that lives ${needs}`, () => {
  test.each([
    ['no iptables', ''],
    ['FORWARD DROP', 'iptables-nft -P FORWARD DROP'],
  ])('%s: it goes on, and nothing of them is left', async (_, script) => {
    await open(script);
    const result = add('a1', FULL);
    const host = world.netns('host');
    const elements = nftLines(host).filter(
      (line) => line.startsWith('nft element') && !line.includes('hostports_open'),
    );
    nft(host, ['delete', 'table', 'inet', 'fairlead']);
    nft(host, ['-f', '-'], tables);
    loadNft(host, elements);
    if (script !== '') {
      const pass = 'meta mark & 0x1000 == 0x1000 counter accept comment "fairlead firewall 1"';
      rules('iptables-nft -F FORWARD');
      nft(host, ['-f', '-'], `insert rule ip filter FORWARD ${pass}\n`);
    }
    const published = script === '';
    expect(await reach()).toEqual({ outgoing: true, incoming: published, published });
    add('a2', FULL);
    expect(await reach()).toEqual({ outgoing: true, incoming: script === '', published: true });
    expect(check('a1', FULL, result)).toBe('');
    const lines = nftLines(host);
    expect(lines.filter((line) => line.startsWith('nft odd'))).toEqual([]);
    expect(lines).toContain('nft rule CNI-ADMIN ip saddr 10.9.9.9 drop');
    expect(lines.filter((line) => line.startsWith('nft element hostports_open4'))).toHaveLength(2);
    expect(lines.join('\n')).not.toContain('fairlead firewall 1');
  });
});
