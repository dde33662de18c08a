// SPDX-License-Identifier: Apache-2.0
// Running pods follow the MTU that new ones get: which, and how, is the core's (the task `pod_mtu`,
// core-as/tasks/pod-mtu.ts). It owns when the core is asked, and refuses to ask while nothing
// changed.
import type { Answer } from '../../host-node/core.ts';

/** One task of the core on this machine. */
export type Task = (name: string, request: object) => Answer;

type Log = (level: 'info' | 'warn' | 'error', msg: string) => void;

interface Pod {
  readonly containerID: string;
  readonly ifname: string;
  readonly mtu_bytes?: number;
  readonly host?: string;
  readonly changed?: boolean;
  readonly error?: string;
}

/** Once more after a change: a pod may have been made meanwhile, by what the plugin read before. */
const SWEEPS = 2;

export class Pods {
  readonly #task: Task;
  readonly #network: string;
  readonly #log: Log;
  /** What pods of the last change had, and how often they are still to be looked at. */
  #before_bytes = 0;
  #sweeps = 0;
  /** Errors of the last look. What stays wrong is tried again, and not told again. */
  #errors: ReadonlySet<string> = new Set();

  constructor(task: Task, network: string, log: Log) {
    this.#task = task;
    this.#network = network;
    this.#log = log;
  }

  /** After each look: what plugins were told before, and are told now. */
  follow(told_bytes: number, mtu_bytes: number, v6: boolean): void {
    if (told_bytes !== 0 && told_bytes !== mtu_bytes) {
      this.#before_bytes = told_bytes;
      this.#sweeps = SWEEPS;
      this.#errors = new Set();
    }
    if (this.#sweeps === 0) return;
    const [network, before_bytes] = [this.#network, this.#before_bytes];
    const request = { network, mtu_bytes, v6, before_bytes, apply: true };
    const answer = this.#task('pod_mtu', request);
    const failed = answer.exit_code !== 0;
    const errors = failed ? [`the MTU of pods stays: ${answer.stdout}`] : [];
    const { pods } = failed ? { pods: [] } : (JSON.parse(answer.stdout) as { pods: Pod[] });
    for (const { containerID, ifname, host = '', mtu_bytes: had, changed, error } of pods) {
      const what = `${ifname} and ${host} of ${containerID}`;
      if (changed) this.#log('info', `link set ${what} mtu ${mtu_bytes}, was ${had}`);
      else if (error !== undefined) errors.push(`${what} keep their MTU: ${error}`);
    }
    for (const error of errors) if (!this.#errors.has(error)) this.#log('error', error);
    this.#errors = new Set(errors);
    // What failed is tried at every look, until it is done or there is another change.
    if (errors.length === 0) this.#sweeps--;
  }
}
