// SPDX-License-Identifier: Apache-2.0
// What becomes of a node's own network when forwarding is switched on, or an ADD fails that would
// have: a hardened sysctl, a router between two of its interfaces, the default route that it has
// from a real router advertisement.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { needsNative, needsRoot } from '../support/needs.ts';
import { callFor } from '../support/pod-call.ts';
import { openWorld } from '../support/world.ts';
import { inNetns } from './packets.ts';

const BEFORE = `netns host
link up0 kind veth up peer router/r0
netns router
link r0 kind veth up
netns pod
plugin /opt/cni/bin/fails 1 "{\\"cniVersion\\":\\"1.0.0\\",\\"code\\":123,\\"msg\\":\\"no\\"}"
`;
const SOURCE = fileURLToPath(new URL('advertise.c', import.meta.url));
const KEPT = [
  ...['net/ipv4/ip_forward', 'net/ipv4/conf/all/accept_redirects', 'net/ipv4/conf/up0/forwarding'],
  ...['net/ipv6/conf/all/forwarding', 'net/ipv6/conf/up0/forwarding'],
  'net/ipv6/conf/up0/accept_ra',
];
const BRIDGE = {
  type: 'bridge',
  bridge: 'br0',
  isGateway: true,
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.7.0.0/24' }], [{ subnet: 'fd07::/64' }]] },
};
const chainOf = (...plugins: object[]) => ({
  cniVersion: '1.0.0',
  name: 'net',
  type: 'fairlead',
  plugins,
});

const needs = needsRoot || needsNative;
let folder = '';
let world: ReturnType<typeof openWorld>;
const inside = (netns: string, ...words: string[]): string =>
  execFileSync('ip', inNetns(world, netns, ...words), { encoding: 'utf8' }).trim();
const sysctls = (): string =>
  inside('host', 'sysctl', ...KEPT.map((key) => key.replaceAll('/', '.')));
/** Without its lifetime, which runs. */
const defaultRoute = (): string =>
  inside('host', 'ip', '-6', 'route', 'show', 'default').replace(/ expires \S+/, '');

async function advertised(): Promise<string> {
  for (let tries = 0; tries < 50; tries++) {
    // It has no address to send from while that is tentative.
    spawnSync('ip', inNetns(world, 'router', join(folder, 'advertise'), 'r0'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (defaultRoute() !== '') return defaultRoute();
  }
  throw new Error('the kernel takes no router advertisement');
}

describe.skipIf(needs !== '')(`forwarding ${needs}`.trimEnd(), () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-advertise-'));
    execFileSync('gcc', ['-O1', '-o', join(folder, 'advertise'), SOURCE]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    world = openWorld(BEFORE);
    inside('router', 'sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1');
    inside('host', 'sysctl', '-qw', 'net.ipv6.conf.up0.accept_ra=1');
    inside('host', 'sysctl', '-qw', 'net.ipv4.conf.all.accept_redirects=0');
    inside('host', 'sysctl', '-qw', 'net.ipv4.conf.up0.forwarding=1');
  });
  afterEach(() => world.close());

  test('an ADD that fails leaves all of it, and the advertised route', async () => {
    const route = await advertised();
    const before = sysctls();
    const answer = callFor(world, 'ADD', 'pod', chainOf(BRIDGE, { type: 'fails' }));
    expect(JSON.parse(answer.stdout)).toMatchObject({ code: 123 });
    expect(sysctls()).toBe(before);
    expect(defaultRoute()).toBe(route);
  });

  test('an ADD keeps the advertised route, and lets it be renewed', async () => {
    const route = await advertised();
    const answer = callFor(world, 'ADD', 'pod', chainOf(BRIDGE));
    expect(answer.exit_code, answer.stdout).toBe(0);
    expect(sysctls()).toContain('net.ipv6.conf.all.forwarding = 1');
    expect(sysctls()).toContain('net.ipv6.conf.up0.accept_ra = 2');
    expect(defaultRoute()).toBe(route);
    inside('host', 'ip', '-6', 'route', 'flush', 'default');
    expect(await advertised()).toBe(route);
  });
});
