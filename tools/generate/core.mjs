// SPDX-License-Identifier: Apache-2.0
// The core's side of the ABI: declarations of its imports, the classes of replies with their
// readers, and typed faces of the operations. It refuses to write a face where the arguments or the
// reply are better objects of the core: those are written by hand in core-as/host/.
import { isWide, OPERATIONS } from '../../host-node/abi/index.ts';
import { LIMITS } from '../../host-node/abi/limits.ts';
import { SHAPES } from '../../host-node/abi/shapes.ts';
import { comment, LINE_HEAD, snake, spread } from './text.mjs';

/** Beside these, every operation that takes bytes, of which the core has more than one kind. */
const BY_HAND = new Set([
  ...['reply_len', 'reply_read', 'panic', 'netns_id', 'link_add_veth', 'route_add'],
  ...['qdisc_add_tbf', 'file_mtime', 'dir_list', 'log'],
]);
const TYPES = { i32: 'i32', u32: 'u32', i64: 'i64', u64: 'u64', bool: 'bool' };

/** The class, and whether it is a list of them. */
const partsOf = (type) => ({ item: type.replace('[]', ''), list: type.endsWith('[]') });

export function typeOf(type) {
  const { item, list } = partsOf(type);
  if (item === 'str?') return 'string | null';
  const one = item === 'str' ? 'string' : item;
  return list ? `${one}[]` : one;
}

export const initialOf = (type) => {
  if (type.endsWith('[]')) return ' = []';
  return { str: ' = ""', 'str?': ' = null', bool: ' = false' }[type] ?? ' = 0';
};

/** All members of a shape. */
export function fieldsOf(shape) {
  const own = Object.entries(shape.fields);
  return shape.extends ? [...fieldsOf(SHAPES[shape.extends]), ...own] : own;
}

/** Parameters as wasm has them. */
export const rawParams = (op) =>
  Object.entries(op.params).flatMap(([name, type]) =>
    isWide(type) ? [`${name}: usize`, `${name}_len: i32`] : [`${name}: i32`],
  );

/** core-as/host/imports.gen.ts */
export function coreImports() {
  const declared = OPERATIONS.map((op) => {
    const name = `${op.module}_${op.name}`;
    const head = spread(`export declare function ${name}`, rawParams(op), ': i32;');
    return `${comment(op.about)}\n@external("${op.module}", "${op.name}")\n${head}\n`;
  });
  return `${LINE_HEAD}\n// Only core-as/host/*.ts call these.\n\n${declared.join('\n')}`;
}

function classOf(name, shape) {
  const from = shape.extends ? ` extends ${shape.extends}` : '';
  const fields = Object.entries(shape.fields).map(([field, [type, about, unit]]) => {
    const words = unit ? `${about}, in ${unit}` : about;
    return `${comment(words, '  ')}\n  ${field}: ${typeOf(type)}${initialOf(type)};\n`;
  });
  return `${comment(shape.about)}\nexport class ${name}${from} {\n${fields.join('')}}\n`;
}

/** The expression that reads a member. */
function readOf(field, type) {
  const at = `(from, "${field}")`;
  const { item, list } = partsOf(type);
  if (item in SHAPES) return `${snake(item)}_list_of(list_at(from, "${field}"))`;
  if (type === 'str[]') return `texts_of(list_at(from, "${field}"))`;
  if (list) throw new Error(`no reader of ${type}`);
  if (type === 'str') return `from.text_at("${field}")`;
  if (type === 'str?') return `text_or_null${at}`;
  if (type === 'bool') return `bool_at${at}`;
  if (type === 'i32') return `int_at${at}`;
  return type === 'i64' ? `wide_at${at}` : `<${TYPES[type]}>wide_at${at}`;
}

function readerOf(name, shape) {
  const word = snake(name);
  const base = shape.extends && `${snake(shape.extends)}_fill`;
  const extended = Object.values(SHAPES).some((other) => other.extends === name);
  const read = Object.entries(shape.fields).map(
    ([field, [type]]) => `  to.${field} = ${readOf(field, type)};`,
  );
  const fill = [`function ${word}_fill(to: ${name}, from: JsonValue): void {`, ...read, '}', ''];
  return [
    ...(extended ? fill : []),
    `export function ${word}_of(from: JsonValue): ${name} {`,
    `  const to = new ${name}();`,
    ...(base ? [`  ${base}(to, from);`] : []),
    ...(extended ? [`  ${word}_fill(to, from);`] : read),
    ...['  return to;', '}', ''],
    `export function ${word}_list_of(from: JsonValue): ${name}[] {`,
    `  const list = new Array<${name}>();`,
    `  for (let i = 0; i < from.items.length; i++) list.push(${word}_of(from.items[i]));`,
    ...['  return list;', '}', ''],
  ].join('\n');
}

