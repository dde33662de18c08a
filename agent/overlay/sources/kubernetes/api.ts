// SPDX-License-Identifier: Apache-2.0
// The Kubernetes API as far as the agent needs it: list Nodes by pages, watch them, patch one's
// status (Kubernetes API concepts, "Retrieving large results sets in chunks", "Efficient
// detection of changes"). Configuration, tokens and the watch are @kubernetes/client-node's. It
// keeps no object, and refuses to try anything twice.
import { existsSync, readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { dirname } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { Watch } from '@kubernetes/client-node/dist/watch.js';

const NODES = '/api/v1/nodes';
const PAGE = 500;
const ANSWER_WITHIN_MS = 30_000;
const LIMIT_BYTES = 256 << 20;
/** The server ends a watch after so long, a little less each time for its peace. */
const WATCH_FOR_S = 300;
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** An answer that is no success. */
export class ApiRefusal extends Error {
  readonly status: number;
  /** What the server asked for; undefined when it said nothing. */
  readonly retry_after_ms: number | undefined;
  constructor(status: number, message: string, retry_after_ms?: number) {
    super(message);
    this.status = status;
    this.retry_after_ms = retry_after_ms;
  }
}

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

interface List {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly unknown[];
}

/** A kubeconfig, or that of the pod that this runs in; an Error says what is missing. */
function configOf(path: string): KubeConfig {
  const config = new KubeConfig();
  if (path !== '') {
    // kubectl's key for a token in a file, which the client knows by another name only.
    const text = readFileSync(path, 'utf8').replaceAll(/^(\s*)tokenFile:/gm, '$1token-file:');
    config.loadFromString(text);
    config.makePathsAbsolute(dirname(path));
  } else {
    if (!process.env['KUBERNETES_SERVICE_HOST'] || !existsSync(TOKEN)) {
      throw new Error('this is no pod with a service account: name a "kubeconfig" in the source');
    }
    config.loadFromCluster();
  }
  if (config.getCurrentCluster() === null) throw new Error(`${path} has no current cluster`);
  return config;
}

export class Api {
  readonly #path: string;
  readonly #stall_ms: number;
  /** Read anew when the server does not know us any more: files may have changed. */
  #config: KubeConfig | undefined;

  /** A watch on which nothing comes for `stall_ms` is ended. */
  constructor(path: string, stall_ms: number) {
    this.#path = path;
    this.#stall_ms = stall_ms;
  }

  /** Forgets tokens and certificates: files are read anew. */
  renew(): void {
    this.#config = undefined;
  }

  /** Gives each page's objects to `each`; the list's resource version. */
  async list(signal: AbortSignal, each: (node: unknown) => void): Promise<string> {
    let next = '';
    for (;;) {
      const query = new URLSearchParams({ limit: String(PAGE) });
      if (next !== '') query.set('continue', next);
      const page = (await this.#call('GET', `${NODES}?${query}`, signal)) as List;
      if (!Array.isArray(page.items)) throw new Error('the list of nodes has no "items"');
      for (const node of page.items) each(node);
      next = page.metadata?.continue ?? '';
      if (next === '') return page.metadata?.resourceVersion ?? '';
    }
  }

  /** Events from a resource version on, until the connection ends; `begun` when it stands. */
  async watch(
    version: string,
    signal: AbortSignal,
    { begun, each }: { readonly begun: () => void; readonly each: (event: WatchEvent) => void },
  ): Promise<void> {
    const watch = new Watch(this.#loaded);
    // The client's own limit is shorter than the time between two bookmarks (a minute).
    Object.assign(watch, { requestTimeoutMs: this.#stall_ms });
    const query = {
      resourceVersion: version,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.round(WATCH_FOR_S * (1 - Math.random() / 10)),
    };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // An error of ours must not be taken for half a line, which the client passes over.
    const told = (type: string, object: unknown): void => {
      try {
        each({ type, object });
      } catch (error) {
        reject(error);
      }
    };
    let ended = false;
    const done = (error: unknown): void => {
      ended = true;
      const status = (error as { statusCode?: number } | null)?.statusCode;
      if (!error || signal.aborted) resolve();
      else if (status === undefined) reject(error);
      else reject(new ApiRefusal(status, `HTTP status ${status}`));
    };
    const connection = await watch.watch(NODES, query, told, done);
    const end = (): void => connection.abort();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    if (!ended) begun();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  /** Merges into the status of a node; its metadata may be changed along with that. */
  patchStatus(name: string, patch: object, signal: AbortSignal): Promise<unknown> {
    return this.#call('PATCH', `${NODES}/${encodeURIComponent(name)}/status`, signal, patch);
  }

  get #loaded(): KubeConfig {
    this.#config ??= configOf(this.#path);
    return this.#config;
  }

  async #call(method: string, path: string, signal: AbortSignal, body?: object): Promise<unknown> {
    const config = this.#loaded;
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const url = new URL(config.getCurrentCluster()!.server.replace(/\/$/, '') + path);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...options.headers,
      accept: 'application/json',
      ...(text !== undefined && {
        'content-type': 'application/strategic-merge-patch+json',
        'content-length': Buffer.byteLength(text),
      }),
    };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = send(url, { ...options, method, headers, signal } as RequestOptions);
      sent.setTimeout(ANSWER_WITHIN_MS, () => sent.destroy(new Error(`${url.host} is silent`)));
      sent.on('error', (cause) => reject(new Error(url.host, { cause })));
      sent.on('response', resolve);
      sent.end(text);
    });
    return answerOf(response);
  }
}

async function answerOf(response: IncomingMessage): Promise<unknown> {
  // Not in buffers, whose memory malloc would keep: a page of a list is megabytes.
  response.setEncoding('utf8');
  let text = '';
  for await (const piece of response) {
    text += piece;
    if (text.length > LIMIT_BYTES) {
      throw new Error(`an answer of more than ${LIMIT_BYTES >> 20} MiB`);
    }
  }
  const status = response.statusCode ?? 0;
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    if (status === 200) throw new Error('an answer that is no JSON: is that a Kubernetes API?');
  }
  if (status >= 200 && status < 300) return said;
  const { message = `HTTP status ${status}` } = (said ?? {}) as { message?: string };
  const seconds = Number(response.headers['retry-after']);
  throw new ApiRefusal(status, message, Number.isFinite(seconds) ? seconds * 1000 : undefined);
}
