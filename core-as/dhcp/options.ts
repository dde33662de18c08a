// SPDX-License-Identifier: Apache-2.0
// Options of DHCP (RFC 2132): their numbers, the names that configurations may call them by, and a
// set of them as it stands in a message. Repeated ones are one (RFC 3396).
import { ByteWriter } from "../lib/utf8";

export const SUBNET_MASK: i32 = 1;
export const ROUTERS: i32 = 3;
export const NAME_SERVERS: i32 = 6;
export const DOMAIN_NAME: i32 = 15;
export const INTERFACE_MTU: i32 = 26;
export const STATIC_ROUTES: i32 = 33;
export const REQUESTED_ADDRESS: i32 = 50;
export const LEASE_TIME: i32 = 51;
export const OVERLOAD: i32 = 52;
export const MESSAGE_TYPE: i32 = 53;
export const SERVER_ID: i32 = 54;
export const PARAMETER_LIST: i32 = 55;
export const MESSAGE: i32 = 56;
export const MAX_MESSAGE_SIZE: i32 = 57;
export const RENEWAL_TIME: i32 = 58;
export const REBINDING_TIME: i32 = 59;
export const CLIENT_ID: i32 = 61;
export const DOMAIN_SEARCH: i32 = 119;
export const CLASSLESS_ROUTES: i32 = 121;
const END: i32 = 255;
/** Most values are no longer, and a lease is kept with all of its own. */
const SHORT_BYTES: i32 = 16;

const NAMES: string[] = [
  "dhcp-client-identifier",
  "subnet-mask",
  "routers",
  "host-name",
  "user-class",
  "vendor-class-identifier",
];
const NUMBERS: i32[] = [CLIENT_ID, SUBNET_MASK, ROUTERS, 12, 77, 60];

/** The names, for a person. */
export function option_names(): string {
  return NAMES.join(", ");
}

/** The number of an option by its name or its number in decimal; -1 for neither. */
export function option_number(text: string): i32 {
  const at = NAMES.indexOf(text);
  if (at >= 0) return NUMBERS[at];
  if (text.length == 0 || text.length > 3) return -1;
  let number = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number <= 255 ? number : -1;
}

/** Options by number; an absent one has no bytes. */
export class Options {
  private numbers: i32[] = [];
  private values: ByteWriter[] = [];

  get(number: i32): ByteWriter | null {
    const at = this.numbers.indexOf(number);
    return at < 0 ? null : this.values[at];
  }
  get count(): i32 {
    return this.numbers.length;
  }
  number_at(index: i32): i32 {
    return this.numbers[index];
  }
  /** Its bytes, to be written to; an option that is there goes on where it ended. */
  add(number: i32): ByteWriter {
    const known = this.get(number);
    if (known) return known;
    const made = new ByteWriter(SHORT_BYTES);
    this.numbers.push(number);
    this.values.push(made);
    return made;
  }
  /** Makes an option what it is in others, absent too. */
  take(number: i32, from: Options): void {
    const value = from.get(number);
    const at = this.numbers.indexOf(number);
    if (at >= 0) this.values[at].len = 0;
    if (value) this.add(number).bytes(value.ptr, value.len);
  }
  /** A number of 32 bits, `otherwise` when it is absent or of another length. */
  u32_at(number: i32, otherwise: u32): u32 {
    const value = this.get(number);
    return value && value.len == 4 ? bswap(load<u32>(value.ptr)) : otherwise;
  }
  u16_at(number: i32, otherwise: i32): i32 {
    const value = this.get(number);
    return value && value.len == 2 ? <i32>bswap(load<u16>(value.ptr)) : otherwise;
  }
  u8_at(number: i32, otherwise: i32): i32 {
    const value = this.get(number);
    return value && value.len == 1 ? <i32>load<u8>(value.ptr) : otherwise;
  }
  /** Reads a field of options; one that is cut off ends it. */
  read(ptr: usize, len: i32): void {
    for (let at = 0; at < len; ) {
      const number = <i32>load<u8>(ptr + at++);
      if (number == 0) continue;
      if (number == END || at >= len) return;
      const count = <i32>load<u8>(ptr + at++);
      if (count > len - at) return;
      this.add(number).bytes(ptr + at, count);
      at += count;
    }
  }
  /** Writes them; a long one in parts. */
  write(out: ByteWriter): void {
    for (let i = 0; i < this.numbers.length; i++) {
      const value = this.values[i];
      let at = 0;
      do {
        const count = min(value.len - at, 255);
        out.byte(this.numbers[i]);
        out.byte(count);
        out.bytes(value.ptr + at, count);
        at += count;
      } while (at < value.len);
    }
  }
}
