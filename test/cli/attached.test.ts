// SPDX-License-Identifier: Apache-2.0
// install and uninstall on a node with containers, on the simulated kernel: what is said of those
// of other plugins, and what becomes of ours. The files lie in folders of the test's own.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Driver, OsError } from '../../host-node/abi/index.ts';
import { runInstaller } from '../../host-node/cli/install/command.ts';
import { runVerb } from '../../host-node/cli/verbs.ts';
import { fileLine, Machine } from './machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-attached-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CONF = '/etc/cni/net.d';
const ENOENT = 2;
const EACCES = 13;
const POD = '/run/netns/pod';
const PORTS = '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}';
const CONFLIST = JSON.stringify({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      isGateway: true,
      ipMasq: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.2.0/24' }]] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'firewall' },
  ],
});
const IPTABLES = `nft table ip filter
nft forward ip filter FORWARD 0 drop
`;

let worlds = 0;
let root = '';
let on: Machine;
const at = (...path: string[]): string => join(root, ...path);

function open(more = ''): void {
  on = new Machine(
    `netns host\n${more}netns pod\n${fileLine(`${CONF}/10-pods.conflist`, CONFLIST)}`,
  );
}
beforeEach(() => {
  root = join(folder, String(++worlds));
  for (const dir of ['bin', 'conf', 'run']) mkdirSync(at(dir), { recursive: true });
  mkdirSync(at('run/locks'));
  writeFileSync(at('bin/bridge'), 'the plugin before', { mode: 0o755 });
  writeFileSync(at('program'), '#!/bin/sh\n', { mode: 0o755 });
  open();
});

/** A driver whose operation of that name fails. */
const refusing =
  (name: string, errno: number) =>
  (driver: Driver): Driver =>
    new Proxy(driver, {
      get: (target, key) => {
        if (key !== name) return Reflect.get(target, key);
        return () => {
          throw new OsError(errno, 'on purpose');
        };
      },
    });

function run(command: 'install' | 'uninstall', ...args: string[]) {
  const said = { stdout: '', stderr: '' };
  const status = runInstaller(command, {
    args: [
      ...args,
      '--bin-dir',
      at('bin'),
      '--conf-dir',
      command === 'install' ? CONF : at('conf'),
    ],
    version: '0.1.0',
    executable: at('program'),
    types: () => ['bridge', 'portmap', 'firewall', 'host-local'],
    against: () => [],
    node: {
      task: (name, request) => on.task(name, request),
      cache_dir: '/var/lib/cni',
      run_dir: at('run'),
    },
    write: (fd, text) => {
      said[fd === 1 ? 'stdout' : 'stderr'] += text;
    },
  });
  return { status, ...said };
}
const install = (...args: string[]) => run('install', '--host', 'node', ...args);
const add = () => {
  const args = ['pods', POD, '--container-id', 'blue', '--capabilities', PORTS];
  const said = on.run((io) => runVerb('add', args, io));
  expect(said.code, said.stderr).toBe(0);
};
/** The state without what a bridge, forwarding and the runtime's cache leave, as after any DEL. */
const attached = (): string[] => {
  const ours =
    /^(nft |link veth|file \/var\/lib\/cni\/networks\/pods\/10|file \/run\/fairlead\/att)/;
  return on
    .dump()
    .split('\n')
    .filter((line) => ours.test(line));
};

