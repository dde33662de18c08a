// Builds dist/: core.wasm, sim.wasm, fairlead-core.wasi.wasm, the bundle fairlead.mjs with its
// command line fairlead-cli.js, the single executable fairlead, and the native host. `npm run
// build` builds all, `node scripts/build.mjs core sim …` the named ones.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative, buildNativeArm64 } from './native.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const IMPORTS = 'core-as/host/imports.ts';
const SIMULATED_IMPORTS = 'core-as/sim/imports.ts';

/**
 * Compiles AssemblyScript; `onto_sim` links the core onto the simulated kernel instead of its
 * imports.
 */
async function assemble(target, entry, onto_sim = false) {
  const { default: asc } = await import('assemblyscript/asc');
  const said = [];
  const readFile = (name, base) => {
    const path = join(base, onto_sim && name === IMPORTS ? SIMULATED_IMPORTS : name);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  };
  const sink = { write: (text) => said.push(text) };
  const { error } = await asc.main(
    [entry, '--config', 'asconfig.json', '--target', target, '--baseDir', ROOT],
    { readFile, stderr: sink, stdout: sink },
  );
  const text = said.join('').replace('Last converge was suboptimal.\n', '');
  if (error || text.includes('WARNING')) throw new Error(`asc ${target} failed\n${text}`);
}

async function bundle() {
  const { rollup } = await import('rollup');
  const { default: configs } = await import('../rollup.config.mjs');
  for (const config of configs) {
    const made = await rollup({ ...config, input: join(ROOT, config.input) });
    await made.write({ ...config.output, file: join(ROOT, config.output.file) });
    await made.close();
  }
  chmodSync(join(ROOT, 'dist/fairlead.mjs'), 0o755);
}

/** The Node 26 that npm installed, without its symbols: the same program, a fifth smaller. */
function strippedNode() {
  const path = join(ROOT, 'dist/.node');
  const from = process.execPath;
  if (existsSync(path) && statSync(path).mtimeMs > statSync(from).mtimeMs) return path;
  copyFileSync(from, path);
  try {
    execFileSync('strip', [path], { stdio: 'ignore' });
  } catch {
    // Without binutils the executable is larger and works the same.
  }
  return path;
}

/**
 * Flags of the executable. The first two make Node start an eighth faster; the third leaves out the
 * validation of functions that no call of ours reaches, in a module that is ours. None of
 * NODE_OPTIONS may reach a program that root runs.
 */
const NODE_FLAGS = [
  ...['--no-rehash-snapshot', '--v8-pool-size=0', '--wasm-lazy-validation'],
  '--no-warnings',
];

/** The scripts in the executable, and what they are called when they run. */
const SCRIPTS = { 'dist/.fairlead.js': 'fairlead', 'dist/fairlead-cli.js': 'fairlead-cli' };

function executable() {
  const node = strippedNode();
  for (const [script, name] of Object.entries(SCRIPTS)) {
    const args = ['scripts/code-cache.mjs', script, name, `dist/.${name}.cache`];
    execFileSync(node, [...NODE_FLAGS, ...args], { cwd: ROOT, stdio: 'inherit' });
  }
  const config = {
    main: 'host-node/sea.cjs',
    output: 'dist/.fairlead',
    executable: node,
    disableExperimentalSEAWarning: true,
    execArgv: NODE_FLAGS,
    execArgvExtension: 'none',
    assets: {
      'core.wasm': 'dist/core.wasm',
      'sim.wasm': 'dist/sim.wasm',
      'fairlead.js': 'dist/.fairlead.js',
      'fairlead.cache': 'dist/.fairlead.cache',
      'fairlead-cli.js': 'dist/fairlead-cli.js',
      'fairlead-cli.cache': 'dist/.fairlead-cli.cache',
    },
  };
  const file = join(ROOT, 'dist/.sea.json');
  writeFileSync(file, JSON.stringify(config));
  const stdio = ['ignore', 'ignore', 'inherit'];
  execFileSync(process.execPath, ['--build-sea', file], { cwd: ROOT, stdio });
  renameSync(join(ROOT, 'dist/.fairlead'), join(ROOT, 'dist/fairlead'));
}

const STEPS = {
  core: () => assemble('core', 'core-as/index.ts'),
  sim: () => assemble('sim', 'core-as/sim/index.ts'),
  wasi: () => assemble('wasi', 'core-as/wasi.ts', true),
  'test-lib': () => assemble('test-lib', 'core-as/test/lib.ts'),
  bundle,
  executable,
  native: buildNative,
  'native-arm64': buildNativeArm64,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(STEPS);
mkdirSync(join(ROOT, 'dist'), { recursive: true });
for (const step of wanted) {
  const start_ms = Date.now();
  await STEPS[step]();
  console.log(`built ${step} in ${((Date.now() - start_ms) / 1000).toFixed(1)} s`);
}
