// SPDX-License-Identifier: Apache-2.0
// The boundary itself: pointers and texts that a broken or hostile core may pass, panics, traps.
import { describe, expect, test } from 'vitest';
import { type Driver, isWide, OPERATIONS, OsError } from '../../host-node/abi/index.ts';
import { bind, CorePanic } from '../../host-node/bind.ts';
import { serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmModule } from '../support/wasm.ts';

const EFAULT = 14;
const EILSEQ = 84;
const EIO = 5;
const PAGE_BYTES = 65536;

type Import = (...raw: number[]) => number;

/** The imports over a driver that notes what reaches it, with one page of memory. */
function bound(answer: (name: string) => unknown = () => 0) {
  const reached: string[] = [];
  const driver = new Proxy({} as Driver, {
    get: (_, name) => () => {
      reached.push(String(name));
      return answer(String(name));
    },
  });
  const around = { stdin: () => new Uint8Array(0), log: () => {}, sleep: () => {} };
  const binding = bind(driver, around);
  const memory = new WebAssembly.Memory({ initial: 1 });
  binding.attach(memory);
  const call = (module: string, name: string, ...raw: number[]): number =>
    ((binding.imports[module] as Record<string, unknown>)[name] as Import)(...raw);
  return { call, memory, reached };
}

const texts = OPERATIONS.filter(
  (op) => op.module !== 'host' && Object.values(op.params).some((type) => type === 'str'),
);

/** Arguments for an operation with the first text at ptr, len and all others empty. */
function rawArgs(op: (typeof OPERATIONS)[number], ptr: number, len: number): number[] {
  let first = true;
  return Object.values(op.params).flatMap((type) => {
    if (!isWide(type)) return [0];
    if (!first || type !== 'str') return [0, 0];
    first = false;
    return [ptr, len];
  });
}

describe.each(texts)('$module.$name', (op) => {
  test.each([
    ['behind the end', PAGE_BYTES, 1],
    ['across the end', PAGE_BYTES - 1, 2],
    ['of negative length', 0, -1],
    ['at a negative address', -8, 8],
    ['wrapping around', -1, 2],
  ])('refuses a text %s', (_, ptr, len) => {
    const { call, reached } = bound();
    expect(call(op.module, op.name, ...rawArgs(op, ptr, len))).toBe(-EFAULT);
    expect(reached).toEqual([]);
  });

  test.each([
    ['with a NUL byte', [0x61, 0]],
    ['that is not UTF-8', [0xc0, 0xaf]],
    ['with half a surrogate pair', [0xed, 0xa0, 0x80]],
  ])('refuses a text %s', (_, bytes) => {
    const { call, memory, reached } = bound();
    new Uint8Array(memory.buffer).set(bytes);
    expect(call(op.module, op.name, ...rawArgs(op, 0, bytes.length))).toBe(-EILSEQ);
    expect(reached).toEqual([]);
  });
});

test('reply_read copies no more than there is room for', () => {
  const { call, memory } = bound(() => ({ a: 1 }));
  expect(call('kernel', 'link_get', 0, 0, 0)).toBe(0);
  expect(call('host', 'reply_len')).toBe(7);
  new Uint8Array(memory.buffer).fill(63, 0, 8);
  expect(call('host', 'reply_read', 0, 3)).toBe(3);
  expect(Buffer.from(memory.buffer, 0, 5).toString()).toBe('{"a??');
  expect(call('host', 'reply_read', PAGE_BYTES - 1, 7)).toBe(-EFAULT);
});

test('a failure gives -errno and its words; anything else thrown is EIO', () => {
  const { call, memory } = bound((name) => {
    throw name === 'link_get' ? new OsError(19, 'no such device') : new TypeError('a bug');
  });
  expect(call('kernel', 'link_get', 0, 0, 0)).toBe(-19);
  call('host', 'reply_read', 0, 100);
  expect(Buffer.from(memory.buffer, 0, 14).toString()).toBe('no such device');
  expect(call('kernel', 'link_del', 0, 0)).toBe(-EIO);
});

test('memory that grew is seen', () => {
  const { call, memory } = bound();
  expect(call('kernel', 'link_get', 0, PAGE_BYTES, 1)).toBe(-EFAULT);
  memory.grow(1);
  new Uint8Array(memory.buffer)[PAGE_BYTES] = 0x61;
  expect(call('kernel', 'link_get', 0, PAGE_BYTES, 1)).toBe(0);
});

describe('a core that breaks', () => {
  const env = {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/run/netns/pod',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
  };
  const config = {
    cniVersion: '1.0.0',
    name: 'net',
    type: 'bridge',
    ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.2.0/24' }]] },
  };
  const around = {
    stdin: () => Buffer.from(JSON.stringify(config)),
    log: () => {},
    sleep: () => {},
  };

  test.each([
    ['panics', () => new CorePanic('index out of range at core-as/x.ts:1:2'), 'core-as/x.ts:1:2'],
    ['traps', () => new WebAssembly.RuntimeError('unreachable'), 'unreachable'],
  ])(
    '%s half way through ADD: error 999 with the place, and DEL has cleaned up',
    (_, made, place) => {
      const inner = simulatedDriver(wasmModule('sim'), 'netns host\nnetns pod\n');
      let armed = true;
      const driver = {
        ...inner,
        addr_add: (args: Parameters<Driver['addr_add']>[0]) => {
          if (!armed) return inner.addr_add(args);
          armed = false;
          // A trap inside an import unwinds the core just as one of its own does.
          throw made() instanceof CorePanic ? made() : new CorePanic((made() as Error).message);
        },
      };
      const answer = serve(wasmModule('core'), driver, { type: 'bridge', env }, around);
      expect(answer.exit_code).toBe(1);
      expect(JSON.parse(answer.stdout)).toMatchObject({
        code: 999,
        details: expect.stringContaining(place),
      });
      expect(inner.dump()).not.toContain('veth');
      expect(inner.dump()).not.toContain('/10.1.2.2');
    },
  );

  test('another ABI is refused by name', () => {
    const other = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    const driver = simulatedDriver(wasmModule('sim'), '');
    const answer = serve(other, driver, { type: 'bridge', env }, around);
    expect(JSON.parse(answer.stdout)).toMatchObject({
      code: 999,
      details: expect.stringContaining('fairlead_abi_1'),
    });
  });
});
