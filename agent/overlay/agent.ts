// SPDX-License-Identifier: Apache-2.0
// The overlay of a node, for as long as the agent runs: a source says which nodes there are,
// the machine of agent.wasm what is to change, the kernel is changed, and the plugins are told.
// All of it is looked at anew at the start, when the kernel says that one of our links changed,
// and every half a minute. It owns that order and refuses to decide what is wanted.
import { OsError } from '../../host-node/abi/index.ts';
import type { AgentCore } from '../core.ts';
import { Applier, type Refused } from './apply.ts';
import type { AgentConfig } from './config.ts';
import { KernelEvents } from './events.ts';
import type { Flanneld } from './flannel.ts';
import { Guard } from './guard.ts';
import type { KeyPair, KeySource } from './keys.ts';
import { ownKey, ownNode } from './own.ts';
import { type AgentState, type Plan, reasoned, refusedPlan } from './plan.ts';
import type { Pods } from './pods.ts';
import type { Publisher } from './publish.ts';
import { Kernel, type Seen } from './see.ts';
import type { ClusterNode, NodesUpdate, Source } from './source.ts';
import { sweep } from './sweep.ts';

const RESYNC_EVERY_MS = 30_000;
/** A look at what more nodes have in the kernel leaves garbage that is worth another. */
const SWEEP_FROM = 200;
const FLANNELD_EVERY_MS = 1_000;
const LISTEN_EVERY_MS = 200;
/** After a change that the kernel refused; doubled each time, to the last. */
const RETRY_MS = { first: 1_000, last: 30_000 };
/** A device is made, then what is on it; more rounds would mean that it never becomes right. */
const ROUNDS = 4;
/** Every how many looks the ways to all nodes are asked for. */
const WAYS_EVERY = 10;

export interface AgentParts {
  readonly core: AgentCore;
  readonly config: AgentConfig;
  readonly source: Source;
  readonly publisher: Publisher;
  /** Of WireGuard, undefined for other backends. */
  readonly key: KeySource | undefined;
  /** Of this node; undefined where nobody asks for it. */
  readonly flanneld: Flanneld | undefined;
  /** Undefined where running pods keep their MTU. */
  readonly pods: Pods | undefined;
  /** Where sysctls are written. */
  readonly proc_sys: string;
  readonly log: (level: 'info' | 'warn' | 'error', msg: string) => void;
}

