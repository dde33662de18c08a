// SPDX-License-Identifier: Apache-2.0
// The DHCP daemon: carries events to its machine and does what that says, in order. It owns the
// timer and the signals. What a lease is, and all that is said to servers and callers, is the
// machine's (core-as/dhcp/).
import { randomBytes } from 'node:crypto';
import { unlinkSync, writeFileSync } from 'node:fs';
import { sinceBoot_ms } from '../../host-node/sys/libc.ts';
import { AgentCore } from '../core.ts';
import { collectWhenQuiet } from '../memory.ts';
import { Links, NoLink } from './links.ts';
import type { Action, Actions, Event, MachineSettings } from './protocol.ts';
import { sendRelease } from './release.ts';
import { activated, CallerSocket } from './socket.ts';
import { Stored } from './stored.ts';

export interface DaemonOptions extends MachineSettings {
  readonly socketpath: string;
  /** "" for none. */
  readonly pidfile: string;
  /** Stands before the paths of socket, state and namespaces. */
  readonly hostprefix: string;
  readonly state_dir: string;
}

/** What the program gives it. */
export interface DaemonHost {
  readonly module: () => WebAssembly.Module;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: (line: string) => void;
  readonly exit: (exit_code: number) => void;
}

/** Longest that a timer of Node waits. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const EXIT_BROKEN = 70;

const bytesOf = (base64: string): Uint8Array => Buffer.from(base64, 'base64');
const base64Of = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`);

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #host: DaemonHost;
  readonly #core: AgentCore;
  readonly #links: Links;
  readonly #stored: Stored;
  readonly #callers: CallerSocket;
  /** Events that came while another was acted on. */
  readonly #queue: Event[] = [];
  readonly #happened = collectWhenQuiet();
  #busy = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DaemonOptions, host: DaemonHost) {
    this.#options = options;
    this.#host = host;
    this.#core = new AgentCore(host.module());
    this.#links = new Links(options.hostprefix);
    this.#stored = new Stored(options.hostprefix + options.state_dir, options.socketpath);
    this.#callers = new CallerSocket({
      connected: (conn) => this.tell({ event: 'connected', conn }),
      bytes: (conn, bytes) => this.tell({ event: 'bytes', conn, bytes: base64Of(bytes) }),
      ended: (conn) => this.tell({ event: 'ended', conn }),
      closed: (conn) => this.tell({ event: 'closed', conn }),
    });
  }

  /** Adopts what an earlier daemon left, then listens. */
  async start(): Promise<void> {
    const { hostprefix, socketpath, pidfile, broadcast } = this.#options;
    const { timeout_ms, resendmax_ms, resendtimeout_ms } = this.#options;
    const by_systemd = activated(this.#host.env);
    process.on('SIGIO', () => this.#drain());
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => this.#end(0));
    }
    await this.#callers.listen(by_systemd ? undefined : hostprefix + socketpath);
    if (pidfile !== '') writeFileSync(pidfile, `${process.pid}`);
    const settings = { broadcast, timeout_ms, resendmax_ms, resendtimeout_ms };
    this.tell({ event: 'start', leases: this.#stored.read(), ...settings });
  }

  /** Gives locks and descriptors back; leases stay. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#callers.close();
    this.#stored.close();
    if (this.#options.pidfile === '') return;
    try {
      unlinkSync(this.#options.pidfile);
    } catch {
      // Somebody was faster.
    }
  }

  /** Tells the machine an event and does what it says; then what came meanwhile. */
  tell(event: Event): void {
    this.#queue.push(event);
    if (this.#busy || this.#closed) return;
    this.#busy = true;
    this.#happened();
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#step(next);
      }
    } catch (error) {
      // Its memory says nothing any more; what it stored, the next daemon takes over.
      this.#host.log(`fairlead dhcp: the machine broke: ${wordsOf(error)}`);
      this.#end(EXIT_BROKEN);
    } finally {
      this.#busy = false;
    }
  }

  #step(event: Event): void {
    const moment = { now_ms: sinceBoot_ms(), random: randomBytes(4).readUInt32LE(0) };
    const said = this.#core.tell('dhcp', { ...moment, ...event }) as Actions;
    for (const action of said.actions) this.#perform(action);
    clearTimeout(this.#timer);
    if (said.wake_ms < 0) return;
    const wait_ms = Math.min(Math.max(said.wake_ms - sinceBoot_ms(), 0), TIMER_MAX_MS);
    this.#timer = setTimeout(() => {
      this.#drain();
      this.tell({ event: 'tick' });
    }, wait_ms);
  }

  /** What cannot be done is told to a person; a lease goes on without it. */
  #perform(action: Action): void {
    try {
      this.#do(action);
    } catch (error) {
      const lease = 'lease' in action ? `${action.lease}: ` : '';
      this.#host.log(`fairlead dhcp: ${lease}${action.do}: ${wordsOf(error)}`);
    }
  }

  #do(action: Action): void {
    switch (action.do) {
      case 'open':
        this.#open(action);
        break;
      case 'send':
        this.#links.send(action.lease, bytesOf(action.frame));
        break;
      case 'close':
        this.#links.close(action.lease);
        break;
      case 'down':
        this.#links.setDown(action.lease);
        break;
      case 'addr_del':
        this.#links.removeAddress(action.lease, action.address);
        break;
      case 'mtu':
        this.#links.setMtu(action.lease, action.mtu_bytes);
        break;
      case 'store':
        this.#stored.write(action.lease, action.text);
        break;
      case 'forget':
        this.#stored.remove(action.lease);
        break;
      case 'release': {
        const { lease, server, body } = action;
        const done = (error: string) => this.tell({ event: 'released', lease, error });
        sendRelease(server, bytesOf(body), done);
        break;
      }
      case 'reply':
        this.#callers.reply(action.conn, bytesOf(action.bytes));
        break;
      case 'hangup':
        this.#callers.hangUp(action.conn);
        break;
      case 'log':
        this.#host.log(`fairlead dhcp: ${action.text}`);
        break;
    }
  }

  #open({ lease, netns, ifname, ipv6 = false }: Action & { do: 'open' }): void {
    try {
      const link = this.#links.open(lease, netns, ifname, ipv6);
      this.#queue.push({ event: 'opened', lease, ...link });
    } catch (error) {
      const gone = error instanceof NoLink && error.gone;
      this.#queue.push({ event: 'failed', lease, error: wordsOf(error), gone });
    }
  }

  #drain(): void {
    this.#links.drain((lease, frame) =>
      this.tell({ event: 'frame', lease, frame: base64Of(frame) }),
    );
  }

  #end(exit_code: number): void {
    this.close();
    this.#host.exit(exit_code);
  }
}
