// SPDX-License-Identifier: Apache-2.0
// `npm run package`: a release for this architecture in dist/release: a tarball, a Debian package,
// SHA256SUMS; with `--image` an OCI image in their place. Runs under any
// Node from 20; it installs and builds what is missing.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../tools/build.mjs';
import { makeImage } from '../tools/image.mjs';
import { makeRelease, timeOf } from '../tools/release.mjs';
import { ROOT, setup } from './setup.mjs';

/** The image of this version. */
function imageOf() {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const archive = join(ROOT, `dist/image/fairlead-${version}-${process.arch}.oci.tar`);
  return makeImage(archive, `fairlead:${version}`, timeOf(process.env));
}

async function main() {
  const args = process.argv.slice(2);
  const image = args.includes('--image');
  const other = args.find((arg) => arg !== '--image');
  if (other !== undefined) throw new Error(`what is "${other}"? There is --image`);
  await setup('install');
  await setup('package');
  await build(['executable', 'native']);
  const made = image ? [imageOf()] : makeRelease(join(ROOT, 'dist/release'));
  for (const path of made) {
    console.log(`${(statSync(path).size / 1e6).toFixed(1).padStart(6)} MB  ${path}`);
  }
}

await main().catch((error) => {
  console.error(`package: ${error.message}`);
  process.exitCode = 1;
});
