// SPDX-License-Identifier: Apache-2.0
// The host's interface in a VLAN of a bridge, where the gateway of a network with `vlan` is. It
// refuses to know the gateway's addresses.
import { undone } from "../../../attach/changes";
import { Shared } from "../../../attach/shared-change";
import { failure_errno } from "../../../host/failure";
import {
  HOST,
  Link,
  link_add_veth,
  link_del,
  link_get,
  link_set_up,
  VethEnd,
} from "../../../host/kernel";
import { EEXIST, ENODEV } from "../../../lib/errno";
import { ifname_problem, name_from } from "../../../lib/name";
import { CniError, Code, os_error } from "../../../spec/error";
import { PortPlan, port_vlan_access } from "./port";

export function gateway_link_name(bridge: Link, plan: PortPlan): string {
  return `${bridge.name}.${plan.vlan}`;
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
