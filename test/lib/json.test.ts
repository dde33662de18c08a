// SPDX-License-Identifier: Apache-2.0
// The JSON parser and writer: what is refused and where, what is kept, the limits, and generated
// documents against JSON.parse.
import { describe, expect, test } from 'vitest';
import { bytes, callString, seeded } from '../support/lib-wasm.ts';

const problem = (document: string | Uint8Array) =>
  callString('json_problem', [typeof document === 'string' ? bytes(document) : document]);
const again = (document: string, indent = 0) => callString('json_again', [bytes(document), indent]);
const member = (document: string, key: string) => callString('json_member', [bytes(document), key]);

const VALUE = 'a value was expected here';
const KEY = 'a key in double quotes was expected here';
const COLON = "':' was expected here";
const OBJECT = "',' or '}' was expected here";
const ARRAY = "',' or ']' was expected here";
const EARLY = 'the document ends too early';
const EMPTY = 'the document ends too early: it is empty';
/** Of a character beyond ASCII: which it is. */
const sign = (code: string): string => `${VALUE}: U+${code} looks like what JSON has, and is not`;
const TRAILING = 'text after the end of the document';
const NUMBER = 'a malformed number';
const ZERO = 'a number with a leading zero';
const OPEN = 'a string without its closing quote';
const CONTROL = 'a control character in a string';
const ESCAPE = 'an unknown escape';
const UNICODE = 'a malformed \\u escape';
const HALF = 'half of a surrogate pair';
const COMMENT = 'a comment, which JSON does not have: remove it';
const COMMA = 'a comma after the last entry: remove it';
const SINGLE = 'a text in single quotes: write it in double quotes';
const WORD = 'a word that JSON does not have: write texts in double quotes';
const MARK = 'a byte order mark, which JSON does not have: save the file as UTF-8 without it';
const NOT_UTF8 = 'a byte that is not UTF-8';

