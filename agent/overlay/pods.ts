// SPDX-License-Identifier: Apache-2.0
// Running pods follow the MTU that new ones get: which, and how, is the core's (the task `pod_mtu`,
// core-as/tasks/pod-mtu.ts). It owns when the core is asked, and what pods may have been
// given by an agent before; it refuses to ask while nothing changed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from '../../host-node/core.ts';
import { replaceFile } from './publish.ts';

/** One task of the core on this machine. */
export type Task = (name: string, request: object) => Answer;

type Log = (level: 'info' | 'warn' | 'error', msg: string) => void;

interface Pod {
  readonly containerID: string;
  readonly ifname: string;
  readonly mtu_bytes?: number;
  readonly now_bytes?: number;
  readonly host?: string;
  readonly host_bytes?: number;
  readonly host_now_bytes?: number;
  readonly error?: string;
}

/** Once more after a change: a pod may have been made meanwhile, by what the plugin read before. */
const SWEEPS = 2;

/** Keeps which MTUs pods may have been given, for an agent that comes after this one. */
class Given {
  readonly #path: string;

  constructor(network: string, stateDir: string) {
    this.#path = join(stateDir, 'overlay', 'given', `${network}.json`);
  }

  /** None where nothing is kept, or by nobody that could be understood. */
  read(): number[] {
    try {
      const kept: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      const { mtu_bytes } = kept as { mtu_bytes?: unknown };
      if (!Array.isArray(mtu_bytes)) return [];
      return mtu_bytes.filter((one) => Number.isInteger(one) && one > 0);
    } catch {
      return [];
    }
  }

  keep(mtu_bytes: readonly number[]): void {
    replaceFile(this.#path, `${JSON.stringify({ mtu_bytes })}\n`);
  }
}

export class Pods {
  readonly #task: Task;
  readonly #network: string;
  readonly #log: Log;
  readonly #given: Given;
  /** What they are given, and how often they are still to be looked at. */
  #mtu_bytes = 0;
  #sweeps = 0;
  /** Errors of the last look. What stays wrong is tried again, and not told again. */
  #errors: ReadonlySet<string> = new Set();

  constructor(task: Task, network: string, log: Log, stateDir: string) {
    this.#task = task;
    this.#network = network;
    this.#log = log;
    this.#given = new Given(network, stateDir);
  }

  /** After each look: what plugins were told before, and are told now. */
  follow(told_bytes: number, mtu_bytes: number, v6: boolean): void {
    const kept = new Set([...this.#given.read(), told_bytes, mtu_bytes]);
    kept.delete(0);
    const former = [...kept].filter((one) => one !== mtu_bytes);
    const anew = mtu_bytes !== this.#mtu_bytes || ![0, mtu_bytes].includes(told_bytes);
    if (anew) {
      this.#sweeps = former.length > 0 ? SWEEPS : 0;
      this.#errors = new Set();
    }
    this.#mtu_bytes = mtu_bytes;
    // Before the first is set: an agent that ends in between leaves some with this, some with that.
    this.#given.keep([...kept]);
    if (this.#sweeps === 0) return;
    // What failed is tried at every look, until it is done or there is another change.
    const errors = former.flatMap((before_bytes) => this.#sweep(before_bytes, mtu_bytes, v6));
    for (const error of new Set(errors)) if (!this.#errors.has(error)) this.#log('error', error);
    this.#errors = new Set(errors);
    if (errors.length > 0) return;
    this.#sweeps--;
    if (this.#sweeps === 0) this.#given.keep([mtu_bytes]);
  }

  /** Once for all pods; gives what went wrong. */
  #sweep(before_bytes: number, mtu_bytes: number, v6: boolean): string[] {
    const request = { network: this.#network, mtu_bytes, v6, before_bytes, apply: true };
    const answer = this.#task('pod_mtu', request);
    if (answer.exit_code !== 0) return [`the MTU of pods stays: ${answer.stdout}`];
    const errors: string[] = [];
    const { pods } = JSON.parse(answer.stdout) as { pods: Pod[] };
    for (const { containerID, ifname, host = '', error, ...pod } of pods) {
      const of = `of ${containerID}`;
      const { mtu_bytes: had, now_bytes: has, host_bytes, host_now_bytes } = pod;
      const ends = [had === has ? [] : ifname, host_bytes === host_now_bytes ? [] : host].flat();
      const was = had === has ? host_bytes : had;
      const now = had === has ? host_now_bytes : has;
      if (ends.length > 0) {
        this.#log('info', `link set ${ends.join(' and ')} ${of} mtu ${now}, was ${was}`);
      }
      if (error !== undefined) errors.push(`${ifname} and ${host} ${of}: ${error}`);
    }
    return errors;
  }
}
