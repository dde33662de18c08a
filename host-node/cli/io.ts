// SPDX-License-Identifier: Apache-2.0
// What a subcommand is given by the program: a way to write, the environment, the core's tasks. And
// what all of them do alike: the choice of the output's form, and how an error is told.
import type { Answer } from '../core.ts';
import { UsageError } from './args.ts';
import type { DryRun } from './dry-run-report.ts';

/** Where runtimes look for networks and plugins, and where libcni keeps results. */
export const CONF_DIR = '/etc/cni/net.d';
export const BIN_DIR = '/opt/cni/bin';
export const CACHE_DIR = '/var/lib/cni';
/** Where the core keeps records, locks and indexes (docs/state.md). */
export const RUN_DIR = '/run/fairlead';

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

export interface Io {
  readonly write: (fd: number, text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One task of the core (core-as/tasks/tasks.ts) on this machine. */
  readonly task: (name: string, request: unknown) => Answer;
  /** What a verb of a network would do here. */
  readonly rehearse: (name: string, request: Readonly<Record<string, unknown>>) => DryRun;
}

/** A CNI error as the core prints it (spec 1.1.0 section 5). */
export interface CniError {
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}

/** Whether --output asks for JSON; any other word than json or text is wrong usage. */
export function wantsJson(output: string | undefined): boolean {
  if (output !== undefined && output !== 'text' && output !== 'json') {
    throw new UsageError(`--output is "${output}": write json or text`);
  }
  return output === 'json';
}

export type Form = 'text' | 'wide' | 'json';

/** The form that --output of a table asks for; any other word is wrong usage. */
export function formOf(output: string = 'text'): Form {
  if (output === 'text' || output === 'wide' || output === 'json') return output;
  throw new UsageError(`--output is "${output}": write json, text or wide`);
}

/** Whether arguments that may be wrong otherwise ask for JSON. */
export function asksForJson(args: readonly string[]): boolean {
  return args.some((arg, at) => {
    const named = arg === '--output' || arg === '-o';
    return arg === '--output=json' || (named && args[at + 1] === 'json');
  });
}

/** Tells wrong usage: for people on standard error, as JSON on standard output. */
export function tellUsage(
  command: string,
  args: readonly string[],
  write: Io['write'],
  error: UsageError,
): number {
  const { message } = error;
  if (asksForJson(args)) write(1, `${JSON.stringify({ command, error: message })}\n`);
  else write(2, `fairlead ${command}: ${message}\nSee fairlead help ${command}\n`);
  return EXIT_USAGE;
}

/** Runs a subcommand's body; wrong usage is told, with exit code 2. */
export function guarded(
  command: string,
  args: readonly string[],
  io: Pick<Io, 'write'>,
  body: () => number,
): number {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return tellUsage(command, args, io.write, error);
  }
}

/** Tells a failed task: the error's own JSON on standard output, or its words on the other. */
export function tellFailure(command: string, io: Io, answer: Answer, json: boolean): number {
  if (json) {
    io.write(1, `${answer.stdout}\n`);
  } else {
    const { code, msg, details } = JSON.parse(answer.stdout) as CniError;
    const why = details === undefined ? '' : `\n  ${details}`;
    io.write(2, `fairlead ${command}: ${msg} (CNI error ${code})${why}\n`);
  }
  return EXIT_FAILED;
}

/** Why a file cannot be used, and what to do where privileges are what is missing. */
export function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM' ? `${message}: run it as root` : message;
}

/** "1 file", "2 files". */
export const count = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? '' : 's'}`;

/** Lines of cells in columns as wide as their longest; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  const [head = [], ...rest] = rows;
  return [paint('bold', line(head)), ...rest.map(line)].map((text) => `${text}\n`).join('');
}

/**
 * Select Graphic Rendition of each style (ECMA-48), and the noncharacters of Unicode that stand for
 * it until the text is printed: what comes from outside can then be made harmless as a whole.
 */
const STYLES = {
  bold: [1, '\uFDD0'],
  red: [31, '\uFDD1'],
  green: [32, '\uFDD2'],
  yellow: [33, '\uFDD3'],
} as const;
const PLAIN = '\uFDD4';

/** Text in a style, where the terminal has colours. */
export const paint = (style: keyof typeof STYLES, text: string): string =>
  text === '' ? '' : `${STYLES[style][1]}${text}${PLAIN}`;

const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Text as it may be printed: a terminal is not to obey what a file name or a configuration says.
 * Controls become \uXXXX, which JSON reads as the same; lines stay lines.
 */
export function visible(text: string, colours: boolean): string {
  let shown = text.replace(CONTROLS, (char) =>
    char === '\n' ? char : `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
  for (const [code, mark] of Object.values(STYLES)) {
    shown = shown.replaceAll(mark, colours ? `\x1b[${code}m` : '');
  }
  return shown.replaceAll(PLAIN, colours ? '\x1b[0m' : '');
}
