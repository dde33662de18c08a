// SPDX-License-Identifier: Apache-2.0
// The image of `npm run package -- --image`: started by podman in a store of its own, read-only and
// without a network, it runs the programs as deploy/kubernetes does.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeImage } from '../../tools/image.mjs';
import { Cell } from '../e2e/cell.ts';
import { missingPackage, need, needsNative, needsRoot } from '../support/needs.ts';

const PATIENCE_MS = 300_000;
const lacking = missingPackage(
  new Map([
    ['podman', 'podman'],
    ['runc', 'runc'],
    ['nft', 'nftables'],
  ]),
);
const why = needsRoot || needsNative || need(lacking === '', lacking);
const VERSION = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  .version as string;

describe.skipIf(why !== '')(`the image ${why}`, () => {
  let cell: Cell;
  afterAll(() => cell?.close());
  function podman(...words: string[]): Promise<string> {
    const store = ['--root', join(cell.folder, 'store'), '--runroot', join(cell.folder, 'run')];
    const options = ['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs'];
    return cell.run(['podman', ...store, ...options, '--runtime', 'runc', ...words]);
  }
  function run(more: readonly string[], ...words: string[]): Promise<string> {
    const confined = ['--rm', '--read-only', '--network', 'none', '--cap-drop', 'all'];
    const options = [...confined, '--cgroup-parent', cell.cgroup, ...more];
    return podman('run', ...options, `fairlead:${VERSION}`, ...words);
  }
  beforeAll(async () => {
    cell = await Cell.open();
    const archive = makeImage(join(cell.folder, 'image'), `fairlead:${VERSION}`, 1_700_000_000);
    await podman('load', '--quiet', '--input', archive);
  }, PATIENCE_MS);

  test(
    'runs as it is, and has nothing beside the programs and what they load',
    async () => {
      expect(await run([], 'version')).toContain(`fairlead ${VERSION}\n`);
      expect(await run(['--entrypoint', '/usr/sbin/nft'], '--version')).toContain('nftables v');
      await expect(run(['--entrypoint', '/bin/sh'], '-c', 'true')).rejects.toThrow('/bin/sh');
    },
    PATIENCE_MS,
  );

  test(
    'has the licence of all that is in it',
    async () => {
      const folder = join(cell.folder, 'licences');
      const at = (await podman('create', `fairlead:${VERSION}`)).trim();
      await podman('cp', `${at}:/usr/share`, folder);
      await podman('rm', at);
      for (const name of ['nftables', 'libnftables1', 'libc6', 'libstdc++6']) {
        expect(readFileSync(join(folder, 'doc', name, 'copyright'), 'utf8')).toMatch(/licen[cs]e/i);
      }
      expect(readFileSync(join(folder, 'common-licenses/GPL-2'), 'utf8')).toContain('Version 2');
    },
    PATIENCE_MS,
  );

  test(
    'places the plugins on the node, as the first container of the DaemonSet does',
    async () => {
      const bin = join(cell.folder, 'bin');
      mkdirSync(bin);
      await run(
        ['--volume', `${bin}:/host/opt/cni/bin`],
        'install',
        '--bin-dir',
        '/host/opt/cni/bin',
      );
      expect(readdirSync(bin)).toEqual(expect.arrayContaining(['bridge', 'fairlead-overlay']));
      const env = { CNI_COMMAND: 'VERSION' };
      const said = execFileSync(join(bin, 'fairlead-overlay'), [], { env, encoding: 'utf8' });
      expect(JSON.parse(said).supportedVersions).toContain('1.1.0');
    },
    PATIENCE_MS,
  );
});