describe('uninstall while a container of ours lives', () => {
  test('is refused, and nothing changes', () => {
    install();
    add();
    const before = { state: on.dump(), bin: readdirSync(at('bin')) };
    const said = run('uninstall');
    expect(said).toMatchObject({ status: 1, stdout: '' });
    expect(said.stderr).toContain('1 attachment of ours live: blue (eth0 on pods)');
    expect(said.stderr).toMatch(/--drain.*--leave/);
    expect({ state: on.dump(), bin: readdirSync(at('bin')) }).toEqual(before);
  });

  test('with --leave goes, and leaves what it has', () => {
    install();
    add();
    const before = on.dump();
    const said = run('uninstall', '--leave');
    expect(said.status).toBe(0);
    expect(said.stderr).toContain('What they have in nftables stays');
    expect(readdirSync(at('bin'))).toEqual(['bridge']);
    expect(on.dump()).toBe(before);
    expect(existsSync(at('run'))).toBe(true);
  });

  test('with --drain takes it off its network, and our tables, rules and folder away', () => {
    open(IPTABLES);
    const before = attached();
    install();
    add();
    expect(attached()).not.toEqual(before);
    const rehearsed = run('uninstall', '--drain', '--dry-run');
    expect(rehearsed.stdout).toContain('removed   attachment eth0 of blue on network pods');
    const said = run('uninstall', '--drain');
    expect(said).toMatchObject({ status: 0, stderr: '' });
    for (const line of ['attachment eth0 of blue on network pods', 'table inet fairlead']) {
      expect(said.stdout).toContain(`removed   ${line}\n`);
    }
    expect(said.stdout).toContain('our rules in chain FORWARD of table ip filter');
    // The chain of the administrator is theirs from its making on.
    expect(attached().filter((line) => !line.endsWith('CNI-ADMIN'))).toEqual(before);
    expect(readdirSync(at('bin'))).toEqual(['bridge']);
    expect(existsSync(at('run'))).toBe(false);
  });

  test('what cannot be taken back is told, with exit code 1, and the tables stay', () => {
    install();
    add();
    on.wrap = refusing('link_del', EACCES);
    const said = run('uninstall', '--drain', '--output', 'json');
    expect(said.status).toBe(1);
    const report = JSON.parse(said.stdout);
    expect(report.warnings.join(' ')).toContain('1 attachment of ours stay');
    expect(existsSync(at('run'))).toBe(true);
    on.wrap = (driver) => driver;
    expect(run('uninstall', '--drain').status).toBe(0);
    expect(attached()).toEqual([]);
  });
});

describe('uninstall', () => {
  test('keeps a chain of an administrator that has rules, and says how to save it', () => {
    open();
    install();
    add();
    const filled = /^nft admin CNI-ADMIN$/m;
    expect(on.dump()).toMatch(filled);
    on = new Machine(on.dump().replace(filled, '$&\nnft rule CNI-ADMIN drop comment "mine"'));
    const said = run('uninstall', '--drain');
    expect(said.status).toBe(0);
    expect(said.stdout).toContain('nft list chain inet fairlead CNI-ADMIN');
    expect(on.dump()).toContain('CNI-ADMIN');
  });

  test('without containers needs no word, and both options are one too many', () => {
    install();
    expect(run('uninstall', '--drain', '--leave').status).toBe(2);
    expect(run('uninstall')).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(at('run'))).toBe(false);
  });

  test('what is not ours in the folder of the records stays', () => {
    writeFileSync(at('run/notes'), 'of somebody');
    install();
    expect(run('uninstall').stdout).toContain('has files that are not ours');
    expect(readdirSync(at('run'))).toEqual(['notes']);
  });

  test('records of another namespace of the host stay', () => {
    mkdirSync(at('run/attachments'));
    writeFileSync(at('run/attachments/other:eth0'), '{}');
    install();
    expect(run('uninstall').stdout).toContain('records of another network namespace of the host');
    expect(existsSync(at('run/attachments/other:eth0'))).toBe(true);
  });

  test('who may not look at the records leaves everything, and says so', () => {
    install();
    on.wrap = refusing('dir_list', EACCES);
    const said = run('uninstall');
    expect(said.status).toBe(0);
    expect(said.stderr).toContain('cannot tell which containers live here');
    expect(existsSync(at('run'))).toBe(true);
  });
});

describe('install', () => {
  test('names the containers that another plugin wired, and what will become of them', () => {
    add();
    on.driver.file_remove({ path: '/run/fairlead/attachments/blue:eth0' });
    expect(install('--dry-run').stderr).toContain('NAME.before-fairlead: leave it there');
    const said = install();
    expect(said.status).toBe(0);
    expect(said.stderr).toContain(
      '1 attachment of the plugins before live on: blue (eth0 on pods)',
    );
    expect(said.stderr).toContain('NAME.before-fairlead: leave it there');
    on.driver.file_remove({ path: '/var/lib/cni/results/pods-blue-eth0' });
    expect(install().stderr).toBe('');
  });

  test('of ours says nothing, and clears what one left that ended meanwhile', () => {
    install();
    add();
    expect(install().stderr).toBe('');
    const ns = on.driver.netns_open({ path: POD });
    on.driver.link_del({ ns, ifindex: on.driver.link_get({ ns, name: 'eth0' }).ifindex });
    expect(attached().join('\n')).toContain('hostports4');
    expect(install().stdout).toContain('removed   attachment eth0 of blue on network pods');
    expect(attached().filter((line) => line.includes('blue'))).toEqual([]);
  });

  test('where mounts of the node are not seen, nobody is taken for dead', () => {
    install();
    add();
    const before = on.dump();
    on.wrap = refusing('netns_open', ENOENT);
    expect(install().stdout).not.toContain('removed');
    on.wrap = (driver) => driver;
    expect(on.dump()).toBe(before);
  });
});
