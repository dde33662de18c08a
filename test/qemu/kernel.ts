// SPDX-License-Identifier: Apache-2.0
// The kernel of Debian's package linux-image-amd64, which nodes run: as it is installed, or
// downloaded and unpacked in a folder of its own. It refuses to install anything on this machine.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = 'linux-image-amd64';
const CACHE = join(ROOT, 'node_modules/.cache/fairlead-kernel');

export interface Kernel {
  readonly release: string;
  readonly image: string;
  /** Where its lib/modules lies. */
  readonly base: string;
}

function run(program: string, args: readonly string[], cwd = ROOT): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8' });
}

/** The package that the other one stands for, such as linux-image-6.1.0-56-amd64. */
function packageName(): string {
  const told = run('apt-cache', ['depends', '--important', PACKAGE]);
  const name = /Depends: (linux-image-\S+)/.exec(told)?.[1];
  if (name === undefined) throw new Error(`apt knows no ${PACKAGE}: run apt-get update`);
  return name;
}

const at = (base: string, release: string): Kernel => ({
  release,
  image: join(base, 'boot', `vmlinuz-${release}`),
  base,
});
const isWhole = ({ image, base, release }: Kernel): boolean =>
  existsSync(image) && existsSync(join(base, 'lib/modules', release, 'modules.dep'));

/** Downloads and unpacks the package; the folder gets its name when all is in it. */
function download(name: string, kernel: Kernel): void {
  const part = `${kernel.base}.part`;
  rmSync(CACHE, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name], part);
  const deb = readdirSync(part).find((file) => file.endsWith('.deb')) ?? '';
  run('dpkg-deb', ['-x', deb, '.'], part);
  rmSync(join(part, deb));
  run('depmod', ['-b', part, kernel.release]);
  renameSync(part, kernel.base);
}

/** Debian's kernel for this machine's release; `say` is told of a download. */
export function debianKernel(say: (line: string) => void): Kernel {
  const name = packageName();
  const release = name.slice('linux-image-'.length);
  const installed = at('/', release);
  if (isWhole(installed)) return installed;
  const cached = at(join(CACHE, name), release);
  if (!isWhole(cached)) {
    say(`downloading ${name} (70 MB, once)`);
    download(name, cached);
  }
  return cached;
}

/** Paths of modules and of all that they use, each after what it uses. */
export function modulesOf({ base, release }: Kernel, names: readonly string[]): string[] {
  const lines = names.flatMap((name) =>
    run('modprobe', ['--show-depends', '-d', base, '-S', release, name]).trim().split('\n'),
  );
  const paths = lines.flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []);
  return [...new Set(paths)];
}
