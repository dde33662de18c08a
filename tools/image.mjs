// SPDX-License-Identifier: Apache-2.0
// Makes an OCI image of what is built: the programs, nft, which the agent runs, and the libraries
// that both load, from this machine; podman builds it from scratch. It refuses to push it anywhere.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
  for (const path of new Set([
    ...librariesOf(join(ROOT, 'dist/fairlead')),
    ...librariesOf(program),
  ])) {
    place(path, root, path);
  }
  const plain = 0o644;
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
