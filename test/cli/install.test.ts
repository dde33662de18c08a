// SPDX-License-Identifier: Apache-2.0
// install and uninstall in folders of the test's own: what they place, keep, give back and refuse;
// each change failed and each killed in turn; and once the built executable itself.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { didYouMean, parseArgs, UsageError } from '../../host-node/cli/args.ts';
import { runInstaller } from '../../host-node/cli/install/command.ts';
import { InstallError } from '../../host-node/cli/install/files.ts';
import { type InstallOptions, install } from '../../host-node/cli/install/install.ts';
import { manualOf } from '../../host-node/cli/install/man.ts';
import { uninstall } from '../../host-node/cli/install/uninstall.ts';
import type { Io } from '../../host-node/cli/io.ts';
import { reasonsAgainst } from '../../host-node/cli/validate.ts';
import { performTask } from '../../host-node/core.ts';
import { realDriver } from '../../host-node/drivers/index.ts';
import { needsNative } from '../support/needs.ts';
import { ownTypes } from '../support/types.ts';
import { distPath, wasmModule } from '../support/wasm.ts';
import { Machine } from './machine.ts';

/** The module of a command, for a process of its own. */
const moduleOf = (command: string): string =>
  new URL(`../../host-node/cli/install/${command}.ts`, import.meta.url).href;
const MANIFEST = '.fairlead-install.json';
const CONFLIST = JSON.stringify({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [{ type: 'bridge' }],
});
const CONFLIST_2 = JSON.stringify({
  cniVersion: '1.1.0',
  name: 'pods',
  plugins: [{ type: 'bridge' }],
});

