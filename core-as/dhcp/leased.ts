// SPDX-License-Identifier: Apache-2.0
// What a lease gives a container, as a dhcp daemon tells it. It refuses to know of packets.
import { Cidr, Ip } from "../lib/ip";

export class LeasedRoute {
  priority: i64 = 0;
  /** RT_SCOPE_* of linux/rtnetlink.h; 0 for none. */
  scope: i32 = 0;
  constructor(
    public dst: Cidr,
    public gw: Ip | null,
  ) {}
}

export class LeasedIp {
  gateway: Ip | null = null;
  constructor(public address: Cidr) {}
}

export class Leased {
  /** IPv4 first. */
  ips: LeasedIp[] = [];
  routes: LeasedRoute[] = [];
  nameservers: string[] = [];
  domain: string = "";
  search: string[] = [];

  /** Adds what a lease of the other family gives. */
  join(other: Leased): void {
    const before = other.ips.length > 0 && !other.ips[0].address.ip.v6;
    const first = before ? other : this;
    const second = before ? this : other;
    this.ips = first.ips.concat(second.ips);
    this.routes = first.routes.concat(second.routes);
    this.nameservers = first.nameservers.concat(second.nameservers);
    this.domain = first.domain.length > 0 ? first.domain : second.domain;
    const search = first.search.slice();
    for (let i = 0; i < second.search.length; i++) {
      if (!search.includes(second.search[i])) search.push(second.search[i]);
    }
    this.search = search;
  }
  has(v6: bool): bool {
    for (let i = 0; i < this.ips.length; i++) if (this.ips[i].address.ip.v6 == v6) return true;
    return false;
  }
}
