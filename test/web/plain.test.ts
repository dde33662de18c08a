// SPDX-License-Identifier: Apache-2.0
// What the page is made of, without a browser: pictures of states, what a recording's operations
// say of the kernel, a session gone through, links that are read back or refused.
import { describe, expect, test } from 'vitest';
import { follow } from '../../host-node/picture/follow.ts';
import { layoutOf } from '../../host-node/picture/layout.ts';
import { mermaidOf } from '../../host-node/picture/mermaid.ts';
import { modelOf, rateWords } from '../../host-node/picture/model.ts';
import { cut, escaped, svgOf, wordsOf } from '../../host-node/picture/svg.ts';
import { parseRecording } from '../../host-node/recording/format.ts';
import { plainNode, suffixOf, withConfig } from '../../host-node/story/node.ts';
import { perform } from '../../web/engine.ts';
import { EXAMPLES } from '../../web/examples.ts';
import { NOTHING, PODS, stateNow, statesAt, toldSteps, withCall } from '../../web/session.ts';
import { fragmentOf, readFragment, type Shared } from '../../web/share.ts';
import { firstStep, tape } from '../recording/taped.ts';
import { allFixtures } from '../support/fixture.ts';
import { wasmModule } from '../support/wasm.ts';

const modules = () => ({
  core: wasmModule('core'),
  tools: wasmModule('tools'),
  sim: wasmModule('sim'),
});
const TEXT = EXAMPLES[0]!.text;
const asked = { command: 'add', network: 'pods', pod: 'pod1', ifname: 'eth0' } as const;

