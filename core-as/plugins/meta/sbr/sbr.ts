// SPDX-License-Identifier: Apache-2.0
// The CNI type `sbr`, chained: source based routing. Packets from an address of the interface are
// looked up in a table of its own, which its routes move to. This file owns the keys and the order
// of work; how the routes move is lanes.ts, and how they go back sourced.ts.
import { Adding } from "../../../attach/adding";
import { failure_errno } from "../../../host/failure";
import { fib_rule_list, HOST, Link, link_get, link_list } from "../../../host/kernel";
import { EOPNOTSUPP } from "../../../lib/errno";
import { check_prevResult } from "../../../net/check";
import { iface_ips } from "../../../net/iface";
import { link_missing } from "../../../net/peer";
import { routes_of, rules_error, Tables } from "../../../net/tables";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { why } from "../../../spec/why";
import { Gateways } from "./gateways";
import { Lane, lanes_check, lanes_defaults, lanes_fill, lanes_rules, main_clear } from "./lanes";
import { lanes_note, SBR, sourced_unrecorded } from "./sourced";

/** The first table that is tried, as in the reference. */
const TABLE_FIRST = 100;

export class Sbr extends Plugin {
  get chained(): bool {
    return true;
  }
  /** A table of somebody else, whose routes he keeps; 0: one of our own for each address. */
  private table: i32 = 0;
  private given: Gateways = new Gateways();
  private hints: bool = false;

  describe(type: Type): void {
    type.role = Role.Meta;
    type.about = "chained: a routing table for packets from the interface's addresses";
    type.at(CONFIG, "table gateways addSourceHints").at(RUNTIME, "");
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    this.table = <i32>reader.integer(request.config, "table", 1, <i64>u32.MAX_VALUE, 0);
    this.hints = reader.bool(request.config, "addSourceHints");
    this.given.read(reader, request.config);
    return reader.error;
  }

  /** The addresses of the interface; what is wrong with them lands in the reader. */
  private lanes(request: Request): Lane[] {
    const lanes = new Array<Lane>();
    const result = check_prevResult(request);
    if (!result) return lanes;
    const ips = iface_ips(request, result);
    for (let i = 0; i < ips.length; i++) {
      const fixed = this.given.of_family(ips[i].address.ip.v6);
      lanes.push(new Lane(ips[i], fixed, this.table));
    }
    if (lanes.length == 0) {
      request.reader.invalid(
        `No IP addresses supplied on interface: ${request.env.ifname}: ` +
          "put sbr behind a plugin that gives it one",
      );
    }
    return lanes;
  }

  add(request: Request, adding: Adding): Outcome {
    const lanes = this.lanes(request);
    if (request.reader.error) return failed(request.reader.error);
    const link = link_get(request.netns, request.env.ifname);
    if (!link) return failed(link_missing(request, SBR));
    const error = this.table == 0 ? this.choose(request, lanes) : null;
    if (error) return failed(error);
    for (let i = 0; isDefined(FAIRLEAD_TELLS) && i < lanes.length; i++) {
      const free = `the first from ${TABLE_FIRST} on that no rule, route or VRF has`;
      const table = this.table == 0 ? free : `"table" says so: its routes stay as they are`;
      why("table", lanes[i].table.toString(), table);
    }
    const problem = this.route(request, link, lanes, adding);
    return problem ? failed(problem) : new Outcome(request.prevResult());
  }

  private choose(request: Request, lanes: Lane[]): CniError | null {
    const links = link_list(request.netns);
    if (!links) return os_error("list the links of the container");
    const tables = new Tables(request.netns, links);
    if (tables.error) return tables.error;
    for (let i = 0; i < lanes.length; i++) lanes[i].table = tables.take(TABLE_FIRST);
    return null;
  }

  private route(request: Request, link: Link, lanes: Lane[], adding: Adding): CniError | null {
    const ns = request.netns;
    const moves = this.table == 0;
    const routes = routes_of(ns, link.ifindex);
    if (!routes) return os_error(`list the routes of "${link.name}"`);
    if (moves) lanes_defaults(lanes, routes);
    let error = lanes_note(lanes, moves, adding);
    if (!error && moves) error = lanes_fill(ns, link, lanes, routes, adding);
    if (!error) error = lanes_rules(ns, lanes, adding);
    if (error || !moves) return error;
    return main_clear(ns, link, lanes, routes, this.hints, adding);
  }

  check(request: Request): CniError | null {
    const lanes = this.lanes(request);
    if (request.reader.error) return request.reader.error;
    const link = link_get(request.netns, request.env.ifname);
    if (!link) return link_missing(request, SBR);
    const rules = fib_rule_list(request.netns);
    if (!rules) return rules_error();
    const routes = routes_of(request.netns, link.ifindex);
    if (!routes) return os_error(`list the routes of "${link.name}"`);
    return lanes_check(lanes, this.table, rules, routes);
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (!recorded && request.netns != 0) sourced_unrecorded(request, errors);
  }

  status(request: Request): CniError | null {
    if (fib_rule_list(HOST)) return null;
    const error = rules_error();
    if (failure_errno == EOPNOTSUPP) error.code = Code.NotAvailable;
    return error;
  }
}
