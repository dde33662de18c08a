// SPDX-License-Identifier: Apache-2.0
// A machine for the command line without root: the simulated kernel, whose text has the files as
// well, and what a subcommand writes. It knows no subcommand.
import type { Driver } from '../../host-node/abi/index.ts';
import { type Io, visible } from '../../host-node/cli/io.ts';
import { performTask } from '../../host-node/core.ts';
import { simulatedDriver } from '../../host-node/drivers/simulated.ts';
import { wasmInstances, wasmModule } from '../support/wasm.ts';

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Machine {
  readonly driver: ReturnType<typeof simulatedDriver>;
  env: Record<string, string> = {};
  /** Put around the driver of every task. */
  wrap: (driver: Driver) => Driver = (driver) => driver;

  constructor(before: string) {
    this.driver = simulatedDriver(wasmModule('sim'), before);
  }

  /** Performs a task of the core; what it logs is not kept. */
  task(name: string, request: unknown): ReturnType<Io['task']> {
    const around = { stdin: () => new Uint8Array(0), sleep: () => {}, log: () => {} };
    return performTask(wasmInstances('tools'), this.wrap(this.driver), name, request, around);
  }

  /** Runs a subcommand and gives what it said. */
  run(command: (io: Io) => number): Said {
    const said = ['', '', ''];
    const write = (fd: number, text: string): void => {
      said[fd] += visible(text, false);
    };
    const around = {
      stdin: () => new Uint8Array(0),
      sleep: () => {},
      log: (line: string) => write(2, `${line}\n`),
    };
    const task: Io['task'] = (name, request) =>
      performTask(wasmInstances('tools'), this.wrap(this.driver), name, request, around);
    const rehearse = (): never => {
      throw new Error('a dry run is of a real machine: see dry-run.test.ts');
    };
    const code = command({ write, env: this.env, task, rehearse });
    return { code, stdout: said[1]!, stderr: said[2]! };
  }

  dump(): string {
    return this.driver.dump();
  }

  /** The text of a file, undefined when there is none. */
  file(path: string): string | undefined {
    const line = this.dump()
      .split('\n')
      .find((text) => text.startsWith(`file ${path} "`));
    return line === undefined ? undefined : JSON.parse(line.slice(line.indexOf('"')));
  }

  /** Paths of the files below a folder, without locks. */
  files(folder: string): string[] {
    const paths = [...this.dump().matchAll(/^file (\S+) "/gm)].map((match) => match[1] ?? '');
    return paths.filter((path) => path.startsWith(`${folder}/`) && !path.endsWith('/lock'));
  }
}

/** A file line of the simulated kernel's text. */
export const fileLine = (path: string, content: string): string =>
  `file ${path} ${JSON.stringify(content)}\n`;
