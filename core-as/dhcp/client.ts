// SPDX-License-Identifier: Apache-2.0
// A DHCP client (RFC 2131 section 4.4) for one lease of IPv4: what happens to it, in which state
// that leads where; how a lease is asked for. Messages are talk.ts, a lease that is held hold.ts,
// its end leave.ts.
import { Link, State, Why } from "./claim";
import { Asked, Context, Told } from "./context";
import {
  lease_age,
  lease_expire,
  lease_moved,
  lease_plan,
  lease_renew,
  lease_renewed,
  lease_shrink,
} from "./hold";
import { Lease } from "./lease";
import { lease_leave, lease_overheard, lease_owe, lease_pay } from "./leave";
import { LEASE_TIME, SERVER_ID } from "./options";
import { ACK, arp_owner, Message, message_parse, NAK, OFFER } from "./packet";
import { lease_close, lease_end, lease_log, lease_look, lease_store, lease_tell } from "./steps";
import {
  resend_ms,
  retry_ms,
  say_arp,
  say_decline,
  say_discover,
  say_release,
  say_request,
} from "./talk";
import { address_text, message_of, Times, unusable } from "./terms";

/** So long the address that a server took back is tried to be had again. */
const AGAIN_MS: i64 = 10000;
const SETBACK_MS: i64 = 25;
const SETBACK_MAX_MS: i64 = 5000;

/** Begins to ask for a lease. */
export function client_acquire(lease: Lease, context: Context): void {
  lease_close(lease, context);
  lease.state = State.New;
  lease.started_ms = context.now_ms;
  lease.deadline_ms = context.now_ms + context.settings.resendtimeout_ms;
  lease.keep = 0;
  lease.setbacks = 0;
  lease.ignored = 0;
  lease.problem = "";
  lease_look(lease, context, Why.Acquire);
}

/** A call for a lease that is known. */
export function client_again(lease: Lease, context: Context, asked: Asked, same: bool): void {
  lease.waiting.push(asked);
  if (lease.state == State.Owed || lease.state == State.Leaving || !same) {
    client_acquire(lease, context);
  } else if (lease.held && lease.open) {
    lease_tell(lease, context, "", true);
  } else if (lease.held && lease.why == Why.Nothing) lease_look(lease, context, Why.Look);
}

/** A lease of an earlier daemon. */
export function client_adopt(lease: Lease, context: Context): void {
  if (lease.obtained_ms > context.now_ms) {
    lease_log(lease, context, "the lease is of before the machine was started: it is forgotten");
    lease_end(lease, context);
  } else if (lease.state == State.Owed) {
    lease.due_ms = context.now_ms;
  } else lease_look(lease, context, Why.Look);
}

/** The link is there, and a socket on it. */
export function client_opened(lease: Lease, context: Context, link: Link): void {
  const why = lease.why;
  lease.why = Why.Nothing;
  lease.open = true;
  const same = lease.is_of(link);
  lease.mtu_bytes = link.mtu_bytes;
  if (why == Why.Acquire) {
    lease.netnsID = link.netnsID;
    lease.mac = link.mac;
    lease.kind = link.kind;
    lease.fresh = link.fresh;
    return discover(lease, context);
  }
  if (!same) return strange(lease, context, why);
  if (why == Why.Look) {
    lease_close(lease, context);
    lease_tell(lease, context, "", true);
    lease_plan(lease, context);
  } else if (why == Why.Renew) lease_renew(lease, context);
  else if (why == Why.Leave) lease_leave(lease, context);
  else if (why == Why.Down) {
    context.actions.of("down", lease.id);
    lease_end(lease, context);
  } else lease_close(lease, context);
}

/** Another link has the name: the one of the lease is gone. */
function strange(lease: Lease, context: Context, why: Why): void {
  lease_close(lease, context);
  if (why == Why.Down) return lease_end(lease, context);
  if (why == Why.Look && lease.waiting.length > 0) return client_acquire(lease, context);
  gone(lease, context, why);
}

function gone(lease: Lease, context: Context, why: Why): void {
  if (why != Why.Leave) {
    lease_log(lease, context, "its interface is gone without a DEL: the lease is given back");
  }
  lease_owe(lease, context, context.now_ms);
}

