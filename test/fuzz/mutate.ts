// SPDX-License-Identifier: Apache-2.0
// Inputs made of seeds by random changes: of bytes, of words from a dictionary, of a JSON
// document's members. They shrink to the seed with the fewest changes. It knows no target.
import fc from 'fast-check';

type Bytes = Uint8Array<ArrayBuffer>;

/** A JSON document whose keys may come twice and whose numbers are any text. */
type Tree =
  | { readonly object: [key: string, value: Tree][] }
  | { readonly array: Tree[] }
  | { readonly raw: string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Values that programs get wrong, as they stand in a document. */
const HARD: readonly string[] = [
  ...[
    'null',
    'true',
    'false',
    '{}',
    '[]',
    '[[]]',
    '[null]',
    '[{}]',
    '""',
    '"\\u0000"',
    '"\\ud800"',
  ],
  ...['0', '-1', '1', '2', '68', '1279', '4094', '4095', '65535', '65536', '2147483648'],
  ...['4294967295', '4294967296', '9007199254740993', '9223372036854775808', '1e400', '-0', '0.5'],
  ...['01', '1.', 'NaN', '999999999999999999999999', '-9223372036854775809'],
  ...['"10.1.2.3"', '"10.1.2.3/24"', '"10.1.2.0/24"', '"10.1.2.0/30"', '"0.0.0.0/0"', '"::/0"'],
  ...['"10.1.2.255"', '"255.255.255.255/32"', '"224.0.0.1/4"', '"127.0.0.1/8"', '"10.1.2.3/33"'],
  ...['"fd00::1/64"', '"fd00::/126"', '"::1/128"', '"fe80::1/64"', '"ff02::1/16"', '"::/64"'],
  ...['"::ffff:10.1.2.3/96"', '"10.01.2.3"', '"10.1.2"', '"fd00:::1"', '"1.2.3.4/"', '"/24"'],
  ...['"lo"', '"eth0"', '"eth9"', '"."', '".."', '"a/b"', '"sixteen-letters-"', '" "', '"ä"'],
  ...['"/"', '"/var/lib/../x"', '"relative"', '"/run/fairlead/attachments"', '"02:00:00:00:00:01"'],
  ...['"01:00:00:00:00:00"', '"00:00:00:00:00:00"', '"ff:ff:ff:ff:ff:ff"', '"02-00-00-00-00-01"'],
  ...['"1.1.0"', '"0.1.0"', '"0.2.0"', '"0.3.1"', '"0.4.0"', '"1.2.0"', '"9.9.9"', '"1.0"', '"x"'],
];
const DEPTHS = [50, 98, 101, 2000];
const TIMES = [2, 3, 10, 300, 5000];

function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { array: value.map(treeOf) };
  if (typeof value !== 'object' || value === null) return { raw: JSON.stringify(value) };
  return { object: Object.entries(value).map(([key, item]) => [key, treeOf(item)]) };
}

function textOf(tree: Tree): string {
  if ('raw' in tree) return tree.raw;
  if ('array' in tree) return `[${tree.array.map(textOf).join(',')}]`;
  const members = tree.object.map(([key, item]) => `${JSON.stringify(key)}:${textOf(item)}`);
  return `{${members.join(',')}}`;
}

/** A place in a document: a member of an object or an element of an array. */
interface Place {
  readonly list: Tree[] | [string, Tree][];
  readonly index: number;
}

function placesOf(tree: Tree, into: Place[] = []): Place[] {
  if ('array' in tree) {
    tree.array.forEach((item, index) => {
      into.push({ list: tree.array, index });
      placesOf(item, into);
    });
  } else if ('object' in tree) {
    tree.object.forEach(([, item], index) => {
      into.push({ list: tree.object, index });
      placesOf(item, into);
    });
  }
  return into;
}

/** Keys and texts of documents: what a mutated document may name. */
export function wordsOf(seeds: readonly Uint8Array[]): string[] {
  const words = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value === 'string') words.add(value);
    else if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        words.add(key);
        walk(item);
      }
    }
  };
  for (const seed of seeds) {
    const document = parsed(seed);
    if (document !== undefined) walk(document.value);
  }
  return [...words].sort();
}

