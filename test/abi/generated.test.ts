// SPDX-License-Identifier: Apache-2.0
// The one table and everything made from it: generated files are fresh, core.wasm imports nothing
// outside it, and the build gives the same bytes twice.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ABI_MARKER, OPERATIONS } from '../../host-node/abi/index.ts';
import { generated } from '../../scripts/generate.mjs';
import { distPath, wasmModule } from '../support/wasm.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const asc = join(ROOT, 'node_modules/.bin/asc');

test.each(Object.entries(generated()))('%s is fresh', (path, text) => {
  expect(readFileSync(join(ROOT, path), 'utf8'), 'run `npm run generate`').toBe(text);
});

test('no file says that it is generated and is not', () => {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.gen.*'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const known = Object.keys(generated()).filter((path) => path.includes('.gen.'));
  const there = listed
    .trim()
    .split('\n')
    .filter((path) => existsSync(join(ROOT, path)));
  expect(there.sort()).toEqual(known.sort());
});

test('core.wasm imports functions of the table and nothing else', () => {
  const table = new Set(OPERATIONS.map((op) => `${op.module}.${op.name} function`));
  for (const { module, name, kind } of WebAssembly.Module.imports(wasmModule('core'))) {
    expect(table).toContain(`${module}.${name} ${kind}`);
  }
});

test('every operation is used: a power that nobody needs is not in the table', () => {
  const used = WebAssembly.Module.imports(wasmModule('tools')).map((i) => `${i.module}.${i.name}`);
  expect(used.sort()).toEqual(OPERATIONS.map((op) => `${op.module}.${op.name}`).sort());
});

test('the modules export what docs/host-abi.md says', () => {
  const namesOf = (name: 'core' | 'tools') =>
    WebAssembly.Module.exports(wasmModule(name))
      .filter(({ name: exported, kind }) => kind !== 'global' || !/^state\.\d+$/.test(exported))
      .map((item) => item.name);
  const documented = ['memory', ABI_MARKER, 'alloc', 'run', 'result_ptr', 'result_len'];
  expect(namesOf('core').sort()).toEqual(documented.toSorted());
  expect(namesOf('tools').sort()).toEqual([...documented, 'task'].sort());
});

test('sim.wasm imports nothing', () => {
  expect(WebAssembly.Module.imports(wasmModule('sim'))).toEqual([]);
});

/** The compiler needs ten seconds; on a machine with other work, minutes. */
const COMPILE_MAX_MS = 300_000;

test(
  'a second build of core.wasm from another folder is the same, byte for byte',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-build-'));
    try {
      const out = join(folder, 'core.wasm');
      const target = ['--config', 'asconfig.json', '--target', 'core', '--baseDir', ROOT];
      const args = ['core-as/core.ts', ...target, '-o', out];
      execFileSync(asc, args, { cwd: ROOT, stdio: 'ignore' });
      expect(readFileSync(out).equals(readFileSync(distPath('core.wasm')))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  COMPILE_MAX_MS,
);