/** There is no such link, or none that can be used; `is_gone` when it does not come back. */
export function client_failed(lease: Lease, context: Context, error: string, is_gone: bool): void {
  const why = lease.why;
  lease.why = Why.Nothing;
  lease.open = false;
  if (why == Why.Acquire) {
    lease_tell(lease, context, error, false);
    lease_end(lease, context);
  } else if (why == Why.Down) {
    if (!is_gone)
      lease_log(lease, context, `the lease is over, and its interface stays up: ${error}`);
    lease_end(lease, context);
  } else if (is_gone) {
    if (why == Why.Look) lease_tell(lease, context, error, false);
    gone(lease, context, why);
  } else if (why == Why.Leave) lease_owe(lease, context, context.now_ms);
  else {
    lease_log(lease, context, error);
    lease_tell(lease, context, error, false);
    if (why == Why.Renew) lease.due_ms = retry_ms(lease, context);
    else lease_plan(lease, context);
  }
}

function discover(lease: Lease, context: Context): void {
  lease.state = State.Selecting;
  lease.xid = context.random();
  lease.tries = 0;
  select(lease, context);
}

/** Says DISCOVER once more. */
function select(lease: Lease, context: Context): void {
  lease.tries++;
  say_discover(lease, context);
  lease.due_ms = min(resend_ms(lease, context), lease.deadline_ms);
}

/** After a NAK, or an address that somebody has: at once, then later and later. */
function set_back(lease: Lease, context: Context, problem: string): void {
  lease.problem = problem;
  lease_log(lease, context, problem);
  if (++lease.setbacks == 1) return discover(lease, context);
  lease.state = State.Selecting;
  lease.xid = context.random();
  lease.tries = 0;
  // Clients that are told the same address at once must not ask for the next at once again.
  const least_ms = min(SETBACK_MS << (<i64>min(lease.setbacks, 10)), SETBACK_MAX_MS);
  const wait_ms = least_ms + (<i64>context.random() % least_ms);
  lease.due_ms = min(context.now_ms + wait_ms, lease.deadline_ms);
}

function ignore(lease: Lease, context: Context, message: Message, why: string): void {
  const server = address_text(message.options.u32_at(SERVER_ID, 0));
  const problem = `an answer of the server ${server} is ignored: ${why}`;
  lease.ignored++;
  if (problem != lease.problem) lease_log(lease, context, problem);
  lease.problem = problem;
}

function offered(lease: Lease, context: Context, offer: Message): void {
  let why = unusable(offer);
  if (why.length == 0 && lease.keep != 0 && offer.yiaddr != lease.keep) {
    why = `it offers ${address_text(offer.yiaddr)}, and the pod has ${address_text(lease.keep)}`;
  }
  if (why.length > 0) return ignore(lease, context, offer, why);
  lease.state = State.Requesting;
  lease.fresh = false;
  lease.address = offer.yiaddr;
  lease.server = offer.options.u32_at(SERVER_ID, 0);
  lease.server_mac = offer.from_mac;
  lease.asked_ms = context.now_ms;
  lease.tries = 1;
  // Who has the address answers before a server does.
  if (lease.keep == 0) say_arp(lease, context, 0, lease.address);
  say_request(lease, context);
  lease.due_ms = min(resend_ms(lease, context), lease.deadline_ms);
}

/** The server's last word: the lease is there, or there again. */
function acknowledged(lease: Lease, context: Context, ack: Message): void {
  let why = lease.held ? "" : unusable(ack);
  if (ack.yiaddr != lease.address) why = `it gives ${address_text(ack.yiaddr)}, unasked`;
  if (ack.options.u32_at(LEASE_TIME, 1) == 0) why = "the lease lasts 0 s";
  if (why.length > 0) return ignore(lease, context, ack, why);
  if (!lease.held) lease.options = ack.options;
  else lease_renewed(lease, context, ack.options);
  lease.server = ack.options.u32_at(SERVER_ID, lease.server);
  lease.server_mac = ack.from_mac;
  lease.times = new Times(lease.options);
  lease.obtained_ms = lease.asked_ms;
  lease.state = State.Bound;
  lease.keep = 0;
  lease_shrink(lease, context, ack.options);
  lease_store(lease, context);
  lease_tell(lease, context, "", true);
  lease_close(lease, context);
  lease_plan(lease, context);
}

