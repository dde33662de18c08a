// SPDX-License-Identifier: Apache-2.0
// A process that serves one call on the real kernel and dies by SIGKILL before its n-th operation,
// as a node does that loses power. Started by test/e2e/heal.test.ts with its orders as JSON.
import type { Driver } from '../../host-node/abi/index.ts';
import { serve } from '../../host-node/core.ts';
import { realDriver } from '../../host-node/drivers/index.ts';
import { wasmModule } from './wasm.ts';

interface Orders {
  readonly hostNetns: string;
  readonly root: string;
  readonly type: string;
  readonly env: Record<string, string>;
  readonly stdin: string;
  readonly n: number;
}

const orders = JSON.parse(process.argv[2] ?? '') as Orders;
const real = realDriver({ hostNetns: orders.hostNetns, root: orders.root });
let count = 0;
const driver = new Proxy(real as Driver, {
  get: (target, name) => {
    const method = Reflect.get(target, name);
    if (typeof method !== 'function') return method;
    return (args: unknown) => {
      if (++count === orders.n) process.kill(process.pid, 'SIGKILL');
      return Reflect.apply(method, target, [args]);
    };
  },
});
const answer = serve(wasmModule('core'), driver, orders, {
  stdin: () => Buffer.from(orders.stdin),
  log: () => {},
  sleep: (duration_ms) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
  },
});
process.stdout.write(answer.stdout);
process.exitCode = answer.exit_code;
