// SPDX-License-Identifier: Apache-2.0
// A small host in TypeScript: one call of a CNI plugin as its runtime makes it (CNI_ variables,
// the configuration on standard input), served by core.wasm. It runs on a simulated kernel whose
// state is a file, or with --real on this machine (as root, by node --experimental-ffi).
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Driver, serve } from 'fairlead/core';
import { simulatedDriver } from 'fairlead/simulated';

const moduleOf = (name: string): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(fileURLToPath(import.meta.resolve(`fairlead/${name}`))));

const { values } = parseArgs({
  options: {
    type: { type: 'string', default: 'bridge' },
    state: { type: 'string', default: 'state.txt' },
    real: { type: 'boolean', default: false },
  },
});

function call(driver: Driver): number {
  const { exit_code, stdout } = serve(
    moduleOf('core.wasm'),
    driver,
    { type: values.type, env: process.env },
    {
      stdin: () => readFileSync(0),
      log: (line) => process.stderr.write(`${line}\n`),
      sleep: (duration_ms) => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
      },
    },
  );
  process.stdout.write(stdout);
  return exit_code;
}

if (values.real) {
  const { realDriver } = await import('fairlead/host');
  const driver = realDriver();
  process.exitCode = call(driver);
  driver.close();
} else {
  const { state } = values;
  // What was written says all there is: the kernel is to add nothing by its own rules.
  const text = existsSync(state)
    ? `complete\n${readFileSync(state, 'utf8')}`
    : 'netns host\nnetns pod\n';
  const driver = simulatedDriver(moduleOf('sim.wasm'), text);
  process.exitCode = call(driver);
  writeFileSync(state, driver.dump());
}
