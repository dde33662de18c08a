// SPDX-License-Identifier: Apache-2.0
// Knows what dist/ was made of: a hash of all that decides the outcome of a step, and of what it
// made, in dist/.built.json. A step is built when its outputs are there and as they were made, and
// nothing that they were made of has changed, wherever the clone lies. It builds nothing.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { listed } from './files.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** What of a file changes when somebody writes it. */
function stamp(path) {
  const { size, mtimeMs } = statSync(path);
  return `${size} ${mtimeMs}`;
}

/** A program or a file of the machine, as far as it matters: "" when it is not there. */
export function identityOf(path) {
  if (path === undefined || !existsSync(path)) return '';
  const real = realpathSync(path);
  return `${real} ${stamp(real)}`;
}

export class BuildCache {
  #root;
  #file;
  #known;

  /** `root`: the clone. The record is read now, and written by note(). */
  constructor(root) {
    this.#root = root;
    this.#file = join(root, 'dist/.built.json');
    this.#known = this.#read();
  }

  /**
   * A hash of all that decides what a step makes; `surroundings` is what is not in the clone. An
   * input that is not there counts as such.
   */
  keyOf(step, surroundings) {
    const files = listed(this.#root, step.inputs).map((path) => [path, this.#hash(path)]);
    return sha256(JSON.stringify([step.run, step.outputs, files, surroundings]));
  }

  /** Whether the outputs are those that were made under this key. */
  isBuilt(name, step, key) {
    const entry = this.#known[name];
    if (entry?.key !== key) return false;
    return step.outputs.every((path) => {
      const hash = entry.outputs[path]?.hash;
      return hash !== undefined && hash === this.#hash(path);
    });
  }

  /** How long the step took the last time, 0 when it is not known. */
  usual_ms(name) {
    return this.#known[name]?.took_ms ?? 0;
  }

  /** The step has just been built under this key. */
  note(name, step, key, took_ms) {
    const outputs = {};
    for (const path of step.outputs) {
      const whole = join(this.#root, path);
      outputs[path] = { hash: sha256(readFileSync(whole)), stamp: stamp(whole) };
    }
    this.#known = { ...this.#read(), [name]: { key, outputs, took_ms } };
    this.#write();
  }

  #read() {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8'));
    } catch {
      // None yet, or damaged: then everything is built.
      return {};
    }
  }

  #write() {
    mkdirSync(dirname(this.#file), { recursive: true });
    const part = `${this.#file}.${process.pid}`;
    writeFileSync(part, `${JSON.stringify(this.#known, null, 1)}\n`);
    renameSync(part, this.#file);
  }

  /** Of a file; what a step made is not read again while nobody has written it. */
  #hash(path) {
    const whole = join(this.#root, path);
    if (!existsSync(whole)) return '';
    const made = Object.values(this.#known).find((entry) => entry.outputs[path] !== undefined);
    const { hash, stamp: noted } = made?.outputs[path] ?? {};
    return noted !== undefined && noted === stamp(whole) ? hash : sha256(readFileSync(whole));
  }
}
