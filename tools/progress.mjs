// SPDX-License-Identifier: Apache-2.0
// Tells people that something goes on. What is over within two seconds is told by its last line
// alone. On a terminal a line with all that runs changes in its place; without one, plain lines say
// what runs and, every now and then, that it still does. It knows nothing of what runs.

const SILENT_MS = 2000;
const REDRAW_MS = 200;
const REMIND_MS = 30_000;
const ERASE = '\r\x1b[K';

const seconds = (time_ms) => `${Math.round(time_ms / 1000)} s`;

export class Progress {
  #out;
  #prefix;
  #running = new Map();
  #timer;

  /** `prefix` begins each line, such as "build"; `out` is a stream as process.stdout. */
  constructor(prefix, out = process.stdout) {
    this.#prefix = prefix;
    this.#out = out;
  }

  /** Something runs now; `usual_ms` is what it took the last time, 0 for unknown. */
  start(name, usual_ms = 0) {
    this.#running.set(name, { start_ms: Date.now(), usual_ms, told_ms: 0 });
    this.#timer ??= setInterval(() => this.#tell(), REDRAW_MS);
  }

  /** It runs no more; gives the milliseconds that it took. */
  end(name) {
    const { start_ms } = this.#running.get(name);
    this.#running.delete(name);
    if (this.#out.isTTY) this.#out.write(ERASE);
    if (this.#running.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    return Date.now() - start_ms;
  }

  /** A line that stays. */
  say(line) {
    if (this.#out.isTTY) this.#out.write(ERASE);
    this.#out.write(`${this.#prefix}: ${line}\n`);
  }

  #tell() {
    const now_ms = Date.now();
    const long = [...this.#running].filter(([, { start_ms }]) => now_ms - start_ms >= SILENT_MS);
    if (this.#out.isTTY) {
      const words = long.map(([name, { start_ms, usual_ms }]) => {
        const of = usual_ms > 0 ? ` of some ${seconds(usual_ms)}` : '';
        return `${name} ${seconds(now_ms - start_ms)}${of}`;
      });
      if (words.length > 0) this.#out.write(this.#fitting(words.join(', ')));
      return;
    }
    for (const [name, entry] of long) {
      const after_ms = now_ms - entry.start_ms;
      if (entry.told_ms !== 0 && now_ms - entry.told_ms < REMIND_MS) continue;
      const usual = entry.usual_ms > 0 ? `, some ${seconds(entry.usual_ms)} the last time` : '';
      this.say(`${name} …${entry.told_ms === 0 ? usual : ` ${seconds(after_ms)}`}`);
      entry.told_ms = now_ms;
    }
  }

  /** The line that changes, no longer than the terminal is wide. */
  #fitting(text) {
    const line = `${this.#prefix}: ${text}`;
    return `${ERASE}${line.slice(0, (this.#out.columns ?? 80) - 1)}`;
  }
}
