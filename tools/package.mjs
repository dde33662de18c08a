// SPDX-License-Identifier: Apache-2.0
// Makes dist/npm, the npm package for programs that embed the core: three entries with their types,
// the modules, the table of operations as JSON. It has no dependencies. It refuses to read what
// tools/build-steps.mjs does not list.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rollup } from 'rollup';
import { OPERATIONS } from '../host-node/abi/index.ts';
import { stripOwn } from '../rollup.config.mjs';
import { STEPS } from './build-steps.mjs';
import { isListed } from './files.mjs';

const ROOT = process.cwd();
const OUT = 'dist/npm';
const ENTRIES = ['core', 'simulated', 'host'];
const MODULES = ['core.wasm', 'tools.wasm', 'sim.wasm'];
const { inputs } = STEPS.package;

const entry = (name) => ({ types: `./types/package/${name}.d.ts`, default: `./${name}.js` });

function manifest() {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return {
    name,
    version,
    description: 'CNI as a WebAssembly core, with a simulated kernel and a host for Linux',
    private: true,
    type: 'module',
    license,
    engines: { node: '>=26' },
    sideEffects: false,
    exports: {
      ...Object.fromEntries(ENTRIES.map((one) => [`./${one}`, entry(one)])),
      ...Object.fromEntries(MODULES.map((file) => [`./${file}`, `./${file}`])),
      './abi.json': './abi.json',
      './package.json': './package.json',
    },
  };
}

async function bundle() {
  const made = await rollup({
    input: Object.fromEntries(
      ENTRIES.map((name) => [name, join(ROOT, `host-node/package/${name}.ts`)]),
    ),
    external: [/^node:/],
    plugins: [stripOwn],
  });
  await made.write({ dir: join(ROOT, OUT), format: 'es', chunkFileNames: 'chunks/[name].js' });
  await made.close();
  const strangers = made.watchFiles
    .map((path) => relative(ROOT, path))
    .filter((path) => !isListed(inputs, path));
  if (strangers.length > 0) {
    throw new Error(`the package is made of ${strangers.join(', ')}: say so in build-steps.mjs`);
  }
}

/** The operations with their parameters in order: what a host in any language goes by. */
function abi() {
  const rows = OPERATIONS.map(({ module, name, params, reply = 'none' }) => {
    return { module, name, params: Object.entries(params), reply };
  });
  return { abi: 1, operations: rows };
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

rmSync(join(ROOT, OUT), { recursive: true, force: true });
mkdirSync(join(ROOT, OUT), { recursive: true });
await bundle();
const tsc = join(ROOT, 'node_modules/typescript/lib/tsc.js');
execFileSync(process.execPath, [tsc, '-p', 'host-node/package'], { cwd: ROOT, stdio: 'inherit' });
for (const file of MODULES) copyFileSync(join(ROOT, 'dist', file), join(ROOT, OUT, file));
copyFileSync(join(ROOT, 'LICENSE'), join(ROOT, OUT, 'LICENSE'));
copyFileSync(join(ROOT, 'docs/embedding.md'), join(ROOT, OUT, 'README.md'));
writeFileSync(join(ROOT, OUT, 'abi.json'), json(abi()));
writeFileSync(join(ROOT, OUT, 'package.json'), json(manifest()));
