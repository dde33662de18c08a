// SPDX-License-Identifier: Apache-2.0
// What the kernel ought to hold: for this node, and for each other one. It refuses to know what is
// there.
//
// Pods of both families travel by one underlay: IPv4 where both nodes have it, else IPv6; beside
// nodes of Flannel's each travels by its own. The
// gateway of an IPv4 route is the first address of the other's subnet, which nobody has; that of an
// IPv6 route is a link-local address made of the other device's hardware address, as the kernel
// refuses onlink gateways that a route to another device covers (ip6_route_check_nh_onlink).
import { Cidr, Ip } from "../lib/ip";
import { Problem } from "./judge";
import { device_mac, link_local, Network } from "./network";
import { Node } from "./node";
import { Path, Paths } from "./path";

/** Of outer packets: what is not said with a route is sent as 0 (drivers/net/geneve.c). */
const HOPS: i32 = 64;

/** Behind every other route to the destination. */
const LAST_METRIC = "4278198272";

/** The node's own address in a subnet of its pods, as their gateway: the second of the subnet. */
export function gateway_of(subnet: Cidr): Ip {
  return subnet.network().add(1);
}

/** The MTU of packets of pods in a tunnel over a family; 0 while nothing is known. */
export function tunnel_mtu_bytes(network: Network, paths: Paths, v6: bool): i32 {
  const underlay = paths.underlay(v6);
  if (!underlay) return 0;
  let mtu_bytes = underlay.mtu_bytes;
  if (network.mtu_bytes > 0) mtu_bytes = min(mtu_bytes, network.mtu_bytes);
  return network.inner_bytes(mtu_bytes, v6);
}

/** The MTU of the device over a family; one of both has that of the family which goes first. */
export function device_mtu_bytes(network: Network, paths: Paths, v6: bool): i32 {
  return tunnel_mtu_bytes(network, paths, network.apart ? v6 : !paths.underlay(false));
}

/** Entries of this node: addresses of its devices, and what must not leave by a default route. */
export function desire_self(network: Network, self: Node, devices: string[]): string[] {
  const entries = new Array<string>();
  for (let i = 0; i < self.subnets.length; i++) {
    const gateway = gateway_of(self.subnets[i]);
    for (let k = 0; k < devices.length; k++) {
      entries.push(`addr ${gateway.toString()}/${gateway.width} dev ${devices[k]}`);
    }
  }
  for (let i = 0; i < network.cidrs.length; i++) {
    entries.push(`route unreachable ${network.cidrs[i].toString()} metric ${LAST_METRIC}`);
  }
  return entries;
}

/** Which way to a node. */
export class Way {
  /** Whether its outer packets are IPv6. */
  v6: bool = false;
  /** "" for none. */
  address: string = "";
}

/** Over which families tunnels run where nodes of Flannel's expect them, whoever is there. */
export function own_families(network: Network, paths: Paths): bool[] {
  const families: bool[] = [false, false];
  for (let i = 0; i < 2; i++) families[i] = network.has(i == 1) && paths.underlay(i == 1) !== null;
  return families;
}

/** By which address of a node the tunnel of its pods of a family goes. */
export function way_to(network: Network, paths: Paths, node: Node, pods_v6: bool): Way {
  const way = new Way();
  for (let family = 0; family < 2; family++) {
    if (network.flannel && (family == 1) != pods_v6) continue;
    const address = node.address(family == 1);
    if (!address || !paths.underlay(family == 1)) continue;
    way.v6 = family == 1;
    way.address = address.toString();
    break;
  }
  return way;
}

/** Entries that lead to the pods of another node. */
export function desire_peer(
  network: Network,
  self: Node,
  node: Node,
  paths: Paths,
  problems: Problem[],
): string[] {
  const entries = new Array<string>();
  const ends = new Array<string>();
  for (let i = 0; i < node.subnets.length; i++) {
    const subnet = node.subnets[i];
    const way = way_to(network, paths, node, subnet.ip.v6);
    const plain = plain_route(network, self, node, subnet, paths);
    if (plain.length > 0) {
      entries.push(plain);
    } else if (!network.tunnels) {
      const said = `no plain route leads to ${subnet.toString()}: it is behind a router, or has no`;
      problems.push(new Problem(node.name, `${said} address of that family: use a tunnel`));
    } else if (way.address.length > 0) {
      if (network.type == "vxlan") add(ends, forwarding(network, node, way));
      else if (network.type == "wireguard") add(ends, wireguard_peer(network, node, way));
      const error = tunnel_route(network, self, node, subnet, way, paths, entries);
      if (error.length > 0) problems.push(new Problem(node.name, error));
    } else {
      const said = "this node and it have no address of one family: give one of them another";
      problems.push(new Problem(node.name, said));
      break;
    }
  }
  for (let i = 0; i < ends.length; i++) entries.push(ends[i]);
  return entries;
}

/** The way to a node on the same link; null when there is none, or tunnels are wanted. */
export function plain_path(network: Network, node: Node, subnet: Cidr, paths: Paths): Path | null {
  if (network.tunnels && !network.direct) return null;
  const address = node.address(subnet.ip.v6);
  const path = address ? paths.to(address.toString()) : null;
  return path && path.gateway.length == 0 ? path : null;
}

