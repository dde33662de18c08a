// SPDX-License-Identifier: Apache-2.0
// The script for Kubernetes, which is larger than all the rest: only an agent that is to learn of
// nodes there loads it. The bundle is run beside everything but that script.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { distPath } from '../support/wasm.ts';

const MODULES = ['core', 'tools', 'sim', 'agent'].map((name) => `${name}.wasm`);
const PARTS = ['fairlead.mjs', 'fairlead-cli.js', ...MODULES];
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-script-'));
  for (const name of PARTS) copyFileSync(distPath(name), join(folder, name));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(args: readonly string[], env: Record<string, string> = {}) {
  const flags = ['--experimental-ffi', '--no-warnings', join(folder, 'fairlead.mjs')];
  const input = '{"cniVersion":"1.0.0"}';
  return spawnSync(process.execPath, [...flags, ...args], {
    ...{ encoding: 'utf8', input, timeout: 20_000 },
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
}

/** A configuration with this source, and all of the agent's files in the test's folder. */
function agentWith(source: object): string[] {
  const path = join(folder, 'agent.json');
  const config = { name: 'pods', 'net-conf': { Network: '10.244.0.0/16' }, listen: '', source };
  writeFileSync(path, JSON.stringify(config));
  const folders = ['--state-dir', join(folder, 'state'), '--disk-dir', join(folder, 'disk')];
  return ['--config', path, ...folders];
}

describe('without the script for Kubernetes', () => {
  test.each([[['version']], [['help']], [['agent', '--help']]])('%j', (args) => {
    expect(run(args)).toMatchObject({ status: 0, stderr: '' });
  });

  test('a call as a plugin', () => {
    const { status, stdout } = run([], { CNI_COMMAND: 'VERSION' });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('supportedVersions');
  });

  test.each(['status', 'leave'])('%s of an agent with that source', (verb) => {
    const { status, stderr } = run(['agent', verb, ...agentWith({ type: 'kubernetes' })]);
    expect(status).toBe(1);
    expect(stderr).not.toContain('fairlead-kubernetes');
  });

  test('an agent with that source needs it', () => {
    const { stderr } = run(['agent', ...agentWith({ type: 'kubernetes' })]);
    expect(stderr).toMatch(/ENOENT.*fairlead-kubernetes\.js/);
  });
});

test('the script asks for nothing that a script of the executable cannot have', () => {
  const text = readFileSync(distPath('fairlead-kubernetes.js'), 'utf8');
  const required = [...text.matchAll(/^[^/\n]*\brequire\('([^']+)'\)/gm)].map(([, name]) => name);
  // Which `debug` tries for, and does without.
  expect(required).toEqual(['supports-color']);
  expect(text).not.toMatch(/^[^/*\n]*\bimport\('(?!node:)/m);
});
