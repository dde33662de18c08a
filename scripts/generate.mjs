// Writes the files made from host-node/abi.ts: the core's import declarations, the simulated
// kernel's stand-ins for them, the native host's header and glue, and docs/host-abi.md. A test
// compares them with what lies in the tree.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ABI_MARKER, OPERATIONS } from '../host-node/abi.ts';
import { nativeGlue, nativeHeader } from './generate-native.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HEAD = '// Generated from host-node/abi.ts by `npm run generate`. Do not edit.\n';

const COLUMNS = 100;

/** The head of a function, one parameter a line where it would be too long. */
function wasmHead(start, op, end) {
  const params = Object.entries(op.params).flatMap(([name, type]) =>
    type === 'i32' || type === 'ns' ? [`${name}: i32`] : [`${name}: usize`, `${name}_len: i32`],
  );
  const line = `${start}(${params.join(', ')}): i32${end}`;
  if (line.length <= COLUMNS) return line;
  return `${start}(\n${params.map((param) => `  ${param},\n`).join('')}): i32${end}`;
}

/** A comment, on several lines where one would be too long. */
function comment(text) {
  if (text.length + '/**  */'.length <= COLUMNS) return `/** ${text} */`;
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (` *${longer}`.length <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(` ${word}`);
  }
  return `/**\n${lines.map((line) => ` *${line}\n`).join('')} */`;
}

/** `return …;` of a call with all parameters, one a line where it would be too long. */
function wasmReturn(callee, op, end) {
  const args = Object.entries(op.params).flatMap(([name, type]) =>
    type === 'i32' || type === 'ns' ? [name] : [name, `${name}_len`],
  );
  const line = `  return ${callee}(${args.join(', ')})${end}`;
  if (line.length <= COLUMNS) return line;
  return `  return ${callee}(\n${args.map((arg) => `    ${arg},\n`).join('')}  )${end}`;
}

function coreImports() {
  const declared = OPERATIONS.map(
    (op) =>
      `${comment(op.about)}\n@external("${op.module}", "${op.name}")\n` +
      `${wasmHead(`export declare function ${op.module}_${op.name}`, op, ';')}\n`,
  );
  return `${HEAD}// Only core-as/host/*.ts call these.\n\n${declared.join('\n')}`;
}

function simImports() {
  const traced = OPERATIONS.map((op) => {
    const name = `${op.module}_${op.name}`;
    if (op.module === 'host') {
      const head = wasmHead(`export function ${name}`, op, ' {');
      return `${head}\n${wasmReturn(`at.${name}`, op, ';')}\n}\n`;
    }
    const args = Object.entries(op.params).map(([param, type]) =>
      type === 'i32' || type === 'ns'
        ? `  trace.int("${param}", ${param});`
        : `  trace.text("${param}", ${param}, ${param}_len);`,
    );
    return [
      wasmHead(`export function ${name}`, op, ' {'),
      `  trace.begin("${op.module}.${op.name}");`,
      ...args,
      wasmReturn(`trace.end(at.${name}`, op, ');'),
      '}\n',
    ].join('\n');
  });
  return (
    `${HEAD}// Stands where core-as/host/imports.ts stands when the core is built onto the\n` +
    '// simulated kernel.\n' +
    'import * as at from "../sim/operations";\nimport * as trace from "../sim/trace";\n\n' +
    traced.join('\n')
  );
}

function reference() {
  const lines = [
    '# The host ABI',
    '',
    'Generated from `host-node/abi.ts` by `npm run generate`. Do not edit.',
    '',
    `The core exports \`memory\`, \`${ABI_MARKER}\` (its name is the version),`,
    '`alloc(len) → ptr`, `run(type, type_len, env, env_len) → exit code`, `result_ptr()` and',
    '`result_len()`. `env` is the environment as `NAME=value` texts, each ended by a NUL byte;',
    '`type` is the CNI type the program was called as. The result belongs on standard output.',
    '`task(name, name_len, request, request_len) → exit code` does in the same way what the',
    'command line asks: `request` is a JSON object, whose shapes are in `core-as/tasks/tasks.ts`.',
    '',
    'A `str`, `bytes` or `out` parameter is a pointer and a length (two i32) into the memory of',
    'the core; `str` is UTF-8 without NUL. Every operation returns i32: ≥ 0 is the value, < 0 is',
    '−errno with POSIX numbers. After `json` and `bytes` the reply lies in the reply slot; after a',
    "failure the slot holds the kernel's own words, maybe none. The host checks every pointer and",
    'length before it touches anything (EFAULT), and text for UTF-8 and NUL (EILSEQ). A netns',
    "handle 0 is the host's own namespace.",
    '',
  ];
  for (const module of ['host', 'kernel', 'nft', 'store', 'plugin']) {
    lines.push(`## ${module}`, '');
    for (const op of OPERATIONS.filter((o) => o.module === module)) {
      const params = Object.entries(op.params).map(([name, type]) => `${name}: ${type}`);
      lines.push(`### ${module}.${op.name}(${params.join(', ')})`, '', op.about, '');
      lines.push(`- reply: ${op.reply}${op.gives === '' ? '' : `: \`${op.gives}\``}`);
      if (op.errors.length > 0)
        lines.push(`- errors the core tells apart: ${op.errors.join(', ')}`);
      if (op.like !== '') lines.push(`- like: \`${op.like}\``);
      lines.push('');
    }
  }
  return lines.join('\n');
}

/** Every generated file: path from the project's root, and its text. */
export const generated = () => ({
  'core-as/host/imports.ts': coreImports(),
  'core-as/sim/imports.ts': simImports(),
  'docs/host-abi.md': reference(),
  'host-native/abi.h': nativeHeader(),
  'host-native/abi.c': nativeGlue(),
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(generated())) {
    let old = '';
    try {
      old = readFileSync(ROOT + path, 'utf8');
    } catch {
      // A first run has no file to compare with.
    }
    if (old !== text) {
      writeFileSync(ROOT + path, text);
      console.log(`wrote ${path}`);
    }
  }
}
