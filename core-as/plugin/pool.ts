// SPDX-License-Identifier: Apache-2.0
// Addresses that a network gives, and those that the host has as its gateway, as plugins read them
// of a configuration: for those who compare networks. It owns no way of giving them.
import { Cidr, Ip } from "../lib/ip";

/** So many of one plugin are looked at; real networks have a few. */
export const POOLS_LIMIT = 1000;

/** Addresses from the first to the last, and where the configuration says so. */
export class Pool {
  constructor(
    public first: Ip,
    public last: Ip,
    /** The subnet of their interface. */
    public subnet: Cidr,
    /** null: the IPAM plugin gives none. */
    public gateway: Ip | null,
    /** Byte offset in the document. */
    public offset: i32,
  ) {}
  overlaps(other: Pool): bool {
    if (this.first.v6 != other.first.v6) return false;
    return this.first.compare(other.last) <= 0 && other.first.compare(this.last) <= 0;
  }
  toString(): string {
    const first = this.first.toString();
    return this.first.equals(this.last) ? first : `${first}-${this.last.toString()}`;
  }
}

/** The gateway of a network on a link of the host that other networks may have theirs on. */
export class Gateway {
  constructor(
    public link: string,
    /** ADDRESS/BITS */
    public address: string,
    /** Byte offset in the document. */
    public offset: i32,
  ) {}
}
