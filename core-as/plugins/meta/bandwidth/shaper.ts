// Limits of an interface in both directions: what it sends through a token bucket at its root, what
// it receives by way of an ifb with a bucket of its own. It owns the numbers of a bucket, the names
// of ifbs and how all of it goes again; whose interface that is, and which direction is which, is
// the plugin's. Qdiscs and filters of others stay, and so does what hangs on them.
import { failure_errno } from "../../../host/failure";
import {
  Bucket,
  Filter,
  filter_add_redirect,
  filter_del,
  filter_list,
  Link,
  link_add_ifb,
  link_del,
  link_get,
  qdisc_add_ingress,
  qdisc_add_tbf,
  qdisc_del,
  qdisc_get,
  TC_H_INGRESS,
  TC_H_ROOT,
} from "../../../host/kernel";
import { EINVAL, ENODEV, ENOENT, EOPNOTSUPP } from "../../../lib/errno";
import { hash64, mac_from } from "../../../lib/name";
import { sha512 } from "../../../lib/sha512";
import { check_failed } from "../../../net/check";
import { CniError, Code, os_error } from "../../../spec/error";
import { identity_of } from "../../../spec/request";

/** Of the buckets, as the reference has it: "1:". */
const HANDLE: u32 = 0x10000;
/** The kernel's unit of time here (PSCHED_SHIFT of net/pkt_sched.h) is 64 ns. */
const TICKS_PER_US: f64 = 15.625;
const US_PER_S: f64 = 1e6;
/** How long a packet may wait for tokens, as the reference has it. */
const LATENCY_US: f64 = 25000;
const U32: f64 = 4294967295;
const PREF_MAX = 0xffff;
const NAME_DIGITS = 12;

/** The handle of every ingress or clsact qdisc. */
const INGRESS_HANDLE: u32 = 0xffff0000;

/**
 * Removes the ingress qdisc of a link unless filters of somebody hang on it; one that is gone, or
 * whose link is, is fine.
 */
function ingress_del(ns: i32, ifindex: i32): bool {
  const filters = filter_list(ns, ifindex);
  if (!filters) return failure_errno == ENODEV;
  if (filters.length > 0) return true;
  return gone(qdisc_del(ns, ifindex, TC_H_INGRESS, INGRESS_HANDLE));
}

