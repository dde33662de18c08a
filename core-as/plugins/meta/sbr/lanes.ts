// How sbr moves the routes of an interface: into a table for each of its addresses, with a rule
// that leads packets from the address there, and back. The effect "sbr" knows the rules, so that
// DEL finds them when the interface is gone.
import { Adding } from "../../../attach/adding";
import { RouteChanged, RuleAdded } from "../../../attach/changes";
import { Effect, Site } from "../../../attach/effect";
import { failure_errno } from "../../../host/failure";
import {
  addr_list,
  FibRule,
  fib_rule_add,
  fib_rule_del,
  fib_rule_list,
  Link,
  link_get,
  Route,
  route_add,
  route_del,
} from "../../../host/kernel";
import { EEXIST, ENODEV, ENOENT, EOPNOTSUPP, ESRCH } from "../../../lib/errno";
import { Ip, ip_parse } from "../../../lib/ip";
import { JsonValue, Kind } from "../../../lib/json";
import {
  route_ensure,
  route_in,
  route_text,
  routes_of,
  rules_error,
  TABLE_MAIN,
} from "../../../net/tables";
import { CniError, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { IPConfig } from "../../../spec/types";

export const SBR = "sbr";
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

/** Notes what is to come. `moves`: routes move too. */
export function lanes_note(lanes: Lane[], moves: bool, adding: Adding): CniError | null {
  const own = new Array<Own>();
  for (let i = 0; i < lanes.length; i++) {
    const lane = lanes[i];
    const gateway = lane.gateway;
    const one = new Own(lane.src, lane.table, moves);
    if (lane.makes_default && gateway) one.made_default = gateway.toString();
    own.push(one);
  }
  const effect = new Sourced(own, moves);
  effect.fresh = true;
  return adding.ahead(effect);
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

/** A rule of the attachment, and whether the routes of its table go back to main. */
class Own {
  made_default: string = "";
  constructor(
    public src: string,
    public table: i32,
    public moved: bool,
  ) {}
}

/** The rules of an attachment's addresses, and the tables that its routes moved to. */
export class Sourced extends Effect {
  /** Of this very call, which noted each of its steps. */
  fresh: bool = false;
  constructor(
    private own: Own[],
    private moves: bool,
  ) {
    super();
  }
  get word(): string {
    return SBR;
  }
  write(into: JsonValue): void {
    into.append("moves", JsonValue.bool(this.moves));
    const rules = JsonValue.array();
    for (let i = 0; i < this.own.length; i++) {
      const one = this.own[i];
      const rule = JsonValue.object();
      rule.append("src", JsonValue.string(one.src));
      rule.append("table", JsonValue.number(<u32>one.table));
      if (one.made_default.length > 0) rule.append("default", JsonValue.string(one.made_default));
      rules.push(rule);
    }
    into.append("rules", rules);
  }
  undo(site: Site, errors: CniError[]): bool {
    if (this.fresh) return true;
    if (site.ns == 0) return !site.unreached;
    return sourced_undo(site.ns, site.ifname, this.own, errors);
  }
}

/** Reads one; null when it is none. */
export function sourced_read(from: JsonValue): Sourced | null {
  const rules = from.get("rules");
  const moves = from.get("moves");
  if (!rules || rules.kind != Kind.Array || !moves) return null;
  const own = new Array<Own>();
  for (let i = 0; i < rules.items.length; i++) {
    const item = rules.items[i];
    if (item.kind != Kind.Object) continue;
    const src = item.get("src");
    const table = item.get("table");
    const made = item.get("default");
    if (!src || src.kind != Kind.String || !table || !table.isInteger()) continue;
    const one = new Own(src.text, <i32>table.integer(), moves.bool);
    if (made && made.kind == Kind.String) one.made_default = made.text;
    own.push(one);
  }
  return new Sourced(own, moves.bool);
}

/**
 * What an ADD of another made, which has no record: the rules from addresses of the interface, of
 * the result when it is gone; of one table when the configuration names one.
 */
function guessed(request: Request, rules: FibRule[], link: Link | null): Own[] {
  const own = new Array<Own>();
  const sources = new Set<string>();
  const list = link ? addr_list(request.netns, link.ifindex) : null;
  for (let i = 0; list && i < list.length; i++) {
    const address = list[i].address;
    const width = address.includes(":") ? 128 : 32;
    sources.add(`${address.substring(0, address.indexOf("/"))}/${width}`);
  }
  const result = request.prevResult();
  for (let i = 0; !link && result && i < result.ips.length; i++) {
    const ip = result.ips[i].address.ip;
    sources.add(`${ip.toString()}/${ip.width}`);
  }
  const given = request.config.get("table");
  const table = given && given.isInteger() ? <i32>given.integer() : 0;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i];
    if (rule.more || !sources.has(rule.src) || (table != 0 && rule.table != table)) continue;
    own.push(new Own(rule.src, rule.table, table == 0 && rule.table != TABLE_MAIN));
  }
  return own;
}

