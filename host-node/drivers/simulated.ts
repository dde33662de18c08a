// SPDX-License-Identifier: Apache-2.0
// The simulated kernel (dist/sim.wasm, built from core-as/sim) as a driver: the operations of the
// table over its memory. It knows no operation by name and nothing of Node, so it runs in a
// browser.
import { DRIVER_OPERATIONS, type Driver, type Operation, OsError } from '../abi/index.ts';
import type { KeptState, keepState } from '../instances.ts';

interface Simulation {
  readonly memory: WebAssembly.Memory;
  alloc(len: number): number;
  host_reply_len(): number;
  sim_reply_ptr(): number;
  sim_load(ptr: number, len: number): number;
  sim_dump(): void;
  sim_panic_ptr(): number;
  sim_panic_len(): number;
}
type Exported = (...args: number[]) => number;

export interface SimulatedDriver extends Driver {
  /** The state as text; core-as/sim/text.ts describes it. */
  dump(): string;
  /** Keeps all that it is now; `by` is keepState, which a page has no use for. */
  keep(by: typeof keepState): KeptState;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** One simulated kernel, its memory and its reply slot. */
class Machine {
  readonly #sim: Simulation;
  readonly #calls: Readonly<Record<string, Exported>>;
  readonly #exports: WebAssembly.Exports;
  #scratch = 0;
  #scratch_bytes = 0;

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, {});
    this.#sim = exports as unknown as Simulation;
    this.#calls = exports as unknown as Record<string, Exported>;
    this.#exports = exports;
  }

  keep(by: typeof keepState): KeptState {
    const { restore, outgrown } = by(this.#exports);
    const [scratch, scratch_bytes] = [this.#scratch, this.#scratch_bytes];
    const restored = () => {
      restore();
      [this.#scratch, this.#scratch_bytes] = [scratch, scratch_bytes];
    };
    return { restore: restored, outgrown };
  }

  /** Calls an export, texts in the scratch space; a trap tells the simulation's last words. */
  call(name: string, args: readonly (number | Uint8Array)[]): number {
    const call = this.#calls[name];
    if (call === undefined) throw new Error(`the simulated kernel has no ${name}: build it anew`);
    try {
      return call(...this.#lower(args));
    } catch (error) {
      const words = this.#read(this.#sim.sim_panic_ptr(), this.#sim.sim_panic_len());
      throw new Error(`the simulated kernel broke in ${name}: ${decoder.decode(words)}`, {
        cause: error,
      });
    }
  }

  /** A copy of the reply slot. */
  reply(): Uint8Array {
    return this.#read(this.#sim.sim_reply_ptr(), this.#sim.host_reply_len());
  }

  text(): string {
    return decoder.decode(this.reply());
  }

  #read(ptr: number, len: number): Uint8Array {
    return new Uint8Array(this.#sim.memory.buffer, ptr, len).slice();
  }

  #lower(args: readonly (number | Uint8Array)[]): number[] {
    const wanted = args.reduce<number>(
      (n, arg) => n + (typeof arg === 'number' ? 0 : arg.length),
      0,
    );
    if (wanted > this.#scratch_bytes) {
      this.#scratch_bytes = wanted * 2;
      this.#scratch = this.#sim.alloc(this.#scratch_bytes);
    }
    // Looked at anew: alloc may have grown the memory.
    const memory = new Uint8Array(this.#sim.memory.buffer);
    const lowered: number[] = [];
    let at = this.#scratch;
    for (const arg of args) {
      if (typeof arg === 'number') {
        lowered.push(arg);
        continue;
      }
      memory.set(arg, at);
      lowered.push(at, arg.length);
      at += arg.length;
    }
    return lowered;
  }
}

function methodOf(machine: Machine, op: Operation): (args: Record<string, unknown>) => unknown {
  const name = `${op.module}_${op.name}`;
  const params = Object.keys(op.params);
  return (args) => {
    const given = params.map((param) => {
      const value = args[param];
      return typeof value === 'string' ? encoder.encode(value) : (value as number | Uint8Array);
    });
    const code = machine.call(name, given);
    if (code < 0) throw new OsError(-code, machine.text());
    if (op.reply === 'value') return code;
    if (op.reply === 'bytes') return machine.reply();
    return op.reply === 'json' ? JSON.parse(machine.text()) : undefined;
  };
}

/**
 * A kernel of its own that starts with the state of a text. Throws an Error that names the line
 * when the text is wrong; its methods throw OsError as those of the real drivers do.
 */
export function simulatedDriver(module: WebAssembly.Module, text: string): SimulatedDriver {
  const machine = new Machine(module);
  if (machine.call('sim_load', [encoder.encode(text)]) < 0) throw new Error(machine.text());
  const methods = DRIVER_OPERATIONS.map((op) => [op.name, methodOf(machine, op)]);
  return {
    ...(Object.fromEntries(methods) as Driver),
    dump: () => {
      machine.call('sim_dump', []);
      return machine.text();
    },
    keep: (by) => machine.keep(by),
  };
}
