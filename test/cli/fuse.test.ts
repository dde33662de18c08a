// SPDX-License-Identifier: Apache-2.0
// fuse and unfuse on files in a folder of the test's own: the documents they make, that both forms
// wire the same, what --write leaves, and what they refuse.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { difference, runFuse } from '../../host-node/cli/fuse.ts';
import { runVerb } from '../../host-node/cli/verbs.ts';
import { fileDriver } from '../../host-node/drivers/files.ts';
import { fileLine, Machine, type Said } from './machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-fuse-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let path = '';
let files = 0;
beforeEach(() => {
  path = join(folder, `${++files}.conflist`);
});

const bridge = {
  type: 'bridge',
  bridge: 'cni0',
  capabilities: { ips: true, mac: true, aliases: false },
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.2.0/24' }]] },
};
const portmap = { type: 'portmap', capabilities: { portMappings: true, ips: true } };
const LIST = {
  cniVersion: '1.1.0',
  cniVersions: ['1.0.0', '1.1.0'],
  name: 'pods',
  'example.com/note': { kept: [1, 2.5, 'ü'] },
  plugins: [bridge, portmap],
  disableGC: false,
};

function run(command: 'fuse' | 'unfuse', text: string | undefined, ...args: string[]): Said {
  if (text !== undefined) writeFileSync(path, text);
  const on = new Machine('netns host\n');
  on.wrap = (driver) => ({ ...driver, ...fileDriver() });
  return on.run((io) => runFuse(command, [path, ...args], io));
}
const document = (said: Said) => JSON.parse(said.stdout);

describe('fuse', () => {
  test('puts the plugins inside one and declares their capabilities outside', () => {
    const said = run('fuse', JSON.stringify(LIST));
    expect(said.code).toBe(0);
    expect(document(said)).toEqual({
      ...LIST,
      plugins: [
        {
          type: 'fairlead',
          capabilities: { ips: true, mac: true, portMappings: true },
          plugins: [bridge, portmap],
        },
      ],
    });
    expect(Object.keys(document(said))).toEqual(Object.keys(LIST));
    expect(said.stderr).toContain('+      "type": "fairlead",\n');
    expect(said.stderr).toContain('+        "portMappings": true\n');
    expect(said.stderr).not.toMatch(/^-/m);
    expect(readFileSync(path, 'utf8')).toBe(JSON.stringify(LIST));
  });

  test('keeps numbers as they are written', () => {
    const text = '{"name":"pods","plugins":[{"type":"x","rate":1.50,"big":12345678901234567890}]}';
    expect(run('fuse', text).stdout).toMatch(/"rate": 1\.50,\s+"big": 12345678901234567890/);
  });

  test('makes a list of a single plugin', () => {
    path = path.replace('.conflist', '.conf');
    const single = { cniVersion: '0.4.0', name: 'one', ...bridge };
    expect(document(run('fuse', JSON.stringify(single)))).toEqual({
      cniVersion: '0.4.0',
      name: 'one',
      plugins: [{ type: 'fairlead', capabilities: { ips: true, mac: true }, plugins: [bridge] }],
    });
  });

  test('declares nothing when there is nothing to declare', () => {
    const list = { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'ptp' }] };
    const [outer] = document(run('fuse', JSON.stringify(list))).plugins;
    expect(outer).toEqual({ type: 'fairlead', plugins: [{ type: 'ptp' }] });
  });
});

describe('files that another program looks into', () => {
  const firewall = { type: 'firewall' };
  const plugins = [bridge, portmap, firewall];
  const apart = [
    bridge,
    {
      type: 'fairlead',
      capabilities: { portMappings: true, ips: true },
      plugins: [portmap, firewall],
    },
  ];

  test.each([
    ['podman', { args: { podman_labels: { a: 'b' } }, plugins }],
    ['podman', { args: { podman_options: {} }, plugins }],
    ['nerdctl', { nerdctlID: 'x', nerdctlLabels: {}, plugins }],
  ])("the first plugin of %s's own stays in front: %o", (owner, more) => {
    const list = { ...LIST, ...more };
    const said = run('fuse', JSON.stringify(list));
    expect(document(said)).toEqual({ ...list, plugins: apart });
    expect(said.stderr).toContain(`this file is ${owner}'s`);
    expect(document(run('unfuse', said.stdout))).toEqual(list);
  });

  test('podman is known by the name of its bridge, and others by none', () => {
    const named = (name: string) =>
      document(
        run(
          'fuse',
          JSON.stringify({ ...LIST, plugins: [{ ...bridge, bridge: name }, ...plugins] }),
        ),
      ).plugins.length;
    expect(['cni-podman0', 'podman12', 'nerdctl3'].map(named)).toEqual([2, 2, 2]);
    expect(['cni0', 'cni-podman', 'podmanx1', 'br0'].map(named)).toEqual([1, 1, 1, 1]);
  });

  test('it can be asked for, and is refused where it gains nothing', () => {
    const asked = run('fuse', JSON.stringify({ ...LIST, plugins }), '--first-apart');
    expect(document(asked)).toEqual({ ...LIST, plugins: apart });
    const said = run('fuse', JSON.stringify(LIST), '--first-apart');
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toContain('nothing is gained');
  });
});

describe('unfuse', () => {
  test('gives back what fuse was given', () => {
    const fused = run('fuse', JSON.stringify(LIST)).stdout;
    expect(document(run('unfuse', fused))).toEqual(LIST);
  });

  test('leaves plugins beside the fused one where they are', () => {
    const fused = { type: 'fairlead', plugins: [bridge, portmap] };
    const before = { type: 'before' };
    const list = { ...LIST, plugins: [before, fused, { type: 'after' }] };
    const { plugins } = document(run('unfuse', JSON.stringify(list)));
    expect(plugins).toEqual([before, bridge, portmap, { type: 'after' }]);
  });
});

