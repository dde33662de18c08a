// SPDX-License-Identifier: Apache-2.0
// What a lease's client says to servers: each message of RFC 2131 with its options, where it goes
// (table 4), and when it is said again.

import { ByteWriter } from "../lib/utf8";
import { bytes_append } from "./actions";
import { State } from "./claim";
import { Context } from "./context";
import { bytes_of_u32, Lease } from "./lease";
import {
  CLIENT_ID,
  MAX_MESSAGE_SIZE,
  Options,
  PARAMETER_LIST,
  REQUESTED_ADDRESS,
  SERVER_ID,
} from "./options";
import {
  arp_frame,
  BROADCAST_MAC,
  DECLINE,
  DISCOVER,
  Message,
  message_frame,
  REQUEST,
} from "./packet";

const EVERYBODY: u32 = 0xffffffff;
/** On a link that was set up just now: the kernel tells a bridge of it within a second. */
const EARLY_TRIES: i32 = 6;
const EARLY_MS: i64 = 25;
const FAST_TRIES: i32 = 4;
const FAST_MS: i64 = 2000;
const SLOW_MS: i64 = 4000;
const MESSAGE_BYTES: i32 = 1500;
/** Of a renewal that nobody answers. */
const LEAST_WAIT_MS: i64 = 2000;

/** When a message that nobody answers is said again. */
export function resend_ms(lease: Lease, context: Context): i64 {
  const early = lease.fresh ? EARLY_TRIES : 0;
  if (lease.tries <= early) return context.now_ms + (EARLY_MS << (<i64>(lease.tries - 1)));
  let wait_ms = FAST_MS;
  if (lease.tries - early > FAST_TRIES) {
    const doublings = min(lease.tries - early - FAST_TRIES - 1, 20);
    wait_ms = min(SLOW_MS << (<i64>doublings), context.settings.resendmax_ms);
  }
  return context.now_ms + max(wait_ms + context.jitter_ms(), 100);
}

/** The same of a renewal or rebinding: half of the time that is left (RFC 2131 section 4.4.5). */
export function retry_ms(lease: Lease, context: Context): i64 {
  const over_ms = lease.obtained_ms + lease.times.lease_ms;
  const renewing = lease.state == State.Renewing;
  const end_ms = renewing ? lease.obtained_ms + lease.times.t2_ms : over_ms;
  const left_ms = end_ms - context.now_ms;
  return min(context.now_ms + max(left_ms / 2, LEAST_WAIT_MS), end_ms);
}

function address_add(options: Options, number: i32, address: u32): void {
  options.add(number).bytes(bytes_of_u32(address).ptr, 4);
}

/** A message that asks for something, with what every such one has. */
function asking(lease: Lease, context: Context, type: i32): Message {
  const message = new Message();
  message.type = type;
  message.xid = lease.xid;
  message.chaddr = lease.mac;
  message.secs = <i32>min<i64>((context.now_ms - lease.started_ms) / 1000, 65535);
  // The links on one ipvlan master share its address: only what all get do they all get.
  message.broadcast = context.settings.broadcast || lease.kind == "ipvlan";
  const options = message.options;
  lease.add_client_id(options);
  const list = options.add(PARAMETER_LIST);
  for (let i = 0; i < lease.requested.length; i++) list.byte(lease.requested[i]);
  const size = options.add(MAX_MESSAGE_SIZE);
  size.byte(MESSAGE_BYTES >> 8);
  size.byte(MESSAGE_BYTES & 255);
  return message;
}

/** Adds what the configuration gives, in place of what we would. */
function provide(lease: Lease, options: Options): void {
  for (let i = 0; i < lease.provided.count; i++) {
    const number = lease.provided.number_at(i);
    if (number == CLIENT_ID) continue;
    const value = lease.provided.get(number)!;
    const out = options.add(number);
    out.len = 0;
    out.bytes(value.ptr, value.len);
  }
}

function send(lease: Lease, context: Context, frame: ByteWriter): void {
  bytes_append(context.actions.of("send", lease.id), "frame", frame);
}

function to_everybody(lease: Lease, context: Context, message: Message): void {
  send(lease, context, message_frame(message, message.ciaddr, EVERYBODY, BROADCAST_MAC));
}

export function say_discover(lease: Lease, context: Context): void {
  const message = asking(lease, context, DISCOVER);
  if (lease.keep != 0) address_add(message.options, REQUESTED_ADDRESS, lease.keep);
  provide(lease, message.options);
  to_everybody(lease, context, message);
}

/** Takes up an offer. */
export function say_request(lease: Lease, context: Context): void {
  const message = asking(lease, context, REQUEST);
  address_add(message.options, REQUESTED_ADDRESS, lease.address);
  address_add(message.options, SERVER_ID, lease.server);
  provide(lease, message.options);
  to_everybody(lease, context, message);
}

/** Asks the server for more time, or when rebinding any server. */
export function say_renew(lease: Lease, context: Context): void {
  const message = asking(lease, context, REQUEST);
  message.ciaddr = lease.address;
  message.broadcast = lease.state == State.Rebinding && message.broadcast;
  provide(lease, message.options);
  if (lease.state == State.Rebinding) return to_everybody(lease, context, message);
  send(lease, context, message_frame(message, lease.address, lease.server, lease.server_mac));
}

/** Tells the server that somebody else has the address. */
export function say_decline(lease: Lease, context: Context): void {
  const message = new Message();
  message.type = DECLINE;
  message.xid = context.random();
  message.chaddr = lease.mac;
  lease.add_client_id(message.options);
  address_add(message.options, REQUESTED_ADDRESS, lease.address);
  address_add(message.options, SERVER_ID, lease.server);
  to_everybody(lease, context, message);
}

export function say_release(lease: Lease, context: Context): void {
  const message = lease.release_message(context.random());
  send(lease, context, message_frame(message, lease.address, lease.server, lease.server_mac));
}

/** Asks who has an address; `from` 0 claims none. */
export function say_arp(lease: Lease, context: Context, from: u32, address: u32): void {
  send(lease, context, arp_frame(lease.mac, from, address));
}
