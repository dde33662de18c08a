// SPDX-License-Identifier: Apache-2.0
// Network namespaces and a folder that exist while a function runs and are gone afterwards, however
// it ends: also on an error, Ctrl-C or SIGTERM. Used by the demo and the bench.
// It refuses to touch any namespace it did not make.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './setup.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Where `ip netns` keeps its namespaces. */
const NETNS_DIR = '/run/netns';

/** "" when namespaces can be made here, else what is missing. */
export function sandboxProblem() {
  if (process.getuid() !== 0) return 'making network namespaces needs root';
  if (findProgram('ip') === undefined) return 'making network namespaces needs the program ip';
  if (findProgram('nsenter') === undefined) return 'the program nsenter is not here';
  const name = `fairlead-probe-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  spawnSync('ip', ['netns', 'del', name]);
  return made.status === 0 ? '' : `no network namespace can be made: ${made.stderr.trim()}`;
}

/** The index of leases, see core-as/plugins/ipam/host-local/lease-index.ts. */
const INDEX_DIR = '/run/fairlead/leases';

/** The folder that an index is of; "" when it does not say. */
function indexed(at) {
  try {
    return readFileSync(join(at, 'index'), 'utf8').split('\n')[1] ?? '';
  } catch {
    return '';
  }
}

/** Removes what /run keeps of leases that lie below a folder. */
export function forgetLeases(folder) {
  try {
    for (const name of readdirSync(INDEX_DIR)) {
      const at = join(INDEX_DIR, name);
      if (indexed(at).startsWith(`${folder}/`)) rmSync(at, { recursive: true });
    }
    rmdirSync(INDEX_DIR);
    rmdirSync('/run/fairlead');
  } catch {
    // There is none, or somebody else's is left.
  }
}

/**
 * Makes a namespace for each of `names`, called PREFIX-PID-NAME, and a temporary folder; gives
 * both to `body` and resolves to what it resolves to.
 */
export async function withSandbox(prefix, names, body) {
  const of = (name) => `${prefix}-${process.pid}-${name}`;
  const netns = Object.fromEntries(names.map((name) => [name, join(NETNS_DIR, of(name))]));
  const made = [];
  let folder = '';
  let interrupted = '';
  // Without a listener a signal would end this process before it has cleaned up.
  const remember = (signal) => {
    interrupted = signal;
  };
  for (const signal of SIGNALS) process.on(signal, remember);
  try {
    folder = mkdtempSync(join(tmpdir(), `${prefix}-`));
    for (const name of names) {
      made.push(of(name));
      execFileSync('ip', ['netns', 'add', of(name)]);
    }
    // Lets a signal that came meanwhile be delivered.
    await new Promise(setImmediate);
    if (interrupted !== '') throw new Error(`stopped by ${interrupted}`);
    return await body({ netns, folder });
  } finally {
    for (const name of made) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
    if (folder !== '') {
      forgetLeases(folder);
      rmSync(folder, { recursive: true, force: true });
    }
    for (const signal of SIGNALS) process.off(signal, remember);
  }
}
