// SPDX-License-Identifier: Apache-2.0
// A second real client: containerd with CRI starts pods on a whole chain in one plugin, and the
// chain has a program of the reference in it. Each test asserts what the kernel, the files and
// containerd hold, and in the end that nothing is left. It refuses to look at what containerd
// writes to the plugins: the transcripts' replay does that.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HOSTS } from '../support/hosts.ts';
import { Containerd, needsContainerd, type PluginCall } from './containerd.ts';
import { CELL_ADDRESS } from './packets.ts';
import type { State } from './state.ts';

const BRIDGE = 'flcri0';
const GATEWAYS = ['10.93.0.1', 'fd93::1'];
const MTU_BYTES = 1400;
/** Three addresses: one for each pod of a test, and none for a fourth. */
const LAST_ADDRESS = '10.93.0.4';
/** containerd 1.6 takes no result of CNI 1.1.0. */
const NETWORK = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'fairlead',
      capabilities: { portMappings: true },
      plugins: [
        {
          type: 'bridge',
          bridge: BRIDGE,
          isGateway: true,
          hairpinMode: true,
          ipMasq: true,
          ipam: {
            type: 'host-local',
            ranges: [
              [{ subnet: '10.93.0.0/24', rangeEnd: LAST_ADDRESS }],
              [{ subnet: 'fd93::/64' }],
            ],
            routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
        { type: 'tuning', sysctl: { 'net.core.somaxconn': '512' } },
        { type: 'foreign-tuning', mtu: MTU_BYTES },
      ],
    },
  ],
};

/** The calls of one pod as containerd makes them: loopback runs beside the rest. */
function callsOf(calls: readonly PluginCall[], id: string): string[] {
  const own = calls.filter((call) => call.id === id);
  const said = own.map(({ type, command, ifname, netns }) => {
    return `${command} ${type} ${ifname} ${netns === '' ? 'no netns' : 'netns'}`;
  });
  return said.sort();
}

const STOPPED = [
  'ADD fairlead eth0 netns',
  'ADD foreign-tuning eth0 netns',
  'ADD loopback lo netns',
  'DEL fairlead eth0 netns',
  'DEL foreign-tuning eth0 netns',
  'DEL loopback lo netns',
];
const REMOVED = [
  ...STOPPED,
  'DEL fairlead eth0 no netns',
  'DEL loopback lo no netns',
  'DEL foreign-tuning eth0 no netns',
].sort();

const hosts = HOSTS.filter(({ why }) => why === '');
const title = `containerd with CRI, $host ${needsContainerd}`;

