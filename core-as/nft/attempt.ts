// SPDX-License-Identifier: Apache-2.0
// A change of our tables as one transaction, sent again when another process was quicker. It knows
// nothing of what is changed.
import { failure_errno } from "../host/failure";
import { HOST } from "../host/kernel";
import { batch_send, generation } from "../host/nft";
import { sleep } from "../host/store";
import { EBUSY, EEXIST, ENOENT, ERESTART } from "../lib/errno";
import { hash64 } from "../lib/name";
import { Batch } from "./batch";
import { Owned } from "./element";
import { unsupported } from "./present";

/**
 * How long a transaction is tried. Each failure that is tried again means that another transaction
 * came through between our look and ours, so somebody always goes on, and as many calls as come at
 * once need as many tries. They are 15 s at most in waits, as for the lock of leases: by then
 * something else changes the tables all the time.
 */
const WAIT_MAX_MS = 15000;
const PAUSE_BITS_MAX = 6;

/** One change of our tables, tried until it is decided. */
export class Attempt {
  generation: u32 = 0;
  private tries: i32 = 0;
  private waited_ms: i32 = 0;
  private dice: u64;

  /** `first`: of whom it is, so that two do not wait alike. */
  constructor(first: Owned | null) {
    this.dice = first ? hash64(first.owner + first.element.text) : 0;
  }

  /** Notes of which generation what is read from now on is; false on failure. */
  look(): bool {
    const now = generation(HOST);
    // Without nf_tables there is nothing of which it could be.
    if (now < 0 && !unsupported()) return false;
    this.generation = now < 0 ? 0 : <u32>now;
    return true;
  }

  /**
   * Whether to try again, after a wait. Only another process's change is a reason: a transaction
   * that names the generation of its looks can fail by that in one way, ERESTART.
   */
  again(): bool {
    if (failure_errno != ERESTART && (this.generation != 0 || !contended())) return false;
    // The first time the winner is through already.
    const bits = min(this.tries++, PAUSE_BITS_MAX);
    this.dice = this.dice * 6364136223846793005 + 1442695040888963407;
    const pause_ms = <i32>(this.dice >> 40) & ((1 << bits) - 1);
    this.waited_ms += pause_ms;
    if (pause_ms > 0) sleep(pause_ms);
    return this.waited_ms < WAIT_MAX_MS;
  }
}

/** Sends a transaction; whether another process made it fail is in `failure_errno`. */
export function send(batch: Batch): bool {
  batch.finish();
  return batch_send(HOST, batch.out, batch.words) >= 0;
}

export function contended(): bool {
  return failure_errno == ENOENT || failure_errno == EEXIST || failure_errno == EBUSY;
}
