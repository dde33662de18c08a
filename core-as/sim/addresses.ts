// SPDX-License-Identifier: Apache-2.0
// Addresses of the simulated kernel, and what goes up and down with a link: its addresses and the
// routes they bring. IPv6 link-local addresses are not modelled.
import { EACCES, EADDRINUSE, EADDRNOTAVAIL, EEXIST, EINVAL, ENXIO } from "../lib/errno";
import { Cidr, cidr_parse, Ip, ip_parse } from "../lib/ip";
import { connect, disconnect, flush, forget_source } from "./fib";
import { Knob } from "./knobs";
import { carrier } from "./operstate";
import { AddressReply, write_address_list } from "./replies.gen";
import { fail, link_of, refusal, refuse, reply, space_of, text_of } from "./slot";
import { Addr, Link, SCOPE_HOST, SCOPE_LINK, Space, state } from "./state";

const LOOPBACK4 = new Ip(false, 0, 0x7f000001);

/** Of two IPv6 addresses the one of the wider scope is listed first, then the newer one. */
function width_of(ip: Ip): i32 {
  if (ip.isLoopback()) return 0;
  return ip.isLinkLocal() ? 1 : 2;
}

/** The scope the kernel reports for an IPv6 address. */
export function scope_of(ip: Ip): i32 {
  if (!ip.v6) return 0;
  if (ip.isLoopback()) return SCOPE_HOST;
  return ip.isLinkLocal() ? SCOPE_LINK : 0;
}

function position(link: Link, addr: Addr): i32 {
  const v6 = addr.cidr.ip.v6;
  for (let i = 0; i < link.addrs.length; i++) {
    const other = link.addrs[i];
    if (v6) {
      if (other.cidr.ip.v6 && width_of(addr.cidr.ip) >= width_of(other.cidr.ip)) return i;
    } else if (
      other.cidr.ip.v6 ||
      (!addr.secondary && (other.secondary || addr.scope > other.scope))
    ) {
      return i;
    }
  }
  return link.addrs.length;
}

/** Puts an address on a link, without the route it brings. */
export function place_addr(link: Link, addr: Addr): void {
  const cidr = addr.cidr;
  addr.tentative = cidr.ip.v6 && !addr.nodad && !link.loopback;
  for (let i = 0; i < link.addrs.length && !cidr.ip.v6; i++) {
    const other = link.addrs[i].cidr;
    if (!other.ip.v6 && other.bits == cidr.bits && other.contains(cidr.ip)) addr.secondary = true;
  }
  const at = position(link, addr);
  link.addrs.push(addr);
  for (let i = link.addrs.length - 1; i > at; i--) link.addrs[i] = link.addrs[i - 1];
  link.addrs[at] = addr;
  if (link.up && link.loopback) addr.local_network = true;
}

/** Puts an address on a link, with the route it brings. */
export function put_addr(space: Space, link: Link, addr: Addr): void {
  place_addr(link, addr);
  connect(space, link, addr);
}

/** Takes an address off, with its secondaries and the routes that depend on it. */
function drop_addr(space: Space, link: Link, addr: Addr): void {
  const cidr = addr.cidr;
  for (let i = link.addrs.length - 1; i >= 0 && !cidr.ip.v6 && !addr.secondary; i--) {
    const other = link.addrs[i];
    if (!other.secondary || other.cidr.bits != cidr.bits || !cidr.contains(other.cidr.ip)) continue;
    link.addrs.splice(i, 1);
    forget_source(space, link, other.cidr.ip);
  }
  link.addrs.splice(link.addrs.indexOf(addr), 1);
  disconnect(space, link, addr);
  forget_source(space, link, cidr.ip);
  if (!cidr.ip.v6 && (link.addrs.length == 0 || link.addrs[0].cidr.ip.v6)) {
    flush(space, link, false);
  }
}

/** Takes every address of a family off. */
export function drop_addrs(space: Space, link: Link, v6: bool): void {
  for (let i = link.addrs.length - 1; i >= 0; i--) {
    if (i < link.addrs.length && link.addrs[i].cidr.ip.v6 == v6) {
      drop_addr(space, link, link.addrs[i]);
    }
  }
}

/** The link loses IPv6: it is disabled, or the MTU is too small. */
export function drop_ipv6(space: Space, link: Link): void {
  flush(space, link, true);
  drop_addrs(space, link, true);
}

/** lo has an address of its own while it is up. */
export function own_ipv6(space: Space, link: Link): void {
  if (!link.loopback || !link.up || link.conf.get(Knob.DisableIpv6) != 0) return;
  const own = new Cidr(new Ip(true, 0, 1), 128);
  if (!link.find(own.ip)) put_addr(space, link, new Addr(own, SCOPE_HOST, true));
}

export function bring_up(space: Space, link: Link): void {
  if (link.up) return;
  link.up = true;
  const own = new Cidr(LOOPBACK4, 8);
  if (link.loopback && !link.find(own.ip)) put_addr(space, link, new Addr(own, SCOPE_HOST, true));
  own_ipv6(space, link);
  for (let i = 0; i < link.addrs.length; i++) connect(space, link, link.addrs[i]);
}

/** IPv4 addresses stay; IPv6 ones go unless net/ipv6/conf/…/keep_addr_on_down says otherwise. */
export function bring_down(space: Space, link: Link): void {
  if (!link.up) return;
  link.up = false;
  flush(space, link, false);
  flush(space, link, true);
  const kept =
    link.conf.get(Knob.KeepAddrOnDown) > 0 || space.conf_all.get(Knob.KeepAddrOnDown) > 0;
  for (let i = link.addrs.length - 1; i >= 0; i--) {
    const addr = link.addrs[i];
    if (!addr.cidr.ip.v6) continue;
    if (kept && addr.scope == 0) addr.tentative = !addr.nodad && !link.loopback;
    else drop_addr(space, link, addr);
  }
}

