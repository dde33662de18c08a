// SPDX-License-Identifier: Apache-2.0
// `npm run demo`: what Fairlead does, shown on the real kernel in namespaces that exist only
// meanwhile, as root or as an ordinary user. Runs under any Node from 20; it installs and builds.
// What is shown is demo/story.mjs, run by Node 26 inside namespaces of its own, so that nothing of
// this machine's own network, /run or /var/lib is touched.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, lacking } from '../tools/build.mjs';
import { STEPS } from '../tools/build-steps.mjs';
import { findProgram, ROOT, runNode26, setup } from './setup.mjs';

/** Namespaces of links and mounts; of users too where this one is not root. */
const UNSHARE = [
  'unshare',
  ...(process.getuid() === 0 ? [] : ['--user', '--map-root-user']),
  '--net',
  '--mount',
];
/** All that the demo writes lies below these. */
const COVERED = ['/run', '/var/lib', '/tmp'];
const COVER = COVERED.map((dir) => `mount -t tmpfs tmpfs ${dir}`).join(' && ');
const PROBE = `${COVER} && ip netns add probe`;

/** "" when such namespaces can be made here, else why not. */
function problem() {
  for (const name of ['unshare', 'ip', 'nsenter']) {
    if (findProgram(name) === undefined) return `the program ${name} is not here`;
  }
  const [program, ...args] = UNSHARE;
  const made = spawnSync(program, [...args, 'sh', '-c', PROBE], { encoding: 'utf8' });
  return made.status === 0 ? '' : `no namespaces can be made: ${made.stderr.trim()}`;
}

/** Whether this user may write in dist/: a build by root leaves it to root. */
function mayBuild() {
  const dist = join(ROOT, 'dist');
  if (!existsSync(dist)) return true;
  try {
    accessSync(dist, constants.W_OK);
    return true;
  } catch {
    console.log('demo: dist/ belongs to another user: showing what lies there already');
    return false;
  }
}

/** Resolves to the exit code: 0 when all that was shown held. */
async function demo() {
  await setup('demo');
  const why = problem();
  const native = lacking(STEPS.native) === '';
  const steps = why === '' ? ['executable', ...(native ? ['native'] : [])] : ['core', 'sim'];
  if (mayBuild()) await build(steps);
  if (why !== '') return runNode26('scripts/demo/simulated.mjs', [why]);
  const program = existsSync(join(ROOT, 'dist/fairlead-native')) ? 'fairlead-native' : 'fairlead';
  const start = [...UNSHARE, 'sh', '-c', `${COVER} && exec "$0" "$@"`];
  return runNode26('scripts/demo/story.mjs', [program], start);
}

process.exitCode = await demo().catch((error) => {
  console.error(`demo: ${error.message}`);
  return 1;
});
