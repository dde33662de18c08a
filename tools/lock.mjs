// SPDX-License-Identifier: Apache-2.0
// A lock on a file for as long as a function runs, also against other processes. It is flock(2), by
// the program flock: whoever dies gives it back. Where there is no such program nothing is locked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Its standard output ends or brings a line when it is known whether the lock is held. */
const HELD = 'echo held; cat >/dev/null';
const EXIT_TAKEN = 75;

/** A process that holds the lock until its input ends; undefined when somebody else has it. */
async function take(path, words) {
  const args = [...words, '-E', `${EXIT_TAKEN}`, path, 'sh', '-c', HELD];
  const child = spawn('flock', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = new Promise((_, reject) => child.once('error', reject));
  const said = new Promise((resolve) => child.stdout.once('data', () => resolve('held')));
  const ended = once(child, 'close').then(([code]) => code);
  const how = await Promise.race([said, ended, failed]);
  if (how === 'held') return { child, ended };
  if (how === EXIT_TAKEN) return undefined;
  throw new Error(`flock ${path} ended with exit code ${how}`);
}

/** Resolves to what `body` does. `waiting` is called when somebody else has the lock. */
export async function withLock(path, waiting, body) {
  mkdirSync(dirname(path), { recursive: true });
  let held;
  try {
    held = await take(path, ['--nonblock']);
    if (held === undefined) {
      waiting();
      held = await take(path, []);
    }
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  try {
    return await body();
  } finally {
    held?.child.stdin.end();
    await held?.ended;
  }
}
