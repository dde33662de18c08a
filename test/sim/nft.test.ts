// SPDX-License-Identifier: Apache-2.0
// Transactions three times over: as the core's messages on the real kernel, as its words on the
// simulated one, and as the same words through nft itself. All three must agree on what fails, on
// the state, and down to the expressions that the kernel gives back.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { type Driver, type NftChain, OsError } from '../../host-node/abi/index.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { underTest } from '../support/kernel-driver.ts';
import { callBytes, callString, seeded } from '../support/lib-wasm.ts';
import { needsNft } from '../support/needs.ts';
import { nft, nftLines } from '../support/nft.ts';
import { outputOf } from '../support/shell.ts';
import { wasmModule } from '../support/wasm.ts';

const RANDOM_RUNS = 8;
const STEPS = 30;
const [INET, IP, BRIDGE, IP6] = [1, 2, 7, 10];
const [ENOENT, ERESTART] = [2, 85];

const made: string[] = [];
function addNetns(): string {
  const name = `fl-nft-${randomBytes(4).toString('hex')}`;
  execFileSync('ip', ['netns', 'add', name]);
  made.push(name);
  return name;
}
afterEach(() => {
  for (const name of made.splice(0)) spawnSync('ip', ['netns', 'del', name]);
});

const CHAINS = [
  'masq-10.1.2.0/24',
  'masq-10.8.0.0/13',
  'masq-fd00_1__/61',
  'masq-any4',
  'snat-10.1.2.0/24',
  'snat-10.8.0.0/13',
  'snat-fd00_1__/61',
  'firewall-accept4',
  'firewall-accept6',
  'firewall-same-cni0',
  'firewall-isolated-br-_40x',
];
const PARTS = ['masq', 'portmap', 'spoof', 'firewall', 'marks', 'isolation'];
const ADMIN = 'CNI-ADMIN';
const ELEMENTS = [
  'masq4 10.1.2.2 : goto masq-10.1.2.0/24',
  'masq4 10.1.2.2 : goto masq-any4',
  'masq4 10.8.0.2 : goto masq-10.8.0.0/13',
  'masq6 fd00:1::2 : goto masq-fd00_1__/61',
  'hostports4 tcp . 8080 : 10.1.2.2 . 80',
  'hostports4 tcp . 8080 : 10.1.2.3 . 80',
  'hostports6 udp . 53 : fd00:1::2 . 5353',
  'hostports_ip4 192.0.2.1 . sctp . 65535 : 10.1.2.2 . 1',
  'hostports_ip6 2001:db8::1 . tcp . 443 : fd00:1::2 . 8443',
  'hostports_snat4 10.1.2.2 . tcp . 8080 : goto snat-10.1.2.0/24',
  'hostports_snat4 10.8.0.2 . sctp . 7 : goto hostports_all',
  'hostports_snat6 fd00:1::2 . udp . 53 : goto snat-fd00_1__/61',
  'hostports_open4 10.1.2.2 . tcp . 8080',
  'hostports_open6 fd00:1::2 . udp . 53',
  'hostports_self4 10.1.2.2 . 10.1.2.2',
  'hostports_self6 fd00:1::2 . fd00:1::2',
  'spoof_ports veth01234567',
  'spoof_pairs veth01234567 . 02:00:00:00:00:01',
  'firewall4 10.1.2.2 : goto firewall-accept4',
  'firewall6 fd00:1::2 : goto firewall-accept6',
  'firewall_policies x0123456789abcd : goto firewall-same-cni0',
  'firewall_admins x0123456789abcd : goto CNI-ADMIN',
  'firewall_same cni0',
  'firewall_isolated cni1',
  'firewall_pairs cni0 . cni0',
  'isolated_ports veth01234567',
];
const BRIDGE_SETS = ['spoof_ports', 'spoof_pairs', 'isolated_ports'];
const familyOf = (set: string): number => (BRIDGE_SETS.includes(set) ? BRIDGE : INET);
/** What iptables-nft and others make. */
const OTHERS = `table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
table ip6 filter {
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
	}
}
table inet mine {
	chain fw {
		type filter hook forward priority 7; policy drop;
	}
}
`;

/** The lines of one transaction. */
function randomScript(random: () => number): string {
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const kinds: (() => string)[] = [
    () => `part ${one(PARTS)}`,
    () => `chain ${one(CHAINS)}`,
    () => `fresh-chain ${one(CHAINS)}`,
    () => `${one(['pass', 'through'])} ${one(['ip', 'ip6'])}`,
    () => `ask ${one(['ip', 'ip6'])} ${one([ADMIN, 'SITE'])}`,
    () => `delete-rule ip 999999`,
    () => `through ip 999999`,
    () => `admin ${ADMIN}`,
    () => `delete-chain ${ADMIN}`,
    () => `create ${one(ELEMENTS)}`,
    () => `create ${one(ELEMENTS)}`,
    () => `delete ${one(ELEMENTS)}`,
    () => `delete-chain ${one(CHAINS)}`,
  ];
  const count = 1 + Math.floor(random() * 3);
  return Array.from({ length: count }, () => one(kinds)()).join('\n');
}

