// SPDX-License-Identifier: Apache-2.0
// Says how far the bench is, at most every few seconds.

const EVERY_MS = 5000;

const start_ms = Date.now();
let last_ms = 0;

export function say(text) {
  last_ms = Date.now();
  const seconds = String(Math.round((last_ms - start_ms) / 1000)).padStart(4);
  console.log(`bench:${seconds} s: ${text}`);
}

/** Says it when nothing was said for a while. */
export function progress(text) {
  if (Date.now() - last_ms >= EVERY_MS) say(text);
}
