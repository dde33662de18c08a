// SPDX-License-Identifier: Apache-2.0
// The native host's side of the ABI: a prototype per operation, its import as wasm2c (wabt 1.0.32)
// names it, which checks the arguments at the border and calls the operation, the limits, and a
// struct per reply with what writes it. An operation that is missing in C is an error of the
// linker, a member of a reply that the table does not have one of the compiler.
import { ABI_MARKER, isWide, OPERATIONS } from '../../host-node/abi/index.ts';
import * as limits from '../../host-node/abi/limits.ts';
import { SHAPES } from '../../host-node/abi/shapes.ts';
import { BLOCK_HEAD, comment, snake, wrapped } from './text.mjs';

const TOP = `${BLOCK_HEAD}\n`;
const cType = (type) => (isWide(type) ? `struct ${type === 'out' ? 'room' : 'span'} ` : 'int32_t ');

function prototype(op) {
  const params = Object.entries(op.params).map(([name, type]) => `${cType(type)}${name}`);
  const head = `int32_t ${op.module}_${op.name}(`;
  return `${comment(op.about)}\n${wrapped(head, ['struct host *host', ...params], ');')}\n`;
}

const quoted = (text) => JSON.stringify(text);

function limit([name, { value, about, octal }]) {
  const word = typeof value === 'string' ? quoted(value) : octal ? `0${value.toString(8)}` : value;
  const line = `#define ${name} ${word}`;
  if (line.length <= 100) return `${comment(about)}\n${line}\n`;
  const pieces = value.match(/.{1,60}(?: |$)|.{1,60}/gs) ?? [];
  const lines = pieces.map((piece) => `    ${quoted(piece)}`).join(' \\\n');
  return `${comment(about)}\n#define ${name} \\\n${lines}\n`;
}

/** abi.gen.h */
function header() {
  return [
    TOP,
    '#ifndef FAIRLEAD_ABI_GEN_H',
    '#define FAIRLEAD_ABI_GEN_H',
    '',
    '#include "host.h"',
    '',
    comment("The name of the core's marker export."),
    `#define ABI_MARKER ${quoted(ABI_MARKER)}`,
    '',
    ...Object.entries(limits.LIMITS).map(limit),
    ...OPERATIONS.map(prototype),
    '#endif',
    '',
  ].join('\n');
}

/** What a recording has no line of: they say nothing of the world, and panic never ends. */
const UNTOLD = ['reply_len', 'reply_read', 'panic'];
const LETTERS = { str: 's', bytes: 'b', out: 'o', json: 'j', value: 'v', none: 'n' };

/** Whether what passes may hold secrets. */
const tells = ({ module, name }) => !['kernel', 'nft'].includes(module) || name === 'socket_call';

/** What the border and recordings go by: border.h has its form. */
function rowOf(op) {
  const { module, name, params, reply, waits } = op;
  const untold = module === 'host' && UNTOLD.includes(name);
  const told = untold ? 'u' : tells(op) ? 's' : '-';
  // What is on standard input is mostly text, and a recording has it so.
  const letter = name === 'stdin_read' ? 't' : LETTERS[reply];
  const flags = `${told}${waits ? 'w' : '-'}${letter}${module[0]}`;
  const letters = Object.entries(params).map(([word, type]) => `${LETTERS[type] ?? 'i'}${word}`);
  const words = [`${flags}${name}`, ...letters].map((word) => `${word}\\0`);
  const lines = [''];
  for (const word of words) {
    if (lines.at(-1).length + word.length <= 80) lines[lines.length - 1] += word;
    else lines.push(word);
  }
  const pieces = lines.map((line) => `    "${line}"`).join('\n');
  return `static const char ${module}_${name}_row[] =\n${pieces};\n`;
}

/** One import: what wasm2c calls. */
function imported(op) {
  const params = Object.entries(op.params);
  const names = params.flatMap(([name, type]) =>
    isWide(type) ? [`${name}_ptr`, `${name}_len`] : [name],
  );
  const wide = params.filter(([, type]) => isWide(type)).length;
  let [at, nth] = [0, 0];
  const args = params.map(([, type]) => {
    if (!isWide(type)) return `(int32_t)raw[${at++}]`;
    at += 2;
    return type === 'out' ? `border_room(wide[${nth++}])` : `wide[${nth++}]`;
  });
  const raw = names.length === 0 ? 'NULL' : 'raw';
  const row = `${op.module}_${op.name}_row`;
  const instance = `struct Z_${op.module}_instance_t *instance`;
  const head = `u32 Z_${op.module}Z_${op.name}(`;
  const call = `    if (status == 0) status = ${op.module}_${op.name}(`;
  return [
    rowOf(op),
    wrapped(head, [instance, ...names.map((name) => `u32 ${name}`)], ')'),
    '{',
    '    struct host *host = (struct host *)instance;',
    ...(raw === 'raw' ? [wrapped('    const u32 raw[] = {', names, '};', '        ')] : []),
    ...(wide > 0 ? [`    struct span wide[${wide}];`] : []),
    `    int32_t status = border_begin(host, ${row}, ${raw}, ${wide > 0 ? 'wide' : 'NULL'});`,
    wrapped(call, ['host', ...args], ');', '        '),
    `    return border_end(host, ${row}, ${raw}, status);`,
    '}\n',
  ].join('\n');
}

