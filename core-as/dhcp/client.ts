// SPDX-License-Identifier: Apache-2.0
// A DHCP client (RFC 2131 section 4.4) for one lease: from the first DISCOVER to the server's last
// word or the end. What must be told to a server that is away is owed.ts; messages are talk.ts.
import { JsonValue } from "../lib/json";
import { bytes_append } from "./actions";
import { Asked, Context, Told } from "./context";
import { Lease, State, Why } from "./lease";
import {
  INTERFACE_MTU,
  LEASE_TIME,
  Options,
  REBINDING_TIME,
  RENEWAL_TIME,
  SERVER_ID,
  SUBNET_MASK,
} from "./options";
import { ACK, arp_owner, Message, message_parse, NAK, OFFER, says_unreachable } from "./packet";
import {
  resend_ms,
  retry_ms,
  say_arp,
  say_decline,
  say_discover,
  say_release,
  say_renew,
  say_request,
} from "./talk";
import { address_text, message_of, Times, unusable } from "./terms";

/** So long an answer to a renewal is listened for: a socket keeps its pod's namespace alive. */
const LISTEN_MS: i64 = 10000;
/** So long the address that a server took back is tried to be had again. */
const AGAIN_MS: i64 = 10000;
/** So long a server on the same link may take to be heard of at a release. */
const HEARD_WITHIN_MS: i64 = 200;
/** A word that nobody listens comes before this. */
const QUIET_MS: i64 = 6;
const SETBACK_MAX_MS: i64 = 10000;
const MTU_LEAST_BYTES: i32 = 576;
/** Of what is tried again for a server that is away. */
const OWED_FIRST_MS: i64 = 5000;
const OWED_MAX_MS: i64 = 300000;

function log(lease: Lease, context: Context, text: string): void {
  context.actions.log(`${lease.id}: ${text}`);
}

/** Tells all who wait: an error, or what the lease gives. */
function tell(lease: Lease, context: Context, error: string, result: bool): void {
  const leased = result ? lease.leased : null;
  for (let i = 0; i < lease.waiting.length; i++) {
    context.told.push(new Told(lease.waiting[i], error, leased));
  }
  lease.waiting = [];
}

function close(lease: Lease, context: Context): void {
  if (lease.open) context.actions.of("close", lease.id);
  lease.open = false;
  lease.close_ms = -1;
}

function end(lease: Lease, context: Context): void {
  tell(lease, context, "the lease is over", false);
  close(lease, context);
  context.actions.of("forget", lease.id);
  lease.state = State.Gone;
}

/** Asks the host for the link; `opened` or `failed` follows. */
function look(lease: Lease, context: Context, why: Why): void {
  lease.why = why;
  const action = context.actions.of("open", lease.id);
  action.append("netns", JsonValue.string(lease.netns));
  action.append("ifname", JsonValue.string(lease.ifname));
  lease.due_ms = -1;
}

function store(lease: Lease, context: Context): void {
  const action = context.actions.of("store", lease.id);
  action.append("text", JsonValue.string(lease.text()));
}

/** Begins to ask for a lease. */
export function client_acquire(lease: Lease, context: Context): void {
  close(lease, context);
  lease.state = State.New;
  lease.started_ms = context.now_ms;
  lease.deadline_ms = context.now_ms + context.settings.resendtimeout_ms;
  lease.keep = 0;
  lease.setbacks = 0;
  lease.ignored = 0;
  lease.problem = "";
  look(lease, context, Why.Acquire);
}

/** A call for a lease that is known. */
export function client_again(lease: Lease, context: Context, asked: Asked, same: bool): void {
  lease.waiting.push(asked);
  if (lease.state == State.Owed || lease.state == State.Leaving || !same) {
    client_acquire(lease, context);
  } else if (lease.held && lease.open) {
    tell(lease, context, "", true);
  } else if (lease.held && lease.why == Why.Nothing) look(lease, context, Why.Look);
}