/** Whether a qdisc or filter was removed or was not there: the kernel says ENOENT or EINVAL. */
function gone(code: i32): bool {
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

/** The ifb of an attachment: its name, and the address by which it is known to be ours. */
export class Ifb {
  name: string;
  address: string;
  /** What the reference calls that of the container, whatever the interface. */
  reference: string;
  constructor(network: string, containerID: string, ifname: string) {
    const hash = hash64(identity_of(network, containerID, ifname, "ifb")).toString(16);
    this.name = `bwp${hash.padStart(16, "0").substring(0, NAME_DIGITS)}`;
    this.address = mac_from(identity_of(network, containerID, ifname, "ifb-mac"));
    this.reference = `bwp${sha512(network + containerID).substring(0, NAME_DIGITS)}`;
  }
}

/** Where the filter of an ifb goes: its pref, and whether the qdisc for it is to be made. */
export class Hook {
  error: CniError | null = null;
  make: bool = false;
  pref: i32 = 1;
}

/** An interface that is limited, and where it lies. */
export class Shaped {
  /** What this call has made of it. */
  root_made: bool = false;
  ifb_made: bool = false;
  constructor(
    public ns: i32,
    public link: Link,
  ) {}

  /** Why a bucket cannot be put at the root; `key` is what asks for one. */
  root_taken(key: string): CniError | null {
    const name = this.link.name;
    const root = qdisc_get(this.ns, this.link.ifindex, TC_H_ROOT);
    if (!root) return failure_errno == ENOENT ? null : os_error(`read the root qdisc of "${name}"`);
    if (root.handle == 0) return null;
    return new CniError(
      Code.Kernel,
      `"${name}" already has a root qdisc, "${root.kind} ${(root.handle >> 16).toString(16)}:": ` +
        `remove it (tc qdisc del dev ${name} root), or leave out ${key}`,
    );
  }

  root_add(bucket: Bucket): CniError | null {
    const error = bucket_add(this.ns, this.link, bucket);
    this.root_made = !error;
    return error;
  }

  /** Looks for the place of a filter of what comes in. */
  hook(): Hook {
    const hook = new Hook();
    const name = this.link.name;
    hook.make = qdisc_get(this.ns, this.link.ifindex, TC_H_INGRESS) === null;
    if (hook.make && failure_errno != ENOENT) {
      hook.error = os_error(`read the ingress qdisc of "${name}"`);
    }
    if (hook.make) return hook;
    const filters = filter_list(this.ns, this.link.ifindex);
    if (!filters) {
      hook.error = os_error(`read the filters of "${name}"`);
      return hook;
    }
    // Those of others see a packet first: what an ifb gives back is not filtered again.
    for (let i = 0; i < filters.length; i++) hook.pref = max(hook.pref, filters[i].pref + 1);
    if (hook.pref > PREF_MAX) {
      hook.error = new CniError(
        Code.Kernel,
        `"${name}" has a filter of the last pref, ${PREF_MAX}: give it another`,
      );
    }
    return hook;
  }

  /** Sends what comes in through an ifb with a bucket. */
  ifb_add(ifb: Ifb, bucket: Bucket, hook: Hook): CniError | null {
    let error = this.ifb_clear(ifb);
    if (error) return error;
    if (link_add_ifb(this.ns, ifb.name, ifb.address, this.link.mtu_bytes) < 0) {
      return lacking(`make the ifb "${ifb.name}"`, "ifb");
    }
    this.ifb_made = true;
    const made = link_get(this.ns, ifb.name);
    if (!made) return os_error(`read the ifb "${ifb.name}"`);
    // Before anything comes through: no packet passes unlimited.
    error = bucket_add(this.ns, made, bucket);
    return error ? error : this.redirect(made, hook);
  }

  /** An ifb that an ADD without DEL left goes; one in use or of others does not. */
  private ifb_clear(ifb: Ifb): CniError | null {
    const old = link_get(this.ns, ifb.name);
    if (!old) return failure_errno == ENODEV ? null : os_error(`look for "${ifb.name}"`);
    if (old.kind != "ifb" || old.address != ifb.address) {
      return new CniError(
        Code.InterfaceExists,
        `"${ifb.name}" is the name of another interface: remove it (ip link del ${ifb.name})`,
      );
    }
    const filters = filter_list(this.ns, this.link.ifindex);
    if (!filters) return os_error(`read the filters of "${this.link.name}"`);
    for (let i = 0; i < filters.length; i++) {
      if (filters[i].to != old.ifindex) continue;
      return new CniError(
        Code.InterfaceExists,
        `"${this.link.name}" is limited already: run DEL for it, or keep one bandwidth plugin`,
      );
    }
    if (link_del(this.ns, old.ifindex) >= 0 || failure_errno == ENODEV) return null;
    return os_error(`remove "${ifb.name}", left by an earlier ADD`);
  }

  private redirect(ifb: Link, hook: Hook): CniError | null {
    const index = this.link.ifindex;
    const name = this.link.name;
    if (hook.make) {
      if (qdisc_add_ingress(this.ns, index) < 0) {
        return lacking(`add an ingress qdisc to "${name}"`, "sch_ingress");
      }
    }
    if (filter_add_redirect(this.ns, index, hook.pref, ifb.ifindex) < 0) {
      return lacking(`send what comes in on "${name}" to "${ifb.name}"`, "cls_u32 and act_mirred");
    }
    return null;
  }

  /** Compares the root with a bucket. */
  root_check(bucket: Bucket): CniError | null {
    return bucket_check(this.ns, this.link, bucket);
  }

  /** Compares the ifb, its bucket, and the filter that leads there. */
  ifb_check(ifb: Ifb, bucket: Bucket): CniError | null {
    let found = link_get(this.ns, ifb.name);
    if (!found) found = link_get(this.ns, ifb.reference);
    if (!found) {
      if (failure_errno != ENODEV) return os_error(`look for "${ifb.name}"`);
      return check_failed(`the ifb "${ifb.name}" of "${this.link.name}" is missing`);
    }
    if (!found.up) return check_failed(`the ifb "${found.name}" is down`);
    const filters = filter_list(this.ns, this.link.ifindex);
    if (!filters) return os_error(`read the filters of "${this.link.name}"`);
    let leads = false;
    for (let i = 0; i < filters.length; i++) leads = leads || filters[i].to == found.ifindex;
    if (leads) return bucket_check(this.ns, found, bucket);
    return check_failed(`no filter of "${this.link.name}" leads to "${found.name}"`);
  }

  /**
   * Removes the filters that lead to an ifb, and by `hook`, what ADD found or made: the one that
   * led to an ifb that is gone, and the qdisc below.
   */
  redirect_del(ifb: Link | null, hook: Hook | null, errors: CniError[]): void {
    const index = this.link.ifindex;
    if (!ifb && !hook) return;
    const filters = filter_list(this.ns, index);
    if (!filters) {
      if (failure_errno != ENODEV) errors.push(os_error(`read the filters of "${this.link.name}"`));
      return;
    }
    for (let i = 0; i < filters.length; i++) {
      const filter = filters[i];
      const alone = is_alone(filters, filter);
      const leads = ifb !== null && filter.to == ifb.ifindex;
      if (!leads && !(alone && hook !== null && is_dead(filter, hook.pref))) continue;
      if (gone(filter_del(this.ns, index, filter.pref, alone ? 0 : filter.handle))) continue;
      errors.push(os_error(`remove the filter of "${this.link.name}"`));
    }
    if (!hook || !hook.make || ingress_del(this.ns, index)) return;
    errors.push(os_error(`remove the ingress qdisc of "${this.link.name}"`));
  }

  /** Removes the root qdisc if it is a bucket as ADD put it there. */
  root_remove(bucket: Bucket, errors: CniError[]): void {
    const root = qdisc_get(this.ns, this.link.ifindex, TC_H_ROOT);
    if (root) {
      if (root.kind != "tbf" || root.handle != HANDLE || !Bucket.of(root).equals(bucket)) return;
      if (gone(qdisc_del(this.ns, this.link.ifindex, TC_H_ROOT, HANDLE))) return;
    } else if (failure_errno == ENODEV || failure_errno == ENOENT) return;
    errors.push(os_error(`remove the root qdisc of "${this.link.name}"`));
  }
}

/** Of u32, a handle without a node is that of a hash table, and 0 the head's. */
function is_node(filter: Filter): bool {
  return (filter.handle & 0xfff) != 0;
}

/** Whether a filter is the only one of its pref. */
function is_alone(filters: Filter[], one: Filter): bool {
  for (let i = 0; i < filters.length; i++) {
    const other = filters[i];
    if (other.pref == one.pref && other.handle != one.handle && is_node(other)) return false;
  }
  return true;
}

/** Whether a filter of a pref led to a link that is gone. */
function is_dead(filter: Filter, pref: i32): bool {
  return filter.pref == pref && filter.kind == "u32" && is_node(filter) && filter.to == 0;
}

/** The error of an operation that a kernel without some module cannot do. */
function lacking(tried: string, modules: string): CniError {
  const error = os_error(tried);
  if (failure_errno != EOPNOTSUPP && failure_errno != ENOENT) return error;
  error.msg += `: this kernel may lack ${modules} (modprobe)`;
  return error;
}

function bucket_add(ns: i32, link: Link, bucket: Bucket): CniError | null {
  if (qdisc_add_tbf(ns, link.ifindex, HANDLE, bucket) >= 0) return null;
  return lacking(`limit "${link.name}" to ${bucket.rate} bytes a second`, "sch_tbf");
}

function bucket_text(bucket: Bucket): string {
  return `rate ${bucket.rate}, limit ${bucket.limit} and buffer ${bucket.buffer}`;
}

function bucket_check(ns: i32, link: Link, bucket: Bucket): CniError | null {
  const root = qdisc_get(ns, link.ifindex, TC_H_ROOT);
  if (!root) {
    if (failure_errno != ENOENT) return os_error(`read the root qdisc of "${link.name}"`);
    return check_failed(`"${link.name}" has no root qdisc, so nothing limits it`);
  }
  if (root.kind != "tbf") {
    return check_failed(`the root qdisc of "${link.name}" is ${root.kind}, not tbf`);
  }
  const found = Bucket.of(root);
  if (found.equals(bucket)) return null;
  return check_failed(
    `the tbf of "${link.name}" has ${bucket_text(found)}, not ${bucket_text(bucket)}`,
  );
}
