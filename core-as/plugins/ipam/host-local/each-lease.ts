// SPDX-License-Identifier: Apache-2.0
// The leases of a folder one after the other, and whose each is. It refuses to change any.
import { failure_errno } from "../../../host/failure";
import { Reading } from "../../../host/store";
import { EFBIG, ENOENT } from "../../../lib/errno";
import { Ip, ip_parse } from "../../../lib/ip";
import { identifier_valid } from "../../../lib/name";
import { utf8_decode, utf8_invalid_at } from "../../../lib/utf8";
import { CniError, Code, os_error } from "../../../spec/error";

/** What a lease may be long; a longer file is nobody's whom we know. */
export const OWNER_LIMIT_BYTES = 4096;

/** Leases one after the other, as there may be hundreds of thousands of them. */
export class EachLease {
  private at: i32 = -1;

  constructor(
    private file: Reading,
    private names: string[],
  ) {}
  get name(): string {
    return this.names[this.at];
  }
  /** Whose it is; "" when that is not told in our way. */
  owner: string = "";
  /** It is known to be: a crashed writer's. */
  empty: bool = false;
  /** Why it could not be read; one that is too long for a lease is nobody's. */
  error: CniError | null = null;

  /** Goes to the next one; false after the last. */
  next(): bool {
    while (++this.at < this.names.length) {
      if (!ip_parse(this.name)) continue;
      const file = this.file;
      const read = file.read(this.name) >= 0;
      if (!read && failure_errno == ENOENT) continue;
      this.owner = read ? owner_in(file) : "";
      this.empty = read && file.len == 0;
      const lost = !read && failure_errno != EFBIG;
      this.error = lost ? os_error(`read the lease ${this.name}`, Code.Io) : null;
      return true;
    }
    return false;
  }
}

/** The owner of the lease that was read last, as its text names it; "" when not of our making. */
export function owner_in(file: Reading): string {
  if (utf8_invalid_at(file.ptr, file.len) >= 0) return "";
  const text = utf8_decode(file.ptr, file.len).trim();
  const cut = text.indexOf("\r\n");
  return identifier_valid(text, cut < 0 ? text.length : cut) ? text : "";
}

/** Whether an address is printed so: of IPv4 there is one form, beside that in IPv6. */
export function is_printed(ip: Ip, text: string): bool {
  return ip.v6 ? ip.toString() == text : !text.includes(":");
}
