// SPDX-License-Identifier: Apache-2.0
// The DHCP clients of many leases, without a socket or a clock: an event in, actions out, both in
// JSON. The names of events and actions, and their members, are in agent/dhcp/protocol.ts. It owns
// which leases there are; what becomes of one is client.ts, or v6/client.ts.
import { base64_decode } from "../lib/base64";
import { JsonValue, json_parse, Kind } from "../lib/json";
import { integer_at } from "./actions";
import { Claim, Link, State } from "./claim";
import {
  client_acquire,
  client_adopt,
  client_again,
  client_failed,
  client_frame,
  client_opened,
  client_release,
  client_tick,
} from "./client";
import { Asked, Context, Told } from "./context";
import { Lease, lease_read } from "./lease";
import { client_released } from "./leave";
import { ALLOCATE, CmdArgs, RELEASE, text_bytes } from "./rpc";
import { Server } from "./server";
import {
  client6_acquire,
  client6_adopt,
  client6_again,
  client6_failed,
  client6_frame,
  client6_opened,
  client6_release,
  client6_tick,
} from "./v6/client";
import { Lease6, lease6_read } from "./v6/lease";
import { Family, Wanted } from "./wanted";

const context = new Context();
const server = new Server();
const leases = new Map<string, Claim>();
/** Behind the name of a lease of IPv6: no part of a name has a slash. */
const IPV6 = "/ipv6";

/** Takes an event in JSON; gives the actions. */
export function dhcp_event(ptr: usize, len: i32): string {
  const parsed = json_parse(ptr, len);
  assert(!parsed.failed && parsed.value.kind == Kind.Object, "an event that is no JSON object");
  const event = parsed.value;
  context.begin(integer_at(event, "now_ms", 0), <u32>integer_at(event, "random", 1));
  take(event.text_at("event"), event);
  for (let i = 0; i < context.told.length; i++) {
    const told = context.told[i];
    if (told.asked.take(told)) server.answer(told.asked, context);
  }
  context.told = [];
  return context.actions.text(wake_ms());
}

function take(name: string, event: JsonValue): void {
  const id = event.text_at("lease");
  const lease: Claim | null = leases.has(id) ? leases.get(id) : null;
  if (name == "start") start(event);
  else if (name == "connected") server.connected(integer_at(event, "conn", 0));
  else if (name == "ended") server.ended(integer_at(event, "conn", 0), context);
  else if (name == "closed") server.closed(integer_at(event, "conn", 0));
  else if (name == "bytes") bytes(event);
  else if (name == "tick") tick();
  else if (lease) {
    of_lease(name, event, lease);
    settle(lease);
  } else if (name == "opened") {
    // It went meanwhile.
    context.actions.of("close", id);
  }
}

function link_of(event: JsonValue): Link {
  const link = new Link();
  link.netnsID = event.text_at("netnsID");
  link.mac = <u64>integer_at(event, "mac", 0);
  link.kind = event.text_at("kind");
  link.mtu_bytes = <i32>integer_at(event, "mtu_bytes", 0);
  const fresh = event.get("fresh");
  link.fresh = fresh !== null && fresh.bool;
  link.link_local = event.text_at("link_local");
  return link;
}

/** Whether the other family found the link down, set it up, and heard nothing yet. */
function sibling_fresh(lease: Claim): bool {
  const id = lease.id;
  const other = lease instanceof Lease6 ? id.slice(0, id.length - IPV6.length) : id + IPV6;
  return leases.has(other) && leases.get(other).fresh;
}

function of_lease(name: string, event: JsonValue, lease: Claim): void {
  if (name == "opened") {
    const link = link_of(event);
    link.fresh = link.fresh || sibling_fresh(lease);
    if (lease instanceof Lease6) client6_opened(<Lease6>lease, context, link);
    else client_opened(<Lease>lease, context, link);
  } else if (name == "failed") {
    const error = event.text_at("error");
    const member = event.get("gone");
    const gone = member !== null && member.bool;
    if (lease instanceof Lease6) client6_failed(<Lease6>lease, context, error, gone);
    else client_failed(<Lease>lease, context, error, gone);
  } else if (name == "frame") {
    const frame = base64_decode(event.text_at("frame"));
    if (!frame) return;
    if (lease instanceof Lease6) client6_frame(<Lease6>lease, context, frame.ptr, frame.len);
    else client_frame(<Lease>lease, context, frame.ptr, frame.len);
  } else if (name == "released" && lease instanceof Lease) {
    client_released(<Lease>lease, context, event.text_at("error"));
  }
}

