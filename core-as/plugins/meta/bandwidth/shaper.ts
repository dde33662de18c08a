// SPDX-License-Identifier: Apache-2.0
// Limits of an interface in both directions: what it sends through a token bucket at its root, what
// it receives by way of an ifb with a bucket of its own. It owns the names of ifbs, the filters
// that lead to them, and how all of it goes again; whose interface that is, and which direction is
// which, is the plugin's. Qdiscs and filters of others stay, and so does what hangs on them.
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
  qdisc_del,
  qdisc_get,
  TC_H_INGRESS,
  TC_H_ROOT,
} from "../../../host/kernel";
import { ENODEV, ENOENT } from "../../../lib/errno";
import { hash64, mac_from } from "../../../lib/name";
import { sha512 } from "../../../lib/sha512";
import { check_failed } from "../../../net/check";
import { CniError, Code, os_error } from "../../../spec/error";
import { identity_of } from "../../../spec/request";
import { bucket_add, bucket_check, bucket_remove, gone, lacking } from "./bucket";

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

  /** Removes the root qdisc if it is a bucket as ADD put it there. */
  root_remove(bucket: Bucket, errors: CniError[]): void {
    bucket_remove(this.ns, this.link, bucket, errors);
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
