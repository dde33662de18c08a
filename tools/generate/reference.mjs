// SPDX-License-Identifier: Apache-2.0
// docs/host-abi.md: the table as a document. It refuses to explain; docs/architecture.md does.
import { ABI_MARKER, OPERATIONS } from '../../host-node/abi/index.ts';
import { LIMITS } from '../../host-node/abi/limits.ts';
import { SHAPES } from '../../host-node/abi/shapes.ts';
import { fieldsOf } from './core.mjs';

const INTRODUCTION = [
  '# The host ABI',
  '',
  'Generated from `host-node/abi/` by `npm run generate`. Do not edit.',
  '',
  `The core exports \`memory\`, \`${ABI_MARKER}\` (its name is the version),`,
  '`alloc(len) → ptr`, `run(type, type_len, env, env_len) → exit code`, `result_ptr()` and',
  '`result_len()`. `env` is the environment as `NAME=value` texts, each ended by a NUL byte;',
  '`type` is the CNI type the program was called as. The result belongs on standard output.',
  '`task(name, name_len, request, request_len) → exit code` does in the same way what the',
  'command line asks: `request` is a JSON object, whose shapes are in `core-as/tasks/tasks.ts`.',
  'The mutable globals of a module are exported as `state.0`, `state.1` and so on: with the memory',
  'they are all that an instance knows, so who keeps both can make an instance what it was.',
  '',
  'A `str`, `bytes` or `out` parameter is a pointer and a length (two i32) into the memory of',
  'the core; `str` is UTF-8 without NUL, `bool` an i32, 0 or 1. Every operation returns i32: ≥ 0',
  'is the value, < 0 is −errno with POSIX numbers. A reply that is more than a value lies in the',
  'reply slot: `text` is UTF-8, `bytes` are as they are, all else is JSON. After a failure the',
  "slot holds the kernel's own words, maybe none. The host checks every pointer and length before",
  'it touches anything (EFAULT), and text for UTF-8 and NUL (EILSEQ). A netns handle 0 is the',
  "host's own namespace.",
  '',
  '[Shapes](#shapes) are what the JSON of replies is like, [limits](#limits) what every host holds',
  'to.',
  '',
];

const linked = (type) => {
  const item = type.replace('[]', '');
  return item in SHAPES ? `[\`${type}\`](#${item.toLowerCase()})` : `\`${type}\``;
};

function operation(op) {
  const params = Object.entries(op.params).map(([name, type]) => `${name}: ${type}`);
  const lines = [`### ${op.module}.${op.name}(${params.join(', ')})`, '', op.about, ''];
  const type = op.type === 'none' ? 'none' : linked(op.type);
  lines.push(`- reply: ${type}${op.gives === '' ? '' : `: ${op.gives}`}`);
  if (op.errors.length > 0) lines.push(`- errors the core tells apart: ${op.errors.join(', ')}`);
  if (op.like !== '') lines.push(`- like: \`${op.like}\``);
  return [...lines, ''];
}

function shape([name, described]) {
  const rows = fieldsOf(described).map(([field, [type, about, unit]]) => {
    return `| \`${field}\` | ${linked(type)} | ${about}${unit ? `, in ${unit}` : ''} |`;
  });
  return [
    ...[`### ${name}`, '', described.about, ''],
    ...['| member | type | what |', '| ------ | ---- | ---- |', ...rows, ''],
  ];
}

const limit = ([name, { value, about, octal }]) =>
  `| \`${name}\` | \`${octal ? `0${value.toString(8)}` : JSON.stringify(value)}\` | ${about} |`;

/** docs/host-abi.md */
export function reference() {
  const modules = ['host', 'kernel', 'nft', 'store', 'plugin'].flatMap((module) => [
    ...[`## ${module}`, ''],
    ...OPERATIONS.filter((op) => op.module === module).flatMap(operation),
  ]);
  return [
    ...INTRODUCTION,
    ...modules,
    ...['## Shapes', '', 'A host gives every member: "", 0 or false for what there is not.', ''],
    ...Object.entries(SHAPES).flatMap(shape),
    ...['## Limits', '', '| name | value | what |', '| ---- | ----- | ---- |'],
    ...Object.entries(LIMITS).map(limit),
    '',
  ].join('\n');
}
