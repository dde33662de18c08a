// SPDX-License-Identifier: Apache-2.0
// What a server's offer or acknowledgement comes to: whether it can be used at all, how long it
// lasts, and what it gives a container. It refuses to guess what a server left out, but the times
// of a lease (RFC 2131 section 4.4.5).
import { Cidr, Ip } from "../lib/ip";
import { ByteWriter, utf8_decode } from "../lib/utf8";
import { is_control } from "../lib/visible";
import { Leased, LeasedIp, LeasedRoute } from "./leased";
import {
  CLASSLESS_ROUTES,
  DOMAIN_NAME,
  DOMAIN_SEARCH,
  LEASE_TIME,
  MESSAGE,
  NAME_SERVERS,
  Options,
  REBINDING_TIME,
  RENEWAL_TIME,
  ROUTERS,
  SERVER_ID,
  STATIC_ROUTES,
  SUBNET_MASK,
} from "./options";
import { Message } from "./packet";
import { u32_get } from "./wire";

/** Of a server that does not say. */
const DEFAULT_LEASE_S: u32 = 3600;
const FOREVER_S: u32 = 0xffffffff;
/** A renewal of a shorter lease comes no sooner: a server of zeros is not asked without end. */
const LEAST_RENEWAL_MS: i64 = 1000;
const SCOPE_LINK: i32 = 253;
const ROUTES_LIMIT: i32 = 256;

export function address_text(address: u32): string {
  return new Ip(false, 0, address).toString();
}

/** What a server says of itself, as a person may read it. */
export function message_of(options: Options): string {
  const said = text_of(options, MESSAGE);
  return said.length > 0 ? `, saying "${said}"` : "";
}

/** The text of an option: printable ASCII up to what is none. */
function text_of(options: Options, number: i32): string {
  const value = options.get(number);
  if (!value) return "";
  let len = 0;
  while (len < value.len && load<u8>(value.ptr + len) < 127 && load<u8>(value.ptr + len) >= 32)
    len++;
  return utf8_decode(value.ptr, len);
}

/** The length of the prefix of an option 1; -1 when it is absent or no mask. */
export function mask_bits(options: Options): i32 {
  const mask = options.u32_at(SUBNET_MASK, 0);
  const bits = <i32>popcnt(mask);
  return bits > 0 && (bits == 32 ? true : mask << bits == 0) ? bits : -1;
}

/** Why what a server offers cannot be used; "" when it can. */
export function unusable(offer: Message): string {
  const address = offer.yiaddr;
  const server = offer.options.u32_at(SERVER_ID, 0);
  if (server == 0) return "it does not say which server it is (option 54)";
  const first = address >> 24;
  if (first == 0 || first == 127 || first >= 224) {
    return `${address_text(address)} is no address of a host`;
  }
  if (mask_bits(offer.options) < 0) return "DHCP option Subnet Mask not found in DHCPACK";
  if (offer.options.u32_at(LEASE_TIME, DEFAULT_LEASE_S) == 0) return "the lease lasts 0 s";
  return "";
}

/** When a lease is renewed, rebound and over, in ms from its begin; -1 for never. */
export class Times {
  t1_ms: i64 = -1;
  t2_ms: i64 = -1;
  lease_ms: i64 = -1;

  constructor(options: Options) {
    const lease_s = options.u32_at(LEASE_TIME, DEFAULT_LEASE_S);
    if (lease_s != FOREVER_S) this.count(lease_s, options);
  }
  private count(lease_s: u32, options: Options): void {
    const lease_ms = <i64>lease_s * 1000;
    let t1_ms = <i64>options.u32_at(RENEWAL_TIME, 0) * 1000;
    let t2_ms = <i64>options.u32_at(REBINDING_TIME, 0) * 1000;
    if (t2_ms <= 0 || t2_ms >= lease_ms) t2_ms = (lease_ms * 7) / 8;
    if (t1_ms <= 0 || t1_ms >= t2_ms) t1_ms = min(lease_ms / 2, t2_ms);
    this.lease_ms = lease_ms;
    this.t1_ms = max(t1_ms, min(LEAST_RENEWAL_MS, lease_ms / 2));
    this.t2_ms = max(t2_ms, this.t1_ms);
  }
}

function ip(address: u32): Ip {
  return new Ip(false, 0, address);
}

