// SPDX-License-Identifier: Apache-2.0
// The built program itself: base names, options, exit codes, one process and one bundle. Namespaces
// and leases are the test's own.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgetLeases } from '../../scripts/sandbox.mjs';
import { HOSTS } from '../support/hosts.ts';
import { Lab } from '../support/lab.ts';
import { needsRoot } from '../support/needs.ts';
import { ownTypes } from '../support/types.ts';
import { distPath } from '../support/wasm.ts';

const TYPES = ownTypes();
const folder = mkdtempSync(join(tmpdir(), 'fairlead-program-'));
const program = (name: string): string => join(folder, name);

beforeAll(() => {
  for (const name of [...TYPES, 'fairlead', 'brigde'])
    symlinkSync(distPath('fairlead'), program(name));
});
afterAll(() => {
  forgetLeases(folder);
  rmSync(folder, { recursive: true, force: true });
});

function run(name: string, args: string[], env: Record<string, string> = {}, input = '') {
  const done = spawnSync(program(name), args, { env, input, encoding: 'utf8' });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

describe('without CNI_COMMAND', () => {
  test.each(['fairlead', ...TYPES])('%s --version names itself and the spec versions', (name) => {
    const { status, stdout, stderr } = run(name, ['--version']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^fairlead \d+\.\d+\.\d+\nCNI spec 0\.1\.0 .* 1\.1\.0\n$/);
  });

  test.each([['--help'], ['-h'], []])('fairlead %s prints help', (...args) => {
    const { status, stdout } = run(
      'fairlead',
      args.filter((arg) => arg !== undefined),
    );
    expect(status).toBe(0);
    for (const type of TYPES) expect(stdout).toContain(type);
  });

  test('an unknown argument is exit code 2 and says where help is', () => {
    const { status, stdout, stderr } = run('fairlead', ['--colour']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('see fairlead help');
  });

  test('a plugin introduces itself on standard error', () => {
    const { status, stdout, stderr } = run('bridge', []);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('CNI bridge plugin');
  });
});

describe('as a plugin', () => {
  test.each(TYPES)('%s answers VERSION, with stdin closed', (name) => {
    const { status, stdout } = run(name, [], { CNI_COMMAND: 'VERSION' });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ cniVersion: '1.1.0' });
  });

  test('a base name that is no type is a CNI error', () => {
    const { status, stdout } = run('brigde', [], { CNI_COMMAND: 'VERSION' });
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 7 });
  });

  test('NODE_OPTIONS and a file in the working directory do not reach it', () => {
    const trap = join(folder, 'trap.cjs');
    writeFileSync(trap, 'process.exit(99)');
    const env = { CNI_COMMAND: 'VERSION', NODE_OPTIONS: `--require ${trap}` };
    expect(run('bridge', [], env).status).toBe(0);
  });

  test('OPENSSL_CONF and what else Node knows have no effect', () => {
    const broken = join(folder, 'broken.cnf');
    writeFileSync(broken, 'broken [[[');
    const plain = run('bridge', [], { CNI_COMMAND: 'VERSION' });
    const env = {
      CNI_COMMAND: 'VERSION',
      OPENSSL_CONF: broken,
      NODE_EXTRA_CA_CERTS: broken,
      NODE_PATH: folder,
      NODE_REDIRECT_WARNINGS: join(folder, 'warnings'),
      NODE_V8_COVERAGE: join(folder, 'coverage'),
      NODE_DEBUG: 'fs,module',
      SSL_CERT_FILE: broken,
      NODE_USE_SYSTEM_CA: '1',
    };
    expect(run('bridge', [], env)).toEqual(plain);
    expect(existsSync(join(folder, 'warnings')) || existsSync(join(folder, 'coverage'))).toBe(
      false,
    );
  });

  test('what Node reads before us is as documented', () => {
    const cache = join(folder, 'compiled');
    const version = { CNI_COMMAND: 'VERSION' };
    expect(run('bridge', [], { ...version, NODE_COMPILE_CACHE: cache }).status).toBe(0);
    expect(existsSync(cache)).toBe(true);
    expect(run('bridge', [], { ...version, NODE_REPL_EXTERNAL_MODULE: '/x' }).status).toBe(9);
    expect(run('bridge', [], { ...version, NODE_CHANNEL_FD: '0' }).status).toBe(0);
    const debugged = run('bridge', [], { ...version, NODE_DEBUG_NATIVE: 'MKSNAPSHOT' });
    expect(debugged.stdout).toBe(run('bridge', [], version).stdout);
    expect(debugged.stderr).not.toBe('');
  });

  test('the bundle serves the same under a Node of its own', () => {
    symlinkSync(distPath('fairlead.mjs'), program('bundled.mjs'));
    const env = { CNI_COMMAND: 'VERSION', PATH: process.env['PATH'] ?? '' };
    const done = spawnSync(process.execPath, [program('bundled.mjs')], { env, encoding: 'utf8' });
    expect(JSON.parse(done.stdout)).toMatchObject({
      code: 7,
      msg: expect.stringContaining('bundled'),
    });
  });
});

function networkOf(name: string, folder: string) {
  return {
    cniVersion: '1.1.0',
    name,
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipam: {
      type: 'host-local',
      dataDir: join(folder, 'leases'),
      ranges: [[{ subnet: '10.1.0.0/16' }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  };
}

const hosts = HOSTS.filter(({ why }) => why === '');

describe.skipIf(needsRoot !== '').each(hosts)(`$host on the real kernel ${needsRoot}`, (one) => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-program-'));
  const bridge = join(folder, 'bridge');
  const config = (name: string) => networkOf(name, folder);

  beforeAll(() => symlinkSync(one.program, bridge));
  afterAll(() => {
    forgetLeases(folder);
    rmSync(folder, { recursive: true, force: true });
  });

  test('one ADD is one process', async () => {
    const lab = new Lab(1);
    try {
      const log = join(folder, 'execve');
      const trace = ['strace', '-f', '-e', 'trace=execve', '-o', log];
      const { code, stdout } = await lab.call(bridge, 'ADD', 'pod0', config('one'), trace);
      expect(code, stdout).toBe(0);
      const lines = execFileSync('grep', ['-c', 'execve(', log], { encoding: 'utf8' });
      expect(Number(lines)).toBe(1);
      await lab.call(bridge, 'DEL', 'pod0', config('one'));
    } finally {
      lab.close();
    }
  });

  test('leases that stay locked: error 11 says who holds them, and nothing is made', async () => {
    const lab = new Lab(1);
    const held = join(folder, 'leases/held');
    execFileSync('mkdir', ['-p', held]);
    const lock = join(held, 'lock');
    const holder = spawn('flock', [lock, 'sleep', '60'], { detached: true });
    while (spawnSync('flock', ['-n', lock, 'true']).status === 0) await setTimeout(10);
    try {
      const { code, stdout } = await lab.call(bridge, 'ADD', 'pod0', config('held'));
      expect(code).toBe(1);
      const error = JSON.parse(stdout) as { code: number; msg: string; details: string };
      expect(error.code).toBe(11);
      expect(error.msg).toContain('held/lock');
      expect(error.details).toContain(String(holder.pid));
      expect(lab.links('bridge')).toEqual([]);
    } finally {
      if (holder.pid !== undefined) process.kill(-holder.pid);
      lab.close();
    }
  });
});