const folder = mkdtempSync(join(tmpdir(), 'fairlead-install-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let worlds = 0;
let root = '';
const at = (...path: string[]): string => join(root, ...path);

/** Folders bin and conf with a foreign plugin, and two executables to install. */
function makeWorld(): void {
  root = join(folder, String(++worlds));
  mkdirSync(at('bin'), { recursive: true });
  mkdirSync(at('conf'));
  mkdirSync(at('from'));
  writeFileSync(at('bin/bridge'), 'the reference bridge', { mode: 0o750 });
  writeFileSync(at('bin/weave-net'), 'of no concern', { mode: 0o755 });
  writeFileSync(at('from/one'), '#!/bin/sh\necho one\n', { mode: 0o600 });
  writeFileSync(at('from/two'), '#!/bin/sh\necho two\n', { mode: 0o700 });
  writeFileSync(at('from/10-pods.conflist'), CONFLIST, { mode: 0o600 });
}
beforeEach(makeWorld);
const TYPES = ownTypes();

const options = (more: Partial<InstallOptions> = {}): InstallOptions => ({
  source: at('from/one'),
  version: '0.1.0',
  bin_dir: at('bin'),
  conf_dir: at('conf'),
  types: TYPES,
  ...more,
});
/** A node that nothing is attached on. */
const nobody = () => {
  const machine = new Machine('netns host\n');
  const task: Io['task'] = (name, request) => machine.task(name, request);
  return { task, cache_dir: '/var/lib/cni', run_dir: at('run') };
};
const conflist = (): string => at('from/10-pods.conflist');
const placedConflist = (): string => at('conf/10-pods.conflist');
const uninstallHere = (more = {}) => uninstall({ bin_dir: at('bin'), ...more });

/** Every name under bin, conf and the manual's section, with its mode and content. */
function tree(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const dir of ['bin', 'conf', 'share/man8']) {
    for (const name of existsSync(at(dir)) ? readdirSync(at(dir)).sort() : []) {
      const path = at(dir, name);
      const stat = lstatSync(path);
      found[`${dir}/${name}`] = stat.isSymbolicLink()
        ? `-> ${readlinkSync(path)}`
        : `${(stat.mode & 0o7777).toString(8)} ${stat.isFile() ? readFileSync(path, 'utf8') : ''}`;
    }
  }
  return found;
}
const actions = ({ items }: { items: readonly { action: string; path: string }[] }) =>
  Object.fromEntries(items.map(({ action, path }) => [path.slice(root.length + 1), action]));

describe('install', () => {
  test('places the executable, a link for each type and last the conflist', () => {
    const order: string[] = [];
    const before = (change: string) => {
      if (change.startsWith('place ')) order.push(change.slice(`place ${root}/`.length));
    };
    const report = install(options({ conflist: conflist(), before }));
    expect(report.changed).toBe(true);
    expect(tree()).toMatchObject({
      'bin/fairlead': '755 #!/bin/sh\necho one\n',
      'bin/ptp': '-> fairlead',
      'bin/host-local': '-> fairlead',
      'bin/weave-net': '755 of no concern',
      'conf/10-pods.conflist': `644 ${CONFLIST}`,
    });
    const links = TYPES.map((type) => `bin/${type}`);
    const file = `bin/${MANIFEST}`;
    expect(order).toEqual([file, 'bin/fairlead', ...links, 'conf/10-pods.conflist']);
    expect(readdirSync(at('bin')).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  test('with a native host that serves the types, the Node program is fairlead-cli', () => {
    const original = tree();
    const native = at('from/two');
    const report = install(options({ native }));
    expect(actions(report)).toMatchObject({
      'bin/fairlead-cli': 'placed',
      'bin/fairlead': 'placed',
    });
    expect(tree()).toMatchObject({
      'bin/fairlead-cli': '755 #!/bin/sh\necho one\n',
      'bin/fairlead': '755 #!/bin/sh\necho two\n',
      'bin/ptp': '-> fairlead',
    });
    expect(install(options({ native })).changed).toBe(false);
    expect(actions(uninstallHere())).toMatchObject({ 'bin/fairlead-cli': 'removed' });
    expect(tree()).toEqual(original);
  });

  test('a native host takes the place of the Node program without a backup, and back', () => {
    const original = tree();
    install(options());
    const report = install(options({ native: at('from/two') }));
    expect(actions(report)).toMatchObject({
      'bin/fairlead-cli': 'placed',
      'bin/fairlead': 'replaced',
      'bin/ptp': 'unchanged',
    });
    expect(existsSync(at('bin/fairlead.before-fairlead'))).toBe(false);
    expect(actions(install(options()))).toMatchObject({ 'bin/fairlead': 'replaced' });
    expect(tree()).toMatchObject({ 'bin/fairlead': '755 #!/bin/sh\necho one\n' });
    uninstallHere();
    expect(tree()).toEqual(original);
  });

  test('a second run changes nothing and says so', () => {
    install(options({ conflist: conflist() }));
    const first = tree();
    const inode = lstatSync(at('bin/fairlead')).ino;
    const changes: string[] = [];
    const report = install(
      options({ conflist: conflist(), before: (change) => changes.push(change) }),
    );
    expect(report.changed).toBe(false);
    expect(new Set(report.items.map(({ action }) => action))).toEqual(new Set(['unchanged']));
    expect(changes).toEqual([]);
    expect(tree()).toEqual(first);
    expect(lstatSync(at('bin/fairlead')).ino).toBe(inode);
  });

  test('a foreign file is kept and comes back, mode and all', () => {
    const original = tree();
    install(options());
    expect(tree()).toMatchObject({
      'bin/bridge': '-> fairlead',
      'bin/bridge.before-fairlead': '750 the reference bridge',
    });
    expect(actions(uninstallHere())['bin/bridge']).toBe('restored');
    expect(tree()).toEqual(original);
  });

  test('a backup is never overwritten', () => {
    writeFileSync(at('bin/bridge.before-fairlead'), 'an older one');
    const original = tree();
    expect(() => install(options())).toThrow(/bridge is of another origin.*move one of them away/);
    expect(tree()).toEqual(original);
  });

  test('a package that took a name back is kept again only when nothing is lost', () => {
    install(options());
    rmSync(at('bin/bridge'));
    writeFileSync(at('bin/bridge'), 'the reference bridge', { mode: 0o750 });
    expect(actions(install(options()))['bin/bridge']).toBe('replaced');
    rmSync(at('bin/bridge'));
    writeFileSync(at('bin/bridge'), 'a newer reference bridge');
    expect(() => install(options())).toThrow(InstallError);
  });

  test('foreign links and a foreign executable named fairlead are kept too', () => {
    rmSync(at('bin/bridge'));
    symlinkSync('/nowhere/bridge', at('bin/bridge'));
    writeFileSync(at('bin/fairlead'), 'by hand');
    const original = tree();
    install(options());
    expect(tree()['bin/bridge.before-fairlead']).toBe('-> /nowhere/bridge');
    expect(tree()['bin/fairlead.before-fairlead']).toContain('by hand');
    uninstallHere();
    expect(tree()).toEqual(original);
  });

  test('what was there as wanted is not ours: uninstall leaves it', () => {
    copyFileSync(at('from/one'), at('bin/fairlead'));
    chmodSync(at('bin/fairlead'), 0o755);
    symlinkSync('fairlead', at('bin/ptp'));
    const original = tree();
    const report = install(options({ source: at('bin/fairlead') }));
    expect(actions(report)).toMatchObject({ 'bin/fairlead': 'unchanged', 'bin/ptp': 'unchanged' });
    uninstallHere();
    expect(tree()).toEqual(original);
  });

  test('--types places some, a later run adds more', () => {
    install(options({ types: ['ptp'] }));
    expect(tree()).not.toHaveProperty('bin/loopback');
    install(options({ types: ['loopback'] }));
    expect(tree()).toMatchObject({ 'bin/ptp': '-> fairlead', 'bin/loopback': '-> fairlead' });
    uninstallHere();
    expect(Object.keys(tree())).toEqual(['bin/bridge', 'bin/weave-net']);
  });

  test('an upgrade replaces without a backup; the wrong mode is repaired', () => {
    install(options());
    expect(actions(install(options({ source: at('from/two') })))['bin/fairlead']).toBe('replaced');
    chmodSync(at('bin/fairlead'), 0o600);
    install(options({ source: at('from/two') }));
    expect(tree()['bin/fairlead']).toBe('755 #!/bin/sh\necho two\n');
    expect(tree()).not.toHaveProperty('bin/fairlead.before-fairlead');
  });

  test('a running executable keeps running while it is replaced and taken away', async () => {
    copyFileSync('/bin/sleep', at('from/sleep'));
    install(options({ source: at('from/sleep') }));
    const child: ChildProcess = spawn(at('bin/fairlead'), ['60'], { stdio: 'ignore' });
    try {
      while (!readlinkSync(`/proc/${child.pid}/exe`).startsWith(at('bin'))) await setTimeout(5);
      install(options());
      uninstallHere();
      await setTimeout(50);
      expect(child.exitCode).toBeNull();
      expect(readlinkSync(`/proc/${child.pid}/exe`)).toContain('(deleted)');
    } finally {
      child.kill();
    }
  });
});

describe('the conflist', () => {
  test('a foreign one of that name is kept under a name no runtime reads, and comes back', () => {
    writeFileSync(placedConflist(), CONFLIST_2, { mode: 0o640 });
    const original = tree();
    install(options({ conflist: conflist() }));
    expect(tree()).toMatchObject({
      'conf/10-pods.conflist': `644 ${CONFLIST}`,
      'conf/10-pods.conflist.before-fairlead': `640 ${CONFLIST_2}`,
    });
    uninstallHere();
    expect(tree()).toEqual(original);
  });

  test('changed since: left alone by install and uninstall, and they say so', () => {
    install(options({ conflist: conflist() }));
    writeFileSync(placedConflist(), CONFLIST_2);
    const again = install(options({ conflist: conflist() }));
    expect(actions(again)['conf/10-pods.conflist']).toBe('kept');
    const [item] = uninstallHere().items;
    expect(item).toMatchObject({ action: 'kept', path: placedConflist() });
    expect(item?.note).toContain('changed since it was installed: left alone');
    expect(tree()).toMatchObject({ 'conf/10-pods.conflist': `644 ${CONFLIST_2}` });
    expect(existsSync(at('bin/fairlead'))).toBe(false);
  });

  test('an untouched one is upgraded', () => {
    install(options({ conflist: conflist() }));
    writeFileSync(conflist(), CONFLIST_2);
    install(options({ conflist: conflist() }));
    expect(tree()).toMatchObject({ 'conf/10-pods.conflist': `644 ${CONFLIST_2}` });
    uninstallHere();
    expect(readdirSync(at('conf'))).toEqual([]);
  });

  test.each([
    ['pods.conflist', '{"name": "x", ', /is not JSON/],
    ['pods.conflist', '[]', /needs "name" and "plugins"/],
    ['pods.conflist', '{"name": "x", "type": "bridge"}', /needs "name" and "plugins"/],
    ['pods.yaml', CONFLIST, /names that end in .conflist/],
  ])('%s with %s is refused before anything is done', (name, text, expected) => {
    writeFileSync(at('from', name), text);
    const original = tree();
    expect(() => install(options({ conflist: at('from', name) }))).toThrow(expected);
    expect(tree()).toEqual(original);
  });

  test('uninstall finds it when both folders are mounted elsewhere', () => {
    install(options({ conflist: conflist() }));
    mkdirSync(at('host'));
    for (const dir of ['bin', 'conf', 'share/man8']) {
      spawnSync('mv', [at(dir), at('host', dir)]);
    }
    uninstall({ bin_dir: at('host/bin'), conf_dir: at('host/conf') });
    expect(readdirSync(at('host/conf'))).toEqual([]);
    expect(readdirSync(at('host/bin')).sort()).toEqual(['bridge', 'weave-net']);
  });
});

describe('uninstall', () => {
  test('goes from the conflist to the executable; a second run finds nothing', () => {
    install(options({ conflist: conflist() }));
    const report = uninstallHere();
    expect(Object.keys(actions(report))[0]).toBe('conf/10-pods.conflist');
    expect(Object.keys(actions(report)).at(-1)).toBe('bin/fairlead');
    expect(uninstallHere()).toMatchObject({ changed: false, items: [] });
    expect(uninstall({ bin_dir: at('nowhere') })).toMatchObject({ changed: false, items: [] });
  });

  test('leaves what is not as installed', () => {
    install(options());
    for (const name of ['ptp', 'bridge', 'static']) rmSync(at('bin', name));
    writeFileSync(at('bin/ptp'), 'by hand');
    writeFileSync(at('bin/bridge'), 'a newer reference bridge');
    const report = uninstallHere();
    expect(actions(report)).toMatchObject({
      'bin/ptp': 'kept',
      'bin/bridge': 'kept',
      'bin/static': 'gone',
      'bin/loopback': 'removed',
    });
    const bridge = report.items.find(({ path }) => path.endsWith('/bridge'));
    expect(bridge?.note).toContain('the file before is still bridge.before-fairlead');
    expect(Object.keys(tree())).toEqual([
      'bin/bridge',
      'bin/bridge.before-fairlead',
      'bin/ptp',
      'bin/weave-net',
    ]);
  });

  test.each([
    ['no JSON', 'x'],
    ['null', 'null'],
    ['a newer format', '{"format": 2, "files": []}'],
    [
      'a path for a name',
      JSON.stringify({
        format: 1,
        version: '0.1.0',
        files: [{ kind: 'link', dir: '', name: '../conf', is: ['-> fairlead'], backup: false }],
      }),
    ],
  ])('a manifest that is %s is refused', (_, text) => {
    install(options());
    writeFileSync(at('bin', MANIFEST), text);
    expect(() => uninstallHere()).toThrow(/is damaged or of a newer version/);
    expect(existsSync(at('bin/fairlead'))).toBe(true);
  });
});

describe('refusals', () => {
  test('missing folders are made only with --create-dirs, and never taken away', () => {
    for (const dir of ['bin', 'conf']) rmSync(at(dir), { recursive: true });
    expect(() => install(options())).toThrow(/bin does not exist.*--create-dirs/);
    mkdirSync(at('bin'));
    expect(() => install(options({ conflist: conflist() }))).toThrow(/conf does not exist/);
    expect(readdirSync(at('bin'))).toEqual([]);
    rmSync(at('bin'), { recursive: true });
    const report = install(options({ conflist: conflist(), create_dirs: true }));
    expect(actions(report)).toMatchObject({ bin: 'created', conf: 'created' });
    uninstallHere();
    expect([readdirSync(at('bin')), readdirSync(at('conf'))]).toEqual([[], []]);
  });

  test('a missing CONF_DIR is no matter without a conflist', () => {
    rmSync(at('conf'), { recursive: true });
    expect(install(options()).changed).toBe(true);
    expect(existsSync(at('conf'))).toBe(false);
  });

  test('a folder in the way, a file for a folder, a missing source', () => {
    expect(() => install(options({ bin_dir: at('from/one') }))).toThrow(/is not a folder/);
    expect(() => install(options({ source: at('none') }))).toThrow(/none does not exist/);
    mkdirSync(at('bin/static'));
    const original = tree();
    expect(() => install(options())).toThrow(/static is a folder: move it away/);
    expect(tree()).toEqual(original);
  });

  test('too little space is found before anything is written', () => {
    const original = tree();
    const free_bytes = () => 1_000_000;
    expect(() => install(options({ free_bytes }))).toThrow(/not enough space.* 1 MB free/);
    expect(tree()).toEqual(original);
    const dry = options({ free_bytes, dry_run: true });
    expect(() => install(dry)).toThrow(/not enough space/);
    // Also where a folder is still to be made.
    mkdirSync(at('share'));
    const manual = { source: at('from/one'), dir: at('share'), optional: true };
    expect(() => install({ ...dry, manual })).toThrow(/not enough space/);
    const asked: string[] = [];
    const noted = (dir: string) => Number.MAX_SAFE_INTEGER * asked.push(dir);
    const made = { bin_dir: at('new/deep'), create_dirs: true, free_bytes: noted };
    expect(install({ ...dry, ...made })).toMatchObject({ changed: true, dry_run: true });
    expect(asked).toEqual([at('.')]);
  });

  test.skipIf(process.getuid?.() !== 0)('without permission: says so, changes nothing', () => {
    const original = tree();
    chmodSync(folder, 0o755);
    const run = `import('${moduleOf('install')}').then(({ install }) => {
      process.setgid(65534); process.setuid(65534);
      try { install(${JSON.stringify(options({ source: '/bin/sleep', types: ['ptp'] }))}); }
      catch (error) { console.log(error.message); }
    });`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', run], { encoding: 'utf8' });
    expect(stdout, stderr).toMatch(/no permission for .*bin: run as root/);
    expect(tree()).toEqual(original);
  });

  test('two at once: the second says so', () => {
    let refused = '';
    const before = () => {
      try {
        install(options());
      } catch (error) {
        refused = (error as Error).message;
      }
    };
    install(options({ before }));
    expect(refused).toContain('another install or uninstall is at work');
    expect(install(options()).changed).toBe(false);
  });

  test('--dry-run changes nothing and tells the same', () => {
    const original = tree();
    const dry = install(options({ conflist: conflist(), dry_run: true }));
    expect(tree()).toEqual(original);
    expect(dry.items).toEqual(install(options({ conflist: conflist() })).items);
    const installed = tree();
    const dryAway = uninstallHere({ dry_run: true });
    expect(tree()).toEqual(installed);
    expect(dryAway.items).toEqual(uninstallHere().items);
  });
});

/** Runs in fresh worlds with the n-th change failing, for each n. */
function eachChange(prepare: () => void, run: (before: () => void) => void): number {
  for (let n = 1; ; n++) {
    makeWorld();
    prepare();
    const original = tree();
    let count = 0;
    const before = () => {
      if (++count === n) throw new Error(`change ${n} fails`);
    };
    if (count > 200) throw new Error('never ends');
    try {
      run(before);
      return n - 1;
    } catch (error) {
      expect((error as Error).message).toBe(`change ${n} fails`);
      expect(tree(), `after failure of change ${n}`).toEqual(original);
    }
  }
}

const foreignConflist = () => writeFileSync(placedConflist(), CONFLIST_2);
const upgraded = () => {
  install(options({ conflist: conflist() }));
  writeFileSync(conflist(), CONFLIST_2);
};

describe('a failure at any change undoes the run', () => {
  test('install over foreign files', () => {
    const run = (before: () => void) => install(options({ conflist: conflist(), before }));
    expect(eachChange(foreignConflist, run)).toBeGreaterThan(15);
  });

  test('upgrade', () => {
    const run = (before: () => void) =>
      install(options({ source: at('from/two'), conflist: conflist(), before }));
    expect(eachChange(upgraded, run)).toBeGreaterThan(8);
  });

  test('upgrade to a native host', () => {
    const run = (before: () => void) => install(options({ native: at('from/two'), before }));
    expect(eachChange(() => install(options()), run)).toBeGreaterThan(6);
  });

  test('uninstall', () => {
    const prepare = () => {
      foreignConflist();
      install(options({ conflist: conflist() }));
    };
    expect(eachChange(prepare, (before) => uninstallHere({ before }))).toBeGreaterThan(6);
  });
});

/** Runs the command in a process of its own that ends at its n-th change; whether it got there. */
function killedAt(n: number, command: string, what: object): boolean {
  const code = `import('${moduleOf(command)}').then((module) => {
    let count = 0;
    const before = () => { if (++count === ${n}) process.kill(process.pid, 'SIGKILL'); };
    module.${command}({ ...${JSON.stringify(what)}, before });
  });`;
  const { status, signal, stderr } = spawnSync(process.execPath, ['-e', code]);
  if (signal === null) expect(status, String(stderr)).toBe(0);
  return signal === 'SIGKILL';
}

describe('killed at any change', () => {
  test.each([
    ['uninstall gives back what was before', false],
    ['a second install completes it, then uninstall gives back', true],
  ])('install: %s', (_, completed) => {
    for (let n = 1; ; n++) {
      makeWorld();
      foreignConflist();
      const original = tree();
      const what = options({ conflist: conflist(), types: ['bridge', 'ptp'] });
      const killed = killedAt(n, 'install', what);
      // The executable is whole or not there; what was there is there at every moment.
      expect([undefined, '755 #!/bin/sh\necho one\n']).toContain(tree()['bin/fairlead']);
      expect(tree()).toMatchObject({
        'bin/bridge': expect.any(String),
        'conf/10-pods.conflist': expect.any(String),
      });
      if (completed) {
        install(what);
        expect(tree(), `after ${n}`).toMatchObject({ 'conf/10-pods.conflist': `644 ${CONFLIST}` });
        expect(install(what).changed).toBe(false);
      }
      uninstallHere();
      expect(tree(), `after ${n}`).toEqual(original);
      if (!killed) break;
    }
  });

  test('uninstall: a second one completes it', () => {
    for (let n = 1; ; n++) {
      makeWorld();
      foreignConflist();
      const original = tree();
      install(options({ conflist: conflist(), types: ['bridge', 'ptp'] }));
      const killed = killedAt(n, 'uninstall', { bin_dir: at('bin') });
      uninstallHere();
      expect(tree(), `after ${n}`).toEqual(original);
      if (!killed) break;
    }
  });
});

describe('the command line', () => {
  const against = (file: string, path: string): string[] => {
    const driver = realDriver();
    const around = { stdin: () => new Uint8Array(0), log: () => {}, sleep: () => {} };
    const task: Io['task'] = (name, request) =>
      performTask(wasmModule('tools'), driver, name, request, around);
    try {
      return reasonsAgainst({ task, write: () => {} }, file, path);
    } finally {
      driver.close();
    }
  };
  const run = (command: 'install' | 'uninstall', ...args: string[]) => {
    const said = { stdout: '', stderr: '' };
    const status = runInstaller(command, {
      args,
      version: '0.1.0',
      executable: at('from/one'),
      types: () => TYPES,
      against,
      node: nobody(),
      write: (fd, text) => {
        said[fd === 1 ? 'stdout' : 'stderr'] += text;
      },
    });
    return { status, ...said };
  };
  const dirs = () => [`--bin-dir=${at('bin')}`, '--conf-dir', at('conf')];

  test('prints a line for each thing done', () => {
    const first = run('install', ...dirs(), '--types', 'bridge,ptp', '--conflist', conflist());
    expect(first.status).toBe(0);
    expect(first.stderr).toContain('there is no fairlead-native');
    expect(first.stdout.replaceAll(root, '')).toBe(`placed    /bin/fairlead
replaced  /bin/bridge (the file before is bridge.before-fairlead)
placed    /bin/ptp
placed    /conf/10-pods.conflist
installed 0.1.0 in /bin
`);
    const second = run('install', ...dirs(), '--types=ptp', '--host', 'node');
    expect(second.stderr).toBe('');
    expect(second.stdout.replaceAll(root, '')).toBe(`unchanged /bin/fairlead
unchanged /bin/ptp
nothing to change in /bin
`);
    expect(run('uninstall', ...dirs(), '--dry-run').stdout).toMatch(/^dry run, nothing is changed/);
    expect(run('uninstall', ...dirs()).stdout.replaceAll(root, '')).toBe(
      `removed   /conf/10-pods.conflist
restored  /bin/bridge
removed   /bin/ptp
removed   /bin/fairlead
uninstalled from /bin
`,
    );
    const nothing = run('uninstall', ...dirs());
    expect(nothing).toMatchObject({
      status: 0,
      stdout: `nothing is installed in ${at('bin')}\n`,
    });
  });

  test.each([
    ['errors', '{"type":"bridge","vlan":5000}', 'invalid VLAN ID 5000'],
    ['types without a program', '{"type":"sriov","ipam":{"type":"dhcp"}}', 'no program "sriov"'],
  ])('a conflist with %s is refused, and nothing is placed', (_, plugin, words) => {
    const original = tree();
    const text = `{"cniVersion":"1.0.0","name":"pods","plugins":[${plugin}]}`;
    writeFileSync(conflist(), text);
    const said = run('install', ...dirs(), '--conflist', conflist());
    expect(said).toMatchObject({ status: 1, stdout: '' });
    expect(said.stderr).toContain('could not attach a container');
    expect(said.stderr).toContain(words);
    expect(tree()).toEqual(original);
    for (const type of ['sriov', 'dhcp']) writeFileSync(at('bin', type), '');
    expect(run('install', ...dirs(), '--conflist', conflist()).status).toBe(
      words.startsWith('no program') ? 0 : 1,
    );
  });

  describe('the manual page', () => {
    const page = '.TH FAIRLEAD 8\n';
    beforeEach(() => {
      mkdirSync(at('from/man'));
      writeFileSync(at('from/man/fairlead.8'), page, { mode: 0o600 });
      mkdirSync(at('share'));
    });
    const inShare = () => [...dirs(), '--types', 'ptp', '--man-dir', at('share')];

    test('is placed from beside the program, and taken away', () => {
      const original = tree();
      expect(run('install', ...inShare())).toMatchObject({ status: 0 });
      expect(tree()['share/man8/fairlead.8']).toBe(`644 ${page}`);
      expect(run('install', ...inShare()).stdout).toContain('unchanged');
      expect(run('uninstall', ...dirs()).status).toBe(0);
      // No folder is ever removed.
      expect(readdirSync(at('share/man8'))).toEqual([]);
      rmSync(at('share/man8'), { recursive: true });
      expect(tree()).toEqual(original);
    });

    test('takes the place of another, which comes back; one that was edited stays', () => {
      mkdirSync(at('share/man8'));
      writeFileSync(at('share/man8/fairlead.8'), 'of a package', { mode: 0o640 });
      const original = tree();
      run('install', ...inShare());
      expect(tree()['share/man8/fairlead.8']).toBe(`644 ${page}`);
      run('uninstall', ...dirs());
      expect(tree()).toEqual(original);
      rmSync(at('share/man8/fairlead.8'));
      run('install', ...inShare());
      writeFileSync(at('share/man8/fairlead.8'), 'with notes');
      expect(run('uninstall', ...dirs()).stdout).toContain('changed since it was installed');
      expect(tree()['share/man8/fairlead.8']).toBe('644 with notes');
    });

    test('in the usual folder what is in its way is told, and fails nothing', () => {
      const asked = { dir: undefined, none: false, usual: true, usual_dir: at('share') };
      const manual = () => manualOf(at('from/one'), asked);
      const page_dir = at('share/man8/fairlead.8');
      mkdirSync(page_dir, { recursive: true });
      const found = manual();
      if (typeof found === 'string') throw new Error(found);
      const report = install(options({ manual: found }));
      expect(report.items).toContainEqual({
        action: 'kept',
        path: page_dir,
        note: `the manual page is not placed: ${page_dir} is a folder: move it away and run again`,
      });
      expect(existsSync(at('bin/fairlead'))).toBe(true);
      expect(uninstallHere().items.map(({ path }) => path)).not.toContain(page_dir);
      expect(readdirSync(at('share/man8'))).toEqual(['fairlead.8']);
      // Asked for, it is an error.
      expect(run('install', ...inShare())).toMatchObject({ status: 1 });
      for (const file of ['share/man8', 'share']) {
        rmSync(at(file), { recursive: true });
        writeFileSync(at(file), '');
        expect(manual()).toMatch(/^the manual page is not placed: .*a file where a folder belongs/);
        rmSync(at(file));
      }
    });

    test('goes nowhere with --bin-dir alone or --no-man, and a missing one is told', () => {
      const usual_dir = at('share');
      const asked = { dir: undefined, none: false, usual: true, usual_dir };
      const program = at('from/one');
      expect(manualOf(program, asked)).toEqual({
        source: at('from/man/fairlead.8'),
        dir: usual_dir,
        optional: true,
      });
      expect(manualOf(program, { ...asked, usual: false })).toBe('');
      expect(manualOf(program, { ...asked, none: true })).toBe('');
      expect(manualOf(program, { ...asked, usual_dir: at('none') })).toMatch(
        /^the manual page is not placed: .*none: ENOENT: --man-dir names another folder$/,
      );
      const both = run('install', ...inShare(), '--no-man');
      expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('choose one') });
      rmSync(at('from/man'), { recursive: true });
      expect(manualOf(program, asked)).toBe('');
      const original = tree();
      const failed = run('install', ...inShare());
      expect(failed).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('there is no man/fairlead.8 beside'),
      });
      expect(tree()).toEqual(original);
    });
  });

  test('--output json: one object, for errors too', () => {
    const done = run('install', ...dirs(), '--types', 'ptp', '--output', 'json');
    expect(JSON.parse(done.stdout)).toEqual({
      command: 'install',
      version: '0.1.0',
      dry_run: false,
      changed: true,
      bin_dir: at('bin'),
      items: [
        { action: 'placed', path: at('bin/fairlead'), note: '' },
        { action: 'placed', path: at('bin/ptp'), note: '' },
      ],
      warnings: [expect.stringContaining('there is no fairlead-native')],
    });
    const failed = run('install', '--bin-dir', at('none'), '--output=json');
    expect(failed).toMatchObject({ status: 1, stderr: '' });
    expect(JSON.parse(failed.stdout)).toMatchObject({
      command: 'install',
      error: expect.stringContaining('--create-dirs'),
    });
    expect(JSON.parse(run('uninstall', ...dirs(), '--output=json').stdout)).toMatchObject({
      command: 'uninstall',
      changed: true,
    });
  });

  test('--help of each', () => {
    for (const command of ['install', 'uninstall'] as const) {
      const { status, stdout } = run(command, '--help', '--colour');
      expect(status).toBe(0);
      expect(stdout).toContain(`fairlead ${command} [--bin-dir DIR]`);
    }
  });

  test.each([
    [['--bindir', 'x'], 'unknown option "--bindir": did you mean "--bin-dir"?'],
    [['-x'], 'unknown option "-x"'],
    [['--constructor'], 'unknown option "--constructor"'],
    [['--types=brigde'], 'no CNI type "brigde": did you mean "bridge"?'],
    [['--types', ''], '--types needs a value'],
    [['--types=macaroni'], 'there are bridge, ptp, macvlan, ipvlan, vlan, host-device, tap'],
    [['--conflist'], '--conflist needs a value'],
    [['--conflist', '--dry-run'], 'write --conflist=--dry-run if that is it'],
    [['--dry-run=yes'], '--dry-run takes no value'],
    [['--dry-run', '--dry-run'], '--dry-run is given twice'],
    [['--output', 'yaml'], '--output is "yaml": write json or text'],
    [['here'], 'unexpected argument "here"'],
    [['--', '--dry-run'], 'unexpected argument "--dry-run"'],
  ])('%j is exit code 2', (args, expected) => {
    const original = tree();
    const { status, stdout, stderr } = run('install', ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr).toContain('fairlead help install');
    expect(tree()).toEqual(original);
  });

  test('uninstall knows no option of install', () => {
    expect(run('uninstall', '--types=ptp').stderr).toContain('unknown option "--types"');
  });
});

