// The CNI type `bandwidth`, chained: how much a container may receive (ingress) and send (egress).
// This file owns the keys, which interface is limited and what of it is recorded; how is
// shaper.ts. A veth is limited at its end on the host, as the reference does it: what the
// host sends there is the container's ingress. Any other interface is limited in the container's
// namespace, and there its root is egress.
import { Adding } from "../../../attach/adding";
import { failure_errno } from "../../../host/failure";
import { Bucket, HOST, Link, link_add_ifb, link_get, qdisc_add_tbf } from "../../../host/kernel";
import { log } from "../../../host/store";
import { EADDRNOTAVAIL, EEXIST, EINVAL, ENOENT, EOPNOTSUPP } from "../../../lib/errno";
import { JsonValue } from "../../../lib/json";
import { check_prevResult } from "../../../net/check";
import { host_end, link_missing } from "../../../net/peer";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError, Code, os_error } from "../../../spec/error";
import { Reader } from "../../../spec/reader";
import { Request } from "../../../spec/request";
import { Interface, Result } from "../../../spec/types";
import { BANDWIDTH, ifb_of, Limited, limits_unrecorded } from "./limits";
import { bucket_of, Shaped } from "./shaper";

const KEYS: string[] = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"];
/** Rates and bursts are in bits, the kernel counts bytes. */
const BYTE_BITS: u64 = 8;
const BURST_LIMIT_BYTES: u64 = 0xffffffff;
/** Ethernet's header, which counts as well. */
const HEADER_BYTES = 14;
const LOOPBACK_INDEX = 1;
/** No interface may have it: a kernel that knows ifb says so and makes none. */
const MULTICAST = "01:00:00:00:00:00";

/** The interface of an attachment that is limited; `inside` the container's namespace. */
class Place {
  error: CniError | null = null;
  shaped: Shaped = new Shaped(HOST, new Link());
  inside: bool = false;
}

/** The limit of a direction. */
class Limit {
  constructor(
    /** The key of its burst. */
    public key: string,
    public burst_bytes: u64,
    public bucket: Bucket,
  ) {}
}

/** What is asked for of a direction, in bits. */
class Asked {
  rate: u64 = 0;
  burst: u64 = 0;
  constructor(
    private direction: string,
    private from: JsonValue,
    /** The problems there were before its keys were read. */
    private before: i32,
  ) {}

  /** null when there is no limit or its keys are wrong. */
  limit(reader: Reader): Limit | null {
    const rate_key = `${this.direction}Rate`;
    const burst_key = `${this.direction}Burst`;
    if (reader.count > this.before || (this.rate == 0 && this.burst == 0)) return null;
    if (this.burst == 0) {
      reader.invalid(
        `if rate is set, burst must also be set: add "${burst_key}", in bits`,
        this.from.get(rate_key),
      );
    } else if (this.rate == 0) {
      reader.invalid(
        `if burst is set, rate must also be set: add "${rate_key}", in bits a second`,
        this.from.get(burst_key),
      );
    } else if (this.burst / BYTE_BITS >= BURST_LIMIT_BYTES) {
      reader.invalid(
        `burst cannot be more than 4GB: "${burst_key}" is in bits, 34359738359 at most`,
        this.from.get(burst_key),
      );
    } else if (this.rate < BYTE_BITS || this.burst < BYTE_BITS) {
      const low = this.rate < BYTE_BITS ? rate_key : burst_key;
      reader.invalid(`"${low}" is less than a byte: it is in bits, 8 at least`, this.from.get(low));
    }
    if (reader.count > this.before) return null;
    return new Limit(burst_key, this.burst / BYTE_BITS, bucket_of(this.rate, this.burst));
  }
}

export class Bandwidth extends Plugin {
  get chained(): bool {
    return true;
  }
  /** null: no limit. */
  private ingress: Limit | null = null;
  private egress: Limit | null = null;

  describe(type: Type): void {
    type.role = Role.Meta;
    type.about = "chained: limits of what a container receives and sends";
    type
      .at(CONFIG, KEYS.join(" "))
      .at(RUNTIME, "bandwidth")
      .at("runtimeConfig.bandwidth", KEYS.join(" "));
    type.idle_without = "bandwidth";
    type.idle_unless = KEYS;
    type.kernel = ["link ifb"];
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    let from: JsonValue | null = null;
    for (let i = 0; i < KEYS.length; i++) if (request.config.get(KEYS[i])) from = request.config;
    const runtime = request.runtimeConfig();
    if (!from && runtime) from = reader.object(runtime, "bandwidth");
    if (!from) return reader.error;
    let asked = new Asked("ingress", from, reader.count);
    asked.rate = <u64>reader.integer(from, "ingressRate", 0, i64.MAX_VALUE);
    asked.burst = <u64>reader.integer(from, "ingressBurst", 0, i64.MAX_VALUE);
    this.ingress = asked.limit(reader);
    asked = new Asked("egress", from, reader.count);
    asked.rate = <u64>reader.integer(from, "egressRate", 0, i64.MAX_VALUE);
    asked.burst = <u64>reader.integer(from, "egressBurst", 0, i64.MAX_VALUE);
    this.egress = asked.limit(reader);
    return reader.error;
  }

