// SPDX-License-Identifier: Apache-2.0
// The Nodes of a Kubernetes cluster as the source: listed once, then watched, and listed anew
// when the server has forgotten where the watch was. What this node is to say of itself is
// patched into the status of its own Node when it differs. This is a script of its own, which
// only an agent with such a source loads.
import type { ClusterNode, OwnNode, Source, SourceListener } from '../../source.ts';
import type { Joined } from '../backend.ts';
import { Backoff, sleep, wordsOf } from '../backoff.ts';
import { Api, ApiRefusal, type WatchEvent } from './api.ts';
import {
  CONDITION,
  flannelWords,
  KEY_ANNOTATION,
  MAC4_ANNOTATION,
  MAC6_ANNOTATION,
  MTU_ANNOTATION,
  nameOf,
  type Published,
  publishedOf,
  reduced,
} from './node.ts';

/** Bookmarks come every minute: a watch without one is stuck. */
const STALL_MS = 90_000;

export interface KubernetesOptions {
  /** The name of this node's object. */
  readonly node: string;
  /** A path; "" for that of the pod. */
  readonly kubeconfig: string;
  /** Where nodes of Flannel's are joined. */
  readonly joined?: Joined | undefined;
  readonly log: (level: 'info' | 'warn', msg: string) => void;
  readonly stall_ms?: number;
  /** After the first failure. */
  readonly retry_ms?: number;
}

/** The resource version is gone: all of it is to be asked for again. */
class Expired extends Error {}

/** What to say of a failure, and the right that is missing. */
function troubleOf(what: string, verbs: string, error: unknown): string {
  const said = `cannot ${what}: ${wordsOf(error)}`;
  if (!(error instanceof ApiRefusal)) return said;
  if (error.status === 401) return `${said}: the token is not valid; it is read anew`;
  if (error.status === 403) return `${said}: the agent's ClusterRole has to allow ${verbs}`;
  return said;
}

export class KubernetesSource implements Source {
  readonly #options: KubernetesOptions;
  readonly #api: Api;
  readonly #over = new AbortController();
  #listener: SourceListener | undefined;
  /** In short, and as texts, to tell what changed. */
  readonly #known = new Map<string, string>();
  #version = '';
  /** Of the own object. */
  #published: Published | undefined;
  #wanted: OwnNode | undefined;
  #own: ClusterNode | undefined;
  #writing = false;
  #troubles = { reading: '', writing: '' };

  constructor(options: KubernetesOptions) {
    this.#options = options;
    this.#api = new Api(options.kubeconfig, options.stall_ms ?? STALL_MS);
  }

  start(listener: SourceListener): void {
    this.#listener = listener;
    void this.#run();
  }

  publish(own: OwnNode): void {
    this.#wanted = own;
    if (!this.#writing) void this.#write();
  }

  stop(): void {
    this.#over.abort();
  }

  #trouble(part: 'reading' | 'writing', msg: string): void {
    this.#troubles = { ...this.#troubles, [part]: msg };
    this.#listener?.trouble(this.#troubles.reading || this.#troubles.writing);
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    const backoff = new Backoff(this.#options.retry_ms);
    while (!signal.aborted) {
      let what = 'list the nodes';
      let verbs = '"list" of "nodes"';
      let retry_after_ms: number | undefined;
      try {
        if (this.#version === '') await this.#list();
        [what, verbs] = ['watch the nodes', '"watch" of "nodes"'];
        const since_ms = performance.now();
        await this.#watch(() => backoff.reset());
        // A server that ends each watch at once is not asked again at once.
        if (performance.now() - since_ms > 1_000) continue;
      } catch (error) {
        if (signal.aborted) return;
        const status = error instanceof ApiRefusal ? error.status : 0;
        if (error instanceof Expired || status === 410) this.#version = '';
        else this.#trouble('reading', troubleOf(what, verbs, error));
        if (status === 401) this.#api.renew();
        if (error instanceof ApiRefusal) retry_after_ms = error.retry_after_ms;
      }
      await sleep(Math.max(backoff.next(), retry_after_ms ?? 0), signal);
    }
  }

  async #list(): Promise<void> {
    const nodes: ClusterNode[] = [];
    const texts = new Map<string, string>();
    let own: Published | undefined;
    const version = await this.#api.list(this.#over.signal, (object) => {
      const node = this.#read(object);
      if (node === undefined) return this.#strange();
      if (node.name === this.#options.node) own = publishedOf(object);
      nodes.push(node);
      texts.set(node.name, JSON.stringify(node));
    });
    if (version === '') throw new Error('the list of nodes has no resource version');
    this.#version = version;
    this.#published = own;
    this.#own = nodes.find(({ name }) => name === this.#options.node);
    this.#known.clear();
    for (const [name, text] of texts) this.#known.set(name, text);
    this.#trouble('reading', this.#absence);
    this.#listener?.update({ full: true, trusted: true, nodes, gone: [] });
  }