/** The route to a node on the same link; "" when it is none, or tunnels are wanted. */
function plain_route(network: Network, self: Node, node: Node, subnet: Cidr, paths: Paths): string {
  const path = plain_path(network, node, subnet, paths);
  if (!path) return "";
  const address = node.address(subnet.ip.v6)!;
  const underlay = paths.underlay(subnet.ip.v6);
  const link_bytes = underlay && underlay.dev == path.dev ? underlay.mtu_bytes : path.mtu_bytes;
  let route = `route ${subnet.toString()} via ${address.toString()} dev ${path.dev}`;
  route += source(self, subnet.ip.v6);
  return route + limit(subnet.ip.v6, least(node, path), link_bytes);
}

/** Adds neighbour and route; what is wrong, "" for nothing. */
function tunnel_route(
  network: Network,
  self: Node,
  node: Node,
  subnet: Cidr,
  way: Way,
  paths: Paths,
  entries: string[],
): string {
  const dev = network.device(way.v6);
  const mac = device_mac(network, node, way.v6);
  const v6 = subnet.ip.v6;
  const own_bytes = tunnel_mtu_bytes(network, paths, way.v6);
  let mtu_bytes = least(node, paths.to(way.address));
  const outer_bytes = mtu_bytes;
  if (mtu_bytes > 0) mtu_bytes = network.inner_bytes(mtu_bytes, way.v6);
  if (!network.apart && (mtu_bytes == 0 || mtu_bytes > own_bytes)) mtu_bytes = own_bytes;
  if (v6 && mtu_bytes > 0 && mtu_bytes < 1280) {
    const least_bytes = network.outer_bytes(1280, way.v6);
    return `its link takes ${outer_bytes} bytes, and IPv6 pods need ${least_bytes}`;
  }
  const link_bytes = device_mtu_bytes(network, paths, way.v6);
  const rest = source(self, v6) + limit(v6, mtu_bytes, link_bytes);
  if (network.type == "wireguard") {
    entries.push(`route ${subnet.toString()} dev ${dev}${rest}`);
    return "";
  }
  const gateway = v6 ? link_local(mac).toString() : node.subnet(false)!.ip.toString();
  add(entries, `neigh ${gateway} lladdr ${mac} dev ${dev}`);
  const inside = encapsulation(network, way, paths);
  let route = `route ${subnet.toString()}${inside} via ${gateway} dev ${dev}${source(self, v6)}`;
  if (!v6) route += " onlink";
  entries.push(route + limit(v6, mtu_bytes, link_bytes));
  return "";
}

function add(entries: string[], entry: string): void {
  if (!entries.includes(entry)) entries.push(entry);
}

/** Behind which node the hardware address of its tunnel is. */
function forwarding(network: Network, node: Node, way: Way): string {
  const mac = device_mac(network, node, way.v6);
  return `fdb ${mac} dst ${way.address} dev ${network.device(way.v6)}`;
}

/** What WireGuard knows of a node: packets of no other address are taken from it. */
function wireguard_peer(network: Network, node: Node, way: Way): string {
  const allowed = new Array<string>();
  for (let i = 0; i < node.subnets.length; i++) allowed.push(node.subnets[i].toString());
  allowed.sort();
  const host = way.v6 ? `[${way.address}]` : way.address;
  const rest = `keepalive ${network.keepalive_s} dev ${network.device(way.v6)}`;
  const ends = `endpoint ${host}:${network.port} allowed-ips ${allowed.join(",")}`;
  return `peer ${node.public_key} ${ends} ${rest}`;
}

/**
 * What of a route's words says where its tunnel leads, "" where the device's entries do. Over IPv6
 * the checksum is not left out, as the other end drops what has none.
 */
function encapsulation(network: Network, way: Way, paths: Paths): string {
  const underlay = paths.underlay(way.v6);
  if (network.type != "geneve" || !underlay) return "";
  const ends = `id ${network.vni} src ${underlay.address} dst ${way.address}`;
  return way.v6 ? ` encap ip6 ${ends} hoplimit ${HOPS} csum` : ` encap ip ${ends} ttl ${HOPS}`;
}

/** The least that is known of the outer packets to a node; 0 for nothing. */
export function least(node: Node, path: Path | null): i32 {
  const way_bytes = path ? path.mtu_bytes : 0;
  if (node.mtu_bytes == 0 || way_bytes == 0) return max(node.mtu_bytes, way_bytes);
  return min(node.mtu_bytes, way_bytes);
}

/** What of a route's words says whose address this node sends from. */
function source(self: Node, v6: bool): string {
  const subnet = self.subnet(v6);
  return subnet ? ` src ${gateway_of(subnet).toString()}` : "";
}

/**
 * The MTU of a route where it is less than its link's. IPv6 looks at that of a forwarded packet's
 * route only when it is locked (ip6_dst_mtu_maybe_forward); IPv4 always does, and would not set DF
 * with a lock.
 */
function limit(v6: bool, mtu_bytes: i32, link_bytes: i32): string {
  if (mtu_bytes == 0 || mtu_bytes >= link_bytes) return "";
  return v6 ? ` mtu lock ${mtu_bytes}` : ` mtu ${mtu_bytes}`;
}
