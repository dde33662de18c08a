// SPDX-License-Identifier: Apache-2.0
// Makes what is installed on a node out of dist/: a tarball, a Debian package, and their checksums.
// The same input gives the same bytes: names are sorted, owners are root, times are one time. It
// refuses to build programs, and to put anything into a package that is not named here.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Debian's words for Node's. */
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };
/** Where units look for the program, and where the package has it. */
const [UNIT_PROGRAM, LIB] = ['/opt/cni/bin/fairlead', '/usr/lib/fairlead'];
const UNITS = ['fairlead-agent.service', 'fairlead-dhcp.service', 'fairlead-dhcp.socket'];
const MAINTAINER = 'Fairlead maintainers <fairlead@localhost.localdomain>';
const EXECUTABLE = 0o755;
const PLAIN = 0o644;

const read = (path) => readFileSync(join(ROOT, path), 'utf8');

/** Files below a folder, with those of folders in it, sorted. */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Files below a folder of the source, sorted: those that git knows, so that what else lies in a
 * clone stays out. Where git knows none (an unpacked archive) all of them, and that is told.
 */
export function sources(folder, root = ROOT, tell = console.error) {
  const words = ['-C', join(root, folder), 'ls-files', '-z'];
  const listed = spawnSync('git', words, { encoding: 'utf8' });
  const names = (listed.stdout ?? '').split('\0').filter((name) => name !== '');
  if (listed.status === 0 && names.length > 0) return names.sort();
  const why = (listed.error?.message ?? listed.stderr).trim() || 'it knows none of them';
  tell(`package: all files of ${folder} are taken, since git does not say which: ${why}`);
  return filesBelow(join(root, folder));
}

/** A folder that becomes an archive. */
class Tree {
  constructor(folder) {
    this.folder = folder;
  }
  write(path, content, mode = PLAIN) {
    const at = join(this.folder, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, content);
    chmodSync(at, mode);
  }
  copy(from, path, mode = PLAIN) {
    const at = join(this.folder, path);
    mkdirSync(dirname(at), { recursive: true });
    copyFileSync(join(ROOT, from), at);
    chmodSync(at, mode);
  }
  copyAll(from, path, mode = PLAIN) {
    for (const name of sources(from)) this.copy(join(from, name), join(path, name), mode);
  }
  link(to, path) {
    const at = join(this.folder, path);
    mkdirSync(dirname(at), { recursive: true });
    symlinkSync(to, at);
  }
  /** One time for everything; folders may be entered by all, whatever the umask is. */
  settle(time_s) {
    const entries = readdirSync(this.folder, { recursive: true, withFileTypes: true });
    const paths = entries.map((entry) => join(entry.parentPath, entry.name));
    for (const path of [...paths, this.folder].sort().reverse()) {
      if (lstatSync(path).isDirectory()) chmodSync(path, EXECUTABLE);
      lutimesSync(path, time_s, time_s);
    }
  }
}

/** The time of everything in a release: the environment's, else that of the last commit. */
export function timeOf(env) {
  const given = env.SOURCE_DATE_EPOCH;
  if (given !== undefined) {
    if (!/^\d+$/.test(given)) throw new Error(`SOURCE_DATE_EPOCH is "${given}": write seconds`);
    return Number(given);
  }
  const words = ['log', '-1', '--format=%ct'];
  return Number(execFileSync('git', words, { cwd: ROOT, encoding: 'utf8' }).trim());
}

