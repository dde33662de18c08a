// SPDX-License-Identifier: Apache-2.0
// The host's side of a container of `bridge` as it is: for the end of ADD, and for CHECK. It
// changes nothing.
import { shared_lock, shared_unlock } from "../../../attach/shared";
import { HOST, Link, link_get, link_get_index } from "../../../host/kernel";
import { check_failed, check_link } from "../../../net/check";
import { CniError, Code, os_error } from "../../../spec/error";
import { Interface, Result } from "../../../spec/types";
import { BridgePlan } from "./switch";

/** The bridge as it is now that a port of ours is in it; null on failure. */
function bridge_settled(ifindex: i32, port: Link): Link | null {
  const link = link_get_index(HOST, ifindex);
  if (!link || link.address != port.address) return link;
  // It has the MAC of its port: whoever makes it may be about to give it another.
  const lock = shared_lock();
  if (lock < 0) return null;
  const settled = link_get_index(HOST, ifindex);
  shared_unlock(lock);
  return settled;
}

/** Brings the MACs of a result's interfaces up to date; its bridge and port come first. */
export function macs_settle(bridge: Link, port: Link, result: Result): CniError | null {
  // The bridge may have been removed by whoever made it a moment ago and failed: see rationale.
  if (port.master != bridge.ifindex) {
    return new CniError(
      Code.TryAgainLater,
      `bridge "${bridge.name}" was removed meanwhile: try again`,
    );
  }
  const bridge_now = bridge_settled(bridge.ifindex, port);
  if (!bridge_now) return os_error(`find bridge "${bridge.name}" again`);
  const interfaces = result.interfaces;
  interfaces[0].mac = bridge_now.address;
  interfaces[1].mac = port.address;
  // Behind the container's, that in a VLAN.
  if (interfaces.length < 4) return null;
  const gateway = link_get(HOST, interfaces[3].name);
  if (!gateway) return os_error(`find "${interfaces[3].name}" again`);
  interfaces[3].mac = gateway.address;
  return null;
}

/** CHECK: the bridge, and a host's interface of the result that is the container's other end. */
export class HostSide {
  error: CniError | null = null;
  bridge: Link = new Link();
  port: Link = new Link();

  constructor(plan: BridgePlan, result: Result, container: Link) {
    this.error = this.read(plan, result, container);
  }

  private read(plan: BridgePlan, result: Result, container: Link): CniError | null {
    const expected = interface_named(result, plan.name);
    if (!expected) return check_failed(`prevResult has no interface "${plan.name}"`);
    const bridge = check_link(HOST, expected, "bridge");
    if (bridge.error) return bridge.error;
    this.bridge = bridge.link;
    if (plan.promisc && !bridge.link.promisc) {
      return check_failed(`bridge "${plan.name}" is not in promiscuous mode`);
    }
    const port = link_get_index(HOST, container.peer);
    const listed = port ? interface_named(result, port.name) : null;
    if (!port || !listed) {
      return check_failed(`prevResult has no host interface whose peer is "${container.name}"`);
    }
    this.port = port;
    if (port.master != bridge.link.ifindex) {
      return check_failed(`interface "${port.name}" is not a port of bridge "${plan.name}"`);
    }
    return check_link(HOST, listed, "veth").error;
  }
}

/** A host's interface of the result. */
function interface_named(result: Result, name: string): Interface | null {
  for (let i = 0; i < result.interfaces.length; i++) {
    const item = result.interfaces[i];
    if (item.name == name && item.sandbox.length == 0) return item;
  }
  return null;
}
