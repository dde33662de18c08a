// SPDX-License-Identifier: Apache-2.0
// The core as a WASI command under node:wasi: one request on stdin, one answer on stdout. It gives
// what the core gives over the host ABI, on every fixture: the two share every line but the entry.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { afterAll, describe, expect, test } from 'vitest';
import { allFixtures, type Outcome, stdinOf } from '../support/fixture.ts';
import { distPath } from '../support/wasm.ts';
import { simulatedWorld } from '../support/world.ts';

const module = new WebAssembly.Module(readFileSync(distPath('fairlead-core.wasi.wasm')));
const folder = mkdtempSync(join(tmpdir(), 'fairlead-wasi-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface WasiAnswer {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly operations: readonly string[];
  readonly kernel: string;
}

function command(stdin: string): { code: number; stdout: string; stderr: string } {
  const [input, output, errors] = ['in', 'out', 'err'].map((name) => join(folder, name));
  if (!input || !output || !errors) throw new Error('no paths');
  writeFileSync(input, stdin);
  const fds = [openSync(input, 'r'), openSync(output, 'w'), openSync(errors, 'w')] as const;
  const [wasiIn, wasiOut, wasiErr] = fds;
  const wasi = new WASI({
    version: 'preview1',
    returnOnExit: true,
    stdin: wasiIn,
    stdout: wasiOut,
    stderr: wasiErr,
  });
  const imports = wasi.getImportObject() as WebAssembly.Imports;
  const code = wasi.start(new WebAssembly.Instance(module, imports));
  for (const fd of fds) closeSync(fd);
  return { code, stdout: readFileSync(output, 'utf8'), stderr: readFileSync(errors, 'utf8') };
}

test('it imports three functions of WASI and nothing else', () => {
  expect(
    WebAssembly.Module.imports(module)
      .map((item) => `${item.module}.${item.name}`)
      .sort(),
  ).toEqual([
    'wasi_snapshot_preview1.fd_read',
    'wasi_snapshot_preview1.fd_write',
    'wasi_snapshot_preview1.proc_exit',
  ]);
});

describe('the corpus', () => {
  test.each(allFixtures())('$name', (fixture) => {
    const outcomes: Outcome[] = [];
    let kernel = fixture.before;
    for (const step of fixture.steps) {
      const config = stdinOf(step, outcomes);
      outcomes.push(simulatedWorld(kernel).run(step, config));
      const request = { type: step.type, env: step.env, config, kernel };
      const answer = JSON.parse(command(JSON.stringify(request)).stdout) as WasiAnswer;
      const { exit_code, stdout, state } = outcomes.at(-1) as Outcome;
      expect({ exit: answer.exit, kernel: answer.kernel }).toEqual({
        exit: exit_code,
        kernel: state,
      });
      expect(answer.stdout).toBe(stdout);
      kernel = answer.kernel;
    }
  });
});

test('operations are told as a trace; config may be an object', () => {
  const request = {
    type: 'loopback',
    env: {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/run/netns/pod',
      CNI_IFNAME: 'lo',
      CNI_PATH: '/opt/cni/bin',
    },
    config: { cniVersion: '1.0.0', name: 'lo', type: 'loopback' },
    kernel: 'netns host\nnetns pod\n',
  };
  const answer = JSON.parse(command(JSON.stringify(request)).stdout) as WasiAnswer;
  expect(answer.operations).toEqual([
    'kernel.netns_open(path="/run/netns/pod") = 1',
    'kernel.netns_same(a=1, b=0) = 0',
    'kernel.link_get(ns=1, name="lo") = 0',
    'kernel.addr_list(ns=1, ifindex=1) = 0',
    'kernel.link_set_up(ns=1, ifindex=1) = 0',
    'kernel.addr_list(ns=1, ifindex=1) = 0',
  ]);
});

test.each([
  ['{"type": }', 'line 1, column 10'],
  ['[]', 'must be a JSON object'],
  ['{"kernel": "netns"}', '"kernel"'],
])('a request that cannot be read: %s', (request, reason) => {
  const { code, stdout, stderr } = command(request);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(reason);
});
