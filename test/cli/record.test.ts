// SPDX-License-Identifier: Apache-2.0
// record, logs and replay as commands: their switch, what they say of files that are none of ours,
// and their forms. What is in a recording is test/recording/'s.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { runLogs } from '../../host-node/cli/logs.ts';
import { runRecord } from '../../host-node/cli/record.ts';
import { runReplay } from '../../host-node/cli/replay.ts';
import { parseRecording } from '../../host-node/recording/format.ts';
import { openRecording } from '../../host-node/recording/ring.ts';
import { firstStep, fixtureNamed, tape } from '../recording/taped.ts';
import { parseFixture } from '../support/fixture.ts';
import { wasmModule } from '../support/wasm.ts';
import { Machine, type Said } from './machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-record-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { text } = tape(firstStep(fixtureNamed('bridge/dual-stack')));
let states = 0;
let state = '';
let on: Machine;
const ring = (...path: string[]): string => join(state, 'recordings', ...path);

beforeEach(() => {
  state = join(folder, `state-${++states}`);
  on = new Machine('netns host\n');
  on.env['CNI_FAIRLEAD_STATE_DIR'] = state;
});

const record = (...args: string[]): Said => on.run((io) => runRecord(args, io));
const logs = (...args: string[]): Said => on.run((io) => runLogs(args, io));
const replay = (...args: string[]): Said =>
  on.run(({ write }) =>
    runReplay(args, {
      write,
      core: () => wasmModule('tools'),
      sim: () => wasmModule('sim'),
      hashOf: () => 'abc',
      version: '9.9.9',
    }),
  );

/** A file of the ring. */
function put(time: number, content: string): string {
  const path = ring(`${String(time).padStart(16, '0')}-7.jsonl`);
  mkdirSync(ring(), { recursive: true });
  writeFileSync(path, content);
  return path;
}

describe('record', () => {
  test('is off at first, and nothing is made', () => {
    expect(record()).toMatchObject({ code: 0, stderr: '' });
    expect(record().stdout).toMatch(/^recording is off: 0 recordings/);
    expect(existsSync(state)).toBe(false);
    expect(openRecording(on.env, () => {})).toBeUndefined();
  });

  test('on makes a folder for root alone, and calls are recorded', () => {
    expect(record('on', '--calls', '7').stdout).toMatch(/^recording is on, the last 7 calls/);
    expect(statSync(ring()).mode & 0o777).toBe(0o700);
    openRecording(on.env, () => {})?.write(text);
    expect(JSON.parse(record('-o', 'json').stdout)).toEqual({
      ...{ recording: true, calls: 7, folder: ring(), recordings: 1, bytes: text.length },
    });
  });

  test('on with fewer calls removes the oldest; off keeps what there is', () => {
    for (let time = 1; time <= 5; time++) put(time, text);
    record('on', '--calls', '2');
    expect(readdirSync(ring()).sort()).toEqual([
      ...['0000000000000004-7.jsonl', '0000000000000005-7.jsonl', 'on'],
    ]);
    expect(record('off').stdout).toMatch(/^recording is off: 2 recordings/);
    expect(existsSync(ring('on'))).toBe(false);
  });

  test('what has the name of a recording and is no file is left alone', () => {
    for (let time = 2; time <= 4; time++) put(time, text);
    mkdirSync(ring('0000000000000001-7.jsonl'));
    expect(JSON.parse(record('on', '--calls', '2', '-o', 'json').stdout)).toMatchObject({
      ...{ recordings: 2, bytes: 2 * text.length },
    });
    expect(openRecording(on.env, (line) => expect(line).toBe(''))).toBeDefined();
    expect(readdirSync(ring())).toContain('0000000000000001-7.jsonl');
    expect(readdirSync(ring())).not.toContain('0000000000000003-7.jsonl');
    expect(logs('-o', 'json')).toMatchObject({ code: 0 });
  });

  test.each([['-3'], ['0'], ['many'], ['1001'], ['\0'], ['']])(
    'a switch that says %j is off, or on for what is allowed',
    (says) => {
      mkdirSync(ring(), { recursive: true });
      writeFileSync(ring('on'), says);
      const { calls } = JSON.parse(record('-o', 'json').stdout);
      expect(calls).toBe(says === '1001' ? 1000 : 0);
    },
  );

  test('a switch that leads elsewhere is off', () => {
    mkdirSync(ring(), { recursive: true });
    writeFileSync(join(state, 'elsewhere'), '5');
    symlinkSync(join(state, 'elsewhere'), ring('on'));
    expect(record().stdout).toMatch(/^recording is off/);
  });

  test('where it cannot be made it is an error', () => {
    writeFileSync(state, 'a file');
    const { code, stderr } = record('on');
    expect(code).toBe(1);
    expect(stderr).toContain(`cannot use ${ring()}: `);
    expect(JSON.parse(record('on', '-o', 'json').stdout).error).toContain('cannot use');
  });

  test.each([
    [['on', '--calls', '0'], '--calls is "0": write 1 to 1000'],
    [['--calls', '5'], '--calls goes with on'],
    [['maybe'], '"maybe" is neither on nor off'],
  ])('%j is wrong usage', (args, words) => {
    expect(record(...args)).toMatchObject({ code: 2 });
    expect(record(...args).stderr).toContain(words);
  });
});

