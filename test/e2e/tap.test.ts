// SPDX-License-Identifier: Apache-2.0
// A process that opens the tap of a pod, as a virtual machine does, and answers the pod: by ARP and
// ICMP, straight or by way of a bridge in the pod, and as the user that the tap was made for.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Attached, addChain, chain, type Plugin } from '../support/chain.ts';
import { needsRoot } from '../support/needs.ts';
import { type NamedWorld, openWorld } from '../support/world.ts';
import { inNetns } from './packets.ts';

const SOURCE = fileURLToPath(new URL('tapper.c', import.meta.url));
const BEFORE = 'netns host\nnetns pod\nlink br0 kind bridge up\naddr 10.1.3.1/24 dev br0\n';
const USER = '64107';
const ipam = { type: 'static', addresses: [{ address: '10.1.2.3/24' }] };

let world: NamedWorld;
let folder = '';
let machine: ChildProcess | undefined;

const attached = (more: Readonly<Record<string, unknown>>): Attached => {
  const plugin: Plugin = { type: 'tap', ...more };
  return { pod: 'pod', ifname: 'eth0', plugins: [plugin] };
};
/** Starts a machine behind the tap; what it said first, or how it ended. */
async function boot(...words: string[]): Promise<string> {
  const [program = '', ...args] = [
    'ip',
    ...inNetns(world, 'pod', join(folder, 'tapper'), ...words),
  ];
  const started = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  machine = started;
  const said = once(started.stdout, 'data').then(([text]) => String(text).trim());
  const failed = once(started.stderr, 'data').then(([text]) => String(text).trim());
  return await Promise.race([said, failed]);
}
const reaches = (address: string): boolean => {
  const words = ['ping', '-c', '1', '-w', '10', address];
  return spawnSync('ip', inNetns(world, 'pod', ...words)).status === 0;
};

describe.skipIf(needsRoot !== '')(`packets of taps ${needsRoot}`.trimEnd(), () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-tap-'));
    execFileSync('gcc', ['-O1', '-Wno-stringop-truncation', '-o', join(folder, 'tapper'), SOURCE]);
  });
  afterEach(async () => {
    if (machine?.exitCode === null && machine.kill()) await once(machine, 'exit');
    machine = undefined;
    world?.close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the machine answers the pod, and the tap stays when it ends', async () => {
    world = openWorld(BEFORE);
    const at = attached({ ipam });
    const result = addChain(world, 'one by one', at);
    expect(await boot('eth0', '10.1.2.9')).toBe('ready');
    expect(reaches('10.1.2.9')).toBe(true);
    machine?.kill();
    chain(world, 'CHECK', 'one by one', at, result);
    chain(world, 'DEL', 'one by one', at, result);
    expect(await boot('eth0', '10.1.2.9', USER)).toContain('not permitted');
  });

  test('a machine on a bridge in the pod', async () => {
    world = openWorld(BEFORE);
    addChain(world, 'one by one', attached({ bridge: 'br0' }));
    expect(await boot('eth0', '10.1.3.9')).toBe('ready');
    expect(reaches('10.1.3.9')).toBe(true);
  });

  test('several queues, for a user', async () => {
    world = openWorld(BEFORE);
    addChain(world, 'one by one', attached({ multiQueue: true, owner: Number(USER), ipam }));
    expect(await boot('eth0', '10.1.2.9', '64108', 'queues')).toContain('not permitted');
    expect(await boot('eth0', '10.1.2.9', USER, 'queues')).toBe('ready');
    expect(reaches('10.1.2.9')).toBe(true);
  });
});
