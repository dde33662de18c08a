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
import { EADDRNOTAVAIL, EEXIST } from "../../../lib/errno";
import { Cidr, cidr_parse } from "../../../lib/ip";
import { CniError, Code, os_error } from "../../../spec/error";
import { IPConfig } from "../../../spec/types";

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

/**
 * Puts the gateways' addresses on a host link. A different IPv4 address, or an overlapping IPv6
 * one, is a conflict: refused, or removed with `force`.
 */
export class GatewayAddresses extends Shared {
  private added: string[] = [];
  private removed: string[] = [];

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
    return `gateway ${this.link.name}`;
  }
  get changed(): bool {
    return this.added.length > 0 || this.removed.length > 0;
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
    return this.pins && this.added.length > 0 ? this.pin() : null;
  }

  /** Puts one address beside those that are present, which it keeps up to date. */
  private put(present: Cidr[], wanted: Cidr): CniError | null {
    const link = this.link;
    const text = wanted.toString();
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
      const old = other.toString();
      if (addr_del(HOST, link.ifindex, old) < 0 && failure_errno != EADDRNOTAVAIL) {
        return os_error(`remove ${old} from "${link.name}"`);
      }
      this.removed.push(old);
      present.splice(i--, 1);
    }
    if (addr_add(HOST, link.ifindex, text, true) < 0) {
      return failure_errno == EEXIST ? null : os_error(`add ${text} to "${link.name}"`);
    }
    this.added.push(text);
    present.push(wanted);
    return null;
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
    const index = this.link.ifindex;
    for (let i = this.added.length - 1; i >= 0; i--) {
      undone(addr_del(HOST, index, this.added[i]), `remove ${this.added[i]}`, errors);
    }
    for (let i = this.removed.length - 1; i >= 0; i--) {
      undone(addr_add(HOST, index, this.removed[i], true), `restore ${this.removed[i]}`, errors);
    }
  }
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
