// The IPAM type `host-local`: one address per range set out of local leases. Keys, order of range
// sources, errors and files are the reference plugin's; leases.ts owns the files.
import { Adding } from "../../../attach/adding";
import { leases_recorded } from "../../../attach/living";
import { log } from "../../../host/store";
import { Ip, ip_parse, ip_parse_loose } from "../../../lib/ip";
import { JsonValue, Kind } from "../../../lib/json";
import { dir_usable } from "../../../lib/name";
import { texts_joined } from "../../../lib/utf8";
import { check_failed } from "../../../net/check";
import { ipam_object, too_many } from "../../../plugin/ipam";
import { failed, Outcome, Plugin } from "../../../plugin/plugin";
import { Pool } from "../../../plugin/pool";
import { ARGS, CNI_ARGS, IPAM, Role, RUNTIME, Type } from "../../../plugin/type";
import { CniArgs } from "../../../spec/args";
import { Attachments } from "../../../spec/attachments";
import { CniError, Code } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { routes_read } from "../../../spec/result";
import { Result, RouteConfig } from "../../../spec/types";
import { version_before } from "../../../spec/version";
import { Allocated, allocate_next, allocate_requested, exhausted } from "./allocate";
import { Leases, LeasesTaken } from "./leases";
import { pools_read, RangeSet, sets_check, sets_read } from "./ranges";
import { resolv_conf } from "./resolv-conf";

const DATA_DIR = "/var/lib/cni/networks";

export class HostLocal extends Plugin {
  private sets: RangeSet[] = [];
  private requested: Ip[] = [];
  private routes: RouteConfig[] = [];
  private dataDir: string = DATA_DIR;
  private resolvConf: string = "";
  /** STATUS of a range without a free address is an error. */
  private statusWhenFull: bool = false;

  get uses_netns(): bool {
    return false;
  }

  pools(request: Request): Pool[] {
    const ipam = request.config.get("ipam");
    return ipam ? pools_read(request, ipam) : new Array<Pool>();
  }

  describe(type: Type): void {
    type.role = Role.Ipam;
    type.about = "IPAM: addresses from ranges, leases in /var/lib/cni/networks";
    type
      .at(
        IPAM,
        "type ranges subnet rangeStart rangeEnd gateway routes dataDir resolvConf statusWhenFull",
      )
      .at(ARGS, "ips")
      .at(RUNTIME, "ips ipRanges")
      .at(CNI_ARGS, "IP");
  }

  load(request: Request): CniError | null {
    const reader = request.reader;
    const ipam = ipam_object(request);
    if (!ipam) return reader.error;
    this.readRanges(request, ipam);
    this.dataDir = data_dir(request);
    this.resolvConf = reader.string(ipam, "resolvConf");
    this.statusWhenFull = reader.bool(ipam, "statusWhenFull");
    this.routes = routes_read(reader, ipam, "routes", true);
    if (reader.error) return reader.error;
    return this.readRequested(request);
  }

  /** Sets in order of precedence: runtimeConfig.ipRanges, the single-range keys, ranges. */
  private readRanges(request: Request, ipam: JsonValue): void {
    const reader = request.reader;
    const runtime = request.runtimeConfig();
    if (runtime) sets_read(reader, runtime, "ipRanges", this.sets);
    const subnet = ipam.get("subnet");
    if (subnet) {
      const outer = JsonValue.array();
      const inner = JsonValue.array();
      inner.push(ipam);
      outer.push(inner);
      const legacy = JsonValue.object();
      legacy.append("ranges", outer);
      sets_read(reader, legacy, "ranges", this.sets);
    }
    sets_read(reader, ipam, "ranges", this.sets);
    if (!reader.error) sets_check(reader, ipam, this.sets);
    if (reader.error || !version_before(request.version, "0.3.0")) return;
    let v6 = 0;
    for (let i = 0; i < this.sets.length; i++) v6 += i32(this.sets[i].v6);
    if (v6 > 1 || this.sets.length - v6 > 1) reader.note(too_many(request), ipam.offset);
  }

