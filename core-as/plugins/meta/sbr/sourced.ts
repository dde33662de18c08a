// SPDX-License-Identifier: Apache-2.0
// What `sbr` made of an attachment and how it goes back: the effect "sbr", which knows the rules,
// so that DEL finds them when the interface is gone; without a record, what the addresses tell.
import { Adding } from "../../../attach/adding";
import { Effect, Site } from "../../../attach/effect";
import { failure_errno } from "../../../host/failure";
import {
  addr_list,
  FibRule,
  fib_rule_del,
  fib_rule_list,
  Link,
  link_get,
  Route,
  route_del,
} from "../../../host/kernel";
import { ENODEV, ENOENT, EOPNOTSUPP, ESRCH } from "../../../lib/errno";
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
import { Lane } from "./lanes";

export const SBR = "sbr";

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

/** A rule of the attachment, and whether the routes of its table go back to main. */
class Own {
  made_default: string = "";
  constructor(
    public src: string,
    /** Unsigned, as it is written: the optimizer widens an i32 with its sign, against <u32>. */
    public table: u32,
    public moved: bool,
  ) {}
}

/** The rules of an attachment's addresses, and the tables that its routes moved to. */
class Sourced extends Effect {
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
      rule.append("table", JsonValue.number(one.table));
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
    const one = new Own(src.text, <u32>table.integer(), moves.bool);
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
    if (own[i].moved && own[i].table == <u32>route.table) return own[i];
  }
  return null;
}

/** By their priorities: without one a rule that asks for more than the source might go instead. */
function rules_drop(ns: i32, own: Own[], rules: FibRule[], errors: CniError[]): void {
  for (let i = 0; i < own.length; i++) {
    const one = own[i];
    for (let r = 0; r < rules.length; r++) {
      const rule = rules[r];
      if (rule.more || rule.src != one.src || <u32>rule.table != one.table) continue;
      // Of two alike each is somebody's own.
      rules.splice(r, 1);
      if (fib_rule_del(ns, rule.src, rule.table, rule.priority) < 0 && failure_errno != ENOENT) {
        errors.push(os_error(`remove the rule from ${one.src} to table ${one.table}`));
      }
      break;
    }
  }
}
