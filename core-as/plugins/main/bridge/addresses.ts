// SPDX-License-Identifier: Apache-2.0
// The gateway's addresses on a bridge, or on its interface in a VLAN, as a change of what the
// network's containers share. Whose address may stay and whose goes is decided here.
import { undone } from "../../../attach/changes";
import { Shared } from "../../../attach/shared-change";
import { failure_errno } from "../../../host/failure";
import {
  addr_add,
  addr_del,
  addr_list,
  bridge_port_list,
  HOST,
  Link,
  link_get_index,
  link_set_address,
} from "../../../host/kernel";
import { log } from "../../../host/store";
import { EADDRNOTAVAIL, EEXIST } from "../../../lib/errno";
import { Cidr, cidr_parse } from "../../../lib/ip";
import { CniError, Code, os_error } from "../../../spec/error";
import { IPConfig } from "../../../spec/types";
import { KeptRoutes } from "./kept-routes";

/** Addresses of a host link that may conflict, null after a failure. */
export function addresses_of(link: Link): Cidr[] | null {
  const list = addr_list(HOST, link.ifindex);
  if (!list) return null;
  const made = new Array<Cidr>();
  for (let i = 0; i < list.length; i++) {
    const cidr = cidr_parse(list[i].address);
    if (cidr && !cidr.ip.isLinkLocal()) made.push(cidr);
  }
  return made;
}

/** What records call the gateway's addresses on a host link. */
export function gateway_what(link: string): string {
  return `gateway ${link}`;
}

/**
 * Puts the gateways' addresses on a host link. A different IPv4 address, or an overlapping IPv6
 * one, is a conflict: refused, or removed with `force`. The new ones come before the old ones go,
 * and those go when nothing else can fail any more: an ADD that fails leaves them as they are, and
 * the link does not lose its last address, with which the kernel drops all of its routes.
 */
export class GatewayAddresses extends Shared {
  private wanted: Cidr[] = [];
  /** In the way of a wanted one. */
  private old: Cidr[] = [];
  private added: Cidr[] = [];
  private removed: Cidr[] = [];
  private routes: KeptRoutes = new KeptRoutes();

  constructor(
    private bridge: Link,
    /** Where they go: the bridge, or its interface in a VLAN. */
    private link: Link,
    private ips: IPConfig[],
    private force: bool,
    /** A bridge that somebody else made: it is to keep the MAC it has (see `pin`). */
    private pins: bool,
  ) {
    super();
  }
  get what(): string {
    return gateway_what(this.link.name);
  }
  get changed(): bool {
    return this.added.length > 0 || this.old.length > 0;
  }

  take(): CniError | null {
    // Read once: there may be thousands of them.
    const present = addresses_of(this.link);
    if (!present) return os_error(`read the addresses of "${this.link.name}"`);
    for (let i = 0; i < this.ips.length; i++) {
      const gateway = this.ips[i].gateway;
      if (!gateway) continue;
      const error = this.put(present, new Cidr(gateway, this.ips[i].address.bits));
      if (error) return error;
    }
    const error = this.old.length > 0 ? this.routes.read(this.link) : null;
    return error || !this.pins || this.added.length == 0 ? error : this.pin();
  }

  /** Puts one address beside those that are present, which it keeps up to date. */
  private put(present: Cidr[], wanted: Cidr): CniError | null {
    const link = this.link;
    const text = wanted.toString();
    let same = false;
    this.wanted.push(wanted);
    for (let i = 0; i < present.length; i++) {
      const other = present[i];
      if (other.ip.v6 != wanted.ip.v6) continue;
      if (other.equals(wanted)) return null;
      if (wanted.ip.v6 && !other.overlaps(wanted)) continue;
      if (!this.force) {
        return new CniError(
          Code.InvalidConfig,
          `"${link.name}" already has an IP address different from ${text}: ` +
            `remove ${other.toString()}, set "forceAddress", or use another bridge`,
        );
      }
      same = same || (other.ip.v6 && other.ip.equals(wanted.ip));
      this.old.push(other);
      present.splice(i--, 1);
    }
    present.push(wanted);
    // Of IPv6 the kernel tells them apart by the address alone: its prefix has to wait.
    if (!same && addr_add(HOST, link.ifindex, text, true) < 0) {
      return failure_errno == EEXIST ? null : os_error(`add ${text} to "${link.name}"`);
    }
    this.added.push(wanted);
    return null;
  }

