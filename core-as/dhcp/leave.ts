// SPDX-License-Identifier: Apache-2.0
// The end of a lease that nobody needs: RELEASE, to a server that is there, or later from the host
// when it is away or the pod is gone. A server does not answer it (RFC 2131 section 4.4.6).
import { JsonValue } from "../lib/json";
import { bytes_append } from "./actions";
import { State } from "./claim";
import { Context } from "./context";
import { Lease } from "./lease";
import { arp_owner, says_unreachable } from "./packet";
import { lease_close, lease_end, lease_log, lease_store, lease_tell } from "./steps";
import { say_arp, say_release } from "./talk";
import { address_text } from "./terms";

/** So long a server on the same link may take to be heard of at a release. */
const HEARD_WITHIN_MS: i64 = 200;
/** A word that nobody listens comes before this. */
const QUIET_MS: i64 = 6;
/** Of what is tried again for a server that is away. */
const OWED_FIRST_MS: i64 = 5000;
const OWED_MAX_MS: i64 = 300000;

/** Says RELEASE, once a server on the link has said where it is now: nobody answers the former. */
export function lease_leave(lease: Lease, context: Context): void {
  const unanswered = lease.state != State.Bound && lease.tries > 0;
  lease.state = State.Leaving;
  lease.heard = !lease.server_near && !unanswered;
  if (lease.server_near) say_arp(lease, context, lease.address, lease.server);
  else say_release(lease, context);
  lease.close_ms = -1;
  lease.due_ms = context.now_ms + (lease.server_near ? HEARD_WITHIN_MS : QUIET_MS);
}

/** What is said on the link after a RELEASE. */
export function lease_overheard(lease: Lease, context: Context, ptr: usize, len: i32): void {
  if (says_unreachable(ptr, len, lease.server)) return lease_owe(lease, context, -1);
  const owner = arp_owner(ptr, len, lease.server);
  if (lease.heard || owner == 0) return;
  lease.heard = true;
  lease.server_mac = owner;
  say_release(lease, context);
  lease.due_ms = context.now_ms + QUIET_MS;
}

/** The server is to be told later; at `due_ms`, -1 for after a while. */
export function lease_owe(lease: Lease, context: Context, due_ms: i64): void {
  lease_close(lease, context);
  lease.state = State.Owed;
  lease.tries = 0;
  lease.due_ms = due_ms < 0 ? context.now_ms + OWED_FIRST_MS : due_ms;
  if (due_ms < 0) {
    const server = address_text(lease.server);
    lease_log(
      lease,
      context,
      `the server ${server} is away: it is told of the release when it is back`,
    );
  }
  lease_store(lease, context);
  lease_tell(lease, context, "", false);
}

export function lease_pay(lease: Lease, context: Context): void {
  const over_ms = lease.over_ms;
  if (over_ms >= 0 && context.now_ms >= over_ms) return lease_end(lease, context);
  lease.tries++;
  const wait_ms = OWED_FIRST_MS << (<i64>min(lease.tries, 10));
  lease.due_ms = context.now_ms + min(wait_ms, OWED_MAX_MS);
  const action = context.actions.of("release", lease.id);
  action.append("server", JsonValue.string(address_text(lease.server)));
  bytes_append(action, "body", lease.release_body(context.random()));
}

/** The host told the server, or could not: why. */
export function client_released(lease: Lease, context: Context, error: string): void {
  if (lease.state != State.Owed) return;
  if (error.length == 0) {
    lease_log(lease, context, `${address_text(lease.address)} is released`);
    return lease_end(lease, context);
  }
  if (lease.tries == 1) lease_log(lease, context, `the release is tried again: ${error}`);
}
