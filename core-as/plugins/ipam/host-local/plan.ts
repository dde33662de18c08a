// SPDX-License-Identifier: Apache-2.0
// What a configuration of host-local says: keys, sources of ranges and of requested addresses, with
// the order and the words of the reference plugin. It takes no address.
import { Ip, ip_parse_loose } from "../../../lib/ip";
import { JsonValue, Kind } from "../../../lib/json";
import { dir_usable } from "../../../lib/name";
import { ipam_object, too_many } from "../../../plugin/ipam";
import { Written } from "../../../plugin/written";
import { CniArgs } from "../../../spec/args";
import { CniError, Code } from "../../../spec/error";
import { Request } from "../../../spec/request";
import { routes_read } from "../../../spec/result";
import { RouteConfig } from "../../../spec/types";
import { version_before } from "../../../spec/version";
import { RangeSet, sets_check, sets_read } from "./ranges";

const DATA_DIR = "/var/lib/cni/networks";

export class Plan {
  sets: RangeSet[] = [];
  requested: Ip[] = [];
  routes: RouteConfig[] = [];
  dataDir: string = DATA_DIR;
  resolvConf: string = "";
  /** STATUS of a range without a free address is an error. */
  statusWhenFull: bool = false;

  read(request: Request): CniError | null {
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
}

/** Where all ranges come from the runtime, one of documentation (RFC 5737) stands for them. */
export function ranges_stand_in(written: Written): void {
  const ipam = written.request.config.get("ipam");
  if (!ipam || !written.capable("ipRanges") || ipam.get("subnet") || ipam.get("ranges")) return;
  const range = JsonValue.object();
  range.append("subnet", JsonValue.string("192.0.2.0/24"));
  const inner = JsonValue.array();
  const outer = JsonValue.array();
  const runtime = JsonValue.object();
  inner.push(range);
  outer.push(inner);
  runtime.append("ipRanges", outer);
  written.request.config.set("runtimeConfig", runtime);
}

/** The state folder; "" when the configuration names an unusable one. */
export function data_dir(request: Request): string {
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