export class OverlayAgent {
  readonly #parts: AgentParts;
  readonly #kernel = new Kernel();
  readonly #applier: Applier;
  readonly #nodes = new Map<string, ClusterNode>();
  readonly #guard: Guard;
  #guard_trouble = '';
  #key_trouble = '';
  /** Of flanneld on this node. */
  #flanneld_trouble = '';
  /** Whether this node was ever seen to be ours: what flanneld starts afterwards is beside us. */
  #ours = false;
  /** That the machine knows, which stays while the file is away. */
  #pair: KeyPair | undefined;
  #events: KernelEvents | undefined;
  #timers: NodeJS.Timeout[] = [];
  #retry: NodeJS.Timeout | undefined;
  #retry_ms = RETRY_MS.first;
  #plan: Plan | undefined;
  #seen: Seen | undefined;
  #told = new Set<string>();
  #counts = { repairs: 0, resyncs: 0, refused: 0 };
  #source_trouble = '';
  /** Subnets of this node before they changed, "" while they did not. */
  #had_subnets = '';

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#guard = new Guard(parts.config.network);
    const private_key = (): string => this.#pair?.private_key ?? '';
    this.#applier = new Applier(this.#kernel, parts.proc_sys, private_key);
  }

  start(): void {
    this.#events = new KernelEvents();
    this.#takeKey();
    this.#begin();
  }

  /** Nothing is done, and nothing said to others, while flanneld keeps this node. */
  #begin(): void {
    const { source } = this.#parts;
    if (this.#yields()) {
      this.#retry = setTimeout(() => this.#begin(), FLANNELD_EVERY_MS);
      return;
    }
    source.start({
      update: (update) => this.#trying(() => this.#update(update)),
      trouble: (msg) => this.#trouble(msg),
    });
    this.#timers = [
      setInterval(() => this.#trying(() => this.resync()), RESYNC_EVERY_MS),
      setInterval(() => this.#trying(() => this.#listen()), LISTEN_EVERY_MS),
    ];
  }

  /** Looks again when flanneld may be gone. */
  #later(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#trying(() => this.resync(true)), FLANNELD_EVERY_MS);
  }

  /**
   * Whether this node is still flanneld's, which is a problem. It stays so from a look at the
   * kernel that found a device of ours.
   */
  #yields(): boolean {
    const { flanneld, config } = this.#parts;
    if (flanneld === undefined || this.#ours) return false;
    try {
      this.#ours = this.#kernel.has(config.network);
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      return this.#flanneldSaid(`whether this node is flanneld's cannot be seen: ${error.message}`);
    }
    return this.#flanneldSaid(this.#ours ? '' : flanneld.keeps);
  }

  /** Whether flanneld is here, which is a problem. */
  #besideFlanneld(): boolean {
    return this.#flanneldSaid(this.#parts.flanneld?.here ?? '');
  }

  #flanneldSaid(said: string): boolean {
    if (said !== '' && said !== this.#flanneld_trouble) this.#parts.log('warn', said);
    this.#flanneld_trouble = said;
    return said !== '';
  }

  /** Whether it does nothing yet. */
  get waiting(): boolean {
    return this.#parts.flanneld !== undefined && !this.#ours && this.#flanneld_trouble !== '';
  }

  /** Tells the machine of the network with the key that the file has; whether it is another. */
  #takeKey(): boolean {
    const { core, config, key } = this.#parts;
    const pair = key?.read() ?? { private_key: '', public_key: '' };
    const { public_key } = pair;
    if (this.#pair?.public_key === public_key) return false;
    this.#pair = pair;
    const network = { ...config.network, public_key };
    core.tell('overlay', { event: 'network', network, self: config.node });
    return true;
  }

  /** Whether another key is in the file; one that is none is a problem, and the old one stays. */
  #keyChanged(): boolean {
    try {
      const changed = this.#takeKey();
      this.#key_trouble = '';
      return changed;
    } catch (error) {
      this.#key_trouble = (error as Error).message;
      return false;
    }
  }

  /** Ends without a change: traffic goes on. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#retry);
    this.#parts.source.stop();
    this.#events?.close();
    this.#kernel.close();
  }

  /** Takes away all that the agent has in the kernel. */
  leave(): void {
    this.#apply(this.#tell({ event: 'leave' }).changes);
    this.#guard.remove();
  }

  get state(): AgentState {
    const { ready = false, mtu_bytes = 0, subnets = [], networks = [] } = this.#plan ?? {};
    const { served = 0, entries = 0, gateways = [] } = this.#plan ?? {};
    const troubles = [
      ...[this.#guard_trouble, this.#key_trouble, this.#subnet_trouble],
      this.#flanneld_trouble,
    ];
    const own = troubles.filter((msg) => msg !== '');
    const problems = [...(this.#plan?.problems ?? []), ...own.map((msg) => ({ node: '', msg }))];
    return {
      ...{
        ready,
        mtu_bytes,
        subnets,
        networks,
        gateways,
        served,
        entries,
        problems,
        ...this.#counts,
      },
      wanted: Math.max(this.#nodes.size - 1, 0),
      source_trouble: this.#source_trouble,
      underlay: this.#seen?.underlay ?? [],
      public_key: ownKey(this.#seen, this.#parts.config.network),
    };
  }

  /** What is said of the subnets that pods of before are in. */
  get #subnet_trouble(): string {
    if (this.#had_subnets === '') return '';
    const { subnets = [] } = this.#nodes.get(this.#parts.config.node) ?? {};
    const now = subnets.join(', ') || 'none';
    return (
      `the subnets of this node were ${this.#had_subnets} and are ${now}: ` +
      'pods of before are not reached from other nodes; make them anew'
    );
  }

  #trouble(msg: string): void {
    if (msg !== this.#source_trouble) {
      this.#parts.log(msg === '' ? 'info' : 'error', msg === '' ? 'the source answers again' : msg);
    }
    this.#source_trouble = msg;
  }

  #update({ full, trusted, nodes, gone }: NodesUpdate): void {
    const before = this.#nodes.get(this.#parts.config.node);
    const first = this.#plan === undefined;
    const paths = this.#kernel.ways(this.#addressesOf(nodes));
    const plan = this.#tell({ event: 'nodes', full, trusted, nodes, gone, paths });
    if (!plan.taken) {
      for (const { msg } of plan.problems) this.#parts.log('warn', msg);
      return;
    }
    if (full) this.#nodes.clear();
    for (const node of nodes) this.#nodes.set(node.name, node);
    for (const name of gone) this.#nodes.delete(name);
    if (this.#yields()) {
      this.#later();
      return;
    }
    // Who is a node may send before it is sent to.
    this.#allow();
    const own = this.#nodes.get(this.#parts.config.node);
    const moved = JSON.stringify(before) !== JSON.stringify(own);
    this.#subnetsMoved(before, own);
    if (first || full || moved) this.resync(moved);
    else {
      // Such a plan looks at these nodes alone; what was said of others holds on.
      const names = new Set([...nodes.map(({ name }) => name), ...gone]);
      const others = (this.#plan?.problems ?? []).filter(({ node }) => !names.has(node));
      const problems = [...others, ...plan.problems];
      this.#done(this.#apply(plan.changes), { ...plan, problems });
    }
  }

  /** Pods keep the addresses that they have: what becomes of them somebody has to know. */
  #subnetsMoved(before: ClusterNode | undefined, own: ClusterNode | undefined): void {
    const { subnets: had = [] } = before ?? {};
    const { subnets: has = [] } = own ?? {};
    this.#had_subnets ||= had.join(', ');
    if (this.#had_subnets === has.join(', ')) this.#had_subnets = '';
  }

  /** By which the other ones of these nodes are reached. */
  #addressesOf(nodes: readonly ClusterNode[]): string[] {
    return nodes
      .filter(({ name }) => name !== this.#parts.config.node)
      .flatMap(({ addresses = [] }) => addresses);
  }

  /** Looks at all of the kernel and makes it right; `moved`: the ways may have changed as well. */
  resync(moved = false): void {
    if (this.#yields()) {
      this.#later();
      return;
    }
    const { name, type, cidrs } = this.#parts.config.network;
    let refused: Refused[] = [];
    let plan = this.#plan;
    this.#guard.check();
    this.#allow();
    const flanneld = this.#besideFlanneld();
    for (let round = 0; round < ROUNDS; round++) {
      const own = this.#nodes.get(this.#parts.config.node)?.addresses ?? [];
      // Thousands of ways seldom change; those of a node that changes are asked for with it.
      const ask = this.#counts.resyncs % WAYS_EVERY === 0 || moved;
      const others = ask ? this.#addressesOf([...this.#nodes.values()]) : [];
      this.#seen = this.#kernel.see({ name, type, cidrs, own, others });
      plan = this.#tell({ ...this.#seen, flanneld });
      if (this.#counts.resyncs > 0) this.#counts.repairs += plan.changes.length;
      refused = this.#apply(plan.changes);
      if (!plan.again || refused.length > 0) break;
    }
    this.#counts.resyncs++;
    // What we did ourselves is no news.
    this.#events?.about(new Set(), new Set());
    if (plan !== undefined) this.#done(refused, plan);
    if (this.#nodes.size > SWEEP_FROM) sweep();
  }

  #allow(): void {
    const trouble = this.#guard.allow(this.#addressesOf([...this.#nodes.values()]));
    if (trouble !== '' && trouble !== this.#guard_trouble) {
      this.#parts.log('error', `tunnel packets of strangers are not dropped: ${trouble}`);
    }
    this.#guard_trouble = trouble;
  }

  #tell(event: object): Plan {
    return this.#parts.core.tell('overlay', event) as Plan;
  }

  #apply(changes: readonly string[]): Refused[] {
    const refused = this.#applier.apply(changes);
    const { log } = this.#parts;
    for (const change of changes.slice(0, 20)) log('info', reasoned(change));
    if (changes.length > 20) log('info', `and ${changes.length - 20} changes more`);
    for (const { change, error } of refused.slice(0, 20))
      log('error', `${change}: ${error.message}`);
    this.#counts.refused += refused.length;
    return refused;
  }

  #done(refused: readonly Refused[], plan: Plan): void {
    this.#plan = refused.length > 0 ? refusedPlan(plan, refused) : plan;
    const { config, log, publisher, source } = this.#parts;
    const said = new Set(
      plan.problems.map(({ node, msg }) => (node === '' ? msg : `${node}: ${msg}`)),
    );
    if (this.#subnet_trouble !== '') said.add(this.#subnet_trouble);
    for (const msg of said) if (!this.#told.has(msg)) log('warn', msg);
    this.#told = said;
    const told_bytes = publisher.told_mtu_bytes;
    for (const line of publisher.say(this.#plan)) log('info', line);
    if (this.#plan.ready) {
      const { mtu_bytes, networks } = this.#plan;
      const v6 = networks.some((cidr) => cidr.includes(':'));
      this.#parts.pods?.follow(told_bytes, mtu_bytes, v6);
    }
    const own = ownNode(this.#plan.ready, this.#seen, config.network);
    if (own !== undefined) source.publish(own);
    clearTimeout(this.#retry);
    if (refused.length === 0) {
      this.#retry_ms = RETRY_MS.first;
      return;
    }
    this.#again();
  }

  /** Looks again, later each time. */
  #again(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#trying(() => this.resync()), this.#retry_ms);
    this.#retry_ms = Math.min(this.#retry_ms * 2, RETRY_MS.last);
  }

  /** A look that the kernel refuses, as of a link that goes meanwhile, is no reason to end. */
  #trying(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      this.#parts.log('error', `cannot look at the network: ${error.message}`);
      this.#again();
    }
  }

  /** Whether a link of ours, or one below them, changed. */
  #listen(): void {
    const links = this.#seen?.links ?? [];
    const names = new Set([...links.map(({ name }) => name), ...this.#underlayNames()]);
    const { vni } = this.#parts.config.network;
    names.add(`fl.${vni}`).add(`fl6.${vni}`);
    const ifindices = new Set(links.map(({ ifindex }) => ifindex));
    const rotated = this.#keyChanged();
    if (this.#events?.about(ifindices, names) || rotated) this.resync(true);
  }

  #underlayNames(): string[] {
    return (this.#seen?.underlay ?? []).map(({ dev }) => dev);
  }
}
