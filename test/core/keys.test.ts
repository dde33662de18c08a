// SPDX-License-Identifier: Apache-2.0
// The table of types against the plugins: whether each plugin's load reads the keys that its row
// has, and no others. A key counts as read when a wrong value of it changes the answer. What the
// plugins cannot read by any other name is every word in the sources of the core.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { ownTypes, typeTable } from '../support/types.ts';
import { wasmInstances, wasmModule } from '../support/wasm.ts';

const SOURCES = fileURLToPath(new URL('../../core-as', import.meta.url));
const { types, shared } = typeTable();

/** Every word between quotes in the core: a key that is read is one of them. */
const WORDS = new Set(
  readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/^(sim|test)\//.test(name))
    .flatMap((name) => [
      ...readFileSync(join(SOURCES, name), 'utf8').matchAll(/["`]([A-Za-z]\w+)["`]/g),
    ])
    .map(([, word = '']) => word),
);

type Json = Record<string, unknown>;

/** With what the agents of a cluster's network write. */
const NODE = `netns host
file /run/fairlead/overlay/net.json "{\\"ready\\":true,\\"subnets\\":[\\"10.1.2.0/24\\"]}"
file /run/flannel/subnet.env "FLANNEL_SUBNET=10.1.2.1/24\\n"
netns pod
dhcp /run/cni/dhcp.sock {"address":"10.1.2.3/24"}
`;

/** The answer of load, which is all that STATUS of a node without trouble says. */
function answer(type: string, config: Json, args: string): string {
  const driver = simulatedDriver(wasmModule('sim'), NODE);
  const text = JSON.stringify({ cniVersion: '1.1.0', name: 'net', type, ...config });
  const around = {
    stdin: () => new TextEncoder().encode(text),
    log: () => {},
    sleep: () => {},
  };
  const env = {
    CNI_COMMAND: 'STATUS',
    CNI_PATH: '/opt/cni/bin',
    CNI_ARGS: args,
  };
  return serve(wasmInstances('core'), driver, { type, env }, around).stdout;
}

const STATIC = { type: 'static', addresses: [{ address: '10.1.2.3/24', gateway: '10.1.2.1' }] };
const DHCP = {
  type: 'dhcp',
  provide: [{ option: '12', value: 'x' }],
  request: [{ option: '6' }],
};
/** Configurations that are right, and in which every key is looked at. */
const RIGHT: Readonly<Record<string, Json>> = {
  bridge: { ipMasq: true, vlanTrunk: [{ id: 4 }], ipam: STATIC },
  ptp: { ipMasq: true, ipam: STATIC },
  macvlan: { linkInContainer: true, ipam: STATIC },
  ipvlan: { linkInContainer: true, ipam: STATIC },
  vlan: { master: 'up0', linkInContainer: true, ipam: STATIC },
  'host-device': { device: 'eth1', ipam: STATIC },
  tap: { ipam: STATIC },
  dummy: { ipam: STATIC },
  loopback: {},
  'host-local': {
    ipam: { type: 'host-local', subnet: '10.1.2.0/24', ranges: [[{ subnet: '10.2.0.0/16' }]] },
  },
  static: { ipam: STATIC },
  dhcp: { ipam: DHCP },
  portmap: { runtimeConfig: { portMappings: [{ hostPort: 1, containerPort: 2 }] } },
  tuning: {},
  bandwidth: {},
  sbr: {},
  vrf: { vrfname: 'v' },
  firewall: {},
  'fairlead-overlay': {},
  flannel: {},
  fairlead: { plugins: [{ type: 'loopback' }] },
};
const ARGS: Readonly<Record<string, string>> = { static: ';IP=10.1.2.4/24' };

/** A place of keys in a type's configuration, and how to get there. */
interface Place {
  readonly type: string;
  readonly place: string;
  readonly keys: readonly string[];
  /** Keys of everybody, which are not the type's. */
  readonly common: readonly string[];
}

/** Objects under shared keys that a type has. */
const SHARED: readonly [type: string, place: string, keys: string][] = [
  ['bridge', 'dns', 'dns'],
  ['ptp', 'dns', 'dns'],
  ['macvlan', 'dns', 'dns'],
  ['ipvlan', 'dns', 'dns'],
  ['vlan', 'dns', 'dns'],
  ['host-device', 'dns', 'dns'],
  ['tap', 'dns', 'dns'],
  ['dummy', 'dns', 'dns'],
  ['static', 'ipam.dns', 'dns'],
  ['static', 'ipam.routes', 'routes'],
  ['host-local', 'ipam.routes', 'routes'],
  ['host-local', 'ipam.ranges', 'ranges'],
  ['host-local', 'runtimeConfig.ipRanges', 'ranges'],
];
/** Whom types delegate to that make a configuration. */
const DELEGATES: Readonly<Record<string, readonly string[]>> = {
  'fairlead-overlay': ['ptp', 'host-local'],
  flannel: ['bridge', 'host-local'],
};

/** What another plugin reads through the plugin that delegates to it. */
function delegated(type: string, place: string): readonly string[] {
  const ipam = (RIGHT[type]!['ipam'] ?? {}) as { type?: string };
  const names = DELEGATES[type] ?? [ipam.type];
  const rows = types.filter(({ name }) => names.includes(name) && name !== type);
  if (!['args.cni', 'runtimeConfig', 'CNI_ARGS'].includes(place)) return [];
  return rows.flatMap(({ keys }) => keys[place] ?? []);
}

/** Those of the words that are read, found by halves. */
function found(words: readonly string[], reads: (words: readonly string[]) => boolean): string[] {
  if (words.length === 0 || !reads(words)) return [];
  if (words.length === 1) return [...words];
  const half = words.length >> 1;
  return [...found(words.slice(0, half), reads), ...found(words.slice(half), reads)];
}

const EVERYWHERE = [...shared['plugin']!, ...shared['runtime']!];

function placesOf(type: string): Place[] {
  const row = types.find(({ name }) => name === type)!;
  const own = row.role === 'ipam' ? 'ipam' : '';
  const standard = [...new Set(['', own, 'args.cni', 'runtimeConfig', 'CNI_ARGS'])];
  const below = Object.keys(row.keys).filter((place) => !standard.includes(place));
  const places = [...standard, ...below].map((place) => ({
    type,
    place,
    // "type" of ipam is read by whoever delegates.
    keys: (row.keys[place] ?? (place === '' ? ['ipam'] : [])).filter(
      (key) => place !== 'ipam' || key !== 'type',
    ),
    common: place === '' ? EVERYWHERE : ['type', 'IgnoreUnknown', ...delegated(type, place)],
  }));
  const more = SHARED.filter(([name]) => name === type).map(([, place, keys]) => ({
    ...{ type, place, common: [] },
    keys: shared[keys]!,
  }));
  return [...places, ...more];
}

/** What stands at a place where the configuration has nothing there. */
const BELOW: Readonly<Record<string, unknown>> = {
  'ipam.routes': [{ dst: '10.9.0.0/16' }],
  'runtimeConfig.ipRanges': [[{ subnet: '10.3.0.0/16' }]],
  'runtimeConfig.bandwidth': { ingressRate: 8, ingressBurst: 8 },
};

/** The first object in however many arrays. */
function firstObject(value: unknown): Json {
  return Array.isArray(value) ? firstObject(value[0]) : (value as Json);
}

/** The answer when these members stand at the place, over those that do. */
function answerWith({ type, place }: Place, members: Json): string {
  const config = structuredClone(RIGHT[type]!);
  let args = `IgnoreUnknown=1${ARGS[type] ?? ''}`;
  if (place === 'CNI_ARGS') {
    for (const [key, value] of Object.entries(members)) args += `;${key}=${value}`;
    return answer(type, config, args);
  }
  let object = config;
  let path = '';
  for (const key of place === '' ? [] : place.split('.')) {
    path += path === '' ? key : `.${key}`;
    object[key] ??= structuredClone(BELOW[path] ?? {});
    object = firstObject(object[key]);
  }
  Object.assign(object, members);
  return answer(type, config, args);
}

const WRONG = [5, 0.5, '\u0001', 'no such thing', true, [], [5], ['no'], {}, { x: 5 }];

describe.each([...ownTypes(), 'fairlead'])('%s', (type) => {
  test('what is right is right', () => {
    expect(answer(type, RIGHT[type]!, `IgnoreUnknown=1${ARGS[type] ?? ''}`)).toBe('');
  });

  test.each(placesOf(type))('reads the keys of "$place", and no others', (at) => {
    const reads = (members: (wrong: unknown) => Json): boolean =>
      WRONG.some((wrong) => answerWith(at, members(wrong)) !== answerWith(at, {}));
    expect(at.keys.filter((key) => !reads((wrong) => ({ [key]: wrong })))).toEqual([]);
    const known = [...at.keys, ...at.common].map((key) => key.toLowerCase());
    const others = [...WORDS].filter((word) => !known.includes(word.toLowerCase()));
    expect(others.length).toBeGreaterThan(200);
    const read = (words: readonly string[]) =>
      reads((wrong) => Object.fromEntries(words.map((word) => [word, wrong])));
    expect(found(others, read)).toEqual([]);
  });
});

test('ipam.type is read by those who delegate', () => {
  const main = ['bridge', 'ptp', 'macvlan', 'ipvlan', 'vlan', 'host-device', 'tap', 'dummy'];
  for (const type of main) {
    const config = { ...RIGHT[type], ipam: { type: 5 } };
    expect(answer(type, config, '')).toContain('must be a string');
  }
});

test('CNI_ARGS tolerates the keys of all types, and no others', () => {
  const keys = new Set(types.flatMap(({ ours, keys: at }) => (ours ? (at['CNI_ARGS'] ?? []) : [])));
  const source = readFileSync(join(SOURCES, 'spec/args.ts'), 'utf8');
  const [, list = ''] = /KNOWN: string\[\] = \[([^\]]*)\]/.exec(source) ?? [];
  const known = [...list.matchAll(/"(\w+)"/g)].map(([, key = '']) => key);
  expect(known.sort()).toEqual([...keys, 'IgnoreUnknown'].sort());
});
