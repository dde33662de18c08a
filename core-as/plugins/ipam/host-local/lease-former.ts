// SPDX-License-Identifier: Apache-2.0
// What the index of a lease folder said before it is made anew, of one thing: which leases are of
// this boot. It lies in /run, which a reboot clears, so what it has as made since the boot was, and
// so was what came into the folder since; a clock that was set cannot change that. Of all else it
// refuses to say anything: that may be why it is made anew.
import { file_read } from "../../../host/store";
import { BUCKETS, Bucket, Known, Owner } from "./lease-bucket";

/** Far above what a bucket of a full /8 has. */
export const BUCKET_LIMIT_BYTES = 4194304;

/** Where the file of a bucket is. */
export function bucket_path(at: string, bucket: i32): string {
  return `${at}/${bucket.toString(16).padStart(2, "0")}`;
}

/** The files of an index as they lie there, each read when it is asked. */
export class Former {
  private buckets: Array<Bucket | null> = new Array<Bucket | null>(BUCKETS);
  private asked: StaticArray<bool> = new StaticArray<bool>(BUCKETS);

  /** `filled`: the buckets that have a file; null when there is no index. */
  constructor(
    private at: string,
    private filled: StaticArray<bool> | null,
  ) {}

  /** A bucket; null when its file is missing or damaged. */
  private bucket(index: i32, filled: StaticArray<bool>): Bucket | null {
    if (this.asked[index]) return this.buckets[index];
    this.asked[index] = true;
    const bucket = new Bucket();
    if (filled[index]) {
      const bytes = file_read(bucket_path(this.at, index), BUCKET_LIMIT_BYTES);
      if (!bytes || !bucket.parse(bytes.ptr, bytes.len)) return null;
    }
    this.buckets[index] = bucket;
    return bucket;
  }

  /** Whether a lease is known to have been made since the machine was started. */
  of_boot(owner: Owner, name: string): bool {
    const filled = this.filled;
    if (!filled) return false;
    const bucket = this.bucket(owner.bucket, filled);
    return bucket !== null && bucket.known(owner.fingerprint, name) != Known.Undated;
  }
}
