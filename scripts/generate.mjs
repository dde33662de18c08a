// SPDX-License-Identifier: Apache-2.0
// Writes the files made from host-node/abi/: declarations, classes and faces of the core, stand-ins
// and writers of the simulated kernel, headers and glue of the native host, and docs/host-abi.md. A
// test compares them with what lies in the tree.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { coreFiles } from '../tools/generate/core.mjs';
import { nativeFiles } from '../tools/generate/native.mjs';
import { reference } from '../tools/generate/reference.mjs';
import { simFiles } from '../tools/generate/sim.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Every generated file: path from the project's root, and its text. */
export const generated = () => ({
  ...coreFiles(),
  ...simFiles(),
  ...nativeFiles(),
  'docs/host-abi.md': reference(),
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(generated())) {
    let old = '';
    try {
      old = readFileSync(ROOT + path, 'utf8');
    } catch {
      // A first run has no file to compare with.
    }
    if (old !== text) {
      writeFileSync(ROOT + path, text);
      console.log(`wrote ${path}`);
    }
  }
}
