// Typed faces of the kernel operations of host-node/abi.ts. A function returns >= 0, or -errno with
// the details noted in failure.ts; one that gives an object returns null on failure.
// It decides nothing.
import { JsonValue, Kind } from "../lib/json";
import { Utf8 } from "../lib/utf8";
import { checked } from "./failure";
import {
  kernel_addr_add,
  kernel_addr_del,
  kernel_addr_list,
  kernel_bridge_port_list,
  kernel_bridge_vlan_add,
  kernel_bridge_vlan_del,
  kernel_bridge_vlan_list,
  kernel_conntrack_del,
  kernel_fib_rule_add,
  kernel_fib_rule_del,
  kernel_fib_rule_list,
  kernel_filter_add_redirect,
  kernel_filter_del,
  kernel_filter_list,
  kernel_link_add_bridge,
  kernel_link_add_ifb,
  kernel_link_add_veth,
  kernel_link_add_vrf,
  kernel_link_del,
  kernel_link_get,
  kernel_link_get_index,
  kernel_link_list,
  kernel_link_set_address,
  kernel_link_set_allmulti,
  kernel_link_set_bridge_port,
  kernel_link_set_down,
  kernel_link_set_master,
  kernel_link_set_mtu,
  kernel_link_set_promisc,
  kernel_link_set_txqlen,
  kernel_link_set_up,
  kernel_netns_close,
  kernel_netns_id,
  kernel_netns_open,
  kernel_netns_same,
  kernel_qdisc_add_ingress,
  kernel_qdisc_add_tbf,
  kernel_qdisc_del,
  kernel_qdisc_get,
  kernel_route_add,
  kernel_route_del,
  kernel_route_get,
  kernel_route_list,
  kernel_route_table_list,
  kernel_sysctl_read,
  kernel_sysctl_write,
} from "./imports";
import { reply_json, reply_text } from "./reply";

/** The handle of the host's own namespace. */
export const HOST: i32 = 0;

export class Link {
  ifindex: i32 = 0;
  name: string = "";
  kind: string = "";
  address: string = "";
  mtu_bytes: i32 = 0;
  up: bool = false;
  promisc: bool = false;
  allmulti: bool = false;
  txqlen: i32 = 0;
  operstate: string = "";
  master: i32 = 0;
  /** ifindex of a veth's other end. */
  peer: i32 = 0;
  vlan_filtering: bool = false;
  /** Routing table of a VRF. */
  table: i32 = 0;
}

export class Address {
  constructor(
    public address: string,
    public scope: i32,
    public tentative: bool,
    public dadfailed: bool,
  ) {}
}

/** A route; dst carries its prefix length, "" stands for no gw or src. */
export class Route {
  dst: string = "";
  gw: string = "";
  src: string = "";
  scope: i32 = 0;
  table: i32 = 0;
  priority: i32 = 0;
  mtu_bytes: i32 = 0;
  advmss: i32 = 0;
  /** RTPROT_*, linux/rtnetlink.h; 0 is boot. */
  protocol: i32 = 0;
}

/** A policy routing rule; `more`: it asks for more than src, or does something else. */
export class FibRule {
  priority: i32 = 0;
  constructor(
    public src: string,
    public table: i32,
    public more: bool,
  ) {}
}

export class PortVlan {
  constructor(
    public vid: i32,
    public pvid: bool,
    public untagged: bool,
  ) {}
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
  equals(other: Bucket): bool {
    return this.rate == other.rate && this.limit == other.limit && this.buffer == other.buffer;
  }
}

export class Qdisc {
  constructor(
    public kind: string,
    /** 0 for the kernel's own default. */
    public handle: u32,
    /** All zero unless the kind is tbf. */
    public bucket: Bucket,
  ) {}
}

/** A filter of what comes in; `to` is the ifindex of the link that it sends packets to, or 0. */
export class Filter {
  constructor(
    public pref: i32,
    public kind: string,
    public handle: u32,
    public to: i32,
  ) {}
}

function wide_of(value: JsonValue, key: string): i64 {
  const member = value.get(key);
  return member && member.isInteger() ? member.integer() : 0;
}
function int_of(value: JsonValue, key: string): i32 {
  const member = value.get(key);
  return member && member.kind == Kind.Number ? <i32>member.integer() : 0;
}
function text_of(value: JsonValue, key: string): string {
  const member = value.get(key);
  return member ? member.text : "";
}
function bool_of(value: JsonValue, key: string): bool {
  const member = value.get(key);
  return member ? member.bool : false;
}

