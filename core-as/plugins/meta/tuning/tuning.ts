// The CNI type `tuning`, chained: sysctls of the container's namespace, and properties of its
// interface. This file owns the keys and the order of work; what is recorded and how it goes back
// is restore.ts, the spelling of sysctls and the allow-list sysctls.ts.
import { Adding } from "../../../attach/adding";
import { HOST, Link, link_get, sysctl_read, sysctl_write } from "../../../host/kernel";
import { JsonValue } from "../../../lib/json";
import { mac_normal } from "../../../lib/name";
import { check_failed, check_prevResult } from "../../../net/check";
import { host_end, link_missing } from "../../../net/peer";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { ARGS, CNI_ARGS, CONFIG, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniArgs } from "../../../spec/args";
import { CniError, os_error } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { Result } from "../../../spec/types";
import {
  backup_dir,
  TUNING,
  Tunable,
  tune,
  tuned_link,
  tuning_note,
  tuning_unrecorded,
} from "./restore";
import { Sysctl, sysctl_equal, sysctls_forbidden, sysctls_read } from "./sysctls";

export class Tuning extends Plugin {
  get chained(): bool {
    return true;
  }

  private dataDir: string = "";
  private sysctls: Sysctl[] = [];
  private mac: string = "";
  private promisc: bool = false;
  private mtu_bytes: i32 = 0;
  /** -1 when not asked for. */
  private allmulti: i32 = -1;
  private txqlen: i32 = -1;

  describe(type: Type): void {
    type.role = Role.Meta;
    type.about = "chained: sysctls and properties of the container's interface";
    type
      .at(CONFIG, "sysctl mac promisc mtu allmulti txQLen dataDir")
      .at(ARGS, "sysctl mac promisc mtu allmulti txQLen")
      .at(RUNTIME, "mac")
      .at(CNI_ARGS, "MAC");
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    this.dataDir = backup_dir(request);
    this.read(request, request.config);
    const args = new CniArgs(request.env.args);
    const from_args = args.get("MAC");
    if (from_args.length > 0) this.mac = from_args;
    const runtime = request.runtimeConfig();
    if (runtime) this.mac = reader.string(runtime, "mac", this.mac);
    const cni = request.cniArgs();
    if (cni) this.read(request, cni);
    if (this.mac.length > 0) {
      const given = this.mac;
      this.mac = mac_normal(given);
      if (this.mac.length == 0) {
        reader.invalid(
          `the requested MAC address "${given}" is not a unicast address such as 02:42:ac:11:00:02`,
        );
      }
    }
    if (reader.error) return reader.error;
    if (args.error) return args.error;
    // What was allowed at ADD is there; CHECK compares it all the same.
    return request.env.command == "CHECK" ? null : sysctls_forbidden(this.sysctls);
  }

  /** The keys of the configuration or, over them, of args.cni. */
  private read(request: Request, from: JsonValue): void {
    const reader = request.reader;
    this.mac = reader.string(from, "mac", this.mac);
    this.promisc = reader.bool(from, "promisc", this.promisc);
    this.mtu_bytes = <i32>reader.integer(from, "mtu", 0, i32.MAX_VALUE, this.mtu_bytes);
    if (from.get("allmulti")) this.allmulti = i32(reader.bool(from, "allmulti"));
    this.txqlen = <i32>reader.integer(from, "txQLen", 0, i32.MAX_VALUE, this.txqlen);
    const sysctls = reader.object(from, "sysctl");
    if (sysctls) sysctls_read(reader, sysctls, request.env.ifname, this.sysctls);
  }

  /** The properties of the interface that are to be changed. */
  private asked(): string[] {
    const keys = new Array<string>();
    if (this.mac.length > 0) keys.push("mac");
    if (this.promisc) keys.push("promisc");
    if (this.mtu_bytes > 0) keys.push("mtu");
    if (this.allmulti >= 0) keys.push("allmulti");
    if (this.txqlen >= 0) keys.push("txQLen");
    return keys;
  }

  add(request: Request, adding: Adding): Outcome {
    const result = check_prevResult(request);
    if (!result) return failed(request.reader.error);
    const asked = this.asked();
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
    let error = this.remember(request, link, host, adding);
    if (!error) error = this.sysctls_set(request);
    if (!error && link) error = this.tune(request, link, host);
    if (error) return failed(error);
    for (let i = 0; i < result.interfaces.length; i++) {
      const item = result.interfaces[i];
      if (item.name != request.env.ifname) continue;
      if (this.mac.length > 0) item.mac = this.mac;
      if (this.mtu_bytes > 0 && item.mtu_bytes > 0) item.mtu_bytes = this.mtu_bytes;
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
    if (link) tuned_link(record, link, host, this.asked());
    const old = JsonValue.object();
    for (let i = 0; i < this.sysctls.length; i++) {
      const sysctl = this.sysctls[i];
      // One that cannot be read, such as net.ipv4.route.flush, has nothing to go back to.
      const value = sysctl_read(request.netns, sysctl.path);
      if (value !== null) old.append(sysctl.path, JsonValue.string(value));
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

  private tune(request: Request, link: Link, host: Link | null): CniError | null {
    const ns = request.netns;
    let error: CniError | null = null;
    if (this.mac.length > 0) error = tune(ns, link, Tunable.Address, this.mac, 0);
    if (!error && this.promisc) error = tune(ns, link, Tunable.Promisc, "", 1);
    if (!error && this.mtu_bytes > 0) {
      error = tune(ns, link, Tunable.Mtu, "", this.mtu_bytes);
      if (!error && host) error = tune(HOST, host, Tunable.Mtu, "", this.mtu_bytes);
    }
    if (!error && this.allmulti >= 0) {
      error = tune(ns, link, Tunable.Allmulti, "", this.allmulti);
    }
    if (error || this.txqlen < 0) return error;
    return tune(ns, link, Tunable.Txqlen, "", this.txqlen);
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
    return this.asked().length > 0 ? this.check_link(request, result) : null;
  }

  private check_link(request: Request, result: Result): CniError | null {
    const link = link_get(request.netns, request.env.ifname);
    if (!link) return link_missing(request, TUNING);
    const name = link.name;
    if (this.mac.length > 0 && link.address != this.mac) {
      return check_failed(`interface "${name}" has MAC ${link.address}, not ${this.mac}`);
    }
    if (this.promisc && !link.promisc) {
      return check_failed(`interface "${name}" is not in promiscuous mode`);
    }
    if (this.mtu_bytes > 0) {
      const end = host_end(link, result);
      const error = end.error ? end.error : this.check_mtu(link);
      const host = end.link;
      if (error) return error;
      if (host && this.check_mtu(host)) return this.check_mtu(host);
    }
    if (this.allmulti >= 0 && link.allmulti != (this.allmulti == 1)) {
      return check_failed(`interface "${name}" has allmulti ${link.allmulti}`);
    }
    if (this.txqlen >= 0 && link.txqlen != this.txqlen) {
      return check_failed(`interface "${name}" has txQLen ${link.txqlen}, not ${this.txqlen}`);
    }
    return null;
  }

  private check_mtu(link: Link): CniError | null {
    if (link.mtu_bytes == this.mtu_bytes) return null;
    return check_failed(
      `interface "${link.name}" has MTU ${link.mtu_bytes}, not ${this.mtu_bytes}`,
    );
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (!recorded) tuning_unrecorded(request, errors);
  }

  status(request: Request): CniError | null {
    return null;
  }
}