  private place(request: Request, result: Result): Place {
    const place = new Place();
    const link = link_get(request.netns, request.env.ifname);
    if (!link) {
      place.error = link_missing(request, BANDWIDTH);
      return place;
    }
    const end = host_end(link, result);
    const host = end.link;
    place.error = end.error;
    place.inside = host === null;
    place.shaped = host ? new Shaped(HOST, host) : new Shaped(request.netns, link);
    return place;
  }

  add(request: Request, adding: Adding): Outcome {
    const result = check_prevResult(request);
    if (!result) return failed(request.reader.error);
    if (!this.ingress && !this.egress) return new Outcome(result);
    const place = this.place(request, result);
    if (place.error) return failed(place.error);
    const error = this.limit(request, place, result, adding);
    return error ? failed(error) : new Outcome(result);
  }

  private limit(request: Request, place: Place, result: Result, adding: Adding): CniError | null {
    const shaped = place.shaped;
    const root = place.inside ? this.egress : this.ingress;
    const through = place.inside ? this.ingress : this.egress;
    if (root) warn(shaped.link, root);
    if (through) warn(shaped.link, through);
    let error: CniError | null = null;
    if (root) error = shaped.root_taken(place.inside ? "egressRate" : "ingressRate");
    if (error) return error;
    const hook = through ? shaped.hook() : null;
    if (hook && hook.error) return hook.error;
    const link = shaped.link;
    const bucket: Bucket | null = !root ? null : root.bucket;
    const limited = new Limited(place.inside, link.name, link.ifindex, bucket, hook);
    limited.fresh = shaped;
    error = adding.ahead(limited);
    if (!error && root) error = shaped.root_add(root.bucket);
    if (error || !through || !hook) return error;
    const ifb = ifb_of(request);
    error = shaped.ifb_add(ifb, through.bucket, hook);
    if (error) return error;
    const item = new Interface(ifb.name, place.inside ? request.env.netns : "");
    item.mac = ifb.address;
    result.interfaces.push(item);
    return null;
  }

  check(request: Request): CniError | null {
    const result = check_prevResult(request);
    if (!result) return request.reader.error;
    if (!this.ingress && !this.egress) return null;
    const place = this.place(request, result);
    if (place.error) return place.error;
    const root = place.inside ? this.egress : this.ingress;
    const through = place.inside ? this.ingress : this.egress;
    const error = root ? place.shaped.root_check(root.bucket) : null;
    if (error || !through) return error;
    return place.shaped.ifb_check(ifb_of(request), through.bucket);
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (!recorded) limits_unrecorded(request, errors);
  }

  /** Asks for what the kernel must refuse: how it does tells whether it knows the kind. */
  status(request: Request): CniError | null {
    const ifb = ifb_of(request);
    if (link_add_ifb(HOST, ifb.name, MULTICAST, 0) < 0 && failure_errno != EADDRNOTAVAIL) {
      return unserved("ifb", "an ifb", failure_errno == EOPNOTSUPP);
    }
    if (qdisc_add_tbf(HOST, LOOPBACK_INDEX, 0x10000, new Bucket(0, 0, 0)) < 0) {
      if (failure_errno == EINVAL || failure_errno == EEXIST) return null;
      return unserved("sch_tbf", "a token bucket filter", failure_errno == ENOENT);
    }
    return null;
  }
}

/** A bucket smaller than a frame lets no such frame pass, ever. */
function warn(link: Link, limit: Limit): void {
  const frame_bytes = <u64>(link.mtu_bytes + HEADER_BYTES);
  if (limit.burst_bytes >= frame_bytes) return;
  log(
    `bandwidth: ${limit.key} is ${limit.burst_bytes} bytes, but frames of "${link.name}" have up ` +
      `to ${frame_bytes}: the larger ones are lost, so make it larger`,
  );
}

function unserved(module: string, what: string, missing: bool): CniError {
  const cure = missing ? `: load the module ${module} (modprobe ${module})` : "";
  const error = os_error(`limit bandwidth, as the kernel gives no ${what}`, Code.NotAvailable);
  error.msg += cure;
  return error;
}
