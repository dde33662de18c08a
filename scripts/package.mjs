// SPDX-License-Identifier: Apache-2.0
// `npm run package`: a release for this architecture in dist/release: a tarball, a Debian package,
// SHA256SUMS. Runs under any Node from 20; it installs and builds what is missing.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../tools/build.mjs';
import { makeRelease } from '../tools/release.mjs';
import { ROOT, setup } from './setup.mjs';

async function main() {
  await setup('install');
  await setup('package');
  await build(['executable', 'native']);
  for (const path of makeRelease(join(ROOT, 'dist/release'))) {
    console.log(`${(statSync(path).size / 1e6).toFixed(1).padStart(6)} MB  ${path}`);
  }
}

await main().catch((error) => {
  console.error(`package: ${error.message}`);
  process.exitCode = 1;
});
