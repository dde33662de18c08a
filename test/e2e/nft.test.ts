// SPDX-License-Identifier: Apache-2.0
// Our tables among others: somebody flushes them or a part of them; CHECK says so, the next ADD or
// `repair` brings them back; other tables are never touched; many calls come at the same time.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { forgetLeases } from '../../scripts/sandbox.mjs';
import { Lab } from '../support/lab.ts';
import { needsNft } from '../support/needs.ts';
import { nft, nftLines } from '../support/nft.ts';
import { callFor } from '../support/pod-call.ts';
import { distPath } from '../support/wasm.ts';
import { openWorld } from '../support/world.ts';

const PODS = ['pod0', 'pod1', 'pod2'];
const ipam = { type: 'host-local', ranges: [[{ subnet: '10.1.2.0/24' }]] };
const network = { cniVersion: '1.0.0', name: 'net', type: 'bridge', isGateway: true, ipam };
const filtered = { ...network, ipMasq: true, macspoofchk: true };

let world: ReturnType<typeof openWorld>;
beforeEach(() => {
  if (needsNft === '') world = openWorld(['host', ...PODS].map((ns) => `netns ${ns}\n`).join(''));
});
afterEach(() => {
  if (needsNft === '') world.close();
});

function call(command: string, pod: string, config: object = filtered) {
  const { exit_code, stdout } = callFor(world, command, pod, { ...config, type: 'bridge' });
  return { exit_code, stdout };
}
const results = new Map<string, object>();
function add(pod: string): void {
  const { exit_code, stdout } = call('ADD', pod);
  expect(exit_code, stdout).toBe(0);
  results.set(pod, JSON.parse(stdout));
}
const check = (pod: string) => call('CHECK', pod, { ...filtered, prevResult: results.get(pod) });
const host = (...words: string[]) => nft(world.netns('host'), words);
const lines = () => nftLines(world.netns('host')).sort();
const repair = () => JSON.parse(world.task('repair', {}).stdout);
const named = (...pods: string[]) =>
  pods.map((containerID) => ({ network: 'net', containerID, ifname: 'eth0' }));

/** What somebody may do to our tables, and whose share it takes. */
const DAMAGE: Readonly<Record<string, { words: string[]; lost: string[] }>> = {
  'flush ruleset': { words: ['flush', 'ruleset'], lost: PODS },
  'delete our inet table': { words: ['delete', 'table', 'inet', 'fairlead'], lost: PODS },
  'flush our inet table': { words: ['flush', 'table', 'inet', 'fairlead'], lost: PODS },
  'flush a base chain': {
    words: ['flush', 'chain', 'bridge', 'fairlead', 'prerouting'],
    lost: PODS,
  },
  'flush the chain of a subnet': {
    words: ['flush', 'chain', 'inet', 'fairlead', 'masq-10.1.2.0/24'],
    lost: PODS,
  },
  'add a rule of their own': {
    words: ['insert', 'rule', 'inet', 'fairlead', 'postrouting', 'accept'],
    lost: PODS,
  },
  'put a rule of their own in the place of one of ours': {
    words: [
      ...['flush', 'chain', 'inet', 'fairlead', 'postrouting;'],
      ...['add', 'rule', 'inet', 'fairlead', 'postrouting', 'accept;'],
      ...['add', 'rule', 'inet', 'fairlead', 'postrouting', 'ip6', 'saddr', 'vmap', '@masq6'],
      ...['comment', '"fairlead masq 1"'],
    ],
    lost: PODS,
  },
  'leave out a rule of ours': {
    words: [
      ...['flush', 'chain', 'inet', 'fairlead', 'postrouting;'],
      ...['add', 'rule', 'inet', 'fairlead', 'postrouting', 'ip', 'saddr', 'vmap', '@masq4'],
      ...['comment', '"fairlead masq 1"'],
    ],
    lost: PODS,
  },
  'delete one element': {
    words: ['delete', 'element', 'inet', 'fairlead', 'masq4', '{', '10.1.2.3', '}'],
    lost: ['pod1'],
  },
};

