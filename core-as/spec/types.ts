// SPDX-License-Identifier: Apache-2.0
// The nouns of a CNI result (spec 1.1.0, section 5), in the shape of version 1.1.0 whatever the
// config's version: result.ts converts on the way in and out.
import { Cidr, Ip } from "../lib/ip";

export class Interface {
  mac: string = "";
  mtu_bytes: i32 = 0;
  socketPath: string = "";
  pciID: string = "";
  /** sandbox: the netns path for the container's side, "" for the host's. */
  constructor(
    public name: string,
    public sandbox: string = "",
  ) {}
}

export class IPConfig {
  gateway: Ip | null = null;
  /** Index into interfaces; -1 when not given. */
  interface: i32 = -1;
  constructor(public address: Cidr) {}
}

export class RouteConfig {
  gw: Ip | null = null;
  mtu_bytes: i32 = 0;
  advmss: i32 = 0;
  /** A u32 in the kernel. */
  priority: i64 = 0;
  /** -1 when not given; an explicit 0 is kept. */
  table: i64 = -1;
  scope: i32 = -1;
  constructor(public dst: Cidr) {}
}

export class DNS {
  nameservers: string[] = [];
  domain: string = "";
  search: string[] = [];
  options: string[] = [];
  get empty(): bool {
    return (
      this.nameservers.length == 0 &&
      this.domain.length == 0 &&
      this.search.length == 0 &&
      this.options.length == 0
    );
  }
}

export class Result {
  interfaces: Interface[] = [];
  ips: IPConfig[] = [];
  routes: RouteConfig[] = [];
  dns: DNS = new DNS();
}
