// A Linux bridge as a network's switch and gateway: making it, its addresses, its VLAN interface.
// Its ports are port.ts's. A bridge is shared, so it is made and added to, never taken away by DEL.

import { failure_errno } from "../../../host/failure";
import {
  addr_add,
  addr_del,
  addr_list,
  HOST,
  Link,
  link_add_bridge,
  link_add_veth,
  link_get,
  link_set_address,
  link_set_promisc,
  link_set_up,
  sysctl_write,
  VethEnd,
} from "../../../host/kernel";
import { EADDRNOTAVAIL, EEXIST, ENODEV } from "../../../lib/errno";
import { Cidr, cidr_parse } from "../../../lib/ip";
import { JsonValue } from "../../../lib/json";
import { ifname_problem, mac_neighbour, name_from } from "../../../lib/name";
import { CniError, Code, os_error } from "../../../spec/error";
import { Reader } from "../../../spec/reader";
import { IPConfig } from "../../../spec/types";
import { Undo } from "../../../undo";
import { PortPlan, port_vlan_access } from "./port";

/** What a configuration says of its bridge. */
export class BridgePlan {
  name: string = "cni0";
  mtu_bytes: i32 = 0;
  promisc: bool = false;
  vlan_filtering: bool = false;

  read(reader: Reader, config: JsonValue): void {
    this.name = reader.string(config, "bridge", "cni0");
    if (this.name.length == 0) this.name = "cni0";
    const problem = ifname_problem(this.name);
    if (problem.length > 0) {
      reader.invalid(`"bridge" is "${this.name}": ${problem}`, config.get("bridge"));
    }
    this.mtu_bytes = <i32>reader.integer(config, "mtu", 0, 65535);
    this.promisc = reader.bool(config, "promiscMode");
  }
}

/** A link or the error in its place. */
export class Found {
  constructor(
    public link: Link | null,
    public error: CniError | null = null,
  ) {}
}

function failed(error: CniError): Found {
  return new Found(null, error);
}

/**
 * The bridge, made when it is missing and up in the end. An existing one keeps its MTU and filter.
 */
export function bridge_ensure(plan: BridgePlan, undo: Undo): Found {
  let link = link_get(HOST, plan.name);
  if (!link) {
    if (failure_errno != ENODEV) return failed(os_error(`look for bridge "${plan.name}"`));
    const made = bridge_make(plan, undo);
    link = made.link;
    if (!link) return made;
  }
  if (link.kind != "bridge") {
    return failed(
      new CniError(
        Code.InvalidConfig,
        `"${plan.name}" already exists but is not a bridge: choose another "bridge" name`,
      ),
    );
  }
  if (plan.promisc && !link.promisc) {
    if (link_set_promisc(HOST, link.ifindex, true) < 0) {
      return failed(os_error(`set bridge "${plan.name}" promiscuous`));
    }
    undo.promisc_off(HOST, link.ifindex);
  }
  if (link.up) return new Found(link);
  if (link_set_up(HOST, link.ifindex) < 0) {
    return failed(os_error(`set bridge "${plan.name}" up`));
  }
  undo.bridge_down(HOST, plan.name);
  return new Found(link);
}

function bridge_make(plan: BridgePlan, undo: Undo): Found {
  const made = link_add_bridge(HOST, plan.name, plan.mtu_bytes, plan.vlan_filtering) >= 0;
  // Another ADD may have made it a moment ago: then it is as good as ours.
  if (!made && failure_errno != EEXIST) return failed(os_error(`make bridge "${plan.name}"`));
  if (made) undo.bridge_del(HOST, plan.name);
  const link = link_get(HOST, plan.name);
  if (!link) return failed(os_error(`read bridge "${plan.name}"`));
  if (!made) return new Found(link);
  // A bridge takes the lowest MAC of its ports until one is set, and neighbours would have to learn
  // a new one with every container. Setting one pins it; one that differs from its own by a bit,
  // because the kernel makes the bridge id (for STP) of a MAC that changes.
  if (link_set_address(HOST, link.ifindex, mac_neighbour(link.address)) < 0) {
    return failed(os_error(`pin the MAC address of bridge "${plan.name}"`));
  }
  // A router advertisement must not reconfigure the node; without IPv6 there is nothing to protect.
  sysctl_write(HOST, `net/ipv6/conf/${plan.name}/accept_ra`, "0");
  return new Found(link);
}

