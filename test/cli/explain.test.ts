// SPDX-License-Identifier: Apache-2.0
// `fairlead explain`: what the story says must be what the call does, a picture must be one, and
// nothing on the machine may change. The core that serves pods carries none of its words.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runExplain } from '../../host-node/cli/explain.ts';
import { visible } from '../../host-node/cli/io.ts';
import { needsNft } from '../support/needs.ts';
import { distPath, wasmModule } from '../support/wasm.ts';
import type { Said } from './machine.ts';

const LIST = {
  cniVersion: '1.1.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: true,
      mtu: 1400,
      ipam: { type: 'host-local', subnet: '10.1.2.0/24', routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'firewall' },
  ],
};
const PORTS = '{"portMappings": [{"hostPort": 8080, "containerPort": 80}]}';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-explain-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function explain(...args: string[]): Said {
  const said = ['', '', ''];
  const code = runExplain(args, {
    write: (fd, text) => {
      said[fd] += visible(text, false);
    },
    env: {},
    core: wasmModule('tools'),
    sim: wasmModule('sim'),
  });
  return { code, stdout: said[1]!, stderr: said[2]! };
}

const json = (...args: string[]) => {
  const { stdout, code } = explain(...args, '--output', 'json');
  return { code, ...(JSON.parse(stdout) as Record<string, never>) } as {
    code: number;
    chapters: { plugin: string; decisions: { what: string; is: string }[]; deeds: unknown[] }[];
    answer: { ips?: { address: string }[]; code?: number; msg?: string };
    removed: { netns: string; what: string }[];
    stays: { netns: string; what: string }[];
    error?: string;
  };
};

