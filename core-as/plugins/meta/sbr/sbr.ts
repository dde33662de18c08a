// The CNI type `sbr`, chained: source based routing. Packets from an address of the interface are
// looked up in a table of its own, which its routes move to. This file owns the keys and the order
// of work; how the routes move, there and back, is lanes.ts.
import { Adding } from "../../../attach/adding";
import { failure_errno } from "../../../host/failure";
import { fib_rule_list, HOST, Link, link_get, link_list } from "../../../host/kernel";
import { EOPNOTSUPP } from "../../../lib/errno";
import { Ip, ip_parse } from "../../../lib/ip";
import { check_failed, check_prevResult } from "../../../net/check";
import { iface_ips } from "../../../net/iface";
import { link_missing } from "../../../net/peer";
import { routes_of, rules_error, Tables } from "../../../net/tables";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import {
  Lane,
  lanes_defaults,
  lanes_fill,
  lanes_note,
  lanes_rules,
  main_clear,
  SBR,
  sourced_unrecorded,
} from "./lanes";

/** The first table that is tried, as in the reference. */
const TABLE_FIRST = 100;

export class Sbr extends Plugin {
  get chained(): bool {
    return true;
  }
  /** A table of somebody else, whose routes he keeps; 0: one of our own for each address. */
  private table: i32 = 0;
  private gateway4: Ip | null = null;
  private gateway6: Ip | null = null;
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
    this.read_gateways(request);
    return reader.error;
  }

  private read_gateways(request: Request): void {
    const reader = request.reader;
    const texts = reader.strings(request.config, "gateways");
    const at = request.config.get("gateways");
    if (!texts) return;
    if (texts.length > 2) {
      reader.invalid("gateways list cannot contain more than 2 entries: one of each family", at);
    }
    for (let i = 0; i < texts.length; i++) {
      const ip = ip_parse(texts[i]);
      if (!ip) {
        reader.invalid(`invalid static gateway IP address: ${texts[i]}`, at);
        continue;
      }
      const other = ip.v6 ? this.gateway6 : this.gateway4;
      if (other) {
        const family = ip.v6 ? "IPv6" : "IPv4";
        const both = `${other.toString()} and ${ip.toString()}`;
        reader.invalid(`gateways list contains multiple ${family} addresses: ${both}`, at);
      }
      if (ip.v6) this.gateway6 = ip;
      else this.gateway4 = ip;
    }
  }

  /** The addresses of the interface; what is wrong with them lands in the reader. */
  private lanes(request: Request): Lane[] {
    const lanes = new Array<Lane>();
    const result = check_prevResult(request);
    if (!result) return lanes;
    const ips = iface_ips(request, result);
    for (let i = 0; i < ips.length; i++) {
      const fixed = ips[i].address.ip.v6 ? this.gateway6 : this.gateway4;
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
    for (let i = 0; i < lanes.length; i++) {
      const lane = lanes[i];
      let ruled = false;
      let led = this.table != 0 || !lane.gateway;
      for (let r = 0; r < rules.length; r++) {
        if (rules[r].more || rules[r].src != lane.src) continue;
        if (this.table != 0 && rules[r].table != this.table) continue;
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
