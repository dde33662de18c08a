// Transactions three times over: as the core's messages on the real kernel, as its words on the
// simulated one, and as the same words through nft itself. All three must agree on what fails, on
// the state, and down to the expressions that the kernel gives back.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { underTest } from '../support/kernel-driver.ts';
import { callBytes, callString, seeded } from '../support/lib-wasm.ts';
import { needsNft } from '../support/needs.ts';
import { nft, nftLines } from '../support/nft.ts';
import { wasmModule } from '../support/wasm.ts';

const RANDOM_RUNS = 8;
const STEPS = 30;
const [INET, BRIDGE] = [1, 7];

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

const CHAINS = ['masq-10.1.2.0/24', 'masq-10.8.0.0/13', 'masq-fd00_1__/61', 'masq-any4'];
const ELEMENTS = [
  'masq4 10.1.2.2 : goto masq-10.1.2.0/24',
  'masq4 10.1.2.2 : goto masq-any4',
  'masq4 10.8.0.2 : goto masq-10.8.0.0/13',
  'masq6 fd00:1::2 : goto masq-fd00_1__/61',
  'spoof_ports veth01234567',
  'spoof_pairs veth01234567 . 02:00:00:00:00:01',
];

/** The lines of one transaction. */
function randomScript(random: () => number): string {
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const kinds: (() => string)[] = [
    () => `part ${one(['masq', 'spoof'])}`,
    () => `chain ${one(CHAINS)}`,
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

/** Everything the read operations say, sorted: a hash has no order. */
function told(driver: Driver): unknown {
  const sets: [number, string][] = [
    [INET, 'masq4'],
    [INET, 'masq6'],
    [BRIDGE, 'spoof_ports'],
    [BRIDGE, 'spoof_pairs'],
  ];
  const sorted = (list: unknown): unknown =>
    Array.isArray(list) ? list.map((item) => JSON.stringify(item)).sort() : list;
  const table = 'fairlead';
  return [
    ...[INET, BRIDGE].map((family) =>
      sorted(tried(() => driver.rule_list({ ns: 0, family, table }))),
    ),
    ...sets.map(([family, set]) =>
      sorted(tried(() => driver.element_list({ ns: 0, family, table, set }))),
    ),
    ...ELEMENTS.map((element) => {
      const set = element.split(' ')[0] ?? '';
      const family = set.startsWith('masq') ? INET : BRIDGE;
      const key = callBytes('nft_key', [element]);
      return tried(() => driver.element_get({ ns: 0, family, table, set, key }));
    }),
  ];
}

/** Rules and elements in the kernel's own terms, without handles; elements have no order. */
function expressions(netns: string): { rules: string[]; elements: string[] } {
  const listing = nft(netns, ['--debug=netlink', 'list', 'ruleset']);
  const lines = listing.replace(/^(\w+ fairlead \S+).*$/gm, '$1').split('\n');
  const isElement = (line: string) => line.startsWith('\telement ');
  return {
    rules: lines.filter((line) => !line.startsWith('\t')),
    elements: lines.filter(isElement).sort(),
  };
}

function compare(scripts: readonly string[]): void {
  const simulated = simulatedDriver(wasmModule('sim'), 'netns host\n');
  const [ours, theirs] = [addNetns(), addNetns()];
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
    all.push(...ELEMENTS.filter((_, at) => at !== 1).map((text) => `create ${text}`));
    compare([['part masq', 'part spoof', ...all].join('\n'), 'part masq\npart spoof']);
  });

  test('many elements in one message list', () => {
    const many = Array.from({ length: 300 }, (_, at) => {
      return `create masq4 10.8.${at >> 8}.${at & 255} : goto masq-10.8.0.0/13`;
    });
    compare([['part masq', 'chain masq-10.8.0.0/13', ...many].join('\n')]);
  });

  for (let seed = 1; seed <= RANDOM_RUNS; seed++) {
    test(`random transactions, seed ${seed}`, () => {
      const random = seeded(seed);
      compare(Array.from({ length: STEPS }, () => randomScript(random)));
    });
  }
});
