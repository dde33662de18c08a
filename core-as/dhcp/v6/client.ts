// SPDX-License-Identifier: Apache-2.0
// A DHCPv6 client (RFC 8415 section 18.2) for one address: what happens to it, and in which state
// that leads where. What it says is talk.ts, a lease that is held hold.ts.
import { ByteWriter } from "../../lib/utf8";
import { Link, State, Why } from "../claim";
import { Asked, Context, Told } from "../context";
import { lease_close, lease_end, lease_log, lease_look, lease_store, lease_tell } from "../steps";
import {
  lease6_age,
  lease6_confirm,
  lease6_drop,
  lease6_expire,
  lease6_leave,
  lease6_leaving,
  lease6_plan,
  lease6_renew,
  lease6_settle,
  lease6_unreleased,
} from "./hold";
import { ASSOCIATION, Lease6, usable } from "./lease";
import {
  Association,
  association_of,
  CLIENT_ID,
  NO_ADDRESSES,
  NO_BINDING,
  NOT_ON_LINK,
  SERVER_ID,
  SUCCESS,
} from "./options";
import { ADVERTISE, answer_frame, claimed, Message6, message6_parse, REPLY } from "./packet";
import { exchange, say, say_probe, send6 } from "./talk";

/** So long the address that a server took back is tried to be had again. */
const AGAIN_MS: i64 = 10000;
/** So long after the probe somebody may say that he has the address. */
const PROBE_MS: i64 = 30;
const REQUEST_TRIES: i32 = 10;
const DECLINE_TRIES: i32 = 4;
const SETBACK_MS: i64 = 25;
const SETBACK_MAX_MS: i64 = 5000;
/** Daemons that are started again ask for all their leases, but not at once (CNF_MAX_DELAY). */
const CONFIRM_DELAY_MS: u32 = 1000;
const SERVER_ID_MAX_BYTES: i32 = 130;

/** Begins to ask for a lease. */
export function client6_acquire(lease: Lease6, context: Context): void {
  lease_close(lease, context);
  lease.state = State.New;
  lease.started_ms = context.now_ms;
  lease.deadline_ms = context.now_ms + context.settings.resendtimeout_ms;
  lease.keep = false;
  lease.setbacks = 0;
  lease.ignored = 0;
  lease.problem = "";
  lease_look(lease, context, Why.Acquire);
}

/** A call for a lease that is known. */
export function client6_again(lease: Lease6, context: Context, asked: Asked, same: bool): void {
  lease.waiting.push(asked);
  if (lease.state == State.Leaving || !same) client6_acquire(lease, context);
  else if (lease.held && lease.open) lease_tell(lease, context, "", true);
  else if (lease.held && lease.why == Why.Nothing) lease_look(lease, context, Why.Look);
}

/** A lease of an earlier daemon. */
export function client6_adopt(lease: Lease6, context: Context): void {
  if (lease.obtained_ms > context.now_ms) {
    lease_log(lease, context, "the lease is of before the machine was started: it is forgotten");
    return lease_end(lease, context);
  }
  lease.state = State.Confirming;
  lease.asked_ms = -1;
  lease.due_ms = context.now_ms + <i64>(context.random() % CONFIRM_DELAY_MS);
}

/** The link is there, and a socket on it. */
export function client6_opened(lease: Lease6, context: Context, link: Link): void {
  const why = lease.why;
  lease.why = Why.Nothing;
  lease.open = true;
  const same = lease.is_of(link);
  if (why == Why.Acquire) {
    lease.netnsID = link.netnsID;
    lease.mac = link.mac;
    lease.kind = link.kind;
    lease.fresh = link.fresh;
    lease.speak_from(link.link_local);
    exchange(lease, context, State.Selecting);
    return bounded(lease);
  }
  if (!same) return strange(lease, context, why);
  lease.speak_from(link.link_local);
  const unsure = why == Why.Look && lease.state == State.Confirming;
  if (unsure) lease_tell(lease, context, "", true);
  if (why == Why.Look && !unsure) lease6_settle(lease, context);
  else if (unsure || why == Why.Confirm) lease6_confirm(lease, context);
  else if (why == Why.Renew) lease6_renew(lease, context);
  else if (why == Why.Leave) lease6_leave(lease, context);
  else if (why == Why.Down) lease6_drop(lease, context);
  else lease_close(lease, context);
}

