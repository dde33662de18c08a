// SPDX-License-Identifier: Apache-2.0
// agent.wasm for as long as its program runs: an event goes in as JSON, actions come out as JSON.
// It refuses to look into either.

/** The machines that agent.wasm exports, each as a function of its name. */
export type MachineName = 'dhcp' | 'overlay';

interface AgentExports {
  readonly memory: WebAssembly.Memory;
  readonly input: (len: number) => number;
  readonly output_ptr: () => number;
  readonly output_len: () => number;
  readonly panic_ptr: () => number;
}

type Exports = AgentExports & Readonly<Record<MachineName, (len: number) => void>>;

/** A machine of agent.wasm broke: its memory says nothing any more. */
export class AgentPanic extends Error {}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The instance of agent.wasm; what its machines know is in its memory, so it is kept. */
export class AgentCore {
  readonly #exports: Exports;

  constructor(module: WebAssembly.Module) {
    this.#exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
  }

  /** Tells a machine an event; gives its actions. AgentPanic when it broke. */
  tell(machine: MachineName, event: unknown): unknown {
    const bytes = encoder.encode(JSON.stringify(event));
    const { memory, input, output_ptr, output_len } = this.#exports;
    const ptr = input(bytes.length);
    new Uint8Array(memory.buffer, ptr, bytes.length).set(bytes);
    try {
      this.#exports[machine](bytes.length);
    } catch (error) {
      throw new AgentPanic(this.#lastWords() || String(error));
    }
    const actions = new Uint8Array(memory.buffer, output_ptr(), output_len());
    return JSON.parse(decoder.decode(actions));
  }

  /** How many bytes of memory the machines have. */
  get memory_bytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  #lastWords(): string {
    const from = this.#exports.panic_ptr();
    const bytes = new Uint8Array(this.#exports.memory.buffer, from);
    return decoder.decode(bytes.subarray(0, bytes.indexOf(0)));
  }
}
