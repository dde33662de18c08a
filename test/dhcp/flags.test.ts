// SPDX-License-Identifier: Apache-2.0
// What the DHCP daemon is started with, against a real server: a socket of systemd, a prefix of all
// paths, answers by broadcast, a file with its process number.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { missingPackage, needsNative } from '../support/needs.ts';
import { addressOf, Net, until } from './net.ts';

const RANGE = '10.9.1.1,10.9.1.250,255.255.0.0,2m';
const why = needsNative || missingPackage(new Map([['dnsmasq', 'dnsmasq-base']]));

let net: Net;
afterEach(async () => net?.close());

const serverLog = (): string => readFileSync(join(net.dir, 'dnsmasq.log'), 'utf8');

describe.skipIf(why !== '')(`flags of the daemon, real kernel ${why}`, () => {
  test('a socket of systemd takes the place of -socketpath, and stays when it ends', async () => {
    net = new Net(1);
    await net.serve(RANGE);
    await net.activated(['-socketpath', join(net.dir, 'another.sock')]);
    const result = await net.add('pod0');
    expect(addressOf(result)).toMatch(/^10\.9\.1\./);
    expect(existsSync(join(net.dir, 'another.sock'))).toBe(false);
    expect(await net.stopDaemon()).toBe(0);
    expect(existsSync(net.socket)).toBe(true);
    // The next one that systemd starts knows the lease.
    const asked = net.served('DHCPREQUEST');
    net.log = '';
    await net.activated(['-socketpath', join(net.dir, 'another.sock')]);
    expect(await net.add('pod0')).toEqual(result);
    expect(net.served('DHCPREQUEST')).toBe(asked);
    await net.del('pod0');
  });

  test('-hostprefix stands before the paths of socket, state and namespaces', async () => {
    net = new Net(1);
    await net.serve(RANGE);
    const prefix = join(net.dir, 'host');
    mkdirSync(join(prefix, 'run'), { recursive: true });
    symlinkSync('/run/netns', join(prefix, 'run/netns'));
    const at = join(prefix, 's/dhcp.sock');
    await net.daemon(['-hostprefix', prefix, '-socketpath', '/s/dhcp.sock'], undefined, at);
    const config = net.config({ daemonSocketPath: at });
    expect(addressOf(await net.add('pod0', config))).toMatch(/^10\.9\.1\./);
    const kept = readdirSync(join(prefix, net.dir, 'state/dhcp'), { recursive: true });
    expect(kept.filter((name) => /\/[0-9a-f]{32}$/.test(String(name)))).toHaveLength(1);
    expect(existsSync(join(net.dir, 'state/dhcp'))).toBe(false);
    await net.del('pod0', config);
    await until('the lease is back', () => net.leases().size === 0);
  });

  test('-broadcast: the server answers everybody; without it the pod alone', async () => {
    net = new Net(2);
    await net.serve(RANGE);
    await net.daemon();
    await net.add('pod0');
    expect(serverLog()).not.toContain('broadcast response');
    await net.stopDaemon();
    await net.daemon(['-broadcast']);
    await net.add('pod1');
    expect(serverLog()).toContain('broadcast response');
  });

  test('-pidfile has the number of its process while it runs', async () => {
    net = new Net(1);
    const pidfile = join(net.dir, 'pid');
    await net.daemon(['-pidfile', pidfile]);
    await until('it is written', () => existsSync(pidfile));
    expect(Number(readFileSync(pidfile, 'utf8'))).toBe(net.daemonPid);
    await net.stopDaemon();
    expect(existsSync(pidfile)).toBe(false);
  });
});
