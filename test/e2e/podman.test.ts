// SPDX-License-Identifier: Apache-2.0
// A real client: podman attaches containers by our bridge and host-local. Each test asserts what
// the kernel, the lease files and podman hold, and in the end that nothing is left. It refuses to
// look at the calls between podman and the plugins: those are the fixtures' concern.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NATIVE, NODE } from '../support/hosts.ts';
import { CELL_ADDRESS } from './packets.ts';
import { needsPodman, Podman } from './podman.ts';
import type { State } from './state.ts';

const BRIDGE = 'flpod0';
const GATEWAYS = ['10.91.0.1', 'fd91::1'];
const MAC = '02:11:22:33:44:66';

function networkOf(name: string, cniVersion: string, bridge: string, subnets: string[][]) {
  const ranges = subnets.map(([subnet, gateway]) => [{ subnet, gateway }]);
  const routes = subnets.map(([subnet]) => ({ dst: subnet!.includes(':') ? '::/0' : '0.0.0.0/0' }));
  const ipam = { type: 'host-local', ranges, routes };
  const plugin = { type: 'bridge', bridge, isGateway: true, hairpinMode: true };
  return { cniVersion, name, plugins: [{ ...plugin, capabilities: { ips: true }, ipam }] };
}

const cases = [
  { cniVersion: '0.4.0', ...NODE },
  { cniVersion: '1.0.0', ...NATIVE },
];

describe.skipIf(needsPodman !== '').each(cases.filter(({ why }) => why === ''))(
  `podman with a configuration of CNI $cniVersion, $host ${needsPodman}`,
  ({ cniVersion, program }) => {
    let podman: Podman;
    let before: State;

    beforeAll(async () => {
      const networks = [
        networkOf('dual', cniVersion, BRIDGE, [
          ['10.91.0.0/24', GATEWAYS[0]!],
          ['fd91::/64', GATEWAYS[1]!],
        ]),
        networkOf('side', cniVersion, 'flpod1', [['10.92.0.0/24', '10.92.0.1']]),
      ];
      podman = await Podman.open(networks, program);
      before = await podman.state();
    });
    afterEach(() => podman.removeAll());
    afterAll(() => podman?.close());

    /** The bridge stays by design: other containers may be about to join it. */
    async function expectOnlyBridges(...bridges: string[]): Promise<void> {
      expect(await podman.state()).toEqual({
        ...before,
        links: [...before.links, ...bridges].sort(),
      });
      for (const bridge of bridges) await podman.removeLink(bridge);
      expect(await podman.state()).toEqual(before);
    }

    /** One request, no retry: after an ADD the network works, IPv6 too. */
    async function expectReply(from: string, address: string): Promise<void> {
      expect(await podman.reaches(from, address), `${from} to ${address}`).toBe(true);
    }

    test('two containers reach each other and the gateway, and leave nothing', async () => {
      await podman.start('a', '--network=dual');
      await podman.start('b', '--network=dual');
      const addresses = { a: ['10.91.0.2', 'fd91::2'], b: ['10.91.0.3', 'fd91::3'] };

      for (const name of ['a', 'b'] as const) {
        const [v4, v6] = addresses[name];
        const eth0 = await podman.interface(name, 'eth0');
        expect(eth0?.addresses).toEqual([`${v4}/24`, `${v6}/64`]);
        expect(await podman.defaultGateways(name)).toEqual(GATEWAYS);
        expect(await podman.view(name, 'dual')).toMatchObject({
          IPAddress: v4,
          IPPrefixLen: 24,
          Gateway: GATEWAYS[0],
          GlobalIPv6Address: v6,
          GlobalIPv6PrefixLen: 64,
          IPv6Gateway: GATEWAYS[1],
          MacAddress: eth0?.mac,
        });
        const peers = addresses[name === 'a' ? 'b' : 'a'];
        for (const address of [...GATEWAYS, ...peers]) await expectReply(name, address);
      }
      const during = await podman.state();
      expect(during.leases).toEqual(
        Object.values(addresses)
          .flat()
          .map((ip) => `dual/${ip}`)
          .sort(),
      );
      expect(during.links).toHaveLength(before.links.length + 3);
      expect(await podman.lease('dual', '10.91.0.2')).toBe(`${await podman.id('a')}\r\neth0`);

      await podman.remove('a');
      expect((await podman.state()).leases).toEqual(['dual/10.91.0.3', 'dual/fd91::3']);
      await expectReply('b', GATEWAYS[0]!);
      await podman.remove('b');
      await expectOnlyBridges(BRIDGE);
    });

    test('--ip, --ip6 and --mac-address hold, over a reload and a restart too', async () => {
      await podman.start('one', '--network=dual', '--ip=10.91.0.60', `--mac-address=${MAC}`);
      await podman.start('two', '--network=dual', '--ip=10.91.0.61', '--ip6=fd91::61');

      const one = { mac: MAC, mtu_bytes: 1500, addresses: ['10.91.0.60/24', expect.any(String)] };
      const two = { addresses: ['10.91.0.61/24', 'fd91::61/64'] };
      expect(await podman.interface('one', 'eth0')).toEqual(one);
      expect(await podman.interface('two', 'eth0')).toMatchObject(two);

      const reloaded = await podman.interface('one', 'eth0');
      await podman.run('network', 'reload', 'one', 'two');
      expect(await podman.interface('one', 'eth0')).toEqual(reloaded);
      expect(await podman.interface('two', 'eth0')).toMatchObject(two);

      await podman.run('restart', 'one', 'two');
      expect(await podman.interface('one', 'eth0')).toEqual(one);
      expect(await podman.interface('two', 'eth0')).toMatchObject(two);
      await expectReply('one', 'fd91::61');

      await podman.remove('one', 'two');
      await expectOnlyBridges(BRIDGE);
    });

    test('a running container joins a second network and leaves it', async () => {
      await podman.start('a', '--network=dual');
      const attached = await podman.state();

      await podman.run('network', 'connect', 'side', 'a');
      expect((await podman.interface('a', 'eth1'))?.addresses).toEqual(['10.92.0.2/24']);
      await expectReply('a', '10.92.0.1');

      await podman.run('network', 'disconnect', 'side', 'a');
      expect(await podman.interface('a', 'eth1')).toBeUndefined();
      const left = [...attached.links, 'flpod1'].sort();
      expect(await podman.state()).toEqual({ ...attached, links: left });
      await expectReply('a', GATEWAYS[0]!);

      await podman.remove('a');
      await expectOnlyBridges(BRIDGE, 'flpod1');
    });

    test('an address in use is refused by name and leaves nothing', async () => {
      await podman.start('a', '--network=dual', '--ip=10.91.0.60');
      const attached = await podman.state();

      const again = podman.start('b', '--network=dual', '--ip=10.91.0.60');
      await expect(again).rejects.toThrow('requested IP address 10.91.0.60 is not available');
      await podman.remove('b');
      expect(await podman.state()).toEqual(attached);

      await podman.remove('a');
      await expectOnlyBridges(BRIDGE);
    });

    test('fairlead reads the results that podman keeps, and podman goes on with ours', async () => {
      await podman.start('a', '--network=dual');
      await podman.start('b', '--network=dual');
      const id = await podman.id('a');
      const netns = await podman.run('inspect', '--format', '{{.NetworkSettings.SandboxKey}}', 'a');
      const of = ['dual', netns.trim(), '--container-id', id];
      expect(await podman.fairlead('check', ...of)).toContain('as it was attached');
      expect(await podman.fairlead('gc', 'dual')).toBe(
        'network dual: 0 attachments removed, 2 valid',
      );
      await podman.fairlead('del', ...of);
      expect((await podman.state()).cache).toHaveLength(1);
      expect((await podman.state()).leases).toHaveLength(2);
      await podman.fairlead('add', ...of);
      expect((await podman.state()).cache).toHaveLength(2);
      await podman.remove('a');
      expect((await podman.state()).leases).toHaveLength(2);
      await podman.remove('b');
      await expectOnlyBridges(BRIDGE);
    });
  },
);

