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

export class Leased {
  gateway: Ip | null = null;
  routes: LeasedRoute[] = [];
  nameservers: string[] = [];
  domain: string = "";
  search: string[] = [];
  constructor(public address: Cidr) {}
}
