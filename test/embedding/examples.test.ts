// SPDX-License-Identifier: Apache-2.0
// The npm package from a clean folder, and the small hosts of examples/ in TypeScript, C and
// Python: each must give what our own host gives for the same call.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPERATIONS } from '../../host-node/abi/index.ts';
import { serve } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { need, needsNative } from '../support/needs.ts';
import { distPath, wasmModule } from '../support/wasm.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = dirname(distPath('npm/package.json'));
const RUN_TIME = '/usr/src/wasm2c';
/** Python's packages are installed once: here nothing of the clone is in their way. */
const VENV = join(ROOT, 'node_modules/.cache/examples-python');

const CONF = {
  cniVersion: '1.1.0',
  name: 'net',
  type: 'bridge',
  isGateway: true,
  ipam: { type: 'host-local', subnet: '10.1.2.0/24' },
};
const CALL = {
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/pod',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};
const GROUND = 'netns host\nnetns pod\n';

/** What our own host answers and leaves. */
function expected(command: string, state: string) {
  const driver = simulatedDriver(wasmModule('sim'), state);
  const around = {
    stdin: () => new TextEncoder().encode(JSON.stringify(CONF)),
    log: () => {},
    sleep: () => {},
  };
  const env = { ...CALL, CNI_COMMAND: command };
  const { exit_code, stdout } = serve(wasmModule('core'), driver, { type: 'bridge', env }, around);
  return { code: exit_code, stdout, state: driver.dump() };
}
const added = () => expected('ADD', GROUND);
const removed = () => expected('DEL', `complete\n${added().state}`);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-embedding-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** ADD, then DEL, by a host that keeps the state in a file. */
function both(host: readonly string[], cwd: string): void {
  const state = join(cwd, 'state.txt');
  for (const [command, wanted] of [
    ['ADD', added()],
    ['DEL', removed()],
  ] as const) {
    const [program = '', ...args] = host;
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd,
      input: JSON.stringify(CONF),
      env: { PATH: process.env['PATH'], ...CALL, CNI_COMMAND: command },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect({ code: status, stdout, state: readFileSync(state, 'utf8') }).toEqual(wanted);
  }
}

describe('the npm package', () => {
  let app: string;
  beforeAll(() => {
    app = join(folder, 'app');
    mkdirSync(app);
    writeFileSync(join(app, 'package.json'), '{"name":"app","private":true,"type":"module"}');
    const run = (program: string, ...args: string[]): string =>
      execFileSync(program, args, { cwd: app, encoding: 'utf8' });
    const [packed] = JSON.parse(run('npm', 'pack', PACKAGE, '--json')) as { filename: string }[];
    run('npm', 'install', '--no-audit', '--no-fund', '--offline', `./${packed?.filename}`);
    cpSync(join(ROOT, 'examples/typescript'), app, { recursive: true });
  });

  /** Checks the types of the app's files with these packages of types. */
  function check(...types: string[]): string {
    const tsc = join(ROOT, 'node_modules/typescript/lib/tsc.js');
    const roots = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--types', types.join(',')];
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', '.', ...roots], {
      cwd: app,
      encoding: 'utf8',
    });
    return stdout;
  }

  test('brings nothing along, and keeps its promise of what it exports', () => {
    expect(existsSync(join(app, 'node_modules/fairlead/core.wasm'))).toBe(true);
    const installed = JSON.parse(readFileSync(join(app, 'package-lock.json'), 'utf8'));
    expect(Object.keys(installed.packages)).toEqual(['', 'node_modules/fairlead']);
    const table = JSON.parse(readFileSync(join(app, 'node_modules/fairlead/abi.json'), 'utf8'));
    expect(table.operations.map(({ name }: { name: string }) => name)).toEqual(
      OPERATIONS.map(({ name }) => name),
    );
    const names = (entry: string): string[] => {
      const script = `console.log(Object.keys(await import('fairlead/${entry}')).sort().join(' '))`;
      const args = ['--experimental-ffi', '--no-warnings', '--input-type=module', '-e', script];
      return execFileSync(process.execPath, args, { cwd: app, encoding: 'utf8' }).trim().split(' ');
    };
    expect(names('core')).toEqual([
      ...['ABI_MARKER', 'CorePanic', 'DRIVER_OPERATIONS', 'Instances', 'OPERATIONS', 'OsError'],
      ...['limits', 'performTask', 'serve'],
    ]);
    expect(names('simulated')).toEqual(
      (
        'difference failing mermaidOf modelOf recording replaying simulatedDriver svgOf ' +
        'traceLine wrap'
      ).split(' '),
    );
    expect(names('host')).toEqual(['realDriver']);
  });

  test('the host in TypeScript is of the right types, and serves ADD and DEL', () => {
    expect(check('node')).toBe('');
    both([process.execPath, '--no-warnings', 'host.ts'], app);
  });

  test('core and simulated need no types of Node', () => {
    const use = `import { serve, type Driver } from 'fairlead/core';
import { simulatedDriver } from 'fairlead/simulated';
export const driver = (sim: WebAssembly.Module): Driver => simulatedDriver(sim, 'netns host\\n');
export const wrong: number = serve;
`;
    const kept = readFileSync(join(app, 'host.ts'), 'utf8');
    rmSync(join(app, 'host.ts'));
    writeFileSync(join(app, 'plain.ts'), use);
    const said = check();
    rmSync(join(app, 'plain.ts'));
    writeFileSync(join(app, 'host.ts'), kept);
    expect(said.trim().split('\n')).toEqual([
      expect.stringMatching(/^plain\.ts\(4,14\): error TS2322/),
    ]);
  });
});

