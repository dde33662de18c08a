// SPDX-License-Identifier: Apache-2.0
// Options of DHCPv6 (RFC 8415 section 21): their numbers, a set of them as it stands in a message
// or in another option, and an association of addresses (IA_NA) that a server speaks of.
import { Ip } from "../../lib/ip";
import { ByteWriter } from "../../lib/utf8";
import { u16_get, u16_put, u32_get, u32_put, u64_put } from "../wire";

export const CLIENT_ID: i32 = 1;
export const SERVER_ID: i32 = 2;
const IA_NA: i32 = 3;
const IA_ADDRESS: i32 = 5;
export const OPTION_REQUEST: i32 = 6;
export const ELAPSED_TIME: i32 = 8;
const STATUS_CODE: i32 = 13;
export const NAME_SERVERS: i32 = 23;
export const DOMAIN_SEARCH: i32 = 24;
export const SOL_MAX_RT: i32 = 82;

/** Values of STATUS_CODE (section 21.13). */
export const SUCCESS: i32 = 0;
export const NO_ADDRESSES: i32 = 2;
export const NO_BINDING: i32 = 3;
export const NOT_ON_LINK: i32 = 4;

/** Of one message, those in others too. */
const OPTIONS_LIMIT: i32 = 128;
const ADDRESS_BYTES: i32 = 16;
/** Before the options of an IA_NA, and of an address in it. */
const IA_BYTES: i32 = 12;
const IA_ADDRESS_BYTES: i32 = 24;

export function ip_put(out: ByteWriter, ip: Ip): void {
  u64_put(out, ip.high);
  u64_put(out, ip.low);
}
export function ip_get(ptr: usize): Ip {
  return new Ip(true, bswap(load<u64>(ptr)), bswap(load<u64>(ptr + 8)));
}

/** Options in their order; unlike those of IPv4 one may be there several times. */
export class Options6 {
  private numbers: i32[] = [];
  private values: ByteWriter[] = [];

  /** The first of a number; null when there is none. */
  get(number: i32): ByteWriter | null {
    const at = this.numbers.indexOf(number);
    return at < 0 ? null : this.values[at];
  }
  all(number: i32): ByteWriter[] {
    const found = new Array<ByteWriter>();
    for (let i = 0; i < this.numbers.length; i++) {
      if (this.numbers[i] == number) found.push(this.values[i]);
    }
    return found;
  }
  /** The bytes of another one, to be written to. */
  add(number: i32): ByteWriter {
    const made = new ByteWriter(32);
    this.numbers.push(number);
    this.values.push(made);
    return made;
  }
  /** Reads a field of options; whether it is whole. */
  read(ptr: usize, len: i32): bool {
    let at = 0;
    while (at < len) {
      if (len - at < 4 || this.numbers.length == OPTIONS_LIMIT) return false;
      const count = u16_get(ptr + at + 2);
      if (count > len - at - 4) return false;
      this.add(u16_get(ptr + at)).bytes(ptr + at + 4, count);
      at += 4 + count;
    }
    return true;
  }
  write(out: ByteWriter): void {
    for (let i = 0; i < this.numbers.length; i++) {
      const value = this.values[i];
      u16_put(out, this.numbers[i]);
      u16_put(out, value.len);
      out.bytes(value.ptr, value.len);
    }
  }
  /** The code of STATUS_CODE; an absent one is success. */
  get status(): i32 {
    const value = this.get(STATUS_CODE);
    return value && value.len >= 2 ? u16_get(value.ptr) : SUCCESS;
  }
}

/** What a client says of its addresses: `id` names them, of an `address` there may be none yet. */
export function association_add(options: Options6, id: u32, address: Ip | null): void {
  const out = options.add(IA_NA);
  u32_put(out, id);
  // The server chooses the times.
  u64_put(out, 0);
  if (!address) return;
  u16_put(out, IA_ADDRESS);
  u16_put(out, IA_ADDRESS_BYTES);
  ip_put(out, address);
  u64_put(out, 0);
}

/** One IA_NA of a server's message. */
export class Association {
  status: i32 = SUCCESS;
  t1_s: u32 = 0;
  t2_s: u32 = 0;
  /** Addresses, each with its times. */
  addresses: Ip[] = [];
  preferred_s: u32[] = [];
  valid_s: u32[] = [];
}

/** That of a client's `id`; null when the message has none, or one that is malformed. */
export function association_of(options: Options6, id: u32): Association | null {
  const all = options.all(IA_NA);
  for (let i = 0; i < all.length; i++) {
    const value = all[i];
    if (value.len < IA_BYTES || u32_get(value.ptr) != id) continue;
    const made = new Association();
    made.t1_s = u32_get(value.ptr + 4);
    made.t2_s = u32_get(value.ptr + 8);
    // Section 21.4: a client discards it.
    if (made.t2_s > 0 && made.t1_s > made.t2_s) return null;
    const inner = new Options6();
    if (!inner.read(value.ptr + IA_BYTES, value.len - IA_BYTES)) return null;
    made.status = inner.status;
    addresses_take(made, inner);
    return made;
  }
  return null;
}

function addresses_take(into: Association, options: Options6): void {
  const all = options.all(IA_ADDRESS);
  for (let i = 0; i < all.length; i++) {
    const value = all[i];
    if (value.len < IA_ADDRESS_BYTES) continue;
    const preferred_s = u32_get(value.ptr + ADDRESS_BYTES);
    const valid_s = u32_get(value.ptr + ADDRESS_BYTES + 4);
    // Section 21.6: a client discards it.
    if (preferred_s > valid_s) continue;
    into.addresses.push(ip_get(value.ptr));
    into.preferred_s.push(preferred_s);
    into.valid_s.push(valid_s);
  }
}
