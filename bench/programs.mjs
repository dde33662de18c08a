// SPDX-License-Identifier: Apache-2.0
// The programs of the sides that are compared, each in a folder under the names of its CNI types;
// and the two small C programs of the bench, compiled when they are needed.
// It refuses to build Fairlead: scripts/build.mjs does.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findProgram, ROOT } from '../scripts/setup.mjs';

const REFERENCE_DIR = '/usr/lib/cni';
const OWN_TYPE = 'fairlead';
const MULTIARCH = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const COMPILE = ['-O2', '-static', '-Wall', '-Wextra', '-Werror'];

/** The executable of the same Node with nothing to do. */
export const EMPTY = join(ROOT, 'dist/empty');

/** Ours, in the order of the columns. */
export const OURS = {
  native: join(ROOT, 'dist/fairlead-native'),
  node: join(ROOT, 'dist/fairlead'),
};

/** Whether the program of that name serves the type: VERSION asks nothing else of it. */
function knows(bin, type) {
  const program = join(bin, type);
  if (!existsSync(program)) return false;
  const options = { env: { CNI_COMMAND: 'VERSION' }, input: '{"cniVersion":"1.0.0"}' };
  return spawnSync(program, [], options).status === 0;
}

function linked(folder, side, file, types) {
  const bin = join(folder, `bin-${side}`);
  mkdirSync(bin);
  for (const type of [...types, OWN_TYPE]) symlinkSync(file, join(bin, type));
  return bin;
}

/**
 * The sides that are here, `{ name: folder of programs }`, the types that all of them know, and
 * a sentence for each side and type that is left out.
 */
export function findSides(folder, types, alone) {
  const sides = {};
  const left_out = [];
  for (const [side, file] of Object.entries(OURS)) {
    if (existsSync(file)) sides[side] = linked(folder, side, file, [...types, ...alone]);
    else left_out.push(`${basename(file)} is not built: its columns are left out`);
  }
  if (existsSync(join(REFERENCE_DIR, 'bridge'))) sides.reference = REFERENCE_DIR;
  else left_out.push(`no reference plugins in ${REFERENCE_DIR}: their columns are left out`);
  const known = types.filter((type) => {
    const without = Object.keys(sides).filter((side) => !knows(sides[side], type));
    if (without.length > 0) {
      left_out.push(`the type ${type} is not known to ${without.join(', ')}: it is left out`);
    }
    return without.length === 0;
  });
  return { sides, known, left_out };
}

/** Compiles bench/NAME.c; undefined without a compiler. */
export function compile(name, folder) {
  const file = join(folder, name);
  const source = join(ROOT, 'bench', `${name}.c`);
  // musl's headers come without those of the kernel.
  const kernel = ['-idirafter', '/usr/include', '-idirafter', `/usr/include/${MULTIARCH}`];
  for (const [compiler, more] of [
    ['musl-gcc', kernel],
    ['cc', []],
  ]) {
    const program = findProgram(compiler);
    if (program === undefined) continue;
    const args = [...COMPILE, ...more, '-o', file, source];
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${compiler} bench/${name}.c failed:\n${stderr}`);
    return file;
  }
}
