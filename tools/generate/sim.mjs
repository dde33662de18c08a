// SPDX-License-Identifier: Apache-2.0
// The simulated kernel's side of the ABI: what stands in for the imports when the core is built
// onto it, and the writers of replies. It refuses to know what an operation does there.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isWide, OPERATIONS } from '../../host-node/abi/index.ts';
import { SHAPES } from '../../host-node/abi/shapes.ts';
import { fieldsOf, initialOf, rawParams, typeOf } from './core.mjs';
import { comment, LINE_HEAD, snake, spread } from './text.mjs';

const SIM = fileURLToPath(new URL('../../core-as/sim', import.meta.url));
const NAMES = new Set(OPERATIONS.map((op) => `${op.module}_${op.name}`));

const argsOf = (op) =>
  Object.entries(op.params).flatMap(([name, type]) =>
    isWide(type) ? [name, `${name}_len`] : [name],
  );

/** core-as/sim/imports.gen.ts */
function simImports() {
  const traced = OPERATIONS.map((op) => {
    const name = `${op.module}_${op.name}`;
    const head = spread(`export function ${name}`, rawParams(op), ': i32 {');
    const call = (callee, end) => spread(`return ${callee}`, argsOf(op), end, '  ');
    if (op.module === 'host') return `${head}\n${call(`at.${name}`, ';')}\n}\n`;
    const args = Object.entries(op.params).map(([param, type]) =>
      isWide(type)
        ? `  trace.text("${param}", ${param}, ${param}_len);`
        : `  trace.int("${param}", ${param});`,
    );
    return [
      head,
      `  trace.begin("${op.module}.${op.name}");`,
      ...args,
      call(`trace.end(at.${name}`, ');'),
      '}\n',
    ].join('\n');
  });
  return (
    `${LINE_HEAD}\n` +
    '// Stands where core-as/host/imports.gen.ts stands when the core is built onto\n' +
    '// the simulated kernel.\n' +
    'import * as at from "../sim/operations.gen";\nimport * as trace from "../sim/trace";\n\n' +
    traced.join('\n')
  );
}

const WRITERS = { str: 'text', 'str?': 'text_or_null', bool: 'flag' };

function writeOf(field, type) {
  const item = type.replace('[]', '');
  if (type === 'str[]') return `  write_texts(out, from.${field});`;
  if (item in SHAPES) return `  write_${snake(item)}_list(out, from.${field});`;
  return `  write_${WRITERS[type] ?? `number<${typeOf(type)}>`}(out, from.${field});`;
}

function writerOf(name, shape) {
  const fields = fieldsOf(shape);
  // A member that somebody forgets to give does not compile, unless it is a number; but the
  // compiler wants those of a base class to have something from the start.
  const extended = Object.values(SHAPES).some((other) => other.extends === name);
  const members = Object.entries(shape.fields).map(([field, [type, about]]) => {
    const item = type.replace('[]', '');
    const given = item in SHAPES ? type.replace(item, `${item}Reply`) : typeOf(type);
    const initial = extended ? initialOf(type) : '';
    return `${comment(about, '  ')}\n  ${field}: ${given}${initial};\n`;
  });
  const base = shape.extends ? ` extends ${shape.extends}Reply` : '';
  const lines = fields.flatMap(([field, [type]], index) => [
    `  out.text('${index === 0 ? '{' : ','}"${field}":');`,
    writeOf(field, type),
  ]);
  return [
    `${comment(shape.about)}\nexport class ${name}Reply${base} {\n${members.join('')}}\n`,
    `export function write_${snake(name)}(out: ByteWriter, from: ${name}Reply): void {`,
    ...lines,
    '  out.byte(125);',
    '}\n',
    `export function write_${snake(name)}_list(out: ByteWriter, from: ${name}Reply[]): void {`,
    '  out.byte(91);',
    '  for (let i = 0; i < from.length; i++) {',
    '    if (i > 0) out.byte(44);',
    `    write_${snake(name)}(out, from[i]);`,
    '  }',
    '  out.byte(93);',
    '}\n',
  ].join('\n');
}

/** core-as/sim/replies.gen.ts */
function simReplies() {
  return [
    LINE_HEAD,
    '// What the simulated kernel replies with, and writing it.',
    'import { ByteWriter } from "../lib/utf8";',
    'import {',
    '  write_flag,',
    '  write_number,',
    '  write_text,',
    '  write_text_or_null,',
    '  write_texts,',
    '} from "./write";',
    '',
    ...Object.entries(SHAPES).map(([name, shape]) => writerOf(name, shape)),
  ].join('\n');
}

/** Files of core-as/sim/ by the functions of operations that they export. */
function places() {
  const found = new Map();
  for (const file of readdirSync(SIM)) {
    if (!file.endsWith('.ts') || file.endsWith('.gen.ts')) continue;
    const text = readFileSync(`${SIM}/${file}`, 'utf8');
    for (const [, name] of text.matchAll(/^export function (\w+)/gm)) {
      if (NAMES.has(name)) found.set(name, file.replace('.ts', ''));
    }
  }
  return found;
}

/** core-as/sim/operations.gen.ts */
function simOperations() {
  const found = places();
  const missing = [...NAMES].filter((name) => !found.has(name));
  if (missing.length > 0) throw new Error(`core-as/sim/ has no function ${missing.join(', ')}`);
  const files = [...new Set(found.values())].sort();
  const exported = files.map((file) => {
    const names = [...NAMES].filter((name) => found.get(name) === file).sort();
    const line = `export { ${names.join(', ')} } from "./${file}";`;
    if (line.length <= 100) return line;
    return `export {\n${names.map((name) => `  ${name},\n`).join('')}} from "./${file}";`;
  });
  return [
    LINE_HEAD,
    '// Every operation on the simulated kernel, under the names that the core imports.',
    '',
    ...exported,
    '',
  ].join('\n');
}

/** The files of core-as/sim/ by path. */
export const simFiles = () => ({
  'core-as/sim/imports.gen.ts': simImports(),
  'core-as/sim/operations.gen.ts': simOperations(),
  'core-as/sim/replies.gen.ts': simReplies(),
});
