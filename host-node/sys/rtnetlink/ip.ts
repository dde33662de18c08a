// SPDX-License-Identifier: Apache-2.0
// IP and hardware addresses, texts to bytes and back. It refuses what is not in the one usual form:
// no zone, no octets of a shorter or octal form, no prefix lengths but decimal.
import { OsError } from '../../abi/index.ts';
import { EINVAL } from '../libc.ts';
import { AF_INET, AF_INET6, MAX_ADDR_LEN } from './constants.ts';
import { truncated } from './reply.ts';

/** An IPv4 (4 bytes) or IPv6 (16 bytes) address with its prefix length. */
export interface Prefix {
  readonly family: number;
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** A hardware address as 0a:58:…; "" when there is none. EBADMSG: longer than any is. */
export function formatHardware(bytes: Uint8Array): string {
  if (bytes.length > MAX_ADDR_LEN) throw truncated();
  let text = '';
  for (const byte of bytes) {
    text += `${text === '' ? '' : ':'}${byte < 16 ? '0' : ''}${byte.toString(16)}`;
  }
  return text;
}

/** An Ethernet address from its text; EINVAL when it is not six pairs of hex digits. */
export function parseHardware(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) {
    throw new OsError(EINVAL, `not a hardware address: ${text}`);
  }
  return Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}

/** An IP address as text, IPv6 in the form of RFC 5952; EBADMSG unless it is 4 or 16 bytes. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw truncated();
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!);
  // ::ffff:a.b.c.d is written so by every tool.
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return `::ffff:${bytes.subarray(12).join('.')}`;
  }
  // The longest run of two or more zero groups, the first of equals, becomes "::".
  let [best, best_length] = [-1, 1];
  for (let i = 0, run = 0; i < 8; i++) {
    run = groups[i] === 0 ? run + 1 : 0;
    if (run > best_length) [best, best_length] = [i - run + 1, run];
  }
  const hex = groups.map((group) => group.toString(16));
  if (best < 0) return hex.join(':');
  return `${hex.slice(0, best).join(':')}::${hex.slice(best + best_length).join(':')}`;
}

/** The 4 or 16 bytes of an IP address; EINVAL when the text is not one. No zone, no odd octets. */
export function parseIp(text: string): Uint8Array {
  const bytes = text.includes(':') ? parseIp6(text) : parseIp4(text);
  if (bytes === null) throw new OsError(EINVAL, `not an IP address: ${text}`);
  return bytes;
}

function parseIp4(text: string): Uint8Array | null {
  const octets = text.split('.');
  const good = octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256);
  return octets.length === 4 && good ? Uint8Array.from(octets, Number) : null;
}

function parseIp6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const gap = 16 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 2) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** The bytes of one side of a "::"; its last group may be a dotted IPv4 address. */
function parseGroups(text: string, last: boolean): number[] | null {
  const bytes: number[] = [];
  if (text === '') return bytes;
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (last && i === groups.length - 1 && group.includes('.')) {
      const dotted = parseIp4(group);
      if (dotted === null) return null;
      bytes.push(...dotted);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return null;
  }
  return bytes;
}

/** address/length as a {@link Prefix}, host bits kept; EINVAL when it is not one. */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/');
  const digits = slash < 0 ? '' : text.slice(slash + 1);
  const bytes = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (!/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > bytes.length * 8) {
    throw new OsError(EINVAL, `not an address with a prefix length: ${text}`);
  }
  const family = bytes.length === 4 ? AF_INET : AF_INET6;
  return { family, bytes, length: Number(digits) };
}

/** The broadcast address of an IPv4 prefix: all its host bits set. */
export function broadcastOf(prefix: Prefix): Uint8Array {
  return prefix.bytes.map((byte, i) => {
    const bits = Math.min(8, Math.max(0, prefix.length - i * 8));
    return byte | (0xff >> bits);
  });
}
