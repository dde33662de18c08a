// SPDX-License-Identifier: Apache-2.0
// The native program as a file and as a process: its size, what it needs, what it is when it is not
// called as a plugin, and what it answers when its core breaks. Namespaces and leases are the
// test's own.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { Lab } from '../support/lab.ts';
import { needsArm64, needsNative } from '../support/needs.ts';
import { distPath } from '../support/wasm.ts';

/**
 * Of x86-64 12 KB are the recorder (docs/recording.md): its rows of the ABI, and stars for secrets.
 * Segments of arm64 begin at multiples of 64 KiB, for kernels with pages that large.
 */
const SIZE_MAX_BYTES = { 'fairlead-native': 400_000, 'fairlead-native-arm64': 466_000 } as const;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PEAK_MAX_KIB = 4096;
// elf(5)
const ET_DYN = 3;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474e551;
const PT_GNU_RELRO = 0x6474e552;
const PF_X = 1;
const PF_W = 2;
const DT_NEEDED = 1;

const folder = mkdtempSync(join(tmpdir(), 'fairlead-native-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Segment {
  readonly type: number;
  readonly flags: number;
  /** Where it is, from where the program begins. */
  readonly address: number;
  readonly bytes: Buffer;
}

/** The program headers of a 64-bit file. */
function segmentsOf(elf: Buffer): Segment[] {
  const at = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  return Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
    const header = elf.subarray(at + index * size);
    const offset = Number(header.readBigUInt64LE(8));
    const bytes = elf.subarray(offset, offset + Number(header.readBigUInt64LE(32)));
    const address = Number(header.readBigUInt64LE(16));
    return { type: header.readUInt32LE(0), flags: header.readUInt32LE(4), address, bytes };
  });
}

/** The tags of a dynamic section. */
function tagsOf(section: Buffer): number[] {
  const count = Math.floor(section.length / 16);
  return Array.from({ length: count }, (_, index) => Number(section.readBigInt64LE(index * 16)));
}

const FILES = [
  { file: 'fairlead-native', why: needsNative } as const,
  { file: 'fairlead-native-arm64', why: needsArm64 } as const,
].filter(({ why }) => why === '');

describe.each(FILES)('$file', ({ file }) => {
  test('is small', () => {
    expect(statSync(distPath(file)).size).toBeLessThanOrEqual(SIZE_MAX_BYTES[file]);
  });

  test('is the same in whatever folder it is built: it names none', () => {
    expect(readFileSync(distPath(file)).includes(ROOT)).toBe(false);
  });

  test('needs no loader and no library, and lies anywhere in memory', () => {
    const elf = readFileSync(distPath(file));
    const segments = segmentsOf(elf);
    expect(elf.readUInt16LE(16)).toBe(ET_DYN);
    expect(segments.filter(({ type }) => type === PT_INTERP)).toEqual([]);
    const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
    expect(tagsOf(dynamic!.bytes)).not.toContain(DT_NEEDED);
  });

  test('has nothing that is writable and executable, and no executable stack', () => {
    const segments = segmentsOf(readFileSync(distPath(file)));
    const both = segments.filter(({ flags }) => (flags & PF_X) !== 0 && (flags & PF_W) !== 0);
    expect(both).toEqual([]);
    expect(segments.find(({ type }) => type === PT_GNU_STACK)!.flags & PF_X).toBe(0);
    expect(segments.some(({ type }) => type === PT_GNU_RELRO)).toBe(true);
  });
});

/** proc_pid_maps(5) */
function mappingsOf(pid: number) {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [range, rights, , , , path] = line.split(/ +/);
    const [start, end] = range!.split('-').map((digits) => Number.parseInt(digits, 16));
    return { start: start!, end: end!, rights, path };
  });
}