/** A lease of an earlier daemon. */
export function client_adopt(lease: Lease, context: Context): void {
  if (lease.obtained_ms > context.now_ms) {
    log(lease, context, "the lease is of before the machine was started: it is forgotten");
    end(lease, context);
  } else if (lease.state == State.Owed) {
    lease.due_ms = context.now_ms;
  } else look(lease, context, Why.Look);
}

/** The link is there, and a socket on it. */
export function client_opened(lease: Lease, context: Context, link: Link): void {
  const why = lease.why;
  lease.why = Why.Nothing;
  lease.open = true;
  const same = link.netnsID == lease.netnsID && link.mac == lease.mac;
  lease.mtu_bytes = link.mtu_bytes;
  if (why == Why.Acquire) {
    lease.netnsID = link.netnsID;
    lease.mac = link.mac;
    lease.kind = link.kind;
    return discover(lease, context);
  }
  if (!same) return strange(lease, context, why);
  if (why == Why.Look) {
    close(lease, context);
    tell(lease, context, "", true);
    plan(lease, context);
  } else if (why == Why.Renew) renew(lease, context);
  else if (why == Why.Leave) leave(lease, context);
  else if (why == Why.Down) {
    context.actions.of("down", lease.id);
    end(lease, context);
  } else close(lease, context);
}

/** What the host found at an `open`. */
export class Link {
  netnsID: string = "";
  mac: u64 = 0;
  kind: string = "";
  mtu_bytes: i32 = 0;
}

/** Another link has the name: the one of the lease is gone. */
function strange(lease: Lease, context: Context, why: Why): void {
  close(lease, context);
  if (why == Why.Down) return end(lease, context);
  if (why == Why.Look && lease.waiting.length > 0) return client_acquire(lease, context);
  gone(lease, context, why);
}

function gone(lease: Lease, context: Context, why: Why): void {
  if (why != Why.Leave) {
    log(lease, context, "its interface is gone without a DEL: the lease is given back");
  }
  owe(lease, context, context.now_ms);
}

