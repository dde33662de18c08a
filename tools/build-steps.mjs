// SPDX-License-Identifier: Apache-2.0
// What dist/ is made of: a row for each step with all that decides what comes of it, and the
// program that makes it. tools/build.mjs goes by this table; it runs nothing itself.

/**
 * @typedef {object} Step
 * @property {readonly string[]} inputs Files, and folders by a slash at the end, from the root of
 *   the clone; one after "!" is not among them. The output of another step makes that one come
 *   first.
 * @property {readonly string[]} outputs Files that it makes.
 * @property {readonly string[]} [npm] npm packages that make it: other versions make it anew.
 * @property {readonly string[]} [programs] Programs that make it otherwise where they are.
 * @property {readonly string[]} [packages] Debian packages of tools/packages.mjs that it needs.
 *   Where one is missing the step is left out.
 * @property {readonly string[]} [architectures] Those of Node, where it can be made.
 * @property {readonly string[]} run The program, run by Node 26 in the root of the clone.
 */

/** A target of asconfig.json. */
const assembled = (target, entry, output, inputs) => ({
  inputs: [
    ...[...inputs, 'asconfig.json'],
    ...['tools/assemble.mjs', 'tools/files.mjs', 'tools/kept-state.mjs'],
  ],
  outputs: [output],
  npm: ['assemblyscript', 'binaryen'],
  run: ['tools/assemble.mjs', target, entry],
});

const WITHOUT_WASI = ['!core-as/wasi.ts', '!core-as/wasi-imports.ts'];
// core-as/dhcp/ is not among them: what a plugin and the daemon say to each other is of both.
const AGENT_ALONE = ['agent.ts', 'agent-panic.ts', 'overlay/'];
const WITHOUT_AGENT = AGENT_ALONE.map((path) => `!core-as/${path}`);
const TOOLS_INPUTS = [
  ...['core-as/', '!core-as/sim/', '!core-as/test/'],
  ...WITHOUT_WASI,
  ...WITHOUT_AGENT,
];
const AGENT_INPUTS = [
  ...AGENT_ALONE.map((path) => `core-as/${path}`),
  ...['core-as/dhcp/', 'core-as/lib/'],
];
const CORE_INPUTS = [...TOOLS_INPUTS, '!core-as/tasks/', '!core-as/tools.ts'];
const SIM_INPUTS = ['core-as/sim/', 'core-as/dhcp/', 'core-as/lib/', 'core-as/nft/'];
const WASI_INPUTS = [
  ...['core-as/', '!core-as/test/', '!core-as/core.ts', '!core-as/tools.ts'],
  ...WITHOUT_AGENT,
];
const TEST_INPUTS = ['core-as/test/', 'core-as/lib/', 'core-as/nft/'];

const NATIVE = ['gcc', 'linux-libc-dev', 'musl-tools', 'wabt'];
const TRANSLATION = ['core.c', 'core.h', 'core-data.c'].map((file) => `dist/.native/${file}`);
const native = (name, packages = []) => ({
  inputs: [...TRANSLATION, 'host-native/', 'scripts/native.mjs'],
  outputs: [`dist/fairlead-${name}`],
  packages: [...NATIVE, ...packages],
  run: ['scripts/native.mjs', name],
});

/**
 * In the order in which steps go that wait for a processor.
 * @type {Readonly<Record<string, Step>>}
 */