function link_from(value: JsonValue): Link {
  const link = new Link();
  link.ifindex = int_of(value, "ifindex");
  link.name = text_of(value, "name");
  link.kind = text_of(value, "kind");
  link.address = text_of(value, "address");
  link.mtu_bytes = int_of(value, "mtu_bytes");
  link.up = bool_of(value, "up");
  link.promisc = bool_of(value, "promisc");
  link.allmulti = bool_of(value, "allmulti");
  link.txqlen = int_of(value, "txqlen");
  link.operstate = text_of(value, "operstate");
  link.master = int_of(value, "master");
  link.peer = int_of(value, "peer");
  link.vlan_filtering = bool_of(value, "vlan_filtering");
  link.table = int_of(value, "table");
  return link;
}

export function netns_open(path: string): i32 {
  const text = new Utf8(path);
  return checked(kernel_netns_open(text.ptr, text.len));
}

/** 1 when both are one namespace, 0 when not. */
export function netns_same(a: i32, b: i32): i32 {
  return checked(kernel_netns_same(a, b));
}

/** What tells a namespace from every other of this boot; "" on failure. */
export function netns_id(ns: i32): string {
  return checked(kernel_netns_id(ns)) < 0 ? "" : reply_text();
}

/** Gives a namespace back: who looks into many must, there are only so many descriptors. */
export function netns_close(ns: i32): void {
  checked(kernel_netns_close(ns));
}

export function link_get(ns: i32, name: string): Link | null {
  const text = new Utf8(name);
  return checked(kernel_link_get(ns, text.ptr, text.len)) < 0 ? null : link_from(reply_json());
}

export function link_get_index(ns: i32, ifindex: i32): Link | null {
  return checked(kernel_link_get_index(ns, ifindex)) < 0 ? null : link_from(reply_json());
}

export function link_list(ns: i32): Link[] | null {
  if (checked(kernel_link_list(ns)) < 0) return null;
  const reply = reply_json();
  const links = new Array<Link>();
  for (let i = 0; i < reply.items.length; i++) links.push(link_from(reply.items[i]));
  return links;
}

export function link_add_bridge(ns: i32, name: string, mtu_bytes: i32, vlan_filtering: bool): i32 {
  const text = new Utf8(name);
  return checked(kernel_link_add_bridge(ns, text.ptr, text.len, mtu_bytes, i32(vlan_filtering)));
}

