// SPDX-License-Identifier: Apache-2.0
// The small steps that all states of a lease take: what callers, the log and the host are told. It
// refuses to decide when.
import { JsonValue } from "../lib/json";
import { Claim, State, Why } from "./claim";
import { Context, Told } from "./context";
import { Leased } from "./leased";

export function lease_log(lease: Claim, context: Context, text: string): void {
  context.actions.log(`${lease.id}: ${text}`);
}

/** Tells all who wait: an error, or what the lease gives. */
export function lease_tell(lease: Claim, context: Context, error: string, result: bool): void {
  for (let i = 0; i < lease.waiting.length; i++) {
    const leased: Leased | null = result ? lease.leased : null;
    context.told.push(new Told(lease.waiting[i], error, leased));
  }
  lease.waiting = [];
}

export function lease_close(lease: Claim, context: Context): void {
  if (lease.open) context.actions.of("close", lease.id);
  lease.open = false;
  lease.close_ms = -1;
}

export function lease_end(lease: Claim, context: Context): void {
  lease_tell(lease, context, "the lease is over", false);
  lease_close(lease, context);
  context.actions.of("forget", lease.id);
  lease.state = State.Gone;
}

/** Asks the host for the link; `opened` or `failed` follows. */
export function lease_look(lease: Claim, context: Context, why: Why): void {
  lease.why = why;
  const action = context.actions.of("open", lease.id);
  action.append("netns", JsonValue.string(lease.netns));
  action.append("ifname", JsonValue.string(lease.ifname));
  if (lease.v6) action.append("ipv6", JsonValue.bool(true));
  lease.due_ms = -1;
}

export function lease_store(lease: Claim, context: Context): void {
  const action = context.actions.of("store", lease.id);
  action.append("text", JsonValue.string(lease.text()));
}
