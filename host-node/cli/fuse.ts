// SPDX-License-Identifier: Apache-2.0
// `fairlead fuse` and `fairlead unfuse`: a conflist's plugins as one plugin of the type `fairlead`,
// and back. The core makes the document; this shows the difference, and writes on request.
import {
  existsSync,
  lstatSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs, UsageError } from './args.ts';
import { EXIT_FAILED, guarded, type Io, tellFailure, wantsJson } from './io.ts';

const MODE_BITS = 0o7777;
const CONTEXT_LINES = 3;

const HELP = `fairlead fuse: run a whole conflist in one process
fairlead unfuse: go back to one process per plugin

Usage:
  fairlead fuse FILE [--write] [--first-apart] [--output json]
  fairlead unfuse FILE [--write] [--output json]

The new document goes to stdout, the difference to stderr. FILE stays as it is, unless:
  --write           FILE is replaced, at once, and only the difference is shown. A single plugin's
                    file gets the name *.conflist, as it is a list then
  --first-apart     the first plugin stays in front and the rest is fused: for programs that look
                    into it. podman and nerdctl do, and their own files are always fused so
  --output json     stdout has {"path", "written", "difference", "document", "owner"}, stderr
                    nothing

fuse declares outside what capabilities the plugins inside have, so that a runtime passes them on.
Plugins in a drop-in folder beside FILE stay there and run after the fused one, as before. Pods that
are attached meanwhile can be detached by either form. Exit codes: 0 done; 1 FILE cannot be read,
or is (un)fused already; 2 wrong usage.
`;

/** A line without what moving it changes: its indent and the comma at its end. */
const bare = (line: string): string => line.trim().replace(/,$/, '');
const alike = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && bare(a) === bare(b);

/** Lengths of the longest common subsequences of the ends of two lists of lines. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = before.concat('').map(() => new Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i]![j] = alike(before[i], after[j])
        ? lengths[i + 1]![j + 1]! + 1
        : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  return lengths;
}

/** The lines of both texts with ' ', '-' or '+' before each; one that only moved is ' '. */
function merged(before: readonly string[], after: readonly string[]): string[] {
  const lengths = commonLengths(before, after);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (alike(before[i], after[j])) {
      lines.push(` ${after[j++]}`);
      i++;
    } else if (
      i < before.length &&
      (j >= after.length || lengths[i + 1]![j]! >= lengths[i]![j + 1]!)
    ) {
      lines.push(`-${before[i++]}`);
    } else {
      lines.push(`+${after[j++]}`);
    }
  }
  return lines;
}

/** The difference of two JSON texts, with a little around each change; "" when there is none. */
export function difference(before: string, after: string): string {
  const lines = merged(before.trimEnd().split('\n'), after.trimEnd().split('\n'));
  const near = lines.map((_, at) =>
    lines.slice(Math.max(at - CONTEXT_LINES, 0), at + CONTEXT_LINES + 1).some((l) => l[0] !== ' '),
  );
  const shown = lines.flatMap((line, at) => {
    if (near[at]) return [line];
    return near[at - 1] ? ['…'] : [];
  });
  return shown.length === 0 ? '' : `${shown.join('\n')}\n`;
}

/** Where the new form goes: a list is read from files *.conflist only. */
function targetOf(path: string, single: boolean): string {
  return single ? path.replace(/\.(conf|json)$/, '.conflist') : path;
}

/**
 * Puts the text at `target` at once, with the mode of `path`, in place of `path`. A link keeps
 * leading to its file. The temporary file lies in the same folder: some runtimes see no other.
 */
function replaceFile(path: string, target: string, text: string): void {
  const { mode } = statSync(path);
  if (lstatSync(path).isSymbolicLink()) {
    throw new UsageError(`${path} is a link: name the file it leads to`);
  }
  if (target !== path && existsSync(target)) {
    throw new UsageError(`${target}, where the list is to be, is there already: move it away`);
  }
  const temporary = join(dirname(path), `.fairlead-tmp-${process.pid}`);
  try {
    writeFileSync(temporary, text, { mode: mode & MODE_BITS, flag: 'wx', flush: true });
    renameSync(temporary, target);
  } catch (error) {
    // One that was there is somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(temporary, { force: true });
    throw error;
  }
  if (target !== path) unlinkSync(path);
}

const OWNED = (owner: string): string =>
  `this file is ${owner}'s, which reads the bridge and its ranges from the first plugin and ` +
  'passes addresses to it alone: it stays in front, and the rest is fused';

/** Tells that the file could not be replaced, and gives the exit code. */
function unwritten(
  command: string,
  { write }: Io,
  path: string,
  { code = '', message }: NodeJS.ErrnoException,
  json: boolean,
): number {
  const denied = code === 'EACCES' || code === 'EPERM';
  const why = denied ? `${code}: run it as root, or give this user the right` : message;
  const said = `cannot write ${path}: ${why}`;
  if (json) write(1, `${JSON.stringify({ command, error: said })}\n`);
  else write(2, `fairlead ${command}: ${said}\n`);
  return EXIT_FAILED;
}

interface Refitted {
  readonly before: string;
  readonly after: string;
  readonly owner: string;
  readonly single: boolean;
}

/** Runs `fuse` or `unfuse` and gives the exit code. */
export function runFuse(command: 'fuse' | 'unfuse', args: readonly string[], io: Io): number {
  return guarded(command, args, io, () => {
    const table = { write: 'flag', 'first-apart': 'flag', output: 'value' } as const;
    const { help, options, operands } = parseArgs(args, table, 1);
    if (help) {
      io.write(1, HELP);
      return 0;
    }
    if (operands.length === 0) throw new UsageError('FILE is missing');
    const json = wantsJson(options.output);
    const path = resolve(operands[0]!);
    const answer = io.task(command, { file: path, apart: options['first-apart'] });
    if (answer.exit_code !== 0) return tellFailure(command, io, answer, json);
    const { before, after, owner, single } = JSON.parse(answer.stdout) as Refitted;
    const target = targetOf(path, single);
    if (owner !== '' && command === 'fuse' && !json) {
      io.write(2, `fairlead fuse: ${OWNED(owner)}\n`);
    }
    if (options.write) {
      try {
        replaceFile(path, target, after);
      } catch (error) {
        if (error instanceof UsageError) throw error;
        return unwritten(command, io, path, error as NodeJS.ErrnoException, json);
      }
    }
    const shown = difference(before, after);
    if (json) {
      const document: unknown = JSON.parse(after);
      const report = { path: target, written: options.write, difference: shown, document, owner };
      io.write(1, `${JSON.stringify(report)}\n`);
      return 0;
    }
    io.write(options.write ? 1 : 2, shown);
    if (!options.write) io.write(1, after);
    return 0;
  });
}
