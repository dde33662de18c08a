// SPDX-License-Identifier: Apache-2.0
// Foreign plugins in a rehearsal: what their call is taken to give, since none is executed. It
// knows nothing of Node, and of a configuration only whether a call is for IPAM.
import { OsError } from '../abi/index.ts';

/** Exit code of a `plugin` line that stands for a file that cannot be executed, as in a shell. */
export const EXIT_NO_PROGRAM = 126;
const EACCES = 13;
/** CNI error of what is not there yet (core-as/spec/error.ts). */
const CODE_NOT_SUPPORTED = 104;

type Args = Readonly<Record<string, unknown>>;

/** What a call of a foreign plugin is about, as far as its answer depends on it. */
interface PluginCall {
  readonly path: string;
  readonly type: string;
  readonly command: string;
  /** The configuration on its standard input. */
  readonly config: { readonly type?: unknown; readonly prevResult?: unknown };
}

const decoder = new TextDecoder();

function pluginCall(args: Args): PluginCall {
  const path = String(args['path']);
  const block = decoder.decode(args['env'] as Uint8Array);
  const pairs = block.split('\0').map((pair) => pair.split('=', 2));
  const command = pairs.find(([name]) => name === 'CNI_COMMAND')?.[1] ?? '';
  const config = JSON.parse(decoder.decode(args['stdin'] as Uint8Array));
  return { path, type: path.slice(path.lastIndexOf('/') + 1), command, config };
}

/** Answers in the place of foreign plugins. */
export class Foreigners {
  readonly notes: string[] = [];
  #refused = false;

  /** What a call gives; its `program` is what the simulated kernel knows of the file. */
  answer(args: Args, program: { readonly exit_code: number }): unknown {
    const call = pluginCall(args);
    if (program.exit_code === EXIT_NO_PROGRAM) throw new OsError(EACCES, call.path);
    const { config, command, path } = call;
    // An IPAM plugin reads the configuration of the plugin that it serves.
    const ipam = config.type !== call.type;
    const gives = command !== 'ADD' || (!ipam && config.prevResult !== undefined);
    if (!gives) return this.#refuse(call, ipam);
    const assumed = command === 'ADD' ? 'to pass the result on as it is' : 'to succeed';
    if (!this.#refused) this.notes.push(`would execute ${path} ${command}; taken ${assumed}`);
    return ended(0, command === 'ADD' ? JSON.stringify(config.prevResult) : '');
  }

  #refuse(call: PluginCall, ipam: boolean): unknown {
    // What undoes it would not happen either.
    this.#refused = true;
    const which = ipam
      ? `which address the IPAM plugin "${call.type}" would give`
      : `what the plugin "${call.type}", first of its chain, would make`;
    const msg = `a dry run cannot tell ${which}: it would have to execute ${call.path}`;
    return ended(1, JSON.stringify({ code: CODE_NOT_SUPPORTED, msg }));
  }
}

function ended(exit_code: number, stdout: string): unknown {
  return { exit_code, signal: '', stdout, stderr: '' };
}
