// SPDX-License-Identifier: Apache-2.0
// What a caller does to a call from outside: it closes its descriptors, does not take its result,
// ends it by a signal or lets it write nothing. An ADD is whole all the same, or leaves nothing.
// Namespaces and leases are the test's own.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgetLeases } from '../../scripts/sandbox.mjs';
import { HOSTS, NATIVE } from '../support/hosts.ts';
import { Lab } from '../support/lab.ts';
import { needsRoot } from '../support/needs.ts';

const hosts = HOSTS.filter(({ why }) => why === '');

describe.skipIf(needsRoot !== '').each(hosts)(`$host ${needsRoot}`, (one) => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-whole-'));
  const bridge = join(folder, 'bridge');
  const leases = join(folder, 'leases/whole');
  const config = {
    cniVersion: '1.0.0',
    name: 'whole',
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: true,
    ipam: {
      type: 'host-local',
      dataDir: join(folder, 'leases'),
      ranges: [[{ subnet: '10.1.0.0/16' }]],
    },
  };
  /** The container's name is the pod's: tests that run at the same time have others. */
  const name = `whole${one === NATIVE ? 'n' : 'j'}`;
  const pod = `${name}0`;
  let lab: Lab;

  beforeAll(() => {
    symlinkSync(one.program, bridge);
    lab = new Lab(1, name);
  });
  afterAll(() => {
    lab.close();
    forgetLeases(folder);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Addresses that are taken, the record, links of the host and of the pod: of one attachment. */
  function state() {
    const taken = existsSync(leases) ? readdirSync(leases) : [];
    return {
      leases: taken.filter((file) => /^[0-9.]+$/.test(file)),
      record: existsSync(`/run/fairlead/attachments/${pod}:eth0`),
      pairs: lab.links('veth'),
      pod: lab.ip('-n', lab.prefix + pod, '-br', 'link').includes('eth0'),
    };
  }
  const NOTHING = { leases: [], record: false, pairs: [], pod: false };

  /** One call by way of a shell, whose words come before the program. */
  function called(command: string, words: string) {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CNI_COMMAND: command,
      CNI_CONTAINERID: pod,
      CNI_NETNS: lab.netnsPath(pod),
      CNI_IFNAME: 'eth0',
      CNI_PATH: folder,
    };
    const inside = [`--net=/run/netns/${lab.prefix}host`, 'bash', '-c', words, 'bash', bridge];
    const input = JSON.stringify(config);
    return spawnSync('nsenter', inside, { env, input, encoding: 'utf8' });
  }

  const UNRECEIVED = [
    ['a full device', '"$1" > /dev/full'],
    // Node itself puts /dev/null where a descriptor is closed, which takes everything.
    ...(one === NATIVE ? [['a closed descriptor', 'exec "$1" >&-'] as const] : []),
    ['a pipe that nobody reads', 'exec 3> >(exec true); wait $!; exec "$1" >&3'],
  ] as const;

  test.each(UNRECEIVED)('an ADD whose result goes to %s is undone', (_, words) => {
    const { status, stderr } = called('ADD', words);
    expect(status).toBe(1);
    expect(stderr).toContain('cannot write the answer to standard output');
    expect(stderr).not.toContain('taking the attachment back failed');
    expect(state()).toEqual(NOTHING);
  });

  test('an ADD that is refused takes nothing of the one before, received or not', () => {
    expect(called('ADD', '"$1"').status).toBe(0);
    const before = state();
    expect(before).toMatchObject({ record: true, pod: true });
    expect(called('ADD', '"$1" > /dev/full').status).toBe(1);
    expect(state()).toEqual(before);
    expect(called('DEL', 'exec "$1" >&- 2>&-').status).toBe(0);
    expect(state()).toEqual(NOTHING);
  });

  test('descriptors that are closed get nobody else’s words', () => {
    const { status, stdout } = called('ADD', 'exec "$1" 2>&-');
    expect(status, stdout).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ips: [{ address: expect.any(String) }] });
    expect(called('DEL', '"$1"').status).toBe(0);
    const unread = called('ADD', 'exec "$1" <&-');
    expect(unread.status).toBe(1);
    expect(JSON.parse(unread.stdout)).toMatchObject({ code: expect.any(Number) });
    expect(state()).toEqual(NOTHING);
  });

  test('a limit on the size of files is an error, and no signal', () => {
    const { status, signal, stdout } = called('ADD', 'ulimit -f 0; exec "$1" | cat');
    expect({ status, signal }).toEqual({ status: 0, signal: null });
    expect(JSON.parse(stdout)).toMatchObject({ details: expect.stringContaining('EFBIG') });
    expect(state()).toEqual(NOTHING);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s waits for its end', async (signal) => {
    mkdirSync(leases, { recursive: true });
    const lock = join(leases, 'lock');
    const holder = spawn('flock', [lock, 'sleep', '60'], { detached: true });
    while (spawnSync('flock', ['-n', lock, 'true']).status === 0) await setTimeout(10);
    const pidFile = join(folder, signal);
    const before = ['sh', '-c', `echo $$ > ${pidFile}; exec "$0"`];
    const add = lab.call(bridge, 'ADD', pod, config, before);
    // It has its record by now and waits for the lock of the leases.
    while (!existsSync(`/run/fairlead/attachments/${pod}:eth0`)) await setTimeout(5);
    const pid = spawnSync('cat', [pidFile], { encoding: 'utf8' }).stdout.trim();
    process.kill(Number(pid), signal);
    await setTimeout(50);
    if (holder.pid !== undefined) process.kill(-holder.pid);
    const { code, stdout } = await add;
    expect(code, stdout).toBe(0);
    expect(state()).toMatchObject({ record: true, pod: true });
    expect((await lab.call(bridge, 'DEL', pod, config)).code).toBe(0);
    expect(state()).toEqual(NOTHING);
  });
});
