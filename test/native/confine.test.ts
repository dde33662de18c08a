// FAIRLEAD_CONFINE=1: what the native host cannot do any more, what the kernel says of a process
// that runs so, and that it does its work all the same, foreign plugins too (the corpus has a group
// of its own for that: test/fixtures/native-variants.test.ts).
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
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
  test('what no operation needs is refused', async () => {
    const program = await buildTestProgram(
      'confined',
      ['test/native/confined.c'],
      {},
      {
        wanted: (file) => file === 'confine.c',
        sanitized: false,
      },
    );
    const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
    const allowed = ['netlink socket', 'own namespace', 'memory'];
    expect(lines.slice(0, 3)).toEqual(allowed.map((name) => `${name} yes`));
    expect(lines.length).toBe(19);
    for (const line of lines.slice(3)) expect(line).toMatch(/ EPERM$/);
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
