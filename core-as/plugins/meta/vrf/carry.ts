// SPDX-License-Identifier: Apache-2.0
// What a link loses on its way into a VRF or out of one (Linux takes it down and up): IPv6
// addresses and routes. They are noted before and put back after, the routes of table main in the
// table where the link then has its own.
import { failure_errno } from "../../../host/failure";
import { addr_add, addr_list, Route, route_del } from "../../../host/kernel";
import { EEXIST, ESRCH } from "../../../lib/errno";
import { cidr_parse } from "../../../lib/ip";
import { route_ensure, route_in, route_text, routes_of, TABLE_MAIN } from "../../../net/tables";
import { CniError, os_error } from "../../../spec/error";

/** IPv6 addresses and routes of a link. */
export class Carried {
  error: CniError | null = null;
  private addresses: string[] = [];
  private routes: Route[] = [];

  constructor(
    private ns: i32,
    private ifindex: i32,
  ) {
    this.error = this.read();
  }

  private read(): CniError | null {
    const list = addr_list(this.ns, this.ifindex);
    if (!list) return os_error("read the addresses of the interface");
    const routes = routes_of(this.ns, this.ifindex);
    if (!routes) return os_error("read the routes of the interface");
    // The newest comes first in the list, and is to do so again.
    for (let i = list.length - 1; i >= 0; i--) {
      const cidr = cidr_parse(list[i].address);
      if (cidr && cidr.ip.v6 && !cidr.ip.isLinkLocal()) this.addresses.push(list[i].address);
    }
    this.routes = routes;
    return null;
  }

  /**
   * Puts all back, into `table` what was in main, and takes away what the kernel added that was not
   * there: ptp has no route to its subnet. Goes on after a failure; gives the first.
   */
  put_back(table: i32): CniError | null {
    let error: CniError | null = null;
    for (let i = 0; i < this.addresses.length; i++) {
      const address = this.addresses[i];
      // It was found unique before, or is meant not to be asked for.
      if (addr_add(this.ns, this.ifindex, address, true) >= 0 || failure_errno == EEXIST) continue;
      if (!error) error = os_error(`restore address ${address}`);
    }
    const wanted = new Array<Route>();
    for (let i = 0; i < this.routes.length; i++) {
      const old = this.routes[i];
      const route = route_in(old, old.table == TABLE_MAIN ? table : old.table);
      // In a VRF an IPv4 address is local in the VRF's table alone, and so no source in another.
      if (table != TABLE_MAIN && route.table != table && !old.src.includes(":")) route.src = "";
      wanted.push(route);
    }
    const there = routes_of(this.ns, this.ifindex);
    if (!there) return error ? error : os_error("read the routes of the interface");
    // First: to remove a route without a gateway removes any of its destination.
    for (let i = there.length - 1; i >= 0; i--) {
      const route = there[i];
      if (holds(wanted, route)) continue;
      if (route_del(this.ns, this.ifindex, route.dst, route.gw, route.table) >= 0) continue;
      if (failure_errno != ESRCH && !error) error = os_error(`remove route ${route_text(route)}`);
    }
    for (let i = 0; i < wanted.length; i++) {
      if (holds(there, wanted[i])) continue;
      const problem = route_ensure(this.ns, this.ifindex, wanted[i]);
      if (!error) error = problem;
    }
    return error;
  }
}

function holds(list: Route[], route: Route): bool {
  for (let i = 0; i < list.length; i++) {
    const one = list[i];
    if (one.dst != route.dst || one.gw != route.gw || one.table != route.table) continue;
    if (one.priority == route.priority && one.src == route.src) return true;
  }
  return false;
}
