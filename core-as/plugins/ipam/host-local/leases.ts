// SPDX-License-Identifier: Apache-2.0
// The lease folder, byte-compatible with the reference host-local so that both can share a node:
// <dataDir>/<network>/<ip> holds "<containerID>\r\n<ifname>", last_reserved_ip.<set> the address
// given last, and flock on `lock` guards all of it. A zero-byte lease is a crashed writer's and
// counts as free. What would take a look at all of them, lease-index.ts knows.

import { attachment_known } from "../../../attach/living";
import { failure_errno, failure_text } from "../../../host/failure";
import {
  dir_list,
  dir_lock,
  dir_unlock,
  file_create,
  file_read,
  file_rewrite,
  Reading,
} from "../../../host/store";
import { EEXIST, ENOENT, ETIMEDOUT } from "../../../lib/errno";
import { Ip, ip_parse } from "../../../lib/ip";
import { utf8_decode, utf8_invalid_at } from "../../../lib/utf8";
import { CniError, Code, os_error } from "../../../spec/error";
import { Taken } from "./bitmap";
import { EachLease, OWNER_LIMIT_BYTES, owner_in } from "./each-lease";
import { LeaseIndex } from "./lease-index";

/** Longer than any ADD holds it; a runtime gives up on a plugin after minutes, not seconds. */
const LOCK_LIMIT_MS = 15000;
const LAST_LIMIT_BYTES = 64;

export const enum Reserved {
  Yes,
  Taken,
  Failed,
}

export class Leases {
  error: CniError | null = null;
  private dir: string;
  private files: Reading;
  private lock: i32 = 0;
  /** The content of its leases. */
  readonly owner: string;
  private indexed: LeaseIndex | null = null;

  constructor(
    dataDir: string,
    private network: string,
    private containerID: string,
    ifname: string,
  ) {
    const dir = `${dataDir}/${network}`;
    this.dir = dir;
    this.files = new Reading(dir, OWNER_LIMIT_BYTES);
    this.owner = `${containerID}\r\n${ifname}`;
  }

  private get index(): LeaseIndex {
    const index = this.indexed;
    assert(index, "leases without their lock");
    return index!;
  }
  /** Which addresses are taken, as far as that is known. */
  get taken(): Taken {
    return this.index.taken;
  }

  private fail(tried: string): void {
    if (!this.error) this.error = os_error(tried, Code.Io);
  }

  /**
   * Takes the lock. `create` makes a missing folder; without it a missing folder gives false and no
   * error: there are no leases.
   */
  open(create: bool): bool {
    const lock = dir_lock(this.dir, create, LOCK_LIMIT_MS);
    if (lock >= 0) {
      this.lock = lock;
      this.indexed = new LeaseIndex(this.dir);
      return true;
    }
    if (failure_errno == ETIMEDOUT) {
      this.error = new CniError(
        Code.TryAgainLater,
        `the leases in ${this.dir} stayed locked for ${LOCK_LIMIT_MS} ms: ` +
          `see who holds ${this.dir}/lock`,
        failure_text,
      );
    } else if (create || failure_errno != ENOENT) {
      this.fail(`lock the leases in ${this.dir}`);
    }
    return false;
  }
  close(): void {
    const index = this.indexed;
    if (index) index.commit();
    this.indexed = null;
    if (this.lock > 0) dir_unlock(this.lock);
    this.lock = 0;
  }

  /** Addresses of this attachment; else those of a lease that names the container alone. */
  find(): string[] {
    let found: string[] | null = null;
    while (!found && this.ready()) {
      found = this.index.find(this.owner);
      if (found && found.length == 0) found = this.index.find(this.containerID);
      if (!found) this.index.distrust();
    }
    return found ? found : [];
  }

  /** Whether the index can be asked, which may take a look at every lease. */
  ready(): bool {
    return this.index.ready || this.reread();
  }
  /** Looks at every lease; false when that fails, or was done already: in vain. */
  reread(): bool {
    if (this.index.fresh || this.index.exact) return false;
    if (this.index.rebuild()) return true;
    this.fail(`read the leases in ${this.dir}`);
    return false;
  }

  /** Every lease, whoever owns it; none, and an error, when they cannot be told. */
  all(): EachLease {
    const names = dir_list(this.dir);
    if (!names) this.fail(`read the leases in ${this.dir}`);
    return new EachLease(this.files, names ? names : []);
  }

