// SPDX-License-Identifier: Apache-2.0
// `fairlead validate`: what is wrong, or doubtful, in network configurations, with line and column.
// The core looks and judges; this prints it, for humans, editors and CI. It changes nothing.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suffixOf } from '../story/node.ts';
import { parseArgs, UsageError } from './args.ts';
import { count, EXIT_FAILED, guarded, type Io, paint, wantsJson } from './io.ts';

const OPERANDS_LIMIT = 10_000;

const HELP = `fairlead validate: what is wrong in network configurations, before a pod finds out

Usage:
  fairlead validate FILE… [--strict] [--path DIR:DIR] [--output json]

FILE is a list (*.conflist), a single plugin's configuration (*.conf, *.json), a folder of them, or
- for standard input.
Each is read as a runtime would, with its drop-in folder, and compared with the other networks of
its folder and with this machine's uplink. Nothing is executed and nothing is changed.

  --strict          a warning is an error
  --path DIR:DIR    also look whether the programs of plugins that are not ours are there
  --output json     one JSON object on stdout in place of the lines

Each line is FILE:LINE:COLUMN: error|warning: what is wrong: what to do.
Exit codes: 0 no errors; 1 errors; 2 wrong usage.
`;

/** What of the program it uses. */
type ValidateIo = Pick<Io, 'write' | 'task'>;

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly column: number;
  /** The key it is about, as `plugins[0].ipam.subnet`. */
  readonly key?: string;
  /** The CNI error code that ADD would answer with. */
  readonly code?: number;
  readonly msg: string;
}

export interface FileReport {
  readonly path: string;
  /** The network's name. */
  readonly name: string;
  readonly problems: readonly Problem[];
  /** Not all problems are listed: there are too many. */
  readonly more?: true;
}

export interface Report {
  readonly files: readonly FileReport[];
  readonly errors: number;
  readonly warnings: number;
}

/** The report of a file on which the core itself broke. */
function broken(path: string, stdout: string): Report {
  const { msg, details } = JSON.parse(stdout) as { msg: string; details?: string };
  const text = details === undefined ? msg : `${msg}: ${details}`;
  const problem = { severity: 'error', line: 1, column: 1, code: 999, msg: text } as const;
  return { files: [{ path, name: '', problems: [problem] }], errors: 1, warnings: 0 };
}

/** All files at once; when the core breaks on one of them, each alone. */
function look(io: ValidateIo, files: readonly string[], path: string): Report {
  const { stdout } = io.task('validate', { files, path });
  const answer = JSON.parse(stdout) as Report | { readonly msg: string };
  if ('files' in answer) return answer;
  if (files.length === 1) return broken(files[0]!, stdout);
  return joined(files.map((file) => look(io, [file], path)));
}

/** Standard input, by way of a file in a folder of its own, as a file has neighbours. */
function lookAtPiped(io: ValidateIo, path: string): Report {
  const text = readFileSync(0, 'utf8');
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-validate-'));
  try {
    const file = join(folder, `stdin${suffixOf(text)}`);
    writeFileSync(file, text);
    const said = JSON.stringify(look(io, [file], path));
    return JSON.parse(said.replaceAll(file, '-')) as Report;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const joined = (reports: readonly Report[]): Report => ({
  files: reports.flatMap((report) => report.files),
  errors: reports.reduce((sum, { errors }) => sum + errors, 0),
  warnings: reports.reduce((sum, { warnings }) => sum + warnings, 0),
});

/** A path as the user wrote it, or below a folder as the user wrote that. */
function asWritten(path: string, operands: readonly string[]): string {
  for (const operand of operands) {
    const whole = resolve(operand);
    if (path === whole) return operand;
    if (path.startsWith(`${whole}/`)) return join(operand, path.slice(whole.length));
  }
  return path;
}

/** A problem is one line, whatever its file's name. */
const oneLine = (text: string): string => text.replaceAll('\n', '\\u000a');

/** The lines for humans, editors and CI. */
function formatReport(report: Report, operands: readonly string[]): string {
  const lines: string[] = [];
  for (const { path, problems, more } of report.files) {
    const name = asWritten(path, operands);
    for (const { severity, line, column, msg } of problems) {
      const word = paint(severity === 'error' ? 'red' : 'yellow', severity);
      lines.push(oneLine(`${name}:${line}:${column}: ${word}: ${msg}`));
    }
    if (more) lines.push(oneLine(`${name}: these are not all: correct them first`));
  }
  const { errors, warnings } = report;
  const found =
    errors + warnings === 0
      ? 'no problems'
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  lines.push(`${count(report.files.length, 'file')}: ${found}`);
  return `${lines.join('\n')}\n`;
}

/**
 * Why a network could not attach anything: its errors, and types that have no program in the
 * folders of `path` and are not ours. Empty when it could.
 */
export function reasonsAgainst(io: ValidateIo, file: string, path: string): string[] {
  return look(io, [resolve(file)], path).files.flatMap((report) =>
    report.problems
      .filter(({ severity, msg }) => severity === 'error' || msg.startsWith('no program '))
      .map(({ line, column, msg }) => oneLine(`${file}:${line}:${column}: ${msg}`)),
  );
}

/** What there is to say of the networks of a folder, and of programs that `path` lacks. */
export const networkReport = (io: ValidateIo, dir: string, path: string): Report =>
  look(io, [dir], path);

/** Runs `validate` and gives the exit code. */
export function runValidate(args: readonly string[], io: ValidateIo): number {
  return guarded('validate', args, io, () => {
    const table = { strict: 'flag', path: 'value', output: 'value' } as const;
    const { help, options, operands } = parseArgs(args, table, OPERANDS_LIMIT);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    if (operands.length === 0) throw new UsageError('FILE is missing');
    const json = wantsJson(options.output);
    const named = operands.filter((operand) => operand !== '-');
    const files = [...new Set(named.map((operand) => resolve(operand)))];
    const piped = named.length < operands.length ? [lookAtPiped(io, options.path ?? '')] : [];
    const looked = files.length > 0 ? [look(io, files, options.path ?? '')] : [];
    const report = joined([...looked, ...piped]);
    io.write(1, json ? `${JSON.stringify(report)}\n` : formatReport(report, operands));
    const bad = report.errors + (options.strict ? report.warnings : 0);
    return bad === 0 ? 0 : EXIT_FAILED;
  });
}