/** The link goes into a VRF or out of one: down, and up again if it was up. */
export function cycle(space: Space, link: Link, master: i32): void {
  const up = link.up;
  // IPv6 is taken down also where the link is.
  link.up = true;
  bring_down(space, link);
  link.master = master;
  if (up) bring_up(space, link);
}

/** Duplicate address detection is off: nothing stays tentative once the link is up. */
function without_dad(space: Space, link: Link): bool {
  return space.conf_all.get(Knob.AcceptDad) < 1 && link.conf.get(Knob.AcceptDad) < 1;
}

/** Ends what is tentative without cause. */
export function settle(space: Space, link: Link): void {
  if (!link.up || !without_dad(space, link)) return;
  for (let i = 0; i < link.addrs.length; i++) link.addrs[i].tentative = false;
}

/** An argument ADDRESS/BITS; null after a refusal. */
export function cidr_of(ptr: usize, len: i32): Cidr | null {
  const text = text_of(ptr, len);
  if (text == null) return null;
  const cidr = cidr_parse(text);
  if (cidr) return cidr;
  const slash = text.indexOf("/");
  const ip = slash < 0 ? text : text.substring(0, slash);
  if (ip_parse(ip)) refuse(EINVAL, `not an address with a prefix length: ${text}`);
  else refuse(EINVAL, `not an IP address: ${ip}`);
  return null;
}

/** Why an IPv6 address cannot be put on a link: 0 when it can. */
function ipv6_refusal(link: Link, ip: Ip): i32 {
  if (ip.high >> 56 == 0xff) {
    return fail(
      EADDRNOTAVAIL,
      'ipv6: Cannot assign multicast address without "IFA_F_MCAUTOJOIN" flag',
    );
  }
  if (!link.ipv6) return fail(EINVAL);
  if (link.conf.get(Knob.DisableIpv6) != 0) {
    return fail(EACCES, "ipv6: IPv6 is disabled on this device");
  }
  if (ip.isUnspecified()) return fail(EADDRNOTAVAIL, "ipv6: Invalid address");
  if (ip.isLoopback() && !link.loopback) {
    return fail(EADDRNOTAVAIL, "ipv6: Cannot assign loopback address on this device");
  }
  return 0;
}

/** Whether an ipvlan has the address, of those on one link. */
function ipvlan_has(link: Link, ip: Ip): bool {
  const lower = link.lower;
  if (link.kind != "ipvlan" || !lower) return false;
  const uppers = state.uppers_of(lower);
  for (let i = 0; i < uppers.length; i++) {
    if (uppers[i].kind == "ipvlan" && uppers[i].find(ip)) return true;
  }
  return false;
}

const NO_DEVICE4 = "ipv4: Device not found";
const NO_DEVICE6 = "ipv6: Unable to find the interface";

export function kernel_addr_add(
  ns: i32,
  ifindex: i32,
  address: usize,
  address_len: i32,
  nodad: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const cidr = cidr_of(address, address_len);
  if (!cidr) return refusal;
  const v6 = cidr.ip.v6;
  const link = link_of(space, ifindex, v6 ? NO_DEVICE6 : NO_DEVICE4);
  if (!link) return refusal;
  const problem = v6 ? ipv6_refusal(link, cidr.ip) : 0;
  if (problem != 0) return problem;
  for (let i = 0; i < link.addrs.length; i++) {
    const other = link.addrs[i].cidr;
    if (!other.ip.equals(cidr.ip) || (!v6 && other.bits != cidr.bits)) continue;
    return fail(EEXIST, v6 ? "ipv6: address already assigned" : "ipv4: Address already assigned");
  }
  // A second address of a network must have the scope of the first: that of lo is host.
  if (!v6 && link.loopback && cidr.bits == 8 && cidr.ip.isLoopback() && link.find(LOOPBACK4)) {
    return fail(EINVAL, "ipv4: Invalid scope value");
  }
  // The kernel takes 0.0.0.0 for done.
  if (!v6 && cidr.ip.low == 0) return 0;
  if (ipvlan_has(link, cidr.ip)) {
    return fail(EADDRINUSE, "Address already assigned to an ipvlan device");
  }
  put_addr(space, link, new Addr(cidr, scope_of(cidr.ip), nodad != 0));
  return 0;
}

export function kernel_addr_del(ns: i32, ifindex: i32, address: usize, address_len: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const cidr = cidr_of(address, address_len);
  if (!cidr) return refusal;
  const v6 = cidr.ip.v6;
  const link = link_of(space, ifindex, v6 ? NO_DEVICE6 : NO_DEVICE4);
  if (!link) return refusal;
  // Not the sysctl: a link of so small an MTU has nothing of IPv6.
  if (v6 && !link.ipv6) return fail(ENXIO, "ipv6: IPv6 is disabled on this device");
  for (let i = 0; i < link.addrs.length; i++) {
    if (!link.addrs[i].cidr.equals(cidr)) continue;
    drop_addr(space, link, link.addrs[i]);
    return 0;
  }
  return fail(EADDRNOTAVAIL, v6 ? "ipv6: address not found" : "ipv4: Address not found");
}

export function kernel_addr_list(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  settle(space, link);
  const addrs = new Array<AddressReply>();
  for (let i = 0; i < link.addrs.length; i++) {
    const addr = link.addrs[i];
    addrs.push({
      address: addr.cidr.toString(),
      scope: addr.scope,
      tentative: addr.tentative,
      dadfailed: false,
    });
    // Time passes only here: the next look finds the detection done.
    if (link.up && carrier(space, link)) addr.tentative = false;
  }
  write_address_list(reply(), addrs);
  return 0;
}
