// SPDX-License-Identifier: Apache-2.0
// Running pods get the MTU of new ones, on the simulated kernel: both ends of the pairs that are
// ours by record, in an order in which nothing is lost, and nobody else's.
import { describe, expect, test } from 'vitest';
import type { Driver } from '../../host-node/abi/index.ts';
import { fileLine, Machine } from './machine.ts';

const CONF = '/etc/cni/net.d';
const PTP = {
  type: 'ptp',
  mtu: 1450,
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.2.0/24' }]] },
};
const conflist = (name: string, ...plugins: object[]): string =>
  fileLine(`${CONF}/${name}.conflist`, JSON.stringify({ cniVersion: '1.0.0', name, plugins }));

function attach(on: Machine, network: string, netns: string, ifname = 'eth0'): void {
  const request = {
    ...{ network, confDir: CONF, cacheDir: '/var/lib/cni', path: '/opt/cni/bin', args: '' },
    ...{ containerID: netns, netns: `/run/netns/${netns}`, ifname, capabilities: {} },
  };
  const { exit_code, stdout } = on.task('add', request);
  if (exit_code !== 0) throw new Error(stdout);
}

function machine(): Machine {
  const files = [
    conflist('pods', PTP),
    conflist('other', PTP),
    conflist('bridged', { ...PTP, type: 'bridge' }),
    conflist('tuned', PTP, { type: 'tuning', mtu: 1300 }),
    conflist('readdressed', PTP, { type: 'tuning', mac: '02:00:00:00:00:77' }),
  ];
  const on = new Machine(`netns host\nnetns one\nnetns two\n${files.join('')}`);
  attach(on, 'pods', 'one');
  attach(on, 'pods', 'two');
  attach(on, 'other', 'one', 'net1');
  return on;
}

/** The MTU of each veth, by namespace; those of the host by number alone. */
function mtus(on: Machine): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  let netns = '';
  for (const line of on.dump().split('\n')) {
    netns = /^netns (\S+)/.exec(line)?.[1] ?? netns;
    const mtu = /^link \S+ kind veth .*\bmtu (\d+)/.exec(line)?.[1];
    if (mtu !== undefined) found[netns] = [...(found[netns] ?? []), Number(mtu)];
  }
  for (const list of Object.values(found)) list.sort();
  return found;
}

interface Pod {
  readonly containerID: string;
  readonly mtu_bytes: number;
  readonly host_bytes: number;
  readonly chosen: boolean;
  readonly changed: boolean;
  readonly now_bytes: number;
  readonly host_now_bytes: number;
  readonly error?: string;
}

function wish(on: Machine, request: object) {
  const answer = on.task('pod_mtu', { network: 'pods', v6: false, ...request });
  const { pods = [], ...rest } = JSON.parse(answer.stdout) as { pods?: Pod[]; msg?: string };
  return { code: answer.exit_code, pods, ...rest };
}

