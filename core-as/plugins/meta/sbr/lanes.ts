// SPDX-License-Identifier: Apache-2.0
// How sbr moves the routes of an interface: into a table for each of its addresses, with a rule
// that leads packets from the address there. The way back is sourced.ts.
import { Adding } from "../../../attach/adding";
import { RouteChanged, RuleAdded } from "../../../attach/changes";
import { failure_errno } from "../../../host/failure";
import { FibRule, fib_rule_add, Link, Route, route_add, route_del } from "../../../host/kernel";
import { EEXIST, ESRCH } from "../../../lib/errno";
import { Ip, ip_parse } from "../../../lib/ip";
import { check_failed } from "../../../net/check";
import { route_in, route_text, TABLE_MAIN } from "../../../net/tables";
import { CniError, os_error } from "../../../spec/error";
import { IPConfig } from "../../../spec/types";
import { why } from "../../../spec/why";

const SCOPE_LINK = 253;

/** An address of the interface and the table that its packets are looked up in. */
export class Lane {
  /** The address as a prefix of its own, for the rule. */
  src: string;
  subnet: string;
  /** The default destination of its family. */
  everywhere: string;
  /** Where packets to everywhere go: what the configuration says, or the address's own. */
  gateway: Ip | null;
  /** The default route is made by us; else it is one of those that move, or there is none. */
  makes_default: bool = false;
  constructor(
    public ip: IPConfig,
    /** The gateway of the configuration. */
    public fixed: Ip | null,
    /** Unsigned: of an i32 the optimizer widens to 64 bits with its sign, against <u32>. */
    public table: u32,
  ) {
    const address = ip.address;
    const own = ip.gateway;
    this.src = `${address.ip.toString()}/${address.ip.width}`;
    this.subnet = address.subnet().toString();
    this.everywhere = address.ip.v6 ? "::/0" : "0.0.0.0/0";
    this.gateway = fixed ? fixed : own && own.v6 == address.ip.v6 ? own : null;
  }

  /** Whether the source or the gateway of a route lies in its subnet. */
  owns(route: Route): bool {
    const gw = ip_parse(route.gw);
    const src = ip_parse(route.src);
    const address = this.ip.address;
    return (gw !== null && address.contains(gw)) || (src !== null && address.contains(src));
  }
}

/** Whether a route moves to a lane; one that is of no address moves to all of its family. */
function goes(route: Route, lane: Lane, lanes: Lane[]): bool {
  if (route.table != TABLE_MAIN || route.dst.includes(":") != lane.ip.address.ip.v6) return false;
  if (lane.fixed && route.dst == lane.everywhere) return false;
  if (lane.owns(route)) return true;
  for (let i = 0; i < lanes.length; i++) if (lanes[i].owns(route)) return false;
  return true;
}

/** Finds out which lanes need a default route of our making. */
export function lanes_defaults(lanes: Lane[], routes: Route[]): void {
  for (let i = 0; i < lanes.length; i++) {
    const lane = lanes[i];
    lane.makes_default = lane.gateway !== null;
    for (let r = 0; r < routes.length; r++) {
      if (routes[r].dst == lane.everywhere && goes(routes[r], lane, lanes)) {
        lane.makes_default = false;
      }
    }
  }
}

/** Fills the tables: the routes that go along, and a default route where none does. */
export function lanes_fill(
  ns: i32,
  link: Link,
  lanes: Lane[],
  routes: Route[],
  adding: Adding,
): CniError | null {
  for (let i = 0; i < lanes.length; i++) {
    const lane = lanes[i];
    for (let r = 0; r < routes.length; r++) {
      if (!goes(routes[r], lane, lanes)) continue;
      const error = put(ns, link, route_in(routes[r], lane.table), adding);
      if (error) return error;
    }
    const gateway = lane.gateway;
    if (!lane.makes_default || !gateway) continue;
    const route = new Route();
    route.dst = lane.everywhere;
    route.gw = gateway.toString();
    route.table = lane.table;
    const error = put(ns, link, route, adding);
    if (error) return error;
  }
  return null;
}