  /** Removes what is in the way. Where that fails it stays, and the next ADD tries again. */
  finish(): CniError | null {
    const link = this.link;
    for (let i = 0; i < this.old.length; i++) {
      const text = this.old[i].toString();
      if (addr_del(HOST, link.ifindex, text) < 0 && failure_errno != EADDRNOTAVAIL) {
        log(`${os_error(`remove ${text} from "${link.name}"`).toString()}: it stays`);
        continue;
      }
      const own = index_of(this.added, this.old[i]);
      if (own >= 0) this.added.splice(own, 1);
      else this.removed.push(this.old[i]);
    }
    let again = false;
    for (let i = 0; i < this.wanted.length; i++) {
      const wanted = this.wanted[i];
      if (index_of(this.old, wanted) >= 0 || !went_along(wanted, this.removed)) continue;
      again = true;
      if (addr_add(HOST, link.ifindex, wanted.toString(), true) >= 0) {
        if (index_of(this.added, wanted) < 0) this.added.push(wanted);
      } else if (failure_errno != EEXIST) {
        return os_error(`add ${wanted.toString()} to "${link.name}"`);
      }
    }
    const errors = new Array<CniError>();
    if (again) this.routes.put_back(link, this.removed, errors);
    return errors.length > 0 ? errors[0] : null;
  }

  /**
   * A bridge has the lowest MAC of its ports until one is set, and the gateway would have another
   * with every container that comes or goes. It is set to what it is, now that our port is in.
   */
  private pin(): CniError | null {
    const name = this.link.name;
    const now = link_get_index(HOST, this.link.ifindex);
    if (!now) return os_error(`read bridge "${name}"`);
    if (link_set_address(HOST, now.ifindex, now.address) >= 0) return null;
    return os_error(`pin the MAC address of bridge "${name}"`);
  }

  give_back(errors: CniError[]): void {
    if (others_attached(this.bridge, this.link)) return;
    for (let i = this.added.length - 1; i >= 0; i--) {
      const text = this.added[i].toString();
      undone(addr_del(HOST, this.link.ifindex, text), `remove ${text}`, errors);
    }
    const removed = this.removed;
    if (removed.length == 0) return;
    // The newest comes last in the list of IPv4, and first in that of IPv6.
    for (let i = 0; i < removed.length; i++)
      if (!removed[i].ip.v6) this.restore(removed[i], errors);
    for (let i = removed.length - 1; i >= 0; i--) {
      if (removed[i].ip.v6) this.restore(removed[i], errors);
    }
    this.routes.put_back(this.link, [], errors);
  }

  private restore(address: Cidr, errors: CniError[]): void {
    const text = address.toString();
    undone(addr_add(HOST, this.link.ifindex, text, true), `restore ${text}`, errors);
    log(
      `${text} is on "${this.link.name}" again, without label, lifetimes, metric and flags, ` +
        "if it had any: see to them",
    );
  }
}

/** Index of an address in a list, -1 when it is not there. */
function index_of(list: Cidr[], address: Cidr): i32 {
  for (let i = 0; i < list.length; i++) if (list[i].equals(address)) return i;
  return -1;
}

/**
 * Whether an address may have gone with another: a secondary one goes with the first of its subnet.
 * An IPv6 address that had another prefix could not be added before.
 */
function went_along(address: Cidr, removed: Cidr[]): bool {
  for (let i = 0; i < removed.length; i++) {
    const one = removed[i];
    if (one.ip.equals(address.ip)) return true;
    if (!one.ip.v6 && one.subnet().equals(address.subnet())) return true;
  }
  return false;
}

/** Whether pods beside the one of this call are in a bridge; they may have no record of ours. */
function others_attached(bridge: Link, gateway: Link): bool {
  const ports = bridge_port_list(HOST, bridge.ifindex);
  // Ours, and that of the interface in a VLAN.
  let left = gateway.ifindex == bridge.ifindex ? 1 : 2;
  for (let i = 0; ports !== null && i < ports.length; i++) {
    const port = link_get_index(HOST, ports[i]);
    if (port && port.kind == "veth") left--;
  }
  return left < 0;
}
