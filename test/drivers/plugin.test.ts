// SPDX-License-Identifier: Apache-2.0
// Executing foreign plugins on this machine: what they are given, how they end, and what a bridge
// makes of one that is asked for an address.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { OsError } from '../../host-node/abi/index.ts';
import { serve } from '../../host-node/core.ts';
import { pluginDriver } from '../../host-node/drivers/plugin.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmModule } from '../support/wasm.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-plugin-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, body: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, mode);
  return path;
}

function exec(path: string, env: Record<string, string> = {}, stdin = '', timeout_ms = 10000) {
  const block = Object.entries(env).map(([name, value]) => `${name}=${value}\0`);
  const bytes = Buffer.from(block.join(''));
  return pluginDriver().exec({ path, env: bytes, stdin: Buffer.from(stdin), timeout_ms });
}

function errnoOf(action: () => unknown): number {
  try {
    action();
  } catch (error) {
    if (error instanceof OsError) return error.errno;
  }
  return 0;
}

describe('exec', () => {
  test('passes variables over its own environment, and stdin', () => {
    const path = script(
      'echo',
      'printf "%s|%s|" "$CNI_COMMAND" "$HOME"; cat; echo words >&2; exit 3',
    );
    expect(exec(path, { CNI_COMMAND: 'ADD', HOME: '/nowhere' }, '{"x":1}')).toEqual({
      exit_code: 3,
      signal: '',
      stdout: 'ADD|/nowhere|{"x":1}',
      stderr: 'words\n',
    });
  });

  test('tells a signal', () => {
    const path = script('dies', 'kill -SEGV $$');
    expect(exec(path)).toMatchObject({ exit_code: -1, signal: 'SIGSEGV' });
  });

  test('does not mind a plugin that reads no stdin', () => {
    expect(exec(script('deaf', 'exit 0'), {}, 'x'.repeat(1 << 20))).toMatchObject({ exit_code: 0 });
  });

  test.each([
    ['a plugin that hangs is killed', script('hangs', 'exec sleep 60'), 110],
    ['more than a MiB of output', script('floods', 'head -c 2000000 /dev/zero'), 27],
    ['no such file', join(folder, 'none'), 2],
    ['a file that is no executable', script('plain', 'true', 0o644), 13],
  ])('%s', (_, path, errno) => {
    expect(errnoOf(() => exec(path, {}, '', 300))).toBe(errno);
  });
});

test('a delegate gets the parameters of the call and the complete configuration', () => {
  const log = join(folder, 'log');
  const result = '{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.9/24"}]}';
  script('logs', `env | grep ^CNI_ | sort > ${log}; cat >> ${log}; echo '${result}'`);
  const config =
    '{"cniVersion":"1.0.0","name":"net","type":"bridge","ipam":{"type":"logs","kept":[1,2.50]}}';
  const env = {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/run/netns/pod',
    CNI_IFNAME: 'eth0',
    CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=p',
    CNI_PATH: `/nowhere:${folder}`,
  };
  const kernel = simulatedDriver(wasmModule('sim'), 'netns host\nnetns pod\n');
  const around = { stdin: () => Buffer.from(config), log: () => {}, sleep: () => {} };
  const driver = { ...kernel, ...pluginDriver() };
  const answer = serve(wasmModule('core'), driver, { type: 'bridge', env }, around);
  expect(answer.exit_code, answer.stdout).toBe(0);
  const given = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // The lock on the attachment, which one of ours that it calls must not wait for.
  const held = /^CNI_FAIRLEAD_HELD=[\da-f]{3}\n/m;
  const said = readFileSync(log, 'utf8');
  expect(said).toMatch(held);
  expect(said.replace(held, '')).toBe(`${given.sort().join('\n')}\n${config}`);
});