// Document, then line, column and words of the problem.
const MALFORMED: [string, number, number, string][] = [
  // Structure.
  ['', 1, 1, EMPTY],
  [' \n\t ', 2, 3, EMPTY],
  ['[', 1, 2, EARLY],
  ['{', 1, 2, EARLY],
  [']', 1, 1, VALUE],
  ['}', 1, 1, VALUE],
  ['[1', 1, 3, EARLY],
  ['[1,', 1, 4, EARLY],
  ['[1,]', 1, 3, COMMA],
  ['[,1]', 1, 2, VALUE],
  ['[1,,2]', 1, 4, VALUE],
  ['[,]', 1, 2, VALUE],
  ['[1 2]', 1, 4, ARRAY],
  ['["a" "b"]', 1, 6, ARRAY],
  ['[1}', 1, 3, ARRAY],
  ['["a":1]', 1, 5, ARRAY],
  ['[[1]', 1, 5, EARLY],
  ['[1]]', 1, 4, TRAILING],
  ['[][]', 1, 3, TRAILING],
  ['{"a"', 1, 5, EARLY],
  ['{"a":', 1, 6, EARLY],
  ['{"a":1', 1, 7, EARLY],
  ['{"a":1,', 1, 8, EARLY],
  ['{"a":1,}', 1, 7, COMMA],
  ['{"a":1,,"b":2}', 1, 8, KEY],
  ['{,"a":1}', 1, 2, KEY],
  ['{"a" 1}', 1, 6, COLON],
  ['{"a"::1}', 1, 6, VALUE],
  ['{"a",1}', 1, 5, COLON],
  ['{"a":1 "b":2}', 1, 8, OBJECT],
  ['{"a":1]', 1, 7, OBJECT],
  ['{a:1}', 1, 2, WORD],
  ["{'a':1}", 1, 2, SINGLE],
  ['{1:1}', 1, 2, KEY],
  ['{null:1}', 1, 2, WORD],
  ['{[]:1}', 1, 2, KEY],
  ['{"a":}', 1, 6, VALUE],
  ['{"a":1}}', 1, 8, TRAILING],
  ['{} x', 1, 4, TRAILING],
  ['1 2', 1, 3, TRAILING],
  ['{}\u0000', 1, 3, TRAILING],
  ['{\n  "cniVersion": "1.1.0",\n  "name": "net",\n}', 3, 16, COMMA],
  ['{\r\n  "a": [1,\r\n    2;3]\r\n}', 3, 6, ARRAY],
  // Comments, other white space, other tongues.
  ['// no\n1', 1, 1, COMMENT],
  ['[1, /* no */ 2]', 1, 5, COMMENT],
  ['# no\n{}', 1, 1, COMMENT],
  ['{"a":1 // no\n}', 1, 8, COMMENT],
  ['{"a": 1, // no\n "b": 2}', 1, 10, COMMENT],
  ['{} # no', 1, 4, COMMENT],
  ['cniVersion: 1.0.0\n', 1, 1, WORD],
  ['---\nname: net\n', 1, 2, NUMBER],
  ['\ufeff{}', 1, 1, MARK],
  ['[\u00a01]', 1, 2, sign('00a0')],
  ['[\u000b1]', 1, 2, VALUE],
  ['[\u000c1]', 1, 2, VALUE],
  ['[\u20281]', 1, 2, sign('2028')],
  ['undefined', 1, 1, WORD],
  ['<a/>', 1, 1, VALUE],
  ['(1)', 1, 1, VALUE],
  // Words.
  ['tru', 1, 1, WORD],
  ['True', 1, 1, WORD],
  ['TRUE', 1, 1, WORD],
  ['fals', 1, 1, WORD],
  ['nul', 1, 1, WORD],
  ['nil', 1, 1, WORD],
  ['truefalse', 1, 5, TRAILING],
  ['[nulll]', 1, 6, ARRAY],
  // Numbers.
  ['01', 1, 2, ZERO],
  ['-01', 1, 3, ZERO],
  ['00', 1, 2, ZERO],
  ['0123.5', 1, 2, ZERO],
  ['0x10', 1, 2, TRAILING],
  ['-', 1, 2, NUMBER],
  ['--1', 1, 2, NUMBER],
  ['- 1', 1, 2, NUMBER],
  ['+1', 1, 1, VALUE],
  ['.5', 1, 1, VALUE],
  ['-.5', 1, 2, NUMBER],
  ['1.', 1, 3, NUMBER],
  ['1.e5', 1, 3, NUMBER],
  ['[1.]', 1, 4, NUMBER],
  ['1e', 1, 3, NUMBER],
  ['1e+', 1, 4, NUMBER],
  ['1E-x', 1, 4, NUMBER],
  ['1e1.5', 1, 4, TRAILING],
  ['1.2.3', 1, 4, TRAILING],
  ['1_000', 1, 2, TRAILING],
  ['1,000', 1, 2, TRAILING],
  ['NaN', 1, 1, WORD],
  ['-NaN', 1, 2, NUMBER],
  ['Infinity', 1, 1, WORD],
  ['-Infinity', 1, 2, NUMBER],
  ['１', 1, 1, sign('ff11')],
  // Strings.
  ['"', 1, 2, OPEN],
  ['"abc', 1, 5, OPEN],
  ['"abc\\"', 1, 7, OPEN],
  ['"a\\', 1, 3, ESCAPE],
  ["'a'", 1, 1, SINGLE],
  ['"a\nb"', 1, 3, CONTROL],
  ['"a\tb"', 1, 3, CONTROL],
  ['"\\n\u0001"', 1, 4, CONTROL],
  ['"\u0000"', 1, 2, CONTROL],
  ['{"a\u001fb":1}', 1, 4, CONTROL],
  ['"\\x41"', 1, 2, ESCAPE],
  ['"\\\'"', 1, 2, ESCAPE],
  ['"\\a"', 1, 2, ESCAPE],
  ['"\\U0041"', 1, 2, ESCAPE],
  ['"\\\u00e9"', 1, 2, ESCAPE],
  ['"åä\\q"', 1, 4, ESCAPE],
  ['["日本", "\\q"]', 1, 9, ESCAPE],
  ['"\\u"', 1, 2, UNICODE],
  ['"\\u12"', 1, 2, UNICODE],
  ['"\\u123', 1, 2, UNICODE],
  ['"\\u12g4"', 1, 2, UNICODE],
  ['"\\u-123"', 1, 2, UNICODE],
  ['"\\ud800"', 1, 2, HALF],
  ['"\\udc00"', 1, 2, HALF],
  ['"\\ud83dx"', 1, 2, HALF],
  ['"\\ud83d\\n"', 1, 2, HALF],
  ['"\\ud83d\\ud83d"', 1, 2, HALF],
  ['"\\ude00\\ud83d"', 1, 2, HALF],
  ['"\\udc00\\udc00"', 1, 2, HALF],
  ['"ab\\ud800\\u0041"', 1, 4, HALF],
  ['{"\\ud800":1}', 1, 3, HALF],
];

