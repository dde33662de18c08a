// SPDX-License-Identifier: Apache-2.0
// Where a random sequence runs: the simulated kernel or the real one, with what happens to a node
// beside calls (namespaces that go, a reboot) and with operations that fail, are lost or are the
// last. It judges nothing.
import { type Driver, type Link, OsError } from '../../host-node/abi/index.ts';
import type { Answer } from '../../host-node/core.ts';
import type { StoreDriver } from '../../host-node/drivers/files.ts';
import type { SimulatedDriver } from '../../host-node/drivers/simulated.ts';
import type { Step } from '../support/fixture.ts';
import { type LentKernel, lendSimulated } from '../support/simulated.ts';
import { type Open, serveOn, simulatedWorld, unsteadyWorld, type Wrap } from '../support/world.ts';
import type { Fault } from './events.ts';
import { afterReboot, linksOf, withoutNetns } from './state.ts';

const ENOENT = 2;
const EIO = 5;
const GONE_TRIES = 100;
const GONE_PAUSE_MS = 20;

export interface Stage {
  /** Whether reading the state takes so long that it is worth leaving out. */
  readonly slow: boolean;
  call(step: Step, stdin: string, wrap: Wrap): Answer;
  text(): string;
  /** Its files, for what the text leaves out. */
  readonly store: StoreDriver;
  netnsAdd(name: string): void;
  netnsDel(name: string): void;
  reboot(names: readonly string[]): void;
  close(): void;
}

const fresh = (names: readonly string[]): string => names.map((name) => `netns ${name}\n`).join('');

/** The simulated kernel; `around` is put around its driver for good. */
class Simulated implements Stage {
  readonly slow = false;
  readonly #around: Wrap;
  /** Namespaces without a name: empty ones, that nobody can open. */
  readonly #gone = new Set<string>();
  /** How often a name was given again: each time to another namespace. */
  readonly #births = new Map<string, number>();
  #kernel: LentKernel;

  constructor(before: string, around: Wrap) {
    this.#around = around;
    this.#kernel = lendSimulated(before);
  }
  get #driver(): SimulatedDriver {
    return this.#kernel.driver;
  }
  call(step: Step, stdin: string, wrap: Wrap): Answer {
    const driver = {
      ...this.#driver,
      netns_open: ({ path }: { path: string }) => {
        if (this.#gone.has(path.slice('/run/netns/'.length))) throw new OsError(ENOENT);
        return this.#driver.netns_open({ path });
      },
      netns_id: ({ ns }: { ns: number }) => {
        const id = Buffer.from(this.#driver.netns_id({ ns })).toString();
        const births = this.#births.get(id.slice('netns:'.length)) ?? 0;
        return Buffer.from(births === 0 ? id : `${id}#${births}`);
      },
    };
    return serveOn(wrap(this.#around(driver)), step, step.env, stdin);
  }
  get store(): StoreDriver {
    return this.#driver;
  }
  text(): string {
    let text = this.#driver.dump();
    for (const name of this.#gone) text = withoutNetns(text, name);
    return text;
  }
  netnsAdd(name: string): void {
    if (this.#gone.delete(name)) this.#births.set(name, (this.#births.get(name) ?? 0) + 1);
  }
  netnsDel(name: string): void {
    const ns = this.#driver.netns_open({ path: `/run/netns/${name}` });
    for (const link of linksOf(this.#driver.dump(), name)) {
      if (link === 'lo') continue;
      const { ifindex } = this.#driver.link_get({ ns, name: link }) as Link;
      this.#driver.link_del({ ns, ifindex });
    }
    this.#gone.add(name);
  }
  reboot(names: readonly string[]): void {
    this.#gone.clear();
    const text = afterReboot(this.#driver.dump(), fresh(names));
    this.#kernel.giveBack();
    this.#kernel = lendSimulated(text);
  }
  close(): void {
    this.#kernel.giveBack();
  }
}

export function simulatedStage(before: string, around: Wrap = (driver) => driver): Stage {
  return new Simulated(before, around);
}

/** The real kernel, in namespaces of its own. Its state is read only when something happened. */
export function realStage(before: string, open?: Open): Stage {
  const world = unsteadyWorld(before, open);
  // Namespaces without links are told alike by both kernels.
  let text: string | undefined = simulatedWorld(before).dump();
  const happening =
    <T extends unknown[], R>(action: (...args: T) => R) =>
    (...args: T): R => {
      text = undefined;
      return action(...args);
    };
  return {
    slow: true,
    call: happening(world.call),
    text: () => {
      text ??= world.dump();
      return text;
    },
    store: world.store,
    netnsAdd: happening(world.netnsAdd),
    netnsDel: happening((name: string) => {
      world.netnsDel(name);
      // The kernel takes the links of a namespace away a moment after its name.
      for (let tries = 0; tries < GONE_TRIES && /^link .* peer \?/m.test(world.dump()); tries++) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, GONE_PAUSE_MS);
      }
    }),
    reboot: happening(world.reboot),
    close: () => world.close(),
  };
}

/** A driver whose n-th operation meets a fault, and whether it did. */
export function disturbing(fault: Fault | undefined): { wrap: Wrap; met: () => boolean } {
  let count = 0;
  const wrap: Wrap = (driver) => {
    if (fault === undefined) return driver;
    return new Proxy(driver, {
      get: (target, name) => {
        const method = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (args: unknown) => {
          count++;
          const here = count === fault.at || (fault.mode === 'dies' && count > fault.at);
          if (here && fault.mode !== 'lost') throw new OsError(EIO, 'a fault put there on purpose');
          const value = Reflect.apply(method, target, [args]);
          if (here) throw new OsError(EIO, 'done, and reported as failed on purpose');
          return value;
        };
      },
    }) as Driver;
  };
  return { wrap, met: () => fault !== undefined && count >= fault.at };
}
