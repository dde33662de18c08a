// SPDX-License-Identifier: Apache-2.0
// `npm run test:qemu`, once all is built: which fixtures run in Debian's kernel, and that each of
// them did. What they expect is their own. With arguments all whose names hold one of them, with
// EVERY=fixture all.
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allFixtures, type Fixture } from '../support/fixture.ts';
import { byStatus } from '../support/report.ts';
import { typeTable } from '../support/types.ts';
import { makeJobs } from './jobs.ts';
import { debianKernel, ROOT } from './kernel.ts';
import { complaints, startQemu } from './qemu.ts';

/** All of them take hours. */
const LIMIT_MS = 8 * 3_600_000;
/** On a machine that has much else to do, a fixture takes many minutes in there. */
const EACH_LIMIT_MS = 3_600_000;
const EXIT_FAILED = 1;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const PROGRAMS: ReadonlyMap<string, string> = new Map([
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['busybox', 'busybox-static'],
  ['modprobe', 'kmod'],
  ['setpriv', 'util-linux'],
  ['apt-get', 'apt'],
]);

/** Folders of what touches the kernel; the others are files, or other plugins. */
const FOLDERS = [
  ...typeTable().types.flatMap(({ ours, role, name }) =>
    ours && role !== 'ipam' && role !== 'chain' ? [name] : [],
  ),
  ...['fused', 'heal', 'nft'],
];
/**
 * What is tried when nothing else is asked for: a part of the kernel each. A step takes ten seconds
 * without KVM, most of it to read the state.
 */
const PICKED = [
  ...['loopback/add', 'ptp/dual-stack', 'fused/two', 'nft/gc', 'tuning/attributes'],
  ...['bridge/vlan-trunk', 'bridge/ipmasq', 'bridge/macspoofchk', 'bridge/port-isolation'],
  ...['portmap/fused', 'portmap/masq-all', 'firewall/isolated', 'bandwidth/both'],
  ...['bandwidth/shared-clsact', 'sbr/dual-stack'],
  ...['vrf/add', 'vrf/fused', 'vrf/ipv6'],
];
const every = process.env['EVERY'] === 'fixture';
const GROUP = 'native host, real kernel';

/** What makes a file or a flow beside programs, and that is not where they are. */
const NOT_BY_PROGRAMS = /^(conntrack |file \/run\/netns\/)/m;

const say = (line: string): void => console.log(`qemu: ${line}`);

/** "" when all is here, else what to do. */
function problem(): string {
  if (process.arch !== 'x64') return 'the kernel is that of x86-64, and this machine is not';
  if (process.getuid?.() !== 0) return 'reading all of this machine from inside needs root';
  const missing = [...PROGRAMS].filter(([program]) => !isHere(program));
  const names = missing.map(([, name]) => name).join(' ');
  return names === '' ? '' : `not on this machine; run: apt-get install ${names}`;
}

function isHere(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** Parts of a name are divided by " > " in reports, and by a space where vitest looks for names. */
const asPattern = (name: string): string => escaped(name).replaceAll(' > ', '[ >]+');

/** What is asked for, by full names, and what of it cannot be tried. */
function namesOf(parts: readonly string[]): { wanted: string[]; left: string[] } {
  const named = (names: readonly string[]) => names.map((name) => `${GROUP} > ${name}`);
  if (parts.length === 0 && !every) return { wanted: named(PICKED), left: [] };
  const asked = (name: string) => every || parts.some((part) => name.includes(part));
  const types = new RegExp(`^(${FOLDERS.join('|')})/`);
  const fixtures = allFixtures().filter(({ name }) => types.test(name) && asked(name));
  const byNode = ({ before }: Fixture) => NOT_BY_PROGRAMS.test(before);
  const rest = fixtures.filter((fixture) => !byNode(fixture));
  return {
    wanted: named(rest.map(({ name }) => name)),
    left: fixtures.filter(byNode).map(({ name }) => name),
  };
}

/** Program and arguments of vitest, for the fixtures and a report of them. */
function vitestWords(wanted: readonly string[], report: string): string[] {
  const pattern = wanted.map((name) => `^${asPattern(name)}( |$)`).join('|');
  return [
    ...[process.execPath, '--experimental-ffi', '--no-warnings'],
    ...['node_modules/vitest/vitest.mjs', 'run', '--no-color', '--hideSkippedTests'],
    ...[`--testTimeout=${EACH_LIMIT_MS}`, '--reporter=verbose', '--reporter=json'],
    ...[`--outputFile.json=${report}`, '-t', pattern, 'test/fixtures/native.test.ts'],
  ];
}

/** Every fixture must have run, and passed. */
function judge(report: string, wanted: readonly string[]): { passed: number; failed: string[] } {
  const passed = byStatus(report).get('passed') ?? [];
  const failed = byStatus(report).get('failed') ?? [];
  const idle = wanted.filter((name) => !passed.includes(name) && !failed.includes(name));
  return { passed: passed.length, failed: [...failed, ...idle.map((name) => `not run: ${name}`)] };
}

/** Runs our tests until they or the kernel end: without it what they call would wait for ever. */
async function run(words: readonly string[], env: NodeJS.ProcessEnv, kernel: ChildProcess) {
  const [program = '', ...args] = words;
  const stdio: StdioOptions = ['ignore', 'inherit', 'inherit'];
  const child = spawn(program, args, { cwd: ROOT, env, stdio, detached: true });
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of its processes have ended.
    }
  };
  process.on('exit', end);
  kernel.on('exit', end);
  await once(child, 'close');
}

async function tryAll({ wanted, left }: ReturnType<typeof namesOf>, folder: string) {
  const report = join(folder, 'report.json');
  const env = makeJobs(folder);
  const kernel = await startQemu(debianKernel(say), folder, say);
  const stop = () => kernel.kill('SIGKILL');
  const limit = setTimeout(stop, LIMIT_MS);
  try {
    await run(vitestWords(wanted, report), env, kernel);
  } finally {
    clearTimeout(limit);
    stop();
  }
  const { passed, failed } = judge(report, wanted);
  const all = [...failed, ...complaints(folder).map((line) => `the kernel: ${line}`)];
  for (const name of all) say(`failed: ${name}`);
  for (const name of left) say(`skipped: ${name}: Node makes a flow or a file for it, here`);
  console.log(`${passed} passed, ${all.length} failed, ${left.length} skipped`);
  return all.length === 0 ? 0 : EXIT_FAILED;
}

async function main(parts: readonly string[]): Promise<number> {
  const why = problem();
  const names = namesOf(parts);
  if (why !== '' || names.wanted.length === 0) {
    say(why || `no such fixture has ${parts.join(' or ')} in its name`);
    return EXIT_FAILED;
  }
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-qemu-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of SIGNALS) process.on(signal, () => process.exit(EXIT_FAILED));
  try {
    return await tryAll(names, folder);
  } catch (error) {
    say(String(error));
    console.log('0 passed, 1 failed, 0 skipped');
    return EXIT_FAILED;
  }
}

process.exit(await main(process.argv.slice(2)));
