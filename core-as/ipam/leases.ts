// The lease folder, byte-compatible with the reference host-local so that both can share a node:
// <dataDir>/<network>/<ip> holds "<containerID>\r\n<ifname>", last_reserved_ip.<set> the address
// given last, and flock on `lock` guards all of it. A zero-byte lease is a crashed writer's and
// counts as free.

import { attachment_known } from "../attachment";
import { failure_errno, failure_text } from "../host/failure";
import {
  dir_lock,
  dir_unlock,
  file_before_boot,
  file_create,
  file_find,
  file_list,
  file_read,
  file_remove,
  file_write,
  NamedText,
} from "../host/store";
import { EEXIST, ENOENT, ETIMEDOUT } from "../lib/errno";
import { Ip, ip_parse } from "../lib/ip";
import { identifier_valid } from "../lib/name";
import { utf8_decode, utf8_invalid_at } from "../lib/utf8";
import { CniError, Code, os_error } from "../spec/error";
import { Undo } from "../undo";

/** Longer than any ADD holds it; a runtime gives up on a plugin after minutes, not seconds. */
const LOCK_LIMIT_MS = 15000;
const LAST_LIMIT_BYTES = 64;
const OWNER_LIMIT_BYTES = 4096;

export const enum Reserved {
  Yes,
  Taken,
  Failed,
}

export class Leases {
  error: CniError | null = null;
  private dir: string;
  private lock: i32 = 0;
  private owner: string;

  constructor(
    dataDir: string,
    private network: string,
    private containerID: string,
    ifname: string,
  ) {
    this.dir = `${dataDir}/${network}`;
    this.owner = `${containerID}\r\n${ifname}`;
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
    if (this.lock > 0) dir_unlock(this.lock);
    this.lock = 0;
  }

  /** Addresses of this attachment; else those of a lease that names the container alone. */
  find(): string[] {
    const found = new Array<string>();
    const names = file_find(this.dir, this.owner, this.containerID);
    if (!names) {
      this.fail(`read the leases in ${this.dir}`);
      return found;
    }
    // last_reserved_ip.N holds an address, and an address is a valid container id.
    for (let i = 0; i < names.length; i++) {
      if (ip_parse(names[i])) found.push(names[i]);
    }
    return found;
  }

  /** Every lease, whoever owns it. */
  all(): NamedText[] {
    const leases = new Array<NamedText>();
    const files = file_list(this.dir);
    if (!files) {
      this.fail(`read the leases in ${this.dir}`);
      return leases;
    }
    for (let i = 0; i < files.length; i++) {
      if (ip_parse(files[i].name)) leases.push(files[i]);
    }
    return leases;
  }

  /** Makes the lease, if it is free. */
  reserve(ip: string, undo: Undo): Reserved {
    if (this.create(ip, undo)) return Reserved.Yes;
    if (failure_errno == EEXIST) {
      if (!this.stale(ip)) return Reserved.Taken;
      // No undo brings a stale lease back: its container ended with the machine.
      if (this.release(ip) && this.create(ip, undo)) return Reserved.Yes;
    }
    this.fail(`write the lease ${this.dir}/${ip}`);
    return Reserved.Failed;
  }

  private create(ip: string, undo: Undo): bool {
    const path = `${this.dir}/${ip}`;
    if (file_create(path, this.owner, true) < 0) return false;
    undo.file_remove(path);
    return true;
  }

  /** Whether a lease was written before the machine was started, by the time of its file. */
  before_boot(ip: string): bool {
    return file_before_boot(`${this.dir}/${ip}`) == 1;
  }

  /**
   * Whether a lease is left from before the machine was started: no container of it can live. One
   * that has a record is of this boot, whatever a clock that jumped says of its file.
   */
  stale(ip: string): bool {
    if (!this.before_boot(ip)) return false;
    const bytes = file_read(`${this.dir}/${ip}`, OWNER_LIMIT_BYTES);
    if (!bytes || utf8_invalid_at(bytes.ptr, bytes.len) >= 0) return false;
    const owner = owner_of(utf8_decode(bytes.ptr, bytes.len));
    return owner.length > 0 && !attachment_known(owner, this.network);
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
    if (file_write(path, ip) >= 0) return true;
    this.fail(`write ${path}`);
    return false;
  }

  /** Gives back every lease of the attachment, under the lock. */
  release_all(errors: CniError[]): void {
    if (this.open(false)) {
      const owned = this.find();
      for (let i = 0; i < owned.length; i++) this.release(owned[i]);
      this.close();
    }
    const error = this.error;
    if (error) errors.push(error);
  }

  /** Removes a lease; one that is gone is fine. */
  release(ip: string): bool {
    const path = `${this.dir}/${ip}`;
    if (file_remove(path) >= 0 || failure_errno == ENOENT) return true;
    this.fail(`remove the lease ${path}`);
    return false;
  }
}

/** The owner of a lease as its text names it; "" when that is not of our making. */
export function owner_of(content: string): string {
  const text = content.trim();
  const cut = text.indexOf("\r\n");
  const id = cut < 0 ? text : text.substring(0, cut);
  return identifier_valid(id) ? text : "";
}
