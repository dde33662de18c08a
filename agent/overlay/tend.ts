// SPDX-License-Identifier: Apache-2.0
// What the agent has an eye on beside the network: leases of addresses, as `fairlead leases` counts
// them, and attachments whose containers are gone without a DEL. The core looks and takes back;
// this asks it, seldom. It refuses to call any container gone by itself.
import type { Task } from './pods.ts';

type Log = (level: 'info' | 'warn' | 'error', msg: string) => void;

/** Of a network and a folder of leases. */
export interface Leases {
  readonly network: string;
  readonly used: number;
  readonly leaked: number;
  /** A text, as there may be more than a number holds; "" when nobody says it of this folder. */
  readonly free: string;
}

interface Drained {
  readonly drained: readonly {
    readonly network: string;
    readonly containerID: string;
    readonly ifname: string;
  }[];
  readonly errors: readonly string[];
}

/** Each lease is looked at, so whoever asks more often gets the same again. */
const COUNT_EVERY_MS = 10_000;

export interface TenderOptions {
  readonly task: Task;
  /** The network of the agent, whose ranges no configuration says. */
  readonly own: () => { readonly network: string; readonly subnets: readonly string[] };
  /** Where the configurations of networks are. */
  readonly conf_dir: string;
  /** Whether nothing is to be taken back for now. */
  readonly waiting: () => boolean;
  readonly log: Log;
}

export class Tender {
  readonly #options: TenderOptions;
  #counted: { readonly at_ms: number; readonly leases: readonly Leases[] } | undefined;
  #said = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  collected = 0;

  constructor(options: TenderOptions) {
    this.#options = options;
  }

  /** Collects every so many seconds. */
  start(every_s: number): void {
    this.#timer = setInterval(() => this.#tend(), every_s * 1_000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** None while they cannot be read, which the log says. */
  get leases(): readonly Leases[] {
    const now_ms = performance.now();
    if (this.#counted !== undefined && now_ms - this.#counted.at_ms < COUNT_EVERY_MS) {
      return this.#counted.leases;
    }
    let leases: readonly Leases[] = [];
    try {
      leases = this.#count();
    } catch (error) {
      this.#once(`leases are not counted: ${(error as Error).message}`);
    }
    this.#counted = { at_ms: now_ms, leases };
    return leases;
  }

  #count(): readonly Leases[] {
    const { task, own, conf_dir: confDir } = this.#options;
    // By the runtime's cache a container is known by the path of its namespace, which an agent that
    // is in a container itself does not see.
    const answer = task('leases', { network: '', confDir, cacheDir: '', own: own() });
    if (answer.exit_code !== 0) throw new Error(answer.stdout.trim());
    return (JSON.parse(answer.stdout) as { networks: readonly Leases[] }).networks;
  }

  /** What fails now is tried again the next time: traffic does not depend on it. */
  #tend(): void {
    if (this.#options.waiting()) return;
    try {
      this.collect();
    } catch (error) {
      this.#once(`what gone containers left stays: ${(error as Error).message}`);
    }
  }

  /** Takes back what attachments have whose containers are gone for certain. */
  collect(): void {
    const { task, log } = this.#options;
    const answer = task('drain', { living: false });
    if (answer.exit_code !== 0) {
      this.#once(`what gone containers left stays: ${answer.stdout.trim()}`);
      return;
    }
    const { drained, errors } = JSON.parse(answer.stdout) as Drained;
    for (const { network, containerID, ifname } of drained) {
      log('info', `took back what ${ifname} of ${containerID} left in ${network}: it is gone`);
    }
    this.collected += drained.length;
    for (const error of errors) this.#once(error);
  }

  /** What stays wrong is said once. */
  #once(msg: string): void {
    if (!this.#said.has(msg)) this.#options.log('error', msg);
    this.#said.add(msg);
  }
}
