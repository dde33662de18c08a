// SPDX-License-Identifier: Apache-2.0
// Generated from host-node/abi/ by `npm run generate`. Do not edit.
// Typed faces of operations of the module kernel. One gives >= 0 or what is named, or
// else -errno or null, with the details noted in failure.ts.
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
  kernel_link_add_dummy,
  kernel_link_add_ifb,
  kernel_link_add_ipvlan,
  kernel_link_add_macvlan,
  kernel_link_add_tap,
  kernel_link_add_vlan,
  kernel_link_add_vrf,
  kernel_link_del,
  kernel_link_get,
  kernel_link_get_index,
  kernel_link_list,
  kernel_link_set_address,
  kernel_link_set_alias,
  kernel_link_set_allmulti,
  kernel_link_set_bridge_port,
  kernel_link_set_down,
  kernel_link_set_master,
  kernel_link_set_mtu,
  kernel_link_set_name,
  kernel_link_set_netns,
  kernel_link_set_promisc,
  kernel_link_set_txqlen,
  kernel_link_set_up,
  kernel_netns_close,
  kernel_netns_open,
  kernel_netns_same,
  kernel_qdisc_add_ingress,
  kernel_qdisc_del,
  kernel_qdisc_get,
  kernel_route_del,
  kernel_route_get,
  kernel_route_list,
  kernel_route_table_list,
  kernel_socket_listens,
  kernel_sysctl_read,
  kernel_sysctl_write,
} from "./imports.gen";
import { reply_json, reply_numbers, reply_text } from "./reply";
import {
  Address,
  FibRule,
  Filter,
  Link,
  PortVlan,
  Qdisc,
  Route,
  RouteTo,
  address_list_of,
  fib_rule_list_of,
  filter_list_of,
  link_list_of,
  link_of,
  port_vlan_list_of,
  qdisc_of,
  route_list_of,
  route_to_of,
} from "./shapes.gen";

/**
 * Opens a network namespace; EINVAL when the path is there but is not one. Gives: a netns handle,
 * >= 1.
 */
export function netns_open(path: string): i32 {
  const path_utf8 = new Utf8(path);
  const code = kernel_netns_open(path_utf8.ptr, path_utf8.len);
  return checked(code);
}

/**
 * Compares two namespaces. Gives: 1 when both are one namespace (device and inode equal), else 0.
 */
export function netns_same(a: i32, b: i32): i32 {
  const code = kernel_netns_same(a, b);
  return checked(code);
}

/**
 * Gives a namespace back, with the sockets in it; netns_open may give its handle again. The host's
 * own stays.
 */
export function netns_close(ns: i32): i32 {
  const code = kernel_netns_close(ns);
  return checked(code);
}

/**
 * Reads a sysctl of the namespace; the key is the path below /proc/sys/ and starts net/. Gives: the
 * value without its newline.
 */
export function sysctl_read(ns: i32, key: string): string | null {
  const key_utf8 = new Utf8(key);
  const code = kernel_sysctl_read(ns, key_utf8.ptr, key_utf8.len);
  return checked(code) < 0 ? null : reply_text();
}

/** Writes a sysctl of the namespace; same keys as sysctl_read. */
export function sysctl_write(ns: i32, key: string, value: string): i32 {
  const key_utf8 = new Utf8(key);
  const value_utf8 = new Utf8(value);
  const code = kernel_sysctl_write(ns, key_utf8.ptr, key_utf8.len, value_utf8.ptr, value_utf8.len);
  return checked(code);
}

/**
 * One link by name. `peer` is the ifindex of a veth's other end, `kind` "" for lo and NICs, `table`
 * the routing table of a VRF, `lower` is of links that lie on another, `mode` of macvlans and
 * ipvlans, `vid` of VLANs; 0 and "" of any other link.
 */
export function link_get(ns: i32, name: string): Link | null {
  const name_utf8 = new Utf8(name);
  const code = kernel_link_get(ns, name_utf8.ptr, name_utf8.len);
  return checked(code) < 0 ? null : link_of(reply_json());
}

/** One link by ifindex. */
export function link_get_index(ns: i32, ifindex: i32): Link | null {
  const code = kernel_link_get_index(ns, ifindex);
  return checked(code) < 0 ? null : link_of(reply_json());
}

/** All links of a namespace. Gives: by ifindex. */
export function link_list(ns: i32): Link[] | null {
  const code = kernel_link_list(ns);
  return checked(code) < 0 ? null : link_list_of(reply_json());
}

/**
 * Makes a bridge, down. mtu_bytes 0 leaves it to the kernel. EOPNOTSUPP: a kernel without VLAN
 * filtering.
 */