test.skipIf(needsNative !== '')(
  `what is constant after the start is read-only in the process ${needsNative}`.trimEnd(),
  async () => {
    const path = distPath('fairlead-native');
    const constant = segmentsOf(readFileSync(path)).find(({ type }) => type === PT_GNU_RELRO)!;
    const env = { CNI_COMMAND: 'STATUS', CNI_PATH: '/' };
    const stdio = ['pipe', 'ignore', 'ignore'] as const;
    // It waits for its standard input, and has begun when it ignores SIGPIPE.
    const program = spawn(path, { argv0: 'bridge', env, stdio: [...stdio] });
    try {
      const about = (name: string) => `/proc/${program.pid}/${name}`;
      const began = () =>
        readlinkSync(about('exe')) === path &&
        /^SigIgn:.*[1-9a-f]/m.test(readFileSync(about('status'), 'utf8'));
      while (!began()) await setTimeout(1);
      const mappings = mappingsOf(program.pid!);
      const at = mappings.find((mapping) => mapping.path === path)!.start + constant.address;
      const mapping = mappings.find(({ start, end }) => start <= at && at < end);
      expect(mapping).toMatchObject({ rights: 'r--p', path });
    } finally {
      program.kill('SIGKILL');
    }
  },
);

function run(name: string, args: string[], env: Record<string, string> = {}, input = '') {
  const done = spawnSync(join(folder, name), args, { env, input, encoding: 'utf8' });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

describe.skipIf(needsNative !== '')(`not called as a plugin ${needsNative}`, () => {
  const alone = () => {
    for (const name of ['fairlead', 'bridge']) {
      rmSync(join(folder, name), { force: true });
      symlinkSync(distPath('fairlead-native'), join(folder, name));
    }
  };

  test('a plugin introduces itself on standard error', () => {
    alone();
    const { status, stdout, stderr } = run('bridge', []);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('CNI bridge plugin');
  });

  test.each([[['--help']], [['install']], [[]]])('fairlead %s says where that is', (args) => {
    alone();
    const { status, stdout, stderr } = run('fairlead', args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('the command line is the program fairlead-cli');
  });

  test('it becomes the command line that lies beside it, called by any name', () => {
    const beside = join(folder, 'beside');
    mkdirSync(beside);
    copyFileSync(distPath('fairlead-native'), join(beside, 'fairlead'));
    writeFileSync(join(beside, 'fairlead-cli'), '#!/bin/sh\necho "$@"\n');
    chmodSync(join(beside, 'fairlead-cli'), 0o755);
    symlinkSync('fairlead', join(beside, 'bridge'));
    expect(run('beside/fairlead', ['add', 'net']).stdout).toBe('add net\n');
    expect(run('beside/bridge', ['--version']).stdout).toBe('--version\n');
    expect(run('beside/fairlead', []).stdout).toBe('\n');
    const asked = run('beside/fairlead', ['add'], { CNI_COMMAND: 'VERSION' });
    expect(JSON.parse(asked.stdout)).toMatchObject({ cniVersion: '1.1.0' });
  });
});

describe.skipIf(needsNative !== '')(`one ADD ${needsNative}`, () => {
  const config = {
    cniVersion: '1.1.0',
    name: 'peak',
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: true,
    ipam: {
      type: 'host-local',
      dataDir: join(folder, 'leases'),
      ranges: [[{ subnet: '10.1.0.0/16' }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  };

  test('and one DEL need little memory', async () => {
    const lab = new Lab(1, 'peak');
    const program = join(folder, 'measured/bridge');
    mkdirSync(join(folder, 'measured'));
    symlinkSync(distPath('fairlead-native'), program);
    try {
      for (const command of ['ADD', 'DEL']) {
        const log = join(folder, command);
        const time = ['time', '-f', '%M', '-o', log];
        const { code, stdout } = await lab.call(program, command, 'peak0', config, time);
        expect(code, stdout).toBe(0);
        expect(Number(readFileSync(log, 'utf8'))).toBeLessThanOrEqual(PEAK_MAX_KIB);
      }
    } finally {
      lab.close();
    }
  });
});
