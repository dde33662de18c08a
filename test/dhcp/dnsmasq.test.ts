// SPDX-License-Identifier: Apache-2.0
// The DHCP daemon and plugin against a real server, and beside the reference's: pods by the
// hundred, a server that dies and comes back, runs out, refuses; addresses that somebody has.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { missingPackage, needsNative, needsReference } from '../support/needs.ts';
import { REFERENCE_DIR } from '../support/world.ts';
import { addressOf, Net, SERVER, until } from './net.ts';

const RANGE = '10.9.1.1,10.9.4.250,255.255.0.0,2m';
const REFERENCE = `${REFERENCE_DIR}/dhcp`;
/** dnsmasq gives no lease under two minutes. */
const SERVERS = new Map([
  ['dnsmasq', 'dnsmasq-base'],
  ['busybox', 'busybox-static'],
]);
const why = needsNative || missingPackage(SERVERS);

let net: Net;
afterEach(async () => net?.close());

const stateFiles = (): string[] =>
  readdirSync(join(net.dir, 'state/dhcp'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/[0-9a-f]{32}$/.test(name),
  );
const isUp = (pod: string): boolean =>
  / state (UP|UNKNOWN) /.test(net.inPod(pod, 'ip', 'link', 'show', 'eth0'));

describe.skipIf(why !== '')(`dnsmasq, real kernel ${why}`, () => {
  test('a hundred pods at once have an address each, over a restart', async () => {
    net = new Net(100);
    await net.serve(RANGE, `--dhcp-option=option:router,${SERVER}`, '--dhcp-option=6,10.9.0.53');
    await net.daemon();
    const wanted = net.config({ request: [{ option: '6' }] });
    const results = await Promise.all(net.lab.pods.map((pod) => net.add(pod, wanted)));
    const addresses = results.map(addressOf);
    expect(new Set(addresses).size).toBe(100);
    expect(results[0]).toEqual({
      cniVersion: '1.0.0',
      ips: [{ address: `${addresses[0]}/16`, gateway: SERVER }],
      routes: [{ dst: '0.0.0.0/0', gw: SERVER }],
      dns: { nameservers: ['10.9.0.53'] },
    });
    await until('the server has written', () => net.leases().size === 100);
    const id = Buffer.from('\0pod0/net/eth0')
      .toString('hex')
      .replaceAll(/..(?!$)/g, '$&:');
    expect(net.leases().get(addresses[0]!)).toBe(id);
    const asked = net.served('DHCPREQUEST');
    expect(await net.stopDaemon()).toBe(0);
    expect(stateFiles()).toHaveLength(100);
    await net.daemon();
    const again = await Promise.all(net.lab.pods.map((pod) => net.add(pod, wanted)));
    expect(again).toEqual(results);
    expect(net.served('DHCPREQUEST')).toBe(asked);
    await Promise.all(net.lab.pods.map((pod) => net.del(pod)));
    await until('all leases are back', () => net.leases().size === 0);
    expect(stateFiles()).toEqual([]);
  });

  test('a pod of bridge reaches the server with the address it was given', async () => {
    net = new Net(1, false);
    await net.serve(RANGE, `--dhcp-option=option:router,${SERVER}`, '--dhcp-option=26,1400');
    await net.daemon();
    const config = net.config({ request: [{ option: '26' }] });
    const { code, stdout } = await net.call('ADD', 'pod0', config, net.program('bridge'));
    expect(code, stdout).toBe(0);
    net.inPod('pod0', 'ping', '-c', '1', '-w', '10', SERVER);
    expect(net.inPod('pod0', 'ip', 'route')).toContain(`default via ${SERVER} dev eth0`);
    expect(net.inPod('pod0', 'ip', 'link', 'show', 'eth0')).toContain('mtu 1400');
    const prev = { ...config, prevResult: JSON.parse(stdout) };
    const checked = await net.call('CHECK', 'pod0', prev, net.program('bridge'));
    expect(checked).toEqual({ code: 0, stdout: '' });
    await net.del('pod0', config, net.program('bridge'));
    await until('the lease is back', () => net.leases().size === 0);
  });

  test('a lease is renewed, of a server that comes back too', async () => {
    net = new Net(1);
    await net.serveBriefly('10.9.1.1', '10.9.1.50', 12);
    await net.daemon();
    const ack = `ACK to ${addressOf(await net.add('pod0'))}\n`;
    const acks = (): number => net.said.split(ack).length - 1;
    await until('it is renewed', () => acks() === 2);
    await net.stopServer();
    await until('nobody answers', () => /does not answer/.test(net.log));
    await net.serveBriefly('10.9.1.1', '10.9.1.50', 12);
    await until('it is renewed again', () => acks() === 3);
    expect(isUp('pod0')).toBe(true);
  });

  test('a lease that no server renews is over: the pod is taken off', async () => {
    net = new Net(1);
    await net.serveBriefly('10.9.1.1', '10.9.1.50', 4);
    await net.daemon();
    await net.add('pod0');
    expect(isUp('pod0')).toBe(true);
    await net.stopServer();
    await until('the interface is down', () => !isUp('pod0'));
    await until('it is said', () => net.log.includes('no server renewed it: "eth0" is set down'));
    expect(stateFiles()).toEqual([]);
    await net.del('pod0');
  });

  test('a server that refuses a renewal, and gives another address, ends the lease', async () => {
    net = new Net(1);
    await net.serve(RANGE);
    await net.daemon();
    const address = addressOf(await net.add('pod0'));
    await net.stopServer();
    await net.stopDaemon();
    writeFileSync(join(net.dir, 'leases'), '');
    await net.serve('10.9.8.1,10.9.8.250,255.255.0.0,2m', '--dhcp-authoritative');
    // As if half of the lease's time had gone.
    const [file = ''] = stateFiles().map((name) => join(net.dir, 'state/dhcp', name));
    const lease = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...lease, obtained_ms: lease.obtained_ms - 61_000 }));
    await net.daemon();
    await until('it is refused', () => net.log.includes(`refuses ${address}`));
    await until('the interface is down', () => !isUp('pod0'));
    await until('it is said', () => net.log.includes(`the lease of ${address} is over`));
    expect(net.log).toContain(`and the pod has ${address}`);
  });

  test('a pool that runs out fails the ADD, until an address is back', async () => {
    net = new Net(3);
    await net.serve('10.9.1.1,10.9.1.2,255.255.0.0,2m');
    await net.daemon(['-resendtimeout', '3s']);
    await Promise.all([net.add('pod0'), net.add('pod1')]);
    const { code, stdout } = await net.call('ADD', 'pod2');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
    expect(JSON.parse(stdout).msg).toContain('no more tries for a lease on "eth0" after 3 s');
    expect(stateFiles()).toHaveLength(2);
    await net.del('pod0');
    expect(addressOf(await net.add('pod2'))).toMatch(/^10\.9\.1\.[12]$/);
  });

  test('an address that somebody has is declined', async () => {
    net = new Net(2);
    await net.serve('10.9.1.1,10.9.1.2,255.255.0.0,2m', '--dhcp-sequential-ip');
    net.inPod('pod1', 'ip', 'addr', 'add', '10.9.1.1/16', 'dev', 'eth0');
    net.inPod('pod1', 'ip', 'link', 'set', 'eth0', 'up');
    await net.daemon();
    expect(addressOf(await net.add('pod0'))).toBe('10.9.1.2');
    expect(net.served('DHCPDECLINE', '10.9.1.1')).toBe(1);
    expect(net.log).toContain('somebody has 10.9.1.1 already');
  });

  test('a server that is away at DEL is told when it is back', async () => {
    net = new Net(2);
    await net.serve(RANGE);
    await net.daemon();
    await Promise.all([net.add('pod0'), net.add('pod1')]);
    await net.stopServer();
    await net.del('pod0');
    net.lab.ip('netns', 'del', `${net.lab.prefix}pod0`);
    net.lab.ip('netns', 'add', `${net.lab.prefix}pod0`);
    await net.stopDaemon();
    net.lab.ip('netns', 'del', `${net.lab.prefix}pod1`);
    net.lab.ip('netns', 'add', `${net.lab.prefix}pod1`);
    await net.serve(RANGE);
    expect(net.leases().size).toBe(2);
    await net.daemon();
    await until('both leases are back', () => net.leases().size === 0, 30_000);
    await until('nothing is owed', () => stateFiles().length === 0);
  });

  test('a daemon that is killed leaves its socket, which the next one takes', async () => {
    net = new Net(1);
    await net.serve(RANGE);
    await net.daemon();
    const result = await net.add('pod0');
    const pid = net.daemonPid;
    await net.stopDaemon('SIGKILL');
    expect(pid).toBeGreaterThan(0);
    await net.daemon();
    await until('it listens', () => net.log.split('listening on').length === 3);
    expect(await net.add('pod0')).toEqual(result);
    const first = net.log;
    await net.daemon();
    await until('a second one ends', () => net.daemonCode !== null);
    expect(net.daemonCode).toBe(1);
    expect(net.log.slice(first.length)).toContain('another daemon has the leases of');
  });

  describe.skipIf(needsReference !== '')(`the reference ${needsReference}`, () => {
    test('its plugin with our daemon', async () => {
      net = new Net(2);
      await net.serve(RANGE, `--dhcp-option=option:router,${SERVER}`);
      await net.daemon(['-resendtimeout', '3s']);
      const result = await net.add('pod0', undefined, REFERENCE);
      expect(result).toMatchObject({ routes: [{ dst: '0.0.0.0/0', gw: SERVER }] });
      // The same lease, whoever asks.
      expect(addressOf(await net.add('pod0'))).toBe(addressOf(result));
      await net.del('pod0', undefined, REFERENCE);
      await until('the lease is back', () => net.leases().size === 0);
      await net.stopServer();
      const failed = await net.call('ADD', 'pod1', undefined, REFERENCE);
      expect(JSON.parse(failed.stdout).msg).toContain('no more tries');
    });

    test('our plugin with its daemon', async () => {
      net = new Net(1);
      await net.serve(RANGE, `--dhcp-option=option:router,${SERVER}`);
      await net.daemon([], [REFERENCE]);
      const result = await net.add('pod0');
      expect(result).toMatchObject({ routes: [{ dst: '0.0.0.0/0', gw: SERVER }] });
      expect((await net.call('CHECK', 'pod0', { ...net.config(), prevResult: result })).code).toBe(
        0,
      );
      await net.del('pod0');
      await until('the lease is back', () => net.leases().size === 0);
    });
  });
});
