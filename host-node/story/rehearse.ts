// SPDX-License-Identifier: Apache-2.0
// A call on the simulated kernel, kept step by step: each operation with its outcome, its words for
// a shell, what it changed and the state after it. A dry run, `explain` and the page are made of
// this. It knows nothing of Node and takes no snapshot: the state to begin with is the caller's.
import { type Driver, type Link, type Operation, OsError } from '../abi/index.ts';
import type { Surroundings } from '../bind.ts';
import { likeOf, type Names } from '../cli/like.ts';
import type { Answer } from '../core.ts';
import { wrap } from '../drivers/record.ts';
import type { SimulatedDriver } from '../drivers/simulated.ts';
import { READS } from '../recording/reads.ts';
import { Foreigners } from './foreign.ts';
import { type Why, whyOf } from './why.ts';

type Args = Readonly<Record<string, unknown>>;

/** An operation that is to fail before it does anything: which, from 1, and how. */
export interface Fault {
  readonly n: number;
  readonly errno: number;
}

export interface Rehearsing {
  readonly simulated: SimulatedDriver;
  /** The call, over the driver that it is given. */
  readonly perform: (driver: Driver, around: Surroundings) => Answer;
  /** What the shell would have to enter for the host's namespace, where that is not its own. */
  readonly hostNetns?: string;
  /** Hears every question before it is answered. */
  readonly asked?: (op: Operation, args: Args) => void;
  readonly fault?: Fault;
  /** Keep the state after each step that changes it. */
  readonly states?: boolean;
}

/** An operation of a rehearsal. Handles and ifindexes are the simulated kernel's own. */
export interface Step {
  readonly op: string;
  readonly args: Args;
  readonly value?: unknown;
  readonly errno?: number;
  /** The same for a shell. */
  readonly like: string;
  /** Whether it left anything other than it was. */
  readonly changes: boolean;
  /** What the core said of its decisions just before. */
  readonly whys: readonly Why[];
  /** The state after it, if it changed and states are kept. */
  readonly state?: string;
}

export interface Rehearsal {
  readonly answer: Answer;
  /** In the order of the call: the n-th is the one that a fault with this number lets fail. */
  readonly steps: readonly Step[];
  /** What the core said of its decisions after the last step. */
  readonly whys: readonly Why[];
  /** What was not simulated. */
  readonly notes: readonly string[];
  /** What the call would say on standard error. */
  readonly log: readonly string[];
  /** The state before and after, in the text of core-as/sim/text.ts. */
  readonly before: string;
  readonly after: string;
}

/** The index of leases, which the text of a state leaves out: it says what the leases say. */
const INDEX_DIR = '/run/fairlead/leases/';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

function textOf(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  try {
    return strict.decode(value);
  } catch {
    return { base64: value.toBase64() };
  }
}

const entries = (args: Args): Args =>
  Object.fromEntries(Object.entries(args).map(([name, value]) => [name, textOf(value)]));

/** Paths of handles and names of links, as the simulated kernel has them at the moment. */
class Machine implements Names {
  readonly #driver: Driver;
  readonly #paths = new Map<number, string>();

  constructor(driver: Driver, hostNetns: string | undefined) {
    this.#driver = driver;
    if (hostNetns !== undefined) this.#paths.set(0, hostNetns);
  }

  opened(handle: number, path: string): void {
    this.#paths.set(handle, path);
  }

  netns(handle: number): string {
    return this.#paths.get(handle) ?? '';
  }

  link(ns: number, ifindex: number): string {
    return this.#link(ns, ifindex)?.name ?? `if${ifindex}`;
  }