export function link_add_ifb(ns: i32, name: string, address: string, mtu_bytes: i32): i32 {
  const text = new Utf8(name);
  const hardware = new Utf8(address);
  return checked(
    kernel_link_add_ifb(ns, text.ptr, text.len, hardware.ptr, hardware.len, mtu_bytes),
  );
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

export function link_add_vrf(ns: i32, name: string, table: i32): i32 {
  const text = new Utf8(name);
  return checked(kernel_link_add_vrf(ns, text.ptr, text.len, table));
}

export function link_set_up(ns: i32, ifindex: i32): i32 {
  return checked(kernel_link_set_up(ns, ifindex));
}

export function link_set_down(ns: i32, ifindex: i32): i32 {
  return checked(kernel_link_set_down(ns, ifindex));
}

export function link_set_promisc(ns: i32, ifindex: i32, on: bool): i32 {
  return checked(kernel_link_set_promisc(ns, ifindex, i32(on)));
}

export function link_set_allmulti(ns: i32, ifindex: i32, on: bool): i32 {
  return checked(kernel_link_set_allmulti(ns, ifindex, i32(on)));
}

export function link_set_mtu(ns: i32, ifindex: i32, mtu_bytes: i32): i32 {
  return checked(kernel_link_set_mtu(ns, ifindex, mtu_bytes));
}

export function link_set_txqlen(ns: i32, ifindex: i32, txqlen: i32): i32 {
  return checked(kernel_link_set_txqlen(ns, ifindex, txqlen));
}

export function link_set_address(ns: i32, ifindex: i32, address: string): i32 {
  const text = new Utf8(address);
  return checked(kernel_link_set_address(ns, ifindex, text.ptr, text.len));
}

export function link_set_bridge_port(ns: i32, ifindex: i32, hairpin: bool, isolated: bool): i32 {
  return checked(kernel_link_set_bridge_port(ns, ifindex, i32(hairpin), i32(isolated)));
}

/** master: an ifindex, 0 for none. */
export function link_set_master(ns: i32, ifindex: i32, master: i32): i32 {
  return checked(kernel_link_set_master(ns, ifindex, master));
}

export function link_del(ns: i32, ifindex: i32): i32 {
  return checked(kernel_link_del(ns, ifindex));
}

function reply_numbers(): i32[] {
  const reply = reply_json();
  const numbers = new Array<i32>();
  for (let i = 0; i < reply.items.length; i++) numbers.push(<i32>reply.items[i].integer());
  return numbers;
}

/** ifindexes of a bridge's ports. */
export function bridge_port_list(ns: i32, ifindex: i32): i32[] | null {
  return checked(kernel_bridge_port_list(ns, ifindex)) < 0 ? null : reply_numbers();
}

export function bridge_vlan_add(
  ns: i32,
  ifindex: i32,
  vid: i32,
  vid_end: i32,
  pvid: bool,
  untagged: bool,
): i32 {
  return checked(kernel_bridge_vlan_add(ns, ifindex, vid, vid_end, i32(pvid), i32(untagged)));
}

export function bridge_vlan_del(ns: i32, ifindex: i32, vid: i32, vid_end: i32): i32 {
  return checked(kernel_bridge_vlan_del(ns, ifindex, vid, vid_end));
}

export function bridge_vlan_list(ns: i32, ifindex: i32): PortVlan[] | null {
  if (checked(kernel_bridge_vlan_list(ns, ifindex)) < 0) return null;
  const reply = reply_json();
  const vlans = new Array<PortVlan>();
  for (let i = 0; i < reply.items.length; i++) {
    const item = reply.items[i];
    vlans.push(new PortVlan(int_of(item, "vid"), bool_of(item, "pvid"), bool_of(item, "untagged")));
  }
  return vlans;
}

export function addr_add(ns: i32, ifindex: i32, address: string, nodad: bool): i32 {
  const text = new Utf8(address);
  return checked(kernel_addr_add(ns, ifindex, text.ptr, text.len, i32(nodad)));
}

export function addr_del(ns: i32, ifindex: i32, address: string): i32 {
  const text = new Utf8(address);
  return checked(kernel_addr_del(ns, ifindex, text.ptr, text.len));
}

export function addr_list(ns: i32, ifindex: i32): Address[] | null {
  if (checked(kernel_addr_list(ns, ifindex)) < 0) return null;
  const reply = reply_json();
  const list = new Array<Address>();
  for (let i = 0; i < reply.items.length; i++) {
    const item = reply.items[i];
    list.push(
      new Address(
        text_of(item, "address"),
        int_of(item, "scope"),
        bool_of(item, "tentative"),
        bool_of(item, "dadfailed"),
      ),
    );
  }
  return list;
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

export function route_del(ns: i32, ifindex: i32, dst: string, gw: string, table: i32): i32 {
  const dst_text = new Utf8(dst);
  const gw_text = new Utf8(gw);
  return checked(
    kernel_route_del(ns, ifindex, dst_text.ptr, dst_text.len, gw_text.ptr, gw_text.len, table),
  );
}

export function route_list(ns: i32, ifindex: i32): Route[] | null {
  if (checked(kernel_route_list(ns, ifindex)) < 0) return null;
  const reply = reply_json();
  const list = new Array<Route>();
  for (let i = 0; i < reply.items.length; i++) {
    const item = reply.items[i];
    const route = new Route();
    route.dst = text_of(item, "dst");
    route.gw = text_of(item, "gw");
    route.src = text_of(item, "src");
    route.scope = int_of(item, "scope");
    route.table = int_of(item, "table");
    route.priority = int_of(item, "priority");
    route.mtu_bytes = int_of(item, "mtu_bytes");
    route.advmss = int_of(item, "advmss");
    route.protocol = int_of(item, "protocol");
    list.push(route);
  }
  return list;
}

/** Numbers of the routing tables that hold a route. */
export function route_table_list(ns: i32): i32[] | null {
  return checked(kernel_route_table_list(ns)) < 0 ? null : reply_numbers();
}

/** src carries its prefix length; priority 0 leaves the place to the kernel. */
export function fib_rule_add(ns: i32, src: string, table: i32, priority: i32): i32 {
  const text = new Utf8(src);
  return checked(kernel_fib_rule_add(ns, text.ptr, text.len, table, priority));
}

/** priority 0 is any. */
export function fib_rule_del(ns: i32, src: string, table: i32, priority: i32): i32 {
  const text = new Utf8(src);
  return checked(kernel_fib_rule_del(ns, text.ptr, text.len, table, priority));
}

export function fib_rule_list(ns: i32): FibRule[] | null {
  if (checked(kernel_fib_rule_list(ns)) < 0) return null;
  const reply = reply_json();
  const list = new Array<FibRule>();
  for (let i = 0; i < reply.items.length; i++) {
    const item = reply.items[i];
    const rule = new FibRule(text_of(item, "src"), int_of(item, "table"), bool_of(item, "more"));
    rule.priority = int_of(item, "priority");
    list.push(rule);
  }
  return list;
}

/** Where a packet to an address would go. */
export class NextHop {
  constructor(
    public ifindex: i32,
    /** "" when the address is reached directly. */
    public gw: string,
  ) {}
}

/** null when there is no route, or on another failure. */
export function route_get(ns: i32, dst: string): NextHop | null {
  const text = new Utf8(dst);
  if (checked(kernel_route_get(ns, text.ptr, text.len)) < 0) return null;
  const reply = reply_json();
  return new NextHop(int_of(reply, "ifindex"), text_of(reply, "gw"));
}

/** How many flows conntrack forgot; see host-node/abi.ts for which. */
export function conntrack_del(
  ns: i32,
  family: i32,
  protocol: i32,
  dst: string,
  dport: i32,
  dport_end: i32,
  reply_src: string,
): i32 {
  const to = new Utf8(dst);
  const from = new Utf8(reply_src);
  return checked(
    kernel_conntrack_del(
      ns,
      family,
      protocol,
      to.ptr,
      to.len,
      dport,
      dport_end,
      from.ptr,
      from.len,
    ),
  );
}

/** The qdisc at a place; null on failure, ENOENT when there is none. */
export function qdisc_get(ns: i32, ifindex: i32, parent: i32): Qdisc | null {
  if (checked(kernel_qdisc_get(ns, ifindex, parent)) < 0) return null;
  const reply = reply_json();
  const bucket = new Bucket(
    <u64>wide_of(reply, "rate"),
    <u32>wide_of(reply, "limit"),
    <u32>wide_of(reply, "buffer"),
  );
  return new Qdisc(text_of(reply, "kind"), <u32>wide_of(reply, "handle"), bucket);
}

export function qdisc_add_ingress(ns: i32, ifindex: i32): i32 {
  return checked(kernel_qdisc_add_ingress(ns, ifindex));
}

export function qdisc_add_tbf(ns: i32, ifindex: i32, handle: u32, bucket: Bucket): i32 {
  const low = <i32>bucket.rate;
  const high = <i32>(bucket.rate >> 32);
  return checked(kernel_qdisc_add_tbf(ns, ifindex, handle, low, high, bucket.limit, bucket.buffer));
}

export function qdisc_del(ns: i32, ifindex: i32, parent: i32, handle: u32): i32 {
  return checked(kernel_qdisc_del(ns, ifindex, parent, handle));
}

export function filter_list(ns: i32, ifindex: i32): Filter[] | null {
  if (checked(kernel_filter_list(ns, ifindex)) < 0) return null;
  const reply = reply_json();
  const list = new Array<Filter>();
  for (let i = 0; i < reply.items.length; i++) {
    const item = reply.items[i];
    const handle = <u32>wide_of(item, "handle");
    list.push(new Filter(int_of(item, "pref"), text_of(item, "kind"), handle, int_of(item, "to")));
  }
  return list;
}

export function filter_add_redirect(ns: i32, ifindex: i32, pref: i32, to: i32): i32 {
  return checked(kernel_filter_add_redirect(ns, ifindex, pref, to));
}

/** handle 0: all of the pref. */
export function filter_del(ns: i32, ifindex: i32, pref: i32, handle: u32): i32 {
  return checked(kernel_filter_del(ns, ifindex, pref, handle));
}

/** The value, null on failure. */
export function sysctl_read(ns: i32, key: string): string | null {
  const text = new Utf8(key);
  return checked(kernel_sysctl_read(ns, text.ptr, text.len)) < 0 ? null : reply_text();
}

export function sysctl_write(ns: i32, key: string, value: string): i32 {
  const key_text = new Utf8(key);
  const value_text = new Utf8(value);
  return checked(
    kernel_sysctl_write(ns, key_text.ptr, key_text.len, value_text.ptr, value_text.len),
  );
}
