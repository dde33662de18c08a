// SPDX-License-Identifier: Apache-2.0
// The DHCP client of many leases, without a socket or a clock: an event in, actions out, both JSON.
// The names of events and actions, and their members, are in agent/dhcp/protocol.ts. It owns which
// leases there are; what becomes of one is client.ts.
import { base64_decode } from "../lib/base64";
import { JsonValue, json_parse, Kind } from "../lib/json";
import { integer_at } from "./actions";
import {
  client_acquire,
  client_adopt,
  client_again,
  client_failed,
  client_frame,
  client_opened,
  client_release,
  client_tick,
  Link,
} from "./client";
import { Asked, Context, Told } from "./context";
import { Lease, lease_read, State } from "./lease";
import { client_released } from "./leave";
import { ALLOCATE, RELEASE } from "./rpc";
import { Server } from "./server";
import { Wanted } from "./wanted";

const context = new Context();
const server = new Server();
const leases = new Map<string, Lease>();

/** Takes an event in JSON; gives the actions. */
export function dhcp_event(ptr: usize, len: i32): string {
  const parsed = json_parse(ptr, len);
  assert(!parsed.failed && parsed.value.kind == Kind.Object, "an event that is no JSON object");
  const event = parsed.value;
  context.begin(integer_at(event, "now_ms", 0), <u32>integer_at(event, "random", 1));
  take(event.text_at("event"), event);
  for (let i = 0; i < context.told.length; i++) server.answer(context.told[i], context);
  context.told = [];
  return context.actions.text(wake_ms());
}

function take(name: string, event: JsonValue): void {
  const id = event.text_at("lease");
  const lease: Lease | null = leases.has(id) ? leases.get(id) : null;
  if (name == "start") start(event);
  else if (name == "connected") server.connected(integer_at(event, "conn", 0));
  else if (name == "ended") server.ended(integer_at(event, "conn", 0), context);
  else if (name == "closed") server.closed(integer_at(event, "conn", 0));
  else if (name == "bytes") bytes(event);
  else if (name == "tick") tick();
  else if (lease) {
    of_lease(name, event, lease);
    settle(lease);
  }
}

function of_lease(name: string, event: JsonValue, lease: Lease): void {
  if (name == "opened") {
    const link = new Link();
    link.netnsID = event.text_at("netnsID");
    link.mac = <u64>integer_at(event, "mac", 0);
    link.kind = event.text_at("kind");
    link.mtu_bytes = <i32>integer_at(event, "mtu_bytes", 0);
    const fresh = event.get("fresh");
    link.fresh = fresh !== null && fresh.bool;
    client_opened(lease, context, link);
  } else if (name == "failed") {
    const gone = event.get("gone");
    client_failed(lease, context, event.text_at("error"), gone !== null && gone.bool);
  } else if (name == "frame") {
    const frame = base64_decode(event.text_at("frame"));
    if (frame) client_frame(lease, context, frame.ptr, frame.len);
  } else if (name == "released") client_released(lease, context, event.text_at("error"));
}

/** Forgets a lease whose end has come. */
function settle(lease: Lease): void {
  if (lease.state == State.Gone) leases.delete(lease.id);
}

function start(event: JsonValue): void {
  const settings = context.settings;
  const broadcast = event.get("broadcast");
  settings.broadcast = broadcast !== null && broadcast.bool;
  settings.timeout_ms = integer_at(event, "timeout_ms", settings.timeout_ms);
  settings.resendmax_ms = integer_at(event, "resendmax_ms", settings.resendmax_ms);
  settings.resendtimeout_ms = integer_at(event, "resendtimeout_ms", settings.resendtimeout_ms);
  const texts = event.get("leases");
  for (let i = 0; texts !== null && i < texts.items.length; i++) {
    const lease = lease_read(texts.items[i].text);
    if (!lease) {
      context.actions.log("a file of a lease cannot be read, or is of another version: it is left");
      continue;
    }
    leases.set(lease.id, lease);
    client_adopt(lease, context);
    settle(lease);
  }
}

function bytes(event: JsonValue): void {
  const came = base64_decode(event.text_at("bytes"));
  if (!came) return;
  const asked = server.bytes(integer_at(event, "conn", 0), context, came.ptr, came.len);
  for (let i = 0; i < asked.length; i++) serve(asked[i]);
}

function refuse(asked: Asked, error: string): void {
  context.told.push(new Told(asked, error, null));
}

function serve(asked: Asked): void {
  const call = asked.call;
  if (call.method != ALLOCATE && call.method != RELEASE) {
    return refuse(asked, `rpc: can't find method ${call.method}`);
  }
  const wanted = new Wanted(call.args);
  if (wanted.id.length == 0) return refuse(asked, wanted.error);
  const known: Lease | null = leases.has(wanted.id) ? leases.get(wanted.id) : null;
  if (call.method == ALLOCATE) {
    if (wanted.error.length > 0) return refuse(asked, wanted.error);
    return allocate(asked, wanted, known);
  }
  if (!known) return refuse(asked, "");
  client_release(known, context, asked);
  settle(known);
}

function allocate(asked: Asked, wanted: Wanted, known: Lease | null): void {
  const args = asked.call.args;
  const lease = known ? known : new Lease();
  const same = known !== null && lease.netns == args.netns;
  lease.id = wanted.id;
  lease.network = wanted.network;
  lease.containerID = args.containerID;
  lease.ifname = args.ifname;
  lease.netns = args.netns;
  lease.requested = wanted.requested;
  lease.provided = wanted.provided;
  lease.priority = wanted.priority;
  if (known) return client_again(lease, context, asked, same);
  leases.set(lease.id, lease);
  lease.waiting.push(asked);
  client_acquire(lease, context);
}

function tick(): void {
  const all = leases.values();
  for (let i = 0; i < all.length; i++) {
    client_tick(all[i], context);
    settle(all[i]);
  }
}

/** When the time is to be told next; -1 for never. */
function wake_ms(): i64 {
  let wake: i64 = -1;
  const all = leases.values();
  for (let i = 0; i < all.length; i++) {
    const lease = all[i];
    if (lease.due_ms >= 0 && (wake < 0 || lease.due_ms < wake)) wake = lease.due_ms;
    if (lease.close_ms >= 0 && (wake < 0 || lease.close_ms < wake)) wake = lease.close_ms;
  }
  return wake;
}
