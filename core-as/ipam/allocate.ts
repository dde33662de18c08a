// Choosing an address of a range set: a requested one, or round robin after the one given last.
// It knows leases by their interface only, not where they lie.
import { NamedText } from "../host/store";
import { Cidr, Ip, ip_parse } from "../lib/ip";
import { CniError, Code } from "../spec/error";
import { IPConfig } from "../spec/types";
import { Undo } from "../undo";
import { Leases, Reserved } from "./leases";
import { RangeSet } from "./ranges";

/** Walks a set's addresses once, from behind the given one, skipping gateways. */
export class Walk {
  private current: Ip | null = null;
  private first: Ip | null = null;
  /** Index of the range the last address lay in. */
  range: i32 = 0;

  constructor(
    private set: RangeSet,
    last: Ip | null,
  ) {
    const at = last ? set.indexOf(last) : -1;
    if (at >= 0) {
      this.range = at;
      this.current = last;
    }
  }

  /** The next address, null after the last. */
  next(): Ip | null {
    let ip = this.step();
    while (ip && ip.equals(this.set.ranges[this.range].gateway)) ip = this.step();
    return ip;
  }
  private step(): Ip | null {
    const current = this.current;
    let ip: Ip;
    if (!current) {
      ip = this.set.ranges[0].start;
    } else if (current.equals(this.set.ranges[this.range].end)) {
      this.range = (this.range + 1) % this.set.ranges.length;
      ip = this.set.ranges[this.range].start;
    } else {
      ip = current.add(1);
    }
    const first = this.first;
    if (!first) this.first = ip;
    else if (ip.equals(first)) return null;
    this.current = ip;
    return ip;
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
export function allocate_requested(leases: Leases, set: RangeSet, ip: Ip, undo: Undo): Allocated {
  const range = set.indexOf(ip);
  const text = ip.toString();
  if (ip.equals(set.ranges[range].gateway)) {
    return refuse(`requested ip ${text} is subnet's gateway: request another one`);
  }
  const reserved = leases.reserve(text, undo);
  if (reserved == Reserved.Failed) return new Allocated(null, leases.error);
  if (reserved == Reserved.Taken) {
    return refuse(
      `requested IP address ${text} is not available in range set ${set.toString()}: ` +
        `see who has it in the lease of that name`,
    );
  }
  return allocated(set, range, ip);
}

/** Reserves the next free address behind the one given last. */
export function allocate_next(
  leases: Leases,
  set: RangeSet,
  last: Ip | null,
  undo: Undo,
): Allocated {
  const walk = new Walk(set, last);
  for (let ip = walk.next(); ip; ip = walk.next()) {
    const reserved = leases.reserve(ip.toString(), undo);
    if (reserved == Reserved.Failed) return new Allocated(null, leases.error);
    if (reserved == Reserved.Yes) return allocated(set, walk.range, ip);
  }
  return refuse(
    `no IP addresses available in range set: ${set.toString()}: ` +
      "remove unused containers or enlarge the range",
  );
}

/** So many owners of a full range are named: enough to see a pattern, few enough to read. */
const OWNERS_SHOWN: i32 = 5;

/** The STATUS error of a set without a free address, null when it has one. */
export function exhausted(set: RangeSet, leases: Leases, files: NamedText[]): CniError | null {
  const owners = new Array<string>();
  let taken: u64 = 0;
  for (let i = 0; i < files.length; i++) {
    const ip = ip_parse(files[i].name);
    if (!ip || set.indexOf(ip) < 0) continue;
    if (files[i].readable && files[i].content.length == 0) continue;
    if (leases.stale(files[i].name)) continue;
    taken++;
    const owner = files[i].content.split("\r\n")[0];
    if (owners.length < OWNERS_SHOWN && !owners.includes(owner)) owners.push(owner);
  }
  if (taken < set.capacity) return null;
  return new CniError(
    Code.NotAvailable,
    `no IP addresses available in range set: ${set.toString()}: ` +
      "remove unused containers or enlarge the range",
    `${taken} leases, of ${owners.join(", ")}${taken > <u64>OWNERS_SHOWN ? " and others" : ""}`,
  );
}
