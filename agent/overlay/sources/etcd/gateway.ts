// SPDX-License-Identifier: Apache-2.0
// etcd's v3 API over its JSON gateway (api-reference "gRPC gateway"): one call, or a stream of
// answers, to one of several endpoints. It owns TLS, the token of a user, and which endpoint
// answers; it refuses to know any key.
import { readFileSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { EtcdSourceConfig } from '../../config.ts';

/** An endpoint that says nothing for so long is passed over. */
const ANSWER_WITHIN_MS = 5_000;
const LIMIT_BYTES = 256 << 20;
/** gRPC's codes, as the gateway has them. */
const UNAUTHENTICATED = 16;

/** What etcd itself answers: it is there, and does not want to. */
export class EtcdRefusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export type GatewayOptions = Pick<
  EtcdSourceConfig,
  'endpoints' | 'ca_file' | 'cert_file' | 'key_file' | 'user' | 'password_file'
>;

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString();

interface Said {
  readonly error?: string | { readonly message?: string; readonly grpc_code?: number };
  readonly message?: string;
  readonly code?: number;
}

/** The refusal that an answer is; undefined when it is none. */
function refusalOf(said: Said, status: number): EtcdRefusal | undefined {
  const { error, message, code } = said;
  if (error === undefined && status === 200) return undefined;
  if (typeof error === 'object') {
    return new EtcdRefusal(error.grpc_code ?? 0, error.message ?? 'an error without words');
  }
  return new EtcdRefusal(code ?? 0, error ?? message ?? `HTTP status ${status}`);
}

export class Gateway {
  readonly #options: GatewayOptions;
  /** The endpoint that answered last. */
  #at = 0;
  #token = '';

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  get endpoint(): string {
    return this.#options.endpoints[this.#at]!;
  }

  /** One answer; an endpoint that is away leads to the next, until all were asked. */
  async call(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#anywhere(path, body, signal);
    } catch (error) {
      const expired = error instanceof EtcdRefusal && this.#needsToken(error);
      if (!expired) throw error;
      await this.#authenticate(signal);
      return this.#anywhere(path, body, signal);
    }
  }

  /**
   * Answers line by line until the other side ends, `lasting_ms` have passed or the signal says
   * so; rejects when the connection breaks. Half a line says nothing.
   */
  async stream(
    path: string,
    body: object,
    { signal, lasting_ms }: { readonly signal: AbortSignal; readonly lasting_ms: number },
    each: (result: unknown) => void,
  ): Promise<void> {
    if (this.#options.user !== '' && this.#token === '') await this.#authenticate(signal);
    const over = AbortSignal.any([signal, AbortSignal.timeout(lasting_ms)]);
    let response: IncomingMessage;
    try {
      response = await this.#send(this.endpoint, path, body, over);
    } catch (error) {
      this.#at = (this.#at + 1) % this.#options.endpoints.length;
      throw error;
    }
    let rest = '';
    try {
      if (response.statusCode !== 200) {
        await answerOf(response);
        throw new Error(`${this.endpoint}: HTTP status ${response.statusCode}`);
      }
      response.setEncoding('utf8');
      response.socket.setTimeout(0);
      for await (const piece of response) {
        const lines = (rest + piece).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > LIMIT_BYTES) throw new Error('a line without an end');
        for (const line of lines) if (line !== '') each(this.#resultOf(line));
      }
    } catch (error) {
      if (error instanceof EtcdRefusal && this.#needsToken(error)) this.#token = '';
      if (!over.aborted) throw error;
    }
    if (!over.aborted) throw new Error(`${this.endpoint} ended the connection`);
  }

  #resultOf(line: string): unknown {
    const said = JSON.parse(line) as Said & { readonly result?: unknown };
    const refusal = refusalOf(said, 200);
    if (refusal !== undefined) throw refusal;
    return said.result ?? {};
  }

  #needsToken({ code, message }: EtcdRefusal): boolean {
    if (this.#options.user === '') return false;
    return code === UNAUTHENTICATED || /invalid auth token|user name is empty/.test(message);
  }

  async #authenticate(signal: AbortSignal): Promise<void> {
    const { user: name, password_file } = this.#options;
    const password = password_file === '' ? '' : readFileSync(password_file, 'utf8').trim();
    this.#token = '';
    const said = await this.#anywhere('/v3/auth/authenticate', { name, password }, signal);
    this.#token = (said as { token?: string }).token ?? '';
  }

  async #anywhere(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    const { length } = this.#options.endpoints;
    const first = this.#at;
    for (let tries = 0; ; tries++) {
      try {
        const response = await this.#send(this.endpoint, path, body, signal);
        return await answerOf(response);
      } catch (error) {
        if (error instanceof EtcdRefusal && error.code !== 14) throw error;
        this.#at = (first + tries + 1) % length;
        if (signal.aborted || tries + 1 >= length) throw error;
      }
    }
  }

  /** The head of an answer, whatever its status. */
  #send(
    endpoint: string,
    path: string,
    body: object,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const url = new URL(endpoint + path);
    const pem = (file: string): Buffer | undefined =>
      file === '' ? undefined : readFileSync(file);
    const { ca_file, cert_file, key_file } = this.#options;
    const text = JSON.stringify(body);
    const options = {
      method: 'POST',
      // A connection of its own: one that is kept might be to an endpoint that is gone.
      agent: false as const,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        ...(this.#token !== '' && { authorization: this.#token }),
      },
      signal,
    };
    return new Promise((resolve, reject) => {
      const tls =
        url.protocol === 'https:'
          ? { ca: pem(ca_file), cert: pem(cert_file), key: pem(key_file) }
          : undefined;
      const sent: ClientRequest = tls
        ? httpsRequest(url, { ...options, ...tls })
        : httpRequest(url, options);
      sent.on('socket', (socket) => socket.setKeepAlive(true, 10_000));
      sent.setTimeout(ANSWER_WITHIN_MS, () => sent.destroy(new Error(`${endpoint} is silent`)));
      sent.on('error', (cause) => reject(new Error(endpoint, { cause })));
      sent.on('response', resolve);
      sent.end(text);
    });
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
  let said: Said;
  try {
    said = JSON.parse(text) as Said;
  } catch {
    throw new Error(`HTTP status ${response.statusCode}, and no JSON: is that etcd?`);
  }
  const refusal = refusalOf(said, response.statusCode ?? 0);
  if (refusal !== undefined) throw refusal;
  return said;
}