/** docs/fairlead.8.md as a page of man(7). */
function manual() {
  const text = read('docs/fairlead.8.md')
    .replace(/^# .*\n/, '% FAIRLEAD 8\n')
    .replaceAll(/^## /gm, '# ');
  return execFileSync('go-md2man', { input: text });
}

/** What dpkg calls a changelog: it names the version, and where its changes are told. */
function debianChangelog({ version, time_s }) {
  // As RFC 5322 has it, but for the name of the zone.
  const date = new Date(time_s * 1000).toUTCString().replace('GMT', '+0000');
  return `fairlead (${version}) unstable; urgency=medium

  * What changed is in CHANGELOG.md.gz.

 -- ${MAINTAINER}  ${date}
`;
}

/** The programs of a build; an Error names one that is missing. */
function programs() {
  for (const name of ['fairlead', 'fairlead-native']) {
    if (!existsSync(join(ROOT, 'dist', name))) {
      throw new Error(`dist/${name} is not there: npm run build, which says what is missing`);
    }
  }
}

function tarball(out, work, { version, architecture, time_s }) {
  const name = `fairlead-${version}-linux-${architecture}`;
  const tree = new Tree(join(work, name));
  for (const program of ['fairlead', 'fairlead-native']) {
    tree.copy(`dist/${program}`, program, EXECUTABLE);
  }
  for (const text of ['LICENSE', 'NOTICE', 'README.md', 'CHANGELOG.md']) tree.copy(text, text);
  tree.copyAll('docs', 'docs');
  tree.write('man/fairlead.8', manual());
  tree.copyAll('deploy', 'deploy');
  for (const unit of UNITS) tree.copy(`packaging/systemd/${unit}`, `systemd/${unit}`);
  tree.copy('packaging/agent.json', 'examples/agent.json');
  tree.settle(time_s);
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  const path = join(out, `${name}.tar`);
  execFileSync('tar', [...same, '-C', work, '-cf', path, name]);
  // Neither name nor time of the tar is in it.
  execFileSync('gzip', ['-n', '-6', '-f', path]);
  return `${path}.gz`;
}

/** What DEBIAN/ of the package has: who it is, and sums of its files. */
function control(tree, facts) {
  const files = filesBelow(tree.folder).filter((path) => !path.startsWith('DEBIAN/'));
  const regular = files.filter((path) => lstatSync(join(tree.folder, path)).isFile());
  const bytes = regular.reduce((sum, path) => sum + statSync(join(tree.folder, path)).size, 0);
  const sums = regular.map((path) => {
    const sum = createHash('md5')
      .update(readFileSync(join(tree.folder, path)))
      .digest('hex');
    return `${sum}  ${path}\n`;
  });
  const text = read('packaging/deb/control')
    .replace('@VERSION@', facts.version)
    .replace('@ARCHITECTURE@', facts.architecture)
    .replace('@MAINTAINER@', MAINTAINER)
    .replace('@INSTALLED_KB@', String(Math.ceil(bytes / 1024)));
  tree.write('DEBIAN/control', text);
  tree.write('DEBIAN/md5sums', sums.join(''));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    tree.copy(`packaging/deb/${script}`, `DEBIAN/${script}`, EXECUTABLE);
  }
}

/** By the program: the bytes of Node's own change with its version. */
const zipped = (content) => execFileSync('gzip', ['-n', '-9'], { input: content });

const copyright = () => `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: fairlead

Files: *
Copyright: 2026 The Fairlead Authors
License: Apache-2.0
 On Debian systems the text of the license is in /usr/share/common-licenses/Apache-2.0.
Comment:
${read('NOTICE')
  .trimEnd()
  .split('\n')
  .map((line) => (line === '' ? ' .' : ` ${line}`))
  .join('\n')}
`;

function debianPackage(out, work, facts) {
  const tree = new Tree(join(work, 'deb'));
  for (const program of ['fairlead', 'fairlead-native']) {
    tree.copy(`dist/${program}`, `${LIB}/${program}`, EXECUTABLE);
  }
  tree.link('../lib/fairlead/fairlead', 'usr/bin/fairlead');
  for (const unit of UNITS) {
    const text = read(`packaging/systemd/${unit}`).replaceAll(UNIT_PROGRAM, `${LIB}/fairlead`);
    tree.write(`usr/lib/systemd/system/${unit}`, text);
  }
  const doc = 'usr/share/doc/fairlead';
  tree.write(`${doc}/copyright`, copyright());
  tree.write(`${doc}/changelog.gz`, zipped(debianChangelog(facts)));
  tree.write(`${doc}/CHANGELOG.md.gz`, zipped(read('CHANGELOG.md')));
  tree.write('usr/share/man/man8/fairlead.8.gz', zipped(manual()));
  tree.copyAll('docs', doc);
  tree.copyAll('deploy', `${doc}/examples`);
  tree.copy('packaging/agent.json', `${doc}/examples/agent.json`);
  tree.copy('packaging/deb/overrides', 'usr/share/lintian/overrides/fairlead');
  control(tree, facts);
  tree.settle(facts.time_s);
  const path = join(out, `fairlead_${facts.version}_${facts.architecture}.deb`);
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(facts.time_s) };
  execFileSync('dpkg-deb', ['-Zgzip', '--root-owner-group', '--build', tree.folder, path], { env });
  return path;
}

/** Writes a release into a folder, which it empties; the paths of its files. */
export function makeRelease(out, env = process.env) {
  programs();
  const { version } = JSON.parse(read('package.json'));
  const architecture = ARCHITECTURES[process.arch];
  const facts = { version, architecture, time_s: timeOf(env) };
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'fairlead-release-'));
  try {
    const made = [tarball(out, work, facts), debianPackage(out, work, facts)].sort();
    const sums = made.map((path) => {
      const sum = createHash('sha256').update(readFileSync(path)).digest('hex');
      return `${sum}  ${relative(out, path)}\n`;
    });
    writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
    return [...made, join(out, 'SHA256SUMS')];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
