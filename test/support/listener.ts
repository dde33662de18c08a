// SPDX-License-Identifier: Apache-2.0
// An agent's ear: what a source said, put together as agent/overlay/agent.ts does it. It refuses
// to expect anything but within a time.
import type {
  ClusterNode,
  NodesUpdate,
  Source,
  SourceListener,
} from '../../agent/overlay/source.ts';

/** Waits for something; how long it took, in milliseconds. */
export async function within(
  limit_ms: number,
  what: string,
  is: () => boolean | Promise<boolean>,
): Promise<number> {
  const start = performance.now();
  for (;;) {
    if (await is()) return Math.round(performance.now() - start);
    if (performance.now() - start > limit_ms) throw new Error(`not within ${limit_ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class Ear implements SourceListener {
  readonly nodes = new Map<string, ClusterNode>();
  readonly updates: NodesUpdate[] = [];
  readonly troubles: string[] = [];
  readonly log: string[] = [];
  readonly source: Source;

  constructor(make: (log: (level: string, msg: string) => void) => Source) {
    this.source = make((_, msg) => this.log.push(msg));
    this.source.start(this);
  }

  /** What keeps the source from knowing now. */
  get now(): string {
    return this.troubles.at(-1) ?? '';
  }

  update(update: NodesUpdate): void {
    this.updates.push(update);
    if (update.full) this.nodes.clear();
    for (const node of update.nodes) this.nodes.set(node.name, node);
    for (const name of update.gone) this.nodes.delete(name);
  }

  trouble(msg: string): void {
    if (msg !== this.now) this.troubles.push(msg);
  }

  get names(): string[] {
    return [...this.nodes.keys()].sort();
  }
}
