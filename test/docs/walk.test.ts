// SPDX-License-Identifier: Apache-2.0
// The walk of docs/adding-a-type.md, taken: its files are put into a copy of the core, which is
// then compiled and serves its fixture on the simulated kernel, also with every operation failing.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serve } from '../../host-node/core.ts';
import { failing } from '../../host-node/drivers/record.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { parseFixture, stdinOf } from '../support/fixture.ts';
import { wasmModule } from '../support/wasm.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EIO = 5;
const [, WALK = ''] = readFileSync(join(ROOT, 'docs/adding-a-type.md'), 'utf8').split(
  '\n## A walk\n',
);

/** The block of code that follows the first mention of a file. */
const blockOf = (path: string): string =>
  /^```\w+\n([\s\S]*?)^```$/m.exec(WALK.slice(WALK.indexOf(`\`${path}\``)))?.[1] ?? '';

describe('the walk', () => {
  const TYPE = 'core-as/plugins/main/hole.ts';
  const FIXTURE = 'fixtures/hole/mtu.txtar';
  const fixture = parseFixture('hole/mtu', blockOf(FIXTURE));
  let folder: string;
  let core: WebAssembly.Module;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-walk-'));
    cpSync(join(ROOT, 'core-as'), join(folder, 'core-as'), { recursive: true });
    writeFileSync(join(folder, TYPE), blockOf(TYPE));
    const registry = join(folder, 'core-as/registry.ts');
    const rows = readFileSync(registry, 'utf8')
      .replace(
        'import { Loopback }',
        'import { Hole } from "./plugins/main/hole";\nimport { Loopback }',
      )
      .replace('  new Row("loopback"', `${blockOf('core-as/registry.ts')}  new Row("loopback"`);
    writeFileSync(registry, rows);
    const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
    const abort = ['--runtime', 'stub', '--use', 'abort=core-as/panic/panic'];
    const words = ['core-as/core.ts', ...abort, '-O0', '--outFile', 'core.wasm'];
    execFileSync(process.execPath, [asc, ...words], { cwd: folder, stdio: 'pipe' });
    core = new WebAssembly.Module(readFileSync(join(folder, 'core.wasm')));
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const call = (
    driver: Parameters<typeof serve>[1],
    step: (typeof fixture.steps)[number],
    earlier: readonly { stdout: string }[],
  ) => {
    const stdin = () => Buffer.from(stdinOf(step, earlier));
    const around = { stdin, log: () => {}, sleep: () => {} };
    return serve(core, driver, { type: step.type, env: step.env }, around);
  };

  test('makes what its fixture asks for, and takes it away', () => {
    const driver = simulatedDriver(wasmModule('sim'), fixture.before);
    const before = driver.dump();
    const earlier: { stdout: string }[] = [];
    for (const step of fixture.steps) {
      const answer = call(driver, step, earlier);
      expect(answer.exit_code, answer.stdout).toBe(0);
      earlier.push(answer);
      if (step.command === 'ADD') {
        expect(driver.dump()).toMatch(/^link eth0 kind dummy up address \S+ mtu 1300/m);
      }
    }
    expect(driver.dump()).toBe(before);
  });

  test('leaves nothing when an operation of ADD fails', () => {
    const [add] = fixture.steps;
    let tried = 0;
    for (let n = 1; ; n++) {
      const driver = simulatedDriver(wasmModule('sim'), fixture.before);
      const before = driver.dump();
      const broken = failing(driver, n, EIO);
      const { exit_code } = call(broken, add!, []);
      if (broken.count() < n) break;
      if (exit_code === 0) continue;
      tried++;
      expect(driver.dump()).toBe(before);
    }
    expect(tried).toBeGreaterThan(10);
  });
});
