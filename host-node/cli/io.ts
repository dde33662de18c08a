// What a subcommand is given by the program: a way to write, the environment, the core's tasks. And
// what all of them do alike: the choice of the output's form, and how an error is told.
import type { Answer } from '../core.ts';
import { UsageError } from './args.ts';
import type { DryRun } from './dry-run.ts';

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

/** Runs a subcommand's body; wrong usage is told on standard error, with exit code 2. */
export function guarded(command: string, io: Pick<Io, 'write'>, body: () => number): number {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.write(2, `fairlead ${command}: ${error.message}\nSee fairlead ${command} --help\n`);
    return EXIT_USAGE;
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
