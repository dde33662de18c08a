// SPDX-License-Identifier: Apache-2.0
// A lease of IPv6 while a pod has it: confirming, renewing, rebinding, its end, and the release of
// one that nobody needs (RFC 8415 sections 18.2.3 to 18.2.7). A pod keeps what it was wired with,
// but an address whose time is over is taken off.
import { JsonValue } from "../../lib/json";
import { State, Why } from "../claim";
import { Context } from "../context";
import { lease_close, lease_end, lease_log, lease_look, lease_tell } from "../steps";
import { Lease6 } from "./lease";
import { exchange, say } from "./talk";

/** So long an answer to a renewal is listened for: a socket keeps its pod's namespace alive. */
const LISTEN_MS: i64 = 10000;
/** So long a server is asked whether the address is still of its link (CNF_MAX_RD). */
const CONFIRM_MS: i64 = 10000;
/** A pod that goes waits for no more than these. */
const RELEASE_TRIES: i32 = 2;

/** Says when a lease that is held has to be looked at next. */
export function lease6_plan(lease: Lease6): void {
  lease.tries = 0;
  lease.due_ms = lease.t1_ms < 0 ? -1 : lease.obtained_ms + lease.t1_ms;
}

/** The lease is as good as it was. */
export function lease6_settle(lease: Lease6, context: Context): void {
  lease.state = State.Bound;
  lease_tell(lease, context, "", true);
  lease_close(lease, context);
  lease6_plan(lease);
}

/** A held lease whose time has come. */
export function lease6_age(lease: Lease6, context: Context): void {
  const age_ms = context.now_ms - lease.obtained_ms;
  if (lease.lease_ms >= 0 && age_ms >= lease.lease_ms) {
    return lease6_expire(lease, context, "no server renewed it");
  }
  if (lease.state == State.Confirming) return confirm_more(lease, context);
  if (lease.open) lease6_renew(lease, context);
  else lease_look(lease, context, Why.Renew);
}

/** Asks the server for more time, or after T2 any server. */
export function lease6_renew(lease: Lease6, context: Context): void {
  const age_ms = context.now_ms - lease.obtained_ms;
  const state = age_ms >= lease.t2_ms ? State.Rebinding : State.Renewing;
  if (lease.state != state) exchange(lease, context, state);
  else say(lease, context);
  if (lease.tries == 2) {
    const server = lease.server_text;
    lease_log(lease, context, `the server ${server} does not answer: the lease is asked for again`);
  }
  const end_ms = state == State.Renewing ? lease.t2_ms : lease.lease_ms;
  lease.due_ms = min(lease.due_ms, lease.obtained_ms + end_ms);
  lease.close_ms = context.now_ms + LISTEN_MS;
}

export function lease6_confirm(lease: Lease6, context: Context): void {
  lease.elsewhere = "";
  exchange(lease, context, State.Confirming);
  confirm_until(lease);
}

function confirm_until(lease: Lease6): void {
  lease.due_ms = min(lease.due_ms, lease.asked_ms + CONFIRM_MS);
}

function confirm_more(lease: Lease6, context: Context): void {
  if (context.now_ms - lease.asked_ms >= CONFIRM_MS) {
    const from = lease.elsewhere;
    // A server that says nothing says nothing against it.
    if (from.length == 0) return lease6_settle(lease, context);
    return lease6_expire(lease, context, `the server ${from} says that it is of another link`);
  }
  say(lease, context);
  confirm_until(lease);
}

/** The address is not the pod's any more. */
export function lease6_expire(lease: Lease6, context: Context, why: string): void {
  lease_log(
    lease,
    context,
    `the lease of ${lease.address} is over, ${why}: it is taken off "${lease.ifname}"`,
  );
  lease_tell(lease, context, `the lease is over, ${why}`, false);
  lease.state = State.New;
  if (!lease.open) return lease_look(lease, context, Why.Down);
  lease6_drop(lease, context);
}

export function lease6_drop(lease: Lease6, context: Context): void {
  const action = context.actions.of("addr_del", lease.id);
  action.append("address", JsonValue.string(`${lease.address}/${lease.address.width}`));
  lease_end(lease, context);
}

/** Says RELEASE; a server answers it. */
export function lease6_leave(lease: Lease6, context: Context): void {
  lease.close_ms = -1;
  exchange(lease, context, State.Leaving);
}

export function lease6_leaving(lease: Lease6, context: Context): void {
  if (lease.tries < RELEASE_TRIES) return say(lease, context);
  lease6_unreleased(lease, context, `the server ${lease.server_text} does not answer the release`);
}

/** What becomes of a lease that the server is not told of. */
function end_of(lease: Lease6, now_ms: i64): string {
  if (lease.obtained_ms < 0) return "whether the server gave it is not known";
  if (lease.lease_ms < 0) return "it does not end by itself";
  const left_ms = lease.obtained_ms + lease.lease_ms - now_ms;
  return left_ms > 0 ? `it ends by itself in ${left_ms / 1000} s` : "it is over already";
}

/** Nobody else can tell the server: it hears only its own link. */
export function lease6_unreleased(lease: Lease6, context: Context, why: string): void {
  const end = end_of(lease, context.now_ms);
  lease_log(lease, context, `${lease.address} is not released, ${why}: ${end}`);
  lease_tell(lease, context, "", false);
  lease_end(lease, context);
}
