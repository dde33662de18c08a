// SPDX-License-Identifier: Apache-2.0
// One attachment of one side: its plugins called one after the other as libcni calls them, each
// ADD with the result of the one before as prevResult, DEL in reverse order with the last result.
// It refuses to measure: whoever runs it brings a function that executes a call.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { enter } from './process.mjs';
import { OUTPUTS } from './world.mjs';

/** The newest version that the oldest reference plugins in use know. */
export const CNI_VERSION = '1.0.0';
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const COMMANDS = ['ADD', 'DEL'];

let count = 0;

/** What a runtime hands a plugin: its object with the network's name and what it may have. */
function configOf(plugin, network, runtime) {
  const wanted = Object.keys(plugin.capabilities ?? {});
  const entries = wanted.map((key) => [key, runtime[key]]);
  const runtimeConfig = wanted.length > 0 ? { runtimeConfig: Object.fromEntries(entries) } : {};
  return { cniVersion: CNI_VERSION, name: network, ...plugin, ...runtimeConfig };
}

/** The plugins as one plugin of the type `fairlead`. */
export function fused(plugins) {
  const capabilities = Object.assign({}, ...plugins.map((plugin) => plugin.capabilities ?? {}));
  return [{ type: 'fairlead', capabilities, plugins }];
}

export class Chain {
  #steps;
  #host;
  #result;

  /**
   * `bin` is the folder of the programs, `host` the namespace that they are called in, `pod` that
   * of the container, `runtime` what the runtime knows by capability, `folder` for the files,
   * `more` other variables.
   */
  constructor({ bin, plugins, network, host, pod, id, folder, ...rest }) {
    const { runtime = {}, ifname = 'eth0', more = {} } = rest;
    this.#host = host;
    const env = {
      PATH,
      ...more,
      CNI_CONTAINERID: id,
      CNI_NETNS: pod,
      CNI_IFNAME: ifname,
      CNI_PATH: bin,
    };
    this.#steps = plugins.map((plugin) => {
      const name = `call-${++count}`;
      const file = join(folder, name);
      const call = (command) => ({
        program: join(bin, plugin.type),
        env: { ...env, CNI_COMMAND: command },
        stdin: `${file}.json`,
        output: join(OUTPUTS, name),
      });
      const calls = Object.fromEntries(COMMANDS.map((command) => [command, call(command)]));
      return { config: configOf(plugin, network, runtime), calls };
    });
  }

  /** Runs a command; gives what `execute` gave for each plugin. */
  run(command, execute) {
    enter(this.#host);
    if (command === 'ADD') this.#result = undefined;
    const order = command === 'ADD' ? this.#steps : this.#steps.toReversed();
    return order.map((step) => {
      const call = this.#write(step, command);
      const answer = execute(call);
      if (command === 'ADD') this.#result = JSON.parse(readFileSync(call.output, 'utf8'));
      return answer;
    });
  }

  /** The call of a command, ready to be run by others; for chains of one plugin. */
  call(command) {
    const [step] = this.#steps;
    const before = command === 'ADD' ? undefined : step.calls.ADD.output;
    this.#result = before === undefined ? undefined : JSON.parse(readFileSync(before, 'utf8'));
    return this.#write(step, command);
  }

  #write(step, command) {
    const call = step.calls[command];
    const prevResult = this.#result === undefined ? {} : { prevResult: this.#result };
    writeFileSync(call.stdin, JSON.stringify({ ...step.config, ...prevResult }));
    return call;
  }

  /** The result of the last ADD. */
  get result() {
    return this.#result;
  }
}

/** A program that is no plugin, called with words of its own for ADD and DEL. */
export class Command {
  #calls;
  #host;

  constructor({ program, args, env = {}, host }) {
    this.#host = host;
    const output = join(OUTPUTS, `call-${++count}`);
    const call = (command) => ({ program, args: args(command), env, output });
    this.#calls = Object.fromEntries(COMMANDS.map((command) => [command, call(command)]));
  }

  run(command, execute) {
    enter(this.#host);
    return [execute(this.#calls[command])];
  }
}
