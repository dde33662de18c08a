// SPDX-License-Identifier: Apache-2.0
// What the build left in dist/: its paths, and its modules, each compiled once per test process. It
// refuses to a test what `npm test -- PATH` does not build for it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Instances } from '../../host-node/instances.ts';
import { STEPS } from '../../tools/build-steps.mjs';

const compiled = new Map<string, WebAssembly.Module>();

/** Steps of the build for the test file that runs, see built.ts. */
const steps = process.env['FAIRLEAD_TEST_STEPS']?.split(' ');

/** The step that makes a file of dist/. */
function stepOf(file: string): string {
  const found = Object.entries(STEPS).find(([, { outputs }]) => outputs.includes(`dist/${file}`));
  if (found === undefined) throw new Error(`no step of the build makes dist/${file}`);
  return found[0];
}

/** The path of a file that the build made; throws when this test file does not have it built. */
export function distPath(file: string): string {
  const step = stepOf(file);
  if (steps?.includes(step) === false) {
    throw new Error(
      `dist/${file} is of the step ${step}: say in tools/test-steps.mjs that you use it`,
    );
  }
  return fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));
}

/** Under `npm run try` the modules are those that are built in no time. */
const folder = process.env['FAIRLEAD_TRY'] === '1' ? 'try/' : '';

/**
 * `core`: what serves plugins. `tools`: that and the tasks. `sim`: the simulated kernel. `agent`:
 * what goes on between calls.
 */
export function wasmModule(name: 'core' | 'tools' | 'sim' | 'agent'): WebAssembly.Module {
  const tried = name === 'agent' ? '' : folder;
  const file = `${tried}${tried !== '' && name === 'core' ? 'tools' : name}.wasm`;
  const module = compiled.get(name) ?? new WebAssembly.Module(readFileSync(distPath(file)));
  compiled.set(name, module);
  return module;
}

const instances = new Map<string, Instances>();

/** Instances of such a module that serve call after call: a new one costs more than most calls. */
export function wasmInstances(name: 'core' | 'tools'): Instances {
  const found = instances.get(name) ?? new Instances(wasmModule(name));
  instances.set(name, found);
  return found;
}
