// SPDX-License-Identifier: Apache-2.0
// Compiles AssemblyScript: assemble.mjs TARGET ENTRY, a target of asconfig.json. It refuses to read
// what tools/build-steps.mjs does not list for the step of that name, since a change of that would
// not be noticed, and takes a warning for an error.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import asc from 'assemblyscript/asc';
import { STEPS } from './build-steps.mjs';
import { isListed } from './files.mjs';

const ROOT = process.cwd();
const IMPORTS = 'core-as/host/imports.gen.ts';
const SIMULATED_IMPORTS = 'core-as/sim/imports.gen.ts';

/**
 * Throws with the compiler's words when it fails. For the target `wasi` the core gets the simulated
 * kernel in place of its imports.
 */
async function assemble(target, entry) {
  const said = [];
  const strangers = new Set();
  const readFile = (name, base) => {
    const path = join(base, target === 'wasi' && name === IMPORTS ? SIMULATED_IMPORTS : name);
    if (!existsSync(path)) return null;
    const from_root = relative(ROOT, path);
    if (!isListed(STEPS[target].inputs, from_root)) strangers.add(from_root);
    return readFileSync(path, 'utf8');
  };
  const sink = { write: (text) => said.push(text) };
  const words = [entry, '--config', 'asconfig.json', '--target', target, '--baseDir', ROOT];
  const { error } = await asc.main(words, { readFile, stderr: sink, stdout: sink });
  const text = said.join('').replace('Last converge was suboptimal.\n', '');
  if (error || text.includes('WARNING')) throw new Error(`asc ${target} failed\n${text}`);
  if (strangers.size > 0) {
    const list = [...strangers].join(', ');
    throw new Error(`${target} is made of ${list} too: say so in tools/build-steps.mjs`);
  }
}

try {
  await assemble(...process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
