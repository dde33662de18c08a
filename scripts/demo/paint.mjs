// SPDX-License-Identifier: Apache-2.0
// How the demo looks: headings, boxes, columns, marks. Colour only on a terminal and without
// NO_COLOR; else the same as plain text.
// It refuses to know what it prints.

const WIDTH_MAX = 100;
const WIDTH_MIN = 72;
// A terminal that does not know its width says 0.
const columns = process.stdout.columns || WIDTH_MAX;
export const WIDTH = Math.max(WIDTH_MIN, Math.min(columns, WIDTH_MAX));

const coloured =
  process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
const colour = (code) => (text) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);

export const bold = colour('1');
export const dim = colour('2');
export const green = colour('32');
export const red = colour('31');
export const cyan = colour('36');

export const say = (line = '') => process.stdout.write(line === '' ? '\n' : `${line}\n`);

let headings = 0;

export function heading(text) {
  headings++;
  const rule = '─'.repeat(Math.max(0, WIDTH - text.length - `${headings}`.length - 7));
  say();
  say(`${dim('──')} ${bold(cyan(`${headings}`))}  ${bold(text)} ${dim(rule)}`);
  say();
}

/** Lines in a frame with a title. */
export function box(title, lines) {
  const inner = Math.min(
    WIDTH - 6,
    Math.max(title.length + 2, ...lines.map((line) => line.length)),
  );
  say(`  ${dim('┌─')} ${title} ${dim(`${'─'.repeat(inner - title.length - 1)}┐`)}`);
  for (const line of lines) say(`  ${dim('│')} ${line.padEnd(inner)} ${dim('│')}`);
  say(`  ${dim(`└${'─'.repeat(inner + 2)}┘`)}`);
}

/** Lines below a short label. */
export function block(label, lines) {
  say(`  ${dim(label)}`);
  for (const line of lines) say(`    ${line}`);
}

/** A text cut into lines of at most `width` at its blanks. */
export function wrapped(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

/** JSON as lines: what fits on one stays on one. */
export function jsonLines(value, width = WIDTH - 8) {
  const flat = flatJson(value);
  if (flat.length <= width || typeof value !== 'object' || value === null) return [flat];
  const list = Array.isArray(value);
  const lines = [list ? '[' : '{'];
  const entries = Object.entries(value);
  entries.forEach(([key, item], index) => {
    const inner = jsonLines(item, width - 2);
    if (!list) inner[0] = `${JSON.stringify(key)}: ${inner[0]}`;
    if (index < entries.length - 1) inner[inner.length - 1] += ',';
    for (const line of inner) lines.push(`  ${line}`);
  });
  lines.push(list ? ']' : '}');
  return lines;
}

function flatJson(value) {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(flatJson).join(', ')}]`;
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${flatJson(item)}`,
  );
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

export const milliseconds = (duration_ms) => `${duration_ms.toFixed(1)} ms`;

let failures = 0;

/** Says whether something holds, and remembers when it does not. */
export function holds(met, text) {
  if (!met) failures++;
  say(`  ${met ? green('✓') : red('✗')} ${text}`);
}

/** 0 when all that was said to hold did. */
export const exitCode = () => (failures === 0 ? 0 : 1);
