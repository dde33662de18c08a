// SPDX-License-Identifier: Apache-2.0
// Routing tables of a container: which are taken, and the routes of a link in them. It refuses to
// know why somebody wants a table of his own: the plugins sbr and vrf do.
import { failure_errno } from "../host/failure";
import {
  FibRule,
  fib_rule_list,
  Link,
  Route,
  route_add,
  route_list,
  route_table_list,
} from "../host/kernel";
import { EEXIST } from "../lib/errno";
import { cidr_parse } from "../lib/ip";
import { CniError, os_error } from "../spec/error";

/** RT_TABLE_DEFAULT, RT_TABLE_MAIN, RT_TABLE_LOCAL: linux/rtnetlink.h. */
const TABLE_DEFAULT = 253;
export const TABLE_MAIN = 254;
const TABLE_LOCAL = 255;

/** A table that every namespace has, or none at all. */
export function table_reserved(table: i32): bool {
  return table == 0 || (table >= TABLE_DEFAULT && table <= TABLE_LOCAL);
}

/** The tables that routes, rules or VRFs of a namespace use. */
export class Tables {
  error: CniError | null = null;
  rules: FibRule[] = [];
  private taken: Set<i32> = new Set<i32>();

  constructor(ns: i32, links: Link[]) {
    const rules = fib_rule_list(ns);
    if (rules) this.rules = rules;
    else this.error = rules_error();
    const tables = rules ? route_table_list(ns) : null;
    if (rules && !tables) this.error = os_error("list the routing tables of the container");
    for (let i = 0; tables && i < tables.length; i++) this.taken.add(tables[i]);
    for (let i = 0; i < this.rules.length; i++) this.taken.add(this.rules[i].table);
    for (let i = 0; i < links.length; i++) this.taken.add(links[i].table);
  }

  /** Takes the lowest free table from `first` on. */
  take(first: i32): i32 {
    let table = first;
    while (table_reserved(table) || this.taken.has(table)) table++;
    this.taken.add(table);
    return table;
  }
}

export function rules_error(): CniError {
  return os_error("list the policy routing rules (the kernel needs CONFIG_IP_MULTIPLE_TABLES)");
}

/**
 * Routes of a link, those before that others need for their gateway; null on failure. Link-local
 * ones of IPv6 are the kernel's own affair; of IPv4 they are made, for gateways.
 */
export function routes_of(ns: i32, ifindex: i32): Route[] | null {
  const list = route_list(ns, ifindex);
  if (!list) return null;
  const routes = new Array<Route>();
  for (let pass = 0; pass < 2; pass++) {
    for (let i = 0; i < list.length; i++) {
      const cidr = cidr_parse(list[i].dst);
      if (!cidr || (cidr.ip.v6 && cidr.ip.isLinkLocal())) continue;
      if (list[i].gw.length > 0 == (pass == 1)) routes.push(list[i]);
    }
  }
  return routes;
}

/** The same route in another table. */
export function route_in(route: Route, table: i32): Route {
  const made = new Route();
  made.dst = route.dst;
  made.gw = route.gw;
  made.src = route.src;
  made.scope = route.scope;
  made.table = table;
  made.priority = route.priority;
  made.mtu_bytes = route.mtu_bytes;
  made.advmss = route.advmss;
  made.protocol = route.protocol;
  return made;
}

/** "10.9.0.0/16 via 10.1.2.1 in table 100", for errors. */
export function route_text(route: Route): string {
  const via = route.gw.length > 0 ? ` via ${route.gw}` : "";
  return `${route.dst}${via} in table ${<u32>route.table}`;
}

/** Adds a route; one that is there already is fine. */
export function route_ensure(ns: i32, ifindex: i32, route: Route): CniError | null {
  if (route_add(ns, ifindex, route) >= 0 || failure_errno == EEXIST) return null;
  return os_error(`add route ${route_text(route)}`);
}
