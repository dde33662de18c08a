// SPDX-License-Identifier: Apache-2.0
// Where a demo is shown: namespaces of links and mounts of its own, with /run, /var/lib and /tmp
// empty, as root or as an ordinary user. It owns how they are made, and that all is built; it
// refuses to know what is shown.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, lacking } from '../../tools/build.mjs';
import { STEPS } from '../../tools/build-steps.mjs';
import { findProgram, ROOT, runNode26 } from '../setup.mjs';

/** Namespaces of links and mounts; of users too where this one is not root. */
const UNSHARE = [
  'unshare',
  ...(process.getuid() === 0 ? [] : ['--user', '--map-root-user']),
  '--net',
  '--mount',
];
/** All that a demo writes lies below these. */
const COVERED = ['/run', '/var/lib', '/tmp'];
const quoted = `'${ROOT.replaceAll("'", "'\\''")}'`;
/**
 * A clone that lies below one of them is put back, from the folder that the shell stands in: by its
 * path mount would find the empty one.
 */
const UNCOVER = COVERED.some((dir) => ROOT.startsWith(`${dir}/`))
  ? [`mkdir -p ${quoted}`, `mount --no-canonicalize --rbind . ${quoted}`, `cd ${quoted}`]
  : [];
const COVER = [
  `cd ${quoted}`,
  ...COVERED.map((dir) => `mount -t tmpfs tmpfs ${dir}`),
  ...UNCOVER,
].join(' && ');
const PROBE = `${COVER} && ip netns add probe`;

/** "" when such namespaces can be made here and the programs are there, else why not. */
export function problem(programs = []) {
  for (const name of ['unshare', 'setpriv', 'ip', 'nsenter', ...programs]) {
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

/** Builds these steps, and the native program where it can be. */
export async function prepare(steps) {
  const native = steps.includes('executable') && lacking(STEPS.native) === '';
  if (mayBuild()) await build([...steps, ...(native ? ['native'] : [])]);
}

/**
 * Runs a script of Node 26 in such namespaces, with the best program that is built. It ends when
 * this process does, also when nobody can hand a signal on any more. That is the last thing set
 * before it starts: the kernel forgets it of who changes powers.
 */
export function show(script) {
  const program = existsSync(join(ROOT, 'dist/fairlead-native')) ? 'fairlead-native' : 'fairlead';
  const start = [...UNSHARE, 'sh', '-c', `${COVER} && exec setpriv --pdeathsig KILL "$0" "$@"`];
  return runNode26(script, [program], start);
}
