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

/** Leases of some containers. */
export class Bucket {
  private lines: ByteWriter = new ByteWriter();
  dirty: bool = false;

  get filled(): bool {
    return this.lines.len > 0;
  }
  add(fingerprint: u64, name: string): void {
    this.lines.text(hex16(fingerprint)).byte(32);
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
  remove(name: string): void {
    const wanted = new Utf8(` ${name}\n`);
    for (let at = 0; at < this.lines.len; ) {
      const end = this.line_end(at);
      const line = this.lines.ptr + at;
      const same = end - at == FINGERPRINT_LEN + wanted.len;
      if (same && memory.compare(line + FINGERPRINT_LEN, wanted.ptr, wanted.len) == 0) {
        memory.copy(line, this.lines.ptr + end, this.lines.len - end);
        this.lines.len -= end - at;
        this.dirty = true;
      } else {
        at = end;
      }
    }
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
