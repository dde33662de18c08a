// A Linux bridge as a network's switch: making it, its VLAN interface. Its ports are port.ts's, its
// addresses gateway.ts's. A bridge is shared, so it is made and added to, never taken away by DEL.

import { undone } from "../../../attach/changes";
import { shared_lock, shared_unlock } from "../../../attach/shared";
import { Shared } from "../../../attach/shared-change";
import { failure_errno } from "../../../host/failure";
import {
  bridge_port_list,
  HOST,
  Link,
  link_add_bridge,
  link_add_veth,
  link_del,
  link_get,
  link_get_index,
  link_set_address,
  link_set_down,
  link_set_promisc,
  link_set_up,
  sysctl_write,
  VethEnd,
} from "../../../host/kernel";
import { EEXIST, ENODEV } from "../../../lib/errno";
import { JsonValue } from "../../../lib/json";
import { ifname_problem, mac_neighbour, name_from } from "../../../lib/name";
import { CniError, Code, os_error } from "../../../spec/error";
import { Reader } from "../../../spec/reader";
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

/** The bridge, made when it is missing and up in the end. An existing one keeps MTU and filter. */
export class TheBridge extends Shared {
  link: Link = new Link();
  made: bool = false;
  private upped: bool = false;

  constructor(private plan: BridgePlan) {
    super();
  }
  get what(): string {
    return `bridge ${this.plan.name}`;
  }
  get changed(): bool {
    return this.made || this.upped;
  }

  take(): CniError | null {
    const name = this.plan.name;
    let link = link_get(HOST, name);
    if (!link) {
      if (failure_errno != ENODEV) return os_error(`look for bridge "${name}"`);
      const error = this.make();
      if (error) return error;
      link = this.made ? this.link : link_get(HOST, name);
    }
    if (!link) return os_error(`read bridge "${name}"`);
    if (link.kind != "bridge") {
      return new CniError(
        Code.InvalidConfig,
        `"${name}" already exists but is not a bridge: choose another "bridge" name`,
      );
    }
    this.link = link;
    if (link.up) return null;
    if (link_set_up(HOST, link.ifindex) < 0) return os_error(`set bridge "${name}" up`);
    this.upped = true;
    return null;
  }

  private make(): CniError | null {
    const plan = this.plan;
    if (link_add_bridge(HOST, plan.name, plan.mtu_bytes, plan.vlan_filtering) < 0) {
      // Another may have made it a moment ago: then it is as good as ours.
      return failure_errno == EEXIST ? null : os_error(`make bridge "${plan.name}"`);
    }
    this.made = true;
    const link = link_get(HOST, plan.name);
    if (!link) return os_error(`read bridge "${plan.name}"`);
    this.link = link;
    // A bridge takes the lowest MAC of its ports until one is set, and neighbours would have to
    // learn a new one with every container. Setting one pins it; one that differs from its own by a
    // bit, because the kernel makes the bridge id (for STP) of a MAC that changes.
    if (link_set_address(HOST, link.ifindex, mac_neighbour(link.address)) < 0) {
      return os_error(`pin the MAC address of bridge "${plan.name}"`);
    }
    // A router advertisement must not reconfigure the node; without IPv6 none can.
    sysctl_write(HOST, `net/ipv6/conf/${plan.name}/accept_ra`, "0");
    return null;
  }

  /** Once it has a port it is left alone: others came that have no record. */
  give_back(errors: CniError[]): void {
    const name = this.plan.name;
    const tried = `undo the change of bridge "${name}"`;
    const link = link_get(HOST, name);
    const ports = link ? bridge_port_list(HOST, link.ifindex) : null;
    if (!link || !ports) {
      undone(-1, tried, errors);
      return;
    }
    if (ports.length > 0) return;
    const code = this.made ? link_del(HOST, link.ifindex) : link_set_down(HOST, link.ifindex);
    undone(code, tried, errors);
  }
}

/** A bridge that takes in every frame. */
export class Promisc extends Shared {
  private done: bool = false;
  constructor(private link: Link) {
    super();
  }
  get what(): string {
    return `promisc ${this.link.name}`;
  }
  get changed(): bool {
    return this.done;
  }
  take(): CniError | null {
    // It was read before the record said that it is needed.
    const now = link_get_index(HOST, this.link.ifindex);
    if (!now) return os_error(`read bridge "${this.link.name}"`);
    if (now.promisc) return null;
    if (link_set_promisc(HOST, this.link.ifindex, true) < 0) {
      return os_error(`set bridge "${this.link.name}" promiscuous`);
    }
    this.done = true;
    return null;
  }
  give_back(errors: CniError[]): void {
    undone(link_set_promisc(HOST, this.link.ifindex, false), "leave promiscuous mode", errors);
  }
}

export function gateway_link_name(bridge: Link, plan: PortPlan): string {
  return `${bridge.name}.${plan.vlan}`;
}

/** The bridge as it is now that a port of ours is in it; null on failure. */
export function bridge_settled(ifindex: i32, port: Link): Link | null {
  const link = link_get_index(HOST, ifindex);
  if (!link || link.address != port.address) return link;
  // It has the MAC of its port: whoever makes it may be about to give it another.
  const lock = shared_lock();
  if (lock < 0) return null;
  const settled = link_get_index(HOST, ifindex);
  shared_unlock(lock);
  return settled;
}

/**
 * The host's interface in a VLAN of the bridge: one end of a veth pair named <bridge>.<vlan>, whose
 * other end is a port with that VLAN. Shared by the network's containers like the bridge itself.
 */
export class GatewayLink extends Shared {
  link: Link = new Link();
  private made: bool = false;
  private name: string;

  constructor(
    private bridge: Link,
    private plan: PortPlan,
  ) {
    super();
    this.name = gateway_link_name(bridge, plan);
  }
  get what(): string {
    return `link ${this.name}`;
  }
  get changed(): bool {
    return this.made;
  }

  take(): CniError | null {
    const name = this.name;
    const problem = ifname_problem(name);
    if (problem.length > 0) {
      const msg = `"${name}" for the gateway: ${problem}: shorten "bridge"`;
      return new CniError(Code.InvalidConfig, msg);
    }
    let found = link_get(HOST, name);
    if (!found && failure_errno != ENODEV) return os_error(`look for "${name}"`);
    if (!found) {
      const error = this.make();
      if (error) return error;
      found = link_get(HOST, name);
    }
    if (!found) return os_error(`read "${name}"`);
    this.link = found;
    return null;
  }

  private make(): CniError | null {
    const name = this.name;
    const bridge = this.bridge;
    const port = new VethEnd(HOST, name_from("veth", `gateway\0${name}`), "");
    if (link_add_veth(port, bridge.mtu_bytes, bridge.ifindex, new VethEnd(HOST, name, "")) < 0) {
      // Made by a version that knows no lock.
      return failure_errno == EEXIST && link_get(HOST, name) ? null : os_error(`make "${name}"`);
    }
    this.made = true;
    const link = link_get(HOST, name);
    if (!link) return os_error(`read "${name}"`);
    const port_link = link_get(HOST, port.name);
    if (!port_link) return os_error(`read "${port.name}"`);
    const error = port_vlan_access(port_link, this.plan);
    if (error) return error;
    return link_set_up(HOST, link.ifindex) < 0 ? os_error(`set "${name}" up`) : null;
  }

  give_back(errors: CniError[]): void {
    const tried = `remove "${this.name}"`;
    const link = link_get(HOST, this.name);
    if (link) undone(link_del(HOST, link.ifindex), tried, errors);
    else undone(-1, tried, errors);
  }
}
