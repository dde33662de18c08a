// SPDX-License-Identifier: Apache-2.0
// The kernel operations of host-node/abi/. Most faces are generated (kernel.gen.ts); here are those
// whose arguments or reply are better objects of ours, with the same error convention.
// It decides nothing.
import { Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import {
  kernel_link_add_veth,
  kernel_netns_id,
  kernel_qdisc_add_tbf,
  kernel_route_add,
} from "./imports.gen";
import { reply_text } from "./reply";
import { Qdisc, Route } from "./shapes.gen";

export * from "./kernel.gen";
export { Address, FibRule, Filter, Link, PortVlan, Route } from "./shapes.gen";

/** The handle of the host's own namespace. */
export const HOST: i32 = 0;

/** What tells a namespace from every other of this boot; "" on failure. */
export function netns_id(ns: i32): string {
  return checked(kernel_netns_id(ns)) < 0 ? "" : reply_text();
}

/** One end of a veth pair to make. */
export class VethEnd {
  constructor(
    public ns: i32,
    public name: string,
    public address: string,
  ) {}
}

export function link_add_veth(end: VethEnd, mtu_bytes: i32, master: i32, peer: VethEnd): i32 {
  const name = new Utf8(end.name);
  const address = new Utf8(end.address);
  const peer_name = new Utf8(peer.name);
  const peer_address = new Utf8(peer.address);
  return checked(
    kernel_link_add_veth(
      end.ns,
      name.ptr,
      name.len,
      address.ptr,
      address.len,
      mtu_bytes,
      master,
      peer.ns,
      peer_name.ptr,
      peer_name.len,
      peer_address.ptr,
      peer_address.len,
    ),
  );
}

export function route_add(ns: i32, ifindex: i32, route: Route): i32 {
  const dst = new Utf8(route.dst);
  const gw = new Utf8(route.gw);
  const src = new Utf8(route.src);
  return checked(
    kernel_route_add(
      ns,
      ifindex,
      dst.ptr,
      dst.len,
      gw.ptr,
      gw.len,
      src.ptr,
      src.len,
      route.scope,
      route.table,
      route.priority,
      route.mtu_bytes,
      route.advmss,
      route.protocol,
    ),
  );
}

/** Places of qdiscs (linux/pkt_sched.h): the root, and where what comes in is filtered. */
export const TC_H_ROOT: i32 = -1;
export const TC_H_INGRESS: i32 = -15;

/** A token bucket: bytes a second, bytes that may wait, and the time of a burst in 64 ns. */
export class Bucket {
  constructor(
    public rate: u64,
    public limit: u32,
    public buffer: u32,
  ) {}
  /** Of a qdisc of the kind tbf; of any other all is zero. */
  static of(qdisc: Qdisc): Bucket {
    return new Bucket(qdisc.rate, qdisc.limit, qdisc.buffer);
  }
  equals(other: Bucket): bool {
    return this.rate == other.rate && this.limit == other.limit && this.buffer == other.buffer;
  }
}

export function qdisc_add_tbf(ns: i32, ifindex: i32, handle: u32, bucket: Bucket): i32 {
  const low = <i32>bucket.rate;
  const high = <i32>(bucket.rate >> 32);
  return checked(kernel_qdisc_add_tbf(ns, ifindex, handle, low, high, bucket.limit, bucket.buffer));
}