/** Whether every element that is opened is closed, in order, and nothing else is in the text. */
function isWellFormed(xml: string): boolean {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-z]+)(?: [\w:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot|#39);[^"<&]*)*")*(\/?)>/g,
    (_, end, name, empty) => {
      if (end === '/') return open.pop() === name ? '' : '<wrong>';
      if (empty === '') open.push(name);
      return '';
    },
  );
  return open.length === 0 && !/<|&(?!amp;|lt;|gt;|quot;|#39;)/.test(rest);
}

describe('the picture', () => {
  const states = allFixtures().flatMap((fixture) =>
    fixture.steps.map(
      ({ number }) =>
        [`${fixture.name} ${number}`, fixture.after(number) ?? fixture.before] as const,
    ),
  );

  test('of every state in the corpus is well formed, and every link is in it', () => {
    for (const [name, state] of states) {
      const model = modelOf(state);
      const svg = svgOf(model);
      expect(isWellFormed(svg), name).toBe(true);
      const links = model.spaces.flatMap((space) =>
        space.links
          .filter((link) => link.name !== 'lo')
          .map((link) => `${space.name}/${link.name}`),
      );
      const drawn = layoutOf(model).boxes.filter(({ link }) => link !== '');
      expect(drawn.map(({ space, link }) => `${space}/${link}`).sort(), name).toEqual(links.sort());
      expect(mermaidOf(model), name).toMatch(/^flowchart LR\n( {2}\S.*\n| {4}\S.*\n)*$/);
    }
  });

  test('has no boxes of one kind over each other, with 1 to 10 pods', () => {
    for (let count = 1; count <= PODS.length; count++) {
      let state = withConfig(plainNode(PODS.slice(0, count)), TEXT);
      for (const pod of PODS.slice(0, count)) {
        const done = perform(modules(), state, { ...asked, pod });
        expect(done.answer.exit_code).toBe(0);
        state = `complete\n${done.after}`;
      }
      const { boxes, height, width } = layoutOf(modelOf(state));
      const inner = boxes.filter(({ role }) => role !== 'node' && role !== 'pod');
      for (const [at, a] of inner.entries()) {
        expect(a.y + a.height).toBeLessThanOrEqual(height);
        expect(a.x + a.width).toBeLessThanOrEqual(width);
        for (const b of inner.slice(at + 1)) {
          const apart =
            a.x + a.width <= b.x ||
            b.x + b.width <= a.x ||
            a.y + a.height <= b.y ||
            b.y + b.height <= a.y;
          expect(apart, `${a.link} and ${b.link} with ${count} pods`).toBe(true);
        }
      }
    }
  });

  test('marks what is new beside another state', () => {
    const done = perform(modules(), withConfig(plainNode(['pod1']), TEXT), asked);
    const svg = svgOf(modelOf(done.after), { before: modelOf(done.before) });
    expect(svg).toContain('<g class="new"><title>cni0');
    expect(svg).not.toContain('<g class="new"><title>eth0, 02:00:5e:10:00:01');
    expect(svgOf(modelOf(done.after), { before: modelOf(done.after) })).not.toContain(
      'class="new"',
    );
  });

  test('reads words by their places: a name or a value may be any of them', () => {
    const state = `netns host
link peer kind veth down address none mtu 1500 operstate down master up peer pod/mtu
link up kind bridge up address none mtu 1400 operstate up alias hairpin
addr 10.0.0.1/24 dev peer
netns pod
link mtu kind veth up address none mtu 1500 peer host/peer
`;
    const [host, pod] = modelOf(state).spaces;
    expect(host?.links).toMatchObject([
      {
        ...{ name: 'peer', up: false, mtu_bytes: 1500, master: 'up', more: [] },
        ...{ peer: { space: 'pod', link: 'mtu' }, addresses: ['10.0.0.1/24'] },
      },
      { name: 'up', up: true, mtu_bytes: 1400, master: '', more: [] },
    ]);
    expect(pod?.links).toMatchObject([{ name: 'mtu', mtu_bytes: 1500 }]);
  });

  test('says in numbers what nftables has, of ours and of others', () => {
    const done = perform(modules(), withConfig(plainNode(['pod1']), TEXT), asked);
    const others = 'nft table ip filter\nnft forward ip filter FORWARD 0 drop\nnft table inet x\n';
    const after = done.after.replace(/^nft /m, `${others}nft `);
    const chains = [...after.matchAll(/^nft chain \S+$/gm)].length;
    const elements = [...after.matchAll(/^nft element /gm)].length;
    expect(elements).toBeGreaterThan(0);
    const rules = modelOf(after).spaces[0]?.rules ?? [];
    const ours = rules.find((rule) => rule.startsWith('nftables of ours: '));
    expect(ours).toMatch(new RegExp(`; ${chains} chains?, ${elements} elements?$`));
    expect(ours).toContain('masq');
    expect(rules).toContain('nftables of others: table ip filter, 1 chain');
    expect(rules).toContain('nftables of others: table inet x');
  });

  test('escapes and cuts what others wrote', () => {
    expect(escaped(`<a href="x">&'\u0001\u202e\ud800`)).toBe(
      '&lt;a href=&quot;x&quot;&gt;&amp;&#39;\ufffd\ufffd\ufffd',
    );
    expect(cut('abcdefghij', 40)).toBe('abcde…');
    const hostile = 'netns host\nlink a<b"&\'] kind x]" up address none mtu 1500\n';
    expect(isWellFormed(svgOf(modelOf(hostile)))).toBe(true);
    expect(mermaidOf(modelOf(hostile))).toContain('l0["a#60;b#34;#38;#39;#93;<br/>x#93;#34;, MTU');
    expect(wordsOf(modelOf('netns host\n'))).toBe('node: no links');
  });

  test('says rates as people do', () => {
    expect([125_000, 1, 12_500_000_000].map(rateWords)).toEqual([
      '1 Mbit/s',
      '8 bit/s',
      '100 Gbit/s',
    ]);
  });
});

describe('a recording is followed to what the kernel had in the end', () => {
  test.each(['bridge/dual-stack', 'macvlan/add', 'vlan/add', 'ptp/add', 'host-device/nic'])(
    '%s',
    (wanted) => {
      const fixture = allFixtures().find(({ name }) => name === wanted || name.startsWith(wanted));
      if (fixture === undefined) throw new Error(`there is no fixture ${wanted}`);
      const { lines } = parseRecording(tape(firstStep(fixture)).text);
      const states = follow(lines);
      expect(states).toHaveLength(lines.length + 1);
      const before = modelOf(fixture.before);
      const known = new Set(
        before.spaces.flatMap((space) => space.links.map(({ name }) => `${space.name}/${name}`)),
      );
      // What was there before is known as far as the call asked for it.
      const made = (state: string) =>
        modelOf(state).spaces.flatMap(({ name: space, links }) =>
          links
            .filter(({ name }) => name !== 'lo' && !known.has(`${space}/${name}`))
            .map(({ name, kind, master, peer, lower, addresses }) => {
              return { space, name, kind, master, peer, lower, addresses: [...addresses].sort() };
            })
            .sort((a, b) => (a.name < b.name ? -1 : 1)),
        );
      expect(made(states.at(-1) ?? '')).toEqual(made(fixture.after(1) ?? ''));
      expect(made(fixture.after(1) ?? '').length).toBeGreaterThan(0);
    },
  );
});

test('a session goes on where the last call ended, with room for more pods', () => {
  const state = stateNow(NOTHING, 'pod1', TEXT);
  const done = perform(modules(), state, asked);
  const wanted = { command: 'add', pod: 'pod1' } as const;
  const call = { asked, wanted, conf: TEXT, state, done, broken: '' };
  const session = withCall(NOTHING, call);
  expect(session.step).toBe(done.steps.length);
  const next = stateNow(session, 'pod3', TEXT);
  expect(modelOf(next).spaces.map(({ name }) => name)).toEqual(['host', 'pod1', 'pod2', 'pod3']);
  // Nothing was added by the kernel's own rules when it was read back.
  const same = perform(modules(), next, { ...asked, command: 'check' });
  expect(same.answer.exit_code).toBe(0);
  expect(same.before.replace(/netns pod[23]\nlink lo .*\n/g, '')).toBe(done.after);
  const told = toldSteps(done.steps, false);
  const { state: first, previous } = statesAt(done, told[0]!);
  expect(previous).toBe(done.before);
  expect(first).toBe(done.steps[told[0]! - 1]?.state);
});

test('a failing operation is the one that was asked for', () => {
  const state = stateNow(NOTHING, 'pod1', TEXT);
  const fault = { n: 40, errno: 28 };
  const { steps, answer } = perform(modules(), state, { ...asked, fault });
  expect(steps.findIndex(({ errno }) => errno === fault.errno)).toBe(fault.n - 1);
  expect(answer.exit_code).toBe(1);
});

describe('a link', () => {
  const shared: Shared = {
    conf: TEXT,
    calls: [
      { command: 'add', pod: 'pod1', capabilities: '{}', fault: { n: 3, errno: 5 } },
      { command: 'del', pod: 'pod1' },
    ],
  };

  test('is read back', async () => {
    const fragment = await fragmentOf(shared);
    expect(fragment).toMatch(/^#1\.[\w-]+$/);
    expect(await readFragment(fragment)).toEqual(shared);
    expect(await readFragment('')).toBeUndefined();
  });

  test('that unfolds to more than the page takes is not unfolded', async () => {
    const zeros = new Uint8Array(50_000_000);
    const stream = new Blob([zeros]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    const packed = new Uint8Array(await new Response(stream).arrayBuffer());
    const fragment = `#1.${packed.toBase64({ alphabet: 'base64url', omitPadding: true })}`;
    await expect(readFragment(fragment)).rejects.toThrow('unfolds to more');
  });

  test.each([
    ['#2.AAAA', 'another version'],
    ['#1.%00', 'not one of this page'],
    ['#1.AA', 'damaged'],
  ])('%s is refused', async (fragment, why) => {
    await expect(readFragment(fragment)).rejects.toThrow(why);
  });

  test.each([
    [{ conf: 1, calls: [] }, 'no configuration'],
    [{ conf: '', calls: {} }, 'no calls'],
    [{ conf: '', calls: Array(51).fill({ command: 'add', pod: 'pod1' }) }, 'too many'],
    [{ conf: '', calls: [{ command: 'add', pod: '../x' }] }, 'a pod that there is not'],
    [{ conf: '', calls: [{ command: 'add', pod: 'pod1', fault: { n: '1' } }] }, 'fault'],
    [{ conf: '', calls: [null] }, 'command'],
  ])('%j is refused', async (value, why) => {
    await expect(readFragment(await fragmentOf(value as never))).rejects.toThrow(why);
  });
});

test('a configuration is a list or a single plugin by what it holds', () => {
  expect(['{"type":"x"}', '{"plugins":[]}', '{', '{}'].map(suffixOf)).toEqual([
    '.conf',
    '.conflist',
    '.conflist',
    '.conf',
  ]);
});