  /** Whether an operation, if it succeeds, leaves anything other than it was. */
  matters(op: Operation, args: Args): boolean {
    if (READS.has(op.name)) return false;
    if (`${args['path'] ?? args['dir']}/`.startsWith(INDEX_DIR)) return false;
    const ns = Number(args['ns']);
    if (op.name === 'sysctl_write') {
      const value = this.#sysctl(ns, String(args['key']));
      return value === undefined || value !== String(args['value']).trim();
    }
    const makes = op.name === 'dir_make' || (op.name === 'dir_lock' && args['create'] === 1);
    if (makes) return !this.#isFolder(String(args['dir']));
    if (op.name === 'dir_lock') return false;
    if (!op.name.startsWith('link_set_')) return true;
    const link = this.#link(ns, Number(args['ifindex']));
    if (link === undefined) return true;
    if (op.name === 'link_set_up') return !link.up;
    if (op.name === 'link_set_down') return link.up;
    if (op.name === 'link_set_promisc') return link.promisc !== (args['on'] !== 0);
    return true;
  }

  #link(ns: number, ifindex: number): Link | undefined {
    return this.#ask(() => this.#driver.link_get_index({ ns, ifindex }) as Link);
  }

  #sysctl(ns: number, key: string): string | undefined {
    return this.#ask(() => decoder.decode(this.#driver.sysctl_read({ ns, key })));
  }

  #isFolder(dir: string): boolean {
    return this.#ask(() => this.#driver.dir_list({ dir })) !== undefined;
  }

  #ask<T>(question: () => T): T | undefined {
    try {
      return question();
    } catch (error) {
      if (error instanceof OsError) return undefined;
      throw error;
    }
  }
}

/** What goes on during one call. */
class Stage {
  readonly steps: Step[] = [];
  readonly foreigners = new Foreigners();
  readonly log: string[] = [];
  whys: Why[] = [];
  /** What went wrong that is no answer of a kernel: to the core it looks like one (bind.ts). */
  broken: unknown;
  readonly #given: Rehearsing;
  readonly #machine: Machine;

  constructor(given: Rehearsing) {
    this.#given = given;
    this.#machine = new Machine(given.simulated, given.hostNetns);
  }

  hear(line: string): void {
    const why = whyOf(line);
    if (why === undefined) this.log.push(line);
    else this.whys.push(why);
  }

  around(op: Operation, args: Args, run: () => unknown): unknown {
    this.#given.asked?.(op, args);
    const { fault } = this.#given;
    const matters = this.#machine.matters(op, args);
    // Before it runs: a link that is removed has its name until then, and bytes move on.
    const like = likeOf(op, args, this.#machine);
    const step = { op: `${op.module}.${op.name}`, args: entries(args), like, whys: this.whys };
    this.whys = [];
    try {
      if (fault?.n === this.steps.length + 1) {
        throw new OsError(fault.errno, 'a fault put there on purpose');
      }
      const value = op.name === 'exec' ? this.#execute(args, run) : run();
      if (op.name === 'netns_open') this.#machine.opened(Number(value), String(args['path']));
      const state = matters && this.#given.states ? { state: this.#given.simulated.dump() } : {};
      const given = value === undefined ? {} : { value: textOf(value) };
      this.steps.push({ ...step, ...given, changes: matters, ...state });
      return value;
    } catch (error) {
      // What failed has changed nothing.
      if (error instanceof OsError) {
        this.steps.push({ ...step, errno: error.errno, changes: false });
      } else this.broken ??= error;
      throw error;
    }
  }

  #execute(args: Args, run: () => unknown): unknown {
    return this.foreigners.answer(args, run() as { readonly exit_code: number });
  }
}

/**
 * Performs the call and keeps what happened. Throws what broke where it was not the call, but the
 * simulation.
 */
export function rehearse(given: Rehearsing): Rehearsal {
  const { simulated, perform } = given;
  const stage = new Stage(given);
  const before = simulated.dump();
  const driver = wrap(simulated, (op, args, run) => stage.around(op, args, run));
  const answer = perform(driver, {
    stdin: () => new Uint8Array(0),
    log: (line) => stage.hear(line),
    // Time does not pass in a simulation.
    sleep: () => {},
  });
  if (stage.broken !== undefined) throw stage.broken;
  const { steps, whys, log } = stage;
  const after = simulated.dump();
  return { answer, steps, whys, notes: stage.foreigners.notes, log, before, after };
}
