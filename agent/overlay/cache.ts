// SPDX-License-Identifier: Apache-2.0
// A source that remembers on disk what the one within it said, so that a machine that starts
// while that one is away is wired as before. What is remembered is not trusted: nothing is
// taken away by it. It refuses to remember anything of another network or source.
import { readFileSync } from 'node:fs';
import { replaceFile } from './publish.ts';
import type { ClusterNode, NodesUpdate, OwnNode, Source, SourceListener } from './source.ts';

/** A change is on the disk after so long; a cluster in motion costs a file in that time. */
const WRITE_AFTER_MS = 10_000;

interface Remembered {
  readonly of: string;
  readonly nodes: readonly ClusterNode[];
}

function isNode(value: unknown): value is ClusterNode {
  return typeof (value as ClusterNode | null)?.name === 'string';
}

/** What the file holds of this source; undefined for nothing, an Error for what is no such file. */
function remembered(path: string, of: string): readonly ClusterNode[] | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const parsed = JSON.parse(text) as Partial<Remembered> | null;
  if (!Array.isArray(parsed?.nodes) || !parsed.nodes.every(isNode)) {
    throw new Error('it has no list of nodes');
  }
  return parsed.of === of ? parsed.nodes : undefined;
}

export interface CacheOptions {
  readonly path: string;
  /** What is remembered: of which network, by which source. */
  readonly of: string;
  readonly log: (level: 'info' | 'warn', msg: string) => void;
  readonly write_after_ms?: number;
}

export class RememberingSource implements Source {
  readonly #inner: Source | undefined;
  readonly #options: CacheOptions;
  readonly #nodes = new Map<string, ClusterNode>();
  #timer: NodeJS.Timeout | undefined;
  #trusted = false;

  /** Without a source within, only what is remembered is said. */
  constructor(inner: Source | undefined, options: CacheOptions) {
    this.#inner = inner;
    this.#options = options;
  }

  start(listener: SourceListener): void {
    const { path, of, log } = this.#options;
    try {
      const nodes = remembered(path, of);
      if (nodes !== undefined && nodes.length > 0) {
        log('info', `begins with ${nodes.length} nodes of ${path}, until the source answers`);
        listener.update({ full: true, trusted: false, nodes, gone: [] });
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log('warn', `${path} is of no use, and written anew: ${why}`);
    }
    this.#inner?.start({
      update: (update) => {
        this.#remember(update);
        listener.update(update);
      },
      trouble: (msg) => listener.trouble(msg),
    });
  }

  publish(own: OwnNode): void {
    this.#inner?.publish(own);
  }

  stop(): void {
    this.#inner?.stop();
    if (this.#timer !== undefined) this.#write();
  }

  #remember({ full, trusted, nodes, gone }: NodesUpdate): void {
    if (!trusted) return;
    const first = !this.#trusted;
    if (full) {
      this.#nodes.clear();
      this.#trusted = true;
    }
    for (const node of nodes) this.#nodes.set(node.name, node);
    for (const name of gone) this.#nodes.delete(name);
    if (first) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), this.#after_ms).unref();
  }

  get #after_ms(): number {
    return this.#options.write_after_ms ?? WRITE_AFTER_MS;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { path, of, log } = this.#options;
    // A list without any node may be a mistake: see core-as/overlay/machine.ts.
    if (this.#nodes.size === 0) return;
    try {
      replaceFile(path, `${JSON.stringify({ of, nodes: [...this.#nodes.values()] })}\n`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log('warn', `cannot write ${path}, so a start without the source knows no node: ${why}`);
    }
  }
}