export const STEPS = {
  core: assembled('core', 'core-as/core.ts', 'dist/core.wasm', CORE_INPUTS),
  tools: assembled('tools', 'core-as/tools.ts', 'dist/tools.wasm', TOOLS_INPUTS),
  sim: assembled('sim', 'core-as/sim/index.ts', 'dist/sim.wasm', SIM_INPUTS),
  agent: assembled('agent', 'core-as/agent.ts', 'dist/agent.wasm', AGENT_INPUTS),
  translation: {
    inputs: [
      ...['dist/core.wasm', 'scripts/native.mjs', 'scripts/native-core.mjs'],
      ...['scripts/wasm-data.mjs', 'package.json'],
    ],
    outputs: TRANSLATION,
    packages: NATIVE,
    run: ['scripts/native.mjs', 'translation'],
  },
  native: native('native'),
  'native-asan': native('native-asan'),
  'test-lib': assembled('test-lib', 'core-as/test/lib.ts', 'dist/test-lib.wasm', TEST_INPUTS),
  bundle: {
    inputs: ['host-node/', 'agent/', 'package.json', 'rollup.config.mjs', 'tools/bundle.mjs'],
    outputs: ['dist/fairlead.mjs', 'dist/.fairlead.js', 'dist/fairlead-cli.js'],
    npm: ['rollup', `node-linux-${process.arch}`],
    run: ['tools/bundle.mjs', 'bundle'],
  },
  // Of its own, as the packages in it take longer than all the rest.
  kubernetes: {
    inputs: [
      'agent/overlay/sources/kubernetes/',
      ...['backend', 'backoff'].map((name) => `agent/overlay/sources/${name}.ts`),
      ...['agent/overlay/source.ts', 'package-lock.json', 'rollup.config.mjs', 'tools/bundle.mjs'],
    ],
    outputs: ['dist/fairlead-kubernetes.js'],
    npm: [
      ...['rollup', `node-linux-${process.arch}`, '@kubernetes/client-node', 'undici'],
      ...['node-resolve', 'commonjs', 'json'].map((name) => `@rollup/plugin-${name}`),
    ],
    run: ['tools/bundle.mjs', 'kubernetes'],
  },
  page: {
    inputs: [
      ...['dist/core.wasm', 'dist/tools.wasm', 'dist/sim.wasm', 'web/'],
      ...['abi/', 'drivers/', 'picture/', 'recording/', 'story/'].map(
        (name) => `host-node/${name}`,
      ),
      ...['bind.ts', 'core.ts', 'cli/like.ts'].map((name) => `host-node/${name}`),
      ...['tools/page.mjs', 'tools/without-state.mjs', 'tools/files.mjs', 'rollup.config.mjs'],
    ],
    outputs: ['dist/fairlead.html'],
    npm: [
      ...['rollup', `node-linux-${process.arch}`, 'preact', 'fzstd'],
      ...['commands', 'lint', 'state', 'view'].map((name) => `@codemirror/${name}`),
      ...['node-resolve', 'terser', 'commonjs', 'json'].map((name) => `@rollup/plugin-${name}`),
    ],
    run: ['tools/page.mjs'],
  },
  package: {
    inputs: [
      ...['dist/core.wasm', 'dist/tools.wasm', 'dist/sim.wasm', 'host-node/', 'tsconfig.json'],
      ...['package.json', 'LICENSE', 'docs/embedding.md', 'rollup.config.mjs'],
      ...['tools/package.mjs', 'tools/files.mjs'],
    ],
    outputs: ['core.js', 'simulated.js', 'host.js', 'abi.json', 'package.json'].map(
      (file) => `dist/npm/${file}`,
    ),
    npm: ['rollup', 'typescript', `node-linux-${process.arch}`],
    run: ['tools/package.mjs'],
  },
  node: {
    inputs: ['tools/stripped-node.mjs'],
    outputs: ['dist/.node'],
    npm: [`node-linux-${process.arch}`],
    programs: ['strip'],
    run: ['tools/stripped-node.mjs'],
  },
  executable: {
    inputs: [
      ...['dist/core.wasm', 'dist/tools.wasm', 'dist/sim.wasm', 'dist/agent.wasm'],
      ...['dist/.fairlead.js', 'dist/fairlead-cli.js', 'dist/fairlead-kubernetes.js'],
      ...['dist/.node', 'host-node/sea.cjs', 'tools/executable.mjs', 'tools/code-cache.mjs'],
    ],
    outputs: ['dist/fairlead', 'dist/.sea.json'],
    run: ['tools/executable.mjs'],
  },
  'native-arm64': {
    ...native('native-arm64', ['gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross']),
    architectures: ['x64'],
  },
  wasi: assembled('wasi', 'core-as/wasi.ts', 'dist/fairlead-core.wasi.wasm', WASI_INPUTS),
  // Without optimisation, which is most of the time: for `npm run try`.
  'try-tools': assembled('try-tools', 'core-as/tools.ts', 'dist/try/tools.wasm', TOOLS_INPUTS),
  'try-sim': assembled('try-sim', 'core-as/sim/index.ts', 'dist/try/sim.wasm', SIM_INPUTS),
};

/** What `npm run build` makes when nothing is named; the rest only when something asks for it. */
export const ALL = Object.keys(STEPS).filter((name) => !name.startsWith('try-'));