/** There is no such link, or none that can be used; `is_gone` when it does not come back. */
export function client_failed(lease: Lease, context: Context, error: string, is_gone: bool): void {
  const why = lease.why;
  lease.why = Why.Nothing;
  lease.open = false;
  if (why == Why.Acquire) {
    tell(lease, context, error, false);
    end(lease, context);
  } else if (why == Why.Down) {
    if (!is_gone) log(lease, context, `the lease is over, and its interface stays up: ${error}`);
    end(lease, context);
  } else if (is_gone) {
    if (why == Why.Look) tell(lease, context, error, false);
    gone(lease, context, why);
  } else if (why == Why.Leave) owe(lease, context, context.now_ms);
  else {
    log(lease, context, error);
    tell(lease, context, error, false);
    if (why == Why.Renew) lease.due_ms = retry_ms(lease, context);
    else plan(lease, context);
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
  log(lease, context, problem);
  if (++lease.setbacks == 1) return discover(lease, context);
  lease.state = State.Selecting;
  lease.xid = context.random();
  lease.tries = 0;
  const wait_ms = min((<i64>500) << (<i64>min(lease.setbacks, 10)), SETBACK_MAX_MS);
  lease.due_ms = min(context.now_ms + wait_ms, lease.deadline_ms);
}

function ignore(lease: Lease, context: Context, message: Message, why: string): void {
  const server = address_text(message.options.u32_at(SERVER_ID, 0));
  const problem = `an answer of the server ${server} is ignored: ${why}`;
  lease.ignored++;
  if (problem != lease.problem) log(lease, context, problem);
  lease.problem = problem;
}

function offered(lease: Lease, context: Context, offer: Message): void {
  let why = unusable(offer);
  if (why.length == 0 && lease.keep != 0 && offer.yiaddr != lease.keep) {
    why = `it offers ${address_text(offer.yiaddr)}, and the pod has ${address_text(lease.keep)}`;
  }
  if (why.length > 0) return ignore(lease, context, offer, why);
  lease.state = State.Requesting;
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
  else renewed(lease, context, ack.options);
  lease.server = ack.options.u32_at(SERVER_ID, lease.server);
  lease.server_mac = ack.from_mac;
  lease.times = new Times(lease.options);
  lease.obtained_ms = lease.asked_ms;
  lease.state = State.Bound;
  lease.keep = 0;
  shrink(lease, context, ack.options);
  store(lease, context);
  tell(lease, context, "", true);
  close(lease, context);
  plan(lease, context);
}

/** What the pod was wired with stays; new are the times. */
function renewed(lease: Lease, context: Context, now: Options): void {
  if (told_otherwise(lease.options, now)) {
    log(lease, context, "the server now gives another mask or other routes: the pod keeps its own");
  }
  lease.options.take(LEASE_TIME, now);
  lease.options.take(RENEWAL_TIME, now);
  lease.options.take(REBINDING_TIME, now);
}

/** Whether what a pod was wired with is not what the server says now. */
function told_otherwise(before: Options, now: Options): bool {
  const numbers: i32[] = [SUBNET_MASK, 3, 33, 121];
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
function shrink(lease: Lease, context: Context, options: Options): void {
  const mtu_bytes = options.u16_at(INTERFACE_MTU, 0);
  if (mtu_bytes == 0 || mtu_bytes >= lease.mtu_bytes) return;
  if (mtu_bytes < MTU_LEAST_BYTES) {
    log(lease, context, `the server says an MTU of ${mtu_bytes}, which is too small: ignored`);
    return;
  }
  const action = context.actions.of("mtu", lease.id);
  action.append("mtu_bytes", JsonValue.number(mtu_bytes));
  lease.mtu_bytes = mtu_bytes;
}

/** Says when a lease that is held has to be looked at next. */
function plan(lease: Lease, context: Context): void {
  lease.tries = 0;
  lease.due_ms = lease.times.lease_ms < 0 ? -1 : lease.obtained_ms + lease.times.t1_ms;
}

/** A held lease whose time has come: renewing, rebinding, the end. */
function age(lease: Lease, context: Context): void {
  const age_ms = context.now_ms - lease.obtained_ms;
  if (age_ms >= lease.times.lease_ms) return expire(lease, context, "no server renewed it");
  const state = age_ms >= lease.times.t2_ms ? State.Rebinding : State.Renewing;
  if (lease.state != state) {
    lease.xid = context.random();
    lease.tries = 0;
    lease.started_ms = context.now_ms;
  }
  lease.state = state;
  if (lease.open) renew(lease, context);
  else look(lease, context, Why.Renew);
}

function renew(lease: Lease, context: Context): void {
  lease.tries++;
  lease.asked_ms = context.now_ms;
  say_renew(lease, context);
  if (lease.tries == 2) {
    const server = address_text(lease.server);
    log(lease, context, `the server ${server} does not answer: the lease is asked for again`);
  }
  lease.due_ms = retry_ms(lease, context);
  lease.close_ms = context.now_ms + LISTEN_MS;
}

/** The address is not the pod's any more. */
function expire(lease: Lease, context: Context, why: string): void {
  log(
    lease,
    context,
    `the lease of ${address_text(lease.address)} is over, ${why}: "${lease.ifname}" is set down`,
  );
  tell(lease, context, `the lease is over, ${why}`, false);
  lease.state = State.New;
  if (!lease.open) return look(lease, context, Why.Down);
  context.actions.of("down", lease.id);
  end(lease, context);
}

function refused(lease: Lease, context: Context, nak: Message): void {
  const server = address_text(nak.options.u32_at(SERVER_ID, 0));
  const address = address_text(lease.address);
  const problem = `the server ${server} refuses ${address}${message_of(nak.options)}`;
  if (!lease.held) return set_back(lease, context, problem);
  log(lease, context, `${problem}: the pod's address is asked for anew`);
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
  if (lease.state == State.Leaving) return overheard(lease, context, ptr, len);
  if (lease.state == State.Requesting && lease.keep == 0) {
    const owner = arp_owner(ptr, len, lease.address);
    if (owner != 0 && owner != lease.mac) return taken(lease, context);
  }
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
    tell(lease, context, "the lease was released meanwhile", false);
    lease.waiting.push(asked);
    if (lease.open) leave(lease, context);
    else look(lease, context, Why.Leave);
  } else {
    tell(lease, context, "the lease was released meanwhile", false);
    if (lease.state == State.Requesting && lease.open) say_release(lease, context);
    context.told.push(new Told(asked, "", null));
    end(lease, context);
  }
}

/** Says RELEASE, and asks for the server, to which nobody answers the first. */
function leave(lease: Lease, context: Context): void {
  const unanswered = lease.state != State.Bound && lease.tries > 0;
  lease.state = State.Leaving;
  lease.heard = !lease.server_near && !unanswered;
  say_release(lease, context);
  if (lease.server_near) say_arp(lease, context, lease.address, lease.server);
  lease.close_ms = -1;
  lease.due_ms = context.now_ms + (lease.server_near ? HEARD_WITHIN_MS : QUIET_MS);
}

/** What is said on the link after a RELEASE. */
function overheard(lease: Lease, context: Context, ptr: usize, len: i32): void {
  if (says_unreachable(ptr, len, lease.server)) return owe(lease, context, -1);
  if (lease.heard || arp_owner(ptr, len, lease.server) == 0) return;
  lease.heard = true;
  lease.due_ms = context.now_ms + QUIET_MS;
}

/** The server is to be told later; at `due_ms`, -1 for after a while. */
function owe(lease: Lease, context: Context, due_ms: i64): void {
  close(lease, context);
  lease.state = State.Owed;
  lease.tries = 0;
  lease.due_ms = due_ms < 0 ? context.now_ms + OWED_FIRST_MS : due_ms;
  if (due_ms < 0) {
    const server = address_text(lease.server);
    log(lease, context, `the server ${server} is away: it is told of the release when it is back`);
  }
  store(lease, context);
  tell(lease, context, "", false);
}

function pay(lease: Lease, context: Context): void {
  const over_ms = lease.over_ms;
  if (over_ms >= 0 && context.now_ms >= over_ms) return end(lease, context);
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
    log(lease, context, `${address_text(lease.address)} is released`);
    return end(lease, context);
  }
  if (lease.tries == 1) log(lease, context, `the release is tried again: ${error}`);
}

/** The time of a lease has come. */
export function client_tick(lease: Lease, context: Context): void {
  const now_ms = context.now_ms;
  if (lease.close_ms >= 0 && now_ms >= lease.close_ms) close(lease, context);
  if (lease.due_ms < 0 || now_ms < lease.due_ms) return;
  if (lease.state == State.Owed) return pay(lease, context);
  if (lease.state == State.Leaving) {
    if (!lease.heard) return owe(lease, context, -1);
    tell(lease, context, "", false);
    return end(lease, context);
  }
  if (lease.held) return age(lease, context);
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
    return expire(lease, context, lease.problem);
  }
  const asked_s = (context.now_ms - lease.started_ms) / 1000;
  const ignored = lease.ignored > 0 ? `, ${lease.ignored} answers were ignored` : "";
  const what = lease.problem.length > 0 ? `: ${lease.problem}` : ": no server answers";
  const error =
    `no more tries for a lease on "${lease.ifname}" after ${asked_s} s${what}${ignored}; see that ` +
    "a DHCP server is reached on its link and has free addresses";
  log(lease, context, error);
  tell(lease, context, error, false);
  end(lease, context);
}
