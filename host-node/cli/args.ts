// SPDX-License-Identifier: Apache-2.0
// The options of a subcommand: `--name value`, `--name=value`, flags, `--`. It is strict: what it
// does not know, what is given twice and what lacks a value is a UsageError that says so. It
// refuses short options (but -h, -n and -o), abbreviations and defaults: those are each command's.

/** Wrong usage: exit code 2. The text is for the user. */
export class UsageError extends Error {}

/** `flag`: is there or not. `value`: takes one, which may not be empty. */
export type OptionKind = 'flag' | 'value';

export type Options<S extends Record<string, OptionKind>> = {
  readonly [K in keyof S]: S[K] extends 'flag' ? boolean : string | undefined;
};

export interface Parsed<S extends Record<string, OptionKind>> {
  /** --help or -h: the rest of the line was not looked at. */
  readonly help: boolean;
  readonly options: Options<S>;
  readonly operands: readonly string[];
}

/** Names further from each other than this are no slip of the finger. */
const LIKELY_SLIPS = 2;
/** In a word of so few letters, more than one slip makes any other of it. */
const SHORT = 4;
/** Those that every program of a kind has. */
const LETTERS: Readonly<Record<string, string>> = { '-o': '--output', '-n': '--lines' };
const NEGATIONS = ['no', 'un', 'in', 'de'];

/** How many letters are to be added, removed or changed to make b of a. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Whether one word is the other with a negation before it. */
const negates = (a: string, b: string): boolean =>
  NEGATIONS.some((negation) => a === negation + b || b === negation + a);

/**
 * ': did you mean "x"?' for the nearest of the names; "" when none is near, when two are, and when
 * it would be the opposite of what is written.
 */
export function didYouMean(word: string, names: readonly string[]): string {
  const likely = word.length <= SHORT ? 1 : LIKELY_SLIPS;
  const near = names
    .map((name) => ({ name, slips: distance(word, name) }))
    .filter(({ slips }) => slips <= likely && slips < word.length)
    .sort((a, b) => a.slips - b.slips);
  const [best, second] = near;
  if (best === undefined || best.slips === second?.slips || negates(word, best.name)) return '';
  return `: did you mean "${best.name}"?`;
}

/** Takes the value of the option at `args[at]`, written after "=" or as the next argument. */
function takeValue(args: readonly string[], at: number, name: string): string {
  const equals = args[at]!.indexOf('=');
  const value = equals >= 0 ? args[at]!.slice(equals + 1) : args[at + 1];
  if (value === undefined || value === '') throw new UsageError(`${name} needs a value`);
  // An option in place of the value is more likely a forgotten value.
  if (equals < 0 && value.startsWith('-')) {
    throw new UsageError(`${name} needs a value: write ${name}=${value} if that is it`);
  }
  return value;
}

/**
 * Reads the arguments by the table of options, whose keys are names without their dashes. Throws
 * UsageError for all that the table does not allow and for more than `most_operands` operands.
 */
export function parseArgs<const S extends Record<string, OptionKind>>(
  args: readonly string[],
  table: S,
  most_operands = 0,
): Parsed<S> {
  const found = new Map<string, string | boolean>();
  const operands: string[] = [];
  let help = false;
  for (let at = 0; at < args.length && !help; at++) {
    const arg = args[at]!;
    if (arg === '--') {
      operands.push(...args.slice(at + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      operands.push(arg);
      continue;
    }
    help = arg === '--help' || arg === '-h';
    if (help) continue;
    const [short = ''] = arg.split('=', 1);
    const written = LETTERS[short] ?? short;
    const name = written.slice(2);
    if (!written.startsWith('--') || !Object.hasOwn(table, name)) {
      const names = ['help', ...Object.keys(table)].map((known) => `--${known}`);
      const meant = written === '--json' ? ': write --output json' : didYouMean(written, names);
      throw new UsageError(`unknown option "${written}"${meant}`);
    }
    if (found.has(name)) throw new UsageError(`${written} is given twice`);
    const flag = table[name] === 'flag';
    if (flag && arg !== short) throw new UsageError(`${written} takes no value`);
    found.set(name, flag || takeValue(args, at, written));
    if (!flag && arg === short) at++;
  }
  const unexpected = help ? undefined : operands[most_operands];
  if (unexpected !== undefined) throw new UsageError(`unexpected argument "${unexpected}"`);
  const options = Object.fromEntries(
    Object.entries(table).map(([name, kind]) => [
      name,
      found.get(name) ?? (kind === 'flag' ? false : undefined),
    ]),
  );
  return { help, options: options as Options<S>, operands };
}