/** What an operation gave, or its errno. */
function tried(action: () => unknown): unknown {
  try {
    return action() ?? 'ok';
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return error.errno;
  }
}

/** A chain without its handles: those of the kernel count whatever is in the table. */
function toldOf(driver: Driver, family: number, chain: string, table = 'fairlead'): unknown {
  const found = tried(() => driver.chain_get({ ns: 0, family, table, chain }));
  if (typeof found === 'number') return found;
  const { use, rules } = found as NftChain;
  expect(new Set(rules.map(({ handle }) => handle)).size).toBe(rules.length);
  return { use, comments: rules.map(({ comment }) => comment) };
}

/** Everything the read operations say, sorted: a hash has no order. */
function told(driver: Driver): unknown {
  const sets = [...new Set(ELEMENTS.map((element) => element.split(' ')[0] ?? ''))];
  const sorted = (list: unknown): unknown =>
    Array.isArray(list) ? list.map((item) => JSON.stringify(item)).sort() : list;
  const table = 'fairlead';
  return [
    ...[INET, BRIDGE].map((family) =>
      sorted(tried(() => driver.rule_list({ ns: 0, family, table }))),
    ),
    ...sets.map((set) =>
      sorted(tried(() => driver.element_list({ ns: 0, family: familyOf(set), table, set }))),
    ),
    ...[...CHAINS, ADMIN, 'forward', 'firewall-admins'].map((chain) => toldOf(driver, INET, chain)),
    ...[IP, IP6].map((family) => toldOf(driver, family, 'FORWARD', 'filter')),
    sorted(tried(() => driver.chain_list({ ns: 0, hooknum: 2 }))),
    ...ELEMENTS.map((element) => {
      const set = element.split(' ')[0] ?? '';
      const family = familyOf(set);
      const key = callBytes('nft_key', [element]);
      return tried(() => driver.element_get({ ns: 0, family, table, set, key }));
    }),
  ];
}

/** Rules and elements in the kernel's own terms, without handles; elements have no order. */
function expressions(netns: string): { rules: string[]; elements: string[] } {
  const listing = outputOf([
    'ip',
    'netns',
    'exec',
    netns,
    'nft',
    '--debug=netlink',
    'list',
    'ruleset',
  ]);
  const lines = listing.replace(/^(\w+ (?:fairlead|filter) \S+).*$/gm, '$1').split('\n');
  const isElement = (line: string) => line.startsWith('\telement ');
  return {
    rules: lines.filter((line) => !line.startsWith('\t')),
    elements: lines.filter(isElement).sort(),
  };
}

function compare(scripts: readonly string[]): void {
  const [ours, theirs] = [addNetns(), addNetns()];
  for (const netns of [ours, theirs]) nft(netns, ['-f', '-'], OTHERS);
  const before = ['netns host', ...nftLines(ours).sort(), ''].join('\n');
  const simulated = simulatedDriver(wasmModule('sim'), before);
  const real = underTest.open({ hostNetns: `/run/netns/${ours}` });
  try {
    for (const script of scripts) {
      const messages = callBytes('nft_messages', [script]);
      const words = callString('nft_words', [script]);
      const outcome = tried(() => real.batch({ ns: 0, messages, words }));
      expect(
        tried(() => simulated.batch({ ns: 0, messages, words })),
        script,
      ).toBe(outcome);
      const judged = spawnSync('ip', ['netns', 'exec', theirs, 'nft', '-f', '-'], { input: words });
      expect(judged.status === 0, script).toBe(outcome === 'ok');
      const lines = nftLines(ours).sort();
      expect(lines, script).toEqual(nftLines(theirs).sort());
      const dumped = simulated.dump().split('\n');
      expect(
        dumped.filter((line) => line.startsWith('nft ')),
        script,
      ).toEqual(lines);
      expect(told(simulated), script).toEqual(told(real as unknown as Driver));
    }
    expect(expressions(ours)).toEqual(expressions(theirs));
  } finally {
    real.close();
  }
}

