// SPDX-License-Identifier: Apache-2.0
// What the client of a lease of IPv6 says: each message of RFC 8415 section 18.2 with its options,
// all of them to all servers of the link, and when it is said again (section 15).
import { ByteWriter } from "../../lib/utf8";
import { bytes_append } from "../actions";
import { State } from "../claim";
import { Context } from "../context";
import { u16_put } from "../wire";
import { ASSOCIATION, Lease6 } from "./lease";
import {
  association_add,
  CLIENT_ID,
  DOMAIN_SEARCH,
  ELAPSED_TIME,
  NAME_SERVERS,
  OPTION_REQUEST,
  SERVER_ID,
  SOL_MAX_RT,
} from "./options";
import {
  CONFIRM,
  DECLINE,
  Message6,
  message6_frame,
  probe_frame,
  REBIND,
  RELEASED,
  RENEW,
  REQUEST,
  SOLICIT,
} from "./packet";

/** Section 7.6. */
const SHORT_MS: i64 = 1000;
const REQUEST_MAX_MS: i64 = 30000;
const CONFIRM_MAX_MS: i64 = 4000;
const RENEW_MS: i64 = 10000;
const RENEW_MAX_MS: i64 = 600000;
/** On a link that was set up just now: the kernel tells a bridge of it within a second. */
const EARLY_TRIES: i32 = 6;
const EARLY_MS: i64 = 25;
const ELAPSED_MAX: i64 = 0xffff;

function type_in(state: State): i32 {
  if (state == State.Requesting) return REQUEST;
  if (state == State.Declining) return DECLINE;
  if (state == State.Confirming) return CONFIRM;
  if (state == State.Renewing) return RENEW;
  if (state == State.Rebinding) return REBIND;
  return state == State.Leaving ? RELEASED : SOLICIT;
}

/** Begins to say what a state has to say; the time of it counts from now. */
export function exchange(lease: Lease6, context: Context, state: State): void {
  lease.state = state;
  lease.xid = context.random() & 0xffffff;
  lease.tries = 0;
  lease.asked_ms = context.now_ms;
  say(lease, context);
}

/** Says it once more. */
export function say(lease: Lease6, context: Context): void {
  lease.tries++;
  const message = new Message6();
  message.type = type_in(lease.state);
  message.xid = lease.xid;
  const options = message.options;
  lease.duid_write(options.add(CLIENT_ID));
  if (message.type != SOLICIT && message.type != CONFIRM && message.type != REBIND) {
    options.add(SERVER_ID).bytes(lease.server.ptr, lease.server.len);
  }
  const elapsed = lease.tries == 1 ? 0 : (context.now_ms - lease.asked_ms) / 10;
  u16_put(options.add(ELAPSED_TIME), <i32>min(elapsed, ELAPSED_MAX));
  const anything = message.type == SOLICIT && !lease.keep;
  association_add(options, ASSOCIATION, anything ? null : lease.address);
  if (message.type != CONFIRM && message.type != RELEASED && message.type != DECLINE) {
    const list = options.add(OPTION_REQUEST);
    u16_put(list, NAME_SERVERS);
    u16_put(list, DOMAIN_SEARCH);
    // To be asked for always; what it may say is longer than we ever wait.
    if (message.type == SOLICIT) u16_put(list, SOL_MAX_RT);
  }
  send6(lease, context, message6_frame(message, lease.mac, lease.source));
  lease.due_ms = context.now_ms + next_ms(lease, context);
}

export function send6(lease: Lease6, context: Context, frame: ByteWriter): void {
  bytes_append(context.actions.of("send", lease.id), "frame", frame);
}

/** Asks whether somebody has the address. */
export function say_probe(lease: Lease6, context: Context): void {
  send6(lease, context, probe_frame(lease.mac, lease.address));
}

/** How long an answer is waited for. */
function next_ms(lease: Lease6, context: Context): i64 {
  const selecting = lease.state == State.Selecting;
  const early = selecting && lease.fresh ? EARLY_TRIES : 0;
  if (lease.tries <= early) return EARLY_MS << (<i64>(lease.tries - 1));
  const renewing = lease.state == State.Renewing || lease.state == State.Rebinding;
  let max_ms: i64 = renewing ? RENEW_MAX_MS : REQUEST_MAX_MS;
  if (selecting) max_ms = context.settings.resendmax_ms;
  if (lease.state == State.Confirming) max_ms = CONFIRM_MAX_MS;
  const first = lease.tries == early + 1;
  let wait_ms = first ? (renewing ? RENEW_MS : SHORT_MS) : lease.wait_ms * 2;
  const base_ms = first ? wait_ms : lease.wait_ms;
  wait_ms += spread_ms(base_ms, selecting && first, context);
  if (wait_ms > max_ms) wait_ms = max_ms + spread_ms(max_ms, false, context);
  lease.wait_ms = wait_ms;
  return wait_ms;
}

/** A tenth of a time more or less by chance, or only more. */
function spread_ms(of_ms: i64, only_more: bool, context: Context): i64 {
  const tenth_ms = max<i64>(of_ms / 10, 1);
  const chance = <i64>context.random();
  return only_more ? 1 + (chance % tenth_ms) : (chance % (2 * tenth_ms + 1)) - tenth_ms;
}
