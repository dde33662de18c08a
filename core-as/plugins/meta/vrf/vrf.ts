// The CNI type `vrf`, chained: puts the interface into a VRF of the container, which is made for
// the first and removed with the last. This file owns the keys and the order of work; what a link
// loses on the way is carry.ts.
import { Adding } from "../../../attach/adding";
import { undone } from "../../../attach/changes";
import { Effect, Site } from "../../../attach/effect";
import { failure_errno } from "../../../host/failure";
import {
  HOST,
  Link,
  link_add_vrf,
  link_del,
  link_get,
  link_list,
  link_set_down,
  link_set_master,
  link_set_up,
} from "../../../host/kernel";
import { EEXIST, EINVAL, ENODEV, EOPNOTSUPP } from "../../../lib/errno";
import { JsonValue, Kind } from "../../../lib/json";
import { ifname_problem } from "../../../lib/name";
import { check_failed, check_prevResult } from "../../../net/check";
import { link_missing } from "../../../net/peer";
import { TABLE_MAIN, Tables, table_reserved } from "../../../net/tables";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniError, Code, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Carried } from "./carry";

const VRF = "vrf";
/** No VRF of this name is ever made: table 0 is refused after the kind is known. */
const PROBE = "fairlead-probe";

/** An interface in a VRF, which goes with the last that is in it. */
export class Joined extends Effect {
  /** Of this very call: it takes back what it did and no more. */
  fresh: bool = false;
  made: bool = false;
  /** ifindex of a VRF that was down; 0 for none. */
  upped: i32 = 0;
  ifindex: i32 = 0;
  carried: Carried | null = null;

  constructor(private name: string) {
    super();
  }
  get word(): string {
    return VRF;
  }
  write(into: JsonValue): void {
    into.append("vrf", JsonValue.string(this.name));
  }
  undo(site: Site, errors: CniError[]): bool {
    if (site.ns == 0) return !site.unreached;
    const before = errors.length;
    if (this.fresh) this.roll_back(site.ns, errors);
    else vrf_leave(site.ns, site.ifname, this.name, errors);
    return errors.length == before;
  }

  private roll_back(ns: i32, errors: CniError[]): void {
    const carried = this.carried;
    if (carried && link_set_master(ns, this.ifindex, 0) >= 0) {
      const error = carried.put_back(TABLE_MAIN);
      if (error) errors.push(new CniError(error.code, `undo: ${error.msg}`, error.details));
    } else if (carried && failure_errno != ENODEV) {
      errors.push(os_error(`undo: take link ${this.ifindex} out of its VRF`));
    }
    if (this.upped != 0) undone(link_set_down(ns, this.upped), `set "${this.name}" down`, errors);
    if (!this.made) return;
    const tried = `remove the VRF "${this.name}"`;
    const vrf = link_get(ns, this.name);
    if (vrf) undone(link_del(ns, vrf.ifindex), tried, errors);
    else undone(-1, tried, errors);
  }
}

/** Reads one; null when it is none. */
export function joined_read(from: JsonValue): Joined | null {
  const name = from.get("vrf");
  return name && name.kind == Kind.String ? new Joined(name.text) : null;
}

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
    if (!error && !named(links, this.name)) error = this.make(ns, links, joined);
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

  private make(ns: i32, links: Link[], joined: Joined): CniError | null {
    let table = this.table;
    if (table == 0) {
      const tables = new Tables(ns, links);
      if (tables.error) return tables.error;
      table = tables.take(1);
    }
    if (link_add_vrf(ns, this.name, table) < 0) {
      return failure_errno == EOPNOTSUPP ? unsupported(Code.Kernel) : os_error(this.making(table));
    }
    joined.made = true;
    return null;
  }

  private making(table: i32): string {
    return `make the VRF "${this.name}" over table ${<u32>table}`;
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
    const made = link_add_vrf(HOST, PROBE, 0);
    if (made < 0 && (failure_errno == EINVAL || failure_errno == EEXIST)) return null;
    if (made < 0 && failure_errno == EOPNOTSUPP) return unsupported(Code.NotAvailable);
    return made < 0 ? os_error("ask the kernel for VRFs", Code.NotAvailable) : null;
  }
}

function unsupported(code: i32): CniError {
  return new CniError(
    code,
    "this kernel has no VRFs: it needs CONFIG_NET_VRF (the module vrf)",
    "EOPNOTSUPP",
  );
}

function named(links: Link[], name: string): Link | null {
  for (let i = 0; i < links.length; i++) if (links[i].name == name) return links[i];
  return null;
}

/** Takes an interface out of a VRF, and the VRF away when nothing is in it any more. */
function vrf_leave(ns: i32, ifname: string, name: string, errors: CniError[]): void {
  const links = link_list(ns);
  if (!links) {
    errors.push(os_error("list the links of the container"));
    return;
  }
  const vrf = named(links, name);
  if (!vrf || vrf.kind != "vrf") return;
  let others = false;
  for (let i = 0; i < links.length; i++) {
    const link = links[i];
    if (link.master != vrf.ifindex) continue;
    if (link.name != ifname) others = true;
    else if (link_set_master(ns, link.ifindex, 0) < 0 && failure_errno != ENODEV) {
      errors.push(os_error(`take "${ifname}" out of the VRF "${name}"`));
    }
  }
  if (others || link_del(ns, vrf.ifindex) >= 0 || failure_errno == ENODEV) return;
  errors.push(os_error(`remove the VRF "${name}"`));
}
