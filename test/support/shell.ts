// SPDX-License-Identifier: Apache-2.0
// Programs that a shell starts, which is started once and stays: to start one from a process as
// large as a test's takes several times as long as the program, since all its memory is mapped anew
// for a moment. It runs one program at a time and waits for it, or starts one that stays and is
// asked line by line. It knows none of them.
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LOOP = 'cd "$1" && while read -r _; do . ./job; echo $?; done';
/** Its folder goes when the test's process does, whatever ends that: there is no more to read. */
const FIRST = `exec <"$1/requests" >"$1/answers"; ${LOOP}
cd / && rm -r "$1"`;

export interface Ran {
  /** Its exit code; 128 and a signal's number when that ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  /** Its whole environment; that of this process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** NAME='VALUE' for each that has one. */
function assignments(env: NonNullable<RunOptions['env']>): string[] {
  const given = Object.entries(env).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => `${name}=${quoted(value ?? '')}`);
}

/** The ends of two FIFOs that a program has as standard input and output. */
interface Pipes {
  readonly input: number;
  readonly output: number;
}

const NEWLINE = 10;
const chunk = Buffer.alloc(1 << 16);

/** Reads whole lines until `done` says that they are all; throws the words of `why` at the end. */
function readUntil(fd: number, done: (text: string) => boolean, why: () => string): string {
  const parts: Buffer[] = [];
  for (;;) {
    const count = readSync(fd, chunk, 0, chunk.length, null);
    if (count === 0) throw new Error(why());
    parts.push(Buffer.from(chunk.subarray(0, count)));
    if (chunk[count - 1] !== NEWLINE) continue;
    const text = Buffer.concat(parts).toString('utf8');
    if (done(text)) return text;
  }
}

const FIFOS_AT_ONCE = 24;

/** The folder that all shells of this process work in, and its first shell. */
class Workshop {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fairlead-shell-'));
  readonly #shell: Pipes;
  /** Pairs of FIFOs that nobody uses, by number. */
  readonly #idle: number[] = [];
  #fifos = 0;

  constructor() {
    const fifos = ['requests', 'answers'].map(this.path);
    execFileSync('mkfifo', fifos);
    const child = spawn('sh', ['-c', FIRST, 'sh', this.#folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.unref();
    this.#shell = this.#open(fifos);
  }
  readonly path = (name: string): string => join(this.#folder, name);

  /** In the order in which a shell opens them, as each waits for its other end. */
  #open([input = '', output = '']: readonly string[]): Pipes {
    return { input: openSync(input, 'w'), output: openSync(output, 'r') };
  }

  /** Has a shell do what a line of its language says, and waits for it. */
  job(line: string, input?: string, shell = this.#shell): Ran {
    if (input !== undefined) writeFileSync(this.path('in'), input);
    const from = input === undefined ? '/dev/null' : 'in';
    const status = this.#order(`${line} <${from} >out 2>err`, shell);
    const [stdout = '', stderr = ''] = ['out', 'err'].map((name) =>
      readFileSync(this.path(name), 'utf8'),
    );
    return { status, stdout, stderr };
  }
  #order(line: string, shell: Pipes): number {
    writeFileSync(this.path('job'), `${line}\n`);
    writeSync(shell.input, '\n');
    const gone = () => 'the shell that starts programs is gone';
    return Number(readUntil(shell.output, () => true, gone));
  }

  /** Starts a program that stays, by a line of the shell's language. */
  start(line: string): Pipes & { readonly number: number } {
    if (this.#idle.length === 0) this.#makeFifos();
    const number = this.#idle.pop() ?? 0;
    this.#order(`${line} <${number}.in >${number}.out 2>${number}.err &`, this.#shell);
    return { number, ...this.#open([this.path(`${number}.in`), this.path(`${number}.out`)]) };
  }
  #makeFifos(): void {
    const numbers = Array.from({ length: FIFOS_AT_ONCE }, () => this.#fifos++);
    const names = numbers.map((number) => `${number}.in ${number}.out`);
    const { stderr } = this.job(`mkfifo ${names.join(' ')}`);
    if (stderr !== '') throw new Error(stderr);
    this.#idle.push(...numbers);
  }
  /** The FIFOs of a program that is gone are there for the next. */
  free(number: number): void {
    this.#idle.push(number);
  }
}

let theWorkshop: Workshop | undefined;
function workshop(): Workshop {
  theWorkshop ??= new Workshop();
  return theWorkshop;
}

/** Runs a program to its end. */
export function run(argv: readonly string[], { input, env }: RunOptions = {}): Ran {
  const before = env ? ['env', '-i', ...assignments(env)] : [];
  return workshop().job([...before, ...argv.map(quoted)].join(' '), input);
}

/** What a program writes on standard output. Throws an Error with its complaint when it fails. */
export function outputOf(argv: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = run(argv, options);
  if (status !== 0) {
    throw Object.assign(new Error(`${argv.join(' ')}: exit code ${status}: ${stderr}`), { stderr });
  }
  return stdout;
}

/** A program that stays and answers what it is asked. What it holds (a namespace) stays as well. */
export class Staying {
  readonly #words: string;
  protected readonly pipes: ReturnType<Workshop['start']>;

  constructor(argv: readonly string[]) {
    this.#words = argv.map(quoted).join(' ');
    this.pipes = workshop().start(this.#words);
  }

  /** What it answers, up to where `done` says that it is all. Throws its complaint if it ends. */
  ask(question: string, done: (text: string) => boolean): string {
    try {
      writeSync(this.pipes.input, question);
    } catch {
      // It has ended: what it wrote before that says nothing, but its complaint does.
    }
    return readUntil(this.pipes.output, done, () => `${this.#words}: ${this.complaint()}`);
  }
  protected complaint(): string {
    return readFileSync(workshop().path(`${this.pipes.number}.err`), 'utf8');
  }

  /** Has it end. */
  end(): void {
    closeSync(this.pipes.input);
  }
  /** Waits for that. */
  ended(): void {
    while (readSync(this.pipes.output, chunk, 0, chunk.length, null) > 0);
    closeSync(this.pipes.output);
    workshop().free(this.pipes.number);
  }
}

/** A shell that stays in a place of its own, with PATH for an environment. */
export class StayingShell extends Staying {
  /** `way` are the words before a command that lead there, `first` what it does at the start. */
  constructor(way: readonly string[], first: string) {
    const bare = ['env', '-i', `PATH=${process.env['PATH']}`];
    const loop = ['bash', '--norc', '-c', `${first} && ${LOOP}`, 'bash', workshop().path('')];
    super([...bare, ...way, ...loop]);
  }

  /** Runs a line of the shell's language to its end, in an environment that has more. */
  run(line: string, { input, env = {} }: RunOptions): Ran {
    const given = assignments(env).join(' ');
    try {
      return workshop().job(`(${given && `export ${given}; `}${line})`, input, this.pipes);
    } catch (error) {
      throw new Error(`the shell has ended: ${this.complaint()}`, { cause: error });
    }
  }
}
