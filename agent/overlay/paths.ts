// SPDX-License-Identifier: Apache-2.0
// What packets of pods may have on the way to each other node, as the machine of agent.wasm sums
// it up, beside what the kernel's routes carry. It needs no agent that runs: nodes are those that
// the source said last. It changes nothing, and refuses to send anything.
import { routeOperations } from '../../host-node/drivers/route.ts';
import type { AgentCore } from '../core.ts';
import type { AgentConfig } from './config.ts';
import type { Problem } from './plan.ts';
import { Kernel } from './see.ts';
import type { ClusterNode, Source } from './source.ts';

/** A row of core-as/overlay/survey.ts. */
interface Surveyed {
  readonly node: string;
  /** Of its pods. */
  readonly subnet: string;
  /** The link that packets of pods leave by. */
  readonly dev: string;
  /** Where outer packets go; of a plain route, the next hop. */
  readonly address: string;
  /** This node's own address among its pods', "" for none. */
  readonly source: string;
  /** The other node's address among its pods'. */
  readonly inside: string;
  /** The link that outer packets leave by, and what it takes. */
  readonly underlay: string;
  readonly underlay_bytes: number;
  /** What this kernel knows of the way to the address, 0 for nothing. */
  readonly way_bytes: number;
  /** What the other node says of itself, 0 for nothing. */
  readonly node_bytes: number;
  readonly overhead_bytes: number;
  readonly mtu_bytes: number;
}

export interface Path extends Surveyed {
  /** What the kernel's route carries, 0 when none leads there by that link. */
  readonly route_bytes: number;
}

export interface Looked {
  /** What pods of this node get. */
  readonly mtu_bytes: number;
  readonly v6: boolean;
  readonly paths: readonly Path[];
  readonly problems: readonly Problem[];
}

interface Answer {
  readonly mtu_bytes: number;
  readonly networks: readonly string[];
  readonly paths: readonly Surveyed[];
  readonly problems: readonly Problem[];
}

/** The nodes that a source says at once, and why it says none. */
function nodesOf(source: Source): { nodes: readonly ClusterNode[]; trouble: string } {
  let nodes: readonly ClusterNode[] = [];
  let trouble = '';
  source.start({
    update: (update) => {
      nodes = update.nodes;
    },
    trouble: (msg) => {
      trouble = msg;
    },
  });
  source.stop();
  return { nodes, trouble };
}

/** `source` is a silent one. An Error says why there is nothing to be looked at. */
export function lookAtPaths(core: AgentCore, config: AgentConfig, source: Source): Looked {
  const { nodes, trouble } = nodesOf(source);
  if (trouble !== '') throw new Error(trouble);
  if (nodes.length === 0) {
    throw new Error('no node is known here: start the agent, or name its --disk-dir');
  }
  const tell = (event: object): Answer => core.tell('overlay', event) as Answer;
  const kernel = new Kernel();
  try {
    const self = nodes.find(({ name }) => name === config.node);
    const { addresses: own = [], public_key = '' } = self ?? {};
    tell({ event: 'network', network: { ...config.network, public_key }, self: config.node });
    const others = nodes.filter(({ name }) => name !== config.node);
    const addresses = others.flatMap(({ addresses: all = [] }) => all);
    tell({ event: 'nodes', full: true, trusted: false, nodes, gone: [] });
    // Only what is seen of the links below: what is to change is not asked for.
    const { name, type, cidrs } = config.network;
    tell(kernel.see({ name, type, cidrs, own, others: addresses }));
    const { mtu_bytes, networks, paths, problems } = tell({ event: 'paths' });
    const carried = carriedBy(kernel);
    return {
      mtu_bytes,
      v6: networks.some((cidr) => cidr.includes(':')),
      paths: paths.map((path) => ({ ...path, route_bytes: carried(path) })),
      problems,
    };
  } finally {
    kernel.close();
  }
}

/** What a route to the pods of a node carries. */
function carriedBy(kernel: Kernel): (path: Surveyed) => number {
  const { route_get } = routeOperations(kernel.spaces, (action) => action());
  const links = kernel.linksByIndex();
  return ({ dev, inside }) => {
    try {
      const route = route_get({ ns: 0, dst: inside });
      const link = links.get(route.ifindex);
      if (link?.name !== dev) return 0;
      return Math.min(route.mtu_bytes || link.mtu_bytes, link.mtu_bytes);
    } catch {
      // No route, or one that says that there is none.
      return 0;
    }
  };
}
