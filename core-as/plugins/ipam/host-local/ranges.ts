// SPDX-License-Identifier: Apache-2.0
// Address ranges of host-local: a range set is a pool of disjoint ranges of one family, and gives
// one address. Validation, order and wording follow the reference plugin.
import { Cidr, cidr_parse, Ip, ip_parse } from "../../../lib/ip";
import { JsonValue, Kind } from "../../../lib/json";
import { Span, Spans } from "../../../lib/spans";
import { texts_joined } from "../../../lib/utf8";
import { POOLS_LIMIT, Pool } from "../../../plugin/pool";
import { LIST_LIMIT, Reader } from "../../../spec/reader";
import { Request } from "../../../spec/request";

export class Range {
  constructor(
    public subnet: Cidr,
    public start: Ip,
    public end: Ip,
    public gateway: Ip,
  ) {}
  /** Start and end lie in the subnet. */
  contains(ip: Ip): bool {
    return this.start.compare(ip) <= 0 && ip.compare(this.end) <= 0;
  }
  /** Addresses it can give, its gateway not counted; as many as a u64 holds at the most. */
  get capacity(): u64 {
    if (this.end.high != this.start.high) return u64.MAX_VALUE;
    const count = this.end.low - this.start.low;
    return this.contains(this.gateway) || count == u64.MAX_VALUE ? count : count + 1;
  }
  overlaps(other: Range): bool {
    return this.start.compare(other.end) <= 0 && other.start.compare(this.end) <= 0;
  }
  toString(): string {
    return `${this.start.toString()}-${this.end.toString()}`;
  }
}

export class RangeSet {
  ranges: Range[] = [];
  get v6(): bool {
    return this.ranges[0].subnet.ip.v6;
  }
  get capacity(): u64 {
    let sum: u64 = 0;
    for (let i = 0; i < this.ranges.length; i++) {
      const more = this.ranges[i].capacity;
      sum = sum + more < sum ? u64.MAX_VALUE : sum + more;
    }
    return sum;
  }
  /** Its ranges are of one family and do not overlap. */
  get disjoint(): bool {
    const spans = new Array<Span>();
    let mixed = false;
    for (let i = 0; i < this.ranges.length; i++) {
      spans.push(new Span(this.ranges[i].start, this.ranges[i].end));
      mixed = mixed || this.ranges[i].subnet.ip.v6 != this.ranges[0].subnet.ip.v6;
    }
    return !mixed && new Spans(spans).disjoint;
  }
  /** Index of the range that holds the address, -1 when none does. */
  indexOf(ip: Ip): i32 {
    for (let i = 0; i < this.ranges.length; i++) {
      if (this.ranges[i].contains(ip)) return i;
    }
    return -1;
  }
  overlaps(other: RangeSet): bool {
    for (let i = 0; i < this.ranges.length; i++) {
      for (let k = 0; k < other.ranges.length; k++) {
        if (this.ranges[i].overlaps(other.ranges[k])) return true;
      }
    }
    return false;
  }
  toString(): string {
    const texts = new Array<string>();
    for (let i = 0; i < this.ranges.length; i++) texts.push(this.ranges[i].toString());
    return texts_joined(texts, ",");
  }
}

/** An address of a range: inside its subnet and not before `from`. */
function bound(
  reader: Reader,
  object: JsonValue,
  subnet: Cidr,
  key: string,
  label: string,
  fallback: Ip,
  from: Ip | null,
): Ip {
  const text = reader.string(object, key);
  if (text.length == 0) return fallback;
  const ip = ip_parse(text);
  if (!ip || !subnet.contains(ip) || (from && ip.compare(from) < 0)) {
    reader.invalid(`${label} ${text} not in network ${subnet.toString()}`, object.get(key));
    return fallback;
  }
  return ip;
}

/** Reads one range; null when it is unusable, with the problem in the reader. */
function range_read(reader: Reader, object: JsonValue): Range | null {
  const text = reader.string(object, "subnet");
  const subnet = cidr_parse(text);
  if (!subnet) {
    if (text.length > 0) {
      const msg = `subnet ${text} is not ADDRESS/BITS: write it as 10.85.0.0/16`;
      reader.invalid(msg, object.get("subnet"));
    } else if (reader.lacks(object, "subnet")) reader.invalid(`a range needs a "subnet"`, object);
    return null;
  }
  if (subnet.bits > subnet.ip.width - 2) {
    reader.invalid(`Network ${subnet.toString()} too small to allocate from`, object);
    return null;
  }
  const network = subnet.network();
  if (!network.equals(subnet.ip)) {
    reader.invalid(
      `Network has host bits set. For a subnet mask of length ${subnet.bits} ` +
        `the network address is ${network.toString()}`,
      object,
    );
    return null;
  }
  let gateway = network.add(1);
  const gateway_text = reader.string(object, "gateway");
  if (gateway_text.length > 0) {
    const given = ip_parse(gateway_text);
    if (given && given.v6 == network.v6) gateway = given;
    else reader.invalid(`invalid gateway address: ${gateway_text}`, object.get("gateway"));
  }
  const last = network.v6 ? subnet.last() : subnet.last().sub(1);
  const start = bound(reader, object, subnet, "rangeStart", "RangeStart", network.add(1), null);
  const end = bound(reader, object, subnet, "rangeEnd", "RangeEnd", last, start);
  if (end.compare(start) < 0) {
    reader.invalid(`RangeStart ${start.toString()} not in network ${subnet.toString()}`, object);
  }
  return new Range(subnet, start, end, gateway);
}

