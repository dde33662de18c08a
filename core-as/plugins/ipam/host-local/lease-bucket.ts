// SPDX-License-Identifier: Apache-2.0
// A part of the index of a lease folder: the leases of some containers, as lines of a file, and the
// hashes by which they are found. The index itself is lease-index.ts.
import { failure_errno } from "../../../host/failure";
import { file_remove, file_rewrite_bytes } from "../../../host/store";
import { ENOENT } from "../../../lib/errno";
import { hash64_bytes } from "../../../lib/name";
import { ByteWriter, Utf8, utf8_decode } from "../../../lib/utf8";

export const BUCKETS: i32 = 256;
const FINGERPRINT_LEN: i32 = 16;
const SUM_LEN: i32 = FINGERPRINT_LEN + 1;
/** Between the hash and the name of a lease. */
const UNKNOWN: i32 = 32;
const OF_BOOT: i32 = 43;
const SUM_FACTOR: u64 = 0xff51afd7ed558ccd;

export function hex16(value: u64): string {
  return value.toString(16).padStart(FINGERPRINT_LEN, "0");
}

function is_space(byte: u8): bool {
  return byte == 32 || (byte >= 9 && byte <= 13);
}

/** The content of a lease without the white space around it, and whose it is. */
export class Owner {
  fingerprint: u64;
  /** Of the leases of its container. */
  bucket: i32;
  ptr: usize;
  len: i32;

  constructor(ptr: usize, len: i32) {
    let start = 0;
    let end = len;
    while (start < end && is_space(load<u8>(ptr + start))) start++;
    while (start < end && is_space(load<u8>(ptr + end - 1))) end--;
    this.ptr = ptr + start;
    this.len = end - start;
    this.fingerprint = hash64_bytes(this.ptr, this.len);
    let id = 0;
    while (id < this.len && load<u16>(this.ptr + id) != 0x0a0d) id++;
    this.bucket = <i32>(hash64_bytes(this.ptr, min(id, this.len)) % BUCKETS);
  }
  is(text: Utf8): bool {
    return this.len == text.len && memory.compare(this.ptr, text.ptr, this.len) == 0;
  }
}

/** What a bucket says of a lease. */
export const enum Known {
  No,
  /** It has it, and when it was made only its file can tell. */
  Undated,
  /** It was made since the machine was started. */
  OfBoot,
}

/** Leases of some containers. */
export class Bucket {
  private lines: ByteWriter = new ByteWriter();
  dirty: bool = false;

  get filled(): bool {
    return this.lines.len > 0;
  }
  /** `of_boot`: the lease is known to have been made since the machine was started. */
  add(fingerprint: u64, name: string, of_boot: bool): void {
    this.lines.text(hex16(fingerprint)).byte(of_boot ? OF_BOOT : UNKNOWN);
    this.lines.text(name).byte(10);
    this.dirty = true;
  }
  /** Offset behind the line at `from`. */
  private line_end(from: i32): i32 {
    let at = from + FINGERPRINT_LEN;
    while (at < this.lines.len && load<u8>(this.lines.ptr + at) != 10) at++;
    return at + 1;
  }
  /** Names of the leases whose content has this fingerprint, sorted. */
  find(fingerprint: u64): string[] {
    const found = new Array<string>();
    const wanted = new Utf8(hex16(fingerprint));
    for (let at = 0; at < this.lines.len; ) {
      const end = this.line_end(at);
      const line = this.lines.ptr + at;
      if (memory.compare(line, wanted.ptr, FINGERPRINT_LEN) == 0) {
        found.push(utf8_decode(line + FINGERPRINT_LEN + 1, end - at - FINGERPRINT_LEN - 2));
      }
      at = end;
    }
    found.sort((a, b) => (a < b ? -1 : i32(a > b)));
    return found;
  }
  /** Where the line of a lease is; -1 when there is none. */
  private line_of(name: string): i32 {
    const wanted = new Utf8(`${name}\n`);
    for (let at = 0, end = 0; at < this.lines.len; at = end) {
      end = this.line_end(at);
      const named = at + FINGERPRINT_LEN + 1;
      const same = end - named == wanted.len;
      if (same && memory.compare(this.lines.ptr + named, wanted.ptr, wanted.len) == 0) return at;
    }
    return -1;
  }
  remove(name: string): void {
    for (let at = this.line_of(name); at >= 0; at = this.line_of(name)) {
      const end = this.line_end(at);
      memory.copy(this.lines.ptr + at, this.lines.ptr + end, this.lines.len - end);
      this.lines.len -= end - at;
      this.dirty = true;
    }
  }
  /** Whether it has a line of the lease with this content, and what that says of its boot. */
  known(fingerprint: u64, name: string): Known {
    const at = this.line_of(name);
    const wanted = new Utf8(hex16(fingerprint));
    const line = this.lines.ptr + at;
    if (at < 0 || memory.compare(line, wanted.ptr, FINGERPRINT_LEN) != 0) return Known.No;
    return load<u8>(line + FINGERPRINT_LEN) == OF_BOOT ? Known.OfBoot : Known.Undated;
  }
  /** What ends its file: a hash of the lines, eight bytes at a time. */
  private get sum(): Utf8 {
    let sum: u64 = this.lines.len;
    let at = 0;
    for (; at + 8 <= this.lines.len; at += 8) {
      sum = rotl(sum ^ load<u64>(this.lines.ptr + at), 23) * SUM_FACTOR;
    }
    for (; at < this.lines.len; at++) {
      sum = rotl(sum ^ <u64>load<u8>(this.lines.ptr + at), 23) * SUM_FACTOR;
    }
    return new Utf8(`${hex16(sum)}\n`);
  }
  /** Takes over a file; false when it is not of our making. */
  parse(ptr: usize, len: i32): bool {
    this.lines.bytes(ptr, len);
    this.lines.len = max(len - SUM_LEN, 0);
    const sum = this.sum;
    return this.filled && memory.compare(ptr + len - SUM_LEN, sum.ptr, SUM_LEN) == 0;
  }
  /** Whether its file says what it does. */
  store(path: string): bool {
    if (!this.filled) return file_remove(path) >= 0 || failure_errno == ENOENT;
    const sum = this.sum;
    this.lines.bytes(sum.ptr, SUM_LEN);
    this.lines.len -= SUM_LEN;
    return file_rewrite_bytes(path, this.lines.ptr, this.lines.len + SUM_LEN) >= 0;
  }
}
