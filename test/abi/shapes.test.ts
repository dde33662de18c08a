// SPDX-License-Identifier: Apache-2.0
// Replies have the members of their shapes, all of them and no other, with values of their types.
// The simulated kernel is asked here; that the others answer as it does is for test/sim,
// test/drivers and test/native to prove.
import { describe, expect, test } from 'vitest';
import { OPERATIONS } from '../../host-node/abi/index.ts';
import { SHAPES, type Shape } from '../../host-node/abi/shapes.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmModule } from '../support/wasm.ts';

const TEXT = `netns host
link br0 kind bridge up vlan_filtering
link p0 kind veth up master br0 peer host/p1
link p1 kind veth up
link ifb0 kind ifb up
addr 10.0.0.1/24 dev br0
route 10.9.0.0/16 via 10.0.0.2 dev br0
rule 50 from 10.1.2.3/32 table 100
qdisc tbf 1: dev p1 rate 125000 limit 13125 buffer 156250
qdisc ingress ffff: dev p1
filter u32 dev p1 pref 1 redirect ifb0
nft masq 1
nft chain masq-10.1.2.0/24
nft element masq4 10.1.2.3 : goto masq-10.1.2.0/24 "net c1 eth0"
file /etc/a "text"
folder /opt/cni
plugin /opt/p 1 "said"
`;
const driver = simulatedDriver(wasmModule('sim'), TEXT);
const [BR0, P0, P1] = [2, 3, 4];
const [INET, POSTROUTING, ROOT] = [1, 4, -1];
const TABLE = { ns: 0, family: INET, table: 'fairlead' };

const bytes = (text: string): Uint8Array => Buffer.from(text);
const ASKED: Readonly<Record<string, () => unknown>> = {
  link_get: () => driver.link_get({ ns: 0, name: 'br0' }),
  link_get_index: () => driver.link_get_index({ ns: 0, ifindex: BR0 }),
  link_list: () => driver.link_list({ ns: 0 }),
  bridge_port_list: () => driver.bridge_port_list({ ns: 0, ifindex: BR0 }),
  bridge_vlan_list: () => driver.bridge_vlan_list({ ns: 0, ifindex: P0 }),
  addr_list: () => driver.addr_list({ ns: 0, ifindex: BR0 }),
  route_list: () => driver.route_list({ ns: 0, ifindex: BR0 }),
  route_table_list: () => driver.route_table_list({ ns: 0 }),
  route_get: () => driver.route_get({ ns: 0, dst: '10.9.0.1' }),
  fib_rule_list: () => driver.fib_rule_list({ ns: 0 }),
  qdisc_get: () => driver.qdisc_get({ ns: 0, ifindex: P1, parent: ROOT }),
  filter_list: () => driver.filter_list({ ns: 0, ifindex: P1 }),
  generation: () => driver.generation({ ns: 0 }),
  rule_list: () => driver.rule_list(TABLE),
  chain_get: () => driver.chain_get({ ...TABLE, chain: 'postrouting' }),
  chain_list: () => driver.chain_list({ ns: 0, hooknum: POSTROUTING }),
  element_list: () => driver.element_list({ ...TABLE, set: 'masq4' }),
  element_get: () =>
    driver.element_get({ ...TABLE, set: 'masq4', key: Buffer.from([10, 1, 2, 3]) }),
  dir_list: () => driver.dir_list({ dir: '/etc' }),
  subdir_list: () => driver.subdir_list({ dir: '/opt' }),
  file_list: () => driver.file_list({ dir: '/etc' }),
  exec: () => driver.exec({ path: '/opt/p', env: bytes(''), stdin: bytes(''), timeout_ms: 1000 }),
};

const shapes: Readonly<Record<string, Shape>> = SHAPES;

function fieldsOf(shape: Shape): [string, string][] {
  const own = Object.entries(shape.fields).map(([name, [type]]): [string, string] => [name, type]);
  const base = shape.extends === undefined ? undefined : shapes[shape.extends];
  return base === undefined ? own : [...fieldsOf(base), ...own];
}

function checked(value: unknown, type: string, at: string): void {
  const shape = shapes[type];
  if (type.endsWith('[]')) {
    expect(Array.isArray(value), at).toBe(true);
    for (const item of value as unknown[]) checked(item, type.slice(0, -2), at);
  } else if (shape !== undefined) {
    const fields = fieldsOf(shape);
    expect(Object.keys(value as object), at).toEqual(fields.map(([name]) => name));
    for (const [name, inner] of fields)
      checked((value as Record<string, unknown>)[name], inner, `${at}.${name}`);
  } else if (type === 'str?') {
    expect(value === null || typeof value === 'string', at).toBe(true);
  } else {
    const name = type === 'str' ? 'string' : type === 'bool' ? 'boolean' : 'number';
    expect(typeof value, at).toBe(name);
  }
}

const replying = OPERATIONS.filter((op) => op.reply === 'json');

test('every operation that replies in JSON is asked here', () => {
  expect(Object.keys(ASKED).sort()).toEqual(replying.map((op) => op.name).sort());
});

describe.each(replying.map((op) => ({ name: op.name, type: String(op.type) })))(
  '$name gives $type',
  ({ name, type }) => {
    test('with these members', () => {
      const value = ASKED[name]?.();
      if (type.endsWith('[]')) expect(value).not.toEqual([]);
      checked(value, type, name);
    });
  },
);
