// SPDX-License-Identifier: Apache-2.0
// Where an agent learns of the cluster's nodes: what a source of any kind says, and how. It refuses
// to know any kind.

/** A node as core-as/overlay/node.ts reads it. */
export interface ClusterNode {
  readonly name: string;
  /** The pods' subnets of the node, as CIDR. */
  readonly subnets?: readonly string[];
  /** By which other nodes reach it. */
  readonly addresses?: readonly string[];
  /** Hardware addresses of its tunnel devices, where they are not made of its name. */
  readonly macs?: { readonly v4?: string; readonly v6?: string };
  /** Of its WireGuard device, in base64. */
  readonly public_key?: string;
  /** Of the link that its outer packets leave by. */
  readonly mtu_bytes?: number;
  /** When the source first knew of it, a text that sorts by time. */
  readonly created?: string;
  /** Whether the source holds it for dead. */
  readonly dead?: boolean;
  /** Why it cannot be reached, whatever else is said of it. */
  readonly unfit?: string;
}

/** What a source says: all that it knows (`full`), or what changed. */
export interface NodesUpdate {
  readonly full: boolean;
  /** Whether it is from the source itself: of what is only remembered, nothing is taken away. */
  readonly trusted: boolean;
  readonly nodes: readonly ClusterNode[];
  readonly gone: readonly string[];
}

export interface SourceListener {
  update(update: NodesUpdate): void;
  /** What keeps the source from knowing; '' when it knows again. What was said before holds on. */
  trouble(msg: string): void;
}

/** What other nodes, and the cluster, are to know of this one. */
export interface OwnNode {
  /** Whether its pods are served. */
  readonly ready: boolean;
  /** Of the link that outer packets leave by. */
  readonly mtu_bytes: number;
  /** Of its tunnel devices, as the kernel has them. */
  readonly macs: { readonly v4?: string; readonly v6?: string };
  /** Of its WireGuard device, in base64. */
  readonly public_key?: string;
  /** By which outer packets come to it, one of each family. */
  readonly addresses?: readonly string[];
}

export interface Source {
  /** Begins to say what it knows. */
  start(listener: SourceListener): void;
  /** Said after each look, changed or not; a source that has no place for it ignores it. */
  publish(own: OwnNode): void;
  stop(): void;
}