/** A list as it is written, and as `fuse --first-apart` makes it. */
const FORMS = ['as written', 'fused behind the bridge'];

describe.skipIf(needsPodman !== '').each(FORMS)(
  `podman run --publish, %s ${needsPodman}`,
  (form) => {
    let podman: Podman;
    beforeAll(async () => {
      const [bridge] = networkOf('ports', '1.0.0', BRIDGE, [['10.91.0.0/24', '10.91.0.1']]).plugins;
      const rest = [
        { type: 'portmap', capabilities: { portMappings: true } },
        { type: 'tuning', sysctl: { 'net.core.somaxconn': '512' } },
      ];
      const fused = { type: 'fairlead', capabilities: { portMappings: true }, plugins: rest };
      const plugins = [{ ...bridge, ipMasq: true }, ...(form === FORMS[0] ? rest : [fused])];
      const network = { cniVersion: '1.0.0', name: 'ports', plugins };
      podman = await Podman.open([network], NODE.program);
      await podman.makeBeyond();
    });
    afterEach(() => podman.removeAll());
    afterAll(() => podman?.close());

    test('ports lead to the container from outside and from 127.0.0.1, until it goes', async () => {
      const before = await podman.state();
      const ports = ['18080:80', '18080:80/udp', `${CELL_ADDRESS}:18081:80`];
      await podman.start('web', '--network=ports', ...ports.map((port) => `--publish=${port}`));
      await podman.serve('web');
      expect(await podman.ask('beyond', 'tcp', CELL_ADDRESS, 18080)).toBe('web sees 192.0.2.2');
      expect(await podman.ask('beyond', 'udp', CELL_ADDRESS, 18080)).toBe('web sees 192.0.2.2');
      expect(await podman.ask('beyond', 'tcp', CELL_ADDRESS, 18081)).toBe('web sees 192.0.2.2');
      expect(await podman.ask('cell', 'tcp', '127.0.0.1', 18080)).toBe('web sees 10.91.0.1');

      await podman.remove('web');
      expect(await podman.ask('beyond', 'tcp', CELL_ADDRESS, 18080)).toBe('nobody');
      await podman.removeLink(BRIDGE);
      expect(await podman.state()).toEqual(before);
    });

    test('with an address of its own, which podman passes to the first plugin alone', async () => {
      await podman.start('own', '--network=ports', '--ip=10.91.0.77', '--publish=18080:80');
      await podman.serve('own');
      expect((await podman.interface('own', 'eth0'))?.addresses).toEqual(['10.91.0.77/24']);
      expect(await podman.ask('beyond', 'tcp', CELL_ADDRESS, 18080)).toBe('own sees 192.0.2.2');
      await podman.remove('own');
      expect(await podman.ask('beyond', 'tcp', CELL_ADDRESS, 18080)).toBe('nobody');
    });

    test('a range of ports, and a restart', async () => {
      await podman.start('many', '--network=ports', '--publish=18090-18092:80-82');
      await podman.run('restart', 'many');
      await podman.serve('many');
      expect(await podman.ask('beyond', 'tcp', CELL_ADDRESS, 18090)).toBe('many sees 192.0.2.2');
      expect(await podman.ask('beyond', 'tcp', CELL_ADDRESS, 18091)).toBe('nobody');
    });
  },
);
