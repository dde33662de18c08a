// SPDX-License-Identifier: Apache-2.0
// Leases of both families over the links of each main type that reaches a server: macvlan, ipvlan,
// vlan, a device of the host, and a bridge with an uplink in a VLAN. A tap reaches what the process
// behind it answers.
import { afterEach, describe, expect, test } from 'vitest';
import { kernelLacks, missingPackage, needsNative } from '../support/needs.ts';
import { Net, type Result, until } from './net.ts';

const why = needsNative || missingPackage(new Map([['dnsmasq', 'dnsmasq-base']]));

let net: Net;
afterEach(async () => net?.close());

interface Row {
  readonly type: string;
  /** As the fixtures say what a kernel must have. */
  readonly needs: readonly string[];
  /** What the configuration says beside. */
  readonly keys: object;
  /** Made in the host's namespace, where `up0` leads to the server. */
  readonly links: readonly string[];
  /** The server's addresses where the interface's frames come to. */
  readonly server: { readonly link: string; readonly v4: string; readonly v6: string };
}

const ON_BRIDGE = { link: 'br0', v4: '10.9.0', v6: 'fd09' };
const IN_VLAN = { link: 'br0.5', v4: '10.8.0', v6: 'fd08' };
/** The server's end of VLAN 5. */
const VLAN_LINKS = [
  'link add br0.5 link br0 type vlan id 5',
  'addr add 10.8.0.1/24 dev br0.5',
  'addr add fd08::1/64 dev br0.5 nodad',
  'link set br0.5 up',
];
const ROWS: readonly Row[] = [
  {
    type: 'macvlan',
    needs: ['link macvlan'],
    keys: { master: 'up0' },
    links: [],
    server: ON_BRIDGE,
  },
  {
    type: 'host-device',
    needs: ['link veth'],
    keys: { device: 'up0' },
    links: [],
    server: ON_BRIDGE,
  },
  {
    type: 'ipvlan',
    needs: ['link ipvlan'],
    keys: { master: 'up0' },
    links: [],
    server: ON_BRIDGE,
  },
  {
    type: 'vlan',
    needs: ['link vlan id 5'],
    keys: { master: 'up0', vlanId: 5 },
    links: VLAN_LINKS,
    server: IN_VLAN,
  },
  {
    // Its uplink lets the VLAN pass before the server is asked.
    type: 'bridge',
    needs: ['link bridge vlan_filtering 1', 'link vlan id 5'],
    keys: { bridge: 'br5', vlan: 5, uplinkInterface: 'up0' },
    links: [
      'link add br5 type bridge vlan_filtering 1',
      'link set up0 master br5',
      'link set br5 up',
      ...VLAN_LINKS,
    ],
    server: IN_VLAN,
  },
];

/** An address of the pod's own family as its kernel has it. */
const addresses = (): string => net.inPod('pod0', 'ip', '-br', 'addr', 'show', 'dev', 'eth0');

describe.skipIf(why !== '')(`types with dhcp, real kernel ${why}`.trimEnd(), () => {
  for (const { type, needs, keys, links, server } of ROWS) {
    const lacks = kernelLacks(needs);
    test.skipIf(lacks !== '')(`${type} ${lacks}`.trimEnd(), async () => {
      net = new Net(1, false);
      net.make(
        'link add up0 type veth peer name up1',
        'link set up1 master br0 up',
        'link set up0 up',
        ...links,
      );
      const { link, v4, v6 } = server;
      await net.serve(
        `${v4}.100,${v4}.199,2m`,
        `--dhcp-range=${v6}::100,${v6}::1ff,64,2m`,
        `--interface=${link}`,
      );
      await net.daemon();
      const config = net.config({ family: 'both' }, { type, ...keys });
      const { code, stdout } = await net.call('ADD', 'pod0', config, net.program(type));
      expect(code, stdout).toBe(0);
      const { ips } = JSON.parse(stdout) as Result;
      expect(ips.map(({ address }) => address.replace(/1..\/\d+$/, ''))).toEqual([
        `${v4}.`,
        `${v6}::`,
      ]);
      for (const { address } of ips) expect(addresses()).toContain(address);
      net.inPod('pod0', 'ping', '-c', '1', '-w', '20', `${v4}.1`);
      const prev = { ...config, prevResult: JSON.parse(stdout) };
      expect(await net.call('CHECK', 'pod0', prev, net.program(type))).toEqual({
        code: 0,
        stdout: '',
      });
      await net.del('pod0', config, net.program(type));
      await until('both leases are back', () => net.leases().size === 0);
    });
  }
});