describe.skipIf(needsNft !== '')(`one transaction, three ways ${needsNft}`, () => {
  test('everything there is', () => {
    const all = [...CHAINS.map((name) => `chain ${name}`)];
    const keys = new Set<string>();
    const first = ELEMENTS.filter((text) => {
      const key = text.split(' : ')[0] ?? '';
      return !keys.has(key) && keys.add(key);
    });
    const chains = all.filter((line) => line.startsWith('chain '));
    const elements = [
      ...all.filter((line) => !line.startsWith('chain ')),
      ...first.map((text) => `create ${text}`),
    ];
    const parts = PARTS.map((name) => `part ${name}`);
    const more = [`admin ${ADMIN}`, 'pass ip', `ask ip ${ADMIN}`, 'pass ip6', 'through ip6'];
    compare([[...parts, ...chains, ...more, ...elements].join('\n'), parts.join('\n')]);
  });

  test('many elements in one message list', () => {
    const many = Array.from({ length: 300 }, (_, at) => {
      return `create masq4 10.8.${at >> 8}.${at & 255} : goto masq-10.8.0.0/13`;
    });
    compare([['part masq', 'chain masq-10.8.0.0/13', ...many].join('\n')]);
  });

  test('a transaction that names a generation comes through in that one only', () => {
    const netns = addNetns();
    const simulated = simulatedDriver(wasmModule('sim'), 'netns host\n');
    const real = underTest.open({ hostNetns: `/run/netns/${netns}` });
    try {
      for (const driver of [simulated, real as unknown as Driver]) {
        const send = (script: string): unknown => {
          const words = callString('nft_words', [script]);
          const messages = callBytes('nft_messages', [script]);
          return tried(() => driver.batch({ ns: 0, messages, words }));
        };
        const now = () => driver.generation({ ns: 0 });
        const first = now();
        expect(first).toBeGreaterThan(0);
        expect(send(`generation ${first}\npart masq`)).toBe('ok');
        const second = now();
        expect(second).not.toBe(first);
        told(driver);
        expect(now()).toBe(second);
        expect(send(`generation ${first}\nchain masq-any4`)).toBe(ERESTART);
        expect(send(`generation ${second}\ndelete-chain masq-any4`)).toBe(ENOENT);
        expect(now()).toBe(second);
        expect(send(`generation ${second}\nchain masq-any4`)).toBe('ok');
        expect(send('chain masq-any6')).toBe('ok');
        expect(send(`generation ${second}\npart spoof`)).toBe(ERESTART);
      }
      expect(nftLines(netns).sort()).toEqual(
        simulated
          .dump()
          .split('\n')
          .filter((line) => line.startsWith('nft ')),
      );
    } finally {
      real.close();
    }
  });

  test('a rule in a chain of others goes by its handle, once', () => {
    const netns = addNetns();
    nft(netns, ['-f', '-'], OTHERS);
    const before = ['netns host', ...nftLines(netns).sort(), ''].join('\n');
    const simulated = simulatedDriver(wasmModule('sim'), before);
    const real = underTest.open({ hostNetns: `/run/netns/${netns}` });
    const lines = (driver: Driver): string[] =>
      driver === simulated
        ? simulated
            .dump()
            .split('\n')
            .filter((line) => line.startsWith('nft '))
        : nftLines(netns).sort();
    try {
      for (const driver of [simulated, real as unknown as Driver]) {
        const send = (script: string): unknown =>
          tried(() =>
            driver.batch({
              ns: 0,
              messages: callBytes('nft_messages', [script]),
              words: callString('nft_words', [script]),
            }),
          );
        const rules = () =>
          (driver.chain_get({ ns: 0, family: IP, table: 'filter', chain: 'FORWARD' }) as NftChain)
            .rules;
        const without = lines(driver);
        expect(send('pass ip\npass ip')).toBe('ok');
        const [first, second] = rules();
        expect(send(`delete-rule ip ${first?.handle}`)).toBe('ok');
        expect(rules()).toEqual([second]);
        const pass = 'meta mark & 0x00001000 == 0x00001000 counter accept';
        const line = `nft in ip filter FORWARD 1 ${pass} comment "fairlead firewall 2"`;
        expect(lines(driver)).toEqual([...without, line].sort());
        expect(send(`through ip ${second?.handle}`)).toBe('ok');
        const [before, after] = rules();
        expect([before?.comment, after]).toEqual(['fairlead portmap 2', second]);
        expect(send(`delete-rule ip ${before?.handle}`)).toBe('ok');
        expect(send(`delete-rule ip ${first?.handle}`)).toBe(ENOENT);
        expect(send(`delete-rule ip ${second?.handle}`)).toBe('ok');
        expect(lines(driver)).toEqual(without);
      }
    } finally {
      real.close();
    }
  });

  for (let seed = 1; seed <= RANDOM_RUNS; seed++) {
    test(`random transactions, seed ${seed}`, () => {
      const random = seeded(seed);
      compare(Array.from({ length: STEPS }, () => randomScript(random)));
    });
  }
});
