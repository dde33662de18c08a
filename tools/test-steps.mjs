// SPDX-License-Identifier: Apache-2.0
// Which steps of the build each test needs: `npm test -- PATH` builds those of PATH. A test that
// uses more is told so when it does (test/support/wasm.ts). It builds nothing.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ALL } from './build-steps.mjs';

const HOSTS = ['executable', 'native'];
const IN_MEMORY = ['core', 'tools', 'sim'];

/** In place of IN_MEMORY under `npm run try`: the tools do what the core does. */
export const TRIED = ['try-tools', 'try-sim'];

/** By the beginning of the path: the first row that fits says it, and without one it is all. */
const ROWS = [
  ['test/abi/', IN_MEMORY],
  ['test/cli/install', [...IN_MEMORY, ...HOSTS, 'bundle']],
  ['test/cli/', IN_MEMORY],
  ['test/core/wasi', [...IN_MEMORY, 'wasi']],
  ['test/core/', IN_MEMORY],
  ['test/dhcp/dnsmasq', [...IN_MEMORY, 'agent', 'bundle', ...HOSTS]],
  ['test/dhcp/ipv6', [...IN_MEMORY, 'agent', 'bundle', ...HOSTS]],
  ['test/dhcp/types', [...IN_MEMORY, 'agent', 'bundle', ...HOSTS]],
  ['test/dhcp/flags', [...IN_MEMORY, 'agent', 'bundle', ...HOSTS]],
  ['test/dhcp/', ['agent']],
  ['test/overlay/script', [...IN_MEMORY, 'agent', 'bundle', 'kubernetes', ...HOSTS]],
  ['test/overlay/', ['agent']],
  ['test/docs/', [...IN_MEMORY, 'wasi']],
  ['test/drivers/', IN_MEMORY],
  ['test/e2e/overlay', [...IN_MEMORY, 'agent', 'kubernetes', ...HOSTS]],
  ['test/e2e/runner', [...IN_MEMORY, 'executable', 'bundle']],
  ['test/e2e/', [...IN_MEMORY, ...HOSTS, 'bundle']],
  ['test/embedding/', [...IN_MEMORY, 'wasi', 'package']],
  ['test/fixtures/native-variants', [...IN_MEMORY, 'native', 'native-asan', 'native-arm64']],
  ['test/fixtures/native', [...IN_MEMORY, 'native']],
  ['test/fixtures/', IN_MEMORY],
  ['test/fuzz/', [...IN_MEMORY, 'agent', 'executable']],
  ['test/leases/', IN_MEMORY],
  ['test/lib/', ['test-lib']],
  ['test/native/linger', [...IN_MEMORY, ...HOSTS]],
  ['test/native/lock', [...IN_MEMORY, ...HOSTS]],
  ['test/native/program', ['native', 'native-asan', 'native-arm64']],
  ['test/native/', [...IN_MEMORY, 'test-lib', 'native', 'translation']],
  ['test/recording/', IN_MEMORY],
  ['test/sequences/native', [...IN_MEMORY, 'translation']],
  ['test/sequences/', IN_MEMORY],
  ['test/sim/', [...IN_MEMORY, 'test-lib']],
  ['test/support/', []],
  ['test/tidy/', []],
  ['test/tools/release', [...IN_MEMORY, 'agent', 'kubernetes', ...HOSTS]],
  ['test/tools/image', [...IN_MEMORY, 'agent', 'kubernetes', ...HOSTS]],
  ['test/tools/', []],
  ['test/web/page', [...IN_MEMORY, 'page']],
  ['test/web/', IN_MEMORY],
  ['test/uml/device', ['native']],
  ['test/uml/geneve', ['agent', ...HOSTS]],
  ['test/uml/', [...IN_MEMORY, 'test-lib']],
];

/** The steps that a test file needs; `path` is from the root of the clone. */
export function stepsOf(path) {
  return ROWS.find(([start]) => path.startsWith(start))?.[1] ?? ALL;
}

/** The steps for all tests whose paths hold one of these words, as vitest looks for them. */
export function stepsFor(root, words) {
  const files = readdirSync(join(root, 'test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name}`);
  const wanted = files.filter(
    (path) => words.length === 0 || words.some((word) => join(root, path).includes(word)),
  );
  return ALL.filter((step) => wanted.some((path) => stepsOf(path).includes(step)));
}
