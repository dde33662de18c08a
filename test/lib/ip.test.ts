// SPDX-License-Identifier: Apache-2.0
// Addresses and prefixes: tables of RFC 5952 and of malformed text, then seeded samples against
// node:net for what is an address and against BigInt for the arithmetic.
import { isIPv4, isIPv6 } from 'node:net';
import { describe, expect, test } from 'vitest';
import { callBoolean, callNumber, callString, seeded } from '../support/lib-wasm.ts';

const again = (text: string) => callString('ip_again', [text]);
const cidrAgain = (text: string) => callString('cidr_again', [text]);

describe('addresses', () => {
  test.each([
    ['0.0.0.0', '0.0.0.0'],
    ['10.1.2.3', '10.1.2.3'],
    ['128.0.0.1', '128.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['fe80::1', 'fe80::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    // RFC 5952 section 1: one address, many texts.
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:db8:0000:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
    // Section 4.1: leading zeros; 4.2.1: as short as can be.
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    // Section 4.2.2: never one group.
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    // Section 4.2.3: the longest run, the first of equals.
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:0', '2001:db8:0:0:1::'],
    ['0:0:1:0:0:1:0:0', '::1:0:0:1:0:0'],
    // Section 4.3: lower case.
    ['2001:DB8::AbCd', '2001:db8::abcd'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    // A dotted tail; mapped IPv4 is IPv4, anything near it is not.
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['::1.2.3.4', '::102:304'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:a00:1', '10.0.0.1'],
    ['0:0:0:0:0:ffff:255.255.255.255', '255.255.255.255'],
    ['::fffe:10.0.0.1', '::fffe:a00:1'],
    ['::1:ffff:10.0.0.1', '::1:ffff:a00:1'],
    ['1::ffff:10.0.0.1', '1::ffff:a00:1'],
  ])('%s prints as %s', (text, printed) => {
    expect(again(text)).toBe(printed);
    expect(again(printed)).toBe(printed);
  });

  const MALFORMED = [
    ...['', ' ', '1', '1.2.3', '1.2.3.4.', '.1.2.3.4', '1..2.3', '1.2.3.4.5', '1.2.3.256'],
    ...['1.2.3.04', '01.2.3.4', '00.0.0.0', '0x1.2.3.4', '1.2.3.4 ', ' 1.2.3.4', '1.2.3.-4'],
    ...['1.2.3.+4', '1.2.3.4a', '1,2,3,4', '16909060', '1.2.3.99999999999', '１.2.3.4', '...'],
    ...[':', ':::', '1:', ':1', '::1:', ':1::', '1::2::3', ':::1', '1:::2', '1:2:3:4:5:6:7'],
    ...['1:2:3:4:5:6:7:', ':1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8:'],
    ...['1:2:3:4:5:6:7:8::', '::1:2:3:4:5:6:7:8', '1::2:3:4:5:6:7:8', '12345::', '::g', '::1 '],
    ...['::0x1', '::1.2.3', '::1.2.3.4.5', '::1.2.3.4:5', '1.2.3.4::', '::1.2.3.256', '::01.2.3.4'],
    ...['1:2:3:4:5:6:7:1.2.3.4', '1:2:3:4:5:6::7:1.2.3.4', '::abcd.1.1.1', '::.1.2.3', '[::1]'],
    ...['fe80::1%eth0', '::1/64', '10.0.0.1/8', 'localhost', '1.2.3.4\u0000', '::\u0131'],
  ];
  test.each(MALFORMED)('%j is malformed', (text) => {
    expect(again(text)).toBe('');
    expect(cidrAgain(`${text}/8`)).toBe('');
  });

  test('near misses are judged as node:net does', () => {
    const random = seeded(2);
    const ALPHABET = '0123456789abcdefABCDEF::::....0011gx/ -';
    const SEEDS = ['1.2.3.4', '192.168.10.255', '::1', 'fe80::a:b', '1:2:3:4:5:6:7:8', '::1.2.3.4'];
    const at = (length: number) => Math.floor(random() * length);
    const wrong: string[] = [];
    let accepted = 0;
    for (let round = 0; round < 60000; round++) {
      let text = SEEDS[at(SEEDS.length)]!;
      for (let edits = 1 + at(3); edits > 0; edits--) {
        const place = at(text.length + 1);
        const put = random() < 0.7 ? ALPHABET[at(ALPHABET.length)] : '';
        text = text.slice(0, place) + put + text.slice(place + at(2));
      }
      const is = isIPv4(text) || isIPv6(text);
      if (is) accepted++;
      if (is !== (again(text) !== '')) wrong.push(text);
    }
    expect(wrong).toEqual([]);
    expect(accepted).toBeGreaterThan(5000);
  });

  test.each([
    ['127.0.0.1', '4L'],
    ['127.255.255.255', '4L'],
    ['126.255.255.255', '4'],
    ['128.0.0.0', '4'],
    ['169.254.0.1', '4K'],
    ['169.255.0.1', '4'],
    ['0.0.0.0', '4U'],
    ['0.0.0.1', '4'],
    ['::1', '6L'],
    ['::2', '6'],
    ['1::1', '6'],
    ['::', '6U'],
    ['fe80::', '6K'],
    ['febf:ffff::1', '6K'],
    ['fec0::1', '6'],
    ['fe7f::1', '6'],
    ['::ffff:127.0.0.1', '4L'],
    ['::127.0.0.1', '6'],
  ])('%s is of kind %s', (text, kind) => {
    expect(callString('ip_kind', [text])).toBe(kind);
  });

  test('order: IPv4 first, then by number', () => {
    const ORDERED = ['0.0.0.0', '9.0.0.0', '10.0.0.0', '200.0.0.0', '::', '::1', '1::', 'ff::'];
    for (const [i, a] of ORDERED.entries()) {
      for (const [k, b] of ORDERED.entries()) {
        expect(callNumber('ip_compare', [a, b])).toBe(Math.sign(i - k));
      }
    }
  });
});

describe('prefixes', () => {
  test.each([
    ['10.1.2.3/24', '10.1.2.3/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['10.0.0.1/32', '10.0.0.1/32'],
    ['fd00:0::1/64', 'fd00::1/64'],
    ['::/0', '::/0'],
    ['::1/128', '::1/128'],
    ['::ffff:10.0.0.0/120', '10.0.0.0/24'],
    ['::ffff:10.0.0.0/96', '10.0.0.0/0'],
    // As Go's ParseCIDR: leading zeros are refused in addresses, not in lengths.
    ['10.0.0.0/08', '10.0.0.0/8'],
  ])('%s prints as %s', (text, printed) => {
    expect(cidrAgain(text)).toBe(printed);
  });

  test.each([
    ...['', '/', '/8', '10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/+8'],
    ...['10.0.0.0/8/8', '10.0.0.0/ 8', '10.0.0.0/8 ', '10.0.0.0/a', '10.0.0/8', '10.0.0.0/0008'],
    ...['10.0.0.0/99999999999', '::/129', '::', '::/', '1:::/64', '::ffff:10.0.0.0/95'],
    ...['::ffff:10.0.0.0/24', '10.0.0.0/255.0.0.0'],
  ])('%j is malformed', (text) => {
    expect(cidrAgain(text)).toBe('');
  });

  test('an address with or without its prefix length', () => {
    const loose = (text: string) => callString('ip_again_loose', [text]);
    expect(loose('10.0.0.1')).toBe('10.0.0.1');
    expect(loose('10.0.0.1/24')).toBe('10.0.0.1');
    expect(loose('fd00::1/64')).toBe('fd00::1');
    expect(loose('10.0.0.1/33')).toBe('');
    expect(loose('10.0.0.1/')).toBe('');
    expect(loose('nonsense')).toBe('');
  });

  test.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.1.2.3/16', '10.1.255.1/24', true],
    ['10.0.0.0/9', '10.128.0.0/9', false],
    ['0.0.0.0/0', '::/0', false],
    ['::/0', 'fd00::/8', true],
    ['fd00::/64', 'fd00:0:0:1::/64', false],
  ])('%s overlaps %s: %s', (a, b, expected) => {
    expect(callBoolean('cidr_overlaps', [a, b])).toBe(expected);
    expect(callBoolean('cidr_overlaps', [b, a])).toBe(expected);
  });

  test('equality takes address, length and version', () => {
    const equal = (a: string, b: string) => callBoolean('cidr_equals', [a, b]);
    expect(equal('fd00:0::/64', 'fd00::/64')).toBe(true);
    expect(equal('10.0.0.0/8', '10.0.0.0/9')).toBe(false);
    expect(equal('10.0.0.1/8', '10.0.0.0/8')).toBe(false);
    expect(equal('0.0.0.0/0', '::/0')).toBe(false);
  });
});

// The model: an address is a BigInt, printed in full so that only the core shortens.
interface Version {
  bits: number;
  text: (value: bigint) => string;
}

const VERSIONS: Version[] = [
  {
    bits: 32,
    text: (value) => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.'),
  },
  {
    bits: 128,
    text: (value) =>
      Array.from({ length: 8 }, (_, group) =>
        ((value >> BigInt(112 - 16 * group)) & 0xffffn).toString(16),
      ).join(':'),
  },
];

describe.each(VERSIONS)('arithmetic on $bits bits', ({ bits, text }) => {
  const size = 1n << BigInt(bits);
  const mapped = (value: bigint) => bits === 128 && value >> 32n === 0xffffn;

  /** Numbers with long runs of equal bits: carries and borrows must run through them. */
  function* samples(seed: number, rounds: number) {
    const random = seeded(seed);
    const big = () => {
      let value = 0n;
      for (let i = 0; i < 4; i++) value = (value << 32n) | BigInt(Math.floor(random() * 2 ** 32));
      return value;
    };
    for (let round = 0; round < rounds; round++) {
      let value = big() % size;
      const low = 1n << BigInt(Math.floor(random() * bits));
      if (round % 3 === 0) value |= low - 1n;
      if (round % 3 === 1) value &= ~(low - 1n);
      // Half of the steps are small; a step is at most 64 bits.
      const count = (big() & 0xffffffffffffffffn) >> BigInt(round % 2 ? 56 : round % 64);
      yield { value, count, length: Math.floor(random() * (bits + 1)), other: big() % size };
    }
  }

  test('add and sub', () => {
    const wrong: string[] = [];
    for (const { value, count } of samples(3, 8000)) {
      const sum = (value + count) % size;
      const difference = (((value - count) % size) + size) % size;
      if (mapped(value) || mapped(sum) || mapped(difference)) continue;
      const added = callString('ip_add', [text(value), count]);
      const taken = callString('ip_sub', [text(value), count]);
      const same = callBoolean('ip_add_equals', [text(value), count, text(sum)]);
      const right = added === again(text(sum)) && taken === again(text(difference));
      if (!right || !same) wrong.push(`${text(value)} ${count}: ${added} ${taken}`);
    }
    expect(wrong).toEqual([]);
  });

  test('network, last, subnet and contains', () => {
    const wrong: string[] = [];
    let inside = 0;
    for (const { value, length, other } of samples(4, 8000)) {
      const hosts = (1n << BigInt(bits - length)) - 1n;
      const first = value & ~hosts & (size - 1n);
      const last = first | hosts;
      const near = [first, last, last + 1n, first - 1n, (first | (other & hosts)) % size, other];
      if ([value, first, last].some(mapped)) continue;
      const cidr = `${text(value)}/${length}`;
      const got = ['cidr_network', 'cidr_last', 'cidr_subnet'].map((name) =>
        callString(name, [cidr]),
      );
      const expected = [again(text(first)), again(text(last)), `${again(text(first))}/${length}`];
      if (got.join() !== expected.join()) wrong.push(`${cidr}: ${got}`);
      for (const one of near) {
        if (one < 0n || one >= size || mapped(one)) continue;
        const contained = one >= first && one <= last;
        if (contained) inside++;
        const says = callBoolean('cidr_contains', [cidr, text(one)]);
        if (says !== contained) wrong.push(`${cidr} ${text(one)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(inside).toBeGreaterThan(10000);
  });

  test('the text of a number is read and printed as that number', () => {
    const wrong: string[] = [];
    for (const { value } of samples(5, 4000)) {
      if (mapped(value)) continue;
      const printed = again(text(value));
      if (bits === 32 ? printed !== text(value) : isWrong6(printed, value)) wrong.push(printed);
    }
    expect(wrong).toEqual([]);
  });
});

/** Reads RFC 5952 text with a reader of our own: at most one "::", for two groups or more. */
function isWrong6(printed: string, value: bigint): boolean {
  const [head = '', tail] = printed.split('::');
  const groups = (half: string) => (half ? half.split(':') : []);
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const gap = 8 - before.length - after.length;
  if (tail === undefined ? gap !== 0 : gap < 2) return true;
  const all = [...before, ...Array<string>(gap).fill('0'), ...after];
  if (all.some((group) => !/^(0|[1-9a-f][0-9a-f]{0,3})$/.test(group))) return true;
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n) !== value;
}

test('IPv4 wraps inside its 32 bits, whatever the step', () => {
  expect(callBoolean('ip_add_equals', ['255.255.255.255', 1n, '0.0.0.0'])).toBe(true);
  const most = 0xffffffffffffffffn;
  expect(callBoolean('ip_add_equals', ['255.255.255.255', most, '255.255.255.254'])).toBe(true);
});

test('no prefix contains an address of the other version', () => {
  expect(callBoolean('cidr_contains', ['::/0', '10.0.0.1'])).toBe(false);
  expect(callBoolean('cidr_contains', ['0.0.0.0/0', '::1'])).toBe(false);
  expect(callBoolean('cidr_contains', ['10.0.0.0/8', '::ffff:10.0.0.1'])).toBe(true);
});
