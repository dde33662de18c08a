// SPDX-License-Identifier: Apache-2.0
// A token bucket at the root of a link: its numbers, putting it there, comparing and removing it.
// It refuses to touch a root that is another's.
import { failure_errno } from "../../../host/failure";
import { Bucket, Link, qdisc_add_tbf, qdisc_del, qdisc_get, TC_H_ROOT } from "../../../host/kernel";
import { EINVAL, ENODEV, ENOENT, EOPNOTSUPP } from "../../../lib/errno";
import { check_failed } from "../../../net/check";
import { CniError, os_error } from "../../../spec/error";

/** Of the buckets, as the reference has it: "1:". */
const HANDLE: u32 = 0x10000;
/** The kernel's unit of time here (PSCHED_SHIFT of net/pkt_sched.h) is 64 ns. */
const TICKS_PER_US: f64 = 15.625;
const US_PER_S: f64 = 1e6;
/** How long a packet may wait for tokens, as the reference has it. */
const LATENCY_US: f64 = 25000;
const U32: f64 = 4294967295;

/** Whether a qdisc or filter was removed or was not there: the kernel says ENOENT or EINVAL. */
export function gone(code: i32): bool {
  if (code >= 0 || failure_errno == ENODEV) return true;
  return failure_errno == ENOENT || failure_errno == EINVAL;
}

function saturated(value: f64): u32 {
  return value >= U32 ? u32.MAX_VALUE : <u32>value;
}

/**
 * The bucket for a rate in bits a second and a burst in bits. Every step is cut to a whole number
 * as the reference does it; where that would wrap around 32 bits this stays at the largest.
 */
export function bucket_of(rate_bits: u64, burst_bits: u64): Bucket {
  const rate = <f64>(rate_bits / 8);
  const burst = <f64>(burst_bits / 8);
  const burst_us = <f64>saturated((burst * US_PER_S) / rate);
  const waiting = <f64>saturated((rate * LATENCY_US) / US_PER_S);
  return new Bucket(rate_bits / 8, saturated(waiting + burst), saturated(burst_us * TICKS_PER_US));
}

/** The error of an operation that a kernel without some module cannot do. */
export function lacking(tried: string, modules: string): CniError {
  const error = os_error(tried);
  if (failure_errno != EOPNOTSUPP && failure_errno != ENOENT) return error;
  error.msg += `: this kernel may lack ${modules} (modprobe)`;
  return error;
}

export function bucket_add(ns: i32, link: Link, bucket: Bucket): CniError | null {
  if (qdisc_add_tbf(ns, link.ifindex, HANDLE, bucket) >= 0) return null;
  return lacking(`limit "${link.name}" to ${bucket.rate} bytes a second`, "sch_tbf");
}

function bucket_text(bucket: Bucket): string {
  return `rate ${bucket.rate}, limit ${bucket.limit} and buffer ${bucket.buffer}`;
}

export function bucket_check(ns: i32, link: Link, bucket: Bucket): CniError | null {
  const root = qdisc_get(ns, link.ifindex, TC_H_ROOT);
  if (!root) {
    if (failure_errno != ENOENT) return os_error(`read the root qdisc of "${link.name}"`);
    return check_failed(`"${link.name}" has no root qdisc, so nothing limits it`);
  }
  if (root.kind != "tbf") {
    return check_failed(`the root qdisc of "${link.name}" is ${root.kind}, not tbf`);
  }
  if (Bucket.of(root).equals(bucket)) return null;
  return check_failed(
    `the tbf of "${link.name}" has ${bucket_text(Bucket.of(root))}, not ${bucket_text(bucket)}`,
  );
}

/** Removes the root qdisc if it is a bucket as ADD put it there. */
export function bucket_remove(ns: i32, link: Link, bucket: Bucket, errors: CniError[]): void {
  const root = qdisc_get(ns, link.ifindex, TC_H_ROOT);
  if (root) {
    if (root.kind != "tbf" || root.handle != HANDLE || !Bucket.of(root).equals(bucket)) return;
    if (gone(qdisc_del(ns, link.ifindex, TC_H_ROOT, HANDLE))) return;
  } else if (failure_errno == ENODEV || failure_errno == ENOENT) return;
  errors.push(os_error(`remove the root qdisc of "${link.name}"`));
}
