// SPDX-License-Identifier: Apache-2.0
// A recording, written and read again, replays to the same; what was cut off, edited or made by
// another version says what can still be had of it.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OsError } from '../../host-node/abi/index.ts';
import { failing } from '../../host-node/drivers/record.ts';
import { parseRecording, RecordingError } from '../../host-node/recording/format.ts';
import { replay } from '../../host-node/recording/replay.ts';
import { allFixtures } from '../support/fixture.ts';
import { wasmModule } from '../support/wasm.ts';
import { firstStep, fixtureNamed, tape } from './taped.ts';

const replayed = (text: string, options = {}) =>
  replay(wasmModule('core'), parseRecording(text), options);
const bridge = firstStep(fixtureNamed('bridge/dual-stack'));

describe('a recording replays to the same', () => {
  // Every behaviour there is: what is not recorded would be asked in vain.
  const fixtures = allFixtures().filter(({ steps }) => steps.length > 0);
  test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('%s', (_, fixture) => {
    const { text, answer } = tape(firstStep(fixture));
    const { outcome, differences, answer: again } = replayed(text);
    expect({ outcome, differences }).toEqual({ outcome: 'same', differences: [] });
    expect(again).toEqual(answer);
  });

  test('of an ADD that failed', () => {
    const { text, answer } = tape({ ...bridge, wrap: (driver) => failing(driver, 20, 5) });
    expect(answer.exit_code).toBe(1);
    expect(replayed(text).outcome).toBe('same');
    expect(replayed(text).answer).toEqual(answer);
  });

  test('of an ADD whose answer nobody took, with what took it back', () => {
    const { text } = tape({ ...bridge, received: false });
    expect(text).toContain('"received":false');
    expect(replayed(text)).toMatchObject({ outcome: 'same' });
  });

  test('as the document shows it', () => {
    const document = readFileSync(new URL('../../docs/recording.md', import.meta.url), 'utf8');
    const [, lines = ''] = /^```jsonl\n([\s\S]*?)^```$/m.exec(document) ?? [];
    expect(parseRecording(lines)).toMatchObject({ operations: { length: 2 }, cut: false });
  });

  test('of a configuration that cannot be read, and of one that is no text', () => {
    const around = {
      stdin: () => {
        throw new OsError(21, 'a folder');
      },
    };
    for (const call of [
      { ...bridge, around },
      { ...bridge, stdin: new Uint8Array([0x7b, 0xff, 0x7d]) },
    ]) {
      const { text, answer } = tape(call);
      expect(answer.exit_code).toBe(1);
      expect(replayed(text)).toMatchObject({ outcome: 'same', answer });
    }
  });

  test('of a driver that broke otherwise than by an errno', () => {
    const wrap: NonNullable<typeof bridge.wrap> = (driver) => ({
      ...driver,
      link_get: () => {
        throw new TypeError('a bug');
      },
    });
    const { text, answer } = tape({ ...bridge, wrap });
    expect(answer.stdout).toContain('a bug');
    expect(replayed(text)).toMatchObject({ outcome: 'same', answer });
  });
});

