// SPDX-License-Identifier: Apache-2.0
// etcd as the source of nodes, in Flannel's layout: this node's subnet is claimed and its lease
// kept, those of others are listed and watched. One thing after the other, so that what is
// known, claimed and said is never of two moments. A subnet once claimed is this node's until
// it ends, whatever becomes of etcd: pods have addresses of it.
import type { AgentConfig, EtcdSourceConfig } from '../../config.ts';
import type { ClusterNode, OwnNode, Source, SourceListener } from '../../source.ts';
import { Backoff, sleep, wordsOf } from '../backoff.ts';
import { ownAddresses } from '../own-address.ts';
import { ClaimRefused, claim, Raced } from './claim.ts';
import { Gateway } from './gateway.ts';
import { nodeOf, type Self, textOf } from './layout.ts';
import type { Memory } from './memory.ts';
import {
  type Entry,
  type Happened,
  HistoryLost,
  type Listed,
  type Moment,
  Store,
} from './store.ts';

/** A watch that the other side forgot of is found so. */
const WATCH_FOR_MS = 120_000;
/** With a claim that was refused, or nodes that are missing after a loss. */
const LOOK_AGAIN_MS = 10_000;
const RENEW_MOST_MS = 600_000;
/** After an etcd that lost its data: others get the time to say themselves anew. */
const HOLD_MS = 60_000;
const RACE_MS = 500;

export interface EtcdOptions {
  readonly config: AgentConfig;
  readonly source: EtcdSourceConfig;
  /** Where this node's subnet is remembered. */
  readonly memory: Memory;
  readonly log: (level: 'info' | 'warn', msg: string) => void;
}