describe('logs', () => {
  test('say how recording is switched on when there is nothing', () => {
    expect(logs()).toEqual({
      ...{ code: 0, stdout: '' },
      stderr: 'recording is off: switch it on by "fairlead record on"\n',
    });
    record('on');
    expect(logs().stdout).toBe('recording is on, and no call was recorded yet\n');
  });

  test('have the last calls, whatever became of their files', () => {
    record('on');
    put(1, text);
    put(2, text.slice(0, text.length >> 1));
    put(3, 'hello\n');
    put(4, '');
    const { stdout } = logs();
    expect(stdout).toMatch(/^SINCE +COMMAND +TYPE +NETWORK +CONTAINER +IFNAME +TIME +OUTCOME\n/);
    expect(stdout.split('\n')[1]).toMatch(/ +ADD +bridge +\w+ +c1 +eth0 +[\d.]+ms +done$/);
    const { calls } = JSON.parse(logs('-o', 'json').stdout);
    expect(calls.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      ...['done', 'unfinished', 'unreadable', 'unreadable'],
    ]);
    expect(logs('-n', '1').stdout).toContain('unreadable: an empty file');
    expect(logs('-o', 'wide').stdout).toMatch(/SLOWEST +FILE +OUTCOME\n.* \w+\.\w+ \d/);
  });

  test.each([
    ['with the result that was lost', (lost: string) => lost],
    [
      'without one',
      (lost: string) => lost.replace(/"stdout":".*?","received/, '"stdout":"","received'),
    ],
    [
      'with other JSON',
      (lost: string) => lost.replace(/"stdout":".*?","received/, '"stdout":"7","received'),
    ],
  ])('an ADD whose answer nobody took, %s', (_, edit) => {
    const lost = tape({ ...firstStep(fixtureNamed('bridge/dual-stack')), received: false }).text;
    put(1, edit(lost));
    expect(logs().stdout).toMatch(/ failed: nobody took the answer$/m);
    const { calls } = JSON.parse(logs('-o', 'json').stdout);
    expect(calls).toMatchObject([{ outcome: 'failed', error: { msg: 'nobody took the answer' } }]);
  });

  test('of a folder that is none are an error, which privileges do not cure', () => {
    mkdirSync(state);
    writeFileSync(ring(), 'a file');
    const { code, stderr } = logs();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^fairlead logs: cannot read .*ENOTDIR/);
    expect(stderr).not.toContain('root');
  });

  test('what is in a recording cannot write to the terminal', () => {
    record('on');
    put(1, text.replace('"CNI_IFNAME":"eth0"', '"CNI_IFNAME":"\\u001b[31m"'));
    expect(logs().stdout).toContain('\\u001b[31m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(logs().stdout).not.toMatch(/\u001b/);
  });

  test.each([
    ['-n', '0'],
    ['-n', 'x'],
    ['-o', 'xml'],
  ])('%s %s is wrong usage', (...args) => {
    expect(logs(...args)).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('replay', () => {
  test('says that it is the same, and touches nothing', () => {
    const path = put(1, text);
    const { code, stdout } = replay(path);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ADD bridge for eth0 of c1 on \w+, .*: \d+ operations, .* ms\n/);
    expect(stdout).toContain('\nthe same again: ');
    expect(readdirSync(ring())).toHaveLength(1);
    expect(JSON.parse(replay(path, '-o', 'json').stdout)).toMatchObject({
      ...{ outcome: 'same', command: 'ADD', type: 'bridge', ifname: 'eth0' },
    });
  });

  test('--until shows what was done and what is next', () => {
    const path = put(1, text);
    const { code, stdout } = replay(path, '--until', '3');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[1]).toMatch(/^ ?1 {2}kernel\.netns_open\(path="\/run\/netns\/pod"\) = 1$/);
    expect(lines.at(-1)).toMatch(/^next is 3: \w+\.\w+\(/);
    const { done, next } = JSON.parse(replay(path, '--until=3', '-o', 'json').stdout);
    expect([done.length, next.op]).toEqual([2, expect.any(String)]);
    expect(replay(path, '--until', '9999').code).toBe(1);
  });

  test('--fail shows how it goes on, and the answer', () => {
    const path = put(1, text);
    const n = 1 + parseRecording(text).operations.findIndex(({ op }) => op.endsWith('_add_veth'));
    const { code, stdout } = replay(path, '--fail', `${n}=EBUSY`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n {2}kernel\.link_add_veth\(.*\) = -16 /);
    expect(stdout).toMatch(/\nand exits with 1:\n\{[\s\S]*EBUSY/);
    expect(
      JSON.parse(replay(path, '--fail', String(n), '-o', 'json').stdout).answer.exit_code,
    ).toBe(1);
  });

  test('--to-fixture prints a fixture', () => {
    const { code, stdout } = replay(put(1, text), '--to-fixture');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ADD bridge for eth0 of c1 on \w+.*\.\n\nreferee: skip /);
    expect(() => parseFixture('made.txtar', stdout)).not.toThrow();
  });

  const read = text.split('\n').findIndex((line) => line.includes('host.stdin_read'));
  const until = (line: number): string => `${text.split('\n').slice(0, line).join('\n')}\n`;
  const failing = text.replace(
    /(stdin_read".*?),"value":".*",/,
    '$1,"errno":21,"text":"a folder",',
  );
  test.each([
    ['only began', until(1), '--to-fixture', /ends before the call had read its configuration/],
    ['ended before it read', until(read), '--to-fixture', /ends before the call had read/],
    ['only began', until(1), '--fail=1', /it has 0 operations/],
    ['could not read', failing, '--to-fixture', /the call read no configuration/],
  ])('of a call that %s says so', (_, recorded, option, words) => {
    expect(recorded).not.toBe(text);
    const { code, stdout, stderr } = replay(put(1, recorded), option);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(words);
  });

  test('of another build says so', () => {
    const path = put(1, text.replace('"module_sha256":"abc"', '"module_sha256":"def"'));
    expect(replay(path).stdout).toContain('another build: fairlead 9.9.9 recorded it');
  });

  test('of what was cut off exits with 1', () => {
    const { code, stdout } = replay(put(1, text.slice(0, -20)));
    expect(code).toBe(1);
    expect(stdout).toContain('the recording ends before the call did');
  });

  test('of 1 GB says so without reading it', () => {
    const path = put(1, text);
    truncateSync(path, 1 << 30);
    const { code, stderr } = replay(path);
    expect(code).toBe(1);
    expect(stderr).toContain('1024 MiB, and no recording has more than 32 MiB');
  });

  test.each([
    ['a file that is not there', 'nowhere', /nowhere: ENOENT/],
    ['a folder', '', /no file: name a recording/],
    ['a file of another kind', 'text', /line 1 is not JSON/],
  ])('of %s is an error', (_, name, words) => {
    mkdirSync(state, { recursive: true });
    writeFileSync(join(state, 'text'), 'hello');
    const said = replay(join(state, name));
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toMatch(words);
    expect(JSON.parse(replay(join(state, name), '-o', 'json').stdout).error).toMatch(words);
  });

  test.each([
    [[]],
    [['x', '--until', '0']],
    [['x', '--fail', '3=EWHAT']],
    [['x', '--fail', '3', '--to-fixture']],
    [['x', 'y']],
  ])('%j is wrong usage', (args) => {
    expect(replay(...args)).toMatchObject({ code: 2, stdout: '' });
  });
});