describe('pods of a network', () => {
  test('are listed with what both ends have; nothing changes unasked', () => {
    const on = machine();
    const before = on.dump();
    const { pods } = wish(on, { mtu_bytes: 1370 });
    expect(pods.map(({ containerID }) => containerID).sort()).toEqual(['one', 'two']);
    for (const pod of pods) {
      expect(pod).toMatchObject({ mtu_bytes: 1450, host_bytes: 1450, changed: false });
    }
    expect(on.dump()).toBe(before);
  });

  test('get the MTU at both ends; one of another network in the pod keeps its own', () => {
    const on = machine();
    const { pods } = wish(on, { mtu_bytes: 1370, apply: true });
    expect(pods.every(({ changed }) => changed)).toBe(true);
    expect(mtus(on)).toEqual({ host: [1370, 1370, 1450], one: [1370, 1450], two: [1370] });
    expect(wish(on, { mtu_bytes: 1370, apply: true }).pods.some(({ changed }) => changed)).toBe(
      false,
    );
  });

  test.each([
    [1370, 'inside first'],
    [1500, 'outside first'],
  ])('get %i bytes: %s', (mtu_bytes, order) => {
    const on = machine();
    const namespaces: number[] = [];
    on.wrap = (driver) =>
      ({
        ...driver,
        link_set_mtu: (args) => {
          namespaces.push(args.ns);
          return driver.link_set_mtu(args);
        },
      }) as Driver;
    wish(on, { mtu_bytes, before_bytes: 1450, apply: true });
    const inside = namespaces.map((ns) => ns !== 0);
    expect(inside).toEqual(
      order === 'inside first' ? [true, false, true, false] : [false, true, false, true],
    );
  });

  test('with IPv6 do not get less than 1280: it is an error, and nothing changes', () => {
    const on = machine();
    const before = on.dump();
    const { code, msg } = wish(on, { mtu_bytes: 1279, v6: true, apply: true });
    expect([code, msg]).toEqual([7, 'pods of network "pods" need 1280 bytes, and 1279 are left']);
    expect(on.dump()).toBe(before);
    expect(wish(on, { mtu_bytes: 1279, apply: true }).code).toBe(0);
  });

  test.each([
    ['follows by itself', false, 1370],
    ['stays where somebody set it, and that is told', true, 1400],
  ])('on a bridge, which %s', (_, pinned, bridge_bytes) => {
    const on = machine();
    attach(on, 'bridged', 'one', 'net2');
    const { ifindex, mtu_bytes } = on.driver.link_get({ ns: 0, name: 'cni0' });
    expect(mtu_bytes).toBe(1450);
    if (pinned) on.driver.link_set_mtu({ ns: 0, ifindex, mtu_bytes: 1400 });
    const { pods } = wish(on, { network: 'bridged', mtu_bytes: 1370, apply: true });
    expect(pods).toMatchObject([{ bridge: 'cni0', bridge_bytes, changed: true }]);
    expect(on.driver.link_get({ ns: 0, name: 'cni0' }).mtu_bytes).toBe(bridge_bytes);
  });

  test('with less than new ones had keep it where only those are to be raised', () => {
    const on = machine();
    wish(on, { mtu_bytes: 1370, apply: true });
    wish(on, { mtu_bytes: 1400, before_bytes: 1450, apply: true });
    wish(on, { mtu_bytes: 1400, apply: true });
    expect(mtus(on)).toMatchObject({ one: [1370, 1450], two: [1370] });
    wish(on, { mtu_bytes: 1400, before_bytes: 1370, apply: true });
    expect(mtus(on)).toMatchObject({ one: [1400, 1450], two: [1400] });
  });

  test('an end that somebody lowered is not raised with the other', () => {
    const on = machine();
    const ns = on.driver.netns_open({ path: '/run/netns/one' });
    const { ifindex } = on.driver.link_get({ ns, name: 'eth0' });
    on.driver.link_set_mtu({ ns, ifindex, mtu_bytes: 1300 });
    const { pods } = wish(on, { mtu_bytes: 1500, before_bytes: 1450, apply: true });
    expect(mtus(on)).toEqual({ host: [1450, 1500, 1500], one: [1300, 1450], two: [1500] });
    expect(pods.find(({ containerID }) => containerID === 'one')).toMatchObject({
      ...{ mtu_bytes: 1300, now_bytes: 1300, host_bytes: 1450, host_now_bytes: 1500 },
    });
  });

  test('whose chain set the MTU by tuning keep it', () => {
    const on = machine();
    attach(on, 'tuned', 'two', 'net1');
    const { pods } = wish(on, { network: 'tuned', mtu_bytes: 1200, apply: true });
    expect(pods).toMatchObject([{ mtu_bytes: 1300, chosen: true, changed: false }]);
    expect(mtus(on)['two']).toEqual([1300, 1450]);
  });

  test('whose chain set another hardware address by tuning are ours all the same', () => {
    const on = machine();
    attach(on, 'readdressed', 'two', 'net1');
    const { pods } = wish(on, { network: 'readdressed', mtu_bytes: 1370, apply: true });
    expect(pods).toMatchObject([{ mtu_bytes: 1450, now_bytes: 1370, changed: true }]);
    expect(mtus(on)['two']).toEqual([1370, 1450]);
  });

  test('one whose interface somebody replaced is left alone, and so is one that is gone', () => {
    const on = machine();
    const { driver } = on;
    const [one, two] = ['one', 'two'].map((name) =>
      driver.netns_open({ path: `/run/netns/${name}` }),
    );
    const of = (ns = 0) => driver.link_get({ ns, name: 'eth0' });
    driver.link_del({ ns: one ?? 0, ifindex: of(one).ifindex });
    const address = '02:00:00:00:00:99';
    driver.link_set_address({ ns: two ?? 0, ifindex: of(two).ifindex, address });
    const before = on.dump();
    expect(wish(on, { mtu_bytes: 1370, apply: true }).pods).toEqual([]);
    expect(on.dump()).toBe(before);
  });

  test.each([
    ['the node’s, to less: the pod’s is put back', 0, 1370],
    ['the pod’s, to more: the node’s is put back', 1, 1500],
  ])('when one end is refused, %s', (_, side, mtu_bytes) => {
    const on = machine();
    const before = on.dump();
    on.wrap = (driver) =>
      ({
        ...driver,
        link_set_mtu: (args) => {
          if (Math.sign(args.ns) === side) throw Object.assign(new Error('no'), { errno: 22 });
          return driver.link_set_mtu(args);
        },
      }) as Driver;
    const { pods } = wish(on, { mtu_bytes, before_bytes: 1450, apply: true });
    for (const pod of pods) {
      expect(pod).toMatchObject({ changed: false, now_bytes: 1450, host_now_bytes: 1450 });
      expect(pod.error).toContain(`to ${mtu_bytes}`);
    }
    expect(on.dump()).toBe(before);
  });

  test('an end that the kernel refuses to set is told, with the pod', () => {
    const on = machine();
    on.wrap = (driver) =>
      ({
        ...driver,
        link_set_mtu: () => {
          throw Object.assign(new Error('no'), { errno: 22 });
        },
      }) as Driver;
    const { code, pods } = wish(on, { mtu_bytes: 1370, apply: true });
    expect(code).toBe(0);
    for (const pod of pods) expect(pod.error).toContain('set the MTU of "eth0" to 1370');
  });
});
