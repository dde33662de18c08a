// SPDX-License-Identifier: Apache-2.0
// `fairlead validate` on the core as it is built: documents with a mark at every place that is to
// be reported, on the simulated kernel and on real files; every configuration of the corpus;
// hostile files; and the command line around it. It changes nothing but folders of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Driver } from '../../host-node/abi/index.ts';
import { visible } from '../../host-node/cli/io.ts';
import { type FileReport, type Report, runValidate } from '../../host-node/cli/validate.ts';
import { performTask } from '../../host-node/core.ts';
import { realDriver } from '../../host-node/drivers/index.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { allFixtures, type Fixture, type Step } from '../support/fixture.ts';
import { needsRoot } from '../support/needs.ts';
import { typeTable } from '../support/types.ts';
import { wasmInstances, wasmModule } from '../support/wasm.ts';
import { DOCUMENTS, inList } from './documents.ts';

const DIR = '/etc/cni/net.d';
const folder = mkdtempSync(join(tmpdir(), 'fairlead-validate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Files = Readonly<Record<string, string>>;

/** What the command line wrote, and its exit code. */
interface Said {
  readonly exit_code: number;
  readonly out: string;
  readonly err: string;
}

function run(driver: Driver, args: readonly string[]): Said {
  const said = { out: '', err: '' };
  const around = { stdin: () => new Uint8Array(), log: () => {}, sleep: () => {} };
  const exit_code = runValidate(args, {
    write: (fd, text) => {
      said[fd === 1 ? 'out' : 'err'] += visible(text, false);
    },
    task: (name, request) => performTask(wasmInstances('tools'), driver, name, request, around),
  });
  return { exit_code, ...said };
}

/** A simulated machine with files and, in the host's namespace, links and routes. */
function simulated(files: Files, network = ''): Driver {
  const lines = Object.entries(files).map(([path, text]) => `file ${path} ${JSON.stringify(text)}`);
  return simulatedDriver(wasmModule('sim'), `netns host\n${network}${lines.join('\n')}\n`);
}

let places = 0;
/** A folder of the test's own with the files; `root` stands before their paths. */
function placed(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = join(folder, String(++places));
  mkdirSync(join(root, DIR), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

function onReal(root: string, args: readonly string[], hostNetns?: string): Said {
  const driver = realDriver(hostNetns === undefined ? { root } : { root, hostNetns });
  try {
    return run(driver, args);
  } finally {
    driver.close();
  }
}

/** The lines without the summary, each without the folder. */
function linesOf({ out }: Said): string[] {
  const lines = out.trimEnd().split('\n').slice(0, -1);
  return lines.map((line) => line.replaceAll(`${DIR}/`, ''));
}
const sim = (files: Files, network = '', args = Object.keys(files)): string[] =>
  linesOf(run(simulated(files, network), args));

/** A document without its marks ▸, and LINE:COLUMN of each of them. */
function unmarked(text: string): { text: string; at: string[] } {
  const at: string[] = [];
  const plain: string[] = [];
  for (const [row, line] of text.split('\n').entries()) {
    const parts = line.split('▸');
    let column = 1;
    for (const part of parts.slice(0, -1)) {
      column += [...part].length;
      at.push(`${row + 1}:${column}`);
    }
    plain.push(parts.join(''));
  }
  return { text: plain.join('\n'), at };
}

describe('documents with marks', () => {
  test.each(DOCUMENTS)('$about', ({ file = 'net.conflist', document, problems }) => {
    const { text, at } = unmarked(document);
    const expected = problems.map((problem, i) => `${file}:${at[i]}: ${problem}`);
    expect(at).toHaveLength(problems.length);
    const files = { [`${DIR}/${file}`]: text };
    expect(sim(files)).toEqual(expected);
    expect(linesOf(onReal(placed(files), [`${DIR}/${file}`]))).toEqual(expected);
    const { exit_code } = run(simulated(files), [`${DIR}/${file}`]);
    expect(exit_code).toBe(problems.some((problem) => problem.startsWith('error')) ? 1 : 0);
  });

  test('a column counts characters, not bytes', () => {
    const text = '{\n  "name": "nét",\n  "ü": "😀", "cniVersion": 1\n}';
    expect(sim({ [`${DIR}/a.conflist`]: text })).toContain(
      'a.conflist:3:27: error: "cniVersion" must be a string, not a number',
    );
  });
});

describe('drop-in files', () => {
  const list = inList('{ "type": "bridge" }').replaceAll('▸', '');

  test('are reported under their own paths, and count in the order', () => {
    const files = {
      [`${DIR}/net.conflist`]: list,
      [`${DIR}/net/10-a.conf`]: '{ "type": "tuning",\n  "snat": true }',
      [`${DIR}/net/20-b.conf`]: '{ "type": "ptp", "mtu": "x" }',
      [`${DIR}/net/30-c.conf`]: '[',
      [`${DIR}/net/not.txt`]: '[',
    };
    expect(sim(files, '', [`${DIR}/net.conflist`])).toEqual([
      'net/10-a.conf:2:3: warning: unknown key "snat", which plugins ignore: ' +
        'remove it, unless another program reads it from this file',
      'net/20-b.conf:1:11: error: ptp needs addresses: add "ipam": {"type": "host-local", …}',
      'net/20-b.conf:1:25: error: "mtu" must be a number, not a string',
      `net/30-c.conf:1:2: error: cannot decode net/30-c.conf: the document ends too early`,
    ]);
  });

  test('alone make a chain that cannot work', () => {
    const files = {
      [`${DIR}/net.conflist`]: '{ "cniVersion": "1.0.0", "name": "net" }',
      [`${DIR}/net/10-a.conf`]: '{ "type": "portmap", "capabilities": { "portMappings": true } }',
    };
    expect(sim(files, '', [`${DIR}/net.conflist`])).toEqual([
      expect.stringContaining('net/10-a.conf:1:11: error: "portmap" cannot be first'),
    ]);
  });
});

const bridge = (name: string, subnet: string, more = ''): string =>
  `{ "cniVersion": "1.0.0", "name": "${name}", "plugins": [ { "type": "bridge"${more},\n` +
  `"ipam": { "type": "host-local", "ranges": [[{ "subnet": "${subnet}" }]] } } ] }`;

test('a range without a free address is a warning', () => {
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.1.2.0/30' }]] };
  const config = { cniVersion: '1.0.0', name: 'net', type: 'bridge', bridge: 'b0', ipam };
  const files = { [`${DIR}/net.conf`]: JSON.stringify(config) };
  const lease = { '/var/lib/cni/networks/net/10.1.2.2': 'c9\r\neth0' };
  const args = Object.keys(files);
  expect(sim(files)).toEqual([]);
  const [said = '', ...more] = sim({ ...files, ...lease }, '', args);
  expect(more).toEqual([]);
  expect(said).toMatch(
    /^net\.conf:1:\d+: warning: no IP addresses available in range set: 10\.1\.2\./,
  );
});

describe('the other networks of the folder', () => {
  test('that give the same addresses are named, whichever file is asked for', () => {
    const files = {
      [`${DIR}/a.conflist`]: bridge('a', '10.1.0.0/16', ', "bridge": "br0"'),
      [`${DIR}/b.conf`]:
        '{ "cniVersion": "1.0.0", "name": "b", "type": "macvlan",\n' +
        '"ipam": { "type": "static", "addresses": [{ "address": "10.1.7.7/16" }] } }',
      [`${DIR}/c.conflist`]: bridge('c', '10.2.0.0/16', ', "bridge": "br1"'),
    };
    expect(sim(files, '', [`${DIR}/a.conflist`])).toEqual([
      'a.conflist:2:57: warning: 10.1.0.1-10.1.255.254 overlaps 10.1.7.7 of network "b" of ' +
        'b.conf: give each network addresses of its own',
    ]);
    expect(sim(files, '', [`${DIR}/b.conf`])).toEqual([
      'b.conf:2:56: warning: 10.1.7.7 overlaps 10.1.0.1-10.1.255.254 of network "a" of ' +
        'a.conflist: give each network addresses of its own',
    ]);
    expect(sim(files, '', [`${DIR}/c.conflist`])).toEqual([]);
  });

  test('ranges in a fused chain and of IPv6 count, neighbours that are broken do not', () => {
    const inner = '{ "type": "ptp", "ipam": { "type": "host-local", "subnet": "fd00::/64" } }';
    const files = {
      [`${DIR}/a.conflist`]: bridge('a', 'fd00::/120'),
      [`${DIR}/b.conflist`]:
        `{ "cniVersion": "1.0.0", "name": "b", "plugins": [{ "type": "fairlead",\n` +
        `"plugins": [${inner}] }] }`,
      [`${DIR}/broken.conflist`]: '{',
      [`${DIR}/x.txt`]: bridge('x', 'fd00::/120'),
    };
    expect(sim(files, '', [`${DIR}/b.conflist`])).toEqual([
      'b.conflist:2:72: warning: fd00::1-fd00::ffff:ffff:ffff:ffff overlaps fd00::1-fd00::ff of ' +
        'network "a" of a.conflist: give each network addresses of its own',
    ]);
  });

  test('with the same name: the file that wins is named', () => {
    const files = {
      [`${DIR}/10.conf`]: '{ "cniVersion": "1.0.0", "name": "n", "type": "bridge" }',
      [`${DIR}/20.conflist`]: bridge('n', '10.1.0.0/16'),
    };
    const told = (other: string) =>
      `warning: network "n" is in ${other} as well, and runtimes that look for the name take ` +
      '20.conflist: rename one or remove it';
    expect(sim(files, '', [DIR])).toEqual([
      `10.conf:1:34: ${told('20.conflist')}`,
      `20.conflist:1:34: ${told('10.conf')}`,
    ]);
  });

  test('that want another gateway on one bridge', () => {
    const gateway = ', "isGateway": true';
    const files = (more: string) => ({
      [`${DIR}/a.conflist`]: bridge('a', '10.1.0.0/16', gateway),
      [`${DIR}/b.conflist`]: bridge('b', '10.2.0.0/16', gateway + more),
    });
    expect(sim(files(''), '', [`${DIR}/b.conflist`])).toEqual([
      'b.conflist:1:62: warning: network "a" of a.conflist has the gateway 10.1.0.1/16 on ' +
        '"cni0", this one 10.2.0.1/16, and a bridge has one: give each network a bridge of its own',
    ]);
    for (const more of [', "vlan": 5', ', "bridge": "br9"', ', "forceAddress": true']) {
      expect(sim(files(more), '', [`${DIR}/b.conflist`])).toEqual([]);
    }
  });
});

describe('the MTU', () => {
  const uplink = (mtu: number): string =>
    `link eth0 up address 02:fa:00:00:00:01 mtu ${mtu}\n` +
    'link eth1 up address 02:fa:00:00:00:02 mtu 9000\n';
  const V4 = 'addr 10.0.0.2/24 dev eth0\nroute 0.0.0.0/0 via 10.0.0.1 dev eth0 proto boot\n';
  const V6 = 'addr fd07::2/64 dev eth0\nroute ::/0 via fd07::1 dev eth0 proto boot\n';
  const check = (plugin: string, network: string): string[] =>
    sim({ [`${DIR}/net.conflist`]: inList(plugin).replaceAll('▸', '') }, network);

  test('larger than that of the link of the default route, of IPv4 or else IPv6', () => {
    const plugin = '{ "type": "bridge", "mtu": 1500 }';
    const expected = [
      'net.conflist:2:28: warning: "mtu" is 1500, larger than that of "eth0", by which packets ' +
        'leave: write 1450 or less',
    ];
    expect(check(plugin, uplink(1450) + V4)).toEqual(expected);
    expect(check(plugin, uplink(1450) + V6)).toEqual(expected);
    expect(check(plugin, uplink(1450))).toEqual([]);
    expect(check(plugin, uplink(1500) + V4)).toEqual([]);
    expect(check(plugin, '')).toEqual([]);
  });

  test('larger than that of the master, when it is on this machine', () => {
    const child = (more: string): string => `{ "type": "macvlan", "mtu": 9000${more} }`;
    const warning = (name: string) => [expect.stringContaining(`larger than that of "${name}"`)];
    expect(check(child(''), uplink(1450) + V4)).toEqual(warning('eth0'));
    expect(check(child(', "master": "eth0"'), uplink(1450))).toEqual(warning('eth0'));
    expect(check(child(', "master": "eth1"'), uplink(1450) + V4)).toEqual([]);
    expect(check(child(', "master": "eth9"'), uplink(1450) + V4)).toEqual([]);
    expect(check(child(', "linkInContainer": true'), uplink(1450) + V4)).toEqual([]);
  });

  test.skipIf(needsRoot !== '')(`of a real link and route${needsRoot && `: ${needsRoot}`}`, () => {
    const ns = `fl${process.pid}val`;
    const ip = (...args: string[]) => execFileSync('ip', ['-n', ns, ...args]);
    execFileSync('ip', ['netns', 'add', ns]);
    try {
      ip('link', 'add', 'up0', 'mtu', '1400', 'type', 'bridge');
      ip('addr', 'add', '10.9.9.2/24', 'dev', 'up0');
      ip('link', 'set', 'up0', 'up');
      ip('route', 'add', 'default', 'via', '10.9.9.1');
      const text = inList('{ "type": "bridge", "mtu": 1500 }').replaceAll('▸', '');
      const root = placed({ [`${DIR}/net.conflist`]: text });
      const said = onReal(root, [`${DIR}/net.conflist`], `/run/netns/${ns}`);
      expect(linesOf(said)).toEqual([
        'net.conflist:2:28: warning: "mtu" is 1500, larger than that of "up0", by which packets ' +
          'leave: write 1400 or less',
      ]);
    } finally {
      spawnSync('ip', ['netns', 'del', ns]);
    }
  });
});

describe('--path', () => {
  const files = {
    [`${DIR}/net.conflist`]: inList(
      '{ "type": "bridge", "ipam": { "type": "whereabouts" } },\n{ "type": "portmap", ' +
        '"capabilities": { "portMappings": true } },\n{ "type": "theirs" },\n' +
        '{ "type": "ours-not" }',
    ).replaceAll('▸', ''),
    '/opt/a/theirs': '',
    '/opt/b/ours-not': '',
  };
  const look = (...args: string[]): string[] =>
    linesOf(run(simulated(files), [`${DIR}/net.conflist`, ...args]));

  test('names programs that are in none of its folders; our own types are inside', () => {
    expect(look()).toEqual([]);
    expect(look('--path', '/opt/a:/opt/b')).toEqual([
      'net.conflist:2:39: warning: no program "whereabouts" in /opt/a:/opt/b: install it there',
    ]);
    expect(look('--path=/nowhere').map((line) => line.split(' warning: ')[1])).toEqual([
      'no program "whereabouts" in /nowhere: install it there',
      'no program "theirs" in /nowhere: install it there',
      'no program "ours-not" in /nowhere: install it there',
    ]);
  });
});

/** A fixture's configuration as it would lie on disk: [name of the file, text]. */
function onDisk(step: Step): [string, string] {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(step.stdin) as Record<string, unknown>;
  } catch {
    return ['x.conf', step.stdin];
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    return ['x.conf', step.stdin];
  }
  if (step.type === 'fairlead') {
    const { cniVersion, name } = parsed;
    const before = step.prev > 0 ? [{ type: 'dhcp-main' }] : [];
    return ['x.conflist', JSON.stringify({ cniVersion, name, plugins: [...before, parsed] })];
  }
  // A chained plugin has another before it in its list.
  if (typeTable().types.some(({ name, role }) => name === step.type && role === 'meta')) {
    const { cniVersion, name, prevResult, runtimeConfig, args, ...plugin } = parsed;
    return [
      'x.conflist',
      JSON.stringify({ cniVersion, name, plugins: [{ type: 'dhcp-main' }, plugin] }),
    ];
  }
  // An IPAM plugin is called with the configuration of the plugin that wants addresses.
  const around: Readonly<Record<string, string>> = { 'host-local': 'ptp', static: 'bridge' };
  const type = around[step.type];
  return ['x.conf', type === undefined ? step.stdin : JSON.stringify({ ...parsed, type })];
}

/** Refused by ADD for what is not in the configuration: the node, the request, a foreign answer. */
const NOT_IN_THE_FILE: Readonly<Record<string, string>> = {
  'bandwidth/invalid': 'what a runtime passes',
  'bandwidth/prev-result': 'what a runtime passes',
  'bridge/address-conflict': 'the bridge has another address',
  'bridge/mac-invalid': 'CNI_ARGS',
  'bridge/not-a-bridge': 'the link is there and is none',
  'bridge/static-empty': 'the runtime may name an address: a warning',
  'bridge/uplink-no-port': 'the link is no port',
  'delegate/error-code': 'what the program prints',
  'delegate/garbage-cut': 'what the program prints',
  'delegate/garbage-error': 'what the program prints',
  'delegate/garbage-result': 'what the program prints',
  'delegate/missing': 'no such program: --path tells',
  'delegate/null-result': 'what the program prints',
  'delegate/result-versions': 'what the program prints',
  'delegate/wrong-result': 'what the program prints',
  'firewall/no-prev-result': 'what a runtime passes',
  'firewall/policy-no-bridge': 'what a runtime passes',
  'host-local/requested-malformed': 'CNI_ARGS',
  'ipvlan/chained-bare': 'what a runtime passes: a warning',
  'ipvlan/chained-two': 'what a runtime passes',
  'ipvlan/ipam-missing': 'what a runtime passes: a warning',
  'ipvlan/link-in-container-missing': 'what is in the container',
  'ipvlan/mac-requested': 'CNI_ARGS',
  'ipvlan/master-default-none': 'what routes the node has',
  'ipvlan/master-in-container': 'what is on the node',
  'ipvlan/master-ipvlan': 'the mode of a link of the node',
  'ipvlan/master-missing': 'what is on the node',
  'ipvlan/master-on-host': 'what is in the container',
  'ipvlan/mode-host': 'the mode of a link of the node',
  'ipvlan/mode-others': 'the mode of a link of another container',
  'host-device/device-id-missing': 'what is in the node',
  'host-device/device-missing': 'what is on the node',
  'host-device/hwaddr-missing': 'what is on the node',
  'dhcp/both-ipv4-daemon': 'what the daemon on the node gives',
  'dhcp/ipv6-default-gateway': 'what the server gives',
  'dhcp/no-daemon': 'what listens on the node',
  'host-device/pci-missing': 'what is in the node',
  'host-device/uplink': 'what routes the node has',
  'macvlan/link-in-container-missing': 'what is in the container',
  'macvlan/master-default-none': 'what routes the node has',
  'macvlan/master-in-container': 'what is on the node',
  'macvlan/master-missing': 'what is on the node',
  'macvlan/master-on-host': 'what is in the container',
  'macvlan/mtu-too-large': 'the MTU of the master: a warning where there is one',
  'portmap/host-ip-malformed': 'what a runtime passes',
  'portmap/mapped-twice': 'what a runtime passes',
  'portmap/no-prev-result': 'what a runtime passes',
  'portmap/port-large': 'what a runtime passes',
  'portmap/port-missing': 'what a runtime passes',
  'portmap/port-zero': 'what a runtime passes',
  'portmap/protocol-unknown': 'what a runtime passes',
  'portmap/too-many': 'what a runtime passes',
  'sbr/no-addresses': 'what the plugin before gave',
  'sbr/no-prev-result': 'what a runtime passes',
  'sbr/other-interface': 'what the plugin before gave',
  'static/malformed': 'CNI_ARGS',
  'tap/bridge-missing': 'what is in the container',
  'tap/bridge-other-kind': 'what is in the container',
  'tuning/allowlist': 'the list of allowed sysctls on the node',
  'tuning/allowlist-unusable': 'the list of allowed sysctls on the node',
  'tuning/check-prev-result': 'what a runtime passes',
  'tuning/rolled-back': 'what the kernel refuses',
  'tuning/sysctl-duplicate': 'a key twice is lost on the way into a list here',
  'vlan/master-missing': 'what is on the node',
  'vlan/mtu-too-large': 'the MTU of the master: a warning where there is one',
  'vrf/no-prev-result': 'what a runtime passes',
  'vrf/table-conflict': 'the VRF that is there',
};
/** Told by validate, and by ADD only when the kernel refuses it. */
const TOLD_BEFORE = ['tap/mtu-too-small', 'tuning/rolled-back'];
/** Codes that a configuration earns by itself: version, decoding, values, not supported. */
const OF_THE_FILE = [1, 6, 7, 104];

function codeOf(fixture: Fixture, step: Step): number {
  const text = fixture.result(step.number);
  const result = text === '' ? {} : (JSON.parse(text) as { code?: number });
  return result.code ?? 0;
}

describe('the corpus', () => {
  const all = allFixtures().filter(({ steps }) => steps.some(({ command }) => command === 'ADD'));

  test.each(all.map((fixture) => [fixture.name, fixture] as const))('%s', (name, fixture) => {
    let untold = 0;
    for (const step of fixture.steps.filter(({ command }) => command === 'ADD')) {
      const [file, text] = onDisk(step);
      const path = `${DIR}/${file}`;
      const said = run(simulated({ [path]: text }), [path, '--output', 'json']);
      const errors = (JSON.parse(said.out) as Report).files.flatMap(({ problems }) =>
        problems.filter(({ severity }) => severity === 'error'),
      );
      const quiet = !OF_THE_FILE.includes(codeOf(fixture, step)) && !TOLD_BEFORE.includes(name);
      if (quiet) expect(errors, text).toEqual([]);
      else if (errors.length === 0) untold++;
    }
    expect(untold > 0).toBe(name in NOT_IN_THE_FILE);
  });

  test('every exception is a fixture', () => {
    const names = all.map(({ name }) => name);
    expect(Object.keys(NOT_IN_THE_FILE).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe('hostile input', () => {
  const good = inList('{ "type": "bridge" }').replaceAll('▸', '');
  const MIB = 1 << 20;
  const many = (count: number, make: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => make(i)).join(',');
  const list = (plugins: string): string =>
    `{"cniVersion":"1.0.0","name":"x","plugins":[${plugins}]}`;
  const ranges = (sets: string): string =>
    list(`{"type":"bridge","ipam":{"type":"host-local","ranges":[${sets}]}}`);

  const NOT_ALL = /a.conflist: these are not all: correct them first\n/;

  /** Content, and what is said of it. */
  const CASES: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['empty', '', /1:1: error: cannot decode .*: the document ends too early/],
    ['garbage', 'bridge: cni0\n', /1:1: error: cannot decode .*: a word that JSON does not have/],
    ['a byte order mark', '\ufeff{}', /1:1: error: cannot decode .*: a byte order mark/],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), /1:1: error: .*: text in UTF-16: save/],
    ['an open end', '{"a": [', /1:8: error: cannot decode .*: the document ends too early/],
    ['a number', '7', /1:1: error: .* must be an object, not a number/],
    ['NUL bytes', '{"name": "a\0b"}', /1:12: error: .*: a control character in a string/],
    ['no UTF-8', Uint8Array.of(0x7b, 0x0a, 0xff), /2:1: error: .*: a byte that is not UTF-8/],
    ['half a pair', '{"name": "\\ud800"}', /1:11: error: .*: half of a surrogate pair/],
    ['a bit too large', ' '.repeat(8 * MIB + 1), /1:1: error: .* is larger than 8 MiB/],
    ['8 MiB of nothing', ' '.repeat(8 * MIB), /1:8388609: error: .*: the document ends too early/],
    ['a name of 8 MiB', `{"name":"${'a'.repeat(8 * MIB - 20)}"}`, /1:9: error: .* longer than 255/],
    ['deep arrays', '['.repeat(MIB), /1:102: error: .*: nested more than 100 deep/],
    ['deep objects', '{"a":'.repeat(MIB), /1:502: error: .*: nested more than 100 deep/],
    ['many values', `[${many(260_000, () => '1')}]`, /error: .*: more than 250000 values/],
    ['many keys', `{${many(240_000, (i) => `"k${i}":1`)}}`, NOT_ALL],
    ['one key', `{${many(240_000, () => '"k":1')}}`, NOT_ALL],
    ['entries that are none', list(many(4000, () => '1')), NOT_ALL],
    ['many plugins', list(many(4000, () => '{"type":"x"}')), /only the first 1000 plugins/],
    ['many of ours', list(many(4000, () => '{"type":"bridge"}')), /only the first 1000 plugins/],
    [
      'a long fused chain',
      list(`{"type":"fairlead","plugins":[${many(4000, () => '{"type":"ptp"}')}]}`),
      /only the first 1001 plugins/,
    ],
    ['overlaps', ranges(many(4000, () => '[{"subnet":"10.0.0.0/24"}]')), /range set 1 overlaps/],
    [
      'a set of overlaps',
      ranges(`[${many(4000, () => '{"subnet":"10.0.0.0/24"}')}]`),
      /invalid range set 0: subnets .* overlap/,
    ],
    [
      'far too many plugins',
      list(many(80_000, () => '{"type":"x"}')),
      /80000 entries: at most 4000/,
    ],
    ['far too deep a key', `{"${'x'.repeat(MIB)}": 1}`, /unknown key/],
  ];

  test.each(CASES)('%s is told, and the other file is looked at', (_, content, expected) => {
    const root = placed({ [`${DIR}/a.conflist`]: content, '/other/b.conflist': good });
    const said = onReal(root, [`${DIR}/a.conflist`, '/other/b.conflist']);
    expect(said.exit_code).toBe(1);
    expect(said.out).toMatch(expected);
    expect(said.out).toMatch(/2 files: /);
    expect(said.out).not.toContain('internal error');
    expect(said.err).toBe('');
  });

  test('files that are not there, a folder without any, a folder called like a file', () => {
    const root = placed({ [`${DIR}/b.conflist`]: good, '/x/c.conflist/d.txt': '' });
    const args = ['/x/none.conflist', '/x/c.conflist', `${DIR}/b.conflist`, `${DIR}/b.conflist/x`];
    const said = onReal(root, args);
    expect(said.out.split('\n')).toEqual([
      '/x/none.conflist:1:1: error: /x/none.conflist does not exist: name another file',
      '/x/c.conflist:1:1: error: /x/c.conflist has no file *.conflist, *.conf or *.json: ' +
        'name another folder',
      `${DIR}/b.conflist/x:1:1: error: ${DIR}/b.conflist/x leads through a file: ` +
        'name a folder and what is in it',
      '4 files: 3 errors, 0 warnings',
      '',
    ]);
  });

  test('a core that breaks on one file still looks at the others', () => {
    const driver = simulated({ '/b.conflist': good });
    const around = { stdin: () => new Uint8Array(), log: () => {}, sleep: () => {} };
    let out = '';
    const broken = {
      exit_code: 1,
      stdout: '{"code":999,"msg":"internal error","details":"there"}',
    };
    const exit_code = runValidate(['/a.conflist', '/b.conflist'], {
      write: (_, text) => {
        out += visible(text, false);
      },
      task: (name, request) => {
        const { files: asked } = request as { files: string[] };
        if (asked.includes('/a.conflist')) return broken;
        return performTask(wasmInstances('tools'), driver, name, request, around);
      },
    });
    expect(exit_code).toBe(1);
    expect(out).toBe(
      '/a.conflist:1:1: error: internal error: there\n2 files: 1 error, 0 warnings\n',
    );
  });

  test('what a terminal would obey is shown and not sent', () => {
    const key = '\\u001b[2J\\u202e\\n';
    const text = `{"cniVersion":"1.0.0","name":"x","${key}":1,"plugins":[{"type":"x"}]}`;
    expect(sim({ '/a.conflist': text })).toEqual([
      '/a.conflist:1:34: warning: unknown key "\\u001b[2J\\u202e\\u000a", which plugins ignore: ' +
        'remove it, unless another program reads it from this file',
    ]);
  });
});

describe('the command line', () => {
  const good = inList('{ "type": "bridge" }').replaceAll('▸', '');
  const doubtful = inList('{ "type": "bridge", "x": 1 }').replaceAll('▸', '');
  const files = {
    [`${DIR}/a.conflist`]: good,
    [`${DIR}/b.conf`]: '{ "cniVersion": "1.0.0", "name": "b", "type": "loopback", "x": 1 }',
    [`${DIR}/c.json`]: '{ "cniVersion": "1.0.0", "name": "c", "type": "ptp" }',
    [`${DIR}/d.txt`]: '{',
  };

  test('without problems: exit code 0 and a line that says so', () => {
    const said = run(simulated({ '/a.conflist': good }), ['/a.conflist']);
    expect(said).toEqual({ exit_code: 0, out: '1 file: no problems\n', err: '' });
  });

  test('a warning is no error, with --strict it is', () => {
    const driver = simulated({ '/a.conflist': doubtful });
    const said = run(driver, ['/a.conflist']);
    expect(said).toMatchObject({ exit_code: 0, err: '' });
    expect(said.out).toMatch(/: warning: unknown key "x".*\n1 file: 0 errors, 1 warning\n$/);
    expect(run(driver, ['--strict', '/a.conflist'])).toMatchObject({ exit_code: 1, out: said.out });
  });

  test('a folder means its configurations, each once', () => {
    const driver = simulated(files);
    const said = run(driver, [DIR, `${DIR}/c.json`, DIR]);
    expect(said.exit_code).toBe(1);
    expect(said.out.replaceAll(`${DIR}/`, '').split('\n')).toEqual([
      'b.conf:1:59: warning: unknown key "x", which plugins ignore: ' +
        'remove it, unless another program reads it from this file',
      'c.json:1:47: error: ptp needs addresses: add "ipam": {"type": "host-local", …}',
      '3 files: 1 error, 1 warning',
      '',
    ]);
  });

  test('paths are shown as they were written', () => {
    const root = placed({ '/here/c.json': files[`${DIR}/c.json`]!, '/here/sub/a.conflist': good });
    const here = relative(process.cwd(), join(root, 'here'));
    const said = onReal('', [`${here}/c.json`]);
    expect(said.out).toMatch(new RegExp(`^${here}/c.json:1:47: error: ptp needs`));
    expect(onReal('', [`${here}/`]).out).toMatch(new RegExp(`^${here}/c.json:1:47: error`));
  });

  test('--output json', () => {
    const said = run(simulated(files), [DIR, '--output', 'json']);
    expect(said.exit_code).toBe(1);
    const report = JSON.parse(said.out) as Report;
    expect(report).toMatchObject({ errors: 1, warnings: 1 });
    const [a, b, c] = report.files as [FileReport, FileReport, FileReport];
    expect(a).toEqual({ path: `${DIR}/a.conflist`, name: 'net', problems: [] });
    expect(b.problems[0]).toEqual({
      severity: 'warning',
      line: 1,
      column: 59,
      key: 'x',
      msg:
        'unknown key "x", which plugins ignore: ' +
        'remove it, unless another program reads it from this file',
    });
    expect(c.problems[0]).toMatchObject({ severity: 'error', key: 'type', code: 7 });
    const strict = run(simulated({ '/a.conflist': doubtful }), [
      '/a.conflist',
      '--output=json',
      '--strict',
    ]);
    expect(strict.exit_code).toBe(1);
    const [{ problems }] = (JSON.parse(strict.out) as Report).files as [FileReport];
    expect(problems[0]).toMatchObject({ key: 'plugins[0].x', line: 2 });
  });

  test('help, and wrong usage', () => {
    const driver = simulated({});
    expect(run(driver, ['--help'])).toMatchObject({ exit_code: 0, err: '' });
    for (const args of [[], ['--strikt', 'x'], ['x', '--output', 'yaml'], ['x', '--path']]) {
      const said = run(driver, args);
      expect([said.exit_code, said.out]).toEqual([2, '']);
      expect(said.err).toMatch(/^fairlead validate: .*\nSee fairlead help validate\n$/);
    }
    expect(run(driver, ['--strikt', 'x']).err).toContain('did you mean "--strict"?');
  });

  test('nothing is executed or written, and of the machine only its links are read', () => {
    const used = new Set<string>();
    const watched = (files: Files): Driver =>
      new Proxy(
        simulated(
          files,
          'link eth0 up address 02:fa:00:00:00:01 mtu 1400\naddr 10.0.0.2/24 dev eth0\n' +
            'route 0.0.0.0/0 via 10.0.0.1 dev eth0 proto boot\n',
        ),
        {
          get: (target, name: keyof Driver) => {
            used.add(name);
            return target[name];
          },
        },
      );
    expect(
      run(watched({ ...files, '/opt/cni/bin/x': '' }), [DIR, '--path', '/opt/cni/bin']),
    ).toMatchObject({ exit_code: 1 });
    const text = '{ "cniVersion": "1.0.0", "name": "m", "type": "macvlan", "mtu": 1500 }';
    expect(run(watched({ '/m.conf': text }), ['/m.conf', '--strict'])).toMatchObject({
      exit_code: 1,
    });
    expect([...used].sort()).toEqual(['dir_list', 'file_read', 'link_get_index', 'route_get']);
  });
});

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

test('the example of docs/fairlead.8.md prints what stands there', () => {
  const [, section = ''] = read('docs/fairlead.8.md').split('\n## VALIDATE\n');
  const block = (kind: string): string =>
    new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(section)?.[1] ?? '';
  const said = run(simulated({ '/etc/10-pods.conflist': block('json') }), [
    '/etc/10-pods.conflist',
  ]);
  expect(said.exit_code).toBe(1);
  expect(said.out.replaceAll('/etc/', '')).toBe(block('text'));
});