/**
 * The host's interface in a VLAN of the bridge: one end of a veth pair named <bridge>.<vlan>, whose
 * other end is a port with that VLAN. Shared by the network's containers like the bridge itself.
 */
export function gateway_link(bridge: Link, plan: PortPlan, undo: Undo): Found {
  const name = `${bridge.name}.${plan.vlan}`;
  const problem = ifname_problem(name);
  if (problem.length > 0) {
    return failed(
      new CniError(Code.InvalidConfig, `"${name}" for the gateway: ${problem}: shorten "bridge"`),
    );
  }
  const present = link_get(HOST, name);
  if (present) return new Found(present);
  if (failure_errno != ENODEV) return failed(os_error(`look for "${name}"`));
  const port = new VethEnd(HOST, name_from("veth", `gateway\0${name}`), "");
  if (link_add_veth(port, bridge.mtu_bytes, bridge.ifindex, new VethEnd(HOST, name, "")) < 0) {
    if (failure_errno != EEXIST) return failed(os_error(`make "${name}"`));
    const other = link_get(HOST, name);
    return other ? new Found(other) : failed(os_error(`make "${name}"`));
  }
  undo.link_del(HOST, name);
  const link = link_get(HOST, name);
  if (!link) return failed(os_error(`read "${name}"`));
  const port_link = link_get(HOST, port.name);
  if (!port_link) return failed(os_error(`read "${port.name}"`));
  const error = port_vlan_access(port_link, plan);
  if (error) return failed(error);
  if (link_set_up(HOST, link.ifindex) < 0) return failed(os_error(`set "${name}" up`));
  return new Found(link);
}

/**
 * Puts the gateways' addresses on a host link. A different IPv4 address, or an overlapping IPv6
 * one, is a conflict: refused, or removed with `force`.
 */
export function bridge_addresses(
  link: Link,
  ips: IPConfig[],
  force: bool,
  undo: Undo,
): CniError | null {
  let present: Cidr[] | null = null;
  for (let i = 0; i < ips.length; i++) {
    const gateway = ips[i].gateway;
    if (!gateway) continue;
    // Read once: there may be thousands of them.
    if (!present) present = addresses_of(link);
    const held = present;
    if (!held) return os_error(`read the addresses of "${link.name}"`);
    const error = bridge_address(link, held, new Cidr(gateway, ips[i].address.bits), force, undo);
    if (error) return error;
  }
  return null;
}

/** Addresses of a host link that may conflict, null after a failure. */
function addresses_of(link: Link): Cidr[] | null {
  const list = addr_list(HOST, link.ifindex);
  if (!list) return null;
  const made = new Array<Cidr>();
  for (let i = 0; i < list.length; i++) {
    const cidr = cidr_parse(list[i].address);
    if (cidr && !cidr.ip.isLinkLocal()) made.push(cidr);
  }
  return made;
}

/** Puts one address beside those that are present, which it keeps up to date. */
function bridge_address(
  link: Link,
  present: Cidr[],
  wanted: Cidr,
  force: bool,
  undo: Undo,
): CniError | null {
  const text = wanted.toString();
  for (let i = 0; i < present.length; i++) {
    const other = present[i];
    if (other.ip.v6 != wanted.ip.v6) continue;
    if (other.equals(wanted)) return null;
    if (wanted.ip.v6 && !other.overlaps(wanted)) continue;
    if (!force) {
      return new CniError(
        Code.InvalidConfig,
        `"${link.name}" already has an IP address different from ${text}: ` +
          `remove ${other.toString()}, set "forceAddress", or use another bridge`,
      );
    }
    const old = other.toString();
    if (addr_del(HOST, link.ifindex, old) < 0 && failure_errno != EADDRNOTAVAIL) {
      return os_error(`remove ${old} from "${link.name}"`);
    }
    undo.addr_add(HOST, link.ifindex, old);
    present.splice(i--, 1);
  }
  if (addr_add(HOST, link.ifindex, text, true) < 0) {
    return failure_errno == EEXIST ? null : os_error(`add ${text} to "${link.name}"`);
  }
  undo.addr_del(HOST, link.ifindex, text);
  present.push(wanted);
  return null;
}
