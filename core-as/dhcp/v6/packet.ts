// SPDX-License-Identifier: Apache-2.0
// DHCPv6 messages (RFC 8415 section 8) as whole Ethernet frames, and the little of neighbour
// discovery (RFC 4861) that a client needs: whether somebody has an address, and an answer to a
// server that asks where the client is. A frame that is cut off, or another's, is null.
import { Ip } from "../../lib/ip";
import { ByteWriter } from "../../lib/utf8";
import { mac_get, mac_put, sum, u16_get, u16_put, u32_get, u32_put } from "../wire";
import { ip_get, ip_put, Options6 } from "./options";

export const SOLICIT: i32 = 1;
export const ADVERTISE: i32 = 2;
export const REQUEST: i32 = 3;
export const CONFIRM: i32 = 4;
export const RENEW: i32 = 5;
export const REBIND: i32 = 6;
export const REPLY: i32 = 7;
export const RELEASED: i32 = 8;
export const DECLINE: i32 = 9;

const ETHER_BYTES: i32 = 14;
const ETHER_IPV6: i32 = 0x86dd;
const IP_BYTES: i32 = 40;
const UDP_BYTES: i32 = 8;
const PROTOCOL_UDP: i32 = 17;
const PROTOCOL_ICMP: i32 = 58;
const CLIENT_PORT: i32 = 546;
const SERVER_PORT: i32 = 547;
/** Of neighbour discovery: what came through a router has less. */
const HOPS_LOCAL: i32 = 255;
const HOPS: i32 = 64;
const SOLICITATION: i32 = 135;
const ADVERTISEMENT: i32 = 136;
/** Type, code, checksum, flags, target. */
const NEIGHBOUR_BYTES: i32 = 24;
const LINK_OPTION_BYTES: i32 = 8;
const TARGET_LINK: i32 = 2;
/** Flags of an advertisement: it answers, and what is known else is overridden. */
const SOLICITED_OVERRIDE: u32 = 0x60000000;

/** All_DHCP_Relay_Agents_and_Servers, ff02::1:2. */
const SERVERS_HIGH: u64 = 0xff02000000000000;
const SERVERS_LOW: u64 = 0x10002;
/** ff02::1:ff00:0, which ends in the last 24 bits of an address. */
const SOLICITED_LOW: u64 = 0x1ff000000;

/** A message, sent or received. */
export class Message6 {
  type: i32 = 0;
  /** 24 bits. */
  xid: u32 = 0;
  options: Options6 = new Options6();
  /** Who sent it: a server, or a relay. */
  from: Ip | null = null;
}

/** The address that a kernel derives from an Ethernet address (RFC 4291 appendix A). */
export function link_local(mac: u64): Ip {
  const low = ((mac >> 24) << 40) | 0xfffe000000 | (mac & 0xffffff);
  return new Ip(true, 0xfe80000000000000, low ^ 0x0200000000000000);
}

/** The Ethernet address of a multicast group (RFC 2464 section 7). */
function group_mac(group: Ip): u64 {
  return 0x333300000000 | (group.low & 0xffffffff);
}

/** Heads of a frame; `content` is the packet of a protocol, its checksum at `sum_at` still 0. */
function framed(
  from_mac: u64,
  to_mac: u64,
  from: Ip,
  to: Ip,
  protocol: i32,
  hops: i32,
  content: ByteWriter,
  sum_at: i32,
): ByteWriter {
  const out = new ByteWriter(ETHER_BYTES + IP_BYTES + content.len);
  mac_put(out, to_mac);
  mac_put(out, from_mac);
  u16_put(out, ETHER_IPV6);
  u32_put(out, 0x60000000);
  u16_put(out, content.len);
  out.byte(protocol);
  out.byte(hops);
  ip_put(out, from);
  ip_put(out, to);
  const addresses = sum(out.ptr + ETHER_BYTES + 8, 32, <u32>(protocol + content.len));
  const checksum = ~sum(content.ptr, content.len, addresses) & 0xffff;
  store<u16>(content.ptr + sum_at, bswap(<u16>(checksum == 0 ? 0xffff : checksum)));
  out.bytes(content.ptr, content.len);
  return out;
}

/** The frame of a message to all servers of the link. */
export function message6_frame(message: Message6, mac: u64, source: Ip): ByteWriter {
  const udp = new ByteWriter(256);
  u16_put(udp, CLIENT_PORT);
  u16_put(udp, SERVER_PORT);
  u32_put(udp, 0);
  u32_put(udp, ((<u32>message.type) << 24) | message.xid);
  message.options.write(udp);
  store<u16>(udp.ptr + 4, bswap(<u16>udp.len));
  const to = new Ip(true, SERVERS_HIGH, SERVERS_LOW);
  return framed(mac, group_mac(to), source, to, PROTOCOL_UDP, HOPS, udp, 6);
}