export class EtcdSource implements Source {
  readonly #options: EtcdOptions;
  readonly #store: Store;
  readonly #over = new AbortController();
  #listener: SourceListener | undefined;
  #moment: Moment | undefined;
  /** The moment of the list before, to know an etcd that lost its data. */
  #listed: Moment | undefined;
  /** Of others, by key, with the name that they were said by. */
  readonly #others = new Map<string, { readonly entry: Entry; readonly node: ClusterNode }>();
  #own: Entry | undefined;
  /** Whether the own entry is to be claimed again. */
  #lost = true;
  #published: OwnNode | undefined;
  /** A lease that nothing is on yet. */
  #lease = '';
  #wake = new AbortController();
  #hold_until_ms = 0;
  #refused = '';
  #strange = new Set<string>();

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#store = new Store(new Gateway(options.source), options.source.prefix);
  }

  start(listener: SourceListener): void {
    this.#listener = listener;
    void this.#run();
    void this.#keepLease();
  }

  publish(own: OwnNode): void {
    this.#published = own;
    if (this.#own !== undefined && this.#value(this.#own) !== this.#own.value) this.#wake.abort();
  }

  /** The lease is left to end by itself: this node's pods go on. */
  stop(): void {
    this.#over.abort();
    this.#wake.abort();
  }

  /** ClaimRefused while nothing tells by which addresses others reach this node. */
  get #self(): Self {
    const { config, source } = this.#options;
    const { addresses, interface: dev } = source;
    const { type, vni } = config.network;
    try {
      const own = addresses.length > 0 ? addresses : ownAddresses(dev);
      return { node: config.node, addresses: own, type, vni };
    } catch (error) {
      throw new ClaimRefused((error as Error).message);
    }
  }

  /** What the own key is to hold; what it holds while the addresses cannot be told. */
  #value(own: Entry): string {
    try {
      return textOf(this.#self, this.#published, own.value);
    } catch {
      return own.value;
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    const backoff = new Backoff();
    while (!signal.aborted) {
      try {
        await this.#once();
        backoff.reset();
        continue;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Raced || error instanceof HistoryLost) {
          this.#moment = undefined;
          await sleep(Math.random() * RACE_MS, signal);
          continue;
        }
        this.#listener?.trouble(`etcd does not answer: ${wordsOf(error)}`);
      }
      await sleep(backoff.next(), signal);
    }
  }

  /** From where it stands to the end of a watch. */
  async #once(): Promise<void> {
    const { signal } = this.#over;
    this.#wake = new AbortController();
    if (this.#moment === undefined || this.#lost) {
      const listed = await this.#store.list(signal);
      await this.#claimFrom(listed);
      this.#take(listed);
    }
    await this.#say();
    const held = this.#hold_until_ms > performance.now();
    const hurried = this.#refused !== '' || held;
    const until = {
      signal: AbortSignal.any([signal, this.#wake.signal]),
      lasting_ms: hurried ? LOOK_AGAIN_MS : WATCH_FOR_MS,
    };
    await this.#store.watch(this.#moment!, until, {
      begun: () => this.#listener?.trouble(this.#refused),
      happened: (happened, revision) => {
        this.#moment = { ...this.#moment!, revision };
        this.#happened(happened);
      },
    });
    // What was held, or refused, is looked at as a whole.
    if (hurried) this.#moment = undefined;
  }

  async #claimFrom(listed: Listed): Promise<void> {
    const { config, source, memory, log } = this.#options;
    const options = {
      ...{ store: this.#store, memory, cidrs: config.network.cidrs, net_conf: source.net_conf },
      flannel: config.network.flannel,
      lease: async (signal: AbortSignal): Promise<string> => {
        this.#lease ||= await this.#store.grant(source.lease_ttl_s, signal);
        return this.#lease;
      },
    };
    try {
      const { signal } = this.#over;
      const entry = await claim(options, this.#self, this.#published, listed, signal);
      if (entry.lease === this.#lease) this.#lease = '';
      if (this.#lost) log('info', `the subnet of this node is ${entry.key}`);
      this.#own = entry;
      this.#lost = false;
      this.#refused = '';
    } catch (error) {
      if (!(error instanceof ClaimRefused)) throw error;
      this.#refused = error.message;
    }
  }

  /** Takes a list for what there is, but for what an etcd that lost its data does not know yet. */
  #take(listed: Listed): void {
    const { cluster, revision } = listed;
    const before = this.#listed;
    const lost = before !== undefined && (before.cluster !== cluster || before.revision > revision);
    if (lost) this.#hold_until_ms = performance.now() + HOLD_MS;
    this.#moment = { cluster, revision };
    this.#listed = this.#moment;
    const held = this.#hold_until_ms > performance.now() ? [...this.#others.values()] : [];
    this.#others.clear();
    for (const entry of listed.entries) this.#put(entry);
    for (const { entry } of held) if (!this.#others.has(entry.key)) this.#put(entry);
    const nodes = [...this.#others.values()].map(({ node }) => node);
    const own = this.#ownNode;
    const all = own === undefined ? nodes : [own, ...nodes];
    this.#listener?.update({ full: true, trusted: true, nodes: all, gone: [] });
  }

  get #ownNode(): ClusterNode | undefined {
    if (this.#own === undefined) return undefined;
    const { key, value, create_revision } = this.#own;
    return nodeOf(key, value, create_revision);
  }

  /** Keeps another's entry; the node to say, undefined for one that says nothing. */
  #put(entry: Entry): ClusterNode | undefined {
    const { key, value, create_revision } = entry;
    const { flannel, vni } = this.#options.config.network;
    const node = nodeOf(key, value, create_revision, flannel ? { vni } : undefined);
    if (key === this.#own?.key && node?.name === this.#options.config.node) return undefined;
    if (node === undefined) {
      if (!this.#strange.has(key))
        this.#options.log('warn', `"${key}" in etcd is no node's subnet`);
      this.#strange.add(key);
      return undefined;
    }
    // A name is that of one: which of two is served is decided by what they claim.
    const used = [...this.#others.values()].some(
      (other) => other.entry.key !== key && other.node.name === node.name,
    );
    const name =
      used || node.name === this.#options.config.node ? `${node.name} (${key})` : node.name;
    const said = { ...node, name };
    this.#others.set(key, { entry, node: said });
    return said;
  }

  #happened({ put, gone }: Happened): void {
    const own = this.#own;
    if (own !== undefined && gone.includes(own.key)) this.#loseOwn('its key is gone from etcd');
    const touched = put.find(({ key }) => key === own?.key);
    // Our own word comes back to us, too.
    if (own !== undefined && touched !== undefined && touched.value !== own.value) {
      if (BigInt(touched.mod_revision) > BigInt(own.mod_revision)) {
        this.#loseOwn('its key was changed by somebody');
      }
    }
    const names = gone.flatMap((key) => {
      const name = this.#others.get(key)?.node.name;
      this.#others.delete(key);
      return name === undefined ? [] : [name];
    });
    const nodes = put.flatMap((entry) => {
      const before = this.#others.get(entry.key)?.node;
      const node = this.#put(entry);
      if (before !== undefined && before.name !== node?.name) names.push(before.name);
      return node === undefined ? [] : [node];
    });
    if (nodes.length + names.length === 0) return;
    this.#listener?.update({ full: false, trusted: true, nodes, gone: names });
  }

  #loseOwn(why: string): void {
    this.#options.log(
      'warn',
      `${this.#own?.key}, the subnet of this node, is claimed again: ${why}`,
    );
    this.#lost = true;
    this.#wake.abort();
  }

  /** Writes what this node has to say of itself, when it differs. */
  async #say(): Promise<void> {
    const own = this.#own;
    if (own === undefined || this.#lost || this.#published === undefined) return;
    const value = this.#value(own);
    if (value === own.value) return;
    const entry = await this.#store.replace(own, { ...own, value }, this.#over.signal);
    if (entry === undefined) {
      this.#lost = true;
      throw new Raced('the own key was changed by somebody');
    }
    this.#own = entry;
    const node = this.#ownNode;
    if (node === undefined) return;
    this.#listener?.update({ full: false, trusted: true, nodes: [node], gone: [] });
  }

  async #keepLease(): Promise<void> {
    const { signal } = this.#over;
    const backoff = new Backoff();
    const every_ms = Math.min((this.#options.source.lease_ttl_s * 1000) / 3, RENEW_MOST_MS);
    let wait_ms = every_ms;
    while (!signal.aborted) {
      await sleep(wait_ms, signal);
      wait_ms = every_ms;
      const lease = this.#own?.lease ?? '0';
      if (lease === '0' || this.#lost || signal.aborted) continue;
      try {
        const left_s = await this.#store.keepAlive(lease, signal);
        const same = lease === this.#own?.lease && !this.#lost;
        if (left_s <= 0 && same) this.#loseOwn('its lease is no more');
        backoff.reset();
      } catch {
        // That etcd is away is said by who watches.
        wait_ms = Math.min(backoff.next(), every_ms);
      }
    }
  }
}
