// SPDX-License-Identifier: Apache-2.0
// What a configuration of bandwidth asks for in each direction, in bits, and what is wrong with it.
// It makes nothing.
import { Bucket, Link } from "../../../host/kernel";
import { log } from "../../../host/store";
import { JsonValue } from "../../../lib/json";
import { Reader } from "../../../spec/reader";
import { Request } from "../../../spec/request";
import { bucket_of } from "./bucket";

export const KEYS: string[] = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"];
/** Rates and bursts are in bits, the kernel counts bytes. */
const BYTE_BITS: u64 = 8;
const BURST_LIMIT_BYTES: u64 = 0xffffffff;
/** Ethernet's header, which counts as well. */
const HEADER_BYTES = 14;

/** The limit of a direction. */
export class Limit {
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

/** The object with the keys: the configuration, or what the runtime passes; null for none. */
export function asked_in(request: Request): JsonValue | null {
  for (let i = 0; i < KEYS.length; i++) if (request.config.get(KEYS[i])) return request.config;
  const runtime = request.runtimeConfig();
  return runtime ? request.reader.object(runtime, "bandwidth") : null;
}

/** The limit of what the container receives; null when there is none, or its keys are wrong. */
export function ingress_read(reader: Reader, from: JsonValue): Limit | null {
  const asked = new Asked("ingress", from, reader.count);
  asked.rate = <u64>reader.integer(from, "ingressRate", 0, i64.MAX_VALUE);
  asked.burst = <u64>reader.integer(from, "ingressBurst", 0, i64.MAX_VALUE);
  return asked.limit(reader);
}

/** That of what it sends. */
export function egress_read(reader: Reader, from: JsonValue): Limit | null {
  const asked = new Asked("egress", from, reader.count);
  asked.rate = <u64>reader.integer(from, "egressRate", 0, i64.MAX_VALUE);
  asked.burst = <u64>reader.integer(from, "egressBurst", 0, i64.MAX_VALUE);
  return asked.limit(reader);
}

/** A bucket smaller than a frame lets no such frame pass, ever. */
export function warn(link: Link, limit: Limit): void {
  const frame_bytes = <u64>(link.mtu_bytes + HEADER_BYTES);
  if (limit.burst_bytes >= frame_bytes) return;
  log(
    `bandwidth: ${limit.key} is ${limit.burst_bytes} bytes, but frames of "${link.name}" have up ` +
      `to ${frame_bytes}: the larger ones are lost, so make it larger`,
  );
}
