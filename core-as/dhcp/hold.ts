// SPDX-License-Identifier: Apache-2.0
// A lease while a pod has it: renewing, rebinding, its end when no server answers (RFC 2131 section
// 4.4.5). What a pod was wired with is never changed.
import { JsonValue } from "../lib/json";
import { State, Why } from "./claim";
import { Context } from "./context";
import { Lease } from "./lease";
import {
  CLASSLESS_ROUTES,
  INTERFACE_MTU,
  LEASE_TIME,
  Options,
  REBINDING_TIME,
  RENEWAL_TIME,
  ROUTERS,
  STATIC_ROUTES,
  SUBNET_MASK,
} from "./options";
import { arp_owner } from "./packet";
import { lease_end, lease_log, lease_look, lease_tell } from "./steps";
import { retry_ms, say_arp, say_renew } from "./talk";
import { address_text } from "./terms";

/** So long an answer to a renewal is listened for: a socket keeps its pod's namespace alive. */
const LISTEN_MS: i64 = 10000;
const MTU_LEAST_BYTES: i32 = 576;

/** What the pod was wired with stays; new are the times. */
export function lease_renewed(lease: Lease, context: Context, now: Options): void {
  if (told_otherwise(lease.options, now)) {
    lease_log(
      lease,
      context,
      "the server now gives another mask or other routes: the pod keeps its own",
    );
  }
  lease.options.take(LEASE_TIME, now);
  lease.options.take(RENEWAL_TIME, now);
  lease.options.take(REBINDING_TIME, now);
}

/** Whether what a pod was wired with is not what the server says now. */
function told_otherwise(before: Options, now: Options): bool {
  const numbers: i32[] = [SUBNET_MASK, ROUTERS, STATIC_ROUTES, CLASSLESS_ROUTES];
  for (let i = 0; i < numbers.length; i++) {
    const a = before.get(numbers[i]);
    const b = now.get(numbers[i]);
    if (!a || !b) {
      if (a || b) return true;
    } else if (a.len != b.len || memory.compare(a.ptr, b.ptr, a.len) != 0) return true;
  }
  return false;
}

/** Brings the link's MTU down to what the server says; up it never goes. */
export function lease_shrink(lease: Lease, context: Context, options: Options): void {
  const mtu_bytes = options.u16_at(INTERFACE_MTU, 0);
  if (mtu_bytes == 0 || mtu_bytes >= lease.mtu_bytes) return;
  if (mtu_bytes < MTU_LEAST_BYTES) {
    lease_log(
      lease,
      context,
      `the server says an MTU of ${mtu_bytes}, which is too small: ignored`,
    );
    return;
  }
  const action = context.actions.of("mtu", lease.id);
  action.append("mtu_bytes", JsonValue.number(mtu_bytes));
  lease.mtu_bytes = mtu_bytes;
}

/** Says when a lease that is held has to be looked at next. */
export function lease_plan(lease: Lease, context: Context): void {
  lease.tries = 0;
  lease.due_ms = lease.times.lease_ms < 0 ? -1 : lease.obtained_ms + lease.times.t1_ms;
}

/** A held lease whose time has come: renewing, rebinding, the end. */
export function lease_age(lease: Lease, context: Context): void {
  const age_ms = context.now_ms - lease.obtained_ms;
  if (age_ms >= lease.times.lease_ms) return lease_expire(lease, context, "no server renewed it");
  const state = age_ms >= lease.times.t2_ms ? State.Rebinding : State.Renewing;
  if (lease.state != state) {
    lease.xid = context.random();
    lease.tries = 0;
    lease.started_ms = context.now_ms;
  }
  lease.state = state;
  if (lease.open) lease_renew(lease, context);
  else lease_look(lease, context, Why.Renew);
}

export function lease_renew(lease: Lease, context: Context): void {
  lease.tries++;
  lease.asked_ms = context.now_ms;
  say_renew(lease, context);
  // A server may have come back with another hardware address.
  const asks_it = lease.state == State.Renewing && lease.server_near;
  if (asks_it) say_arp(lease, context, lease.address, lease.server);
  if (lease.tries == 2) {
    const server = address_text(lease.server);
    lease_log(lease, context, `the server ${server} does not answer: the lease is asked for again`);
  }
  lease.due_ms = retry_ms(lease, context);
  lease.close_ms = context.now_ms + LISTEN_MS;
}

/** The address is not the pod's any more. */
export function lease_expire(lease: Lease, context: Context, why: string): void {
  lease_log(
    lease,
    context,
    `the lease of ${address_text(lease.address)} is over, ${why}: "${lease.ifname}" is set down`,
  );
  lease_tell(lease, context, `the lease is over, ${why}`, false);
  lease.state = State.New;
  if (!lease.open) return lease_look(lease, context, Why.Down);
  context.actions.of("down", lease.id);
  lease_end(lease, context);
}

/** A server that is elsewhere than it was is asked there. */
export function lease_moved(lease: Lease, context: Context, ptr: usize, len: i32): void {
  const owner = arp_owner(ptr, len, lease.server);
  if (owner == 0 || owner == lease.server_mac) return;
  lease.server_mac = owner;
  say_renew(lease, context);
}
