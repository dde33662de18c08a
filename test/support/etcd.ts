// SPDX-License-Identifier: Apache-2.0
// A real etcd of one member on a port of its own, that can be killed and comes back with its data.
// It owns its folder and process, and knows no key.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_WITHIN_MS = 20_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The arguments of a member that is alone; its ports follow one another. */
export function etcdArguments(folder: string, host: string, port: number): string[] {
  const [client, peer] = [`http://${host}:${port}`, `http://${host}:${port + 1}`];
  return [
    ...['--name', 'one', '--data-dir', folder, '--listen-client-urls', client],
    ...['--advertise-client-urls', client, '--listen-peer-urls', peer],
    ...['--initial-advertise-peer-urls', peer, '--initial-cluster', `one=${peer}`],
    ...['--logger', 'zap', '--log-level', 'error', '--heartbeat-interval', '50'],
    ...['--election-timeout', '500'],
  ];
}

export class Etcd {
  readonly folder = mkdtempSync(join(tmpdir(), 'fairlead-etcd-'));
  port: number;
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async open(): Promise<Etcd> {
    const etcd = new Etcd(await freePort());
    await etcd.start();
    return etcd;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** `fresh`: without the data of before. */
  async start(fresh = false): Promise<void> {
    const data = join(this.folder, 'data');
    if (fresh) rmSync(data, { recursive: true, force: true });
    this.#process = spawn('etcd', etcdArguments(data, '127.0.0.1', this.port), { stdio: 'ignore' });
    const until_ms = performance.now() + READY_WITHIN_MS;
    for (;;) {
      try {
        // That a member leads itself, whoever may ask for keys.
        const health = (await (await fetch(`${this.url}/health`)).json()) as { health?: string };
        if (health.health === 'true') return;
        throw new Error('etcd does not become healthy');
      } catch (error) {
        if (performance.now() > until_ms) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process === undefined) return;
    process.kill('SIGKILL');
    await once(process, 'close');
  }

  /** Does something to the data of a killed one where nobody else finds it, and kills it again. */
  async apart(action: () => Promise<void>): Promise<void> {
    const { port } = this;
    this.port = await freePort();
    try {
      await this.start();
      await action();
      await this.kill();
    } finally {
      this.port = port;
    }
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A call of the JSON gateway; rejects when it is refused. */
  async call(path: string, body: object): Promise<Record<string, unknown>> {
    const response = await fetch(this.url + path, { method: 'POST', body: JSON.stringify(body) });
    const said = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(JSON.stringify(said));
    return said;
  }

  async put(key: string, value: string): Promise<void> {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    await this.call('/v3/kv/put', { key: base64(key), value: base64(value) });
  }

  async remove(key: string): Promise<void> {
    await this.call('/v3/kv/deleterange', { key: Buffer.from(key).toString('base64') });
  }

  /** All keys below a prefix, and what is in them. */
  async all(prefix: string): Promise<Map<string, { value: string; lease: string }>> {
    const key = Buffer.from(prefix);
    const end = Buffer.from(prefix);
    end[end.length - 1]! += 1;
    const said = (await this.call('/v3/kv/range', {
      key: key.toString('base64'),
      range_end: end.toString('base64'),
    })) as { kvs?: { key: string; value: string; lease?: string }[] };
    const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
    return new Map(
      (said.kvs ?? []).map((one) => [
        text(one.key).slice(prefix.length),
        { value: text(one.value), lease: one.lease ?? '0' },
      ]),
    );
  }

  async revision(): Promise<number> {
    const { header } = await this.call('/v3/kv/range', { key: 'YQ==' });
    return Number((header as { revision: string }).revision);
  }
}