/** What a lease gives. `priority` is the metric of every route, 0 for none. */
export function leased_by(address: u32, options: Options, priority: i64): Leased {
  const leased = new Leased();
  const own = new LeasedIp(new Cidr(ip(address), mask_bits(options)));
  leased.ips.push(own);
  const routers = options.get(ROUTERS);
  const router: Ip | null = routers && routers.len >= 4 ? ip(u32_get(routers.ptr)) : null;
  own.gateway = router;
  const classless = options.get(CLASSLESS_ROUTES);
  if (classless) routes_classless(classless, leased.routes);
  else {
    const old = options.get(STATIC_ROUTES);
    if (old) routes_classful(old, leased.routes);
    if (router) leased.routes.push(new LeasedRoute(new Cidr(ip(0), 0), router));
  }
  for (let i = 0; i < leased.routes.length; i++) leased.routes[i].priority = priority;
  const servers = options.get(NAME_SERVERS);
  for (let at = 0; servers !== null && at + 4 <= servers.len; at += 4) {
    leased.nameservers.push(address_text(u32_get(servers.ptr + at)));
  }
  leased.domain = name_or_none(text_of(options, DOMAIN_NAME));
  const search = options.get(DOMAIN_SEARCH);
  if (search) leased.search = names_of(search);
  return leased;
}

/** RFC 3442: the length of a prefix, as many bytes of it as it needs, a router. */
function routes_classless(value: ByteWriter, into: LeasedRoute[]): void {
  for (let at = 0; at < value.len && into.length < ROUTES_LIMIT; ) {
    const bits = <i32>load<u8>(value.ptr + at++);
    const count = (bits + 7) / 8;
    if (bits > 32 || at + count + 4 > value.len) return;
    let dst: u32 = 0;
    for (let i = 0; i < count; i++) dst |= (<u32>load<u8>(value.ptr + at + i)) << (24 - 8 * i);
    const gw = u32_get(value.ptr + at + count);
    at += count + 4;
    const net = new Cidr(ip(dst), bits).subnet();
    const route = new LeasedRoute(net, gw == 0 ? null : ip(gw));
    if (gw == 0) route.scope = SCOPE_LINK;
    into.push(route);
  }
}

/** Option 33: pairs of a destination, whose class is its mask, and a router. */
function routes_classful(value: ByteWriter, into: LeasedRoute[]): void {
  for (let at = 0; at + 8 <= value.len && into.length < ROUTES_LIMIT; at += 8) {
    const dst = u32_get(value.ptr + at);
    // 0.0.0.0 is not for this option (RFC 2132 section 5.8), nor is what is no host's.
    if (dst == 0 || dst >> 29 == 7) continue;
    const bits = dst >> 31 == 0 ? 8 : dst >> 30 == 2 ? 16 : 24;
    const net = new Cidr(ip(dst), bits).subnet();
    into.push(new LeasedRoute(net, ip(u32_get(value.ptr + at + 4))));
  }
}

/** A domain's name; "" for what would be more than a word in resolv.conf. */
function name_or_none(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c <= 32 || is_control(c)) return "";
  }
  return text;
}

/** Names in the compressed form of DNS (RFC 3397, RFC 1035 section 4.1.4). */
export function names_of(value: ByteWriter): string[] {
  const names = new Array<string>();
  let at = 0;
  while (at < value.len && names.length < 32) {
    const name = new ByteWriter();
    let from = at;
    let jumped = false;
    for (let steps = 0; steps < 128; steps++) {
      const count = from < value.len ? <i32>load<u8>(value.ptr + from) : 0;
      if (count >= 0xc0) {
        const low = from + 1 < value.len ? <i32>load<u8>(value.ptr + from + 1) : 0;
        if (!jumped) at = from + 2;
        jumped = true;
        from = ((count & 63) << 8) | low;
        continue;
      }
      from++;
      if (!jumped) at = from + count;
      if (count == 0 || from + count > value.len) break;
      if (name.len > 0) name.byte(46);
      name.bytes(value.ptr + from, count);
      from += count;
    }
    const text = ascii_of(name);
    if (text.length > 0 && text.length < 254) names.push(text);
  }
  return names;
}

/** Letters, digits, "-", "_" and "." only, or "". */
function ascii_of(name: ByteWriter): string {
  for (let i = 0; i < name.len; i++) {
    const c = <i32>load<u8>(name.ptr + i);
    const letter = (c | 32) >= 97 && (c | 32) <= 122;
    if (!letter && !(c >= 48 && c <= 57) && c != 45 && c != 46 && c != 95) return "";
  }
  return name.toString();
}