/** Forgets a lease whose end has come. */
function settle(lease: Claim): void {
  if (lease.state == State.Gone) leases.delete(lease.id);
}

/** A lease of an earlier daemon, of its text. */
function adopt(text: string): void {
  const bytes = text_bytes(text);
  const parsed = json_parse(bytes.ptr, bytes.len);
  const known = !parsed.failed && parsed.value.kind == Kind.Object;
  const v6 = known && parsed.value.text_at("family") == "ipv6";
  const lease6: Lease6 | null = v6 ? lease6_read(parsed.value) : null;
  const lease: Lease | null = known && !v6 ? lease_read(parsed.value) : null;
  if (lease6) {
    leases.set(lease6.id, lease6);
    client6_adopt(lease6, context);
    settle(lease6);
  } else if (lease) {
    leases.set(lease.id, lease);
    client_adopt(lease, context);
    settle(lease);
  } else {
    context.actions.log("a file of a lease cannot be read, or is of another version: it is left");
  }
}

function start(event: JsonValue): void {
  const settings = context.settings;
  const broadcast = event.get("broadcast");
  settings.broadcast = broadcast !== null && broadcast.bool;
  settings.timeout_ms = integer_at(event, "timeout_ms", settings.timeout_ms);
  settings.resendmax_ms = integer_at(event, "resendmax_ms", settings.resendmax_ms);
  settings.resendtimeout_ms = integer_at(event, "resendtimeout_ms", settings.resendtimeout_ms);
  const texts = event.get("leases");
  for (let i = 0; texts !== null && i < texts.items.length; i++) adopt(texts.items[i].text);
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
  if (call.method == RELEASE) return release(asked, wanted.id);
  if (wanted.error.length > 0) return refuse(asked, wanted.error);
  asked.left = wanted.family == Family.Both ? 2 : 1;
  if (wanted.family != Family.Ipv6) allocate(asked, wanted);
  if (wanted.family != Family.Ipv4) allocate6(asked, wanted);
}

/** Gives back what there is of both families: a caller knows the name alone. */
function release(asked: Asked, id: string): void {
  const ids = [id, id + IPV6].filter((one) => leases.has(one));
  if (ids.length == 0) return refuse(asked, "");
  asked.left = ids.length;
  for (let i = 0; i < ids.length; i++) {
    const lease = leases.get(ids[i]);
    if (lease instanceof Lease6) client6_release(<Lease6>lease, context, asked);
    else client_release(<Lease>lease, context, asked);
    settle(lease);
  }
}

/** Makes a lease that of a call. */
function name(lease: Claim, id: string, args: CmdArgs, network: string): void {
  lease.id = id;
  lease.network = network;
  lease.containerID = args.containerID;
  lease.ifname = args.ifname;
  lease.netns = args.netns;
}

function allocate(asked: Asked, wanted: Wanted): void {
  const args = asked.call.args;
  const known = leases.has(wanted.id);
  const lease = known ? <Lease>leases.get(wanted.id) : new Lease();
  const same = known && lease.netns == args.netns;
  name(lease, wanted.id, args, wanted.network);
  lease.requested = wanted.requested;
  lease.provided = wanted.provided;
  lease.priority = wanted.priority;
  if (known) return client_again(lease, context, asked, same);
  leases.set(lease.id, lease);
  lease.waiting.push(asked);
  client_acquire(lease, context);
}

function allocate6(asked: Asked, wanted: Wanted): void {
  const args = asked.call.args;
  const id = wanted.id + IPV6;
  const known = leases.has(id);
  const lease = known ? <Lease6>leases.get(id) : new Lease6();
  const same = known && lease.netns == args.netns;
  name(lease, id, args, wanted.network);
  if (known) return client6_again(lease, context, asked, same);
  leases.set(lease.id, lease);
  lease.waiting.push(asked);
  client6_acquire(lease, context);
}

function tick(): void {
  const all = leases.values();
  for (let i = 0; i < all.length; i++) {
    const lease = all[i];
    if (lease instanceof Lease6) client6_tick(<Lease6>lease, context);
    else client_tick(<Lease>lease, context);
    settle(lease);
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
