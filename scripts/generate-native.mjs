// Writes the native host's generated files from host-node/abi.ts: abi.h, a prototype per
// operation, and abi.c, the imports as wasm2c (wabt 1.0.32) names them, which check their arguments
// at the border and call the operation. One that is missing in C is an error of the linker.
import { OPERATIONS } from '../host-node/abi.ts';

const HEAD = '/* Generated from host-node/abi.ts by `npm run generate`. Do not edit. */\n';
const COLUMNS = 100;
const WIDE = { str: 'text', bytes: 'bytes', out: 'room' };

const isWide = (type) => type in WIDE;
const cType = (type) => (isWide(type) ? `struct ${type === 'out' ? 'room' : 'span'} ` : 'int32_t ');

/** A head and its arguments on as many lines as they need. */
function wrapped(head, args, end, indent = '    ') {
  const lines = [head];
  args.forEach((arg, index) => {
    const word = index === args.length - 1 ? `${arg}${end}` : `${arg},`;
    const line = lines.at(-1);
    const joined = index === 0 ? line + word : `${line} ${word}`;
    if (joined.length <= COLUMNS) lines[lines.length - 1] = joined;
    else lines.push(indent + word);
  });
  return lines.join('\n');
}

/** A comment, on several lines where one would be too long. */
function comment(text) {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (`${lines.at(-1)} ${word}`.length <= COLUMNS - 6) lines[lines.length - 1] += ` ${word}`;
    else lines.push(` ${word}`);
  }
  if (lines.length === 1) return `/**${lines[0]} */`;
  return `/**\n${lines.map((line) => ` *${line}\n`).join('')} */`;
}

function prototype(op) {
  const params = Object.entries(op.params).map(([name, type]) => `${cType(type)}${name}`);
  const head = `int32_t ${op.module}_${op.name}(`;
  return `${comment(op.about)}\n${wrapped(head, ['struct host *host', ...params], ');')}\n`;
}

/** abi.h */
export function nativeHeader() {
  return [
    HEAD,
    '#ifndef FAIRLEAD_ABI_H',
    '#define FAIRLEAD_ABI_H',
    '',
    '#include "host.h"',
    '',
    ...OPERATIONS.map(prototype),
    '#endif',
    '',
  ].join('\n');
}

/** One import: what wasm2c calls. */
function imported(op) {
  const params = Object.entries(op.params);
  const wide = params.filter(([, type]) => isWide(type));
  const raw = params.flatMap(([name, type]) =>
    isWide(type) ? [`u32 ${name}_ptr`, `u32 ${name}_len`] : [`u32 ${name}`],
  );
  const args = params.map(([name, type]) => (isWide(type) ? name : `(int32_t)${name}`));
  const replies = op.reply === 'json' || op.reply === 'bytes';
  const instance = `struct Z_${op.module}_instance_t *instance`;
  const call = wrapped(
    `    if (status == 0) status = ${op.module}_${op.name}(`,
    ['host', ...args],
    ');',
    '        ',
  );
  return [
    wrapped(`u32 Z_${op.module}Z_${op.name}(`, [instance, ...raw], ')'),
    '{',
    '    struct host *host = (struct host *)instance;',
    ...wide.map(([name, type]) => `    ${cType(type)}${name};`),
    `    int32_t status = border_begin(host, ${replies});`,
    ...wide.map(([name, type]) => {
      const check = `border_${WIDE[type]}(host, ${name}_ptr, ${name}_len, &${name})`;
      return `    if (status == 0) status = ${check};`;
    }),
    call,
    '    return border_end(host, status);',
    '}\n',
  ].join('\n');
}

/** abi.c */
export function nativeGlue() {
  return [
    HEAD,
    '#include "abi.h"',
    '#include "border.h"',
    '#include "core.h"',
    '',
    ...OPERATIONS.map(imported),
  ].join('\n');
}
