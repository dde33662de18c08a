// SPDX-License-Identifier: Apache-2.0
// How generated files are written: their heads, comments, and calls on as many lines as they need.
// It refuses to know a language beyond what C and TypeScript share.
const COLUMNS = 100;

const LICENCE = 'SPDX-License-Identifier: Apache-2.0';
const HEAD = 'Generated from host-node/abi/ by `npm run generate`. Do not edit.';
/** The head of a generated file of TypeScript, and of C. */
export const LINE_HEAD = `// ${LICENCE}\n// ${HEAD}`;
export const BLOCK_HEAD = `/* ${LICENCE} */\n/* ${HEAD} */`;

/** A comment, on several lines where one would be too long. */
export function comment(text, indent = '') {
  const one = `${indent}/** ${text} */`;
  if (one.length <= COLUMNS) return one;
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (`${indent} *${longer}`.length <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(` ${word}`);
  }
  return `${indent}/**\n${lines.map((line) => `${indent} *${line}\n`).join('')}${indent} */`;
}

/** A head, what stands between its parentheses, and an end; an item a line where it is too long. */
export function spread(head, items, end, indent = '') {
  const line = `${indent}${head}(${items.join(', ')})${end}`;
  if (line.length <= COLUMNS) return line;
  const listed = items.map((item) => `${indent}  ${item},\n`).join('');
  return `${indent}${head}(\n${listed}${indent})${end}`;
}

/** The same in the manner of C: as many arguments in a line as fit. */
export function wrapped(head, args, end, indent = '    ') {
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

/** link_get of LinkGet. */
export const snake = (name) => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