/** What is tried for a lease that is not there yet ends in time. */
function bounded(lease: Lease6): void {
  const trying = lease.state >= State.Selecting && lease.state < State.Bound;
  if (trying) lease.due_ms = min(lease.due_ms, lease.deadline_ms);
}

/** Another link has the name: the one of the lease is gone. */
function strange(lease: Lease6, context: Context, why: Why): void {
  lease_close(lease, context);
  if (why == Why.Down) return lease_end(lease, context);
  if (why == Why.Look && lease.waiting.length > 0) return client6_acquire(lease, context);
  lease6_unreleased(lease, context, "its interface is gone");
}

/** There is no such link, or none that can be used; `is_gone` when it does not come back. */
export function client6_failed(
  lease: Lease6,
  context: Context,
  error: string,
  is_gone: bool,
): void {
  const why = lease.why;
  lease.why = Why.Nothing;
  lease.open = false;
  if (why == Why.Acquire) {
    lease_tell(lease, context, error, false);
    return lease_end(lease, context);
  }
  if (why == Why.Down) {
    const stays = `${lease.address} stays on "${lease.ifname}"`;
    if (!is_gone) lease_log(lease, context, `the lease is over, and ${stays}: ${error}`);
    return lease_end(lease, context);
  }
  if (why == Why.Leave || is_gone) {
    if (why == Why.Look) lease_tell(lease, context, error, false);
    return lease6_unreleased(lease, context, error);
  }
  lease_log(lease, context, error);
  lease_tell(lease, context, error, false);
  lease.state = State.Bound;
  const again_ms = context.now_ms + AGAIN_MS;
  if (lease.lease_ms >= 0) lease.due_ms = min(again_ms, lease.obtained_ms + lease.lease_ms);
  if (why != Why.Renew) lease6_plan(lease);
}

/** The server has no word for the lease but a refusal. */
function set_back(lease: Lease6, context: Context, problem: string): void {
  lease.problem = problem;
  lease_log(lease, context, problem);
  lease.setbacks++;
  select_again(lease, context);
}

/** After an address that cannot be had: at once, then later and later. */
function select_again(lease: Lease6, context: Context): void {
  if (lease.setbacks <= 1) return exchange(lease, context, State.Selecting);
  lease.state = State.Selecting;
  lease.xid = context.random() & 0xffffff;
  lease.tries = 0;
  lease.asked_ms = context.now_ms;
  const least_ms = min(SETBACK_MS << (<i64>min(lease.setbacks, 10)), SETBACK_MAX_MS);
  lease.due_ms = context.now_ms + least_ms + (<i64>context.random() % least_ms);
}

function ignore(lease: Lease6, context: Context, from: string, why: string): void {
  const problem = `an answer of the server ${from} is ignored: ${why}`;
  lease.ignored++;
  if (problem != lease.problem) lease_log(lease, context, problem);
  lease.problem = problem;
}

/** What a server's status means, for a person; "" for success. */
function refusal(status: i32, message: Message6): string {
  const own = message.options.status;
  const code = own != SUCCESS ? own : status;
  if (code == SUCCESS) return "";
  if (code == NO_ADDRESSES) return "it has no address free";
  if (code == NO_BINDING) return "it does not know the lease";
  return code == NOT_ON_LINK ? "the address is not of its link" : `it says status ${code}`;
}

/** The first address of an answer that can be used; -1 when there is none. */
function usable_at(told: Association): i32 {
  for (let i = 0; i < told.addresses.length; i++) {
    if (told.valid_s[i] > 0 && usable(told.addresses[i])) return i;
  }
  return -1;
}

function advertised(lease: Lease6, context: Context, message: Message6, from: string): void {
  const told = association_of(message.options, ASSOCIATION);
  const refused = refusal(told ? told.status : SUCCESS, message);
  if (refused.length > 0) return ignore(lease, context, from, refused);
  const at = told ? usable_at(told) : -1;
  if (!told || at < 0) return ignore(lease, context, from, "it offers no address of a host");
  if (lease.keep && !told.addresses[at].equals(lease.address)) {
    const other = told.addresses[at].toString();
    return ignore(lease, context, from, `it offers ${other}, and the pod has ${lease.address}`);
  }
  lease.fresh = false;
  lease.address = told.addresses[at];
  if (!lease.keep) lease.obtained_ms = -1;
  lease.server = server_of(message)!;
  lease.server_text = from;
  // Who has the address is asked while the server makes the lease.
  probe(lease, context);
  exchange(lease, context, State.Requesting);
}

