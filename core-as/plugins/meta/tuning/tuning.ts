// SPDX-License-Identifier: Apache-2.0
// The CNI type `tuning`, chained: the namespace's sysctls and the interface's properties, in order.
// wanted.ts has what is wanted, sysctls.ts spelling and allow-list, restore.ts how it goes back.
import { Adding } from "../../../attach/adding";
import { Link, link_get, sysctl_read, sysctl_write } from "../../../host/kernel";
import { JsonValue } from "../../../lib/json";
import { check_failed, check_prevResult } from "../../../net/check";
import { host_end, link_missing } from "../../../net/peer";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { ARGS, CNI_ARGS, CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniArgs } from "../../../spec/args";
import { CniError, os_error } from "../../../spec/error";
import { Reach } from "../../../spec/reach";
import { Request } from "../../../spec/request";
import { backup_dir } from "./backup";
import { TUNING, tuned_link, tuning_note, tuning_unrecorded } from "./restore";
import { Sysctl, sysctl_equal, sysctls_forbidden, sysctls_read } from "./sysctls";
import { sysctl_tell, Wanted } from "./wanted";

export class Tuning extends Plugin {
  get chained(): bool {
    return true;
  }

  private dataDir: string = "";
  private sysctls: Sysctl[] = [];
  private wanted: Wanted = new Wanted();
  describe(type: Type): void {
    type.role = Role.Meta;
    type.about = "chained: sysctls and properties of the container's interface";
    type
      .at(CONFIG, "sysctl mac promisc mtu allmulti txQLen dataDir")
      .at(ARGS, "sysctl mac promisc mtu allmulti txQLen")
      .at(RUNTIME, "mac")
      .at(CNI_ARGS, "MAC");
  }
  reach(request: Request, into: Reach): void {
    into.write(backup_dir(request));
  }
  load(request: Request): CniError | null {
    const reader = request.reader;
    this.dataDir = backup_dir(request);
    this.read(request, request.config);
    const args = new CniArgs(request.env.args);
    const from_args = args.get("MAC");
    if (from_args.length > 0) this.wanted.mac = from_args;
    const runtime = request.runtimeConfig();
    if (runtime) this.wanted.mac = reader.string(runtime, "mac", this.wanted.mac);
    const cni = request.cniArgs();
    if (cni) this.read(request, cni);
    this.wanted.normalize(reader);
    if (reader.error) return reader.error;
    if (args.error) return args.error;
    // What was allowed at ADD is there; CHECK compares it all the same.
    return request.env.command == "CHECK" ? null : sysctls_forbidden(this.sysctls);
  }

  /** The keys of the configuration or, over them, of args.cni. */
  private read(request: Request, from: JsonValue): void {
    const reader = request.reader;
    this.wanted.read(reader, from);
    const sysctls = reader.object(from, "sysctl");
    if (sysctls) sysctls_read(reader, sysctls, request.env.ifname, this.sysctls);
  }

  add(request: Request, adding: Adding): Outcome {
    const result = check_prevResult(request);
    if (!result) return failed(request.reader.error);
    const asked = this.wanted.asked();
    if (asked.length == 0 && this.sysctls.length == 0) return new Outcome(result);
    let link: Link | null = null;
    let host: Link | null = null;
    if (asked.length > 0) {
      link = link_get(request.netns, request.env.ifname);
      if (!link) return failed(link_missing(request, TUNING));
      const end = host_end(link, result);
      if (end.error) return failed(end.error);
      host = end.link;
    }
    if (isDefined(FAIRLEAD_TELLS)) this.wanted.tell(host);
    let error = this.remember(request, link, host, adding);
    if (!error) error = this.sysctls_set(request);
    if (!error && link) error = this.wanted.set(request.netns, link, host);
    if (error) return failed(error);
    for (let i = 0; i < result.interfaces.length; i++) {
      const item = result.interfaces[i];
      if (item.name != request.env.ifname) continue;
      if (this.wanted.mac.length > 0) item.mac = this.wanted.mac;
      if (this.wanted.mtu_bytes > 0 && item.mtu_bytes > 0) item.mtu_bytes = this.wanted.mtu_bytes;
    }
    return new Outcome(result);
  }

  /** Writes down what is to be changed, as it is now. */
  private remember(
    request: Request,
    link: Link | null,
    host: Link | null,
    adding: Adding,
  ): CniError | null {
    const record = JsonValue.object();
    record.append("dataDir", JsonValue.string(this.dataDir));
    if (link) tuned_link(record, link, host, this.wanted.asked());
    const old = JsonValue.object();
    for (let i = 0; i < this.sysctls.length; i++) {
      const sysctl = this.sysctls[i];
      // One that cannot be read, such as net.ipv4.route.flush, has nothing to go back to.
      const value = sysctl_read(request.netns, sysctl.path);
      if (value !== null) old.append(sysctl.path, JsonValue.string(value));
      if (isDefined(FAIRLEAD_TELLS)) sysctl_tell(sysctl, value !== null);
    }
    if (old.items.length > 0) record.append("sysctl", old);
    return tuning_note(request, record, adding);
  }

  private sysctls_set(request: Request): CniError | null {
    for (let i = 0; i < this.sysctls.length; i++) {
      const sysctl = this.sysctls[i];
      if (sysctl_write(request.netns, sysctl.path, sysctl.value) < 0) {
        return os_error(`set sysctl ${sysctl.key} to "${sysctl.value}"`);
      }
    }
    return null;
  }

  check(request: Request): CniError | null {
    const result = check_prevResult(request);
    if (!result) return request.reader.error;
    for (let i = 0; i < this.sysctls.length; i++) {
      const sysctl = this.sysctls[i];
      const value = sysctl_read(request.netns, sysctl.path);
      if (value === null) return os_error(`read sysctl ${sysctl.key}`);
      if (!sysctl_equal(value, sysctl.value)) {
        return check_failed(`sysctl ${sysctl.key} is "${value}", not "${sysctl.value}"`);
      }
    }
    if (this.wanted.asked().length == 0) return null;
    const link = link_get(request.netns, request.env.ifname);
    if (!link) return link_missing(request, TUNING);
    return this.wanted.check(link, result, !request.unrecorded);
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (!recorded) tuning_unrecorded(request, errors);
  }

  status(request: Request): CniError | null {
    return null;
  }
}
