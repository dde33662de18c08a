// SPDX-License-Identifier: Apache-2.0
// A fixture: one behaviour as configuration, calls, expected answers and expected kernel state.
// The format is described in fixtures/README.md. It owns parsing and comparing, and refuses what
// that page does not know; world.ts owns running.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  normalState as settledState,
  normalMacs as withoutMacs,
} from '../../host-node/recording/fixture.ts';
import { type Directives, parseDirectives } from './directives.ts';
import { formatTxtar, parseTxtar } from './txtar.ts';
import { kernelNeeds } from './types.ts';

const ROOT = fileURLToPath(new URL('../../fixtures', import.meta.url));

/** One call of a plugin. */
export interface Step {
  readonly number: number;
  readonly command: string;
  readonly type: string;
  readonly stdin: string;
  readonly env: Readonly<Record<string, string>>;
  /** Number of the step whose result the runtime passes as prevResult, 0 for none. */
  readonly prev: number;
}

export interface Fixture extends Directives {
  readonly name: string;
  readonly path: string;
  readonly before: string;
  readonly steps: readonly Step[];
  readonly files: ReadonlyMap<string, string>;
  /** Expected stdout of a step, normalised; "" when it prints nothing. */
  result(step: number): string;
  /** Expected state after a step; undefined where the fixture does not say. */
  after(step: number): string | undefined;
}

/** A call's answer and the state it left. */
export interface Outcome {
  readonly exit_code: number;
  readonly stdout: string;
  readonly state: string;
  /** What a program said on standard error. */
  readonly stderr?: string;
}

/** /run/netns/NAME for a name, a path as it is. */
function netnsPath(value: string): string {
  return value === '' || value.startsWith('/') ? value : `/run/netns/${value}`;
}

function words(line: string): string[] {
  return line.match(/(?:[^\s"]+|"[^"]*")+/g) ?? [];
}

/** The configuration's own type; of one that does not parse, what stands first. */
function typeOf(stdin: string): string {
  try {
    return String(JSON.parse(stdin).type ?? '');
  } catch {
    return /"type":\s*"([^"]+)"/.exec(stdin)?.[1] ?? '';
  }
}

const KEYS = ['id', 'netns', 'ifname', 'args', 'path', 'type', 'prev'];

/** The keys of a step and their values. */
function parseKeys(parts: readonly string[], number: number): Map<string, string> {
  const given = new Map<string, string>();
  for (const word of parts) {
    const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
    if (!KEYS.includes(key) && !key.startsWith('CNI_')) {
      throw new Error(`step ${number}: "${word}" has none of the keys ${KEYS.join(', ')}, CNI_…`);
    }
    given.set(key, value.replaceAll('"', ''));
  }
  const prev = given.get('prev') ?? '0';
  if (!/^\d+$/.test(prev) || Number(prev) >= number) {
    throw new Error(`step ${number}: prev=${prev} is no step before it`);
  }
  return given;
}

function parseStep(line: string, number: number, files: ReadonlyMap<string, string>): Step {
  const [command = '', file = '', ...rest] = words(line);
  const stdin = files.get(file);
  if (stdin === undefined) throw new Error(`step ${number}: no file "${file}"`);
  const given = parseKeys(rest, number);
  const type = given.get('type') ?? typeOf(stdin);
  const env: Record<string, string> = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: given.get('id') ?? 'c1',
    CNI_NETNS: netnsPath(given.get('netns') ?? 'pod'),
    CNI_IFNAME: given.get('ifname') ?? 'eth0',
    CNI_ARGS: given.get('args') ?? '',
    CNI_PATH: given.get('path') ?? '/opt/cni/bin',
  };
  for (const [key, value] of given) if (key.startsWith('CNI_')) env[key] = value;
  return { number, command, type, stdin, env, prev: Number(given.get('prev') ?? 0) };
}

