// SPDX-License-Identifier: Apache-2.0
// DHCP messages (RFC 2131 section 2) as whole Ethernet frames, as a packet socket has them: a
// client that has no address yet speaks past the kernel's IP. And the little of ARP and ICMP that
// tells whether an address is taken (RFC 5227) and whether a server is there. A frame that is cut
// off, or another's, is null.
import { ByteWriter } from "../lib/utf8";
import { MESSAGE_TYPE, Options, OVERLOAD } from "./options";
import { mac_get, mac_put, sum, u16_get, u16_put, u32_get, u32_put } from "./wire";

export const DISCOVER: i32 = 1;
export const OFFER: i32 = 2;
export const REQUEST: i32 = 3;
export const DECLINE: i32 = 4;
export const ACK: i32 = 5;
export const NAK: i32 = 6;
export const RELEASED: i32 = 7;

/** An Ethernet address in the low 48 bits. */
export const BROADCAST_MAC: u64 = 0xffffffffffff;

const ETHER_BYTES: i32 = 14;
const ETHER_IP: i32 = 0x0800;
const ETHER_ARP: i32 = 0x0806;
const IP_BYTES: i32 = 20;
const UDP_BYTES: i32 = 8;
const PROTOCOL_ICMP: i32 = 1;
const PROTOCOL_UDP: i32 = 17;
const ICMP_UNREACHABLE: i32 = 3;
const SERVER_PORT: i32 = 67;
const CLIENT_PORT: i32 = 68;
const TTL: i32 = 64;
/** Of the fixed part of a message, up to its options: see RFC 2131 figure 1. */
const FIXED_BYTES: i32 = 240;
/** Relays and servers of old drop shorter ones (RFC 1542 section 2.1). */
const LEAST_BYTES: i32 = 300;
const MAGIC: u32 = 0x63825363;
const BROADCAST_FLAG: i32 = 0x8000;
const FILE_AT: i32 = 108;
const FILE_BYTES: i32 = 128;
const NAME_AT: i32 = 44;
const NAME_BYTES: i32 = 64;

/** A message, sent or received. Addresses are IPv4 in the low 32 bits, 0 for none. */
export class Message {
  type: i32 = 0;
  xid: u32 = 0;
  secs: i32 = 0;
  broadcast: bool = false;
  ciaddr: u32 = 0;
  yiaddr: u32 = 0;
  chaddr: u64 = 0;
  options: Options = new Options();
  /** The hardware address it came from: of the server, or of the router before it. */
  from_mac: u64 = 0;
}

function zeros(out: ByteWriter, count: i32): void {
  for (let i = 0; i < count; i++) out.byte(0);
}

/** A message of a client, without any heads. */
export function message_body(message: Message): ByteWriter {
  const out = new ByteWriter();
  out.byte(1); // BOOTREQUEST
  out.byte(1); // Ethernet
  out.byte(6);
  out.byte(0);
  u32_put(out, message.xid);
  u16_put(out, message.secs);
  u16_put(out, message.broadcast ? BROADCAST_FLAG : 0);
  u32_put(out, message.ciaddr);
  zeros(out, 12);
  mac_put(out, message.chaddr);
  zeros(out, 10 + NAME_BYTES + FILE_BYTES);
  u32_put(out, MAGIC);
  out.byte(MESSAGE_TYPE);
  out.byte(1);
  out.byte(message.type);
  message.options.write(out);
  out.byte(255);
  zeros(out, LEAST_BYTES - out.len);
  return out;
}

/** The frame of a message: from an address (0 for none yet) to one, at a hardware address. */
export function message_frame(message: Message, source: u32, to: u32, to_mac: u64): ByteWriter {
  const body = message_body(message);
  const out = new ByteWriter();
  const udp_bytes = UDP_BYTES + body.len;
  mac_put(out, to_mac);
  mac_put(out, message.chaddr);
  u16_put(out, ETHER_IP);
  out.byte(0x45);
  out.byte(0x10); // low delay, as clients do
  u16_put(out, IP_BYTES + udp_bytes);
  u32_put(out, 0);
  out.byte(TTL);
  out.byte(PROTOCOL_UDP);
  u16_put(out, 0);
  u32_put(out, source);
  u32_put(out, to);
  store16(out, ETHER_BYTES + 10, ~sum(out.ptr + ETHER_BYTES, IP_BYTES, 0));
  u16_put(out, CLIENT_PORT);
  u16_put(out, SERVER_PORT);
  u16_put(out, udp_bytes);
  u16_put(out, 0);
  out.bytes(body.ptr, body.len);
  const pseudo = sum(out.ptr + ETHER_BYTES + 12, 8, <u32>(PROTOCOL_UDP + udp_bytes));
  const checksum = ~sum(out.ptr + ETHER_BYTES + IP_BYTES, udp_bytes, pseudo) & 0xffff;
  store16(out, ETHER_BYTES + IP_BYTES + 6, checksum == 0 ? 0xffff : checksum);
  return out;
}

