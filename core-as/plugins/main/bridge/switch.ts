// SPDX-License-Identifier: Apache-2.0
// A Linux bridge as a network's switch: finding or making it, and its mode. Its ports are those of
// port.ts, its addresses those of addresses.ts. A bridge is shared, so it is made and added to,
// never taken away by DEL.

import { undone } from "../../../attach/changes";
import { Shared } from "../../../attach/shared-change";
import { failure_errno } from "../../../host/failure";
import {
  bridge_port_list,
  HOST,
  Link,
  link_add_bridge,
  link_del,
  link_get,
  link_get_index,
  link_set_address,
  link_set_down,
  link_set_promisc,
  link_set_up,
  sysctl_write,
} from "../../../host/kernel";
import { EEXIST, ENODEV } from "../../../lib/errno";
import { JsonValue } from "../../../lib/json";
import { mac_neighbour } from "../../../lib/name";
import { CniError, Code, os_error } from "../../../spec/error";
import { Reader } from "../../../spec/reader";
import { why } from "../../../spec/why";

/** That of a configuration which names none. */
export const STANDARD_NAME = "cni0";

/** What a configuration says of its bridge. */
export class BridgePlan {
  name: string = STANDARD_NAME;
  mtu_bytes: i32 = 0;
  promisc: bool = false;
  vlan_filtering: bool = false;

  read(reader: Reader, config: JsonValue): void {
    this.name = reader.ifname(config, "bridge");
    if (this.name.length == 0) this.name = STANDARD_NAME;
    this.mtu_bytes = <i32>reader.integer(config, "mtu", 0, 65535);
    this.promisc = reader.bool(config, "promiscMode");
  }
}

/** The bridge, made when it is missing and up in the end. An existing one keeps MTU and filter. */
export class TheBridge extends Shared {
  link: Link = new Link();
  made: bool = false;
  private upped: bool = false;

  constructor(public plan: BridgePlan) {
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
    if (isDefined(FAIRLEAD_TELLS)) {
      const there = "it is there already, and is taken as it is";
      why("bridge", name, this.made ? "there was none of that name: it is made" : there);
    }
    if (link.up) return null;
    if (link_set_up(HOST, link.ifindex) < 0) return os_error(`set bridge "${name}" up`);
    this.upped = true;
    return null;
  }

  /** Why it could not be taken, without a try. */
  status(): CniError | null {
    const name = this.plan.name;
    const link = link_get(HOST, name);
    if (!link || link.kind == "bridge") return null;
    const msg = `"${name}" is not a bridge: rename it, or choose another "bridge" name`;
    return new CniError(Code.NotAvailable, msg);
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