describe.skipIf(needsContainerd !== '').each(hosts)(title, ({ program }) => {
  let containerd: Containerd;
  let before: State;

  beforeAll(async () => {
    containerd = await Containerd.open(NETWORK, ['tuning'], program);
    await containerd.makeBeyond();
    before = await containerd.state();
  });
  afterEach(() => containerd.removeAll());
  afterAll(() => containerd?.close());

  /** The bridge stays by design: other pods may be about to join it. */
  async function expectOnlyBridge(): Promise<void> {
    expect(await containerd.state()).toEqual({ ...before, links: [BRIDGE, ...before.links] });
    await containerd.removeLink(BRIDGE);
    expect(await containerd.state()).toEqual(before);
  }

  /** What containerd says of a pod is what the kernel has; gives its addresses. */
  async function expectWired(id: string): Promise<readonly string[]> {
    const { ready, ips } = await containerd.status(id);
    expect(ready).toBe(true);
    const [v4, v6] = ips;
    const eth0 = await containerd.interface(id, 'eth0');
    expect(eth0).toMatchObject({ mtu_bytes: MTU_BYTES, addresses: [`${v4}/24`, `${v6}/64`] });
    expect((await containerd.interface(id, 'lo'))?.addresses).toEqual(['127.0.0.1/8', '::1/128']);
    expect(await containerd.defaultGateways(id)).toEqual(GATEWAYS);
    expect(await containerd.sysctl(id, 'net/core/somaxconn')).toBe('512');
    for (const address of ips) {
      expect(await containerd.lease('pods', address)).toBe(`${id}\r\neth0`);
    }
    return ips;
  }

  /** One request, no retry: after an ADD the network works, IPv6 too. */
  async function expectReplies(from: string, addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      expect(await containerd.reaches(from, address), `${from} to ${address}`).toBe(true);
    }
  }

  test('three pods at once reach each other; two DELs of each leave nothing', async () => {
    const ids = await Promise.all(['a', 'b', 'c'].map((name) => containerd.run(name)));
    const addresses: (readonly string[])[] = [];
    for (const id of ids) addresses.push(await expectWired(id));
    expect(new Set(addresses.flat()).size).toBe(6);
    for (const id of ids) await expectReplies(id, [...GATEWAYS, ...addresses.flat()]);

    const during = await containerd.state();
    expect(during).toMatchObject({
      leases: addresses
        .flat()
        .map((address) => `pods/${address}`)
        .sort(),
      records: ids.map((id) => `attachments/${id}:eth0`).sort(),
    });
    expect(during.links).toHaveLength(before.links.length + 4);
    expect(during.netns).toHaveLength(3);

    const [first = '', ...others] = ids;
    await containerd.stop(first);
    expect(callsOf(containerd.calls(), first)).toEqual(STOPPED);
    const stopped = await containerd.state();
    expect(JSON.stringify(stopped)).not.toContain(first);
    expect(stopped.links).toHaveLength(before.links.length + 3);
    await containerd.remove(first);
    expect(callsOf(containerd.calls(), first)).toEqual(REMOVED);
    expect(await containerd.state()).toEqual(stopped);
    for (const id of others) await expectReplies(id, GATEWAYS);

    await Promise.all(others.map((id) => containerd.stop(id)));
    await Promise.all(others.map((id) => containerd.remove(id)));
    for (const id of others) expect(callsOf(containerd.calls(), id)).toEqual(REMOVED);
    expect(await containerd.pods()).toEqual([]);
    await expectOnlyBridge();
  });

  test('containerd killed and started again: its pods work on and go without trace', async () => {
    const ids = [await containerd.run('a'), await containerd.run('b')];
    const attached = await containerd.state();
    const called = containerd.calls();

    await containerd.kill();
    await containerd.start();
    expect((await containerd.pods()).sort()).toEqual([...ids].sort());
    expect(await containerd.state()).toEqual(attached);
    expect(containerd.calls()).toEqual(called);
    const addresses: (readonly string[])[] = [];
    for (const id of ids) addresses.push(await expectWired(id));
    for (const id of ids) await expectReplies(id, [...GATEWAYS, ...addresses.flat()]);

    await containerd.stop(ids[0]!);
    await containerd.kill();
    await containerd.start();
    for (const id of ids) {
      await containerd.stop(id);
      await containerd.remove(id);
    }
    expect(await containerd.pods()).toEqual([]);
    await expectOnlyBridge();
  });

  test('hostPort: from outside and from 127.0.0.1; taken while its pod lives', async () => {
    const id = await containerd.run('a', [18080, 18081]);
    await containerd.serve(id, 'a');
    for (const protocol of ['tcp', 'udp']) {
      const asked = await containerd.ask('beyond', protocol, CELL_ADDRESS, 18080);
      expect(asked).toBe('a sees 192.0.2.2');
    }
    expect(await containerd.ask('cell', 'tcp', '127.0.0.1', 18081)).toBe(`a sees ${GATEWAYS[0]}`);
    const taken = new RegExp(`\\(add\\): .*host port 18081/tcp is taken by container ${id}`);
    await expect(containerd.run('b', [18081])).rejects.toThrow(taken);

    await containerd.stop(id);
    await containerd.remove(id);
    expect(await containerd.ask('beyond', 'tcp', CELL_ADDRESS, 18080)).toBe('nobody');
    const next = await containerd.run('b', [18081]);
    await containerd.serve(next, 'b');
    expect(await containerd.ask('beyond', 'udp', CELL_ADDRESS, 18081)).toBe('b sees 192.0.2.2');
    await containerd.removeAll();
    await expectOnlyBridge();
  });

  test('a pod without an address is refused in our words, and leaves nothing', async () => {
    const ids = await Promise.all(['a', 'b', 'c'].map((name) => containerd.run(name)));
    const attached = await containerd.state();
    const called = containerd.calls().length;

    const refused = /plugin type="fairlead" failed \(add\): .*"bridge".*no IP addresses available/;
    await expect(containerd.run('d')).rejects.toThrow(refused);
    expect(await containerd.state()).toEqual(attached);
    const commands = containerd
      .calls()
      .slice(called)
      .filter(({ type }) => type === 'fairlead')
      .map(({ command }) => command);
    expect(commands).toEqual(['ADD', 'DEL']);

    await containerd.stop(ids[1]!);
    await containerd.remove(ids[1]!);
    await expectReplies(await containerd.run('d'), await expectWired(ids[0]!));
    await containerd.removeAll();
    await expectOnlyBridge();
  });
});