function put(ns: i32, link: Link, route: Route, adding: Adding): CniError | null {
  if (route_add(ns, link.ifindex, route) >= 0)
    adding.note(new RouteChanged(link.ifindex, route, false));
  else if (failure_errno != EEXIST) return os_error(`add route ${route_text(route)}`);
  return null;
}

export function lanes_rules(ns: i32, lanes: Lane[], adding: Adding): CniError | null {
  for (let i = 0; i < lanes.length; i++) {
    const lane = lanes[i];
    if (fib_rule_add(ns, lane.src, lane.table, 0) < 0) {
      return os_error(`add the rule from ${lane.src} to table ${lane.table}`);
    }
    adding.note(new RuleAdded(lane.src, lane.table));
    if (isDefined(FAIRLEAD_TELLS)) {
      why("rule", `from ${lane.src} lookup ${lane.table}`, "what it sends goes by its own routes");
    }
  }
  return null;
}

/**
 * Takes the routes out of table main, those first that need others for their gateway. `hints`:
 * those to the interface's own subnets stay, and say the address to use.
 */
export function main_clear(
  ns: i32,
  link: Link,
  lanes: Lane[],
  routes: Route[],
  hints: bool,
  adding: Adding,
): CniError | null {
  for (let i = routes.length - 1; i >= 0; i--) {
    const route = routes[i];
    if (route.table != TABLE_MAIN) continue;
    const lane = hints ? lane_of(lanes, route.dst) : null;
    const src = lane && lane.ip.address.ip.v6 ? lane.ip.address.ip.toString() : route.src;
    if (hints && (lane || route.scope == SCOPE_LINK) && src == route.src) continue;
    if (route_del(ns, link.ifindex, route.dst, route.gw, TABLE_MAIN) < 0) {
      if (failure_errno == ESRCH) continue;
      return os_error(`remove route ${route_text(route)}`);
    }
    adding.note(new RouteChanged(link.ifindex, route, true));
    if (!lane) continue;
    const hint = route_in(route, TABLE_MAIN);
    hint.src = src;
    const error = put(ns, link, hint, adding);
    if (error) return error;
  }
  return hints ? hints_add(ns, link, lanes, routes, adding) : null;
}

/** The lane of a subnet. */
function lane_of(lanes: Lane[], subnet: string): Lane | null {
  for (let i = 0; i < lanes.length; i++) if (lanes[i].subnet == subnet) return lanes[i];
  return null;
}

/** A route to the subnet of an address where there was none that could stay. */
function hints_add(
  ns: i32,
  link: Link,
  lanes: Lane[],
  routes: Route[],
  adding: Adding,
): CniError | null {
  for (let i = 0; i < lanes.length; i++) {
    let found = false;
    for (let r = 0; r < routes.length; r++) {
      found = found || (routes[r].table == TABLE_MAIN && routes[r].dst == lanes[i].subnet);
    }
    if (found) continue;
    const hint = new Route();
    hint.dst = lanes[i].subnet;
    hint.src = lanes[i].ip.address.ip.toString();
    hint.scope = lanes[i].ip.address.ip.v6 ? 0 : SCOPE_LINK;
    hint.table = TABLE_MAIN;
    const error = put(ns, link, hint, adding);
    if (error) return error;
  }
  return null;
}

/**
 * CHECK: each lane has its rule, and its table leads everywhere. `table`: that of the
 * configuration, whose routes are somebody else's; 0 for one of each lane's own.
 */
export function lanes_check(
  lanes: Lane[],
  table: i32,
  rules: FibRule[],
  routes: Route[],
): CniError | null {
  for (let i = 0; i < lanes.length; i++) {
    const lane = lanes[i];
    let ruled = false;
    let led = table != 0 || !lane.gateway;
    for (let r = 0; r < rules.length; r++) {
      if (rules[r].more || rules[r].src != lane.src) continue;
      if (table != 0 && rules[r].table != table) continue;
      ruled = true;
      for (let j = 0; j < routes.length && !led; j++) {
        led = routes[j].table == rules[r].table && routes[j].dst == lane.everywhere;
      }
    }
    if (!ruled) return check_failed(`there is no rule for packets from ${lane.src}`);
    if (!led) return check_failed(`the table of ${lane.src} has no default route`);
  }
  return null;
}
