// SPDX-License-Identifier: Apache-2.0
// A file as the source of nodes, as docs/overlay.md has it.
// It is read again when it changes. A file that is missing, half written or no JSON is trouble,
// and says nothing of nodes: what was known holds on.
import { readFileSync, statSync } from 'node:fs';
import type { ClusterNode, NodesUpdate, Source, SourceListener } from '../source.ts';

const LIMIT_BYTES = 64 << 20;
/** A rename by another program is seen so, on every file system. */
const LOOK_EVERY_MS = 500;

/** The nodes of a file's text; an Error says what is wrong with it. */
export function nodesOf(text: string): ClusterNode[] {
  if (text.trim() === '') throw new Error('it is empty');
  const parsed: unknown = JSON.parse(text);
  const nodes = (parsed as { nodes?: unknown } | null)?.nodes;
  if (!Array.isArray(nodes)) throw new Error('it has no list "nodes"');
  for (const [at, node] of nodes.entries()) {
    if (typeof (node as ClusterNode | null)?.name === 'string') continue;
    throw new Error(`entry ${at + 1} of "nodes" has no "name"`);
  }
  return nodes as ClusterNode[];
}

/** What tells one version of a file from the next. */
function versionOf(path: string): string {
  const { ino, mtimeNs, size } = statSync(path, { bigint: true });
  if (size > LIMIT_BYTES) throw new Error(`it is larger than ${LIMIT_BYTES >> 20} MiB`);
  return `${ino} ${mtimeNs} ${size}`;
}

export class FileSource implements Source {
  readonly #path: string;
  #version = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  start(listener: SourceListener): void {
    this.#look(listener);
    this.#timer = setInterval(() => this.#look(listener), LOOK_EVERY_MS);
  }

  publish(): void {}

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(listener: SourceListener): void {
    let update: NodesUpdate;
    try {
      const version = versionOf(this.#path);
      if (version === this.#version) return;
      const nodes = nodesOf(readFileSync(this.#path, 'utf8'));
      update = { full: true, trusted: true, nodes, gone: [] };
      this.#version = version;
    } catch (error) {
      this.#version = '';
      const why = error instanceof Error ? error.message : String(error);
      listener.trouble(`cannot read the nodes of ${this.#path}: ${why}`);
      return;
    }
    listener.trouble('');
    listener.update(update);
  }
}