export function link_add_bridge(ns: i32, name: string, mtu_bytes: i32, vlan_filtering: bool): i32 {
  const name_utf8 = new Utf8(name);
  const code = kernel_link_add_bridge(ns, name_utf8.ptr, name_utf8.len, mtu_bytes, vlan_filtering);
  return checked(code);
}

/**
 * Makes a VRF over a routing table, down. EOPNOTSUPP: a kernel without VRF, told before EINVAL,
 * which table 0 is.
 */
export function link_add_vrf(ns: i32, name: string, table: i32): i32 {
  const name_utf8 = new Utf8(name);
  const code = kernel_link_add_vrf(ns, name_utf8.ptr, name_utf8.len, table);
  return checked(code);
}

/**
 * Makes a dummy, down. An empty address is left to the kernel. EADDRNOTAVAIL: no unicast address,
 * told before anything is made; EOPNOTSUPP: a kernel without dummy.
 */
export function link_add_dummy(ns: i32, name: string, address: string): i32 {
  const name_utf8 = new Utf8(name);
  const address_utf8 = new Utf8(address);
  const code = kernel_link_add_dummy(
    ns,
    name_utf8.ptr,
    name_utf8.len,
    address_utf8.ptr,
    address_utf8.len,
  );
  return checked(code);
}

/**
 * Makes a macvlan on the link `lower` of `ns`, down and in `netns`; `mode` is a word of ip(8).
 * Empty address and 0 are left to the kernel; in mode passthru it has the address of `lower`.
 * EEXIST: the name is taken in `netns`, before Linux 6.15 also when it is in `ns`. EBUSY: `lower`
 * is a port of a bridge, or its frames go elsewhere. EINVAL: it is no Ethernet link, carries less
 * than the MTU, or one of mode passthru would not have it alone.
 */
export function link_add_macvlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: string,
  address: string,
  mtu_bytes: i32,
  mode: string,
  bcqueuelen: i32,
): i32 {
  const name_utf8 = new Utf8(name);
  const address_utf8 = new Utf8(address);
  const mode_utf8 = new Utf8(mode);
  const code = kernel_link_add_macvlan(
    ns,
    lower,
    netns,
    name_utf8.ptr,
    name_utf8.len,
    address_utf8.ptr,
    address_utf8.len,
    mtu_bytes,
    mode_utf8.ptr,
    mode_utf8.len,
    bcqueuelen,
  );
  return checked(code);
}

/**
 * Makes an ipvlan on the link `lower` of `ns`, down and in `netns`, with the address of `lower`;
 * `mode` is a word of ip(8), and becomes that of all ipvlans on `lower`. mtu_bytes 0 is that of
 * `lower`. EEXIST: as of link_add_macvlan. EBUSY: `lower` is a port of a bridge, or carries
 * macvlans. EINVAL: it is no Ethernet link.
 */
export function link_add_ipvlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: string,
  mtu_bytes: i32,
  mode: string,
): i32 {
  const name_utf8 = new Utf8(name);
  const mode_utf8 = new Utf8(mode);
  const code = kernel_link_add_ipvlan(
    ns,
    lower,
    netns,
    name_utf8.ptr,
    name_utf8.len,
    mtu_bytes,
    mode_utf8.ptr,
    mode_utf8.len,
  );
  return checked(code);
}

/**
 * Makes an interface in an 802.1Q VLAN of the link `lower` of `ns`, down and in `netns`, with the
 * address of `lower`. mtu_bytes 0 is that of `lower`. EEXIST: as of link_add_macvlan, and when any
 * namespace has that VLAN of `lower`. EINVAL: `lower` carries less than the MTU. EOPNOTSUPP: it
 * carries no VLANs, or the kernel has none. ERANGE: no VLAN.
 */
export function link_add_vlan(
  ns: i32,
  lower: i32,
  netns: i32,
  name: string,
  mtu_bytes: i32,
  vid: i32,
): i32 {
  const name_utf8 = new Utf8(name);
  const code = kernel_link_add_vlan(ns, lower, netns, name_utf8.ptr, name_utf8.len, mtu_bytes, vid);
  return checked(code);
}

/**
 * Makes a tap that stays when nobody has it open, down. `owner` and `group` are the bits of the
 * numbers of who may open it, -1 for nobody. ENOENT, ENODEV: no /dev/net/tun, or none behind it,
 * told before EINVAL, which a name is that the kernel does not take.
 */
