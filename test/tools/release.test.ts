// SPDX-License-Identifier: Apache-2.0
// What `npm run package` makes: the same bytes for the same input, and programs that run from where
// they are unpacked or installed to. It installs into a folder, never on this machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeRelease } from '../../tools/release.mjs';
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
      dpkg('--purge', 'fairlead');
      const left = readdirSync(root, { recursive: true, encoding: 'utf8' });
      expect(left.filter((path) => path.includes('fairlead'))).toEqual([]);
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

  test.skipIf(!has('lintian'))('as a package has nothing that lintian calls an error', () => {
    const checked = spawnSync('lintian', ['--fail-on', 'error', '--no-cfg', the('.deb')], {
      encoding: 'utf8',
    });
    expect(checked.stdout + checked.stderr).not.toMatch(/^[EW]: /m);
    expect(checked.status).toBe(0);
  });
});