/** abi.gen.c */
function glue() {
  return [
    TOP,
    '#include "abi.gen.h"',
    '#include "border.h"',
    '#include "core.h"',
    '',
    ...OPERATIONS.map(imported),
  ].join('\n');
}

const MEMBERS = {
  i32: ['int32_t ', 'I32'],
  u32: ['uint32_t ', 'U32'],
  i64: ['int64_t ', 'I64'],
  u64: ['uint64_t ', 'I64'],
  bool: ['bool ', 'BOOL'],
  str: ['struct span ', 'TEXT'],
  'str?': ['struct span ', 'TEXT_OR_NULL'],
};

/** What stdio.h has macros of. */
const TAKEN = new Set(['stdout', 'stderr']);
const memberOf = (field) => (TAKEN.has(field) ? `${field}_` : field);
const structOf = (name) => `struct ${snake(name)}_shape`;

function declared([name, shape]) {
  const base = shape.extends ? [`    ${structOf(shape.extends)} ${snake(shape.extends)};`] : [];
  const fields = Object.entries(shape.fields).flatMap(([field, [type, about, unit]]) => {
    if (!(type in MEMBERS)) return [];
    const words = comment(unit ? `${about}, in ${unit}` : about, '    ');
    return [words, `    ${MEMBERS[type][0]}${memberOf(field)};`];
  });
  const list = Object.entries(shape.fields).find(([, [type]]) => !(type in MEMBERS))?.[0];
  const open = list ? ` The list \`${list}\` and the object stay open.` : '';
  return [
    comment(shape.about),
    `${structOf(name)} {`,
    ...base,
    ...fields,
    '};',
    '',
    comment(`Writes it.${open}`),
    `void write_${snake(name)}(struct reply *reply, const ${structOf(name)} *from);`,
    '',
  ].join('\n');
}

/** shapes.gen.h */
function shapesHeader() {
  return [
    TOP,
    '#ifndef FAIRLEAD_SHAPES_GEN_H',
    '#define FAIRLEAD_SHAPES_GEN_H',
    '',
    '#include "host.h"',
    '',
    ...Object.entries(SHAPES).map(declared),
    '#endif',
    '',
  ].join('\n');
}

/** The rows of a shape's members, with those of the shape that it begins with. */
function rowsOf(name, shape, top = structOf(name), before = '') {
  const base = shape.extends
    ? rowsOf(shape.extends, SHAPES[shape.extends], top, `${before}${snake(shape.extends)}.`)
    : [];
  const own = Object.entries(shape.fields).map(([field, [type]]) => {
    const letters = [...field].map((letter) => `'${letter}'`).concat('0');
    if (!(type in MEMBERS)) return `    FIELD_LIST, 0, ${letters.join(', ')},`;
    // Up to 255, which shape.c reads it as.
    const offset = `(char)offsetof(${top}, ${before}${memberOf(field)})`;
    return wrapped(`    FIELD_${MEMBERS[type][1]}, `, [offset, ...letters], ',', '        ');
  });
  return [...base, ...own];
}

function written([name, shape]) {
  const rows = rowsOf(name, shape);
  // A list is the end: what is in it, and what follows, is the caller's.
  if (rows.slice(0, -1).some((row) => row.includes('FIELD_LIST'))) throw new Error(name);
  if (!rows.at(-1).includes('FIELD_LIST')) rows.push('    FIELD_END,');
  const table = `${snake(name).toUpperCase()}_FIELDS`;
  return [
    `static_assert(sizeof(${structOf(name)}) <= UINT8_MAX + 1, "an offset is a byte");`,
    `static const char ${table}[] = {`,
    ...rows,
    '};',
    '',
    `void write_${snake(name)}(struct reply *reply, const ${structOf(name)} *from)`,
    '{',
    `    reply_shape(reply, ${table}, from);`,
    '}',
    '',
  ].join('\n');
}

/** shapes.gen.c */
function shapesWriters() {
  return [
    TOP,
    '#include "shapes.gen.h"',
    '',
    '#include <assert.h>',
    '#include <stddef.h>',
    '#include <stdint.h>',
    '',
    '#include "shape.h"',
    '',
    ...Object.entries(SHAPES).map(written),
  ].join('\n');
}

/** The files of host-native/ by path. */
export const nativeFiles = () => ({
  'host-native/abi.gen.h': header(),
  'host-native/abi.gen.c': glue(),
  'host-native/shapes.gen.h': shapesHeader(),
  'host-native/shapes.gen.c': shapesWriters(),
});
