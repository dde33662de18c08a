// SPDX-License-Identifier: Apache-2.0
// What the machine of agent.wasm answers, and what of it is told to people and programs. It changes
// nothing and refuses to ask anybody.
import type { Refused } from './apply.ts';
import type { NodeState } from './publish.ts';
import type { Seen } from './see.ts';

const REFUSALS_SHOWN = 10;

export interface Problem {
  /** The node that it is about, "" for this one. */
  readonly node: string;
  readonly msg: string;
}

/** What the machine answers. */
export interface Plan extends NodeState {
  readonly changes: readonly string[];
  readonly again: boolean;
  /** Whether the event was acted on. */
  readonly taken: boolean;
  readonly problems: readonly Problem[];
  readonly served: number;
  readonly entries: number;
}

/** What is known of a running agent, for people and programs that ask. */
export interface AgentState extends NodeState {
  readonly wanted: number;
  readonly served: number;
  readonly entries: number;
  readonly problems: readonly Problem[];
  readonly source_trouble: string;
  /** Changes that full looks at the kernel led to, after the first: what somebody else undid. */
  readonly repairs: number;
  readonly resyncs: number;
  readonly refused: number;
  readonly underlay: Seen['underlay'];
  /** Of this node's WireGuard device, "" without one. */
  readonly public_key: string;
}

/** A change as the log has it: why somebody else's device goes. */
export function reasoned(change: string): string {
  if (!change.startsWith('link del flannel')) return change;
  return `${change}: flanneld is gone, and ours takes its place with its hardware address`;
}

/** A plan that the kernel did not take whole. */
export function refusedPlan(plan: Plan, refused: readonly Refused[]): Plan {
  const said = refused.slice(0, REFUSALS_SHOWN).map(({ change, error }) => {
    return { node: '', msg: `the kernel refuses "${change}": ${error.message}` };
  });
  return { ...plan, ready: false, problems: [...plan.problems, ...said] };
}
