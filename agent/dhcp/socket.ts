// SPDX-License-Identifier: Apache-2.0
// The socket that plugins call the DHCP daemon on: a path, or what systemd hands over. A file that
// a daemon left is replaced, one that listens is not. It refuses to read what callers say.
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';

const DIR_MODE = 0o700;
const SOCKET_MODE = 0o600;
/** The first descriptor of sd_listen_fds(3). */
const FIRST_FD = 3;
const CONNECTIONS_MAX = 8192;

/** The socket cannot be had; the text is for a person. */
export class SocketError extends Error {}

export interface Callers {
  connected(conn: number): void;
  bytes(conn: number, bytes: Uint8Array): void;
  ended(conn: number): void;
  closed(conn: number): void;
}

/** Whether systemd started us with sockets; SocketError when it is not exactly one. */
export function activated(env: Readonly<Record<string, string | undefined>>): boolean {
  const count = Number(env['LISTEN_FDS'] ?? '0');
  if (env['LISTEN_PID'] !== String(process.pid) || count === 0) return false;
  if (count === 1) return true;
  throw new SocketError(`systemd hands over ${count} sockets: the unit must have exactly one`);
}

/** Whether somebody listens there. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
}

async function makeRoom(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: DIR_MODE });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new SocketError(`${path} is there and is no socket: remove it, or use -socketpath`);
  }
  if (await isAlive(path)) {
    throw new SocketError(`another DHCP daemon listens on ${path}: stop it, or use -socketpath`);
  }
  unlinkSync(path);
}

/** The connections by number, and the socket they come by. */
export class CallerSocket {
  readonly #server: Server;
  readonly #connections = new Map<number, Socket>();
  #last = 0;
  /** Of the file that is ours, undefined for what systemd has. */
  #path: string | undefined;

  constructor(callers: Callers) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#take(socket, callers));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Listens; SocketError when that cannot be. */
  async listen(path: string | undefined): Promise<void> {
    if (path !== undefined) await makeRoom(path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(new SocketError(error.message)));
      this.#server.listen(path === undefined ? { fd: FIRST_FD } : { path }, resolve);
    });
    if (path !== undefined) chmodSync(path, SOCKET_MODE);
    this.#path = path;
  }

  reply(conn: number, bytes: Uint8Array): void {
    this.#connections.get(conn)?.write(bytes);
  }

  hangUp(conn: number): void {
    this.#connections.get(conn)?.end();
  }

  /** Ends, and removes the file. */
  close(): void {
    this.#server.close();
    for (const socket of this.#connections.values()) socket.destroy();
    if (this.#path !== undefined) {
      try {
        unlinkSync(this.#path);
      } catch {
        // Somebody was faster.
      }
    }
  }

  #take(socket: Socket, callers: Callers): void {
    const conn = ++this.#last;
    this.#connections.set(conn, socket);
    callers.connected(conn);
    socket.on('data', (bytes: Buffer) => callers.bytes(conn, bytes));
    socket.on('end', () => callers.ended(conn));
    // A caller that is gone is no failure of ours.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#connections.delete(conn);
      callers.closed(conn);
    });
  }
}
