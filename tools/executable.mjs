// SPDX-License-Identifier: Apache-2.0
// Makes the single executable: dist/.node, the scripts of the bundle with their bytecode, and the
// modules. It owns the flags that it runs under; what is in the scripts is the bundle's.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = process.cwd();
const NODE = 'dist/.node';

/**
 * Flags of the executable. The first two make Node start an eighth faster; the third leaves out the
 * validation of functions that no call of ours reaches, in a module that is ours. None of
 * NODE_OPTIONS may reach a program that root runs.
 */
const NODE_FLAGS = [
  ...['--no-rehash-snapshot', '--v8-pool-size=0', '--wasm-lazy-validation'],
  '--no-warnings',
  // Neither OPENSSL_CONF nor the machine's openssl.cnf, which can end it before it begins.
  '--openssl-config=/dev/null',
];

/** The scripts in the executable, and what they are called when they run. */
const SCRIPTS = {
  'dist/.fairlead.js': 'fairlead',
  'dist/fairlead-cli.js': 'fairlead-cli',
  'dist/fairlead-kubernetes.js': 'fairlead-kubernetes',
};

/** By which recordings name a module: to hash it in each call would cost more than the call. */
const HASHED = ['core.wasm', 'tools.wasm'];

/** The hash of a module beside it; gives the asset. */
function hashed(name) {
  const file = `dist/.${name}.sha256`;
  const module = readFileSync(join(ROOT, 'dist', name));
  writeFileSync(join(ROOT, file), createHash('sha256').update(module).digest('hex'));
  return [`${name}.sha256`, file];
}

function executable() {
  for (const [script, name] of Object.entries(SCRIPTS)) {
    const args = ['tools/code-cache.mjs', script, name, `dist/.${name}.cache`];
    execFileSync(NODE, [...NODE_FLAGS, ...args], { cwd: ROOT, stdio: 'inherit' });
  }
  const config = {
    main: 'host-node/sea.cjs',
    output: 'dist/.fairlead',
    executable: NODE,
    disableExperimentalSEAWarning: true,
    execArgv: NODE_FLAGS,
    execArgvExtension: 'none',
    assets: {
      'core.wasm': 'dist/core.wasm',
      'tools.wasm': 'dist/tools.wasm',
      'sim.wasm': 'dist/sim.wasm',
      'agent.wasm': 'dist/agent.wasm',
      ...Object.fromEntries(HASHED.map(hashed)),
      'fairlead.js': 'dist/.fairlead.js',
      'fairlead.cache': 'dist/.fairlead.cache',
      'fairlead-cli.js': 'dist/fairlead-cli.js',
      'fairlead-cli.cache': 'dist/.fairlead-cli.cache',
      'fairlead-kubernetes.js': 'dist/fairlead-kubernetes.js',
      'fairlead-kubernetes.cache': 'dist/.fairlead-kubernetes.cache',
    },
  };
  const file = join(ROOT, 'dist/.sea.json');
  writeFileSync(file, JSON.stringify(config));
  const stdio = ['ignore', 'ignore', 'inherit'];
  execFileSync(process.execPath, ['--build-sea', file], { cwd: ROOT, stdio });
  renameSync(join(ROOT, 'dist/.fairlead'), join(ROOT, 'dist/fairlead'));
}

executable();