describe('a replay', () => {
  const { text } = tape(bridge);
  const lines = text.trimEnd().split('\n');
  const edited = (at: number, from: string | RegExp, to: string): string => {
    const line = lines.at(at)!.replace(from, to);
    expect(line).not.toBe(lines.at(at));
    return `${lines.with(at, line).join('\n')}\n`;
  };
  const numberOf = (op: string): number => lines.findIndex((line) => line.includes(`"op":"${op}"`));

  test('stops before an operation', () => {
    expect(replayed(text, { until: 7 })).toMatchObject({ outcome: 'stopped', performed: 6 });
  });

  test('goes to its end when there is no such operation', () => {
    expect(replayed(text, { until: 10_000 }).outcome).toBe('same');
  });

  test('says at which operation the core asks something else, and both', () => {
    const { outcome, differences } = replayed(
      edited(numberOf('kernel.link_add_veth'), 'eth0', 'x0'),
    );
    expect(outcome).toBe('differs');
    expect(differences).toHaveLength(1);
    expect(differences[0]).toMatch(/^replay: operation \d+ is .*"eth0".*, recorded was .*"x0"/);
  });

  test('says that the answer is another', () => {
    const { outcome, differences } = replayed(edited(-1, 'cniVersion', 'version'));
    expect(outcome).toBe('differs');
    expect(differences.join()).toMatch(/the answer is .*cniVersion.*recorded was/s);
  });

  test('of what was cut off goes as far as that', () => {
    for (const length of [text.indexOf('\n') + 1, text.length >> 1, text.length - 2]) {
      expect(replayed(text.slice(0, length)).outcome).toBe('unfinished');
    }
  });

  test('of a call that did more than a recording takes says so', () => {
    const recording = parseRecording(tape({ ...bridge, most_bytes: 3000 }).text);
    expect(recording.cut).toBe(true);
    expect(recording.operations.length).toBeGreaterThan(3);
  });

  /** The recording with another reply to the first operation of a name. */
  const given = (name: string, value: string, outcome = `"value":${value}`): string => {
    const at = lines.findIndex(
      (line) => line.includes(`kernel.${name}"`) && line.includes('"value"'),
    );
    return edited(at, /"value":.*(?=,"us")/, outcome);
  };
  const refused: [string, string, RegExp][] = [
    ['nothing', '', /an empty file/],
    ['no JSON', 'hello\n', /line 1 is not JSON/],
    ['a list', '[]\n', /line 1 is no object/],
    ['other JSON', '{"name":"x"}\n', /no head of a recording: name a file of fairlead record/],
    [
      'another form',
      edited(0, 'recording":1', 'recording":2'),
      /of form 2, this version reads 1: /,
    ],
    ['a head without variables', edited(0, '"env":{', '"env":1,"x":{'), /head .* was edited/],
    ['a line that is no JSON', edited(4, '{', '{{'), /line 5 is not JSON/],
    ['an unknown operation', edited(4, 'store.', 'stars.'), /line 5: .* knows no operation "stars/],
    ['other arguments', edited(4, '"args":{"', '"args":{"x":1,"'), /line 5: .* takes /],
    [
      'an argument of another type',
      edited(2, /"path":"[^"]*"/, '"path":7'),
      /line 3: .* another path/,
    ],
    ['no value', edited(2, '"value":1,', ''), /line 3: .* another value than it gives/],
    ['an errno that is none', edited(2, '"value":1', '"errno":-2'), /an errno that is none/],
    ['a line behind the end', `${text}${lines[3]}\n`, /stands behind the end/],
    ['a head of no date', edited(0, /"started_ms":\d+/, '"started_ms":1e20'), /head .* was edited/],
    ['a head of no host', edited(0, '"host":"node"', '"host":7'), /head .* was edited/],
    [
      'a task without a name',
      edited(0, '"env":', '"task":{"name":7,"request":{}},"env":'),
      /head .* was edited/,
    ],
    [
      'names of secrets that are none',
      edited(-1, '"redacted":[]', '"redacted":7'),
      /end .* edited/,
    ],
    [
      'a link that is a list',
      given('link_list', '[[]]'),
      /line \d+: .* another value than it gives/,
    ],
    ['links that are an object', given('link_list', '{}'), /another value than it gives/],
    ['a link that is null', given('link_get', 'null'), /another value than it gives/],
    ['a link without members', given('link_get', '{"ifindex":1}'), /another value than it gives/],
    [
      'words of an errno that are none',
      given('link_get', '', '"errno":19,"text":7'),
      /errno that is/,
    ],
    ['an end without an answer', edited(-1, '"stdout":', '"stderr":'), /the end .* was edited/],
  ];
  test.each(refused)('%s is refused', (_, given, words) => {
    expect(() => parseRecording(given)).toThrow(RecordingError);
    expect(() => parseRecording(given)).toThrow(words);
  });
});
