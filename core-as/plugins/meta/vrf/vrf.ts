// SPDX-License-Identifier: Apache-2.0
// The CNI type `vrf`, chained: puts the interface into a VRF of the container, which is made for
// the first and removed with the last. This file owns the keys and the order of work. What is
// recorded and how it goes back is joined.ts, what a link loses on the way carry.ts.
import { Adding } from "../../../attach/adding";
import { Link, link_get, link_list, link_set_master, link_set_up } from "../../../host/kernel";
import { Kind } from "../../../lib/json";
import { ifname_problem } from "../../../lib/name";
import { check_failed, check_prevResult } from "../../../net/check";
import { link_missing } from "../../../net/peer";
import { table_reserved } from "../../../net/tables";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Carried } from "./carry";
import { Joined, named, VRF, vrf_leave } from "./joined";
import { vrf_make, vrf_possible } from "./make";

export class Vrf extends Plugin {
  get chained(): bool {
    return true;
  }
  private name: string = "";
  /** 0: that of the VRF that is there, or the lowest free one. */
  private table: i32 = 0;

  describe(type: Type): void {
    type.role = Role.Meta;
    type.about = "chained: the interface in a VRF of the container";
    type.at(CONFIG, "vrfname table").at(RUNTIME, "");
    type.kernel = ["link vrf table 10"];
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    this.name = reader.string(request.config, "vrfname");
    const at = request.config.get("vrfname");
    if (reader.lacks(request.config, "vrfname")) {
      reader.invalid(`configuration is expected to have a valid vrf name: add "vrfname"`, at);
    } else if (ifname_problem(this.name).length > 0) {
      reader.invalid(`"vrfname" cannot be "${this.name}": ${ifname_problem(this.name)}`, at);
    }
    this.table = <i32>reader.integer(request.config, "table", 0, <i64>u32.MAX_VALUE, 0);
    if (this.table != 0 && table_reserved(this.table)) {
      reader.invalid(
        `"table" ${this.table} is one that every namespace has (default 253, main 254, local 255)`,
        request.config.get("table"),
      );
    }
    return reader.error;
  }

  add(request: Request, adding: Adding): Outcome {
    const result = check_prevResult(request);
    if (!result) return failed(request.reader.error);
    const ns = request.netns;
    const link = link_get(ns, request.env.ifname);
    if (!link) return failed(link_missing(request, VRF));
    const links = link_list(ns);
    if (!links) return failed(os_error("list the links of the container"));
    const problem = this.conflict(link, links);
    if (problem) return failed(problem);
    const joined = new Joined(this.name);
    joined.fresh = true;
    let error = adding.ahead(joined);
    if (!error && !named(links, this.name)) {
      error = vrf_make(ns, this.name, this.table, links);
      joined.made = !error;
    }
    if (!error) error = this.enter(ns, link, joined);
    return error ? failed(error) : new Outcome(result);
  }

  private conflict(link: Link, links: Link[]): CniError | null {
    const there = named(links, this.name);
    if (there && there.kind != "vrf") {
      const kind = there.kind.length > 0 ? ` of kind ${there.kind}` : "";
      return new CniError(
        Code.InterfaceExists,
        `"${this.name}" is an interface${kind} of the container: choose another "vrfname"`,
      );
    }
    if (there && this.table != 0 && there.table != this.table) {
      return new CniError(
        Code.InvalidConfig,
        `VRF ${this.name} already exist with different routing table ${<u32>there.table}: ` +
          `leave out "table" to use that`,
      );
    }
    if (link.master == 0) return null;
    let master = link.master.toString();
    for (let i = 0; i < links.length; i++) {
      if (links[i].ifindex == link.master) master = links[i].name;
    }
    return new CniError(
      Code.InterfaceExists,
      `interface ${link.name} has already a master set: ${master}: it can be in one VRF only`,
    );
  }

  private enter(ns: i32, link: Link, joined: Joined): CniError | null {
    const vrf = link_get(ns, this.name);
    if (!vrf) return os_error(`find the VRF "${this.name}"`);
    if (!vrf.up) {
      if (link_set_up(ns, vrf.ifindex) < 0) return os_error(`set the VRF "${this.name}" up`);
      joined.upped = vrf.ifindex;
    }
    const carried = new Carried(ns, link.ifindex);
    if (carried.error) return carried.error;
    if (link_set_master(ns, link.ifindex, vrf.ifindex) < 0) {
      return os_error(`put "${link.name}" into the VRF "${this.name}"`);
    }
    if (isDefined(FAIRLEAD_TELLS)) joined.tell(vrf.table, this.table != 0);
    joined.ifindex = link.ifindex;
    joined.carried = carried;
    return carried.put_back(vrf.table);
  }

  check(request: Request): CniError | null {
    if (!check_prevResult(request)) return request.reader.error;
    const link = link_get(request.netns, request.env.ifname);
    if (!link) return link_missing(request, VRF);
    const links = link_list(request.netns);
    if (!links) return os_error("list the links of the container");
    const vrf = named(links, this.name);
    if (!vrf || vrf.kind != "vrf") return check_failed(`the VRF "${this.name}" is missing`);
    if (link.master != vrf.ifindex) {
      return check_failed(`interface "${link.name}" is not in the VRF "${this.name}"`);
    }
    if (this.table == 0 || vrf.table == this.table) return null;
    const tables = `table ${<u32>vrf.table}, not ${<u32>this.table}`;
    return check_failed(`the VRF "${this.name}" has ${tables}`);
  }

  /** An interface that goes takes its routes along, so what it lost is not put back. */
  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (recorded || request.netns == 0) return;
    const given = request.config.get("vrfname");
    const name = given && given.kind == Kind.String ? given.text : "";
    vrf_leave(request.netns, request.env.ifname, name, errors);
  }

  status(request: Request): CniError | null {
    return vrf_possible();
  }
}
