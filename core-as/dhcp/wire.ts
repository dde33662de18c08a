// SPDX-License-Identifier: Apache-2.0
// Numbers as they stand in packets, most significant byte first, and the checksum of the Internet
// protocols (RFC 1071).
import { ByteWriter } from "../lib/utf8";

export function u16_put(out: ByteWriter, value: i32): void {
  out.byte((value >> 8) & 255);
  out.byte(value & 255);
}
export function u32_put(out: ByteWriter, value: u32): void {
  u16_put(out, <i32>(value >> 16));
  u16_put(out, <i32>(value & 0xffff));
}
export function u64_put(out: ByteWriter, value: u64): void {
  u32_put(out, <u32>(value >> 32));
  u32_put(out, <u32>value);
}
/** An Ethernet address, which is in the low 48 bits. */
export function mac_put(out: ByteWriter, mac: u64): void {
  u16_put(out, <i32>((mac >> 32) & 0xffff));
  u32_put(out, <u32>mac);
}
export function u16_get(ptr: usize): i32 {
  return <i32>bswap(load<u16>(ptr));
}
export function u32_get(ptr: usize): u32 {
  return bswap(load<u32>(ptr));
}
export function mac_get(ptr: usize): u64 {
  return ((<u64>u16_get(ptr)) << 32) | u32_get(ptr + 2);
}

/** The sum of 16-bit words in one's complement, as IP and UDP have it, on top of another. */
export function sum(ptr: usize, len: i32, onto: u32): u32 {
  let total = onto;
  for (let i = 0; i + 1 < len; i += 2) total += <u32>u16_get(ptr + i);
  if (len & 1) total += (<u32>load<u8>(ptr + len - 1)) << 8;
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return total;
}
