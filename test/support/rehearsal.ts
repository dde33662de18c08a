// SPDX-License-Identifier: Apache-2.0
// A dry run, and then the real one, of the same task in the same place: namespaces and a folder of
// the test. What both leave and answer can be compared, and that the dry run left all as it was.
import { readdirSync, statSync } from 'node:fs';
import { dryRun } from '../../host-node/cli/dry-run.ts';
import type { DryRun } from '../../host-node/cli/dry-run-report.ts';
import { type Answer, performTask } from '../../host-node/core.ts';
import { realDriver } from '../../host-node/drivers/index.ts';
import { type Change, difference } from '../../host-node/story/difference.ts';
import { type Fixture, normalMacs, normalState } from './fixture.ts';
import { Ground } from './ground.ts';
import { wasmModule } from './wasm.ts';

export const CONF_DIR = '/etc/cni/net.d';
export const CACHE_DIR = '/var/lib/cni';

/** A task of core-as/tasks/tasks.ts; namespaces under the names of the ground's text. */
export interface Task {
  readonly name: string;
  readonly request: Readonly<Record<string, unknown>>;
}

/** What a task gave and left, in the names of the ground's text and without made-up addresses. */
export interface Left {
  readonly answer: Answer;
  readonly kernel: string;
  /** Files that came, went or changed, as "+ file …" and "- file …". */
  readonly files: readonly string[];
}

const isFile = (line: string): boolean => line.startsWith('file ');

/** A real state as somebody tells it who looked at some namespaces only. */
function seen(state: string, spaces: ReadonlySet<string>): string {
  let inside = true;
  const lines = state.split('\n').filter((line) => {
    const name = /^netns (\S+)/.exec(line)?.[1];
    if (name !== undefined) inside = spaces.has(name);
    else if (isFile(line)) inside = true;
    return inside;
  });
  return lines
    .map((line: string) =>
      line.replace(/ peer (\S+)\/\S+/, (all, ns) => (spaces.has(ns) ? all : ' peer ?')),
    )
    .join('\n');
}

export class Rehearsal {
  readonly ground: Ground;
  readonly #named: Pick<Fixture, 'files'>;

  /** `named`: texts whose hardware addresses are meant, and not made up. */
  constructor(before: string, named: Pick<Fixture, 'files'> = { files: new Map() }) {
    this.ground = new Ground(before);
    this.#named = named;
  }

  /** A file of this network as a line of the text before. */
  static network(file: string, content: unknown): string {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    return `file ${CONF_DIR}/${file} ${JSON.stringify(text)}\n`;
  }

  get hostNetns(): string {
    return `/run/netns/${this.ground.prefix}host`;
  }

  dry(task: Task, all = false): DryRun {
    const { hostNetns } = this;
    const [core, sim] = [wasmModule('tools'), wasmModule('sim')];
    const request = this.#there(task);
    return dryRun({ core, sim, hostNetns, root: this.ground.root, name: task.name, request, all });
  }

  real(task: Task): Answer {
    const driver = realDriver({ hostNetns: this.hostNetns, root: this.ground.root });
    const around = {
      stdin: () => new Uint8Array(0),
      log: () => {},
      sleep: (duration_ms: number) => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration_ms);
      },
    };
    try {
      return performTask(wasmModule('tools'), driver, task.name, this.#there(task), around);
    } finally {
      driver.close();
    }
  }

  /** Everything that could have changed: state, folders, when files were written. */
  everything(): string[] {
    const { root } = this.ground;
    const entries = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
    const stats = entries.map((entry) => `${entry} ${statSync(`${root}/${entry}`).mtimeMs}`);
    return [...this.ground.dump().split('\n'), ...stats];
  }

  /** What the dry run foresees, and then what really comes of the task. */
  both(task: Task): { foreseen: Left; real: Left; report: DryRun } {
    const report = this.dry(task);
    const before = this.ground.dump();
    const answer = this.real(task);
    const after = this.ground.dump();
    const [dry_before, dry_after] = [this.#back(report.before), this.#back(report.after)];
    const spaces = new Set(
      [...dry_after.matchAll(/^netns (\S+)/gm)].map((match) => match[1] ?? ''),
    );
    return {
      foreseen: this.#left(before, dry_before, dry_after, report.answer),
      real: this.#left(before, seen(before, spaces), seen(after, spaces), answer),
      report,
    };
  }

  close(): void {
    this.ground.close();
  }

  /** `owners`: a state that tells whose the hardware addresses of links are that are gone. */
  #left(owners: string, before: string, after: string, answer: Answer): Left {
    const macs = (text: string) => normalMacs(text, owners + after, this.#named);
    const lines = macs(normalState(after, this.#named)).split('\n');
    const files = (text: string) => macs(text).split('\n').filter(isFile).join('\n');
    const stdout = macs(this.#back(answer.stdout));
    return {
      answer: { exit_code: answer.exit_code, stdout },
      kernel: lines.filter((line) => !/^(file|plugin) |^netns \S+ path /.test(line)).join('\n'),
      files: changed(difference(files(before), files(after))),
    };
  }

  #there(task: Task): Record<string, unknown> {
    const request = JSON.parse(this.ground.there(JSON.stringify(task.request)));
    return { confDir: CONF_DIR, cacheDir: CACHE_DIR, path: '/opt/cni/bin', ...request };
  }

  #back(text: string): string {
    return this.ground.back(text).replaceAll(this.ground.prefix, '');
  }
}

/** Changes as lines with their sign. */
export const changed = (changes: readonly Change[]): string[] =>
  changes.map(({ change, what }) => `${change === 'added' ? '+' : '-'} ${what}`);
