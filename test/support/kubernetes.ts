// SPDX-License-Identifier: Apache-2.0
// The part of the Kubernetes API that has to do with Nodes, over HTTP, as it is documented (API
// concepts: chunked lists, watches, bookmarks, 410 Gone; strategic merge patch of a status). It
// has no agent in mind, and faults are what a test asks for.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

export interface NodeObject {
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly resourceVersion?: string;
  };
  readonly spec?: { readonly podCIDR?: string; readonly podCIDRs?: readonly string[] };
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly conditions?: readonly Readonly<Record<string, string>>[];
  };
}

interface Event {
  readonly version: number;
  readonly type: string;
  readonly object: unknown;
}

/** What is answered in place of the truth. */
export interface Fault {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

type Kind = 'list' | 'watch' | 'patch';

export interface Asked {
  readonly kind: Kind;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** A page is no larger than this, whatever the limit asked for. */
const PAGE_MOST = 500;

function status(code: number, reason: string, message: string): object {
  const head = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
  return { ...head, message, reason, code };
}

export class KubernetesApi {
  readonly nodes = new Map<string, NodeObject>();
  readonly asked: Asked[] = [];
  /** The tokens that are valid; none for every caller. */
  tokens: string[] = [];
  page_most = PAGE_MOST;
  /** Whether a bookmark is sent at the begin of a watch. */
  bookmarks = true;
  /** What happened since, for watches that come back; older is 410 Gone. */
  #events: Event[] = [];
  #version = 100;
  #oldest = 0;
  readonly #watches = new Set<ServerResponse>();
  readonly #faults: { readonly kind: Kind; readonly fault: Fault }[] = [];
  readonly #server: Server;
  readonly #tls: boolean;

  private constructor(server: Server, tls: boolean) {
    this.#server = server;
    this.#tls = tls;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async open(tls?: { readonly key: string; readonly cert: string }): Promise<KubernetesApi> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    const api = new KubernetesApi(server, tls !== undefined);
    await api.listen();
    return api;
  }

  #port = 0;
  get url(): string {
    return `${this.#tls ? 'https' : 'http'}://127.0.0.1:${this.#port}`;
  }

  /** Where it was before, unless it is to be elsewhere. */
  async listen(port = this.#port, host = '127.0.0.1'): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as { port: number }).port;
  }

  /** Is not there any more, until it listens again. */
  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  get watches(): number {
    return this.#watches.size;
  }

  asks(kind: Kind): Asked[] {
    return this.asked.filter((one) => one.kind === kind);
  }

  /** The next request of a kind gets this. */
  fail(kind: Kind, fault: Fault): void {
    this.#faults.push({ kind, fault });
  }

