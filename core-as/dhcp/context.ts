// SPDX-License-Identifier: Apache-2.0
// What a lease is given at each event: the time, random numbers, the daemon's settings, and where
// it says what is to be done and what callers are to be told.
import { Actions } from "./actions";
import { Leased } from "./leased";
import { Call } from "./rpc";

/** A caller that waits for an answer: of one lease, or of one of each family. */
export class Asked {
  /** Leases that have not said anything yet; 0 once the caller has its answer. */
  left: i32 = 1;
  error: string = "";
  leased: Leased | null = null;
  constructor(
    public conn: i64,
    public call: Call,
  ) {}

  /** Takes the word of a lease; whether it was the last that is needed. */
  take(told: Told): bool {
    if (this.left == 0) return false;
    this.left = told.error.length > 0 ? 0 : this.left - 1;
    this.error = told.error;
    const leased = told.leased;
    const before = this.leased;
    if (before && leased) before.join(leased);
    else if (leased) this.leased = leased;
    return this.left == 0;
  }
}

/** A lease's word: an error, or a result, or neither when something is done. */
export class Told {
  constructor(
    public asked: Asked,
    public error: string,
    public leased: Leased | null,
  ) {}
}

/** The daemon's flags. */
export class Settings {
  /** Whether servers are asked to answer everybody. */
  broadcast: bool = false;
  /** So long an offer that was taken up is waited for. */
  timeout_ms: i64 = 10000;
  /** The longest time between two tries. */
  resendmax_ms: i64 = 62000;
  /** So long a lease is tried to be had. */
  resendtimeout_ms: i64 = 208000;
}

export class Context {
  settings: Settings = new Settings();
  actions: Actions = new Actions();
  told: Told[] = [];
  /** Of CLOCK_BOOTTIME. */
  now_ms: i64 = 0;
  private seed: u32 = 1;

  /** Begins an event. */
  begin(now_ms: i64, seed: u32): void {
    this.now_ms = now_ms;
    this.actions = new Actions();
    this.seed = seed | 1;
  }
  /** The next of the numbers that the event's own one leads to (xorshift). */
  random(): u32 {
    let x = this.seed;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    this.seed = x;
    return x;
  }
  /** A second more or less. */
  jitter_ms(): i64 {
    return <i64>(this.random() % 2001) - 1000;
  }
}