/** core-as/host/shapes.gen.ts */
export function coreShapes() {
  const shapes = Object.entries(SHAPES);
  return [
    LINE_HEAD,
    '// What operations reply with, and reading it.',
    'import { JsonValue } from "../lib/json";',
    'import { bool_at, int_at, list_at, text_or_null, texts_of, wide_at } from "./reply";',
    '',
    ...shapes.flatMap(([name, shape]) => [classOf(name, shape), readerOf(name, shape)]),
  ].join('\n');
}

/** What a face gives: type, expression on success, value on failure; and the shapes it needs. */
function givenBy(type) {
  const { item, list } = partsOf(type);
  if (type === 'none' || type === 'value') return { as: 'i32' };
  if (type === 'bytes') return { as: 'Bytes | null', read: 'reply_bytes()' };
  if (type === 'text') return { as: 'string | null', read: 'reply_text()' };
  if (type === 'i64') return { as: 'i64', read: 'reply_json().integer()', failed: '-1' };
  // Those of u32 as i32: one reader is enough.
  if (type === 'i32[]' || type === 'u32[]') return { as: 'i32[] | null', read: 'reply_numbers()' };
  if (type === 'str[]') return { as: 'string[] | null', read: 'texts_of(reply_json())' };
  const read = `${snake(item)}${list ? '_list' : ''}_of`;
  return { as: `${type} | null`, read: `${read}(reply_json())`, shape: item, reader: read };
}

const FACE_TYPES = { i32: 'i32', ns: 'i32', bool: 'bool', str: 'string' };

function faceOf(op) {
  const params = Object.entries(op.params);
  const { as, read, failed = 'null' } = givenBy(op.type);
  const head = params.map(([name, type]) => `${name}: ${FACE_TYPES[type]}`);
  const wide = params.filter(([, type]) => type === 'str');
  const args = params.flatMap(([name, type]) =>
    type === 'str' ? [`${name}_utf8.ptr`, `${name}_utf8.len`] : [name],
  );
  const said = op.gives === '' ? op.about : `${op.about} Gives: ${op.gives}.`;
  const call = spread(`const code = ${op.module}_${op.name}`, args, ';', '  ');
  return [
    comment(said),
    spread(`export function ${op.name}`, head, `: ${as} {`),
    ...wide.map(([name]) => `  const ${name}_utf8 = new Utf8(${name});`),
    call,
    read === undefined
      ? '  return checked(code);'
      : `  return checked(code) < 0 ? ${failed} : ${read};`,
    '}',
    '',
  ].join('\n');
}

/** The names of a file's imports from one module, "" when there are none. */
function imported(names, from) {
  if (names.length === 0) return '';
  const sorted = [...new Set(names)].sort();
  const line = `import { ${sorted.join(', ')} } from "${from}";`;
  if (line.length <= 100) return `${line}\n`;
  return `import {\n${sorted.map((name) => `  ${name},\n`).join('')}} from "${from}";\n`;
}

/** core-as/host/MODULE.gen.ts */
function facesOf(module) {
  const faces = OPERATIONS.filter(
    (op) =>
      op.module === module &&
      !BY_HAND.has(op.name) &&
      !Object.values(op.params).some((type) => type === 'bytes'),
  );
  const given = faces.map((op) => givenBy(op.type));
  const text = faces.map(faceOf).join('\n');
  const used = (name) => new RegExp(`\\b${name}\\b`).test(text);
  const replies = ['Bytes', 'reply_bytes', 'reply_json', 'reply_numbers', 'reply_text', 'texts_of'];
  const shapes = given.flatMap(({ shape, reader }) => (shape ? [shape, reader] : []));
  return [
    `${LINE_HEAD}\n`,
    `// Typed faces of operations of the module ${module}. One gives >= 0 or what is named, or\n`,
    '// else -errno or null, with the details noted in failure.ts.\n',
    imported(used('Utf8') ? ['Utf8'] : [], '../lib/utf8'),
    imported(['checked'], './failure'),
    imported(
      faces.map((op) => `${op.module}_${op.name}`),
      './imports.gen',
    ),
    imported(replies.filter(used), './reply'),
    imported(shapes, './shapes.gen'),
    '\n',
    text,
  ].join('');
}

/** core-as/lib/limits.gen.ts: the numbers. */
function coreLimits() {
  const numbers = Object.entries(LIMITS).filter(([, { value }]) => typeof value === 'number');
  const constants = numbers.map(([name, { value, about }]) => {
    return `${comment(about)}\nexport const ${name}: i32 = ${value};\n`;
  });
  return [`${LINE_HEAD}\n// What every host holds to.\n`, ...constants].join('\n');
}

/** The files of the core by path. */
export const coreFiles = () => ({
  'core-as/lib/limits.gen.ts': coreLimits(),
  'core-as/host/imports.gen.ts': coreImports(),
  'core-as/host/shapes.gen.ts': coreShapes(),
  'core-as/host/host.gen.ts': facesOf('host'),
  'core-as/host/kernel.gen.ts': facesOf('kernel'),
  'core-as/host/nft.gen.ts': facesOf('nft'),
  'core-as/host/store.gen.ts': facesOf('store'),
});
