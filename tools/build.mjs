// SPDX-License-Identifier: Apache-2.0
// Builds what is asked for and what that is made of, if it is not built already: as many steps at
// once as there are processors, each a program of its own. Two builds in one clone wait for each
// other. It runs under any Node from 20; the table of steps is tools/build-steps.mjs.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findProgram, node26, PACKAGES, ROOT } from '../scripts/setup.mjs';
import { BuildCache, identityOf } from './build-cache.mjs';
import { ALL, STEPS } from './build-steps.mjs';
import { withLock } from './lock.mjs';
import { Progress } from './progress.mjs';

/** So often a step whose inputs change meanwhile is built anew. */
const TRIES = 3;

const providers = (names) => PACKAGES.filter((row) => names.includes(row.package));

/** Why a step cannot be built on this machine; "" when it can. */
export function lacking({ architectures, packages = [] }) {
  if (architectures?.includes(process.arch) === false) return `it is not made on ${process.arch}`;
  const missing = providers(packages).filter((row) => findProgram(row.provides) === undefined);
  const names = [...new Set(missing.map((row) => row.package))].join(', ');
  return names === '' ? '' : `it needs the packages ${names}`;
}

/** What decides the outcome of a step and does not lie in the clone. */
function surroundings(root, { npm = [], programs = [], packages = [] }) {
  const version = (name) => {
    const path = join(root, 'node_modules', name, 'package.json');
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : '';
  };
  const files = [...programs, ...providers(packages).map((row) => row.provides)];
  return [npm.map(version), files.map((name) => identityOf(findProgram(name)))];
}

/** The steps, and before them those whose outputs they are made of. */
function inOrder(steps, names) {
  const order = new Set();
  const add = (name) => {
    const step = steps[name];
    if (step === undefined) {
      throw new Error(`there is no step "${name}"; there are ${Object.keys(steps).join(', ')}`);
    }
    for (const earlier of beforeOf(steps, step)) add(earlier);
    order.add(name);
  };
  for (const name of names) add(name);
  return [...order];
}

const beforeOf = (steps, { inputs }) =>
  Object.keys(steps).filter((name) => steps[name].outputs.some((path) => inputs.includes(path)));

/** Runs the program of a step; throws with what it wrote when it fails. */
function run(root, [script, ...words]) {
  const args = ['--experimental-ffi', '--no-warnings', script, ...words];
  const child = spawn(node26(), args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(new Error(`${Buffer.concat(said)}it ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

class Build {
  #root;
  #steps;
  #cache;
  #progress;
  #promises = new Map();
  #idle = availableParallelism();
  #queue = [];

  constructor(root, steps, progress) {
    this.#root = root;
    this.#steps = steps;
    this.#progress = progress;
    this.#cache = new BuildCache(root);
  }

  /** Resolves when the step is built, after those before it. */
  step(name) {
    const known = this.#promises.get(name) ?? this.#after(name);
    this.#promises.set(name, known);
    return known;
  }

  async #after(name) {
    const step = this.#steps[name];
    await Promise.all(beforeOf(this.#steps, step).map((earlier) => this.step(earlier)));
    const why = lacking(step);
    if (why !== '') {
      for (const path of step.outputs) rmSync(join(this.#root, path), { force: true });
      this.#progress.say(`${name} is left out: ${why}`);
      return;
    }
    for (let tries = 0; tries < TRIES; tries++) if (await this.#isMade(name, step)) return;
    throw new Error(`${name}: what it is made of changes faster than it is built`);
  }

  /** Builds a step unless it is built; false when its inputs changed meanwhile. */
  async #isMade(name, step) {
    const keyNow = () => this.#cache.keyOf(step, surroundings(this.#root, step));
    const key = keyNow();
    if (this.#cache.isBuilt(name, step, key)) return true;
    await this.#turn(name);
    this.#progress.start(name, this.#cache.usual_ms(name));
    let took_ms = 0;
    try {
      await run(this.#root, step.run);
    } catch (error) {
      throw new Error(`${name} failed\n${error.message}`);
    } finally {
      took_ms = this.#progress.end(name);
      this.#next();
    }
    if (keyNow() !== key) {
      this.#progress.say(`${name}: what it is made of changed meanwhile; once more`);
      return false;
    }
    this.#cache.note(name, step, key, took_ms);
    this.#progress.say(`${name} in ${(took_ms / 1000).toFixed(1)} s`);
    return true;
  }

  /** Resolves when a processor is idle; of steps that wait the first in the table goes first. */
  #turn(name) {
    if (this.#idle > 0) {
      this.#idle--;
      return undefined;
    }
    const rank = Object.keys(this.#steps).indexOf(name);
    return new Promise((go) => this.#queue.push({ rank, go }));
  }

  #next() {
    const first = this.#queue.sort((a, b) => a.rank - b.rank).shift();
    if (first === undefined) this.#idle++;
    else first.go();
  }
}

/**
 * Builds the named steps, all without names. Throws with the words of the step that failed, once
 * those that ran beside it have ended. `root` and `steps` are of another project in tests only.
 */
export async function build(names = ALL, { root = ROOT, steps = STEPS, out } = {}) {
  const order = inOrder(steps, names);
  const progress = new Progress('build', out);
  const waiting = () => progress.say('another build runs in this clone: waiting for it');
  await withLock(join(root, 'dist/.lock'), waiting, async () => {
    const one = new Build(root, steps, progress);
    const ends = await Promise.allSettled(order.map((name) => one.step(name)));
    const failed = ends.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  });
}
