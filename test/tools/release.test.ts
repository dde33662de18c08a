// SPDX-License-Identifier: Apache-2.0
// What `npm run package` makes: the same bytes for the same input, and programs that run from where
// they are unpacked or installed to. It installs into a folder, never on this machine.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeRelease, sources } from '../../tools/release.mjs';
import { needsRelease, needsRoot } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-release-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...path: string[]): string => join(folder, ...path);

/** Some 250 MB are packed, which a busy machine takes its time for. */
const PATIENCE_MS = 300_000;
const VERSION = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  .version as string;
const UNITS = ['fairlead-agent.service', 'fairlead-dhcp.service', 'fairlead-dhcp.socket'];
const has = (program: string): boolean => spawnSync('which', [program]).status === 0;
const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } });

/** The programs of a folder: a command line, and a plugin that says which versions it speaks. */
function expectPrograms(commandLine: string, native: string): void {
  expect(run(commandLine, 'version')).toContain(`fairlead ${VERSION}\n`);
  expect(run(commandLine, 'agent', '--help')).toContain('fairlead agent status');
  const link = join(mkdtempSync(at('link-')), 'bridge');
  execFileSync('ln', ['-s', native, link]);
  // VERSION leaves standard input unread.
  const env = { CNI_COMMAND: 'VERSION' };
  const said = execFileSync(link, [], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(JSON.parse(said).supportedVersions).toContain('1.1.0');
  const bin = mkdtempSync(at('bin-'));
  run(commandLine, 'install', '--bin-dir', bin, '--types', 'bridge', '--host', 'native');
  expect(readdirSync(bin)).toEqual(expect.arrayContaining(['bridge', 'fairlead', 'fairlead-cli']));
}

/** Writes a file, or with `to` a link, and its folder. */
function place(path: string, content: string, to = ''): void {
  mkdirSync(dirname(path), { recursive: true });
  if (to === '') writeFileSync(path, content, { mode: 0o755 });
  else symlinkSync(to, path);
}

describe('what a release has of a folder', () => {
  const clone = at('clone');
  const git = (...args: string[]): string => run('git', '-C', clone, ...args);

  test('are the files that git knows; without git all, and that is told', () => {
    for (const name of ['known.md', 'deep/known too.md', 'stray.md']) {
      place(join(clone, 'docs', name), name);
    }
    const told: string[] = [];
    const tell = (line: string): unknown => told.push(line);
    const all = ['deep/known too.md', 'known.md', 'stray.md'];
    expect(sources('docs', clone, tell)).toEqual(all);
    expect(told).toEqual([expect.stringContaining('all files of docs are taken')]);
    git('init', '--quiet');
    git('add', 'docs/known.md', 'docs/deep');
    expect(sources('docs', clone, tell)).toEqual(all.slice(0, 2));
    expect(told).toHaveLength(1);
  });
});

describe.skipIf(needsRelease !== '')(`a release ${needsRelease}`, () => {
  const env = { SOURCE_DATE_EPOCH: '1700000000' };
  let files: string[] = [];
  const the = (ending: string): string => files.find((path) => path.endsWith(ending)) ?? '';
  beforeAll(() => {
    files = makeRelease(at('one'), env);
  }, PATIENCE_MS);

  test(
    'of the same input has the same bytes, whatever the umask',
    () => {
      const umask = process.umask(0o077);
      try {
        makeRelease(at('two'), env);
      } finally {
        process.umask(umask);
      }
      const sums = readFileSync(at('one', 'SHA256SUMS'), 'utf8');
      expect(readFileSync(at('two', 'SHA256SUMS'), 'utf8')).toBe(sums);
      execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: at('one') });
      expect(sums.trim().split('\n')).toHaveLength(files.length - 1);
      expect(readdirSync(at('one')).sort()).toEqual(files.map((path) => basename(path)).sort());
    },
    PATIENCE_MS,
  );

  test('is packed by the program gzip, so that no version of Node changes a byte', () => {
    run('dpkg-deb', '--extract', the('.deb'), at('extracted'));
    const packed = run('find', at('extracted'), '-name', '*.gz').trim().split('\n');
    expect(packed).toHaveLength(3);
    for (const path of packed) {
      const bytes = readFileSync(path);
      const again = execFileSync('gzip', ['-n', '-9'], { input: gunzipSync(bytes) });
      expect([basename(path), again.equals(bytes)]).toEqual([basename(path), true]);
    }
  });

  test('refuses a time that is none', () => {
    expect(() => makeRelease(at('three'), { SOURCE_DATE_EPOCH: 'now' })).toThrow('write seconds');
    expect(existsSync(at('three'))).toBe(false);
  });

  test('as a tarball: one folder, all of it root’s, and its programs run', () => {
    mkdirSync(at('unpacked'));
    run('tar', '-xzf', the('.tar.gz'), '-C', at('unpacked'));
    const [name = '', ...more] = readdirSync(at('unpacked'));
    expect([name.startsWith(`fairlead-${VERSION}-linux-`), more]).toEqual([true, []]);
    const listed = run('tar', '--numeric-owner', '-tvzf', the('.tar.gz')).trim().split('\n');
    for (const line of listed) expect(line).toMatch(/^[d-]rw[x-]r-[x-]r-[x-] 0\/0 .* 2023-11-14 /);
    expectPrograms(at('unpacked', name, 'fairlead'), at('unpacked', name, 'fairlead-native'));
    const doc = readFileSync(at('unpacked', name, 'docs/overlay.md'), 'utf8');
    expect(doc).toContain('# Across machines');
  });

  test.skipIf(needsRoot !== '')(
    `as a package: installed into a folder, run, removed ${needsRoot}`,
    () => {
      const root = at('root');
      for (const dir of ['info', 'updates', 'triggers']) {
        mkdirSync(join(root, 'var/lib/dpkg', dir), { recursive: true });
      }
      execFileSync('touch', [join(root, 'var/lib/dpkg/status')]);
      const dpkg = (...args: string[]): string =>
        run('dpkg', `--root=${root}`, '--force-script-chrootless', '--force-depends', ...args);
      dpkg('--install', the('.deb'));
      expect(dpkg('--verify', 'fairlead')).toBe('');
      expectPrograms(
        join(root, 'usr/bin/fairlead'),
        join(root, 'usr/lib/fairlead/fairlead-native'),
      );
      const units = join(root, 'usr/lib/systemd/system');
      expect(readdirSync(units).sort()).toEqual(UNITS);
      for (const unit of UNITS.filter((name) => name.endsWith('.service'))) {
        const [, program = ''] =
          /^ExecStart=(\S+)/m.exec(readFileSync(join(units, unit), 'utf8')) ?? [];
        expect([unit, existsSync(join(root, program))]).toEqual([unit, true]);
      }
      const verified = spawnSync(
        'systemd-analyze',
        [`--root=${root}`, 'verify', '--man=no', ...UNITS],
        {
          encoding: 'utf8',
        },
      );
      if (verified.error === undefined)
        expect(verified.stderr).not.toMatch(/\.(service|socket):\d+:/);
      const manual = run('man', '-l', '-P', 'cat', join(root, 'usr/share/man/man8/fairlead.8.gz'));
      expect(manual).toMatch(/^NAME\n +fairlead - CNI plugins/m);
      const etc = (path: string): string => join(root, 'etc/systemd/system', path);
      for (const unit of UNITS) {
        place(etc(`multi-user.target.wants/${unit}`), '', `/usr/lib/systemd/system/${unit}`);
      }
      place(
        etc('a.target.wants/fairlead-agent.service'),
        '',
        '/lib/systemd/system/fairlead-agent.service',
      );
      // Of somebody else: another's unit, and one of the operator's own that has our name.
      place(etc('multi-user.target.wants/ssh.service'), '', '/usr/lib/systemd/system/ssh.service');
      place(etc('fairlead-dhcp.service'), '[Unit]');
      place(
        etc('b.target.wants/fairlead-dhcp.service'),
        '',
        '/etc/systemd/system/fairlead-dhcp.service',
      );
      dpkg('--remove', 'fairlead');
      expect(readdirSync(etc('multi-user.target.wants'))).toHaveLength(UNITS.length + 1);
      dpkg('--purge', 'fairlead');
      const left = readdirSync(root, { recursive: true, encoding: 'utf8' });
      expect(left.filter((path) => path.includes('fairlead')).sort()).toEqual([
        'etc/systemd/system/b.target.wants/fairlead-dhcp.service',
        'etc/systemd/system/fairlead-dhcp.service',
      ]);
      expect(readdirSync(etc('multi-user.target.wants'))).toEqual(['ssh.service']);
    },
  );

  test.skipIf(needsRoot !== '').each([
    ['postinst', ['configure', ''], ['daemon-reload']],
    ['postinst', ['configure', '0.0.9'], ['daemon-reload', 'try-restart fairlead-agent.service']],
    ['postrm', ['remove'], ['daemon-reload']],
    ['postrm', ['upgrade', '0.2.0'], []],
  ])(`%s %j tells systemd, where it runs ${needsRoot}`, (script, words, told) => {
    run('dpkg-deb', '--control', the('.deb'), at('control'));
    const log = at('told');
    writeFileSync(log, '');
    // /run and PATH are the test's own: no systemd of this machine hears of it.
    place(at('fake/systemctl'), `#!/bin/sh\necho "$*" >> ${log}\n`);
    place(at('fake/deb-systemd-invoke'), '#!/bin/sh\nexec systemctl "$@"\n');
    place(at('fake/deb-systemd-helper'), '#!/bin/sh\n');
    const called = (made: string): string[] => {
      const inside = `mount -t tmpfs tmpfs /run && ${made} && exec "$@"`;
      const start = ['--mount', 'sh', '-c', inside, 'sh', at('control', script), ...words];
      const path = `${at('fake')}:${process.env['PATH'] ?? ''}`;
      execFileSync('unshare', start, { env: { PATH: path } });
      return readFileSync(log, 'utf8').split('\n').slice(0, -1);
    };
    expect(called('true')).toEqual([]);
    const heard = called('mkdir -p /run/systemd/system');
    expect(heard.map((line) => line.replace('--system ', ''))).toEqual(told);
  });

  test.skipIf(needsRoot !== '')(
    `has units whose powers open the namespace of a container’s process ${needsRoot}`,
    () => {
      const unit = readFileSync(
        new URL('../../packaging/systemd/fairlead-agent.service', import.meta.url),
        'utf8',
      );
      const kept = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
      const words = ['-all', ...kept.map((name) => name.toLowerCase().replace('cap_', '+'))];
      const path = `/proc/${process.pid}/ns/net`;
      const entered = spawnSync(
        'setpriv',
        [`--bounding-set=${words.join(',')}`, '--no-new-privs', 'nsenter', `--net=${path}`, 'true'],
        { encoding: 'utf8' },
      );
      expect([entered.status, entered.stderr]).toEqual([0, '']);
    },
  );

  test('depends on what its programs are linked to, and on nothing else', () => {
    const program = at('unpacked', readdirSync(at('unpacked'))[0] ?? '', 'fairlead');
    const linked = [...run('ldd', program).matchAll(/^\t(lib[\w+-]+)\.so/gm)].map(
      ([, name]) => name,
    );
    const owners: Record<string, string> = {
      ...{ libatomic: 'libatomic1', libstdc: 'libstdc++6', 'libstdc++': 'libstdc++6' },
      ...{ libgcc_s: 'libgcc-s1' },
    };
    const wanted = new Set(linked.map((name = '') => owners[name] ?? 'libc6'));
    const depends = run('dpkg-deb', '--field', the('.deb'), 'Depends').trim().split(', ');
    expect(depends.map((one) => one.split(' ')[0]).sort()).toEqual([...wanted].sort());
  });

  test.skipIf(!has('lintian'))(
    'as a package has nothing that lintian calls an error',
    () => {
      const checked = spawnSync('lintian', ['--fail-on', 'error', '--no-cfg', the('.deb')], {
        encoding: 'utf8',
      });
      expect(checked.stdout + checked.stderr).not.toMatch(/^[EW]: /m);
      expect(checked.status).toBe(0);
    },
    PATIENCE_MS,
  );
});
