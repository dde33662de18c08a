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
//   index    "fairlead leases 2", the folder, the time, which of these there are, "exact" or ""
//   00 … ff  leases by a hash of the container id: FINGERPRINT NAME in lines, then a sum of them
//   taken.A  which of the 65,536 addresses from A on are taken: taken.ts
import { failure_errno } from "../../../host/failure";
import {
  dir_list,
  dir_make,
  file_before_boot,
  file_mtime,
  file_read,
  file_remove,
  file_set_mtime,
  file_write,
  file_write_bytes,
  Reading,
} from "../../../host/store";
import { EFBIG, ENOENT } from "../../../lib/errno";
import { Ip, ip_parse } from "../../../lib/ip";
import { hash64, hash64_bytes } from "../../../lib/name";
import { ByteWriter, Utf8, utf8_decode, utf8_invalid_at } from "../../../lib/utf8";
import { Taken } from "./bitmap";

const ROOT = "/run/fairlead/leases";
const TITLE = "fairlead leases 2";
const EXACT = "exact";
const HEAD = "index";
const HEAD_LIMIT_BYTES = 8192;
const BUCKETS: i32 = 256;
/** Far above what a bucket of a full /8 has. */
const BUCKET_LIMIT_BYTES = 4194304;
/** What a lease may be long; a longer file is nobody's whom we know. */
export const OWNER_LIMIT_BYTES = 4096;
const FINGERPRINT_LEN: i32 = 16;
const SUM_LEN: i32 = FINGERPRINT_LEN + 1;
const SUM_FACTOR: u64 = 0xff51afd7ed558ccd;
const SECOND_NS: i64 = 1_000_000_000;
/** So far before the time of the clock a mark may lie. */
const MARK_SPAN_NS: u64 = 999_999;

function hex16(value: u64): string {
  return value.toString(16).padStart(FINGERPRINT_LEN, "0");
}

function is_space(byte: u8): bool {
  return byte == 32 || (byte >= 9 && byte <= 13);
}

/** Whether an address is printed so: of IPv4 there is one form, beside that in IPv6. */
function is_printed(ip: Ip, text: string): bool {
  return ip.v6 ? ip.toString() == text : !text.includes(":");
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
    return file_write_bytes(path, this.lines.ptr, this.lines.len + SUM_LEN) >= 0;
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
  /** Whether the file "index" says that the maps are. */
  private noted_exact: bool = false;
  /** Whether the folder was read without a failure. */
  private whole: bool = false;
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
    if (lines.length != 6 || lines[0] != TITLE || lines[1] != this.dir) return false;
    const digits = lines[3];
    if (digits.length != BUCKETS / 4) return false;
    for (let i = 0; i < BUCKETS; i++) {
      const digit = I32.parseInt(digits.charAt(i >> 2), 16);
      this.filled[i] = ((digit >> (i & 3)) & 1) == 1;
    }
    this.mark = lines[2];
    this.noted_exact = lines[4] == EXACT;
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
  /**
   * Whether each address that a map has as taken is: the folder was read whole after its last
   * change by anybody, and since the boot, which makes leases stale. To read it again would tell
   * nothing.
   */
  get exact(): bool {
    if (this.trust != Trust.Files || !this.noted_exact) return false;
    return file_before_boot(`${this.at}/${HEAD}`) == 0;
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
    this.whole = true;
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
      const before_boot = lease.before_boot(names[i]);
      if (before_boot < 0) this.whole = false;
      if (before_boot != 1 && is_printed(ip, names[i])) taken.push(ip);
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
    if (!this.ready || (!this.changed && !this.fresh)) return;
    if (this.fresh && !this.clear()) return;
    if (!this.taken.store()) return;
    for (let i = 0; i < BUCKETS; i++) {
      const bucket = this.buckets[i];
      if (bucket && bucket.dirty && !bucket.store(this.path(i))) return;
      if (bucket) this.filled[i] = bucket.filled;
      else if (this.fresh) this.filled[i] = false;
    }
    const mtime = file_mtime(this.dir);
    if (!this.changed) {
      // Somebody who takes no lock wrote while we read.
      if (mtime != this.found_at) return;
      // The folder has our mark from an earlier call, and nothing has happened since.
      if (mtime == this.mark) {
        file_write(`${this.at}/${HEAD}`, this.head(mtime, this.whole));
        return;
      }
    }
    const mark = this.mark_before(mtime);
    if (mark.length == 0 || file_write(`${this.at}/${HEAD}`, this.head(mark, false)) < 0) return;
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

  private head(mark: string, exact: bool): string {
    let digits = "";
    for (let i = 0; i < BUCKETS; i += 4) {
      let digit = 0;
      for (let k = 0; k < 4; k++) digit |= i32(this.filled[i + k]) << k;
      digits += digit.toString(16);
    }
    return `${TITLE}\n${this.dir}\n${mark}\n${digits}\n${exact ? EXACT : ""}\n`;
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
