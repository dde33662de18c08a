// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 addresses and prefixes, as numbers: parsing, printing (RFC 5952), stepping,
// containing. IPv4-mapped IPv6 addresses are IPv4 here, as in the reference plugins.
// It refuses what inet_aton tolerates: octal, leading zeros, short forms.

/** An address: 128 bits in two halves; IPv4 lies in the low 32 bits of `low`. */
export class Ip {
  constructor(
    public v6: bool,
    public high: u64,
    public low: u64,
  ) {}

  get width(): i32 {
    return this.v6 ? 128 : 32;
  }
  equals(other: Ip): bool {
    return this.v6 == other.v6 && this.high == other.high && this.low == other.low;
  }
  /** -1, 0 or 1; all of IPv4 comes before IPv6. */
  compare(other: Ip): i32 {
    if (this.v6 != other.v6) return this.v6 ? 1 : -1;
    if (this.high != other.high) return this.high < other.high ? -1 : 1;
    if (this.low != other.low) return this.low < other.low ? -1 : 1;
    return 0;
  }
  add(count: u64): Ip {
    const low = this.low + count;
    return new Ip(
      this.v6,
      this.high + u64(low < this.low && this.v6),
      this.v6 ? low : low & 0xffffffff,
    );
  }
  sub(count: u64): Ip {
    const low = this.low - count;
    return new Ip(
      this.v6,
      this.high - u64(this.low < count && this.v6),
      this.v6 ? low : low & 0xffffffff,
    );
  }
  isLoopback(): bool {
    return this.v6 ? this.high == 0 && this.low == 1 : this.low >> 24 == 127;
  }
  /** IPv6 fe80::/10 or IPv4 169.254.0.0/16. */
  isLinkLocal(): bool {
    return this.v6 ? this.high >> 54 == 0x3fa : this.low >> 16 == 0xa9fe;
  }
  /** IPv6 ff00::/8 or IPv4 224.0.0.0/4. */
  isMulticast(): bool {
    return this.v6 ? this.high >> 56 == 0xff : this.low >> 28 == 0xe;
  }
  isUnspecified(): bool {
    return this.high == 0 && this.low == 0;
  }
  toString(): string {
    return this.v6 ? this.text6() : this.text4();
  }
  private text4(): string {
    const n = <u32>this.low;
    return `${n >> 24}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  }
  private group(index: i32): u32 {
    return <u32>(((index < 4 ? this.high : this.low) >> (48 - 16 * (index & 3))) & 0xffff);
  }
  private text6(): string {
    // RFC 5952 section 4.2.3: the longest run of two or more zero groups, the first of equals.
    let best = -1;
    let bestLength = 1;
    let start = 0;
    while (start < 8) {
      let end = start;
      while (end < 8 && this.group(end) == 0) end++;
      if (end - start > bestLength) {
        best = start;
        bestLength = end - start;
      }
      start = end + 1;
    }
    let text = "";
    for (let i = 0; i < 8; i++) {
      if (i == best) {
        text += "::";
        i += bestLength - 1;
        continue;
      }
      if (text.length > 0 && !text.endsWith(":")) text += ":";
      text += this.group(i).toString(16);
    }
    return text;
  }
}

/** An address with a prefix length; host bits are kept. */
export class Cidr {
  constructor(
    public ip: Ip,
    public bits: i32,
  ) {}

  private maskHigh(): u64 {
    if (!this.ip.v6 || this.bits == 0) return 0;
    return this.bits >= 64 ? u64.MAX_VALUE : u64.MAX_VALUE << (64 - this.bits);
  }
  private maskLow(): u64 {
    const host = this.ip.width - this.bits;
    if (!this.ip.v6) return host >= 32 ? 0 : ((<u64>0xffffffff) << host) & 0xffffffff;
    return host >= 64 ? 0 : u64.MAX_VALUE << host;
  }
  /** The first address of the network. */
  network(): Ip {
    return new Ip(this.ip.v6, this.ip.high & this.maskHigh(), this.ip.low & this.maskLow());
  }
  /** The last address of the network: broadcast in IPv4, all ones in IPv6. */
  last(): Ip {
    const first = this.network();
    if (!first.v6) return new Ip(false, 0, first.low | (~this.maskLow() & 0xffffffff));
    return new Ip(true, first.high | ~this.maskHigh(), first.low | ~this.maskLow());
  }
  contains(ip: Ip): bool {
    if (ip.v6 != this.ip.v6) return false;
    const high = (ip.high ^ this.ip.high) & this.maskHigh();
    return high == 0 && ((ip.low ^ this.ip.low) & this.maskLow()) == 0;
  }
  overlaps(other: Cidr): bool {
    return this.contains(other.ip) || other.contains(this.ip);
  }
  equals(other: Cidr): bool {
    return this.bits == other.bits && this.ip.equals(other.ip);
  }
  /** The network with its prefix: 10.1.2.3/24 gives 10.1.2.0/24. */
  subnet(): Cidr {
    return new Cidr(this.network(), this.bits);
  }
  toString(): string {
    return `${this.ip.toString()}/${this.bits}`;
  }
}

/** Parses an address, null when malformed. */
export function ip_parse(text: string): Ip | null {
  return unmapped(text.includes(":") ? parse6(text) : parse4(text, 0));
}

/** Parses ADDRESS/BITS, null when malformed; host bits are kept. */
export function cidr_parse(text: string): Cidr | null {
  const slash = text.indexOf("/");
  if (slash < 0) return null;
  const bits = decimal(text, slash + 1, 3);
  const address = text.substring(0, slash);
  const ip = address.includes(":") ? parse6(address) : parse4(address, 0);
  if (!ip || bits < 0 || bits > ip.width) return null;
  const plain = unmapped(ip);
  if (!plain || plain.v6 == ip.v6) return new Cidr(ip, bits);
  return bits >= 96 ? new Cidr(plain, bits - 96) : null;
}

/** Parses an address with or without /BITS and drops the bits. */
export function ip_parse_loose(text: string): Ip | null {
  if (!text.includes("/")) return ip_parse(text);
  const cidr = cidr_parse(text);
  return cidr ? cidr.ip : null;
}

function unmapped(ip: Ip | null): Ip | null {
  if (!ip || !ip.v6 || ip.high != 0 || ip.low >> 32 != 0xffff) return ip;
  return new Ip(false, 0, ip.low & 0xffffffff);
}

/** Digits to the end of the text, at most `limit` of them; -1 when malformed. */
function decimal(text: string, from: i32, limit: i32): i32 {
  if (from >= text.length || text.length - from > limit) return -1;
  let value = 0;
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 48 || c > 57) return -1;
    value = value * 10 + (c - 48);
  }
  return value;
}

function parse4(text: string, from: i32): Ip | null {
  let value: u64 = 0;
  let parts = 0;
  let digits = 0;
  let part = 0;
  for (let i = from; i <= text.length; i++) {
    const c = i < text.length ? text.charCodeAt(i) : 46;
    if (c == 46) {
      if (digits == 0 || parts == 4) return null;
      value = (value << 8) | <u64>part;
      parts++;
      digits = 0;
      part = 0;
    } else if (c >= 48 && c <= 57) {
      if (digits > 0 && part == 0) return null;
      part = part * 10 + (c - 48);
      digits++;
      if (part > 255) return null;
    } else {
      return null;
    }
  }
  return parts == 4 ? new Ip(false, 0, value) : null;
}

function parse6(text: string): Ip | null {
  const groups = new StaticArray<u32>(8);
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.startsWith("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (count == 8) return null;
    let value: u32 = 0;
    let end = at;
    while (end < text.length && hex(text.charCodeAt(end)) >= 0) {
      value = (value << 4) | <u32>hex(text.charCodeAt(end));
      end++;
      if (end - at > 4) return null;
    }
    if (end < text.length && text.charCodeAt(end) == 46) {
      const tail = count <= 6 ? parse4(text, at) : null;
      if (!tail) return null;
      groups[count++] = <u32>(tail.low >> 16);
      groups[count++] = <u32>(tail.low & 0xffff);
      break;
    }
    if (end == at) return null;
    groups[count++] = value;
    if (end == text.length) break;
    if (text.charCodeAt(end) != 58) return null;
    at = end + 1;
    if (at < text.length && text.charCodeAt(at) == 58) {
      if (gap >= 0) return null;
      gap = count;
      at++;
    } else if (at == text.length) {
      return null;
    }
  }
  if (gap < 0 ? count != 8 : count > 7) return null;
  return spread(groups, count, gap);
}

function hex(c: i32): i32 {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Fills the gap that "::" stands for. */
function spread(groups: StaticArray<u32>, count: i32, gap: i32): Ip {
  let high: u64 = 0;
  let low: u64 = 0;
  for (let i = 0; i < 8; i++) {
    let value: u32 = 0;
    if (gap < 0 || i < gap) value = groups[i];
    else if (i >= gap + 8 - count) value = groups[i - (8 - count)];
    if (i < 4) high = (high << 16) | value;
    else low = (low << 16) | value;
  }
  return new Ip(true, high, low);
}
