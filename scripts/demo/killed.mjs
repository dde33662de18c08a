// SPDX-License-Identifier: Apache-2.0
// A process that serves one call on the real kernel and dies by SIGKILL before its n-th operation,
// as a plugin does whose node loses power. Its orders are JSON in its first argument.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '../../host-node/core.ts';
import { realDriver } from '../../host-node/drivers/index.ts';
import { ROOT } from '../setup.mjs';

const { type, env, stdin, n } = JSON.parse(process.argv[2] ?? '');
let count = 0;
const driver = new Proxy(realDriver(), {
  get: (target, name) => (args) => {
    count++;
    if (count === n) process.kill(process.pid, 'SIGKILL');
    return target[name](args);
  },
});
const core = new WebAssembly.Module(readFileSync(join(ROOT, 'dist/core.wasm')));
const around = { stdin: () => Buffer.from(JSON.stringify(stdin)), log: () => {}, sleep: () => {} };
const { stdout } = serve(core, driver, { type, env }, around);
process.stdout.write(stdout);