test('a network is wired alike by both forms, and detached by the other', () => {
  const list = { ...LIST, plugins: [bridge] };
  const plain = JSON.stringify(list);
  const fused = run('fuse', plain).stdout;
  const file = '/etc/cni/net.d/a.conflist';
  const state = (text: string): string =>
    text.replace(/^file \/(etc|var\/lib\/cni\/res).*\n/gm, '');
  const wire = (text: string): Machine => {
    const on = new Machine(`netns host\nnetns pod\n${fileLine(file, text)}`);
    const args = ['pods', '/run/netns/pod'];
    expect(on.run((io) => runVerb('add', args, io))).toMatchObject({ code: 0 });
    return on;
  };
  const [one, other] = [wire(plain), wire(fused)];
  expect(state(other.dump())).toBe(state(one.dump()));
  const changed = new Machine(other.dump().replace(/^file \/etc.*\n/m, fileLine(file, plain)));
  const said = changed.run((io) => runVerb('del', ['pods', '/run/netns/pod'], io));
  expect(said).toMatchObject({ code: 0, stderr: '' });
  expect(changed.dump()).not.toMatch(/link (veth|eth0)|file \/run\//);
});

describe('--write', () => {
  test('replaces the file at once, keeps its mode, and shows the difference', () => {
    writeFileSync(path, JSON.stringify(LIST));
    chmodSync(path, 0o640);
    const inode = statSync(path).ino;
    const said = run('fuse', undefined, '--write');
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toContain('+      "type": "fairlead",\n');
    expect(statSync(path).ino).not.toBe(inode);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(JSON.parse(readFileSync(path, 'utf8')).plugins).toHaveLength(1);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
    run('unfuse', undefined, '--write');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(LIST);
  });

  test("a single plugin's file becomes a list, and so a file *.conflist", () => {
    const list = path;
    path = list.replace('.conflist', '.conf');
    const text = JSON.stringify({ cniVersion: '1.0.0', name: 'one', ...bridge });
    writeFileSync(list, 'somebody');
    const said = run('fuse', text, '--write');
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toContain('is there already: move it away');
    expect([readFileSync(path, 'utf8'), readFileSync(list, 'utf8')]).toEqual([text, 'somebody']);
    rmSync(list);
    expect(run('fuse', text, '--write').code).toBe(0);
    expect(existsSync(path)).toBe(false);
    expect(JSON.parse(readFileSync(list, 'utf8')).plugins).toHaveLength(1);
  });

  test('the new file comes from the same folder: containerd sees no other', () => {
    writeFileSync(path, JSON.stringify(LIST));
    // With the name of the temporary file taken in this folder, nothing can be written.
    const taken = join(folder, `.fairlead-tmp-${process.pid}`);
    writeFileSync(taken, '');
    const said = run('fuse', undefined, '--write');
    rmSync(taken);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(taken);
    expect(readFileSync(path, 'utf8')).toBe(JSON.stringify(LIST));
  });

  test('refuses a link, so that it is not replaced by a file', () => {
    const target = `${path}.target`;
    writeFileSync(target, JSON.stringify(LIST));
    symlinkSync(target, path);
    const said = run('fuse', undefined, '--write');
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toContain('name the file it leads to');
    expect(readFileSync(target, 'utf8')).toBe(JSON.stringify(LIST));
  });
});

test('--output json has both', () => {
  const said = run('fuse', JSON.stringify(LIST), '--output', 'json');
  expect(said.stderr).toBe('');
  expect(document(said)).toMatchObject({ path, written: false });
  expect(document(said).difference).toContain('+      "type": "fairlead"');
  expect(document(said).document.plugins[0].plugins).toEqual([bridge, portmap]);
});

describe('refused, with the file as it was', () => {
  const fused = JSON.stringify({ ...LIST, plugins: [{ type: 'fairlead', plugins: [bridge] }] });
  test.each([
    ['fuse', fused, 'fused already'],
    ['unfuse', JSON.stringify(LIST), 'nothing to unfuse'],
    ['unfuse', JSON.stringify({ ...LIST, plugins: [{ type: 'fairlead' }] }), 'without "plugins"'],
    ['fuse', '{"name": "pods",\n}', 'line 1, column 16'],
    ['fuse', '', 'cannot decode'],
    ['fuse', '[]', 'must be an object'],
    ['fuse', '{"name":"pods","plugins":[]}', 'no plugins in list'],
    ['fuse', '{"name":"pods","plugins":[{"type":7}]}', '"type" must be a string'],
  ] as const)('%s of %s', (command, text, words) => {
    const said = run(command, text, '--write');
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toContain(words);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('a file that is not there', () => {
    const said = run('fuse', undefined, '--output', 'json');
    expect(said.code).toBe(1);
    expect(document(said)).toMatchObject({ code: 5, msg: expect.stringContaining(path) });
  });

  test('no file', () => {
    const said = new Machine('netns host\n').run((io) => runFuse('fuse', [], io));
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toContain('FILE is missing');
  });
});

test('a difference has little around it, and none for what only moved', () => {
  const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`);
  const changed = lines.with(15, 'other').map((line) => `  ${line},`);
  const shown = difference(lines.join('\n'), changed.join('\n')).split('\n');
  expect(shown.filter((line) => /^[-+]/.test(line))).toEqual(['-line 15', '+  other,']);
  expect(shown.length).toBeLessThan(12);
  expect(difference(lines.join('\n'), lines.join('\n'))).toBe('');
});