describe.skipIf(needsNft !== '')(`damage ${needsNft}`, () => {
  for (const [name, { words, lost }] of Object.entries(DAMAGE)) {
    test(`${name}: CHECK tells, repair restores`, () => {
      for (const pod of PODS) add(pod);
      const whole = lines();
      expect(repair()).toEqual({ repaired: [], errors: [] });
      host(...words);
      for (const pod of PODS) {
        const { exit_code, stdout } = check(pod);
        if (!lost.includes(pod)) expect(stdout).toBe('');
        else {
          expect({ exit_code, ...JSON.parse(stdout) }).toMatchObject({ exit_code: 1, code: 103 });
          expect(stdout).toContain('fairlead repair');
        }
      }
      const { repaired, errors } = repair();
      expect(errors).toEqual([]);
      // The first one brings back what all share.
      expect(named(...lost)).toEqual(expect.arrayContaining(repaired));
      expect(lines()).toEqual(whole);
      for (const pod of PODS) expect(check(pod)).toEqual({ exit_code: 0, stdout: '' });
    });
  }

  test('after flush ruleset the next ADD restores what all containers had', () => {
    add('pod0');
    add('pod1');
    host('flush', 'ruleset');
    add('pod2');
    expect(lines().filter((line) => line.includes('masq4'))).toEqual([
      'nft element masq4 10.1.2.2 : goto masq-10.1.2.0/24 "net pod0 eth0"',
      'nft element masq4 10.1.2.3 : goto masq-10.1.2.0/24 "net pod1 eth0"',
      'nft element masq4 10.1.2.4 : goto masq-10.1.2.0/24 "net pod2 eth0"',
    ]);
    for (const pod of PODS) expect(check(pod)).toEqual({ exit_code: 0, stdout: '' });
  });

  test('after flush ruleset DEL is a success, and leaves nothing', () => {
    for (const pod of PODS) add(pod);
    host('flush', 'ruleset');
    for (const pod of PODS) expect(call('DEL', pod)).toEqual({ exit_code: 0, stdout: '' });
    expect(lines()).toEqual([]);
  });

  test('repair leaves out containers whose namespace has not the interface any more', () => {
    add('pod0');
    add('pod1');
    host('flush', 'ruleset');
    expect(call('DEL', 'pod1').exit_code).toBe(0);
    expect(repair()).toEqual({ repaired: named('pod0'), errors: [] });
  });

  test('tables of others stay as they are, to the letter', () => {
    const mine =
      'table inet mine {\n\tset fairlead {\n\t\ttype ipv4_addr\n' +
      '\t\telements = { 10.1.2.2 }\n\t}\n' +
      '\tchain postrouting {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n' +
      '\t\tip saddr @fairlead masquerade\n\t}\n}\n';
    nft(world.netns('host'), ['-f', '-'], mine);
    const listing = () => host('list', 'table', 'inet', 'mine');
    const before = listing();
    for (const pod of PODS) add(pod);
    host('flush', 'table', 'inet', 'fairlead');
    repair();
    for (const pod of PODS) call('DEL', pod);
    expect(listing()).toBe(before);
  });
});

describe.skipIf(needsNft !== '')(`at the same time ${needsNft}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-nft-'));
  const program = join(folder, 'bridge');
  beforeAll(() => symlinkSync(distPath('fairlead'), program));
  afterAll(() => {
    forgetLeases(folder);
    rmSync(folder, { recursive: true, force: true });
  });

  test('twelve ADDs on a fresh node, then twelve DELs beside a GC', async () => {
    const lab = new Lab(12, 'crowd');
    try {
      const at = { ...ipam, dataDir: folder };
      const config = { ...filtered, cniVersion: '1.1.0', name: 'crowd', ipam: at };
      const added = await Promise.all(lab.pods.map((pod) => lab.call(program, 'ADD', pod, config)));
      expect(added.map(({ code, stdout }) => (code === 0 ? '' : stdout)).join('')).toBe('');
      // Others that live on this machine meanwhile are restored here too.
      const elements = () =>
        nftLines(`${lab.prefix}host`).filter((line) => /^nft element .*"crowd /.test(line));
      expect(elements().length).toBe(3 * lab.pods.length);
      const gc = { ...config, 'cni.dev/valid-attachments': [] };
      const gone = await Promise.all([
        ...lab.pods.map((pod) => lab.call(program, 'DEL', pod, config)),
        lab.call(program, 'GC', 'crowd0', gc),
      ]);
      expect(gone.map(({ code, stdout }) => (code === 0 ? '' : stdout)).join('')).toBe('');
      expect(elements()).toEqual([]);
    } finally {
      lab.close();
    }
  });
});