/** Reads a range set; `index` counts it in messages. */
function set_read(reader: Reader, array: JsonValue, index: i32): RangeSet | null {
  const set = new RangeSet();
  const before = reader.count;
  for (let i = 0; i < array.items.length && !reader.full; i++) {
    if (!reader.isObject(array.items[i], "a range")) continue;
    const clean = reader.count;
    const range = range_read(reader, array.items[i]);
    if (range && reader.count == clean) set.ranges.push(range);
  }
  if (!set.disjoint) overlaps_note(reader, array, index, set);
  if (array.items.length == 0) reader.invalid(`invalid range set ${index}: empty range set`, array);
  return reader.count == before ? set : null;
}

/** Notes every two ranges of a set that cannot be together. */
function overlaps_note(reader: Reader, array: JsonValue, index: i32, set: RangeSet): void {
  for (let i = 0; i < set.ranges.length; i++) {
    const range = set.ranges[i];
    for (let k = 0; k < i && !reader.full; k++) {
      const other = set.ranges[k];
      if (other.subnet.ip.v6 != range.subnet.ip.v6) {
        reader.invalid(`invalid range set ${index}: mixed address families`, array);
      } else if (other.overlaps(range)) {
        reader.invalid(
          `invalid range set ${index}: subnets ${other.toString()} and ${range.toString()} overlap`,
          array,
        );
      }
    }
  }
}

/** Appends the range sets under a key: an array of arrays of ranges. */
export function sets_read(reader: Reader, object: JsonValue, key: string, sets: RangeSet[]): void {
  const outer = reader.array(object, key);
  if (!outer) return;
  const first = sets.length;
  for (let i = 0; i < outer.items.length && !reader.full; i++) {
    const wrapper = JsonValue.object();
    wrapper.append("ranges", outer.items[i]);
    const array = reader.array(wrapper, "ranges");
    const set = array ? set_read(reader, array, first + i) : null;
    if (set) sets.push(set);
  }
}

/** Range sets must not overlap each other, and there must be one. */
export function sets_check(reader: Reader, ipam: JsonValue, sets: RangeSet[]): void {
  if (sets.length == 0) {
    reader.invalid(`no IP ranges specified: add "ranges": [[{"subnet": "10.1.2.0/24"}]]`, ipam);
  }
  const spans = new Array<Span>();
  for (let i = 0; i < sets.length; i++) {
    for (let k = 0; k < sets[i].ranges.length; k++) {
      spans.push(new Span(sets[i].ranges[k].start, sets[i].ranges[k].end));
    }
  }
  if (spans.length > LIST_LIMIT) {
    reader.invalid(`there are ${spans.length} ranges: at most ${LIST_LIMIT} are read`, ipam);
    return;
  }
  if (new Spans(spans).disjoint) return;
  for (let i = 0; i < sets.length; i++) {
    for (let k = 0; k < i && !reader.full; k++) {
      if (sets[i].overlaps(sets[k])) {
        reader.invalid(`range set ${i} overlaps with ${k}`, ipam);
      }
    }
  }
}

/** The pools of an ipam object, of each range that can be read. */
export function pools_read(request: Request, ipam: JsonValue): Pool[] {
  const pools = new Array<Pool>();
  if (ipam.get("subnet")) pool_add(request, ipam, pools);
  const ranges = ipam.get("ranges");
  if (ranges) pools_add(request, ranges, pools);
  return pools;
}

function pools_add(request: Request, value: JsonValue, pools: Pool[]): void {
  if (value.kind == Kind.Object) pool_add(request, value, pools);
  if (value.kind != Kind.Array) return;
  for (let i = 0; i < value.items.length && pools.length < POOLS_LIMIT; i++) {
    pools_add(request, value.items[i], pools);
  }
}

function pool_add(request: Request, object: JsonValue, pools: Pool[]): void {
  const reader = new Reader(request.document);
  const range = range_read(reader, object);
  if (!range || reader.error) return;
  const subnet = object.get("subnet");
  const offset = subnet ? subnet.offset : object.offset;
  pools.push(new Pool(range.start, range.end, range.subnet, range.gateway, offset));
}
