// SPDX-License-Identifier: Apache-2.0
// What a dry run found: as data, as a document for programs and as lines for a person. It performs
// nothing: dry-run.ts does.
import type { Answer } from '../core.ts';
import type { Change } from '../story/difference.ts';
import { count, paint } from './io.ts';
import { type Result, resultLines } from './result.ts';

/** Longer lines say no more to a person. */
const SHOWN_LIMIT = 200;

/** An operation of the dry run. Handles and ifindexes are the simulated kernel's own. */
export interface DryOperation {
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly value?: unknown;
  readonly errno?: number;
  /** The same for a shell. */
  readonly like: string;
}

export interface DryRun {
  readonly command: string;
  readonly answer: Answer;
  readonly operations: readonly DryOperation[];
  readonly changes: readonly Change[];
  /** What was not simulated, or left out of the snapshot. */
  readonly notes: readonly string[];
  /** What the command would say on standard error. */
  readonly log: readonly string[];
  /** The state before and after, in the text of core-as/sim/text.ts. */
  readonly before: string;
  readonly after: string;
}

/** The report as one JSON object for programs. */
export function dryRunDocument(report: DryRun): Record<string, unknown> {
  const { command, operations, changes, notes, log } = report;
  const { exit_code, stdout } = report.answer;
  const answer = stdout === '' ? null : JSON.parse(stdout);
  return { command, dry_run: true, exit_code, answer, operations, changes, notes, log };
}

/** A line of the state that a person need not see to its end. */
function clipped(line: string): string {
  return line.length > SHOWN_LIMIT ? `${line.slice(0, SHOWN_LIMIT)}…` : line;
}

/** Files are told by their paths: of what is in them the rest of the report speaks. */
function brief(line: string): string {
  const part = /^nft (\w+) \d+$/.exec(line)?.[1];
  if (part !== undefined) return `nft rules of our tables for ${part}`;
  return clipped(/^(file \S+) "/.exec(line)?.[1] ?? line);
}

/** A transaction is as long as the tables that it makes. */
function briefLike({ op, args, like }: DryOperation): string {
  if (op !== 'nft.batch') return clipped(like);
  const commands = String(args['words']).trim().split('\n');
  return `nft -f - (${count(commands.length, 'command')}, all or none)`;
}

function changeLines(changes: readonly Change[], verbose: boolean): string[] {
  const lines: string[] = [];
  let at = '';
  for (const { netns, change, what } of changes) {
    if (netns !== at && netns !== '') lines.push(`netns ${netns.replace(/ path .*/, '')}:`);
    at = netns;
    const sign = change === 'added' ? paint('green', '+') : paint('red', '-');
    lines.push(`${netns === '' ? '' : '  '}${sign} ${verbose ? what : brief(what)}`);
  }
  return lines;
}

/** The operations in words for a shell; of files only how many, but for the whole of it. */
function operationLines(operations: readonly DryOperation[], verbose: boolean): string[] {
  if (verbose) return operations.map(({ like }) => like);
  const told = operations.filter(({ op }) => !op.startsWith('store.'));
  const files = operations.length - told.length;
  const lines = told.map(briefLike);
  if (files > 0) lines.push(`${count(files, 'operation')} on files and locks (--verbose)`);
  return lines;
}

/** The report for a person, short enough for a screen, or `verbose` with all there is. */
export function printDryRun(report: DryRun, verbose: boolean): string {
  const { exit_code, stdout } = report.answer;
  const attached = report.command === 'add' && exit_code === 0 && stdout !== '' && !verbose;
  const said = attached
    ? resultLines(JSON.parse(stdout) as Result).map((line) => line.trimStart())
    : stdout.trimEnd().split('\n');
  const parts: [string, readonly string[]][] = [
    ['would do', operationLines(report.operations, verbose)],
    ['would change', changeLines(report.changes, verbose)],
    [exit_code === 0 ? 'would print' : 'would fail', stdout === '' ? [] : said],
    ['would say', report.log],
    ['note', report.notes],
  ];
  const lines = [`${report.command}: dry run, nothing was changed`];
  for (const [title, items] of parts) {
    if (items.length > 0) {
      lines.push(`${paint('bold', title)}:`, ...items.map((item) => `  ${item}`));
    }
  }
  if (report.operations.length === 0) lines.push('would change nothing');
  return `${lines.join('\n')}\n`;
}
