// SPDX-License-Identifier: Apache-2.0
// A simulated node for fuzzing: calls with raw bytes in the environment and on stdin, counted
// operations, and the words of whatever trapped. It says what happened and judges only that a call
// ends, and ends well.

import { isIP } from 'node:net';
import type { Driver } from '../../host-node/abi/index.ts';
import { OsError } from '../../host-node/abi/index.ts';
import { bind, CorePanic } from '../../host-node/bind.ts';
import { type CoreExports, inInstance, put } from '../../host-node/core.ts';
import type { SimulatedDriver } from '../../host-node/drivers/simulated.ts';
import { codeOf, Violation } from '../support/answer.ts';
import { lendSimulated } from '../support/simulated.ts';
import { wasmInstances } from '../support/wasm.ts';

/** A call of a few hundred containers needs less; a loop does not. */
const OPERATIONS_MAX = 50_000;

export interface Ran {
  /** 0 for success. */
  readonly code: number;
  readonly stdout: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** An export of the core and its two arguments. */
interface Call {
  readonly entry: 'run' | 'task';
  readonly first: string;
  readonly second: Uint8Array;
}

export type Env = Readonly<Record<string, string>>;

/** What a runtime sets for the container c1. */
export const ENV: Env = {
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/pod',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};

/** The variables as the ABI passes them. */
export function envBlock(env: Env): Uint8Array {
  const texts = Object.entries(env).map(([name, value]) => `${name}=${value}\0`);
  return encoder.encode(texts.join(''));
}

/** Codes that an answer may have: those of the documents, or any that a foreign plugin chose. */
export type Known = (code: number) => boolean;

/** How often which code was answered: inputs that are all refused, or all accepted, try little. */
export const answers = new Map<number, number>();

/** Of the nodes that were made since the last input. */
const lent: (() => void)[] = [];

/** Ends the life of all nodes: the next input gets them as they were at first. */
export function giveBackNodes(): void {
  for (const giveBack of lent.splice(0)) giveBack();
}

export class Node {
  readonly driver: SimulatedDriver;

  constructor(before: string) {
    const { driver, giveBack } = lendSimulated(before);
    this.driver = driver;
    lent.push(giveBack);
  }

  text(): string {
    return this.driver.dump();
  }

  /** A call as a runtime makes it. */
  call(command: string, type: string, stdin: string | Uint8Array, env: Env = ENV): Ran {
    const block = envBlock({ ...env, CNI_COMMAND: command });
    return this.run(type, block, typeof stdin === 'string' ? encoder.encode(stdin) : stdin);
  }

  /** A task of the command line (core-as/tasks/tasks.ts). */
  task(name: string, request: unknown): Ran {
    const text = encoder.encode(JSON.stringify(request));
    return this.#enter({ entry: 'task', first: name, second: text }, new Uint8Array(0), {});
  }

  /** A call with this very environment. `around` stands before the driver. */
  run(
    type: string,
    env: Uint8Array,
    stdin: Uint8Array,
    around: Partial<Driver> = {},
    known?: Known,
  ): Ran {
    return this.#enter({ entry: 'run', first: type, second: env }, stdin, around, known);
  }

  #enter(call: Call, stdin: Uint8Array, around: Partial<Driver>, known?: Known): Ran {
    let operations = 0;
    let broken: unknown;
    const counted = new Proxy({ ...this.driver, ...around } as Driver, {
      get: (target, name) => {
        const method = Reflect.get(target, name);
        return (args: unknown) => {
          if (++operations > OPERATIONS_MAX) throw new CorePanic('it does not end');
          try {
            return Reflect.apply(method, target, [args]);
          } catch (error) {
            if (!(error instanceof OsError)) broken ??= error;
            throw error;
          }
        };
      },
    });
    const surroundings = {
      stdin: (limit_bytes: number) => stdin.subarray(0, limit_bytes + 1),
      log: () => {},
      sleep: () => {
        if (++operations > OPERATIONS_MAX) throw new CorePanic('it does not stop waiting');
      },
    };
    const answer = runCore(counted, surroundings, call);
    if (broken !== undefined) throw new Violation(`the simulated kernel: ${broken}`);
    const code = codeOf(answer, known);
    answers.set(code, (answers.get(code) ?? 0) + 1);
    return { code, stdout: answer.stdout };
  }
}

function runCore(
  driver: Driver,
  surroundings: Parameters<typeof bind>[1],
  { entry, first, second }: Call,
): { exit_code: number; stdout: string } {
  const binding = bind(driver, surroundings);
  return inInstance(wasmInstances('tools'), binding.imports, (exports) => {
    const core = exports as unknown as CoreExports;
    binding.attach(core.memory);
    let exit_code: number;
    try {
      exit_code = core[entry](...put(core, encoder.encode(first)), ...put(core, second));
    } catch (error) {
      throw new Violation(`the core trapped: ${error}`);
    }
    const result = new Uint8Array(core.memory.buffer, core.result_ptr(), core.result_len());
    try {
      return { exit_code, stdout: decoder.decode(result) };
    } catch {
      throw new Violation(`an answer that is not UTF-8: ${Buffer.from(result).toString('latin1')}`);
    }
  });
}

/** A state text without hints where an allocation goes on: they are no state. */
export const withoutHints = (text: string): string =>
  text.replace(/^file \S+\/last_reserved_ip\.\d+ .*\n/gm, '');

/** Throws unless the two states are one, hints apart. */
export function same(what: string, before: string, after: string): void {
  const [left, right] = [withoutHints(before), withoutHints(after)];
  if (left === right) return;
  const gone = left.split('\n').filter((line) => !right.includes(line));
  const came = right.split('\n').filter((line) => !left.includes(line));
  const lines = [...gone.map((line) => `- ${line}`), ...came.map((line) => `+ ${line}`)];
  throw new Violation(`${what} changed the node:\n${lines.join('\n')}`);
}

/** Throws when anything of a container's interface is left. */
export function nothingLeft(what: string, text: string, netns: string, id: string, ifname: string) {
  const owner = JSON.stringify(`${id}\r\n${ifname}`);
  let ns = '';
  const left = text.split('\n').filter((line) => {
    ns = /^netns (\S+)/.exec(line)?.[1] ?? ns;
    // The record of another host's namespace is not this one's to remove.
    const record = line.startsWith(`file /run/fairlead/attachments/${id}:${ifname} `);
    if (record) return !/\\"hostNetnsID\\":\\"(?!netns:host\\")[^\\]/.test(line);
    // A file whose name is no address is nobody's lease, whatever stands in it.
    const name = /^file \S*\/(\S+) /.exec(line)?.[1];
    if (name !== undefined) return isIP(name) !== 0 && line.includes(` ${owner}`);
    return `${line} `.includes(` peer ${netns}/${ifname} `);
  });
  if (left.length > 0) throw new Violation(`${what} left:\n${left.join('\n')}`);
}
