// The index of a lease folder, /run/fairlead/leases/<hash of the folder>/: which leases a container
// has, and which addresses are taken. It is a cache; the lease files are the truth, and it refuses
// to say of an owner what the lease itself does not say.
//
// It is believed as long as nobody else has changed the folder. Whoever makes, renames or removes a
// file there sets the folder's mtime to the time of the clock. The last thing we do under the lock
// is to set it to a time shortly before, and that time stands in the file "index": when both are
// equal, nothing has happened since, however coarse the clock. A process that dies on the way
// leaves them unequal, and then the folder is read anew.
//
//   index    "fairlead leases 1", the folder, the time, which of the others there are
//   00 … ff  leases by a hash of the container id: a count, then FINGERPRINT NAME in lines
//   taken.A  which of the 65,536 addresses from A on are taken: taken.ts
import { failure_errno } from "../host/failure";
import {
  dir_list,
  dir_make,
  file_mtime,
  file_read,
  file_remove,
  file_set_mtime,
  file_write,
  file_write_bytes,
  Reading,
} from "../host/store";
import { EFBIG, ENOENT } from "../lib/errno";
import { Ip, ip_parse } from "../lib/ip";
import { hash64, hash64_bytes } from "../lib/name";
import { ByteWriter, Utf8, utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { Taken } from "./taken";

const ROOT = "/run/fairlead/leases";
const TITLE = "fairlead leases 1";
const HEAD = "index";
const HEAD_LIMIT_BYTES = 8192;
const BUCKETS: i32 = 256;
/** Far above what a bucket of a full /8 has. */
const BUCKET_LIMIT_BYTES = 4194304;
/** What a lease may be long; a longer file is nobody's whom we know. */
export const OWNER_LIMIT_BYTES = 4096;
const FINGERPRINT_LEN: i32 = 16;
const SECOND_NS: i64 = 1_000_000_000;
/** So far before the time of the clock a mark may lie. */
const MARK_SPAN_NS: u64 = 999_999;

function hex16(value: u64): string {
  return value.toString(16).padStart(FINGERPRINT_LEN, "0");
}

function is_space(byte: u8): bool {
  return byte == 32 || (byte >= 9 && byte <= 13);
}

/** The content of a lease without the white space around it, and whose it is. */
class Owner {
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
class Bucket {
  private lines: ByteWriter = new ByteWriter();
  count: i32 = 0;
  dirty: bool = false;

  add(fingerprint: u64, name: string): void {
    this.lines.text(hex16(fingerprint)).byte(32);
    this.lines.text(name).byte(10);
    this.count++;
    this.dirty = true;
  }
  /** Offset behind the line at `from`, -1 when it is none. */
  private line_end(from: i32): i32 {
    const ptr = this.lines.ptr;
    for (let i = 0; i < FINGERPRINT_LEN; i++) {
      const c = from + i < this.lines.len ? load<u8>(ptr + from + i) : 0;
      if (!(c >= 48 && c <= 57) && !(c >= 97 && c <= 102)) return -1;
    }
    let at = from + FINGERPRINT_LEN;
    if (at >= this.lines.len || load<u8>(ptr + at) != 32) return -1;
    do at++;
    while (at < this.lines.len && load<u8>(ptr + at) > 32);
    return at < this.lines.len && load<u8>(ptr + at) == 10 ? at + 1 : -1;
  }
  private name_at(from: i32, end: i32): string {
    const start = from + FINGERPRINT_LEN + 1;
    return utf8_decode(this.lines.ptr + start, end - 1 - start);
  }
  /** Names of the leases whose content has this fingerprint, sorted. */
  find(fingerprint: u64): string[] {
    const found = new Array<string>();
    const wanted = new Utf8(hex16(fingerprint));
    for (let at = 0; at < this.lines.len; ) {
      const end = this.line_end(at);
      if (memory.compare(this.lines.ptr + at, wanted.ptr, FINGERPRINT_LEN) == 0) {
        found.push(this.name_at(at, end));
      }
      at = end;
    }
    found.sort((a, b) => (a < b ? -1 : i32(a > b)));
    return found;
  }
  remove(name: string): void {
    const wanted = new Utf8(name);
    for (let at = 0; at < this.lines.len; ) {
      const end = this.line_end(at);
      const ptr = this.lines.ptr;
      const start = at + FINGERPRINT_LEN + 1;
      const same = end - 1 - start == wanted.len;
      if (same && memory.compare(ptr + start, wanted.ptr, wanted.len) == 0) {
        memory.copy(ptr + at, ptr + end, this.lines.len - end);
        this.lines.len -= end - at;
        this.count--;
        this.dirty = true;
      } else {
        at = end;
      }
    }
  }
  /** Takes over a file; false when it is not of our making. */
  parse(ptr: usize, len: i32): bool {
    if (utf8_invalid_at(ptr, len) >= 0) return false;
    let start = 0;
    let count = 0;
    while (start < min(len, 9) && load<u8>(ptr + start) != 10) {
      count = count * 10 + <i32>load<u8>(ptr + start) - 48;
      start++;
    }
    this.lines.bytes(ptr + start + 1, max(len - start - 1, 0));
    for (let at = 0; at < this.lines.len; ) {
      at = this.line_end(at);
      if (at < 0) return false;
      this.count++;
    }
    return count > 0 && count == this.count;
  }
  /** Whether its file says what it does. */
  store(path: string): bool {
    if (this.count == 0) return file_remove(path) >= 0 || failure_errno == ENOENT;
    const out = new ByteWriter();
    out.text(this.count.toString()).byte(10);
    out.bytes(this.lines.ptr, this.lines.len);
    return file_write_bytes(path, out.ptr, out.len) >= 0;
  }
}

const enum Trust {
  /** It says nothing. */
  No,
  /** Its files are right. */
  Files,
  /** The folder was read in this call: all of it is in memory, its files count for nothing. */
  Memory,
}

/** Used under the lock of the folder, from before its first change to after its last. */
export class LeaseIndex {
  readonly taken: Taken;
  private at: string;
  private trust: Trust = Trust.No;
  private buckets: Array<Bucket | null> = new Array<Bucket | null>(BUCKETS);
  /** Buckets that have a file, by the file "index". */
  private filled: StaticArray<bool> = new StaticArray<bool>(BUCKETS);
  private mark: string = "";
  /** The folder's time before the call changed it. */
  private found_at: string = "";
  private changed: bool = false;

  constructor(private dir: string) {
    const at = `${ROOT}/${hex16(hash64(dir))}`;
    this.at = at;
    this.taken = new Taken(at);
    if (this.load()) {
      this.trust = Trust.Files;
      this.taken.believe();
    }
  }

  /** Whether there is one, of the folder as it is now. */
  private load(): bool {
    const mtime = file_mtime(this.dir);
    this.found_at = mtime;
    const head = file_read(`${this.at}/${HEAD}`, HEAD_LIMIT_BYTES);
    if (!head || mtime.length == 0 || utf8_invalid_at(head.ptr, head.len) >= 0) return false;
    return this.parse(utf8_decode(head.ptr, head.len)) && this.mark == mtime;
  }

  private parse(text: string): bool {
    const lines = text.split("\n");
    if (lines.length != 5 || lines[0] != TITLE || lines[1] != this.dir) return false;
    const digits = lines[3];
    if (digits.length != BUCKETS / 4) return false;
    for (let i = 0; i < BUCKETS; i++) {
      const digit = I32.parseInt(digits.charAt(i >> 2), 16);
      this.filled[i] = ((digit >> (i & 3)) & 1) == 1;
    }
    this.mark = lines[2];
    return true;
  }

  /** Whether it can be asked; else it must be rebuilt. */
  get ready(): bool {
    return this.trust != Trust.No;
  }
  /** Whether the folder was read in this call. */
  get fresh(): bool {
    return this.trust == Trust.Memory;
  }
  /** What happened to the folder is not known: let it be read anew. */
  distrust(): void {
    this.trust = Trust.No;
  }
  /** The folder is about to change. */
  change(): void {
    this.changed = true;
  }

  /** A bucket; null when its file is damaged. */
  private bucket(index: i32): Bucket | null {
    const known = this.buckets[index];
    if (known) return known;
    const bucket = new Bucket();
    if (this.trust == Trust.Files) {
      const bytes = file_read(this.path(index), BUCKET_LIMIT_BYTES);
      const absent = !bytes && failure_errno == ENOENT;
      const sound = bytes ? bucket.parse(bytes.ptr, bytes.len) : absent;
      if (!sound || absent == this.filled[index]) {
        this.trust = Trust.No;
        return null;
      }
    }
    this.buckets[index] = bucket;
    return bucket;
  }
  private path(bucket: i32): string {
    return `${this.at}/${bucket.toString(16).padStart(2, "0")}`;
  }

  /**
   * Names of the leases with this content. Each was looked at; when one does not say so after all,
   * null: rebuild. Null also for an index that is not ready.
   */
  find(content: string): string[] | null {
    if (!this.ready) return null;
    const wanted = new Utf8(content);
    const owner = new Owner(wanted.ptr, wanted.len);
    const bucket = this.bucket(owner.bucket);
    if (!bucket) return null;
    const names = bucket.find(owner.fingerprint);
    const lease = names.length > 0 ? new Reading(this.dir, OWNER_LIMIT_BYTES) : null;
    for (let i = names.length - 1; i >= 0 && lease; i--) {
      const code = lease.read(names[i]);
      if (code >= 0 && new Owner(lease.ptr, lease.len).is(wanted)) continue;
      // A lease that cannot be read is not known to be another's.
      if (!this.fresh || (code < 0 && failure_errno != ENOENT)) return null;
      names.splice(i, 1);
    }
    return names;
  }

  /** Notes a lease that was made. */
  add(name: string, content: string): void {
    if (!this.ready) return;
    const text = new Utf8(content);
    const owner = new Owner(text.ptr, text.len);
    const bucket = this.bucket(owner.bucket);
    if (!bucket) return;
    bucket.add(owner.fingerprint, name);
    const ip = ip_parse(name);
    if (ip) this.taken.note(ip, true);
  }
  /** Notes that a lease with this content was removed. */
  remove(name: string, content: string): void {
    if (!this.ready) return;
    const text = new Utf8(content);
    const bucket = this.bucket(new Owner(text.ptr, text.len).bucket);
    if (!bucket) return;
    bucket.remove(name);
    const ip = ip_parse(name);
    if (ip) this.taken.note(ip, false);
  }

  /** Reads the folder anew; false when it cannot be read, with the failure noted. */
  rebuild(): bool {
    this.trust = Trust.No;
    const names = dir_list(this.dir);
    if (!names) return false;
    this.trust = Trust.Memory;
    this.buckets = new Array<Bucket | null>(BUCKETS);
    const taken = new Array<Ip>();
    const lease = new Reading(this.dir, OWNER_LIMIT_BYTES);
    for (let i = 0; i < names.length; i++) {
      const ip = ip_parse(names[i]);
      if (!ip) continue;
      const code = lease.read(names[i]);
      if (code < 0 && failure_errno == ENOENT) continue;
      if (code < 0 && failure_errno != EFBIG) {
        this.trust = Trust.No;
        return false;
      }
      // Free: a crashed writer's, and what may be reclaimed, which only a try can tell.
      if (code >= 0 && lease.len == 0) continue;
      if (code >= 0) this.enter(names[i], lease);
      if (lease.before_boot(names[i]) != 1 && ip.toString() == names[i]) taken.push(ip);
    }
    this.taken.replace(taken);
    return true;
  }
  private enter(name: string, lease: Reading): void {
    const owner = new Owner(lease.ptr, lease.len);
    const bucket = this.bucket(owner.bucket);
    if (bucket) bucket.add(owner.fingerprint, name);
  }

  /** Writes what has changed and lets the next call believe it. What fails here costs that time. */
  commit(): void {
    if (!this.ready) return;
    if (this.fresh && !this.clear()) return;
    if (!this.taken.store() || (!this.changed && !this.fresh)) return;
    for (let i = 0; i < BUCKETS; i++) {
      const bucket = this.buckets[i];
      if (bucket && bucket.dirty && !bucket.store(this.path(i))) return;
      if (bucket) this.filled[i] = bucket.count > 0;
      else if (this.fresh) this.filled[i] = false;
    }
    const mtime = file_mtime(this.dir);
    // Somebody who takes no lock wrote while we read.
    if (!this.changed && mtime != this.found_at) return;
    const mark = this.mark_before(mtime);
    if (mark.length == 0 || file_write(`${this.at}/${HEAD}`, this.head(mark)) < 0) return;
    file_set_mtime(this.dir, mark);
  }

  /** Takes away the files of an index that is not believed, the first that makes it one first. */
  private clear(): bool {
    const names = dir_list(this.at);
    if (!names) return failure_errno == ENOENT && dir_make(this.at) >= 0;
    if (names.includes(HEAD) && file_remove(`${this.at}/${HEAD}`) < 0) return false;
    for (let i = 0; i < names.length; i++) {
      if (names[i] != HEAD && file_remove(`${this.at}/${names[i]}`) < 0) return false;
    }
    return true;
  }

  private head(mark: string): string {
    let digits = "";
    for (let i = 0; i < BUCKETS; i += 4) {
      let digit = 0;
      for (let k = 0; k < 4; k++) digit |= i32(this.filled[i + k]) << k;
      digits += digit.toString(16);
    }
    return `${TITLE}\n${this.dir}\n${mark}\n${digits}\n`;
  }

  /**
   * A time before the folder's, so that no clock gives it again: "" when there is none. How long
   * before depends on what was found, lest two indexes of one folder ever set the same.
   */
  private mark_before(mtime: string): string {
    const point = mtime.indexOf(".");
    if (point < 0 || mtime.length != point + 10) return "";
    const seconds = I64.parseInt(mtime.substring(0, point));
    const time_ns = seconds * SECOND_NS + I64.parseInt(mtime.substring(point + 1));
    const back_ns = 1 + <i64>(hash64(`${this.found_at} ${mtime}`) % MARK_SPAN_NS);
    if (time_ns < SECOND_NS) return "";
    const mark_ns = time_ns - back_ns;
    return `${mark_ns / SECOND_NS}.${(mark_ns % SECOND_NS).toString().padStart(9, "0")}`;
  }
}