describe('options', () => {
  test('values, flags, operands', () => {
    const table = { name: 'value', quiet: 'flag' } as const;
    expect(parseArgs(['a', '--name=x=y', '--', '--quiet'], table, 2)).toEqual({
      help: false,
      options: { name: 'x=y', quiet: false },
      operands: ['a', '--quiet'],
    });
    expect(() => parseArgs(['a', 'b', 'c'], table, 2)).toThrow(UsageError);
  });

  test('did you mean', () => {
    expect(didYouMean('--ouput', ['--output'])).toContain('--output');
    expect(didYouMean('xy', ['ab'])).toBe('');
  });
});

describe('the built program', () => {
  const fairlead = (path: string, args: string[], env = {}) =>
    spawnSync(path, args, { env, encoding: 'utf8', input: '' });

  test('installs itself; every type answers from there; it takes itself away', () => {
    const original = tree();
    const there = ['--bin-dir', at('bin')];
    const done = fairlead(distPath('fairlead'), ['install', ...there]);
    expect(done.status, done.stderr).toBe(0);
    for (const type of TYPES) {
      const { status, stdout } = fairlead(at('bin', type), [], { CNI_COMMAND: 'VERSION' });
      expect(status, type).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ cniVersion: '1.1.0' });
    }
    const again = fairlead(at('bin/fairlead'), ['install', ...there]);
    expect(again.stdout).toContain(`nothing to change in ${at('bin')}`);
    expect(fairlead(at('bin/fairlead'), ['uninstall', '--leave', ...there]).status).toBe(0);
    expect(tree()).toEqual(original);
  });

  test.skipIf(needsNative !== '')(`the native host serves the types, ${needsNative}`, () => {
    const there = ['--bin-dir', at('bin')];
    expect(fairlead(distPath('fairlead'), ['install', '--host', 'native', ...there]).status).toBe(
      0,
    );
    const same = (a: string, b: string) => readFileSync(a).equals(readFileSync(b));
    expect(same(at('bin/fairlead'), distPath('fairlead-native'))).toBe(true);
    expect(same(at('bin/fairlead-cli'), distPath('fairlead'))).toBe(true);
    for (const name of ['fairlead', 'fairlead-cli']) {
      expect(fairlead(at('bin', name), []).stdout).toContain('  uninstall ');
      expect(fairlead(at('bin', name), ['--nope']).status).toBe(2);
    }
    const node = fairlead(at('bin/fairlead'), ['install', '--host', 'node', ...there]);
    expect(node.stdout).toContain(`replaced  ${at('bin/fairlead')}`);
    expect(same(at('bin/fairlead'), distPath('fairlead'))).toBe(true);
  });

  test('a native host of another architecture, or none, is not taken', () => {
    const program = at('from/fairlead');
    symlinkSync(distPath('fairlead'), program);
    const said: string[] = [];
    const run = (...args: string[]) =>
      runInstaller('install', {
        args: [...args, '--bin-dir', at('bin')],
        version: '0.1.0',
        executable: program,
        types: () => TYPES,
        against: () => [],
        node: nobody(),
        write: (_, text) => void said.push(text),
      });
    expect(run('--host', 'native')).toBe(1);
    expect(said.join('')).toContain('there is no fairlead-native for this machine');
    const elf = Buffer.alloc(64);
    elf.write('\x7fELF', 'latin1');
    // A machine of elf(5) that Node runs on nowhere.
    elf.writeUInt16LE(1, 18);
    writeFileSync(at('from/fairlead-native'), elf);
    expect(run('--host', 'native')).toBe(1);
    expect(run('--host', 'perl')).toBe(2);
    expect(run('--dry-run')).toBe(0);
    expect(said.join('')).not.toContain('fairlead-cli');
  });

  test('its types are those of the core', () => {
    symlinkSync(distPath('fairlead'), at('no-type'));
    const { stdout } = fairlead(at('no-type'), [], { CNI_COMMAND: 'VERSION' });
    expect((JSON.parse(stdout) as { msg: string }).msg).toContain(
      `: ${[...TYPES, 'fairlead'].join(', ')}`,
    );
  });

  test('CNI_COMMAND makes it a plugin, whatever the arguments', () => {
    const env = { CNI_COMMAND: 'VERSION' };
    const { stdout } = fairlead(distPath('fairlead'), ['install', '--bin-dir', at('bin')], env);
    expect(JSON.parse(stdout)).toMatchObject({ cniVersion: '1.1.0' });
    expect(existsSync(at('bin/fairlead'))).toBe(false);
  });

  test('help names both; usage is exit code 2; the bundle refuses', () => {
    expect(fairlead(distPath('fairlead'), ['--help']).stdout).toContain('  uninstall ');
    expect(fairlead(distPath('fairlead'), ['install', '--nope']).status).toBe(2);
    const bundle = [distPath('fairlead.mjs'), 'install'];
    const { status, stderr } = fairlead(process.execPath, [...bundle, '--bin-dir', at('bin')]);
    expect(status).toBe(1);
    expect(stderr).toContain('only the single executable can install itself');
  });
});
