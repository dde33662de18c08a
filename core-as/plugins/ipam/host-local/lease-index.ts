// SPDX-License-Identifier: Apache-2.0
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
//   index    "fairlead leases 3", the folder, the time, which of these there are, "exact" or ""
//   00 … ff  leases by a hash of the container id: FINGERPRINT NAME in lines, then a sum of them;
//            a plus in place of the blank: made since the boot, see lease-former.ts
//   taken.A  which of the 65,536 addresses from A on are taken: bitmap.ts

import { failure_errno } from "../../../host/failure";
import {
  dir_list,
  file_before_boot,
  file_mtime,
  file_read,
  file_rewrite,
  file_set_mtime,
  Reading,
} from "../../../host/store";
import { EFBIG, ENOENT } from "../../../lib/errno";
import { Ip, ip_parse } from "../../../lib/ip";
import { hash64 } from "../../../lib/name";
import { state_dir } from "../../../lib/state-dir";
import { Utf8, utf8_decode, utf8_invalid_at } from "../../../lib/utf8";
import { Taken } from "./bitmap";
import { is_printed, OWNER_LIMIT_BYTES } from "./each-lease";
import { BUCKETS, Bucket, hex16, Known, Owner } from "./lease-bucket";
import { BUCKET_LIMIT_BYTES, bucket_path, Former } from "./lease-former";
import { files_clear, Head, head_path, mark_before } from "./lease-head";

const HEAD_LIMIT_BYTES = 8192;
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
  private head: Head;
  private former: Former;
  /** Whether the folder was read without a failure. */
  private whole: bool = false;
  /** The folder's time before the call changed it. */
  private found_at: string = "";
  private changed: bool = false;

  constructor(private dir: string) {
    const at = `${state_dir()}/leases/${hex16(hash64(dir))}`;
    this.at = at;
    this.head = new Head(dir);
    this.taken = new Taken(at);
    this.former = new Former(at, null);
    if (this.load()) {
      this.trust = Trust.Files;
      this.taken.believe();
    }
  }

  /** Whether there is one, of the folder as it is now. */
  private load(): bool {
    const mtime = file_mtime(this.dir);
    this.found_at = mtime;
    const head = file_read(head_path(this.at), HEAD_LIMIT_BYTES);
    if (!head || mtime.length == 0 || utf8_invalid_at(head.ptr, head.len) >= 0) return false;
    if (!this.head.parse(utf8_decode(head.ptr, head.len))) return false;
    this.former = new Former(this.at, this.head.filled);
    return this.head.mark == mtime;
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
    if (this.trust != Trust.Files || !this.head.exact) return false;
    return file_before_boot(head_path(this.at)) == 0;
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
      const bytes = file_read(bucket_path(this.at, index), BUCKET_LIMIT_BYTES);
      const absent = !bytes && failure_errno == ENOENT;
      const sound = bytes ? bucket.parse(bytes.ptr, bytes.len) : absent;
      if (!sound || absent == this.head.filled[index]) {
        this.trust = Trust.No;
        return null;
      }
    }
    this.buckets[index] = bucket;
    return bucket;
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
    bucket.add(owner.fingerprint, name, true);
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
      const of_boot = code >= 0 && this.enter(names[i], lease);
      const before_boot = of_boot ? 0 : lease.before_boot(names[i]);
      if (before_boot < 0) this.whole = false;
      if (before_boot != 1 && is_printed(ip, names[i])) taken.push(ip);
    }
    this.taken.replace(taken);
    return true;
  }
  /** Whether it is known to be of this boot. */
  private enter(name: string, lease: Reading): bool {
    const owner = new Owner(lease.ptr, lease.len);
    const of_boot = this.former.of_boot(owner, name);
    const bucket = this.bucket(owner.bucket);
    if (bucket) bucket.add(owner.fingerprint, name, of_boot);
    return of_boot;
  }
  /**
   * Whether a lease may be from before the boot, as far as is known here: not when it was made, or
   * came into the folder, since we first looked. An index that is not ready cannot tell.
   */
  undated(name: string, content: string): bool {
    if (!this.ready) return false;
    const text = new Utf8(content);
    const owner = new Owner(text.ptr, text.len);
    const bucket = this.bucket(owner.bucket);
    return bucket !== null && bucket.known(owner.fingerprint, name) != Known.OfBoot;
  }

  /** Writes what has changed and lets the next call believe it. What fails here costs that time. */
  commit(): void {
    if (!this.ready || (!this.changed && !this.fresh)) return;
    if (this.fresh && !files_clear(this.at)) return;
    if (!this.taken.store()) return;
    for (let i = 0; i < BUCKETS; i++) {
      const bucket = this.buckets[i];
      if (bucket && bucket.dirty && !bucket.store(bucket_path(this.at, i))) return;
      if (bucket) this.head.filled[i] = bucket.filled;
      else if (this.fresh) this.head.filled[i] = false;
    }
    const mtime = file_mtime(this.dir);
    if (!this.changed) {
      // Somebody who takes no lock wrote while we read.
      if (mtime != this.found_at) return;
      // The folder has our mark from an earlier call, and nothing has happened since.
      if (mtime == this.head.mark) {
        file_rewrite(head_path(this.at), this.head.text(mtime, this.whole));
        return;
      }
    }
    const mark = mark_before(mtime, this.found_at);
    if (mark.length == 0 || file_rewrite(head_path(this.at), this.head.text(mark, false)) < 0)
      return;
    file_set_mtime(this.dir, mark);
  }
}