/** Where the content of an IPv6 packet begins, 0 when it is none of this protocol. */
function ip_content(ptr: usize, len: i32, protocol: i32): i32 {
  const from = ETHER_BYTES + IP_BYTES;
  if (len < from || u16_get(ptr + 12) != ETHER_IPV6) return 0;
  const ip = ptr + ETHER_BYTES;
  if (load<u8>(ip) >> 4 != 6 || <i32>load<u8>(ip + 6) != protocol) return 0;
  return u16_get(ip + 4) <= len - from ? from : 0;
}

/** The message of a server in a frame; its checksum is not looked at, as that of IPv4 is not. */
export function message6_parse(ptr: usize, len: i32): Message6 | null {
  const udp = ip_content(ptr, len, PROTOCOL_UDP);
  if (udp == 0 || len - udp < UDP_BYTES + 4 || u16_get(ptr + udp + 2) != CLIENT_PORT) return null;
  const body_len = u16_get(ptr + udp + 4) - UDP_BYTES;
  const body = ptr + udp + UDP_BYTES;
  if (body_len < 4 || body_len > len - udp - UDP_BYTES) return null;
  const message = new Message6();
  message.type = <i32>load<u8>(body);
  message.xid = u32_get(body) & 0xffffff;
  message.from = ip_get(ptr + ETHER_BYTES + 8);
  return message.options.read(body + 4, body_len - 4) ? message : null;
}

function neighbour(type: i32, flags: u32, target: Ip, option: i32, mac: u64): ByteWriter {
  const out = new ByteWriter(NEIGHBOUR_BYTES + LINK_OPTION_BYTES);
  out.byte(type);
  out.byte(0);
  u16_put(out, 0);
  u32_put(out, flags);
  ip_put(out, target);
  if (option == 0) return out;
  out.byte(option);
  out.byte(1);
  mac_put(out, mac);
  return out;
}

/** The frame that asks whether somebody has an address, and claims nothing (RFC 4862). */
export function probe_frame(mac: u64, target: Ip): ByteWriter {
  const group = new Ip(true, SERVERS_HIGH, SOLICITED_LOW | (target.low & 0xffffff));
  const content = neighbour(SOLICITATION, 0, target, 0, 0);
  const nobody = new Ip(true, 0, 0);
  return framed(mac, group_mac(group), nobody, group, PROTOCOL_ICMP, HOPS_LOCAL, content, 2);
}

/** The target of a neighbour's message of a type; null when the frame is none. */
function target_of(ptr: usize, len: i32, type: i32): Ip | null {
  const icmp = ip_content(ptr, len, PROTOCOL_ICMP);
  if (icmp == 0 || len - icmp < NEIGHBOUR_BYTES) return null;
  if (<i32>load<u8>(ptr + ETHER_BYTES + 7) != HOPS_LOCAL) return null;
  return <i32>load<u8>(ptr + icmp) == type ? ip_get(ptr + icmp + 8) : null;
}

/** Whether somebody else says that he has an address, or probes for it to have it himself. */
export function claimed(ptr: usize, len: i32, address: Ip, own_mac: u64): bool {
  if (len < ETHER_BYTES || mac_get(ptr + 6) == own_mac) return false;
  const told = target_of(ptr, len, ADVERTISEMENT);
  if (told) return told.equals(address);
  const asked = target_of(ptr, len, SOLICITATION);
  return asked !== null && asked.equals(address) && ip_get(ptr + ETHER_BYTES + 8).isUnspecified();
}

/**
 * The answer to who asks where `own` is, null for any other frame. The pod's kernel gives none
 * while it probes for that address itself, which takes a second.
 */
export function answer_frame(ptr: usize, len: i32, own: Ip, mac: u64): ByteWriter | null {
  const asked = target_of(ptr, len, SOLICITATION);
  if (!asked || !asked.equals(own)) return null;
  const from = ip_get(ptr + ETHER_BYTES + 8);
  if (from.isUnspecified()) return null;
  const from_mac = mac_get(ptr + 6);
  const content = neighbour(ADVERTISEMENT, SOLICITED_OVERRIDE, own, TARGET_LINK, mac);
  return framed(mac, from_mac, own, from, PROTOCOL_ICMP, HOPS_LOCAL, content, 2);
}