function probe(lease: Lease6, context: Context): void {
  lease.free_ms = context.now_ms + PROBE_MS;
  if (!lease.keep) say_probe(lease, context);
}

function server_of(message: Message6): ByteWriter | null {
  const server = message.options.get(SERVER_ID);
  return server && server.len > 2 && server.len <= SERVER_ID_MAX_BYTES ? server : null;
}

/** The server's word on the lease: it is there, or there again, or not. */
function replied(lease: Lease6, context: Context, message: Message6, from: string): void {
  const told = association_of(message.options, ASSOCIATION);
  const refused = refusal(told ? told.status : SUCCESS, message);
  if (refused.length > 0) return denied(lease, context, message, from, refused);
  if (!told) return ignore(lease, context, from, "it says nothing of the address");
  let at = -1;
  for (let i = 0; i < told.addresses.length; i++) {
    if (told.addresses[i].equals(lease.address)) at = i;
  }
  if (lease.held && at >= 0 && told.valid_s[at] == 0) {
    return lease6_expire(lease, context, `the server ${from} ends it`);
  }
  const other = at < 0 && !lease.held && !lease.keep ? usable_at(told) : -1;
  if (other >= 0) {
    lease.address = told.addresses[other];
    probe(lease, context);
    at = other;
  }
  if (at < 0 || told.valid_s[at] == 0) {
    return ignore(lease, context, from, `it does not give ${lease.address}`);
  }
  lease.server = server_of(message)!;
  lease.server_text = from;
  lease.times_take(told, at);
  if (!lease.held) lease.names_take(message.options);
  lease.obtained_ms = lease.asked_ms;
  if (lease.held || lease.keep || context.now_ms >= lease.free_ms) return bound(lease, context);
  lease.state = State.Probing;
  lease.due_ms = lease.free_ms;
}

function bound(lease: Lease6, context: Context): void {
  lease.keep = false;
  lease.state = State.Bound;
  lease_store(lease, context);
  lease6_settle(lease, context);
}

/** The server refuses what was asked of it: `why`. */
function denied(
  lease: Lease6,
  context: Context,
  message: Message6,
  from: string,
  why: string,
): void {
  const problem = `the server ${from} refuses ${lease.address}: ${why}`;
  if (!lease.held) return set_back(lease, context, problem);
  const told = association_of(message.options, ASSOCIATION);
  const unknown = told !== null && told.status == NO_BINDING;
  if (!unknown) return ignore(lease, context, from, why);
  lease_log(lease, context, `${problem}: the pod's address is asked for anew`);
  lease.keep = true;
  lease.problem = problem;
  lease.setbacks = 0;
  lease.started_ms = context.now_ms;
  lease.deadline_ms = context.now_ms + AGAIN_MS;
  lease.close_ms = -1;
  lease.server = server_of(message)!;
  exchange(lease, context, State.Requesting);
}

/** Whether a message is an answer to what the lease said last. */
function answers(lease: Lease6, message: Message6): bool {
  const own = new ByteWriter(32);
  lease.duid_write(own);
  const told = message.options.get(CLIENT_ID);
  if (!told || told.len != own.len || memory.compare(told.ptr, own.ptr, own.len) != 0) return false;
  if (message.xid != lease.xid || !server_of(message)) return false;
  return message.type == (lease.state == State.Selecting ? ADVERTISE : REPLY);
}

/** A frame that came on the socket of a lease. */
export function client6_frame(lease: Lease6, context: Context, ptr: usize, len: i32): void {
  if (!lease.open) return;
  const answer = answer_frame(ptr, len, lease.source, lease.mac);
  if (answer) return send6(lease, context, answer);
  const asked = lease.state == State.Requesting || lease.state == State.Probing;
  if (asked && !lease.keep && claimed(ptr, len, lease.address, lease.mac)) {
    return taken(lease, context);
  }
  const message = message6_parse(ptr, len);
  if (!message || !answers(lease, message)) return;
  const sender = message.from;
  const from = sender ? sender.toString() : "";
  heard(lease, context, message, from);
  bounded(lease);
}