function refused(lease: Lease, context: Context, nak: Message): void {
  const server = address_text(nak.options.u32_at(SERVER_ID, 0));
  const address = address_text(lease.address);
  const problem = `the server ${server} refuses ${address}${message_of(nak.options)}`;
  if (!lease.held) return set_back(lease, context, problem);
  lease_log(lease, context, `${problem}: the pod's address is asked for anew`);
  lease.keep = lease.address;
  lease.setbacks = 0;
  lease.problem = problem;
  lease.started_ms = context.now_ms;
  lease.deadline_ms = context.now_ms + AGAIN_MS;
  lease.close_ms = -1;
  discover(lease, context);
}

/** A frame that came on the socket of a lease. */
export function client_frame(lease: Lease, context: Context, ptr: usize, len: i32): void {
  if (!lease.open) return;
  if (lease.state == State.Leaving) return lease_overheard(lease, context, ptr, len);
  if (lease.state == State.Requesting && lease.keep == 0) {
    const owner = arp_owner(ptr, len, lease.address);
    if (owner != 0 && owner != lease.mac) return taken(lease, context);
  }
  if (lease.state == State.Renewing && lease.server_near) lease_moved(lease, context, ptr, len);
  const message = message_parse(ptr, len);
  if (!message || message.xid != lease.xid || message.chaddr != lease.mac) return;
  if (lease.state == State.Selecting && message.type == OFFER) offered(lease, context, message);
  const asked = lease.state == State.Requesting || (lease.held && lease.state != State.Bound);
  if (asked && message.type == ACK) acknowledged(lease, context, message);
  if (asked && message.type == NAK) refused(lease, context, message);
}

function taken(lease: Lease, context: Context): void {
  const address = address_text(lease.address);
  say_decline(lease, context);
  set_back(lease, context, `somebody has ${address} already: the server is told (DHCPDECLINE)`);
}

/** A caller does not need the lease any more. */
export function client_release(lease: Lease, context: Context, asked: Asked): void {
  if (lease.state == State.Leaving) {
    lease.waiting.push(asked);
  } else if (lease.state == State.Owed) {
    context.told.push(new Told(asked, "", null));
  } else if (lease.held) {
    lease_tell(lease, context, "the lease was released meanwhile", false);
    lease.waiting.push(asked);
    if (lease.open) lease_leave(lease, context);
    else lease_look(lease, context, Why.Leave);
  } else {
    lease_tell(lease, context, "the lease was released meanwhile", false);
    if (lease.state == State.Requesting && lease.open) say_release(lease, context);
    context.told.push(new Told(asked, "", null));
    lease_end(lease, context);
  }
}

/** The time of a lease has come. */
export function client_tick(lease: Lease, context: Context): void {
  const now_ms = context.now_ms;
  if (lease.close_ms >= 0 && now_ms >= lease.close_ms) lease_close(lease, context);
  if (lease.due_ms < 0 || now_ms < lease.due_ms) return;
  if (lease.state == State.Owed) return lease_pay(lease, context);
  if (lease.state == State.Leaving) {
    if (!lease.heard) return lease_owe(lease, context, -1);
    lease_tell(lease, context, "", false);
    return lease_end(lease, context);
  }
  if (lease.held) return lease_age(lease, context);
  if (now_ms >= lease.deadline_ms) return give_up(lease, context);
  const late = now_ms - lease.asked_ms >= context.settings.timeout_ms;
  if (lease.state == State.Requesting && !late) {
    lease.tries++;
    say_request(lease, context);
    lease.due_ms = min(resend_ms(lease, context), lease.deadline_ms);
  } else if (lease.state == State.Requesting) {
    lease.problem = `the server ${address_text(lease.server)} offers, and does not acknowledge`;
    discover(lease, context);
  } else select(lease, context);
}

/** Nothing came of it. */
function give_up(lease: Lease, context: Context): void {
  if (lease.keep != 0) {
    lease.address = lease.keep;
    return lease_expire(lease, context, lease.problem);
  }
  const asked_s = (context.now_ms - lease.started_ms) / 1000;
  const ignored = lease.ignored > 0 ? `, ${lease.ignored} answers were ignored` : "";
  const what = lease.problem.length > 0 ? `: ${lease.problem}` : ": no server answers";
  const error =
    `no more tries for a lease on "${lease.ifname}" after ${asked_s} s${what}${ignored}; see ` +
    "that a DHCP server is reached on its link and has free addresses";
  lease_log(lease, context, error);
  lease_tell(lease, context, error, false);
  lease_end(lease, context);
}
