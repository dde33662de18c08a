// SPDX-License-Identifier: Apache-2.0
// Programs that a shell starts, which is started once and stays: to start one from a process as
// large as a test's takes several times as long as the program, since all its memory is mapped anew
// for a moment. One program at a time, waited for. It knows none of them.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Its folder goes when the test's process does, whatever ends that: there is no more to read. */
const LOOP = `cd "$1" && exec 3<requests 4>answers || exit
while read -r _ <&3; do . ./job; echo $? >&4; done
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

class Shell {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fairlead-shell-'));
  readonly #requests: number;
  readonly #answers: number;

  constructor() {
    const fifos = ['requests', 'answers'].map((name) => join(this.#folder, name));
    execFileSync('mkfifo', fifos);
    const child = spawn('bash', ['--norc', '-c', LOOP, 'bash', this.#folder], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.unref();
    this.#requests = openSync(fifos[0] ?? '', 'w');
    this.#answers = openSync(fifos[1] ?? '', 'r');
  }

  run(argv: readonly string[], { input, env }: RunOptions): Ran {
    const given = Object.entries(env ?? {}).filter(([, value]) => value !== undefined);
    const before = env ? ['env', '-i', ...given.map(([name, value]) => `${name}=${value}`)] : [];
    const words = [...before, ...argv].map(quoted).join(' ');
    if (input !== undefined) writeFileSync(join(this.#folder, 'in'), input);
    const from = input === undefined ? '/dev/null' : 'in';
    writeFileSync(join(this.#folder, 'job'), `${words} <${from} >out 2>err\n`);
    writeSync(this.#requests, '\n');
    const status = this.#answer();
    const [stdout = '', stderr = ''] = ['out', 'err'].map((name) =>
      readFileSync(join(this.#folder, name), 'utf8'),
    );
    return { status, stdout, stderr };
  }

  #answer(): number {
    const bytes = Buffer.alloc(8);
    let text = '';
    while (!text.endsWith('\n')) {
      const count = readSync(this.#answers, bytes, 0, bytes.length, null);
      if (count === 0) throw new Error('the shell that starts programs is gone');
      text += bytes.toString('latin1', 0, count);
    }
    return Number(text);
  }
}

let shell: Shell | undefined;

/** Runs a program to its end. */
export function run(argv: readonly string[], options: RunOptions = {}): Ran {
  shell ??= new Shell();
  return shell.run(argv, options);
}

/** What a program writes on standard output. Throws an Error with its complaint when it fails. */
export function outputOf(argv: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = run(argv, options);
  if (status !== 0) {
    throw Object.assign(new Error(`${argv.join(' ')}: exit code ${status}: ${stderr}`), { stderr });
  }
  return stdout;
}