function store16(out: ByteWriter, at: i32, value: u32): void {
  store<u16>(out.ptr + at, bswap(<u16>value));
}

/** Where the content of an IPv4 packet begins in a frame, 0 when it is none of this protocol. */
function ip_content(ptr: usize, len: i32, protocol: i32): i32 {
  if (len < ETHER_BYTES + IP_BYTES || u16_get(ptr + 12) != ETHER_IP) return 0;
  const ip = ptr + ETHER_BYTES;
  const head = (<i32>load<u8>(ip) & 15) * 4;
  if (load<u8>(ip) >> 4 != 4 || head < IP_BYTES || <i32>load<u8>(ip + 9) != protocol) return 0;
  if (u16_get(ip + 2) > len - ETHER_BYTES || u16_get(ip + 2) < head) return 0;
  // A fragment says only part of it.
  return (u16_get(ip + 6) & 0x3fff) == 0 ? ETHER_BYTES + head : 0;
}

/**
 * The message of a server in a frame. Its UDP checksum is not looked at: between the ends of a veth
 * pair it is not there yet, as no wire needs it.
 */
export function message_parse(ptr: usize, len: i32): Message | null {
  const udp = ip_content(ptr, len, PROTOCOL_UDP);
  if (udp == 0 || len - udp < UDP_BYTES || u16_get(ptr + udp + 2) != CLIENT_PORT) return null;
  const body_len = u16_get(ptr + udp + 4) - UDP_BYTES;
  const body = ptr + udp + UDP_BYTES;
  if (body_len < FIXED_BYTES || body_len > len - udp - UDP_BYTES) return null;
  if (load<u8>(body) != 2 || load<u8>(body + 2) != 6 || u32_get(body + 236) != MAGIC) return null;
  const message = new Message();
  message.from_mac = mac_get(ptr + 6);
  message.xid = u32_get(body + 4);
  message.ciaddr = u32_get(body + 12);
  message.yiaddr = u32_get(body + 16);
  message.chaddr = mac_get(body + 28);
  const options = message.options;
  options.read(body + FIXED_BYTES, body_len - FIXED_BYTES);
  const overload = options.u8_at(OVERLOAD, 0);
  if (overload & 1) options.read(body + FILE_AT, FILE_BYTES);
  if (overload & 2) options.read(body + NAME_AT, NAME_BYTES);
  message.type = options.u8_at(MESSAGE_TYPE, 0);
  return message;
}

/** The frame that asks who has an address (RFC 826); from 0 it is a probe, which claims nothing. */
export function arp_frame(mac: u64, from: u32, address: u32): ByteWriter {
  const out = new ByteWriter();
  mac_put(out, BROADCAST_MAC);
  mac_put(out, mac);
  u16_put(out, ETHER_ARP);
  u16_put(out, 1); // Ethernet
  u16_put(out, ETHER_IP);
  out.byte(6);
  out.byte(4);
  u16_put(out, 1); // a request
  mac_put(out, mac);
  u32_put(out, from);
  mac_put(out, 0);
  u32_put(out, address);
  return out;
}

/** The hardware address of who says in this frame that it has an IPv4 address; 0 for nobody. */
export function arp_owner(ptr: usize, len: i32, address: u32): u64 {
  if (len < ETHER_BYTES + 28 || u16_get(ptr + 12) != ETHER_ARP) return 0;
  const arp = ptr + ETHER_BYTES;
  if (u16_get(arp + 2) != ETHER_IP || u16_get(arp + 4) != 0x0604) return 0;
  return u32_get(arp + 14) == address ? mac_get(arp + 8) : 0;
}

/** Whether a frame says that what was sent to an address, to the server's port, did not arrive. */
export function says_unreachable(ptr: usize, len: i32, server: u32): bool {
  const icmp = ip_content(ptr, len, PROTOCOL_ICMP);
  if (icmp == 0 || len - icmp < 8 + IP_BYTES + 4) return false;
  if (<i32>load<u8>(ptr + icmp) != ICMP_UNREACHABLE) return false;
  const ip = ptr + icmp + 8;
  const head = (<i32>load<u8>(ip) & 15) * 4;
  if (<i32>load<u8>(ip + 9) != PROTOCOL_UDP || u32_get(ip + 16) != server) return false;
  return head >= IP_BYTES && len - icmp - 8 >= head + 4 && u16_get(ip + head + 2) == SERVER_PORT;
}