const needsWasm2c = needsNative || need(existsSync(RUN_TIME), 'needs the package wabt');

describe.skipIf(needsWasm2c !== '')(`C ${needsWasm2c}`, () => {
  test('the WASI command without a runtime for WebAssembly', () => {
    const cwd = join(folder, 'c');
    mkdirSync(cwd);
    cpSync(join(ROOT, 'examples/c/host.c'), join(cwd, 'host.c'));
    const run = (program: string, ...args: string[]) => execFileSync(program, args, { cwd });
    run('wasm2c', '-n', 'fairlead', '-o', 'fairlead.c', distPath('fairlead-core.wasi.wasm'));
    const strict = ['-Wall', '-Wextra', '-Werror', '-O0', '-I.', `-I${RUN_TIME}`];
    run('gcc', ...strict, '-c', 'host.c', '-o', 'host.o');
    const rest = ['fairlead.c', join(RUN_TIME, 'wasm-rt-impl.c')];
    run('gcc', '-w', '-O0', '-I.', `-I${RUN_TIME}`, 'host.o', ...rest, '-lm', '-o', 'host');
    let kernel = GROUND;
    for (const [command, wanted] of [
      ['ADD', added()],
      ['DEL', removed()],
    ] as const) {
      const request = {
        type: 'bridge',
        env: { ...CALL, CNI_COMMAND: command },
        config: CONF,
        kernel,
      };
      const said = execFileSync(join(cwd, 'host'), { input: JSON.stringify(request) });
      const answer = JSON.parse(said.toString());
      expect({ code: answer.exit, stdout: answer.stdout, state: answer.kernel }).toEqual(wanted);
      expect(answer.operations.length).toBeGreaterThan(5);
      kernel = `complete\n${answer.kernel}`;
    }
    const bad = spawnSync(join(cwd, 'host'), { input: '[', encoding: 'utf8' });
    expect([bad.status, bad.stdout]).toEqual([2, '']);
  });
});

/** "" when the packages of the example are installed, else why they are not. */
function pythonLacks(): string {
  if (!existsSync(join(VENV, 'bin/python'))) {
    const made = spawnSync('python3', ['-m', 'venv', VENV]);
    if (made.status !== 0) return 'needs the package python3-venv';
  }
  const wanted = join(ROOT, 'examples/python/requirements.txt');
  const args = ['install', '--quiet', '--disable-pip-version-check', '-r', wanted];
  const { status } = spawnSync(join(VENV, 'bin/pip'), args);
  return status === 0 ? '' : 'needs wasmtime of PyPI';
}
const lacks = pythonLacks();
const needsPython = need(lacks === '', lacks);

describe.skipIf(needsPython !== '')(`Python ${needsPython}`, () => {
  test('core.wasm and sim.wasm under wasmtime', () => {
    const cwd = join(folder, 'python');
    mkdirSync(cwd);
    const script = join(ROOT, 'examples/python/host.py');
    both([join(VENV, 'bin/python'), script, PACKAGE, 'bridge', 'state.txt'], cwd);
  });
});