export function link_add_tap(
  ns: i32,
  name: string,
  multi_queue: bool,
  owner: i32,
  group: i32,
): i32 {
  const name_utf8 = new Utf8(name);
  const code = kernel_link_add_tap(ns, name_utf8.ptr, name_utf8.len, multi_queue, owner, group);
  return checked(code);
}

/** Renames a link that is down. EEXIST: the name is taken. */
export function link_set_name(ns: i32, ifindex: i32, name: string): i32 {
  const name_utf8 = new Utf8(name);
  const code = kernel_link_set_name(ns, ifindex, name_utf8.ptr, name_utf8.len);
  return checked(code);
}

/**
 * Moves a link into another namespace, under a name: it is down there, without addresses, routes
 * and sysctls of its own, and its ifindex may be another. EEXIST: the name is taken there; a link
 * whose former name is free has moved all the same, under that. EINVAL: links of its kind stay
 * where they are.
 */
export function link_set_netns(ns: i32, ifindex: i32, netns: i32, name: string): i32 {
  const name_utf8 = new Utf8(name);
  const code = kernel_link_set_netns(ns, ifindex, netns, name_utf8.ptr, name_utf8.len);
  return checked(code);
}

/** Sets what a link is called beside its name, up to 255 bytes; "" takes it away. */
export function link_set_alias(ns: i32, ifindex: i32, alias: string): i32 {
  const alias_utf8 = new Utf8(alias);
  const code = kernel_link_set_alias(ns, ifindex, alias_utf8.ptr, alias_utf8.len);
  return checked(code);
}

/**
 * Brings a link up. EADDRINUSE: of two macvlans on one link, or of one and that link, only one can
 * be up with an address. ENETDOWN: what a VLAN lies on is down.
 */
export function link_set_up(ns: i32, ifindex: i32): i32 {
  const code = kernel_link_set_up(ns, ifindex);
  return checked(code);
}

/** Takes a link down. */
export function link_set_down(ns: i32, ifindex: i32): i32 {
  const code = kernel_link_set_down(ns, ifindex);
  return checked(code);
}

/** Switches promiscuous mode. */
export function link_set_promisc(ns: i32, ifindex: i32, on: bool): i32 {
  const code = kernel_link_set_promisc(ns, ifindex, on);
  return checked(code);
}

/** Switches the reception of all multicast frames. */
export function link_set_allmulti(ns: i32, ifindex: i32, on: bool): i32 {
  const code = kernel_link_set_allmulti(ns, ifindex, on);
  return checked(code);
}

/** Sets the MTU; below 1280 the link loses IPv6. EINVAL: more or less than it can carry. */
export function link_set_mtu(ns: i32, ifindex: i32, mtu_bytes: i32): i32 {
  const code = kernel_link_set_mtu(ns, ifindex, mtu_bytes);
  return checked(code);
}

/** Sets the length of the transmit queue, in packets. */
export function link_set_txqlen(ns: i32, ifindex: i32, txqlen: i32): i32 {
  const code = kernel_link_set_txqlen(ns, ifindex, txqlen);
  return checked(code);
}

/** Sets the hardware address; a bridge then stops following its lowest port. */
export function link_set_address(ns: i32, ifindex: i32, address: string): i32 {
  const address_utf8 = new Utf8(address);
  const code = kernel_link_set_address(ns, ifindex, address_utf8.ptr, address_utf8.len);
  return checked(code);
}

/** Sets the flags of a bridge port. */
export function link_set_bridge_port(ns: i32, ifindex: i32, hairpin: bool, isolated: bool): i32 {
  const code = kernel_link_set_bridge_port(ns, ifindex, hairpin, isolated);
  return checked(code);
}

/**
 * Puts a link into a bridge or VRF, instead of one that it is in; master 0 takes it out. By way of
 * a VRF the link goes down and up: it loses its routes, and IPv6 addresses unless
 * net/ipv6/conf/…/keep_addr_on_down says otherwise.
 */
export function link_set_master(ns: i32, ifindex: i32, master: i32): i32 {
  const code = kernel_link_set_master(ns, ifindex, master);
  return checked(code);
}

/**
 * Removes a link; of a veth pair both ends go. When it answers nobody finds the link any more, and
 * its name is free; the kernel may still be busy freeing it.
 */
export function link_del(ns: i32, ifindex: i32): i32 {
  const code = kernel_link_del(ns, ifindex);
  return checked(code);
}

/**
 * Makes an ifb, up, its transmit queue of length 0. Empty address and mtu_bytes 0 are left to the
 * kernel. EADDRNOTAVAIL: no unicast address, told before anything is made; EOPNOTSUPP: a kernel
 * without ifb.
 */
