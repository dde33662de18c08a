// SPDX-License-Identifier: Apache-2.0
// Choosing an address of a range set: a requested one, or round robin after the one given last.
// It knows leases by their interface only, not where they lie.
import { Cidr, Ip, ip_parse } from "../../../lib/ip";
import { CniError, Code } from "../../../spec/error";
import { IPConfig } from "../../../spec/types";
import { why } from "../../../spec/why";
import { Taken } from "./bitmap";
import { Leases, Reserved } from "./leases";
import { RangeSet } from "./ranges";

/**
 * Walks the addresses of a set that are not known to be taken, from behind the given one and each
 * once, skipping gateways.
 */
class Walk {
  /** Index of the range the last address lay in. */
  range: i32 = 0;
  private at: Ip;
  /** Whether the range has none left. */
  private over: bool = false;
  private ranges_left: i32;
  /** The last address of the last range, which then is the one the walk began in. */
  private stop: Ip | null = null;

  constructor(
    private set: RangeSet,
    last: Ip | null,
    private taken: Taken,
  ) {
    this.ranges_left = set.ranges.length;
    this.at = set.ranges[0].start;
    const index = last ? set.indexOf(last) : -1;
    if (last && index >= 0) {
      this.range = index;
      this.at = last.add(1);
      this.over = last.equals(set.ranges[index].end);
      this.ranges_left++;
      this.stop = last;
    }
  }

  /** The next address, null after the last. */
  next(): Ip | null {
    while (this.ranges_left > 0) {
      const range = this.set.ranges[this.range];
      const stop = this.ranges_left == 1 ? this.stop : null;
      const end = stop ? stop : range.end;
      const ip: Ip | null = this.over ? null : this.taken.free(this.at, end);
      if (ip) {
        this.over = ip.equals(end);
        this.at = ip.add(1);
        if (!ip.equals(range.gateway)) return ip;
      } else if (--this.ranges_left > 0) {
        this.range = (this.range + 1) % this.set.ranges.length;
        this.at = this.set.ranges[this.range].start;
        this.over = false;
      }
    }
    return null;
  }
}

/** An allocated address or the error in its place. */
export class Allocated {
  constructor(
    public ip: IPConfig | null,
    public error: CniError | null = null,
  ) {}
}

function refuse(msg: string): Allocated {
  return new Allocated(null, new CniError(Code.NoAddress, msg));
}

function allocated(set: RangeSet, range: i32, ip: Ip): Allocated {
  const made = new IPConfig(new Cidr(ip, set.ranges[range].subnet.bits));
  made.gateway = set.ranges[range].gateway;
  return new Allocated(made);
}

/** Reserves the address that the runtime asked for; it lies in the set. */
export function allocate_requested(
  leases: Leases,
  set: RangeSet,
  ip: Ip,
  taken: string[],
): Allocated {
  const range = set.indexOf(ip);
  const text = ip.toString();
  if (ip.equals(set.ranges[range].gateway)) {
    return refuse(`requested ip ${text} is subnet's gateway: request another one`);
  }
  const reserved = leases.reserve(text, taken);
  if (reserved == Reserved.Failed) return new Allocated(null, leases.error);
  if (reserved == Reserved.Taken) {
    return refuse(
      `requested IP address ${text} is not available in range set ${set.toString()}: ` +
        `see who has it in the lease of that name`,
    );
  }
  if (isDefined(FAIRLEAD_TELLS)) why("address", text, "the runtime asked for it");
  return allocated(set, range, ip);
}

/** Reserves the next free address behind the one given last. */
export function allocate_next(
  leases: Leases,
  set: RangeSet,
  last: Ip | null,
  taken: string[],
): Allocated {
  do {
    const walk = new Walk(set, last, leases.taken);
    for (let ip = walk.next(); ip; ip = walk.next()) {
      const reserved = leases.reserve(ip.toString(), taken);
      if (reserved == Reserved.Failed) return new Allocated(null, leases.error);
      if (reserved != Reserved.Yes) continue;
      if (isDefined(FAIRLEAD_TELLS)) {
        const from = last ? `after ${last.toString()}, which was given last` : "none was given yet";
        why("address", ip.toString(), `the next free one of ${set.toString()}: ${from}`);
      }
      return allocated(set, walk.range, ip);
    }
    // The index may have missed one that is free.
  } while (leases.reread());
  if (leases.error) return new Allocated(null, leases.error);
  return refuse(
    `no IP addresses available in range set: ${set.toString()}: ` +
      "remove unused containers or enlarge the range",
  );
}

/** So many owners of a full range are named: enough to see a pattern, few enough to read. */
const OWNERS_SHOWN: i32 = 5;

/** The STATUS error of a set without a free address, null when it has one. */
export function exhausted(set: RangeSet, leases: Leases, last: Ip | null): CniError | null {
  if (leases.ready()) {
    const walk = new Walk(set, last, leases.taken);
    for (let ip = walk.next(); ip; ip = walk.next()) {
      if (leases.free(ip.toString())) return null;
    }
  }
  const owners = new Array<string>();
  let taken: u64 = 0;
  for (const lease = leases.all(); lease.next(); ) {
    const ip = ip_parse(lease.name);
    if (!ip || set.indexOf(ip) < 0 || lease.empty) continue;
    if (leases.stale_owner(lease.name).length > 0) continue;
    taken++;
    const owner = lease.owner.split("\r\n")[0];
    if (owners.length < OWNERS_SHOWN && !owners.includes(owner)) owners.push(owner);
  }
  if (taken < set.capacity) return null;
  return new CniError(
    Code.NotAvailable,
    `no IP addresses available in range set: ${set.toString()}: ` +
      "remove unused containers or enlarge the range",
    `${taken} lease${taken == 1 ? "" : "s"}, of ${owners.join(", ")}` +
      (taken > <u64>OWNERS_SHOWN ? " and others" : ""),
  );
}
