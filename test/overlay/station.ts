// SPDX-License-Identifier: Apache-2.0
// A node with its machine of agent.wasm and a kernel that is a model: events in, changes
// applied until nothing is asked for again, as agent/overlay/agent.ts does it. It refuses to
// expect anything.
import { AgentCore } from '../../agent/core.ts';
import type { ClusterNode } from '../../agent/overlay/source.ts';
import { wasmModule } from '../support/wasm.ts';
import { ModelKernel } from './model.ts';

export interface Plan {
  readonly changes: readonly string[];
  readonly again: boolean;
  readonly taken: boolean;
  readonly gateways: readonly string[];
  readonly ready: boolean;
  readonly problems: readonly { readonly node: string; readonly msg: string }[];
  readonly mtu_bytes: number;
  readonly served: number;
}

export interface NetworkEvent {
  readonly name?: string;
  readonly cidrs?: readonly string[];
  readonly type?: string;
  readonly vni?: number;
  readonly port?: number;
  readonly mtu_bytes?: number;
  readonly direct?: boolean;
  readonly public_key?: string;
  readonly keepalive_s?: number;
  readonly flannel?: boolean;
}

export const NETWORK: NetworkEvent = { name: 'pods', cidrs: ['10.244.0.0/16', 'fd00:244::/48'] };

/** The node number `i` of a cluster, with both families. */
export const nodeOf = (i: number, more: Partial<ClusterNode> = {}): ClusterNode => ({
  name: `n${i}`,
  subnets: [`10.244.${i}.0/24`, `fd00:244:0:${i.toString(16)}::/64`],
  addresses: [`192.0.2.${i}`, `2001:db8::${i.toString(16)}`],
  mtu_bytes: 1500,
  ...more,
});

export class Station {
  readonly core = new AgentCore(wasmModule('agent'));
  readonly kernel = new ModelKernel();
  #nodes = new Map<string, ClusterNode>();
  #self: string;

  constructor(self: ClusterNode, network: NetworkEvent = NETWORK) {
    this.#self = self.name;
    for (const address of self.addresses ?? []) {
      const v6 = address.includes(':');
      this.kernel.underlay.push({ v6, address, dev: 'eth0', mtu_bytes: 1500 });
    }
    this.tell({ event: 'network', network, self: self.name });
  }

  tell(event: object): Plan {
    return this.core.tell('overlay', event) as Plan;
  }

  #addresses(): string[] {
    return [...this.#nodes.values()].flatMap(({ addresses = [] }) => addresses);
  }

  /** What a source says, and what comes of it at once; a full look is look(). */
  nodes(
    nodes: readonly ClusterNode[],
    { full = true, trusted = true, gone = [] as string[] } = {},
  ) {
    if (full) this.#nodes.clear();
    for (const node of nodes) this.#nodes.set(node.name, node);
    for (const name of gone) this.#nodes.delete(name);
    const { paths } = this.kernel.seen(nodes.flatMap(({ addresses = [] }) => addresses));
    const plan = this.tell({ event: 'nodes', full, trusted, nodes, gone, paths });
    return { ...plan, refused: this.apply(plan.changes) };
  }

  /** Applies changes; those that the kernel refused. `refuse` chooses some to fail. */
  apply(changes: readonly string[], refuse: (change: string) => boolean = () => false): string[] {
    return changes.filter((change) => {
      if (refuse(change)) return true;
      const why = this.kernel.apply(change);
      return why !== '' && !(why === 'ENOENT' && / del /.test(change));
    });
  }

  /** Full looks until nothing is asked for again; all changes, and the last plan. */
  look(refuse?: (change: string) => boolean) {
    const changes: string[] = [];
    const refused: string[] = [];
    let plan: Plan;
    let rounds = 0;
    do {
      plan = this.tell(this.kernel.seen(this.#addresses().filter((one) => !this.#own(one))));
      changes.push(...plan.changes);
      refused.push(...this.apply(plan.changes, refuse));
    } while (plan.again && refused.length === 0 && ++rounds < 5);
    return { ...plan, changes, refused };
  }

  #own(address: string): boolean {
    return this.#nodes.get(this.#self)?.addresses?.includes(address) ?? false;
  }
}
