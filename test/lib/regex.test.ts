// SPDX-License-Identifier: Apache-2.0
// Regular expressions of allow-lists against the platform's own: on patterns and texts that are
// written down, and on random ones.
import { describe, expect, test } from 'vitest';
import { callBoolean, callString, seeded } from '../support/lib-wasm.ts';

const matches = (pattern: string, text: string) => callBoolean('regex_matches', [pattern, text]);
const problem = (pattern: string) => callString('regex_problem', [pattern]);

const TEXTS = [
  '',
  'net.ipv4.conf.IFNAME.arp_filter',
  'net/ipv4/conf/eth0.100/arp_notify',
  'net.core.somaxconn',
  'aaaa',
  'abcabc',
  'a-b]c',
  'a{2}',
  ' tab\tand\nline',
  'Ünïcode',
];

test.each([
  '^net\\.ipv4\\.conf\\.IFNAME\\.[a-z_]*$',
  '^net.core.somaxconn$',
  'net',
  '',
  'a|b',
  '^(?:a|abc)+$',
  '(a*)*b?',
  '^(|a)+$',
  'a{2}',
  'a{2,}',
  '^a{1,3}$',
  '^a{0}$',
  'a{,2}',
  'a{x',
  '[]a]',
  '[^]a]+',
  '[a-c-]+$',
  '[\\w.]+\\.[^.]+$',
  '\\bconf\\b',
  '\\Bonf',
  '\\d+',
  '\\D\\s\\S',
  'a+?b??',
  '.*arp.*|nothing',
  '\\.\\/|\\t|\\n',
  'Ü.*c',
  '^$',
])('%s', (pattern) => {
  expect(problem(pattern)).toBe('');
  const platform = new RegExp(pattern.replaceAll('[]', '[\\]').replaceAll('[^]', '[^\\]'));
  for (const text of TEXTS) {
    expect({ text, matches: matches(pattern, text) }).toEqual({
      text,
      matches: platform.test(text),
    });
  }
});

test('the ends of the text by name', () => {
  expect(matches('\\Anet\\z', 'net')).toBe(true);
  expect(matches('\\Anet\\z', 'net.core')).toBe(false);
});

test.each([
  ['(', '"(" without ")"'],
  ['a)', '")" without "("'],
  ['[a', '"[" without "]"'],
  ['*', 'a repetition of nothing'],
  ['a**', 'a repetition of a repetition'],
  ['a{3,2}', 'a repetition that is no range of 0 to 1000'],
  ['a{1001}', 'a repetition that is no range of 0 to 1000'],
  ['(?i)a', '"(?" other than "(?:"'],
  ['[[:alpha:]]', 'a class such as [:alpha:]'],
  ['\\pL', '"\\" before a character without a meaning'],
  ['a\\', '"\\" before a character without a meaning'],
  ['[z-a]', 'a range that goes backwards'],
  ['((a{1000}){1000}){1000}', 'too large'],
  ['('.repeat(200), 'nested too deep'],
])('%s is refused', (pattern, words) => {
  expect(problem(pattern)).toBe(words);
});

test('a pattern that makes others backtrack for ever ends at once', () => {
  expect(matches('^(a+)+$', `${'a'.repeat(2000)}b`)).toBe(false);
});

describe('random patterns', () => {
  test.each([1, 2, 3, 4])('seed %i', (seed) => {
    const random = seeded(seed);
    const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const make = (depth: number): string => {
      const kind = depth === 0 ? 0 : Math.floor(random() * 5);
      if (kind === 1) return make(depth - 1) + make(depth - 1);
      if (kind === 2) return `(?:${make(depth - 1)}|${make(depth - 1)})`;
      if (kind === 3) return `(${make(depth - 1)})${one(['*', '+', '?', '{2}', '{1,2}', '{0,}'])}`;
      return one(['a', 'b', '.', '[ab]', '[^a]', '^', '$', '\\b', 'ab']);
    };
    for (let i = 0; i < 300; i++) {
      const pattern = make(4);
      const text = Array.from({ length: Math.floor(random() * 8) }, () => one([...'aab.']));
      const said = text.join('');
      expect({ pattern, said, matches: matches(pattern, said) }).toEqual({
        pattern,
        said,
        matches: new RegExp(pattern).test(said),
      });
    }
  });
});
