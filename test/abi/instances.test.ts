// SPDX-License-Identifier: Apache-2.0
// Instances that serve again answer as new ones do, whatever the call before them left, and one
// that a panic ended is as good as another.
import { describe, expect, test } from 'vitest';
import { inInstance, serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { Instances, keepState } from '../../host-node/instances.ts';
import { podEnv } from '../support/pod-call.ts';
import { wasmModule } from '../support/wasm.ts';

const BEFORE = 'netns host\nnetns pod1\nnetns pod2\n';
const CONFIG = {
  cniVersion: '1.1.0',
  name: 'net',
  type: 'bridge',
  isGateway: true,
  ipam: { type: 'host-local', subnet: '10.1.2.0/24' },
};

/** What calls of two containers answer and leave, with the core in this form. */
function story(code: WebAssembly.Module | Instances): string[] {
  const driver = simulatedDriver(wasmModule('sim'), BEFORE);
  const calls = ['ADD pod1', 'ADD pod2', 'CHECK pod1', 'ADD pod1', 'DEL pod1', 'VERSION pod1'];
  const answers = calls.map((call) => {
    const [command = '', pod = ''] = call.split(' ');
    const stdin = Buffer.from(command === 'CHECK' ? '{"name":1}' : JSON.stringify(CONFIG));
    const around = { stdin: () => stdin, log: () => {}, sleep: () => {} };
    return serve(code, driver, { type: 'bridge', env: podEnv(command, pod) }, around);
  });
  return [...answers.map((answer) => JSON.stringify(answer)), driver.dump()];
}

/** All that the core imports, none of which does anything. */
function everything(): Record<string, Record<string, () => number>> {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module, name } of WebAssembly.Module.imports(wasmModule('core'))) {
    imports[module] = { ...imports[module], [name]: () => 0 };
  }
  return imports;
}

describe('instances that serve again', () => {
  test('answer as new ones do, the first time and later', () => {
    const instances = new Instances(wasmModule('core'));
    const wanted = story(wasmModule('core'));
    expect(wanted[0]).toContain('10.1.2.2');
    expect(story(instances)).toEqual(wanted);
    expect(story(instances)).toEqual(wanted);
  });

  test('serve a call within a call', () => {
    const instances = new Instances(wasmModule('core'));
    const inner: string[][] = [];
    const driver = simulatedDriver(wasmModule('sim'), BEFORE);
    const asking = {
      ...driver,
      netns_open: (args: { path: string }) => {
        inner.push(story(instances));
        return driver.netns_open(args);
      },
    };
    const stdin = Buffer.from(JSON.stringify(CONFIG));
    const around = { stdin: () => stdin, log: () => {}, sleep: () => {} };
    const call = { type: 'bridge', env: podEnv('ADD', 'pod1') };
    const answer = serve(instances, asking, call, around);
    expect(answer).toEqual(JSON.parse(story(wasmModule('core'))[0] ?? ''));
    expect(inner).not.toEqual([]);
    for (const one of inner) expect(one).toEqual(story(wasmModule('core')));
  });

  test('forget what a call left that ended in an exception', () => {
    const instances = new Instances(wasmModule('core'));
    const wanted = story(wasmModule('core'));
    const dies = () =>
      inInstance(instances, everything(), (exports) => {
        new Uint8Array((exports['memory'] as WebAssembly.Memory).buffer).fill(0xff);
        throw new Error('in the middle of it');
      });
    expect(dies).toThrow('in the middle of it');
    expect(story(instances)).toEqual(wanted);
  });

  test('want all imports, as a new one does', () => {
    const { plugin: _, ...less } = everything();
    const enter = () => inInstance(new Instances(wasmModule('core')), less, () => {});
    expect(enter).toThrow(new WebAssembly.LinkError('the host has no plugin.socket_call'));
  });

  test('a module that does not export its globals cannot be kept', () => {
    const exports = { memory: new WebAssembly.Memory({ initial: 1 }) };
    expect(() => keepState(exports)).toThrow('does not export its state');
  });
});

test('a simulated kernel becomes what it was, as often as wanted, and can go on from there', () => {
  const driver = simulatedDriver(wasmModule('sim'), `${BEFORE}file /run/kept "kept"\n`);
  const before = driver.dump();
  const { restore, outgrown } = driver.keep(keepState);
  for (let i = 0; i < 3; i++) {
    driver.file_write({ path: '/run/later', content: Buffer.alloc(100_000, 'x') });
    driver.file_remove({ path: '/run/kept' });
    expect(driver.dump()).not.toBe(before);
    restore();
    expect(driver.dump()).toBe(before);
  }
  expect(outgrown()).toBe(false);
  driver.file_write({ path: '/run/big', content: Buffer.alloc(6 << 20, 'x') });
  expect(outgrown()).toBe(true);
});
