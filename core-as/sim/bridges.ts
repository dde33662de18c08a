// SPDX-License-Identifier: Apache-2.0
// Bridges and their ports in the simulated kernel: joining, leaving, and what a bridge takes from
// its ports. Making and removing links is links.ts, VLANs are vlans.ts.
import { EOPNOTSUPP } from "../lib/errno";
import { drop_ipv6, own_ipv6 } from "./addresses";
import { ETHERNET_MTU_BYTES } from "./kinds";
import { KNOBS, Knob } from "./knobs";
import { fail, link_of, refusal, reply, space_of } from "./slot";
import { ADDRESS_ZERO, Link, Space, Vlan } from "./state";
import { write_numbers } from "./write";

/** An MTU too small for IPv6 ends it; a larger one then begins it anew. */
export function set_mtu(space: Space, link: Link, mtu_bytes: i32): void {
  const had_ipv6 = link.ipv6;
  const old_bytes = link.mtu_bytes;
  link.mtu_bytes = mtu_bytes;
  if (!link.ipv6) drop_ipv6(space, link);
  else if (!had_ipv6) renew_ipv6(space, link);
  for (let i = 0; i < space.routes.length; i++) {
    const route = space.routes[i];
    if (route.dev !== link || !route.dst.ip.v6 || route.mtu_bytes == 0) continue;
    // A route of the link's own MTU follows it up too.
    if (route.mtu_bytes >= mtu_bytes || route.mtu_bytes == old_bytes) route.mtu_bytes = mtu_bytes;
  }
}

/** IPv6 sysctls of a link that gets IPv6 back are those of a new link. */
function renew_ipv6(space: Space, link: Link): void {
  for (let knob = 0; knob < KNOBS.length; knob++) {
    if (KNOBS[knob].startsWith("ipv6")) {
      link.conf.values[knob] = space.conf_default.values[knob];
    }
  }
  if (link.is.no_arp) link.conf.set(Knob.AcceptDad, -1);
  own_ipv6(space, link);
}

/** What a bridge takes from its ports. */
class Lowest {
  address: string = ADDRESS_ZERO;
  mtu_bytes: i32 = ETHERNET_MTU_BYTES;
}

/** The lowest address and the lowest MTU of ports; of none, what a bridge then has. */
export function lowest_of(ports: Link[]): Lowest {
  const lowest = new Lowest();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i];
    if (i == 0 || port.address < lowest.address) lowest.address = port.address;
    if (i == 0 || port.mtu_bytes < lowest.mtu_bytes) lowest.mtu_bytes = port.mtu_bytes;
  }
  return lowest;
}

/** A bridge takes the lowest address and MTU of its ports, until it is given its own. */
export function follow_ports(space: Space, bridge: Link): void {
  const lowest = lowest_of(space.ports(bridge));
  if (!bridge.address_set) bridge.address = lowest.address;
  if (!bridge.mtu_set) set_mtu(space, bridge, lowest.mtu_bytes);
}

/** Makes a link a port, with the VLAN of every new port. */
export function enslave(space: Space, link: Link, bridge: Link): void {
  link.master = bridge.ifindex;
  bridge.had_ports = true;
  link.vlans = [new Vlan(1, true, true)];
  follow_ports(space, bridge);
}

export function release(space: Space, link: Link): void {
  const bridge = space.bridge_of(link);
  link.master = 0;
  link.hairpin = false;
  link.isolated = false;
  link.vlans = [];
  if (bridge) follow_ports(space, bridge);
}

export function kernel_link_set_bridge_port(
  ns: i32,
  ifindex: i32,
  hairpin: i32,
  isolated: i32,
): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex, "unknown ifindex");
  if (!link) return refusal;
  if (!space.bridge_of(link)) return fail(EOPNOTSUPP);
  link.hairpin = hairpin != 0;
  link.isolated = isolated != 0;
  return 0;
}

export function kernel_bridge_port_list(ns: i32, ifindex: i32): i32 {
  const space = space_of(ns);
  if (!space) return refusal;
  const link = link_of(space, ifindex);
  if (!link) return refusal;
  const ports = space.ports(link);
  write_numbers<i32>(
    reply(),
    ports.map<i32>((port) => port.ifindex),
  );
  return 0;
}
