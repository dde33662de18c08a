// SPDX-License-Identifier: Apache-2.0
// Whether paths take what is said of them, by packets that nobody may cut: a small one, one at the
// limit, one above; where the limit is a lie, how much gets through, and who says so. It owns the
// order of sizes and refuses to know how a packet is sent.
import type { Ask, Reply } from '../../host-node/sys/echo.ts';

export interface Target {
  readonly address: string;
  /** What a packet with its IP header may have. */
  readonly limit_bytes: number;
}

export interface Verdict {
  /**
   * `true`: what is said gets through. `lie`: it does not. `unknown`: not even a small packet is
   * answered, so nothing can be told.
   */
  readonly truth: 'true' | 'lie' | 'unknown';
  /** The most that got through, 0 for nothing. */
  readonly carried_bytes: number;
  /** One byte above the limit got through, too: the path takes more. */
  readonly more: boolean;
  /** Who said of a packet that it is too large, "" for nobody; and what would not be. */
  readonly hop: string;
  readonly hop_bytes: number;
  readonly why: string;
}

/** Sends packets, each once, and waits for what comes of them. */
export type Exchange = (asks: readonly Ask[], wait_ms: number) => Reply[];

/** Less than any path may take of IPv4 or IPv6 and enough for every header. */
const SMALL_BYTES = 68;
/** What is not answered is sent again: a packet may be lost by chance. */
const TRIES = 3;
const FIRST_WAIT_MS = 1000;
const LEAST_WAIT_MS = 100;
/** So many round trips are waited for once it is known how long one takes. */
const ROUND_TRIPS = 5;

/** One path: what is known of it, and what is asked next. */
class Hunt {
  readonly target: Target;
  carried_bytes = 0;
  /** The least that does not get through. */
  #fails_bytes = Number.POSITIVE_INFINITY;
  #hop = '';
  #hop_bytes = 0;
  #why = '';
  #more = false;
  #asked = 0;
  /** A hop's word is tried once. */
  #tried = 0;
  #over = false;

  constructor(target: Target) {
    this.target = target;
  }

  /** The size of the next packet; undefined when all is known. */
  get next(): number | undefined {
    if (this.#over) return undefined;
    const { limit_bytes } = this.target;
    if (this.#asked === 0) return Math.min(SMALL_BYTES, limit_bytes);
    if (this.#asked === 1) return limit_bytes;
    if (this.carried_bytes >= limit_bytes) return this.#asked === 2 ? limit_bytes + 1 : undefined;
    if (this.carried_bytes + 1 >= this.#fails_bytes) return undefined;
    const said = this.#hop_bytes;
    if (said !== this.#tried && said > this.carried_bytes && said < this.#fails_bytes) return said;
    return Math.floor((this.carried_bytes + this.#fails_bytes) / 2);
  }

  take(size_bytes: number, reply: Reply): void {
    this.#asked++;
    if (size_bytes === this.#hop_bytes) this.#tried = size_bytes;
    const above = size_bytes > this.target.limit_bytes;
    if (reply.kind === 'answer') {
      if (above) this.#more = true;
      else this.carried_bytes = Math.max(this.carried_bytes, size_bytes);
      // What a hop says and what gets through are one: there is nothing more to be found.
      if (size_bytes === this.#hop_bytes && this.#hop !== '') this.#over = true;
      return;
    }
    if (above) return;
    this.#fails_bytes = Math.min(this.#fails_bytes, size_bytes);
    if (reply.kind === 'too large') [this.#hop, this.#hop_bytes] = [reply.by, reply.mtu_bytes];
    if (reply.kind === 'no way') this.#why = `is not reached: ${reply.why}`;
    if (reply.kind === 'refused') this.#why = 'this node’s own link takes no more';
    if (this.#asked === 1) this.#over = true;
  }

  get verdict(): Verdict {
    const { limit_bytes, address } = this.target;
    const [carried_bytes, more] = [this.carried_bytes, this.#more];
    const [hop, hop_bytes] = [this.#hop, this.#hop_bytes];
    const found = { carried_bytes, more, hop, hop_bytes };
    if (carried_bytes >= limit_bytes) {
      return { truth: 'true', ...found, why: more ? `${address} takes more` : '' };
    }
    if (carried_bytes === 0) {
      const why = `${address} ${this.#why || 'does not answer at all'}`;
      return { truth: 'unknown', ...found, why };
    }
    const silently = `silently dropped above ${carried_bytes} on the way to ${address}`;
    const dropped = this.#why === '' ? silently : `${carried_bytes} to ${address}: ${this.#why}`;
    const said = `${hop} says that ${hop_bytes} is the most to ${address}`;
    const both = carried_bytes === hop_bytes ? said : `${said}, and ${carried_bytes} is`;
    return { truth: 'lie', ...found, why: hop === '' ? dropped : both };
  }
}

/** Probes all of them side by side. */
export function probe(targets: readonly Target[], exchange: Exchange): Verdict[] {
  const hunts = targets.map((target) => new Hunt(target));
  let wait_ms = FIRST_WAIT_MS;
  // Of all rounds: in one that only near nodes answer, far ones need their time none the less.
  let slowest_ms = 0;
  for (;;) {
    let asks = hunts.flatMap((hunt) => {
      const size_bytes = hunt.next;
      const { address } = hunt.target;
      return size_bytes === undefined ? [] : [{ hunt, ask: { address, size_bytes } }];
    });
    if (asks.length === 0) return hunts.map(({ verdict }) => verdict);
    for (let tries = 1; asks.length > 0; tries++) {
      const replies = exchange(
        asks.map(({ ask }) => ask),
        wait_ms,
      );
      asks = asks.filter(({ hunt, ask }, at) => {
        const reply = replies[at]!;
        if (reply.kind === 'answer') slowest_ms = Math.max(slowest_ms, reply.rtt_ms);
        if (reply.kind === 'silence' && tries < TRIES) return true;
        hunt.take(ask.size_bytes, reply);
        return false;
      });
    }
    if (slowest_ms > 0) {
      wait_ms = Math.min(FIRST_WAIT_MS, Math.max(LEAST_WAIT_MS, slowest_ms * ROUND_TRIPS));
    }
  }
}