describe('malformed text', () => {
  test.each(MALFORMED)('%j fails at line %i, column %i: %s', (text, line, column, words) => {
    expect(problem(text)).toBe(`line ${line}, column ${column}: ${words}`);
    // JSON.parse lets half of an escaped pair through; that is refused here on purpose.
    if (words !== HALF) expect(() => JSON.parse(text)).toThrow();
  });

  test.each([
    ['latin-1 in a string', [0x22, 0x61, 0xe9, 0x22], 3],
    ['latin-1 outside a string', [0x5b, 0xe9, 0x5d], 2],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22], 2],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22], 2],
    ['a truncated character', [0x22, 0xc3, 0xa9, 0xe2, 0x82], 3],
    ['after another problem', [0x5b, 0x2c, 0xff], 3],
  ])('%s', (_, document, column) => {
    expect(problem(Uint8Array.from(document))).toBe(`line 1, column ${column}: ${NOT_UTF8}`);
  });

  test.each([
    ['little endian', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['big endian', [0xfe, 0xff, 0x00, 0x7b, 0x00, 0x7d]],
  ])('UTF-16, %s', (_, document) => {
    const said = 'line 1, column 1: text in UTF-16: save the file as UTF-8';
    expect(problem(Uint8Array.from(document))).toBe(said);
  });
});

describe('well-formed text', () => {
  test.each([
    ['null', 'null'],
    [' true ', 'true'],
    ['\r\n\tfalse\n', 'false'],
    ['""', '""'],
    ['[]', '[]'],
    ['[ ]', '[]'],
    ['{}', '{}'],
    ['{ \n }', '{}'],
    ['[1 , 2\t,3 ]', '[1,2,3]'],
    ['{ "a" : 1 , "b" : [ null ] }', '{"a":1,"b":[null]}'],
    ['{"":0}', '{"":0}'],
    ['[[[[]]],{"a":{}}]', '[[[[]]],{"a":{}}]'],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\"\\\\/\\u0008\\u000c\\n\\r\\t"'],
    ['"\\u0041\\u00e9\\u20AC"', '"Aé€"'],
    ['"\\uD83D\\ude00"', '"😀"'],
    ['"\\ud800\\udc00\\udbff\\udfff"', '"\u{10000}\u{10ffff}"'],
    ['"\\u0000"', '"\\u0000"'],
    ['"a\\u001fb"', '"a\\u001fb"'],
    ['"\u007f"', '"\\u007f"'],
    ['"\u2028\ufeff\uffff"', '"\u2028\ufeff\uffff"'],
    ['"åäö 日本 😀"', '"åäö 日本 😀"'],
    ['"// /* # "', '"// /* # "'],
  ])('%j is written as %j', (text, written) => {
    expect(problem(text)).toBe('');
    expect(again(text)).toBe(written);
  });

  const NUMBERS = ['0', '-0', '1', '-1', '10', '1.0', '1.50', '-0.0', '1e5', '1E+05', '1e-7'];
  const BIG = ['99999999999', '12345678901234567890123', '1e400', '0.1000000000000000055511'];
  test.each([...NUMBERS, ...BIG])('the number %s keeps its text', (text) => {
    expect(again(text)).toBe(text);
    expect(again(`{"a":[${text} ]}`)).toBe(`{"a":[${text}]}`);
  });

  test.each([
    ['0', '0'],
    ['-0', '0'],
    ['1500', '1500'],
    ['-42', '-42'],
    ['999999999999999999', '999999999999999999'],
    ['-99999999999999999', '-99999999999999999'],
    ['1000000000000000000', ''],
    ['12345678901234567890123', ''],
    ['1.0', ''],
    ['1e3', ''],
    ['"1"', ''],
    ['null', ''],
  ])('%s as an integer is %j', (text, integer) => {
    expect(callString('json_integer', [bytes(text)])).toBe(integer);
  });

  test('a tree made by the core', () => {
    expect(callString('json_made', [])).toBe(
      '{"list":[-9223372036854775808,true,{}],"text":"a\\"b\\u0001","none":[]}',
    );
  });
});

