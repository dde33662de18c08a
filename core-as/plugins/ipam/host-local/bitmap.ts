// SPDX-License-Identifier: Apache-2.0
// Which addresses of a lease folder are taken: a map of bits per 65,536 addresses, so that the next
// free one of a nearly full range is found without asking for each. It may be wrong: a lease is
// made with link(2), which finds out. An address wrongly free costs one try; one wrongly taken is
// missed until the folder is read again, which happens before a range counts as exhausted, unless
// LeaseIndex knows the maps to be exact. So no map is looked through for garbage.
import { failure_errno } from "../../../host/failure";
import { file_read, file_remove, file_rewrite_bytes } from "../../../host/store";
import { ENOENT } from "../../../lib/errno";
import { Ip } from "../../../lib/ip";

/** Files of this prefix hold maps, each named by its first address. */
const PREFIX = "taken.";
/** Six addresses in a byte, which is a printable one: 48 for none taken, 111 for all. */
const PER_BYTE: i32 = 6;
const NONE: u8 = 48;
const EIGHT_NONE: u64 = 0x3030303030303030;
const ALL: u8 = 111;
const MAP_LEN: i32 = (65536 + PER_BYTE - 1) / PER_BYTE;
/** With fewer leases a map saves less than it costs: scattered ones would make a file each. */
const WORTH_A_MAP: i32 = 16;

/** The map of the addresses that differ in their last 16 bits only. */
class AddressMap {
  private ptr: usize = 0;
  dirty: bool = false;

  constructor(private path: string) {}

  /** Whether it is kept: it has a file, or addresses were looked for in it. */
  get kept(): bool {
    return this.ptr != 0;
  }
  keep(): void {
    if (this.kept) return;
    this.ptr = heap.alloc(MAP_LEN);
    memory.fill(this.ptr, NONE, MAP_LEN);
  }
  /** Takes over the file; false when there may be one that cannot be read. */
  load(): bool {
    const bytes = file_read(this.path, MAP_LEN);
    if (!bytes) return failure_errno == ENOENT;
    this.keep();
    memory.copy(this.ptr, bytes.ptr, bytes.len);
    return true;
  }
  /** None is taken. */
  reset(): void {
    if (this.kept) memory.fill(this.ptr, NONE, MAP_LEN);
  }
  /** Whether the file says what the map does. */
  store(): bool {
    let len = MAP_LEN;
    while (len >= 8 && load<u64>(this.ptr + len - 8) == EIGHT_NONE) len -= 8;
    while (len > 0 && load<u8>(this.ptr + len - 1) == NONE) len--;
    if (len > 0) return file_rewrite_bytes(this.path, this.ptr, len) >= 0;
    return file_remove(this.path) >= 0 || failure_errno == ENOENT;
  }
  set(index: i32, taken: bool): void {
    const at = this.ptr + index / PER_BYTE;
    const bit = 1 << (index % PER_BYTE);
    const old = <i32>(load<u8>(at) - NONE);
    const now = taken ? old | bit : old & ~bit;
    if (now == old) return;
    store<u8>(at, <u8>now + NONE);
    this.dirty = true;
  }
  /** The first free one from `index` to `last`, -1 when there is none. */
  free(index: i32, last: i32): i32 {
    let i = index;
    while (i <= last) {
      const byte = load<u8>(this.ptr + i / PER_BYTE);
      if (byte == ALL) i += PER_BYTE - (i % PER_BYTE);
      else if ((<i32>(byte - NONE) & (1 << (i % PER_BYTE))) == 0) return i;
      else i++;
    }
    return -1;
  }
}

function index_of(ip: Ip): i32 {
  return <i32>(ip.low & 0xffff);
}

function first_of(ip: Ip): Ip {
  return new Ip(ip.v6, ip.high, ip.low & ~0xffff);
}

function same_map(a: Ip, b: Ip): bool {
  return a.v6 == b.v6 && a.high == b.high && a.low >> 16 == b.low >> 16;
}

export class Taken {
  private maps: Map<string, AddressMap> = new Map<string, AddressMap>();
  private last: AddressMap | null = null;
  private last_ip: Ip = new Ip(false, 1, 0);
  /** Whether the files are believed. */
  private load: bool = false;
  /** A map could not be read: what was noted in it since is lost. */
  private unread: bool = false;

  constructor(private dir: string) {}

  private map(ip: Ip): AddressMap {
    const last = this.last;
    if (last && same_map(ip, this.last_ip)) return last;
    const path = `${this.dir}/${PREFIX}${first_of(ip).toString()}`;
    const known = this.maps.has(path);
    const map = known ? this.maps.get(path) : new AddressMap(path);
    if (!known) {
      if (this.load && !map.load()) this.unread = true;
      this.maps.set(path, map);
    }
    this.last = map;
    this.last_ip = ip;
    return map;
  }
  /** From now on what the files say holds. */
  believe(): void {
    this.load = true;
  }
  /** Forgets all that it has and what the files say, and takes these. */
  replace(ips: Ip[]): void {
    const known = this.maps.values();
    for (let i = 0; i < known.length; i++) known[i].reset();
    this.load = false;
    this.unread = false;
    const counts = new Map<AddressMap, i32>();
    for (let i = 0; i < ips.length; i++) {
      const map = this.map(ips[i]);
      const count = counts.has(map) ? counts.get(map) + 1 : 1;
      counts.set(map, count);
      if (count == WORTH_A_MAP) map.keep();
    }
    for (let i = 0; i < ips.length; i++) this.note(ips[i], true);
  }
  /** Notes that an address is taken or free. */
  note(ip: Ip, taken: bool): void {
    const map = this.map(ip);
    if (map.kept) map.set(index_of(ip), taken);
  }
  /** The first address from `ip` to `end` that is not known to be taken. */
  free(ip: Ip, end: Ip): Ip | null {
    let from = ip;
    let found = -1;
    let ends = false;
    while (found < 0 && !ends) {
      const map = this.map(from);
      map.keep();
      ends = same_map(from, end);
      found = map.free(index_of(from), ends ? index_of(end) : 0xffff);
      if (found < 0 && !ends) from = first_of(from).add(0x10000);
    }
    return found < 0 ? null : first_of(from).add(found);
  }
  /** Writes what has changed; false when not all of it is written. */
  store(): bool {
    if (this.unread) return false;
    const maps = this.maps.values();
    for (let i = 0; i < maps.length; i++) {
      if (!maps[i].dirty) continue;
      if (!maps[i].store()) return false;
      maps[i].dirty = false;
    }
    return true;
  }
}