/** Takes back what no record knows. */
export function sourced_unrecorded(request: Request, errors: CniError[]): void {
  const ns = request.netns;
  const ifname = request.env.ifname;
  const link = link_get(ns, ifname);
  if (!link && failure_errno != ENODEV) {
    errors.push(os_error(`look for "${ifname}"`));
    return;
  }
  const rules = rules_of(ns, errors);
  sourced_undo(ns, ifname, guessed(request, rules, link), errors);
}

/** Moves the routes back, those that others need for their gateway first, then removes rules. */
function sourced_undo(ns: i32, ifname: string, own: Own[], errors: CniError[]): bool {
  const before = errors.length;
  const link = link_get(ns, ifname);
  if (!link && failure_errno != ENODEV) {
    errors.push(os_error(`look for "${ifname}"`));
    return false;
  }
  const rules = rules_of(ns, errors);
  if (link) routes_back(ns, link, own, errors);
  // Without the rules a second DEL might not know what is left to be moved.
  if (errors.length == before) rules_drop(ns, own, rules, errors);
  return errors.length == before;
}

/** The rules of a namespace; a kernel without policy routing has none. */
function rules_of(ns: i32, errors: CniError[]): FibRule[] {
  const rules = fib_rule_list(ns);
  if (!rules && failure_errno != EOPNOTSUPP) errors.push(rules_error());
  return rules ? rules : [];
}

function routes_back(ns: i32, link: Link, own: Own[], errors: CniError[]): void {
  const routes = own.length > 0 ? routes_of(ns, link.ifindex) : new Array<Route>();
  if (!routes) {
    errors.push(os_error(`list the routes of "${link.name}"`));
    return;
  }
  const moved = new Array<Route>();
  for (let i = 0; i < routes.length; i++) {
    const route = routes[i];
    const home = home_of(route, own);
    if (!home) continue;
    const made = route.gw.length > 0 && route.gw == home.made_default && route.dst.endsWith("/0");
    let error: CniError | null = null;
    if (!made) error = route_ensure(ns, link.ifindex, route_in(route, TABLE_MAIN));
    if (error) errors.push(error);
    else moved.push(route);
  }
  // Those with a gateway first: to remove one without removes any of its destination.
  for (let i = moved.length - 1; i >= 0; i--) {
    const route = moved[i];
    if (route_del(ns, link.ifindex, route.dst, route.gw, route.table) >= 0) continue;
    if (failure_errno != ESRCH) errors.push(os_error(`remove route ${route_text(route)}`));
  }
}

function home_of(route: Route, own: Own[]): Own | null {
  for (let i = 0; i < own.length; i++) {
    if (own[i].moved && own[i].table == route.table) return own[i];
  }
  return null;
}

/** By their priorities: without one a rule that asks for more than the source might go instead. */
function rules_drop(ns: i32, own: Own[], rules: FibRule[], errors: CniError[]): void {
  for (let i = 0; i < own.length; i++) {
    const one = own[i];
    for (let r = 0; r < rules.length; r++) {
      const rule = rules[r];
      if (rule.more || rule.src != one.src || rule.table != one.table) continue;
      // Of two alike each is somebody's own.
      rules.splice(r, 1);
      if (fib_rule_del(ns, rule.src, rule.table, rule.priority) < 0 && failure_errno != ENOENT) {
        errors.push(os_error(`remove the rule from ${one.src} to table ${<u32>one.table}`));
      }
      break;
    }
  }
}
