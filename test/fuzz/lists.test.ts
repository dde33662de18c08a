// SPDX-License-Identifier: Apache-2.0
// Lists as long as they may be, and longer: memory is never given back in a call, so whatever
// compares each entry with each must stay small. A list that is too long is refused and changes
// nothing; the one of GC has no limit but the document's.
import { expect, test } from 'vitest';
import { ENV, Node, nothingLeft, same } from './node.ts';

const LIMIT = 4000;
const HEAD = { cniVersion: '1.1.0', name: 'net' };
const POOL = { type: 'host-local', ranges: [[{ subnet: '192.168.0.0/24' }]] };
const NODE = 'netns host\nnetns pod\n';
const COMMANDS = ['ADD', 'CHECK', 'STATUS', 'GC', 'DEL'];

const ip = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
const ip6 = (i: number, host: number): string => `fd00:0:0:${(i + 1).toString(16)}::${host}`;
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** A configuration with a list of so many entries. The command that reads it is ADD unless said. */
interface Long {
  readonly make: (count: number) => { readonly type: string } & Readonly<Record<string, unknown>>;
  readonly reads?: string;
}

const LONG: Readonly<Record<string, Long>> = {
  'range sets': {
    make: (n) => ({
      type: 'host-local',
      ipam: { type: 'host-local', ranges: many(n, (i) => [{ subnet: `${ip(i * 4)}/30` }]) },
    }),
  },
  ranges: {
    make: (n) => ({
      type: 'host-local',
      ipam: { type: 'host-local', ranges: [many(n, (i) => ({ subnet: `${ip(i * 4)}/30` }))] },
    }),
  },
  'requested addresses': {
    make: (n) => ({ type: 'host-local', runtimeConfig: { ips: many(n, ip) }, ipam: POOL }),
  },
  'static addresses with gateways': {
    make: (n) => ({
      type: 'bridge',
      isGateway: true,
      ipam: {
        type: 'static',
        addresses: many(n, (i) => ({ address: `${ip6(i, 2)}/64`, gateway: ip6(i, 1) })),
      },
    }),
  },
  routes: {
    make: (n) => ({
      type: 'bridge',
      ipam: {
        ...POOL,
        routes: many(n, (i) => ({ dst: `${ip(i)}/32`, gw: '192.168.0.1' })),
      },
    }),
  },
  'a trunk': {
    make: (n) => ({ type: 'bridge', vlanTrunk: many(n, (i) => ({ id: 1 + (i % 4094) })) }),
  },
  'plugins of a chain': {
    make: (n) => ({ type: 'fairlead', plugins: many(n, () => ({ type: 'loopback' })) }),
  },
  'plugins that are missing': {
    make: (n) => ({ type: 'fairlead', plugins: many(n, (i) => ({ type: `missing${i}` })) }),
  },
  'name servers': {
    make: (n) => ({ type: 'bridge', dns: { nameservers: many(n, ip) }, ipam: POOL }),
  },
  'a previous result': {
    make: (n) => ({
      type: 'bridge',
      prevResult: {
        cniVersion: '1.1.0',
        interfaces: many(n, (i) => ({ name: `x${i}` })),
        ips: many(n, (i) => ({ address: `${ip(i)}/32` })),
        routes: many(n, (i) => ({ dst: `${ip(i)}/32` })),
      },
    }),
    reads: 'CHECK',
  },
};

test.each(Object.entries(LONG))(`${LIMIT} entries: %s`, (_, { make }) => {
  const config = { ...HEAD, ...make(LIMIT) };
  const node = new Node(NODE);
  let text = JSON.stringify(config);
  for (const command of COMMANDS) {
    const { code, stdout } = node.call(command, config.type, text);
    if (command !== 'ADD' || code !== 0) continue;
    text = JSON.stringify({ ...config, prevResult: JSON.parse(stdout) });
  }
  nothingLeft('DEL', node.text(), 'pod', 'c1', 'eth0');
});

test.each(Object.entries(LONG))('many more: %s', (_, { make, reads = 'ADD' }) => {
  const config = { ...HEAD, ...make(5 * LIMIT) };
  const node = new Node(NODE);
  const text = JSON.stringify(config);
  for (const command of COMMANDS) {
    const before = node.text();
    const { code, stdout } = node.call(command, config.type, text);
    if (command !== reads) continue;
    expect({ code, stdout }).toEqual({
      code: 7,
      stdout: expect.stringContaining(`at most ${LIMIT}`),
    });
    same('a refused list', before, node.text());
  }
  nothingLeft('DEL', node.text(), 'pod', 'c1', 'eth0');
});

test('more ranges in all than in one list', () => {
  const ranges = [0, 1].map((set) =>
    many(LIMIT - 1, (i) => ({ subnet: `${ip((set * LIMIT + i) * 4)}/30` })),
  );
  const config = { ...HEAD, type: 'host-local', ipam: { type: 'host-local', ranges } };
  const { code, stdout } = new Node(NODE).call('ADD', 'host-local', JSON.stringify(config));
  expect({ code, stdout }).toEqual({
    code: 7,
    stdout: expect.stringContaining(`${2 * LIMIT - 2} ranges`),
  });
});

test('addresses and gateways in CNI_ARGS', () => {
  const config = JSON.stringify({ ...HEAD, type: 'bridge', ipam: { type: 'static' } });
  const node = new Node(NODE);
  const before = node.text();
  const CNI_ARGS = `IP=${many(8 * LIMIT, (i) => `${ip(i)}/32`)};GATEWAY=${many(8 * LIMIT, ip)}`;
  expect(node.call('ADD', 'bridge', config, { ...ENV, CNI_ARGS }).code).toBe(7);
  same('a refused ADD', before, node.text());
});

test('GC of thirty thousand attachments', () => {
  const node = new Node(NODE);
  const config = { ...HEAD, type: 'bridge', bridge: 'cni0', ipam: POOL };
  expect(node.call('ADD', 'bridge', JSON.stringify(config)).code).toBe(0);
  const live = node.text();
  const valid = many(30_000, (i) => ({ containerID: `c${i}`, ifname: 'eth0' }));
  const gc = JSON.stringify({ ...config, 'cni.dev/valid-attachments': valid });
  expect(node.call('GC', 'bridge', gc).code).toBe(0);
  same('GC that knows it', live, node.text());
});
