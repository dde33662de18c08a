// SPDX-License-Identifier: Apache-2.0
// Bad input that no fixture can hold: documents too large, too deep, or not text. Each is refused
// with a CNI error, and nothing on the node changes.
import { describe, expect, test } from 'vitest';
import { serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmInstances, wasmModule } from '../support/wasm.ts';

const ENV = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/pod',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};
const HEAD = '{"cniVersion":"1.0.0","name":"net","type":"bridge","x":';

function call(stdin: Uint8Array, env: Record<string, string> = ENV) {
  const driver = simulatedDriver(wasmModule('sim'), 'netns host\nnetns pod\n');
  const before = driver.dump();
  const around = {
    stdin: (limit_bytes: number) => stdin.subarray(0, limit_bytes + 1),
    log: () => {},
    sleep: () => {},
  };
  const answer = serve(wasmInstances('core'), driver, { type: 'bridge', env }, around);
  return { ...answer, changed: driver.dump() !== before };
}

/** A configuration with a range set for each subnet. */
const sets = (subnets: readonly string[]): Buffer => {
  const ranges = subnets.map((subnet) => [{ subnet }]);
  const ipam = { type: 'host-local', ranges };
  return Buffer.from(JSON.stringify({ cniVersion: '1.0.0', name: 'net', type: 'bridge', ipam }));
};
const subnet = (i: number): string => `10.${i >> 8}.${i & 255}.0/24`;

const deep = (depth: number): string => `${HEAD}${'['.repeat(depth)}${']'.repeat(depth)}}`;

describe('refused, nothing changed', () => {
  test.each([
    [
      'a document of 10 MB',
      Buffer.from(`${HEAD}"${'x'.repeat(10_000_000)}"}`),
      6,
      /larger than 8 MiB/,
    ],
    ['nesting of 100,000', Buffer.from(deep(100_000)), 6, /nested more than 100 deep/],
    ['nesting that never ends', Buffer.from('['.repeat(1_000_000)), 6, /nested more than 100 deep/],
    [
      'a million values',
      Buffer.from(`${HEAD}[${'1,'.repeat(1_000_000)}1]}`),
      6,
      /more than 250000 values/,
    ],
    [
      'a list of 4001 entries',
      Buffer.from(`${HEAD}1,"vlanTrunk":[${'{},'.repeat(4000)}{}]}`),
      7,
      /has 4001 entries: at most 4000/,
    ],
    ['a byte that is not UTF-8', Buffer.from(`${HEAD}"\xff"}`, 'latin1'), 6, /not UTF-8/],
    ['half a surrogate pair', Buffer.from(`${HEAD}"\\ud800"}`), 6, /surrogate/],
    ['a NUL byte in a name', Buffer.from('{"name":"n\\u0000","type":"bridge"}'), 7, /network name/],
    ['nothing', Buffer.from(''), 6, /too early/],
    ['a space that JSON does not have', Buffer.from('\u00a0{}'), 6, /U\+00a0/],
    ['a quote of a text editor', Buffer.from('{\u201ca'), 6, /U\+201c/],
    [
      'two thousand range sets, the last like the first',
      sets([...Array.from({ length: 2000 }, (_, i) => subnet(i)), subnet(0)]),
      7,
      /^range set 2000 overlaps with 0$/,
    ],
    [
      'two thousand equal range sets',
      sets(new Array<string>(2000).fill(subnet(1))),
      7,
      /^range set 1 overlaps with 0$/,
    ],
    ['a byte order mark', Buffer.from(`\ufeff${HEAD}1}`), 6, /a byte order mark/],
  ])('%s', (_, stdin, code, msg) => {
    const answer = call(stdin);
    expect(answer.exit_code).toBe(1);
    const error = JSON.parse(answer.stdout) as { code: number; msg: string };
    expect(error.code).toBe(code);
    expect(error.msg).toMatch(msg);
    expect(answer.changed).toBe(false);
  });

  test('the place of a problem counts characters, not bytes', () => {
    const { stdout } = call(Buffer.from('{\n  "name": "päd", oops\n}'));
    expect(JSON.parse(stdout)).toMatchObject({ details: 'line 2, column 18' });
  });
});

test('a document just inside the limits is read', () => {
  const answer = call(Buffer.from(`${HEAD}"${'x'.repeat(8_000_000)}"}`));
  expect(answer).toMatchObject({ exit_code: 0, changed: true });
  expect(call(Buffer.from(deep(98)))).toMatchObject({ exit_code: 0 });
});

test('VERSION does not read standard input', () => {
  const driver = simulatedDriver(wasmModule('sim'), '');
  const around = {
    stdin: () => {
      throw new Error('it did');
    },
    log: () => {},
    sleep: () => {},
  };
  const env = { CNI_COMMAND: 'VERSION' };
  const answer = serve(wasmInstances('core'), driver, { type: 'bridge', env }, around);
  expect(answer.exit_code).toBe(0);
  expect(answer.stdout).toBe(
    '{"cniVersion":"1.1.0","supportedVersions":' +
      '["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}\n',
  );
});

test('what others chose reaches neither answer nor log with a control character', () => {
  const evil = '\u001b[31m\u007f\u009b0m\nforged: line';
  const calls = [
    { command: 'ADD', config: { type: 'bridge', ipam: { type: evil } } },
    { command: 'ADD', config: { type: 'bridge', name: evil } },
    { command: 'DEL', config: { type: 'bridge' } },
  ];
  const logged: string[] = [];
  for (const { command, config } of calls) {
    const text = JSON.stringify({ cniVersion: '1.0.0', name: 'net', ...config });
    const env = {
      ...ENV,
      CNI_COMMAND: command,
      CNI_NETNS: command === 'DEL' ? `/run/netns/${evil}` : ENV.CNI_NETNS,
    };
    const around = {
      stdin: () => new TextEncoder().encode(text),
      log: (line: string) => logged.push(line),
      sleep: () => {},
    };
    const driver = simulatedDriver(wasmModule('sim'), 'netns host\nnetns pod\n');
    const answer = serve(wasmInstances('core'), driver, { type: 'bridge', env }, around);
    expect(answer.exit_code).toBe(command === 'DEL' ? 0 : 1);
    expect(answer.stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    if (command === 'ADD') expect(answer.stdout).toContain('\\u001b[31m\\u007f\\u009b0m\\nforged');
  }
  expect(logged.join()).toContain('/run/netns/\\u001b[31m\\u007f\\u009b0m\\nforged: line');
  expect(logged.join()).not.toMatch(/\p{Cc}/u);
});

test('without CNI_COMMAND a plugin introduces itself on standard error', () => {
  const said: string[] = [];
  const driver = simulatedDriver(wasmModule('sim'), '');
  const around = {
    stdin: () => new Uint8Array(0),
    log: (line: string) => said.push(line),
    sleep: () => {},
  };
  const answer = serve(wasmInstances('core'), driver, { type: 'bridge', env: {} }, around);
  expect(answer).toEqual({ exit_code: 0, stdout: '' });
  expect(said.join('\n')).toContain('CNI protocol versions supported: 0.1.0, 0.2.0');
});

test('a base name that is no CNI type is told which there are', () => {
  const driver = simulatedDriver(wasmModule('sim'), '');
  const around = { stdin: () => new Uint8Array(0), log: () => {}, sleep: () => {} };
  const answer = serve(wasmInstances('core'), driver, { type: 'brigde', env: ENV }, around);
  expect(JSON.parse(answer.stdout)).toMatchObject({ code: 7, msg: expect.stringContaining('ptp') });
});