export function link_add_ifb(ns: i32, name: string, address: string, mtu_bytes: i32): i32 {
  const name_utf8 = new Utf8(name);
  const address_utf8 = new Utf8(address);
  const code = kernel_link_add_ifb(
    ns,
    name_utf8.ptr,
    name_utf8.len,
    address_utf8.ptr,
    address_utf8.len,
    mtu_bytes,
  );
  return checked(code);
}

/** Ports of a bridge, up or not. Gives: ifindexes, ascending. */
export function bridge_port_list(ns: i32, ifindex: i32): i32[] | null {
  const code = kernel_bridge_port_list(ns, ifindex);
  return checked(code) < 0 ? null : reply_numbers();
}

/** Lets VLANs vid..vid_end pass a bridge port. */
export function bridge_vlan_add(
  ns: i32,
  ifindex: i32,
  vid: i32,
  vid_end: i32,
  pvid: bool,
  untagged: bool,
): i32 {
  const code = kernel_bridge_vlan_add(ns, ifindex, vid, vid_end, pvid, untagged);
  return checked(code);
}

/** Takes VLANs vid..vid_end off a bridge port; one that is not there is no error. */
export function bridge_vlan_del(ns: i32, ifindex: i32, vid: i32, vid_end: i32): i32 {
  const code = kernel_bridge_vlan_del(ns, ifindex, vid, vid_end);
  return checked(code);
}

/** VLANs of a bridge port. Gives: by vid, ranges spread out. */
export function bridge_vlan_list(ns: i32, ifindex: i32): PortVlan[] | null {
  const code = kernel_bridge_vlan_list(ns, ifindex);
  return checked(code) < 0 ? null : port_vlan_list_of(reply_json());
}

/**
 * Adds an address with its prefix length, global scope; IPv4 with prefix < 31 gets the broadcast
 * address. nodad (IPv6) skips duplicate address detection.
 */
export function addr_add(ns: i32, ifindex: i32, address: string, nodad: bool): i32 {
  const address_utf8 = new Utf8(address);
  const code = kernel_addr_add(ns, ifindex, address_utf8.ptr, address_utf8.len, nodad);
  return checked(code);
}

/** Removes an address. */
export function addr_del(ns: i32, ifindex: i32, address: string): i32 {
  const address_utf8 = new Utf8(address);
  const code = kernel_addr_del(ns, ifindex, address_utf8.ptr, address_utf8.len);
  return checked(code);
}

/** Addresses of a link, link-local ones included. Gives: IPv4 first. */
export function addr_list(ns: i32, ifindex: i32): Address[] | null {
  const code = kernel_addr_list(ns, ifindex);
  return checked(code) < 0 ? null : address_list_of(reply_json());
}

/** Removes the first route that matches. */
export function route_del(ns: i32, ifindex: i32, dst: string, gw: string, table: i32): i32 {
  const dst_utf8 = new Utf8(dst);
  const gw_utf8 = new Utf8(gw);
  const code = kernel_route_del(
    ns,
    ifindex,
    dst_utf8.ptr,
    dst_utf8.len,
    gw_utf8.ptr,
    gw_utf8.len,
    table,
  );
  return checked(code);
}

/**
 * Unicast routes that leave by a link, of both families. Gives: all tables but local, in the
 * kernel's order; no multicast.
 */
export function route_list(ns: i32, ifindex: i32): Route[] | null {
  const code = kernel_route_list(ns, ifindex);
  return checked(code) < 0 ? null : route_list_of(reply_json());
}

/**
 * Numbers of the routing tables of both families that hold a route of whatever type. Gives:
 * ascending.
 */
export function route_table_list(ns: i32): i32[] | null {
  const code = kernel_route_table_list(ns);
  return checked(code) < 0 ? null : reply_numbers();
}

/**
 * The unicast route that a packet to an address would take, of several next hops one. ENETUNREACH:
 * there is none, or the address is the namespace's own or a group's.
 */
export function route_get(ns: i32, dst: string): RouteTo | null {
  const dst_utf8 = new Utf8(dst);
  const code = kernel_route_get(ns, dst_utf8.ptr, dst_utf8.len);
  return checked(code) < 0 ? null : route_to_of(reply_json());
}

/**
 * Has packets from a prefix, at least one bit long, looked up in a table. priority 0 puts the rule
 * before all but the first. EOPNOTSUPP: a kernel without policy routing.
 */
export function fib_rule_add(ns: i32, src: string, table: i32, priority: i32): i32 {
  const src_utf8 = new Utf8(src);
  const code = kernel_fib_rule_add(ns, src_utf8.ptr, src_utf8.len, table, priority);
  return checked(code);
}

