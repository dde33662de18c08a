// SPDX-License-Identifier: Apache-2.0
// Ends the process when one input takes for ever: wasm that loops cannot be interrupted from its
// own thread. A second thread watches a counter, says which input it was, and kills.
import { Worker } from 'node:worker_threads';

const PATIENCE_MS = 60_000;
const INPUT_MAX_BYTES = 1 << 20;

const SCRIPT = `
const { workerData: { state, input, patience_ms } } = require('node:worker_threads');
const { writeSync } = require('node:fs');
for (;;) {
  const count = Atomics.load(state, 0);
  // Woken by every input; asleep for so long means that the same one still runs.
  if (Atomics.wait(state, 0, count, patience_ms) !== 'timed-out' || state[2] === 0) continue;
  const text = Buffer.from(input.slice(0, state[1])).toString('base64');
  writeSync(2, 'fuzz: this input does not end (base64): ' + text + '\\n');
  process.kill(process.pid, 'SIGKILL');
}`;

export class Watchdog {
  /** Inputs so far, length of this one, whether one runs. */
  readonly #state = new Int32Array(new SharedArrayBuffer(12));
  readonly #input = new Uint8Array(new SharedArrayBuffer(INPUT_MAX_BYTES));
  readonly #worker: Worker;

  constructor(patience_ms = PATIENCE_MS) {
    const workerData = { state: this.#state, input: this.#input, patience_ms };
    this.#worker = new Worker(SCRIPT, { eval: true, execArgv: [], workerData });
    this.#worker.unref();
  }

  /** Runs one input under watch. */
  watch(input: Uint8Array, run: () => void): void {
    const kept = input.subarray(0, INPUT_MAX_BYTES);
    this.#input.set(kept);
    this.#state[1] = kept.length;
    this.#state[2] = 1;
    Atomics.add(this.#state, 0, 1);
    Atomics.notify(this.#state, 0);
    try {
      run();
    } finally {
      this.#state[2] = 0;
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
