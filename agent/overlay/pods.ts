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
  readonly now_bytes?: number;
  readonly host?: string;
  readonly host_bytes?: number;
  readonly host_now_bytes?: number;
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
    }
    if (this.#sweeps === 0) return;
    const [network, before_bytes] = [this.#network, this.#before_bytes];
    const request = { network, mtu_bytes, v6, before_bytes, apply: true };
    const answer = this.#task('pod_mtu', request);
    const failed = answer.exit_code !== 0;
    if (failed) this.#log('error', `the MTU of pods stays: ${answer.stdout}`);
    const { pods } = failed ? { pods: [] } : (JSON.parse(answer.stdout) as { pods: Pod[] });
    for (const { containerID, ifname, host = '', error, ...pod } of pods) {
      const of = `of ${containerID}`;
      const { mtu_bytes: had, now_bytes: has, host_bytes, host_now_bytes } = pod;
      const ends = [had === has ? [] : ifname, host_bytes === host_now_bytes ? [] : host].flat();
      const was = had === has ? host_bytes : had;
      const now = had === has ? host_now_bytes : has;
      if (ends.length > 0) {
        this.#log('info', `link set ${ends.join(' and ')} ${of} mtu ${now}, was ${was}`);
      }
      if (error !== undefined) this.#log('error', `${ifname} and ${host} ${of}: ${error}`);
    }
    // What failed is tried at every look, until it is done or there is another change.
    const again = failed || pods.some(({ error }) => error !== undefined);
    if (!again) this.#sweeps--;
  }
}