/** Removes the first rule that matches, of whatever priority when it is 0. */
export function fib_rule_del(ns: i32, src: string, table: i32, priority: i32): i32 {
  const src_utf8 = new Utf8(src);
  const code = kernel_fib_rule_del(ns, src_utf8.ptr, src_utf8.len, table, priority);
  return checked(code);
}

/**
 * Policy routing rules of both families; src "" is any, table 0 none. more: the rule asks for more
 * than the source, or does something else than look into its table. Gives: IPv4 first, in the order
 * in which they are asked.
 */
export function fib_rule_list(ns: i32): FibRule[] | null {
  const code = kernel_fib_rule_list(ns);
  return checked(code) < 0 ? null : fib_rule_list_of(reply_json());
}

/**
 * The qdisc at a place of linux/pkt_sched.h: TC_H_ROOT (-1), TC_H_INGRESS (-15). handle 0: the
 * kernel's own default. ENOENT: none, as of a link that was never up.
 */
export function qdisc_get(ns: i32, ifindex: i32, parent: i32): Qdisc | null {
  const code = kernel_qdisc_get(ns, ifindex, parent);
  return checked(code) < 0 ? null : qdisc_of(reply_json());
}

/** Adds the qdisc that filters of incoming packets hang on. EEXIST: it or a clsact is there. */
export function qdisc_add_ingress(ns: i32, ifindex: i32): i32 {
  const code = kernel_qdisc_add_ingress(ns, ifindex);
  return checked(code);
}

/**
 * Removes the qdisc at a place, as qdisc_get has it, with what hangs on it. ENOENT, EINVAL: there
 * is none of this handle.
 */
export function qdisc_del(ns: i32, ifindex: i32, parent: i32, handle: i32): i32 {
  const code = kernel_qdisc_del(ns, ifindex, parent, handle);
  return checked(code);
}

/**
 * Filters of incoming packets, heads and hash tables included. `to` is the ifindex of the link that
 * a u32 filter redirects to. Gives: by pref.
 */
export function filter_list(ns: i32, ifindex: i32): Filter[] | null {
  const code = kernel_filter_list(ns, ifindex);
  return checked(code) < 0 ? null : filter_list_of(reply_json());
}

/**
 * Sends all incoming packets out of another link (an ifb gives them back). EINVAL: no qdisc to hang
 * it on, or a filter of another kind has the pref; ENOENT: a kernel without u32 or mirred.
 */
export function filter_add_redirect(ns: i32, ifindex: i32, pref: i32, to: i32): i32 {
  const code = kernel_filter_add_redirect(ns, ifindex, pref, to);
  return checked(code);
}

/**
 * Removes one u32 filter of incoming packets, with handle 0 all of that pref. ENOENT: there is
 * none; EINVAL: nor a qdisc that it could hang on.
 */
export function filter_del(ns: i32, ifindex: i32, pref: i32, handle: i32): i32 {
  const code = kernel_filter_del(ns, ifindex, pref, handle);
  return checked(code);
}

/**
 * Forgets tracked flows: of a family (linux/netfilter.h: 2 IPv4, 10 IPv6) and a protocol
 * (IPPROTO_*), whose first packet went to a port in dport..dport_end and, unless empty, the address
 * dst, and whose answers come, unless empty, from the address reply_src. EINVAL: a kernel without
 * ctnetlink. Gives: how many there were.
 */
export function conntrack_del(
  ns: i32,
  family: i32,
  protocol: i32,
  dst: string,
  dport: i32,
  dport_end: i32,
  reply_src: string,
): i32 {
  const dst_utf8 = new Utf8(dst);
  const reply_src_utf8 = new Utf8(reply_src);
  const code = kernel_conntrack_del(
    ns,
    family,
    protocol,
    dst_utf8.ptr,
    dst_utf8.len,
    dport,
    dport_end,
    reply_src_utf8.ptr,
    reply_src_utf8.len,
  );
  return checked(code);
}

/**
 * Looks for a socket that takes new flows (IPPROTO_* 6: listening, 17: bound) to an address and
 * port, as the kernel does for a packet; 0.0.0.0 and :: find those for any address. EOPNOTSUPP: a
 * kernel without sock_diag, or another protocol. Gives: 1 when a process would get what comes there
 * first, else 0.
 */
export function socket_listens(ns: i32, protocol: i32, address: string, port: i32): i32 {
  const address_utf8 = new Utf8(address);
  const code = kernel_socket_listens(ns, protocol, address_utf8.ptr, address_utf8.len, port);
  return checked(code);
}
