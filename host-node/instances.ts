// SPDX-License-Identifier: Apache-2.0
// Instances of a module that serve again: each call finds one in its first state, as fresh as a new
// one, whose memory the system would have to give page by page. For those who make many calls, one
// after the other or one within the other; a process that makes one gains nothing. It knows nothing
// of what a module does.

import type { Lender } from './core.ts';

/** How the names of a module's exported globals start (tools/kept-state.mjs). */
const STATE = 'state.';

/** Memory that was added since: to clear more than this takes longer than a new instance. */
const GROWN_MAX_BYTES = 4 << 20;

/** All that an instance was, memory and globals. */
export interface KeptState {
  /** Makes the instance what it was, as often as wanted. */
  readonly restore: () => void;
  /** Whether it has grown so much that a new instance costs less than restoring this one. */
  readonly outgrown: () => boolean;
}

/** Throws an Error when the module of the instance does not export its globals. */
export function keepState(exports: WebAssembly.Exports): KeptState {
  const globals = Object.entries(exports)
    .filter(([name]) => name.startsWith(STATE))
    .map(([, global]) => global as WebAssembly.Global);
  if (globals.length === 0) throw new Error('the module does not export its state: build it anew');
  const memory = exports['memory'] as WebAssembly.Memory;
  const kept = new Uint8Array(memory.buffer).slice();
  const values = globals.map((global) => global.value);
  const restore = () => {
    const now = new Uint8Array(memory.buffer);
    now.set(kept);
    // Memory that is new is zero, and some of the runtime counts on it.
    now.fill(0, kept.length);
    globals.forEach((global, i) => {
      global.value = values[i];
    });
  };
  const outgrown = () => memory.buffer.byteLength - kept.length > GROWN_MAX_BYTES;
  return { restore, outgrown };
}

type Imported = (...args: unknown[]) => unknown;

interface Lent {
  readonly exports: WebAssembly.Exports;
  readonly state: KeptState;
  /** Says where its imports lead to from now on. */
  readonly lead: (imports: WebAssembly.Imports) => void;
}

export class Instances implements Lender {
  readonly #module: WebAssembly.Module;
  readonly #idle: Lent[] = [];

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** Does something with an instance in its first state, which must be done with it on return. */
  use<T>(imports: WebAssembly.Imports, action: (exports: WebAssembly.Exports) => T): T {
    const lent = this.#idle.pop() ?? this.#made();
    lent.lead(imports);
    try {
      return action(lent.exports);
    } finally {
      if (!lent.state.outgrown()) {
        lent.state.restore();
        this.#idle.push(lent);
      }
    }
  }

  #made(): Lent {
    const wanted = WebAssembly.Module.imports(this.#module);
    let led: WebAssembly.Imports = {};
    const to = (module: string, name: string) => led[module]?.[name] as Imported | undefined;
    const imports: Record<string, Record<string, Imported>> = {};
    for (const { module, name } of wanted) {
      imports[module] ??= {};
      imports[module][name] = (...args) => (to(module, name) as Imported)(...args);
    }
    const { exports } = new WebAssembly.Instance(this.#module, imports);
    const lead = (given: WebAssembly.Imports) => {
      led = given;
      const lacks = wanted.find(({ module, name }) => to(module, name) === undefined);
      if (lacks === undefined) return;
      throw new WebAssembly.LinkError(`the host has no ${lacks.module}.${lacks.name}`);
    };
    return { exports, state: keepState(exports), lead };
  }
}