  set(node: NodeObject): void {
    const type = this.nodes.has(node.metadata.name) ? 'MODIFIED' : 'ADDED';
    const resourceVersion = String(++this.#version);
    const object = { ...node, metadata: { ...node.metadata, resourceVersion } };
    this.nodes.set(node.metadata.name, object);
    this.#tell({ version: this.#version, type, object });
  }

  remove(name: string): void {
    const object = this.nodes.get(name);
    this.nodes.delete(name);
    const resourceVersion = String(++this.#version);
    const metadata = { ...object?.metadata, resourceVersion };
    this.#tell({ version: this.#version, type: 'DELETED', object: { ...object, metadata } });
  }

  /** An event of no Node that anybody has, in any shape. */
  tellStrange(type: string, object: unknown): void {
    this.#tell({ version: ++this.#version, type, object });
  }

  /** Forgets what happened: who comes back is told that it is gone. */
  compact(): void {
    this.#events = [];
    this.#oldest = ++this.#version;
  }

  /** Ends every watch in the middle of a line. */
  cut(): void {
    for (const response of this.#watches) {
      response.write('{"type":"MODIFIED","object":{"metadata":{"name":"ha', () => {
        response.socket?.destroy();
      });
    }
    this.#watches.clear();
  }

  /** Ends every watch as a server does whose time is over. */
  end(): void {
    for (const response of this.#watches) response.end();
    this.#watches.clear();
  }

  /** Says an error on every watch, as a status object. */
  sayError(code: number): void {
    const object = status(code, 'Expired', 'too old resource version');
    for (const response of this.#watches) {
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
    this.#watches.clear();
  }

  #tell(event: Event): void {
    this.#events.push(event);
    for (const response of this.#watches) this.#send(response, event);
  }

  #send(response: ServerResponse, { type, object }: Event): void {
    response.write(`${JSON.stringify({ type, object })}\n`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url);
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const patch = request.method === 'PATCH';
    const kind = patch ? 'patch' : url.searchParams.has('watch') ? 'watch' : 'list';
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    this.asked.push({ kind, query: url.searchParams, body });
    const [, token = ''] = (request.headers.authorization ?? '').split('Bearer ');
    const at = this.#faults.findIndex((one) => one.kind === kind);
    const [planned] = at < 0 ? [] : this.#faults.splice(at, 1);
    if (planned !== undefined) {
      const { fault } = planned;
      const said = fault.body ?? JSON.stringify(status(fault.status, '', `fault ${fault.status}`));
      response.writeHead(fault.status, fault.headers).end(said);
    } else if (this.tokens.length > 0 && !this.tokens.includes(token)) {
      this.#answer(response, 401, status(401, 'Unauthorized', 'Unauthorized'));
    } else if (patch) {
      const media = request.headers['content-type'];
      this.#patch(url.pathname, media ?? '', body as object, response);
    } else if (request.method === 'POST' && url.pathname === '/api/v1/nodes') {
      this.set(body as NodeObject);
      this.#answer(response, 201, body as object);
    } else if (url.pathname !== '/api/v1/nodes') {
      this.#answer(response, 404, status(404, 'NotFound', `no ${url.pathname}`));
    } else if (kind === 'watch') this.#watch(url.searchParams, response);
    else this.#list(url.searchParams, response);
  }

  #answer(response: ServerResponse, code: number, body: object): void {
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const limit = Math.min(Number(query.get('limit') ?? this.page_most), this.page_most);
    const [from = 0, version = this.#version] = (query.get('continue') ?? '')
      .split('@')
      .filter(Boolean)
      .map(Number);
    if (version < this.#oldest) {
      this.#answer(response, 410, status(410, 'Expired', 'the continue token is too old'));
      return;
    }
    const all = [...this.nodes.values()];
    const items = all.slice(from, from + limit);
    const left = all.length - from - items.length;
    const more =
      left > 0 ? { continue: `${from + limit}@${version}`, remainingItemCount: left } : {};
    const metadata = { resourceVersion: String(version), ...more };
    this.#answer(response, 200, { kind: 'NodeList', apiVersion: 'v1', metadata, items });
  }

  #watch(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    if (from < this.#oldest) {
      this.#answer(response, 410, status(410, 'Expired', 'too old resource version'));
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const event of this.#events) if (event.version > from) this.#send(response, event);
    if (this.bookmarks && query.get('allowWatchBookmarks') === 'true') {
      const metadata = { resourceVersion: String(this.#version) };
      const object = { kind: 'Node', apiVersion: 'v1', metadata };
      this.#send(response, { version: 0, type: 'BOOKMARK', object });
    }
    this.#watches.add(response);
    response.on('close', () => this.#watches.delete(response));
  }

  /** A strategic merge: annotations by key, conditions by type (their patchMergeKey). */
  #patch(path: string, media: string, body: object, response: ServerResponse): void {
    const [, name = ''] = /^\/api\/v1\/nodes\/([^/]+)\/status$/.exec(path) ?? [];
    const node = this.nodes.get(decodeURIComponent(name));
    if (node === undefined || media !== 'application/strategic-merge-patch+json') {
      this.#answer(response, 404, status(404, 'NotFound', `nodes "${name}" not found`));
      return;
    }
    const { metadata, status: said } = body as NodeObject & { metadata?: NodeObject['metadata'] };
    const conditions = new Map(node.status?.conditions?.map((one) => [one['type'], one]));
    for (const one of said?.conditions ?? []) {
      conditions.set(one['type'], { ...conditions.get(one['type']), ...one });
    }
    const annotations = { ...node.metadata.annotations, ...metadata?.annotations };
    this.set({
      ...node,
      metadata: { ...node.metadata, annotations },
      status: { ...node.status, conditions: [...conditions.values()] },
    });
    this.#answer(response, 200, this.nodes.get(name)!);
  }
}