  /** Addresses that the runtime asks for, from every source, each once. */
  private readRequested(request: Request): CniError | null {
    const args = new CniArgs(request.env.args);
    if (args.error) return args.error;
    const texts = new Array<string>();
    const ip = args.get("IP");
    if (ip.length > 0) texts.push(ip);
    const cni = request.cniArgs();
    const ips = cni ? request.reader.strings(cni, "ips") : null;
    if (ips) for (let i = 0; i < ips.length; i++) texts.push(ips[i]);
    const runtime = request.runtimeConfig();
    const top = runtime ? request.reader.strings(runtime, "ips") : null;
    if (top) for (let i = 0; i < top.length; i++) texts.push(top[i]);
    const known = new Set<string>();
    for (let i = 0; i < texts.length; i++) {
      const parsed = ip_parse_loose(texts[i]);
      if (!parsed) {
        return new CniError(Code.InvalidConfig, `requested IP "${texts[i]}" is not an IP address`);
      }
      const text = parsed.toString();
      if (known.has(text)) continue;
      known.add(text);
      this.requested.push(parsed);
    }
    return request.reader.error;
  }

  add(request: Request, adding: Adding): Outcome {
    const result = new Result();
    result.routes = this.routes;
    if (this.resolvConf.length > 0) {
      const error = resolv_conf(this.resolvConf, result.dns);
      if (error) return failed(error);
    }
    const taken = new LeasesTaken(this.dataDir, true);
    const unwritten = adding.ahead(taken);
    if (unwritten) return failed(unwritten);
    const leases = leases_of(this.dataDir, request);
    if (!leases.open(true)) return failed(leases.error);
    const error = this.allocate(request, leases, result, taken);
    leases.close();
    return error ? failed(error) : new Outcome(result);
  }

  private allocate(
    request: Request,
    leases: Leases,
    result: Result,
    taken: LeasesTaken,
  ): CniError | null {
    const owned = this.owned(leases);
    if (leases.error) return leases.error;
    const wanted = this.requested.slice();
    for (let i = 0; i < this.sets.length; i++) {
      const made = this.allocateSet(request, leases, owned, wanted, i, taken);
      const ip = made.ip;
      const error = made.error;
      if (!ip) {
        const reason = error ? error : new CniError(Code.Internal, "no address");
        return new CniError(
          reason.code,
          `failed to allocate for range ${i}: ${reason.msg}`,
          reason.details,
        );
      }
      result.ips.push(ip);
    }
    if (wanted.length == 0) return null;
    const left = new Array<string>();
    for (let i = 0; i < wanted.length; i++) left.push(wanted[i].toString());
    return new CniError(
      Code.NoAddress,
      `failed to allocate all requested IPs: ${texts_joined(left, ",")}: ` +
        `they lie in no range of "${request.network}"`,
    );
  }

  /** Addresses that the attachment holds already; what it held before a reboot is given back. */
  private owned(leases: Leases): string[] {
    const owned = new Array<string>();
    const found = leases.find();
    for (let i = 0; i < found.length; i++) {
      // A record says nothing here: this very ADD may have written it.
      if (leases.before_boot(found[i])) leases.release(found[i], leases.owner);
      else owned.push(found[i]);
    }
    return owned;
  }