/** A document, unless it is nested so deep that walking it would overflow our own stack. */
function parsed(bytes: Uint8Array): { value: unknown } | undefined {
  try {
    const text = decoder.decode(bytes);
    return text.includes('['.repeat(DEPTHS[0]!)) ? undefined : { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** One change; numbers are taken modulo what there is. */
export type Change =
  | { readonly do: 'set'; readonly at: number; readonly byte: number }
  | { readonly do: 'flip'; readonly at: number; readonly bit: number }
  | { readonly do: 'delete'; readonly at: number; readonly length: number }
  | { readonly do: 'cut'; readonly at: number }
  | { readonly do: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly do: 'word'; readonly at: number; readonly word: number }
  | { readonly do: 'copy'; readonly at: number; readonly from: number; readonly length: number }
  | { readonly do: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly do: 'remove'; readonly place: number }
  | { readonly do: 'twice'; readonly place: number; readonly value: number }
  | { readonly do: 'rename'; readonly place: number; readonly word: number }
  | { readonly do: 'replace'; readonly place: number; readonly value: number }
  | { readonly do: 'reword'; readonly place: number; readonly word: number }
  | { readonly do: 'wrap'; readonly place: number; readonly depth: number };

const anywhere = fc.nat({ max: 1 << 16 });
const few = fc.integer({ min: 1, max: 16 });

const BYTE_CHANGES: readonly fc.Arbitrary<Change>[] = [
  fc.record({ do: fc.constant('set' as const), at: anywhere, byte: fc.nat({ max: 255 }) }),
  fc.record({ do: fc.constant('flip' as const), at: anywhere, bit: fc.nat({ max: 7 }) }),
  fc.record({ do: fc.constant('delete' as const), at: anywhere, length: few }),
  fc.record({ do: fc.constant('cut' as const), at: anywhere }),
  fc.record({
    do: fc.constant('insert' as const),
    at: anywhere,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  }),
  fc.record({ do: fc.constant('word' as const), at: anywhere, word: anywhere }),
  fc.record({ do: fc.constant('copy' as const), at: anywhere, from: anywhere, length: few }),
  fc.record({
    do: fc.constant('repeat' as const),
    at: anywhere,
    length: few,
    times: fc.constantFrom(...TIMES),
  }),
];
const TREE_CHANGES: readonly fc.Arbitrary<Change>[] = [
  fc.record({ do: fc.constant('remove' as const), place: anywhere }),
  fc.record({ do: fc.constant('twice' as const), place: anywhere, value: anywhere }),
  fc.record({ do: fc.constant('rename' as const), place: anywhere, word: anywhere }),
  fc.record({ do: fc.constant('replace' as const), place: anywhere, value: anywhere }),
  fc.record({ do: fc.constant('reword' as const), place: anywhere, word: anywhere }),
  fc.record({
    do: fc.constant('wrap' as const),
    place: anywhere,
    depth: fc.constantFrom(...DEPTHS),
  }),
];

const change = fc.oneof(
  { weight: 1, arbitrary: fc.oneof(...BYTE_CHANGES) },
  { weight: 2, arbitrary: fc.oneof(...TREE_CHANGES) },
);

function pasted(bytes: Bytes, at: number, until: number, middle: Uint8Array): Bytes {
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(until)]));
}

function changedBytes(bytes: Bytes, made: Change, words: readonly string[]): Bytes {
  if (!('at' in made)) return bytes;
  const at = made.at % (bytes.length + 1);
  const end = 'length' in made ? Math.min(at + made.length, bytes.length) : at;
  if (made.do === 'cut') return bytes.slice(0, at);
  if (made.do === 'delete') return pasted(bytes, at, end, new Uint8Array());
  if (made.do === 'insert') return pasted(bytes, at, at, made.bytes);
  if (made.do === 'word') {
    return pasted(bytes, at, at, encoder.encode(words[made.word % words.length] ?? ''));
  }
  if (made.do === 'copy') {
    const from = made.from % (bytes.length + 1);
    return pasted(bytes, at, at, bytes.slice(from, from + made.length));
  }
  if (made.do === 'repeat') {
    const piece = bytes.slice(at, end);
    const times = Array.from({ length: made.times }, () => piece);
    return pasted(bytes, at, end, new Uint8Array(Buffer.concat(times)));
  }
  const copy = bytes.slice();
  if (at < copy.length) copy[at] = made.do === 'set' ? made.byte : copy[at]! ^ (1 << made.bit);
  return copy;
}

function changedTree(bytes: Bytes, made: Change, words: readonly string[]): Bytes {
  const document = parsed(bytes);
  if (document === undefined || !('place' in made)) return bytes;
  const root: Tree[] = [treeOf(document.value)];
  const places = placesOf({ array: root });
  const { list, index } = places[made.place % places.length]!;
  const item = list[index]!;
  const word = 'word' in made ? (words[made.word % words.length] ?? '') : '';
  const raw = 'value' in made ? HARD[made.value % HARD.length]! : JSON.stringify(word);
  const [key, value] = Array.isArray(item) ? item : [undefined, item];
  const put = (name: string | undefined, tree: Tree): void => {
    list[index] = (name === undefined ? tree : [name, tree]) as never;
  };
  if (made.do === 'remove') list.splice(index, 1);
  else if (made.do === 'twice') {
    list.push((key === undefined ? { raw } : [key, { raw }]) as never);
  } else if (made.do === 'rename') put(key === undefined ? undefined : word, value);
  else if (made.do === 'wrap') {
    put(key, { raw: '['.repeat(made.depth) + textOf(value) + ']'.repeat(made.depth) });
  } else put(key, { raw });
  return new Uint8Array(encoder.encode(root.map(textOf).join('')));
}

/** Random changes of random seeds; `words` are what changes may write. */
export function mutated(
  seeds: readonly Uint8Array[],
  words: readonly string[],
): fc.Arbitrary<Uint8Array> {
  const made = fc.record({
    seed: fc.nat({ max: seeds.length - 1 }),
    changes: fc.array(change, { maxLength: 5, size: 'max' }),
  });
  return made.map(({ seed, changes }) =>
    changes.reduce<Bytes>(
      (bytes, one) => ('at' in one ? changedBytes : changedTree)(bytes, one, words),
      new Uint8Array(seeds[seed]!),
    ),
  );
}