describe('members', () => {
  test('an exact key comes before one in another case', () => {
    expect(member('{"TYPE":1,"type":2,"Type":3}', 'type')).toBe('2');
    expect(member('{"TYPE":1,"Type":3}', 'type')).toBe('3');
    expect(member('{"IsGateway":true}', 'isGateway')).toBe('true');
    expect(member('{"types":1,"typ":2}', 'type')).toBe('');
  });

  test('only ASCII letters fold', () => {
    expect(member('{"Å":1}', 'å')).toBe('');
    expect(member('{"\u212a":1}', 'k')).toBe('');
    expect(member('{"[":1}', '{')).toBe('');
    expect(member('{"@":1}', '`')).toBe('');
  });

  test('the last of duplicate keys counts, all are written', () => {
    const twice = '{"a":1,"b":2,"a":3}';
    expect(member(twice, 'a')).toBe('3');
    expect(again(twice)).toBe(twice);
    expect(member('{"a":1,"a":null}', 'a')).toBe('');
  });

  test('null is absent', () => {
    expect(member('{"ipam":null}', 'ipam')).toBe('');
    expect(again('{"ipam":null}')).toBe('{"ipam":null}');
  });

  test('a key is compared after its escapes', () => {
    expect(member('{"\\u006dtu":1400}', 'mtu')).toBe('1400');
    expect(member('{"\\n":1,"a\\tb":2}', 'a\tb')).toBe('2');
  });

  test('set keeps the place of a member, or appends', () => {
    const set = (document: string, key: string) =>
      callString('json_with', [bytes(document), key, 'x']);
    expect(set('{"a":1,"b":2}', 'a')).toBe('{"a":"x","b":2}');
    expect(set('{"a":1}', 'b')).toBe('{"a":1,"b":"x"}');
    expect(set('{}', 'b')).toBe('{"b":"x"}');
    // Two empty objects must not share what is appended to one.
    expect(set('{"n":{}}', 'm')).toBe('{"n":{},"m":"x"}');
  });

  test('a member knows its line and column', () => {
    const text = '{\n  "å😀": 1, "mtu":\n\t  [1500],\r\n "last":"x" }';
    const position = (key: string) => callString('json_member_position', [bytes(text), key]);
    expect(position('å😀')).toBe('line 2, column 9');
    expect(position('mtu')).toBe('line 3, column 4');
    expect(position('last')).toBe('line 4, column 9');
  });
});

describe('limits', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  test('depth 100 is parsed, depth 101 is not', () => {
    expect(again(nested(100))).toBe(nested(100));
    const tooDeep = 'line 1, column 102: nested more than 100 deep';
    expect(problem(nested(101))).toBe(tooDeep);
    expect(problem('['.repeat(1000000))).toBe(tooDeep);
    expect(problem('{"a":'.repeat(101))).toMatch(/nested more than 100 deep$/);
  });

  test('depth counts what is open, not what was', () => {
    const wide = `[${Array(300).fill('[],{},[{"a":[1]}]').join(',')}]`;
    expect(again(wide)).toBe(wide);
  });

  test('250000 values are parsed, one more is not', () => {
    const values = (count: number) => `[${'0,'.repeat(count - 2)}0]`;
    expect(problem(values(250000))).toBe('');
    expect(problem(values(250001))).toBe('line 1, column 500000: more than 250000 values');
  });
});

describe('writing', () => {
  test.each([
    ['[]', '[]'],
    ['{}', '{}'],
    ['[1]', '[\n  1\n]'],
    ['{"a":[],"b":{"c":"d"}}', '{\n  "a": [],\n  "b": {\n    "c": "d"\n  }\n}'],
  ])('%s indented', (text, written) => {
    expect(again(text, 2)).toBe(written);
  });

  test('every control character is escaped, and nothing else', () => {
    for (let point = 0; point < 0x800; point++) {
      const text = plain(JSON.stringify(`a${String.fromCharCode(point)}z`));
      const expected = text.replace('\\b', '\\u0008').replace('\\f', '\\u000c');
      expect(again(text)).toBe(expected);
    }
  });
});