  /** Takes one address of one set, and takes it off the wanted list when it was wanted. */
  private allocateSet(
    request: Request,
    leases: Leases,
    owned: string[],
    wanted: Ip[],
    index: i32,
    taken: LeasesTaken,
  ): Allocated {
    const set = this.sets[index];
    let made: Allocated | null = null;
    for (let k = 0; k < wanted.length && !made; k++) {
      const ip = wanted[k];
      if (set.indexOf(ip) < 0) continue;
      made = allocate_requested(leases, set, ip, taken);
      wanted.splice(k, 1);
    }
    if (!made) {
      for (let k = 0; k < owned.length; k++) {
        const ip = ip_parse(owned[k]);
        if (!ip || set.indexOf(ip) < 0) continue;
        const id = request.env.containerID;
        return new Allocated(
          null,
          new CniError(
            Code.NoAddress,
            `${owned[k]} has been allocated to ${id}, ` +
              "duplicate allocation is not allowed: run DEL for it first",
          ),
        );
      }
      made = allocate_next(leases, set, leases.last(index), taken);
    }
    const ip = made.ip;
    if (ip && !leases.setLast(index, ip.address.ip.toString())) {
      return new Allocated(null, leases.error);
    }
    return made;
  }

  check(request: Request): CniError | null {
    const leases = leases_of(this.dataDir, request);
    let found = false;
    if (leases.open(false)) {
      found = leases.find().length > 0;
      leases.close();
    }
    if (leases.error) return leases.error;
    if (found) return null;
    return check_failed(
      `host-local: Failed to find address added by container ${request.env.containerID}`,
    );
  }

  del(request: Request, recorded: bool, errors: CniError[]): void {
    if (recorded) return;
    const leases = this.located(request, errors);
    if (leases) leases.release_all(errors);
  }

  /** The leases of a configuration that may be broken; null when it does not say where they are. */
  private located(request: Request, errors: CniError[]): Leases | null {
    const dataDir = data_dir(request);
    if (request.network.length > 0 && dataDir.length > 0) return leases_of(dataDir, request);
    errors.push(
      new CniError(
        Code.InvalidConfig,
        `cannot tell where the leases are: correct "name" and "ipam.dataDir", ` +
          `then run ${request.env.command} again`,
      ),
    );
    return null;
  }

  /** Leases of attachments that are not valid go, and zero-byte ones, which nobody owns. */
  gc(request: Request, valid: Attachments, errors: CniError[]): void {
    const leases = this.located(request, errors);
    if (!leases) return;
    if (leases.open(false)) {
      for (const lease = leases.all(); lease.next(); ) {
        const owner = lease.owner;
        const unread = lease.error;
        if (unread) errors.push(unread);
        const stale = owner.length > 0 && !valid.has(owner);
        // Of an ADD at work, of another host, or of a GC that could not do all: by its record.
        if (lease.empty || (stale && !leases_recorded(owner, request.network))) {
          leases.release(lease.name, owner);
        }
      }
      leases.close();
    }
    const error = leases.error;
    if (error) errors.push(error);
  }

  status(request: Request): CniError | null {
    const leases = leases_of(this.dataDir, request);
    let full: CniError | null = null;
    if (leases.open(false)) {
      for (let i = 0; i < this.sets.length && !full; i++) {
        full = exhausted(this.sets[i], leases, leases.last(i));
      }
      leases.close();
    }
    const error = leases.error;
    if (error) return new CniError(Code.NotAvailable, error.msg, error.details);
    if (!full || this.statusWhenFull) return full;
    // It ends when pods go; an error would make the whole node unready: see docs/rationale.md.
    log(`host-local: ${full.toString()}`);
    return null;
  }
}

function leases_of(dataDir: string, request: Request): Leases {
  return new Leases(dataDir, request.network, request.env.containerID, request.env.ifname);
}

/** The state folder; "" when the configuration names an unusable one. */
function data_dir(request: Request): string {
  const ipam = request.config.get("ipam");
  if (!ipam || ipam.kind != Kind.Object) return DATA_DIR;
  const value = ipam.get("dataDir");
  if (!value) return DATA_DIR;
  const text = value.kind == Kind.String ? value.text : "";
  if (dir_usable(text)) {
    return text.endsWith("/") ? text.substring(0, text.length - 1) : text;
  }
  request.reader.invalid(`"dataDir" must be an absolute path without ".."`, value);
  return "";
}