  /** Makes the lease, if it is free, and adds it to `taken`. */
  reserve(ip: string, taken: string[]): Reserved {
    if (this.create(ip, taken)) return Reserved.Yes;
    if (failure_errno == EEXIST) {
      const stale = this.stale_owner(ip);
      if (stale.length == 0) {
        const parsed = ip_parse(ip);
        if (parsed) this.taken.note(parsed, true);
        return Reserved.Taken;
      }
      // No undo brings a stale lease back: its container ended with the machine.
      if (this.release(ip, stale) && this.create(ip, taken)) return Reserved.Yes;
    }
    this.fail(`write the lease ${this.dir}/${ip}`);
    return Reserved.Failed;
  }

  private create(ip: string, taken: string[]): bool {
    this.index.change();
    if (file_create(`${this.dir}/${ip}`, this.owner, true) < 0) {
      if (failure_errno != EEXIST) this.index.distrust();
      return false;
    }
    this.index.add(ip, this.owner);
    taken.push(ip);
    return true;
  }

  /**
   * Whether a lease was written before the machine was started, by the time of its file. That of
   * one which is known to be of this boot says nothing: the clock may have been set since.
   */
  before_boot(ip: string, owner: string): bool {
    return this.files.before_boot(ip) == 1 && this.index.undated(ip, owner);
  }

  /**
   * The owner of a lease that is left from before the machine was started: no container of it can
   * live. One that has a record is of this boot too. "" for any other lease.
   */
  stale_owner(ip: string): string {
    if (this.files.before_boot(ip) != 1 || this.files.read(ip) < 0) return "";
    const owner = owner_in(this.files);
    const known = !this.index.undated(ip, owner) || attachment_known(owner, this.network);
    return known ? "" : owner;
  }

  /** Whether `reserve` would take the address. */
  free(ip: string): bool {
    const read = this.files.read(ip) >= 0;
    if (read ? this.files.len == 0 : failure_errno == ENOENT) return true;
    return this.stale_owner(ip).length > 0;
  }

  /** The address given last by a range set, null when unknown. */
  last(set: i32): Ip | null {
    const bytes = file_read(`${this.dir}/last_reserved_ip.${set}`, LAST_LIMIT_BYTES);
    if (!bytes || utf8_invalid_at(bytes.ptr, bytes.len) >= 0) return null;
    return ip_parse(utf8_decode(bytes.ptr, bytes.len).trim());
  }
  /** Notes the address given last. A hint where to go on, no reservation: it is not undone. */
  setLast(set: i32, ip: string): bool {
    const path = `${this.dir}/last_reserved_ip.${set}`;
    this.index.change();
    if (file_rewrite(path, ip) >= 0) return true;
    this.fail(`write ${path}`);
    return false;
  }

  /** Gives back every lease of the attachment, under the lock. */
  release_all(errors: CniError[]): void {
    if (this.open(false)) {
      const owned = this.find();
      for (let i = 0; i < owned.length; i++) this.release(owned[i], this.owner);
      this.close();
    }
    const error = this.error;
    if (error) errors.push(error);
  }

  /** Removes a lease, which names this owner or the container alone; one that is gone is fine. */
  release(ip: string, owner: string): bool {
    this.index.change();
    if (this.files.remove(ip) >= 0 || failure_errno == ENOENT) {
      this.index.remove(ip, owner);
      return true;
    }
    this.fail(`remove the lease ${this.dir}/${ip}`);
    this.index.distrust();
    return false;
  }

  /** Takes back `reserve`, also when the lock cannot be had: false when one of them stays. */
  take_back(ips: string[]): bool {
    const locked = this.open(false);
    let done = true;
    for (let i = ips.length - 1; i >= 0; i--) {
      // A GC may have released it, and another have taken it since.
      const read = this.files.read(ips[i]) >= 0;
      if (read ? owner_in(this.files) != this.owner : failure_errno == ENOENT) continue;
      const gone = locked ? this.release(ips[i], this.owner) : this.files.remove(ips[i]) >= 0;
      if (!gone && failure_errno != ENOENT) done = false;
    }
    if (locked) this.close();
    return done;
  }
}
