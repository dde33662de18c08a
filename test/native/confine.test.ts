// SPDX-License-Identifier: Apache-2.0
// What the native host gives up: what a subverted process cannot do any more, and what the kernel
// says of one at work. That it does its work all the same the corpus shows, which runs so.
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { buildTestProgram } from '../../scripts/native.mjs';
import { needsNative } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';

const TRIES = 500;
const PAUSE_MS = 10;
/** CAP_DAC_OVERRIDE, CAP_NET_ADMIN, CAP_SYS_PTRACE and CAP_SYS_ADMIN (linux/capability.h). */
const KEPT = (1n << 1n) | (1n << 12n) | (1n << 19n) | (1n << 21n);

const folder = mkdtempSync(join(tmpdir(), 'fairlead-confine-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(needsNative !== '')(`confined ${needsNative}`, () => {
  test('a subverted process writes and executes what was named before, and no more', async () => {
    const program = await buildTestProgram(
      'confined',
      ['test/native/confined.c'],
      {},
      { sanitized: false },
    );
    const path = join(folder, 'bin');
    const writable = join(folder, 'not/yet/there');
    mkdirSync(path, { recursive: true });
    for (const name of ['foreign', 'other']) {
      writeFileSync(join(path, name), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    }
    const env = { ...process.env, CNI_PATH: `/nowhere:${path}` };
    const text = execFileSync(program, [writable, path], { encoding: 'utf8', env });
    const tries = text
      .trim()
      .split('\n')
      .map((line) => /^(.*) (\S+)$/.exec(line)!.slice(1) as [string, string]);
    expect(tries.filter(([, how]) => how === 'yes').map(([name]) => name)).toEqual([
      ...['file in its folder', 'sysctl', 'named program', 'ordered program'],
      ...['netlink socket', 'own namespace', 'memory', 'own file', 'own sysctl'],
    ]);
    const refused = tries.filter(([, how]) => how !== 'yes');
    expect(refused.length).toBe(39);
    const others = refused.filter(([, how]) => how !== 'EPERM' && how !== 'EACCES');
    // Paths that no operation takes, a link out of its folder; files that not all kernels have.
    expect(others.filter(([name]) => !['uevent_helper', 'sysrq'].includes(name))).toEqual([
      ['file beside it', 'EINVAL'],
      ['other sysctl', 'EINVAL'],
      ['linking', 'EXDEV'],
    ]);
    expect(readdirSync(writable).sort()).toEqual(['lease', 'mine']);
    expect(existsSync('/tmp/subverted') || existsSync('/tmp/fairlead-subverted')).toBe(false);
  });

  test('the kernel says so of a process at work', async () => {
    const leases = join(folder, 'leases/net');
    mkdirSync(leases, { recursive: true });
    const holder = spawn('flock', [join(leases, 'lock'), 'sleep', '60'], { detached: true });
    const program = join(folder, 'host-local');
    symlinkSync(distPath('fairlead-native'), program);
    const ranges = [[{ subnet: '10.1.2.0/24' }]];
    const ipam = { type: 'host-local', dataDir: join(folder, 'leases'), ranges };
    const env = {
      FAIRLEAD_CONFINE: '1',
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'confined',
      CNI_NETNS: '/run/netns/none',
      CNI_IFNAME: 'eth0',
      CNI_PATH: folder,
    };
    const statusOf = (pid: number | undefined) => {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Object.fromEntries(text.split('\n').map((line) => line.split(':\t')));
    };
    while (!readFileSync('/proc/locks', 'utf8').includes(`WRITE ${holder.pid} `)) {
      await setTimeout(PAUSE_MS);
    }
    const child = spawn(program, [], { env, stdio: ['pipe', 'ignore', 'inherit'] });
    try {
      child.stdin.end(JSON.stringify({ cniVersion: '1.0.0', name: 'net', type: 'bridge', ipam }));
      let status = statusOf(child.pid);
      for (let tries = 0; tries < TRIES && status['Seccomp'] !== '2'; tries++) {
        await setTimeout(PAUSE_MS);
        status = statusOf(child.pid);
      }
      expect(status).toMatchObject({ Seccomp: '2', NoNewPrivs: '1' });
      for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb']) {
        expect(BigInt(`0x${status[set]}`) & ~KEPT, set).toBe(0n);
      }
    } finally {
      child.kill('SIGKILL');
      if (holder.pid !== undefined) process.kill(-holder.pid);
    }
  });
});