function heard(lease: Lease6, context: Context, message: Message6, from: string): void {
  const state = lease.state;
  if (state == State.Selecting) advertised(lease, context, message, from);
  else if (state == State.Confirming) confirmed(lease, context, message, from);
  else if (state == State.Declining) select_again(lease, context);
  else if (state == State.Leaving) released(lease, context);
  else if (state == State.Requesting || state == State.Renewing || state == State.Rebinding) {
    replied(lease, context, message, from);
  }
}

function taken(lease: Lease6, context: Context): void {
  lease.problem = `somebody has ${lease.address} already`;
  lease_log(lease, context, `${lease.problem}: the server is told (Decline)`);
  lease.setbacks++;
  exchange(lease, context, State.Declining);
  bounded(lease);
}

function confirmed(lease: Lease6, context: Context, message: Message6, from: string): void {
  if (message.options.status == NOT_ON_LINK) {
    // Section 18.2.10: another server may know better, so the others are heard too.
    if (lease.elsewhere.length == 0) {
      lease_log(lease, context, `the server ${from} says that the address is of another link`);
    }
    lease.elsewhere = from;
  } else lease6_settle(lease, context);
}

function released(lease: Lease6, context: Context): void {
  lease_tell(lease, context, "", false);
  lease_end(lease, context);
}

/** A caller does not need the lease any more. */
export function client6_release(lease: Lease6, context: Context, asked: Asked): void {
  if (lease.state == State.Leaving) {
    lease.waiting.push(asked);
    return;
  }
  lease_tell(lease, context, "the lease was released meanwhile", false);
  // What the server may have given already goes back too.
  const given = lease.state == State.Requesting || lease.state == State.Probing;
  if (lease.held || (given && lease.open)) {
    lease.waiting.push(asked);
    if (lease.open) lease6_leave(lease, context);
    else lease_look(lease, context, Why.Leave);
    return;
  }
  context.told.push(new Told(asked, "", null));
  lease_end(lease, context);
}

/** The time of a lease has come. */
export function client6_tick(lease: Lease6, context: Context): void {
  const now_ms = context.now_ms;
  if (lease.close_ms >= 0 && now_ms >= lease.close_ms) lease_close(lease, context);
  if (lease.due_ms < 0 || now_ms < lease.due_ms) return;
  if (lease.state == State.Leaving) return lease6_leaving(lease, context);
  if (lease.state == State.Probing) return bound(lease, context);
  if (lease.state == State.Confirming && lease.asked_ms < 0) {
    return lease_look(lease, context, Why.Confirm);
  }
  if (lease.held) return lease6_age(lease, context);
  if (now_ms >= lease.deadline_ms) return give_up(lease, context);
  const late = now_ms - lease.asked_ms >= context.settings.timeout_ms;
  if (lease.state == State.Requesting && (late || lease.tries == REQUEST_TRIES)) {
    lease.problem = `the server ${lease.server_text} advertises, and does not reply`;
    exchange(lease, context, State.Selecting);
  } else if (lease.state == State.Declining && lease.tries == DECLINE_TRIES) {
    select_again(lease, context);
  } else say(lease, context);
  bounded(lease);
}

/** Nothing came of it. */
function give_up(lease: Lease6, context: Context): void {
  if (lease.keep) return lease6_expire(lease, context, lease.problem);
  const asked_s = (context.now_ms - lease.started_ms) / 1000;
  const ignored = lease.ignored > 0 ? `, ${lease.ignored} answers were ignored` : "";
  const what = lease.problem.length > 0 ? `: ${lease.problem}` : ": no server answers";
  const error =
    `no more tries for an IPv6 lease on "${lease.ifname}" after ${asked_s} s${what}${ignored}; ` +
    "see that a DHCPv6 server is reached on its link and has free addresses";
  lease_log(lease, context, error);
  lease_tell(lease, context, error, false);
  lease_end(lease, context);
}
