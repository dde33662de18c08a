// SPDX-License-Identifier: Apache-2.0
// Makes an OCI image of what is built: the programs, nft, which the agent runs, and the libraries
// that both load, from this machine, with their licences; podman builds it from scratch. It refuses
// to push it anywhere, and to ship what it finds no licence of.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROGRAMS = ['fairlead', 'fairlead-native'];
const DOCUMENTS = ['LICENSE', 'NOTICE'];
const LIB = 'opt/fairlead';
const EXECUTABLE = 0o755;

/** The libraries of a program, and what loads them: paths of this machine. */
function librariesOf(program) {
  const said = execFileSync('ldd', [program], { encoding: 'utf8' });
  const missing = /^\s*(\S+) => not found/m.exec(said);
  if (missing !== null) throw new Error(`${program} needs ${missing[1]}, which is not here`);
  return [...said.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path);
}

function place(from, root, path, mode = EXECUTABLE) {
  const at = join(root, path);
  mkdirSync(dirname(at), { recursive: true });
  copyFileSync(from, at);
  chmodSync(at, mode);
}

/** The package of Debian that a file is of; dpkg knows it by its path before or after usrmerge. */
function packageOf(path) {
  const paths = [path, realpathSync(path)].flatMap((one) => [one, one.replace(/^\/usr/, '')]);
  for (const one of paths) {
    try {
      const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
      return execFileSync('dpkg-query', ['--search', one], options).split(':')[0];
    } catch {
      // Not by that path.
    }
  }
  throw new Error(
    `${path} is of no package of Debian: the image is made of such, for the licences`,
  );
}

/** Files that say under which licences some programs and libraries are. */
function licencesOf(files) {
  const names = [...new Set(files.map(packageOf))];
  const said = names.map((name) => `/usr/share/doc/${name}/copyright`);
  const texts = said.map((path) => readFileSync(path, 'utf8')).join('\n');
  // What those texts do not repeat.
  const common = texts.match(/\/usr\/share\/common-licenses\/[A-Za-z]+(?:-\d+(?:\.\d+)?)?/g) ?? [];
  return [...said, ...new Set(common)];
}

function nft() {
  try {
    return execFileSync('sh', ['-c', 'command -v nft'], { encoding: 'utf8' }).trim();
  } catch {
    throw new Error('the image has nft in it: install the package nftables');
  }
}

/** Lays the image out in a folder. */
function layOut(root) {
  const program = nft();
  for (const name of PROGRAMS) place(join(ROOT, 'dist', name), root, `${LIB}/${name}`);
  place(program, root, 'usr/sbin/nft');
  const libraries = new Set([...librariesOf(join(ROOT, 'dist/fairlead')), ...librariesOf(program)]);
  for (const path of libraries) place(path, root, path);
  const plain = 0o644;
  for (const path of licencesOf([program, ...libraries])) place(path, root, path, plain);
  for (const name of DOCUMENTS) place(join(ROOT, name), root, `${LIB}/${name}`, plain);
}

/** Writes the image into an OCI archive; `tag` is its name there. */
export function makeImage(archive, tag, time_s) {
  const work = mkdtempSync(join(tmpdir(), 'fairlead-image-'));
  // A store of its own: what podman has on this machine is nobody's business here.
  const store = ['--root', join(work, 'store'), '--runroot', join(work, 'run')];
  const podman = (...words) =>
    execFileSync(
      'podman',
      [...store, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', ...words],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
  try {
    const context = join(work, 'context');
    layOut(join(context, 'root'));
    const file = join(ROOT, 'packaging/image/Containerfile');
    const words = ['--isolation', 'chroot', '--timestamp', String(time_s), '--quiet'];
    podman('build', ...words, '--file', file, '--tag', tag, context);
    mkdirSync(dirname(archive), { recursive: true });
    rmSync(archive, { force: true });
    podman('save', '--quiet', '--format', 'oci-archive', '--output', archive, tag);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return archive;
}
