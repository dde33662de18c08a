// SPDX-License-Identifier: Apache-2.0
// `fairlead support-bundle`: what is in the file, what is not, and that the file has to be new.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { runSupportBundle } from '../../host-node/cli/support-bundle.ts';
import { fileLine, Machine } from './machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-bundle-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const conf = join(folder, 'conf');
const ring = join(folder, 'state', 'recordings');
const CONFLIST = JSON.stringify({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    { type: 'bridge', registryPassword: 'hunter2hunter2', url: 'https://x/?token=abc', after: 1 },
  ],
});
const path = join(conf, '10-pods.conflist');
mkdirSync(conf);
mkdirSync(ring, { recursive: true });
writeFileSync(path, CONFLIST);
const call = join(ring, `${'1'.repeat(16)}-1.jsonl`);
writeFileSync(call, '{"fairlead_recording":1}\n');

function bundle(...args: string[]) {
  const on = new Machine(`netns host\n${fileLine(path, CONFLIST)}`);
  on.env = { CNI_FAIRLEAD_STATE_DIR: join(folder, 'state') };
  const places = ['--conf-dir', conf, '--bin-dir', folder];
  return on.run((io) => runSupportBundle([...args, ...places], io, '9.9.9'));
}
const read = (file: string) => JSON.parse(gunzipSync(readFileSync(file)).toString());

test('holds what doctor says, networks without secrets, and recordings', () => {
  const file = join(folder, 'one.json.gz');
  const said = bundle(file, '--output', 'json');
  expect(said.code).toBe(0);
  expect(JSON.parse(said.stdout)).toMatchObject({ file, redacted: ['registryPassword'] });
  const held = read(file);
  expect(held).toMatchObject({
    fairlead_support: 1,
    version: '9.9.9',
    attachments: { attachments: [], foreign: [] },
    recordings: { [call]: '{"fairlead_recording":1}\n' },
    networks: { [path]: CONFLIST.replace('hunter2hunter2', '*'.repeat(14)) },
  });
  expect(held.doctor.findings.map(({ id }: { id: string }) => id)).toContain('network-doubtful');
  // Without root there may be none, and then that is said.
  if (held.snapshot === null) expect(held.missing.join()).toContain('snapshot: ');
  else expect(held.snapshot).toContain('netns host');
  expect(JSON.stringify(held)).not.toContain('hunter2');
});

test('is for its owner alone, and never writes over a file or through a link', () => {
  const file = join(folder, 'two.json.gz');
  expect(bundle(file).code).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const again = bundle(file);
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toContain(`cannot write ${file}: EEXIST`);
});

test('takes no file that is none, and waits for no pipe', () => {
  execFileSync('mkfifo', [join(conf, '99-pipe.conf')]);
  const file = join(folder, 'four.json.gz');
  const said = bundle(file);
  expect(said.code).toBe(0);
  expect(said.stderr).toContain(`not in it: ${join(conf, '99-pipe.conf')}: no regular file`);
  expect(read(file).networks[path]).toContain('"after":1');
});

test('says what could not be had', () => {
  const file = join(folder, 'three.json.gz');
  const on = new Machine('netns host\n');
  const nowhere = ['--conf-dir', join(folder, 'nowhere'), '--bin-dir', folder];
  const said = on.run((io) => runSupportBundle([file, ...nowhere], io, '9.9.9'));
  expect(said.code).toBe(0);
  expect(said.stderr).toContain(`not in it: ${join(folder, 'nowhere')}: ENOENT`);
  expect(read(file).missing).toContainEqual(expect.stringContaining('ENOENT'));
});
