// SPDX-License-Identifier: Apache-2.0
// DHCPv6 of the daemon and plugin against a real server: pods together, a restart, renewal, the
// end, a pool that runs out, addresses that somebody has, and where the default route comes from.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { missingPackage, needsNative, needsReference } from '../support/needs.ts';
import { REFERENCE_DIR } from '../support/world.ts';
import { addressOf, Net, SERVER, SERVER6, until } from './net.ts';

const RANGE = 'fd09::100,fd09::1ff,64,2m';
/** dnsmasq gives no lease under two minutes, which are renewed after one. */
const OVER_T1_MS = 61_000;
const OVER_T2_MS = 106_000;
const OVER_MS = 118_500;
const why = needsNative || missingPackage(new Map([['dnsmasq', 'dnsmasq-base']]));
const IPV6 = { family: 'ipv6' };

let net: Net;
afterEach(async () => net?.close());

const stateFiles = (): string[] =>
  readdirSync(join(net.dir, 'state/dhcp'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/[0-9a-f]{32}$/.test(name),
  );
interface Kept {
  readonly obtained_ms: number;
}
const keptPath = (): string => join(net.dir, 'state/dhcp', stateFiles()[0] ?? '');
const kept = (): Kept => JSON.parse(readFileSync(keptPath(), 'utf8'));
/** Stops the daemon, and makes the one lease so much older; says since when it is, then. */
async function aged(age_ms: number): Promise<number> {
  await net.stopDaemon();
  const obtained_ms = kept().obtained_ms - age_ms;
  writeFileSync(keptPath(), JSON.stringify({ ...kept(), obtained_ms }));
  return obtained_ms;
}
const addresses = (pod: string): string =>
  net.inPod(pod, 'ip', '-6', '-br', 'addr', 'show', 'dev', 'eth0', 'scope', 'global');

describe.skipIf(why !== '')(`dnsmasq, real kernel ${why}`, () => {
  test('forty pods at once have an address each, over a restart that asks the server', async () => {
    net = new Net(40);
    await net.serve(RANGE, '--dhcp-option=option6:dns-server,[fd09::53]');
    await net.daemon();
    const config = net.config(IPV6);
    const results = await Promise.all(net.lab.pods.map((pod) => net.add(pod, config)));
    const given = results.map(addressOf);
    expect(new Set(given).size).toBe(40);
    expect(results[0]).toEqual({
      cniVersion: '1.0.0',
      ips: [{ address: `${given[0]}/128` }],
      dns: { nameservers: ['fd09::53'] },
    });
    await until('the server has written', () => net.leases().size === 40);
    const names = new Set(net.leases().values());
    expect(names.size).toBe(40);
    const asked = net.served('DHCPSOLICIT');
    expect(await net.stopDaemon('SIGKILL')).toBe(null);
    await net.daemon();
    await until('all are confirmed', () => net.served('DHCPCONFIRM') === 40);
    const again = await Promise.all(net.lab.pods.map((pod) => net.add(pod, config)));
    expect(again).toEqual(results);
    expect(net.served('DHCPSOLICIT')).toBe(asked);
    await Promise.all(net.lab.pods.map((pod) => net.del(pod, config)));
    await until('all leases are back', () => net.leases().size === 0);
    expect(stateFiles()).toEqual([]);
    // The name of a client is that of what it asks for: the server knows it again.
    await net.add('pod0', config);
    await until('the server has written', () => net.leases().size === 1);
    expect(names).toContain([...net.leases().values()][0]);
  });

  test('a pod of bridge has both families, and its IPv6 default route of a router', async () => {
    net = new Net(1, false);
    await net.serve(RANGE, '--dhcp-range=10.9.1.1,10.9.1.50,255.255.0.0,2m', '--enable-ra');
    await net.daemon();
    const config = net.config({ family: 'both' });
    const { code, stdout } = await net.call('ADD', 'pod0', config, net.program('bridge'));
    expect(code, stdout).toBe(0);
    const { ips } = JSON.parse(stdout);
    expect(ips).toMatchObject([
      { address: expect.stringMatching(/^10\.9\.1\./) },
      { address: expect.stringMatching(/^fd09::1..\/128$/) },
    ]);
    const [, { address }] = ips;
    expect(addresses('pod0')).toContain(address);
    const route = (): string => net.inPod('pod0', 'ip', '-6', 'route', 'show', 'default');
    await until('the router is heard', () => / proto ra /.test(route()));
    net.inPod('pod0', 'ping', '-c', '1', '-w', '10', '-I', address.split('/')[0], SERVER6);
    net.inPod('pod0', 'ping', '-c', '1', '-w', '10', SERVER);
    const prev = { ...config, prevResult: JSON.parse(stdout) };
    const checked = await net.call('CHECK', 'pod0', prev, net.program('bridge'));
    expect(checked).toEqual({ code: 0, stdout: '' });
    await net.del('pod0', config, net.program('bridge'));
    await until('both leases are back', () => net.leases().size === 0);
  });

  test('a lease is renewed of its server, then of any, and over when there is none', async () => {
    net = new Net(1);
    await net.serve(RANGE);
    await net.daemon();
    const address = addressOf(await net.add('pod0', net.config(IPV6)));
    net.inPod('pod0', 'ip', 'addr', 'add', `${address}/128`, 'dev', 'eth0', 'nodad');
    const renewed_ms = await aged(OVER_T1_MS);
    await net.daemon();
    await until('it is renewed', () => kept().obtained_ms > renewed_ms);
    expect(net.served('DHCPRENEW')).toBe(1);
    const rebound_ms = await aged(OVER_T2_MS);
    await net.daemon();
    await until('it is rebound', () => kept().obtained_ms > rebound_ms);
    expect(net.served('DHCPREBIND')).toBe(1);
    await net.stopServer();
    await aged(OVER_MS);
    expect(addresses('pod0')).toContain(address);
    await net.daemon();
    await until('the address is taken off', () => !addresses('pod0').includes(address));
    await until('it is said', () => net.log.includes(`the lease of ${address} is over`));
    expect(net.inPod('pod0', 'ip', 'link', 'show', 'eth0')).toMatch(/ state (UP|UNKNOWN) /);
    expect(stateFiles()).toEqual([]);
    await net.del('pod0', net.config(IPV6));
  });

  test('a pool that runs out fails the ADD, until an address is back', async () => {
    net = new Net(3);
    await net.serve('fd09::100,fd09::101,64,2m');
    await net.daemon(['-resendtimeout', '3s']);
    const config = net.config(IPV6);
    await Promise.all([net.add('pod0', config), net.add('pod1', config)]);
    const { code, stdout } = await net.call('ADD', 'pod2', config);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
    expect(JSON.parse(stdout).msg).toMatch(/no more tries for an IPv6 lease .*no address free/);
    expect(stateFiles()).toHaveLength(2);
    await net.del('pod0', config);
    expect(addressOf(await net.add('pod2', config))).toMatch(/^fd09::10[01]$/);
  });

  test('an address that somebody has is declined', async () => {
    net = new Net(2);
    await net.serve('fd09::100,fd09::101,64,2m');
    await net.daemon();
    const config = net.config(IPV6);
    const first = addressOf(await net.add('pod0', config));
    await net.del('pod0', config);
    net.inPod('pod1', 'ip', 'addr', 'add', `${first}/64`, 'dev', 'eth0', 'nodad');
    net.inPod('pod1', 'ip', 'link', 'set', 'eth0', 'up');
    const other = first === 'fd09::100' ? 'fd09::101' : 'fd09::100';
    expect(addressOf(await net.add('pod0', config))).toBe(other);
    expect(net.log).toContain(`somebody has ${first} already`);
    expect(net.served('DHCPDECLINE')).toBe(1);
  });

  test('a DEL waits no more than seconds for a server that is away', async () => {
    net = new Net(1);
    await net.serve(RANGE);
    await net.daemon();
    await net.add('pod0', net.config(IPV6));
    await net.stopServer();
    const begun_ms = performance.now();
    await net.del('pod0', net.config(IPV6));
    expect(performance.now() - begun_ms).toBeLessThan(8000);
    expect(net.log).toMatch(/fd09::1.. is not released, the server .* it ends by itself in 11\d s/);
    expect(stateFiles()).toEqual([]);
  });

  describe.skipIf(needsReference !== '')(`the reference ${needsReference}`, () => {
    test('its daemon knows IPv4 alone: the ADD fails and gives back what it gave', async () => {
      net = new Net(1);
      await net.serve(RANGE, '--dhcp-range=10.9.1.1,10.9.1.50,255.255.0.0,2m');
      await net.daemon([], [`${REFERENCE_DIR}/dhcp`]);
      const { code, stdout } = await net.call('ADD', 'pod0', net.config({ family: 'both' }));
      expect(code).toBe(1);
      expect(JSON.parse(stdout).msg).toContain('gives no IPv6 address');
      await until('the lease is back', () => net.leases().size === 0);
    });

    test('its plugin passes the family on to our daemon', async () => {
      net = new Net(1);
      await net.serve(RANGE);
      await net.daemon();
      const result = await net.add('pod0', net.config(IPV6), `${REFERENCE_DIR}/dhcp`);
      expect(addressOf(result)).toMatch(/^fd09::1..$/);
      await net.del('pod0', net.config(IPV6), `${REFERENCE_DIR}/dhcp`);
      await until('the lease is back', () => net.leases().size === 0);
    });
  });
});
