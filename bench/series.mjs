// SPDX-License-Identifier: Apache-2.0
// Samples of what is measured again and again, and what is said of them.
// It refuses to run anything.

/** The smallest value that `share` of the values do not exceed. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** `least` and `quarter`, which a quarter does not exceed, say what a busy machine hides. */
export const spread = (values) => ({
  least: quantile(values, 0),
  quarter: quantile(values, 0.25),
  median: quantile(values, 0.5),
  p95: quantile(values, 0.95),
});

/** Adds up what was measured of the plugins of one chain. */
export function total(samples) {
  const sum = (name) => samples.reduce((added, sample) => added + sample[name], 0);
  return { wall_ms: sum('wall_ms'), cpu_ms: sum('cpu_ms'), left_ms: sum('left_ms') };
}

export class Series {
  #samples = [];

  add(sample) {
    this.#samples.push(sample);
  }

  get size() {
    return this.#samples.length;
  }

  /** Wall time, CPU time, and how much longer what a call left running went on. */
  summary() {
    const of = (name) => spread(this.#samples.map((sample) => sample[name]));
    return { wall_ms: of('wall_ms'), cpu_ms: of('cpu_ms'), left_ms: of('left_ms') };
  }
}