  /** Why this node cannot be kept; "" when its object is there. */
  get #absence(): string {
    const { node } = this.#options;
    return this.#own === undefined
      ? `there is no Node "${node}": "node" of the configuration has to be its name`
      : '';
  }

  #strange(): void {
    this.#options.log('warn', 'the API told of a node without a name');
  }

  /** One object that cannot be read must not keep the others from being served. */
  #read(object: unknown): ClusterNode | undefined {
    try {
      return reduced(object, this.#options.joined);
    } catch (error) {
      const unfit = `its object cannot be read: ${(error as Error).message}`;
      return { name: nameOf(object), unfit };
    }
  }

  async #watch(begun: () => void): Promise<void> {
    await this.#api.watch(this.#version, this.#over.signal, {
      begun: () => {
        begun();
        this.#trouble('reading', this.#absence);
      },
      each: (event) => {
        if (event.type === 'ERROR') throw this.#errorOf(event.object);
        this.#happened(event);
      },
    });
  }

  #errorOf(object: unknown): Error {
    const { code = 0, message = '' } = (object ?? {}) as { code?: number; message?: string };
    return code === 410 ? new Expired(message) : new ApiRefusal(code, message);
  }

  #happened({ type, object }: WatchEvent): void {
    const { metadata } = (object ?? {}) as { metadata?: { resourceVersion?: string } };
    this.#version = metadata?.resourceVersion ?? this.#version;
    if (type === 'BOOKMARK') return;
    const name = nameOf(object);
    if (name === '') {
      this.#strange();
      return;
    }
    const node = type === 'DELETED' ? undefined : this.#read(object);
    if (name === this.#options.node) {
      this.#own = node;
      this.#published = node && publishedOf(object);
      this.#trouble('reading', this.#absence);
      // What somebody changed of it is put right with the next look of the agent.
    }
    const text = JSON.stringify(node);
    // Most events are of a kubelet that says that it lives.
    if (this.#known.get(name) === text) return;
    if (node === undefined) this.#known.delete(name);
    else this.#known.set(name, text);
    const changed = node === undefined ? { nodes: [], gone: [name] } : { nodes: [node], gone: [] };
    this.#listener?.update({ full: false, trusted: true, ...changed });
  }

  /** The patch that is needed; undefined for none. */
  get #patch(): object | undefined {
    const [own, has] = [this.#wanted, this.#published];
    if (own === undefined || has === undefined) return undefined;
    // A MAC that is made of the node's name needs no word; one taken over from Flannel does.
    const { v4 = '', v6 = '' } = this.#own?.macs ?? {};
    const wanted = { mtu_bytes: String(own.mtu_bytes), mac4: v4, mac6: v6 };
    const annotations: Record<string, string> = {};
    if (has.mtu_bytes !== wanted.mtu_bytes) annotations[MTU_ANNOTATION] = wanted.mtu_bytes;
    if (v4 !== '' && has.mac4 !== v4) annotations[MAC4_ANNOTATION] = v4;
    if (v6 !== '' && has.mac6 !== v6) annotations[MAC6_ANNOTATION] = v6;
    const { public_key } = own;
    if (public_key !== undefined && has.public_key !== public_key) {
      annotations[KEY_ANNOTATION] = public_key;
    }
    const { joined } = this.#options;
    for (const [key, value] of Object.entries(
      joined ? flannelWords(own, joined, has.flannel) : {},
    )) {
      if (has.flannel[key] !== value) annotations[key] = value;
    }
    const available = own.ready && has.unavailable !== 'False';
    if (Object.keys(annotations).length === 0 && !available) return undefined;
    const now = new Date().toISOString().replace(/\.\d+/, '');
    const condition = {
      ...{ type: CONDITION, status: 'False', reason: 'FairleadIsReady' },
      message: 'the agent of Fairlead serves pods of this node',
      ...{ lastHeartbeatTime: now, lastTransitionTime: now },
    };
    return {
      ...(Object.keys(annotations).length > 0 && { metadata: { annotations } }),
      ...(available && { status: { conditions: [condition] } }),
    };
  }

  async #write(): Promise<void> {
    const { signal } = this.#over;
    const backoff = new Backoff(this.#options.retry_ms);
    this.#writing = true;
    for (let patch = this.#patch; patch !== undefined && !signal.aborted; patch = this.#patch) {
      try {
        const object = await this.#api.patchStatus(this.#options.node, patch, signal);
        this.#published = publishedOf(object);
        this.#options.log('info', `patched the status of this Node: ${JSON.stringify(patch)}`);
        // A server that takes the patch and does not keep it would be asked for ever.
        break;
      } catch (error) {
        if (signal.aborted) break;
        const verbs = '"patch" of "nodes/status"';
        this.#trouble('writing', troubleOf('patch the status of this Node', verbs, error));
        const { status, retry_after_ms = 0 } = error as Partial<ApiRefusal>;
        if (status === 401) this.#api.renew();
        await sleep(Math.max(backoff.next(), retry_after_ms), signal);
      }
    }
    this.#writing = false;
    if (this.#patch === undefined && this.#troubles.writing !== '') this.#trouble('writing', '');
  }
}

/** What the program calls. */
export function kubernetesSource(options: KubernetesOptions): Source {
  return new KubernetesSource(options);
}