describe('a file', () => {
  test('each plugin, each decision with its reason, the result, what DEL removes', () => {
    const { code, stdout } = explain(file('a.conflist', LIST), '--capabilities', PORTS);
    expect(code).toBe(0);
    const order = [
      'ADD of network pods, on a plain simulated node',
      '1. bridge',
      'address: 10.1.2.2\n      the next free one of 10.1.2.1-10.1.2.254: none was given yet',
      'bridge: cni0\n      there was none of that name: it is made',
      'MTU: 1400\n      "mtu" says so',
      'masquerading: 10.1.2.2',
      'ip link add cni0',
      '2. portmap',
      'port: 8080/tcp to 10.1.2.2 . 80\n      portMappings: at any address of the node',
      '3. firewall',
      'forwarding accepted: 10.1.2.2',
      'at the end, for all of them',
      'nft -f -',
      'result',
      '10.1.2.2/24 on eth0 gateway 10.1.2.1',
      'DEL removes',
      'new-pod: link eth0',
      'file /var/lib/cni/networks/pods/10.1.2.2',
      'DEL leaves, as others may use it',
      'link cni0 kind bridge',
    ];
    let at = 0;
    for (const words of order) {
      const found = stdout.indexOf(words, at);
      expect(found, `${words}\n--- is not in:\n${stdout.slice(at)}`).toBeGreaterThanOrEqual(0);
      at = found;
    }
    expect(stdout.slice(stdout.indexOf('DEL removes'), stdout.indexOf('DEL leaves'))).not.toContain(
      'link cni0',
    );
  });

  test('the same as JSON', () => {
    const { code, chapters, answer, removed, stays } = json(file('b.conflist', LIST));
    expect(code).toBe(0);
    expect(chapters.map(({ plugin }) => plugin)).toEqual(['', 'bridge', 'portmap', 'firewall', '']);
    const decisions = new Map(chapters[1]!.decisions.map(({ what, is }) => [what, is]));
    expect(decisions.get('address')).toBe('10.1.2.2');
    expect(answer.ips?.map(({ address }) => address)).toEqual(['10.1.2.2/24']);
    const name = decisions.get('name on the node');
    expect(removed.map(({ what }) => what)).toContainEqual(
      expect.stringContaining(`link ${name} kind veth`),
    );
    expect(stays.map(({ what }) => what)).toContainEqual(expect.stringContaining('link cni0'));
  });

  test('DEL and CHECK are of an attachment that is made first', () => {
    const path = file('c.conflist', LIST);
    const del = json(path, '--command', 'DEL');
    expect(del.chapters.map(({ plugin }) => plugin)).toEqual(['', 'firewall', 'portmap', 'bridge']);
    expect(del.removed.map(({ what }) => what)).toContainEqual(
      expect.stringContaining('addr 10.1.2.2/24'),
    );
    const check = json(path, '--command', 'check');
    expect([check.code, check.chapters.flatMap(({ deeds }) => deeds)]).toEqual([0, []]);
  });

  test('a single plugin, and what an ADD would refuse', () => {
    const single = { cniVersion: '1.0.0', name: 'one', type: 'bridge' };
    const { stdout, code } = explain(file('d.conf', single));
    expect([code, stdout]).toEqual([0, expect.stringContaining('addresses: none')]);
    const broken = { ...LIST, plugins: [{ type: 'macvlan', master: 'no-such' }] };
    const refused = json(file('e.conflist', broken));
    expect([refused.code, refused.answer.msg]).toEqual([1, expect.stringContaining('no-such')]);
    const drawn = explain(file('f.conflist', broken), '--output', 'svg');
    expect(drawn).toMatchObject({ code: 1, stdout: '' });
    expect(drawn.stderr).toContain('there is nothing to draw');
    const foreign = json(file('g.conflist', { ...LIST, plugins: [{ type: 'calico' }] }));
    expect([foreign.code, foreign.answer.msg]).toEqual([1, expect.stringContaining('calico')]);
  });

  test('pictures: SVG that is well formed and Mermaid, of hostile names too', () => {
    const path = file('h.conflist', LIST);
    const svg = explain(path, '--output', 'svg').stdout;
    expect(svg).toMatch(/^<svg xmlns[\s\S]*>10\.1\.2\.2\/24<[\s\S]*<\/svg>\n$/);
    expect(explain(path, '--output', 'svg').stdout).toBe(svg);
    const mermaid = explain(path, '--output', 'mermaid').stdout;
    expect(mermaid).toMatch(/^flowchart LR\n {2}subgraph s0\["node"\]\n/);
    expect(mermaid).toContain('["eth0<br/>10.1.2.2/24<br/>veth, MTU 1400"]');
    const hostile = { ...LIST, plugins: [{ ...LIST.plugins[0], bridge: `a"><b>&'` }] };
    const drawn = explain(file('i.conflist', hostile), '--output', 'svg').stdout;
    expect(drawn).toContain('a&quot;&gt;&lt;b&gt;&amp;&#39;');
    expect(drawn).not.toContain('<b>');
    const words = explain(file('j.conflist', hostile), '--output', 'mermaid').stdout;
    expect(words).toContain('a#34;#62;#60;b#62;#38;#39;');
  });

  test('what cannot be read, and wrong usage', () => {
    expect(explain('/no/such.conflist')).toMatchObject({ code: 1, stdout: '' });
    expect(json('/no/such.conflist').error).toContain('cannot read /no/such.conflist');
    expect(explain(file('k.conflist', '{ "plugins": [')).stderr).toContain('fairlead validate');
    expect(explain()).toMatchObject({ code: 2, stdout: '' });
    expect(explain('n', '--output', 'png').stderr).toContain('write text, json, svg, mermaid');
    expect(explain('n', '--command', 'GC').code).toBe(2);
    expect(explain('--help').stdout).toContain('Usage:\n  fairlead explain');
  });
});

/** Links, addresses and rules of this machine, and a folder. */
const machine = (): string =>
  [
    execFileSync('ip', ['-br', 'address'], { encoding: 'utf8' }),
    execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }),
    ...readdirSync('/run/netns').sort(),
  ].join('\n');

describe.skipIf(needsNft !== '')(`a network of this machine ${needsNft}`, () => {
  test('is told on a snapshot, for a namespace that is not there yet', () => {
    const conf = mkdtempSync(join(folder, 'net.d-'));
    const list = { ...LIST, name: 'told', plugins: [{ ...LIST.plugins[0], bridge: 'fltold0' }] };
    writeFileSync(join(conf, '10.conflist'), JSON.stringify(list));
    const before = machine();
    const { code, stdout } = explain('told', '--conf-dir', conf, '--cache-dir', conf);
    expect([code, stdout]).toEqual([0, expect.stringContaining('on a snapshot of this machine')]);
    expect(stdout).toContain('the namespace new-pod is not there: it is made up');
    expect(stdout).toContain('bridge: fltold0');
    expect(machine()).toBe(before);
    const missing = explain('no-such', '--conf-dir', conf);
    expect([missing.code, missing.stdout]).toEqual([1, expect.stringContaining('no-such')]);
  });
});

test('the core that serves pods says nothing of its reasons', () => {
  const words = 'which was given last';
  const has = (name: string) =>
    readFileSync(distPath(name)).includes(Buffer.from(words, 'utf16le'));
  expect([has('tools.wasm'), has('core.wasm')]).toEqual([true, false]);
});