/** Parts that nobody reads say nothing, so there may be none. */
function refuseUnread(lines: readonly string[], files: ReadonlyMap<string, string>): void {
  const read = new Set(['before', 'steps', ...lines.map((line) => words(line)[1] ?? '')]);
  for (const name of files.keys()) {
    const step = Number(/^(\d+)\.(?:result|after)$/.exec(name)?.[1] ?? 0);
    const expects = step >= 1 && step <= lines.length;
    if (!read.has(name) && !expects) throw new Error(`no step has to do with "${name}"`);
  }
}

/** Throws an Error that names the path when the text is not as fixtures/README.md says. */
export function parseFixture(path: string, text: string): Fixture {
  const { comment, files } = parseTxtar(text);
  const lines = (files.get('steps') ?? '').split('\n').filter((line) => line !== '');
  try {
    refuseUnread(lines, files);
    const directives = parseDirectives(comment);
    return {
      name: path.slice(ROOT.length + 1).replace(/\.txtar$/, ''),
      path,
      ...directives,
      get needs() {
        return [...new Set([...kernelNeeds([...files.values()]), ...directives.needs])];
      },
      before: files.get('before') ?? 'netns host\nnetns pod\n',
      steps: lines.map((line, index) => parseStep(line, index + 1, files)),
      files,
      result: (step) => (files.get(`${step}.result`) ?? '').trimEnd(),
      after: (step) => files.get(`${step}.after`),
    };
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

export function loadFixture(path: string): Fixture {
  return parseFixture(path, readFileSync(path, 'utf8'));
}

/** Every fixture below fixtures/, by path. */
export function allFixtures(): Fixture[] {
  const found = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.txtar'))
    .sort();
  return found.map((path) => loadFixture(join(ROOT, path)));
}

/** What a step reads on stdin: its file, with the earlier result as prevResult. */
export function stdinOf(
  step: Step,
  earlier: readonly Pick<Outcome, 'stdout'>[],
  version?: string,
): string {
  const replaced =
    version === undefined
      ? step.stdin
      : step.stdin.replace(/("cniVersion":\s*)"[^"]*"/, `$1"${version}"`);
  const previous = earlier[step.prev - 1]?.stdout;
  if (previous === undefined) return replaced;
  return JSON.stringify({ ...JSON.parse(replaced), prevResult: JSON.parse(previous) });
}

/** What the fixture itself names: its own parts, without what it expects. */
function namedBy(fixture: Pick<Fixture, 'files'>): string {
  const written = [...fixture.files].filter(([name]) => !/^\d+\./.test(name));
  return written.map(([, content]) => content.toLowerCase()).join('\n');
}

/** Replaces hardware addresses by <mac NETNS/LINK>, except those that the fixture itself names. */
export const normalMacs = (text: string, state: string, fixture: Pick<Fixture, 'files'>): string =>
  withoutMacs(text, state, namedBy(fixture));

/** A state without what a kernel makes up. */
export const normalState = (state: string, fixture: Pick<Fixture, 'files'>): string =>
  settledState(state, namedBy(fixture));

export function normal(outcome: Outcome, fixture: Pick<Fixture, 'files'>): Outcome {
  return {
    exit_code: outcome.exit_code,
    stdout: normalMacs(outcome.stdout, outcome.state, fixture),
    state: normalState(outcome.state, fixture),
  };
}

/** Writes the outcomes into the fixture as what is expected: FIXTURE_UPDATE=1. */
export function updateFixture(
  fixture: Fixture,
  initial: string,
  outcomes: readonly Outcome[],
): void {
  const files = new Map([...fixture.files].filter(([name]) => !/^\d+\.(result|after)$/.test(name)));
  let last = normalState(initial, fixture);
  outcomes.forEach((outcome, index) => {
    const shown = normal(outcome, fixture);
    if (shown.stdout !== '') files.set(`${index + 1}.result`, `${shown.stdout.trimEnd()}\n`);
    if (shown.state !== last) files.set(`${index + 1}.after`, shown.state);
    last = shown.state;
  });
  const { comment } = parseTxtar(readFileSync(fixture.path, 'utf8'));
  writeFileSync(fixture.path, formatTxtar({ comment, files }));
}