/** JSON without a raw DEL or C1, which JSON.stringify leaves as they are. */
function plain(json: string): string {
  return json.replace(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

/** Documents from a seed: nested, with awkward strings and numbers that print alike everywhere. */
class Generator {
  private readonly random: () => number;
  constructor(seed: number) {
    this.random = seeded(seed);
  }
  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }
  private string(): string {
    const AWKWARD = ['"', '\\', '/', '\n', '\u0000', '\u001f', '\u007f', 'é', '€', '😀', '\u2028'];
    const one = () =>
      this.random() < 0.5 ? String.fromCharCode(97 + this.below(26)) : AWKWARD[this.below(11)];
    return Array.from({ length: this.below(this.random() < 0.1 ? 900 : 8) }, one).join('');
  }
  private number(): number {
    const exact = Math.floor((this.random() - 0.5) * 2 ** this.below(54));
    return this.random() < 0.5 ? exact + 0 : (this.random() - 0.5) * 10 ** (this.below(80) - 40);
  }
  value(depth: number): unknown {
    const kind = this.below(depth > 0 ? 8 : 5);
    if (kind === 0) return null;
    if (kind === 1) return this.random() < 0.5;
    if (kind === 2) return this.number() || 0;
    if (kind < 5) return this.string();
    const items = Array.from({ length: this.below(6) }, () => this.value(depth - 1));
    if (kind === 5) return items;
    // A letter first: keys that look like numbers would be reordered by JavaScript.
    return Object.fromEntries(items.map((item, at) => [`k${at}${this.string()}`, item]));
  }
  /** The text with some characters escaped and white space strewn in, worth the same. */
  disguise(text: string): string {
    return text.replace(/"(?:[^"\\]|\\.)*"|[[\]{},:]/gu, (token) => {
      if (token.length === 1) return `${this.space()}${token}${this.space()}`;
      return token.replace(/\\u[0-9a-f]{4}|\\.|[a-zé€😀]/gu, (c) =>
        c.startsWith('\\') || this.random() < 0.7 ? c : this.escaped(c),
      );
    });
  }
  private escaped(character: string): string {
    const units = character.split('').map((unit) => unit.charCodeAt(0).toString(16));
    return units.map((unit) => `\\u${unit.padStart(4, '0')}`).join('');
  }
  private space(): string {
    return this.random() < 0.2 ? ([' ', '\n', '\t', '\r\n', '   '][this.below(5)] ?? '') : '';
  }
  /** The text with one character taken, doubled or replaced. */
  damage(text: string): string {
    const at = this.below(text.length);
    const MARKS = '{}[],:"\\0123456789.eE+-tfn \n\u0001';
    const put = ['', text.charAt(at).repeat(2), MARKS[this.below(MARKS.length)]][this.below(3)];
    return text.slice(0, at) + put + text.slice(at + 1);
  }
}

describe('generated documents', () => {
  const parses = (text: string) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };

  test('are written as JSON.stringify writes them', () => {
    const generator = new Generator(6);
    for (let round = 0; round < 1500; round++) {
      const value = generator.value(5);
      const text = plain(JSON.stringify(value));
      expect(again(text)).toBe(text);
      expect(again(JSON.stringify(value, null, 3), 3)).toBe(plain(JSON.stringify(value, null, 3)));
    }
  });

  test('mean the same in any disguise', () => {
    const generator = new Generator(7);
    let disguised = 0;
    for (let round = 0; round < 1500; round++) {
      const text = plain(JSON.stringify(generator.value(4)));
      const other = generator.disguise(text);
      if (other !== text) disguised++;
      expect(again(other)).toBe(text);
      expect(JSON.parse(other)).toEqual(JSON.parse(text));
    }
    expect(disguised).toBeGreaterThan(500);
  });

  test('once damaged are refused exactly when JSON.parse refuses them', () => {
    const generator = new Generator(8);
    const wrong: string[] = [];
    let refused = 0;
    for (let round = 0; round < 12000; round++) {
      const text = generator.damage(JSON.stringify(generator.value(3)));
      if (!text.isWellFormed()) continue;
      const said = problem(text);
      if (said) refused++;
      if (parses(text) !== (said === '')) wrong.push(`${text} ${said}`);
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(2000);
  });
});
